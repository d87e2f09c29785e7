//! Laws and references, one module per room.

mod cluster;
mod economics;
mod gap;

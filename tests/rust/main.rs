//! Laws and references, one module per room.

mod economics;
mod gap;

//! Laws and references, one module per room.

mod gap;

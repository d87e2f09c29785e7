//! Laws and references, one module per room.
// Helpers of tests are not tests to clippy, and they may fail just as loudly.
#![allow(clippy::unwrap_used)]

mod cluster;
mod economics;
mod gap;
mod quality;

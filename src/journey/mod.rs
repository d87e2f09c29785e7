//! How customers move: from stage to stage over time.

pub mod life;

//! Laws and references, one module per room.
// Helpers of tests are not tests to clippy, and they may fail just as loudly.
#![allow(clippy::unwrap_used)]

mod archetypes;
mod buying;
mod buying_pooled;
mod cluster;
mod content;
mod decisions;
mod density;
mod economics;
mod gap;
mod gap_options;
mod kmodes;
mod latent;
mod life_path;
mod map;
mod medoids;
mod mixture;
mod money;
mod persona;
mod profile;
mod propositions;
mod quality;
mod resampling;
mod rfm;
mod rules;
mod segments_rules;
mod suppress;
mod whitespace;

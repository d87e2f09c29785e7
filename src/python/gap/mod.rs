//! Bindings of the gap room. See `ilk.gaps`.

mod content;
mod fit;
mod map;
mod matrix;
mod needs;
mod whitespace;

pub(crate) use content::{
    PyContentComparison, PyContentCoverage, PyMessageMatrix, content_coverage, message_matrix,
};
pub(crate) use fit::{PyFitMatrix, PyValueMap, fit_matrix, value_map};
pub(crate) use map::{PyMap, map_columns};
pub(crate) use matrix::{PyGapCube, PyGapMatrix, gap_cube, gap_matrix};
pub(crate) use needs::{PyKanoNeeds, PyOpportunities, PyTurf, need_kano, opportunities, reach};
pub(crate) use whitespace::{PyWhitespace, find_whitespace};

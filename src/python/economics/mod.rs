//! Bindings of the economics room. See `ilk.economics`.

pub(crate) mod activity;
mod buying;
pub(crate) mod cohorts;
pub(crate) mod concentration;
pub(crate) mod drift;
pub(crate) mod effort;
pub(crate) mod mass;
pub(crate) mod movement;
pub(crate) mod policy;
mod rfm;
mod scorecard;
pub(crate) mod targeting;

pub(crate) use buying::{PyHoldout, PyHoldoutReport, PyRepeatBuying, calibration_holdout};
pub(crate) use rfm::{PyRfm, rfm_of_orders};
pub(crate) use scorecard::{PyKnockout, PyRanking, PyScorecard, PyTimeToSale, segment_scorecard};

use pyo3::Bound;

use super::table::PyTable;
use crate::economics::reader::Labels;

/// A column of labels: the table that holds it, and its name there.
pub(crate) type PyLabels<'py> = (Bound<'py, PyTable>, String);

pub(crate) fn labels<'a>((table, name): &'a PyLabels<'_>) -> Labels<'a> {
    Labels { table: &table.get().0, name }
}

/// A result that is tables of figures.
macro_rules! report {
    ($class:ident, $name:literal, $core:ty) => {
        $crate::python::result::result!($class, $name, $core, {
            fn table(&self) -> ::pyo3::PyResult<$crate::python::table::PyTable> {
                self.sheet("table")
            }

            /// One of its tables.
            fn sheet(&self, name: &str) -> ::pyo3::PyResult<$crate::python::table::PyTable> {
                Ok($crate::python::table::PyTable(self.0.sheet(name)?.table()?))
            }
        });
    };
}
pub(crate) use report;

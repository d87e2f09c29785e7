//! Bindings of recency, frequency and monetary value.

use pyo3::prelude::*;

use crate::economics::rfm::{Definition, Named, Names, Options, Rfm, rfm_of};
use crate::error::Error;
use crate::manifest::Manifest;
use crate::python::result::result;
use crate::python::runtime;
use crate::python::table::PyTable;

/// A name with the lowest and highest scores of recency and of frequency.
pub(crate) type NamedScores = (String, (u32, u32), (u32, u32));

/// See `ilk.economics.rfm`.
#[pyfunction]
#[pyo3(signature = (orders, *, customer, date, value, definition, observed_to, unit_days, n_scores, segments, settings))]
#[allow(clippy::too_many_arguments)]
pub(crate) fn rfm_of_orders(
    py: Python<'_>,
    orders: &Bound<'_, PyTable>,
    customer: String,
    date: String,
    value: Option<String>,
    definition: &str,
    observed_to: Option<f64>,
    unit_days: f64,
    n_scores: u32,
    segments: Vec<NamedScores>,
    settings: &str,
) -> PyResult<PyRfm> {
    let definition = match definition {
        "btyd" => Definition::Btyd,
        "marketing" => Definition::Marketing,
        other => {
            let wanted = "\"btyd\" or \"marketing\" is needed";
            return Err(Error::argument("definition", format!("{other:?}"), wanted).into());
        }
    };
    let orders = &orders.get().0;
    let manifest = manifest("rfm", settings, orders.n_rows())?;
    let names = Names { customer, date, value };
    let options = Options { definition, observed_to, unit_days, n_scores };
    let named = |(name, recency, frequency): NamedScores| Named { name, recency, frequency };
    let segments = segments.into_iter().map(named).collect();
    runtime::run(py, None, |monitor| rfm_of(orders, &names, &options, segments, manifest, monitor))
        .map(PyRfm)
}

/// A manifest from settings as JSON.
pub(super) fn manifest(function: &str, settings: &str, n_rows: usize) -> PyResult<Manifest> {
    let settings = serde_json::from_str(settings)
        .map_err(|error| crate::persist::broken(error.to_string()))?;
    Ok(Manifest::new(function, settings, None, n_rows))
}

result!(PyRfm, "Rfm", Rfm, {
    fn table(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.table()?))
    }

    fn by_segment(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.by_segment()?))
    }

    /// Name of the column of customers.
    fn customer(&self) -> &str {
        &self.0.customer_name
    }

    /// Last day of the observation, in days since 1970-01-01.
    fn observed_to(&self) -> i32 {
        self.0.observed_to
    }

    fn unit_days(&self) -> f64 {
        self.0.unit_days
    }

    fn is_btyd(&self) -> bool {
        self.0.definition == Definition::Btyd
    }

    fn segments(&self) -> Vec<NamedScores> {
        let segments = self.0.segments.iter();
        segments.map(|named| (named.name.clone(), named.recency, named.frequency)).collect()
    }
});

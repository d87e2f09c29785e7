//! Bindings of the models of repeat buying and of their holdouts.

use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;

use super::rfm::manifest;
use crate::economics::buying::{
    Days, Discount, Holdout, Kind, Names, RepeatBuying, Report, Settings,
};
use crate::economics::rfm::Names as OrderNames;
use crate::error::Error;
use crate::python::result::result;
use crate::python::runtime;
use crate::python::table::PyTable;

/// A group with its customers, parameters, standard errors, log-likelihood, parameters that the data do not tell, and
/// where the search ended.
type GroupFigures = (String, f64, Vec<f64>, Vec<f64>, f64, Vec<String>, Vec<f64>);

type Array<'py> = Bound<'py, PyArray1<f64>>;

result!(PyRepeatBuying, "RepeatBuying", RepeatBuying, {
    #[staticmethod]
    #[pyo3(signature = (table, kind, *, columns, weights, by, pooled, unit_days, settings))]
    #[allow(clippy::too_many_arguments)]
    fn fit(
        py: Python<'_>,
        table: &Bound<'_, PyTable>,
        kind: &str,
        columns: Vec<String>,
        weights: Option<String>,
        by: Option<String>,
        pooled: bool,
        unit_days: Option<f64>,
        settings: &str,
    ) -> PyResult<Self> {
        let table = &table.get().0;
        let manifest = manifest(kind, settings, table.n_rows())?;
        let kind = Kind::named(kind)
            .ok_or_else(|| Error::argument("kind", format!("{kind:?}"), "a model is needed"))?;
        let names = Names { columns, weights, by };
        let settings = Settings { pooled, unit_days };
        runtime::run(py, None, |monitor| {
            RepeatBuying::fit(table, kind, names, settings, manifest, monitor)
        })
        .map(Self)
    }

    fn table(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.table()?))
    }

    fn kind(&self) -> String {
        self.0.kind.to_string()
    }

    fn columns(&self) -> Vec<String> {
        self.0.names.columns.clone()
    }

    fn by(&self) -> Option<&str> {
        self.0.names.by.as_deref()
    }

    fn unit_days(&self) -> Option<f64> {
        self.0.unit_days
    }

    fn parameters(&self) -> &'static [&'static str] {
        self.0.kind.parameters()
    }

    fn groups(&self) -> Vec<GroupFigures> {
        let of = |group: &crate::economics::buying::Group| {
            (
                group.name.clone(),
                group.n,
                group.parameters.clone(),
                group.standard_errors.clone(),
                group.log_likelihood,
                group.unknown.clone(),
                group.reached.clone(),
            )
        };
        self.0.groups.iter().map(of).collect()
    }

    /// Parameters of a typical group and the spread of their logarithms, under partial pooling.
    fn common(&self) -> Option<(Vec<f64>, Vec<f64>)> {
        self.0.common.as_ref().map(|common| (common.parameters.clone(), common.spread.clone()))
    }

    fn expected_purchases<'py>(
        &self,
        py: Python<'py>,
        table: &Bound<'_, PyTable>,
        time: f64,
    ) -> PyResult<Array<'py>> {
        let table = &table.get().0;
        let found =
            runtime::run(py, None, |monitor| self.0.expected_purchases(table, time, monitor))?;
        Ok(found.into_pyarray(py))
    }

    fn p_alive<'py>(&self, py: Python<'py>, table: &Bound<'_, PyTable>) -> PyResult<Array<'py>> {
        let table = &table.get().0;
        let found = runtime::run(py, None, |monitor| self.0.p_alive(table, monitor))?;
        Ok(found.into_pyarray(py))
    }

    fn lifetime_value<'py>(
        &self,
        py: Python<'py>,
        table: &Bound<'_, PyTable>,
        spend: &Bound<'_, Self>,
        time: f64,
        rate: f64,
        advance: bool,
    ) -> PyResult<Array<'py>> {
        let (table, spend) = (&table.get().0, &spend.get().0);
        let discount = Discount { time, rate, advance };
        let found = runtime::run(py, None, |monitor| {
            self.0.lifetime_value(table, spend, discount, monitor)
        })?;
        Ok(found.into_pyarray(py))
    }

    fn expected_spend<'py>(
        &self,
        py: Python<'py>,
        table: &Bound<'_, PyTable>,
    ) -> PyResult<Array<'py>> {
        let table = &table.get().0;
        Ok(runtime::run(py, None, |_| self.0.expected_spend(table))?.into_pyarray(py))
    }

    fn mean_spend(&self) -> Vec<f64> {
        self.0.mean_spend()
    }

    /// Of new customers of each group, in each of the times.
    fn of_new(&self, py: Python<'_>, times: Vec<f64>) -> PyResult<Vec<Vec<f64>>> {
        runtime::quick(py, || self.0.of_new(&times))
    }

    fn counts_of_new(&self, py: Python<'_>, time: f64, most: u32) -> PyResult<Vec<Vec<f64>>> {
        runtime::quick(py, || self.0.counts_of_new(time, most))
    }

    fn survival(&self, py: Python<'_>, renewals: Vec<u32>) -> PyResult<Vec<Vec<f64>>> {
        runtime::quick(py, || self.0.survival(&renewals))
    }

    fn retention(&self, py: Python<'_>, renewals: Vec<u32>) -> PyResult<Vec<Vec<f64>>> {
        runtime::quick(py, || self.0.retention(&renewals))
    }

    fn lifetime(&self, py: Python<'_>, renewals: u32, rate: f64, now: bool) -> PyResult<Vec<f64>> {
        runtime::quick(py, || self.0.lifetime(renewals, rate, now))
    }
});

/// See `ilk.economics.calibration_holdout`.
#[pyfunction]
#[pyo3(signature = (orders, *, customer, date, value, calibration_end, observed_to, unit_days, settings))]
#[allow(clippy::too_many_arguments)]
pub(crate) fn calibration_holdout(
    py: Python<'_>,
    orders: &Bound<'_, PyTable>,
    customer: String,
    date: String,
    value: Option<String>,
    calibration_end: f64,
    observed_to: Option<f64>,
    unit_days: f64,
    settings: &str,
) -> PyResult<PyHoldout> {
    let orders = &orders.get().0;
    let manifest = manifest("calibration_holdout", settings, orders.n_rows())?;
    let names = OrderNames { customer, date, value };
    let days = Days { calibration_end, observed_to, unit_days };
    runtime::run(py, None, |monitor| Holdout::of(orders, &names, &days, manifest, monitor))
        .map(PyHoldout)
}

result!(PyHoldout, "Holdout", Holdout, {
    fn table(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.table()?))
    }

    fn report(
        &self,
        py: Python<'_>,
        model: &Bound<'_, PyRepeatBuying>,
    ) -> PyResult<PyHoldoutReport> {
        let model = &model.get().0;
        runtime::run(py, None, |monitor| self.0.report(model, monitor)).map(PyHoldoutReport)
    }

    /// Last day of the calibration and of the holdout, in days since 1970-01-01.
    fn days(&self) -> (i32, i32) {
        (self.0.calibration_end, self.0.observed_to)
    }

    fn duration(&self) -> f64 {
        self.0.duration()
    }

    fn unit_days(&self) -> f64 {
        self.0.unit_days
    }
});

result!(PyHoldoutReport, "HoldoutReport", Report, {
    fn table(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.table()?))
    }

    fn tracking(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.tracking()?))
    }

    fn kind(&self) -> String {
        self.0.kind.to_string()
    }

    /// Purchases in the holdout, expected ones, mean absolute error per customer, customers.
    fn totals(&self) -> (f64, f64, f64, usize) {
        let (happened, expected) = self.0.totals();
        (happened, expected, self.0.error, self.0.n)
    }

    /// Units of time of the calibration and of the holdout, and days in the unit.
    fn units(&self) -> (f64, f64, f64) {
        (self.0.calibration_units, self.0.holdout_units, self.0.unit_days)
    }
});

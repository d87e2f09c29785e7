//! Bindings of the scorecard and its ranking.

use pyo3::prelude::*;
use pyo3::types::PyAny;

use crate::economics::curve::{TimeToSale, time_to_sale};
use crate::economics::knockout::{Criteria, Knockout, knockout};
use crate::economics::rank::{Ranking, Weights, rank};
use crate::economics::read::{Names, Tables, scorecard_of};
use crate::economics::scorecard::{Options, Scorecard};
use crate::python::result::result;
use crate::python::runtime;
use crate::python::segment::Segmentation;
use crate::python::table::PyTable;

/// Names of columns by role.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Roles {
    segment: String,
    revenue: String,
    cost: Option<String>,
    acquisition_cost: Option<String>,
    management_cost: Option<String>,
    first_contact: Option<String>,
    first_sale: Option<String>,
    lost: Option<String>,
    churn: Option<String>,
    customer: Option<String>,
    n_customers: Option<String>,
    n_new: Option<String>,
    clv: Option<String>,
    channel: Option<String>,
    month: Option<String>,
    amount: Option<String>,
    lag_months: u32,
}

impl From<Roles> for Names {
    fn from(roles: Roles) -> Self {
        Self {
            segment: roles.segment,
            revenue: roles.revenue,
            cost: roles.cost,
            acquisition_cost: roles.acquisition_cost,
            management_cost: roles.management_cost,
            first_contact: roles.first_contact,
            first_sale: roles.first_sale,
            lost: roles.lost,
            churn: roles.churn,
            customer: roles.customer,
            n_customers: roles.n_customers,
            n_new: roles.n_new,
            clv: roles.clv,
            channel: roles.channel,
            month: roles.month,
            amount: roles.amount,
            lag_months: roles.lag_months,
        }
    }
}

/// See `ilk.segment_scorecard`.
#[pyfunction]
#[pyo3(signature = (customers, segments, orders, spend, refit, roles, *, period_months, discount_rate, ltv_periods, n_boot, confidence, seed, progress=None))]
#[allow(clippy::too_many_arguments)]
pub(crate) fn segment_scorecard(
    py: Python<'_>,
    customers: &Bound<'_, PyTable>,
    segments: &Bound<'_, PyTable>,
    orders: Option<&Bound<'_, PyTable>>,
    spend: Option<&Bound<'_, PyTable>>,
    refit: Option<&Bound<'_, Segmentation>>,
    roles: Roles,
    period_months: f64,
    discount_rate: f64,
    ltv_periods: Option<u32>,
    n_boot: usize,
    confidence: f64,
    seed: u64,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<PyScorecard> {
    let tables = Tables {
        customers: &customers.get().0,
        segments: &segments.get().0,
        orders: orders.map(|orders| &orders.get().0),
        spend: spend.map(|spend| &spend.get().0),
        refit: refit.map(|segmentation| &segmentation.get().0),
    };
    let names = Names::from(roles);
    let options = Options { period_months, discount_rate, n_boot, confidence, seed, ltv_periods };
    runtime::run(py, progress, |monitor| scorecard_of(&tables, &names, options, monitor))
        .map(PyScorecard)
}

result!(PyScorecard, "Scorecard", Scorecard, {
    fn table(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.table()?))
    }

    fn total(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.total()?))
    }

    fn acquisition(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.acquisition_table()?))
    }

    fn unallocated(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.unallocated_table()?))
    }

    #[pyo3(signature = (horizon=None))]
    fn time_to_sale(&self, py: Python<'_>, horizon: Option<f64>) -> PyResult<PyTimeToSale> {
        runtime::quick(py, || time_to_sale(&self.0, horizon)).map(PyTimeToSale)
    }

    fn knockout(
        &self,
        min_size: f64,
        min_share: f64,
        reachable: Option<Vec<String>>,
        at_least: Vec<(String, f64)>,
        at_most: Vec<(String, f64)>,
        settings: &str,
    ) -> PyResult<PyKnockout> {
        let criteria = Criteria { min_size, min_share, reachable, at_least, at_most };
        let settings = serde_json::from_str(settings)
            .map_err(|error| crate::persist::broken(error.to_string()))?;
        Ok(PyKnockout(knockout(&self.0, &criteria, settings)?))
    }

    fn hhi(&self) -> (f64, f64, f64) {
        self.0.hhi()
    }

    fn warnings(&self) -> Vec<String> {
        self.0.warnings.clone()
    }

    fn explain(&self, py: Python<'_>) -> PyResult<String> {
        runtime::quick(py, || Ok(self.0.explain()))
    }

    /// Weights are given as a list, or drawn where `dirichlet`; equal where neither.
    #[pyo3(signature = (top, by, weights, dirichlet))]
    fn rank(
        &self,
        py: Python<'_>,
        top: usize,
        by: Vec<String>,
        weights: Option<Vec<f64>>,
        dirichlet: bool,
    ) -> PyResult<PyRanking> {
        let weights = Weights::new(weights, dirichlet);
        runtime::quick(py, || rank(&self.0, top, &by, &weights)).map(PyRanking)
    }
});

result!(PyRanking, "Ranking", Ranking, {
    fn table(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.table()?))
    }

    fn tornado(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.tornado()?))
    }

    fn explain(&self) -> String {
        self.0.explain()
    }
});

result!(PyKnockout, "Knockout", Knockout, {
    fn table(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.table()?))
    }

    fn explain(&self) -> String {
        self.0.explain()
    }

    #[pyo3(signature = (top, by, weights, dirichlet))]
    fn rank(
        &self,
        py: Python<'_>,
        top: usize,
        by: Vec<String>,
        weights: Option<Vec<f64>>,
        dirichlet: bool,
    ) -> PyResult<PyRanking> {
        let weights = Weights::new(weights, dirichlet);
        runtime::quick(py, || self.0.rank(top, &by, &weights)).map(PyRanking)
    }
});

result!(PyTimeToSale, "TimeToSale", TimeToSale, {
    fn table(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.table()?))
    }

    fn curve(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.curve()?))
    }

    fn explain(&self) -> String {
        self.0.explain()
    }
});

//! Bindings of the scorecard and its ranking.

use pyo3::prelude::*;
use pyo3::types::PyAny;

use crate::economics::rank::{Ranking, Weights, rank};
use crate::economics::read::{Names, scorecard_of};
use crate::economics::scorecard::{Options, Scorecard};
use crate::python::result::result;
use crate::python::runtime;
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
        }
    }
}

/// See `ilk.segment_scorecard`.
#[pyfunction]
#[pyo3(signature = (customers, segments, orders, roles, *, period_months, discount_rate, n_boot, confidence, seed, progress=None))]
#[allow(clippy::too_many_arguments)]
pub(crate) fn segment_scorecard(
    py: Python<'_>,
    customers: &Bound<'_, PyTable>,
    segments: &Bound<'_, PyTable>,
    orders: Option<&Bound<'_, PyTable>>,
    roles: Roles,
    period_months: f64,
    discount_rate: f64,
    n_boot: usize,
    confidence: f64,
    seed: u64,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<PyScorecard> {
    let (customers, segments) = (&customers.get().0, &segments.get().0);
    let orders = orders.map(|orders| &orders.get().0);
    let names = Names::from(roles);
    let options = Options { period_months, discount_rate, n_boot, confidence, seed };
    runtime::run(py, progress, |monitor| {
        scorecard_of(customers, segments, orders, &names, options, monitor)
    })
    .map(PyScorecard)
}

result!(PyScorecard, "Scorecard", Scorecard, {
    fn table(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.table()?))
    }

    fn total(&self) -> PyResult<PyTable> {
        Ok(PyTable(self.0.total()?))
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

    fn explain(&self) -> String {
        self.0.explain()
    }
});

//! The figures of a scorecard as functions of totals.

use serde::{Deserialize, Serialize};

use super::totals::{Field, Sums};
use crate::error::{Error, Result};

/// A figure of the scorecard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[repr(usize)]
pub enum Figure {
    /// Share of all revenue.
    RevenueShare,
    /// (revenue - cost) / revenue.
    GrossMargin,
    /// Median days from first contact to sale.
    DaysToSale,
    /// Acquisition spend per customer won.
    Cac,
    /// Management spend per customer and period.
    CostToManage,
    /// Gross profit less management spend, per customer and period.
    Contribution,
    /// Months until contribution has paid for acquisition.
    PaybackMonths,
    /// Contribution / churn.
    Ltv,
    /// Lifetime value per unit of acquisition cost.
    LtvCac,
    /// Discounted lifetime value, paid at the beginning of each period.
    LtvAdvance,
    /// Discounted lifetime value, paid at the end of each period.
    LtvArrears,
    /// Discounted lifetime value of a stated number of periods, paid at the beginning of each.
    LtvHorizon,
    /// Mean of the customers' lifetime values by a model.
    LtvModel,
    /// Share of customers lost per period.
    Churn,
    /// Revenue.
    Revenue,
    /// Revenue less all spend.
    Profit,
}

/// Number of figures.
pub const N_FIGURES: usize = 16;

/// One value per [`Figure`].
pub type Figures = [f64; N_FIGURES];

impl Figure {
    /// All figures, in the order of the result's columns.
    pub const ALL: [Self; N_FIGURES] = [
        Self::RevenueShare,
        Self::GrossMargin,
        Self::DaysToSale,
        Self::Cac,
        Self::CostToManage,
        Self::Contribution,
        Self::PaybackMonths,
        Self::Ltv,
        Self::LtvCac,
        Self::LtvAdvance,
        Self::LtvArrears,
        Self::LtvHorizon,
        Self::LtvModel,
        Self::Churn,
        Self::Revenue,
        Self::Profit,
    ];

    /// Name of the column.
    pub fn name(self) -> &'static str {
        match self {
            Self::RevenueShare => "revenue_share",
            Self::GrossMargin => "gross_margin",
            Self::DaysToSale => "days_to_sale",
            Self::Cac => "cac",
            Self::CostToManage => "cost_to_manage",
            Self::Contribution => "contribution",
            Self::PaybackMonths => "payback_months",
            Self::Ltv => "ltv",
            Self::LtvCac => "ltv_cac",
            Self::LtvAdvance => "ltv_advance",
            Self::LtvArrears => "ltv_arrears",
            Self::LtvHorizon => "ltv_horizon",
            Self::LtvModel => "ltv_model",
            Self::Churn => "churn",
            Self::Revenue => "revenue",
            Self::Profit => "profit",
        }
    }

    /// The figure of a column.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|figure| figure.name() == name)
    }

    /// The figure of a column that an argument names.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if there is none.
    pub fn named(name: &str, argument: &str) -> Result<Self> {
        Self::from_name(name).ok_or_else(|| {
            let all = Self::ALL.map(|figure| format!("{:?}", figure.name())).join(", ");
            Error::argument(argument, format!("{name:?}"), format!("the figures are {all}"))
        })
    }

    /// Whether more of it is better.
    pub fn more_is_better(self) -> bool {
        !matches!(
            self,
            Self::DaysToSale | Self::Cac | Self::CostToManage | Self::PaybackMonths | Self::Churn
        )
    }
}

/// What was given; figures that rest on something else are NaN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    /// Cost of what was sold.
    pub cost: bool,
    /// Acquisition spend.
    pub acquisition: bool,
    /// Management spend; without it contribution is gross profit per customer.
    pub management: bool,
    /// Churn.
    pub churn: bool,
    /// Dates of first contact and first sale.
    pub dates: bool,
    /// Lifetime values by a model.
    pub clv: bool,
}

/// The constants of the formulas.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Terms {
    /// Length of the period that the data cover.
    pub period_months: f64,
    /// Discount rate per year.
    pub discount_rate: f64,
    /// Periods that [`Figure::LtvHorizon`] counts.
    pub ltv_periods: Option<u32>,
}

impl Terms {
    /// Discount rate per period: (1 + d)^(months / 12) - 1.
    pub fn discount_per_period(self) -> f64 {
        if self.period_months == 12.0 {
            return self.discount_rate;
        }
        (1.0 + self.discount_rate).powf(self.period_months / 12.0) - 1.0
    }
}

/// The figures of one segment.
///
/// `all_revenue` is the revenue of all segments, `days_to_sale` the median computed by [`super::survival`]. Every ratio is
/// a ratio of sums. Lifetime values follow Gupta and Lehmann 2003 (Journal of Interactive Marketing 17(1):9-24) with a
/// constant margin m, retention r and discount rate d per period: m (1 + d) / (1 + d - r) where the margin comes at the
/// beginning of each period, m r / (1 + d - r) where it comes at the end of each. The value of the first H periods is the
/// first H terms of the former: m (1 - q^H) / (1 - q) with q = r / (1 + d).
pub fn figures(
    sums: &Sums,
    all_revenue: f64,
    days_to_sale: f64,
    terms: Terms,
    given: Given,
) -> Figures {
    let of = |field: Field| sums[field as usize];
    let known = |is_given: bool, value: f64| if is_given { value } else { f64::NAN };
    let customers = of(Field::Customers);
    let revenue = of(Field::Revenue);
    let cost = known(given.cost, of(Field::Cost));
    let cac = known(given.acquisition, of(Field::Acquisition) / of(Field::New));
    let contribution = (revenue - cost - of(Field::Management)) / customers;
    let churn = known(given.churn, of(Field::Churned) / of(Field::ChurnKnown));
    let discount = terms.discount_per_period();
    let ltv = contribution / churn;
    // 1 + d - r with r = 1 - churn, written so that it is exact where churn is small.
    let decay = discount + churn;
    let mut out = [f64::NAN; N_FIGURES];
    for figure in Figure::ALL {
        out[figure as usize] = match figure {
            Figure::RevenueShare => revenue / all_revenue,
            Figure::GrossMargin => (revenue - cost) / revenue,
            Figure::DaysToSale => days_to_sale,
            Figure::Cac => cac,
            Figure::CostToManage => known(given.management, of(Field::Management) / customers),
            Figure::Contribution => contribution,
            Figure::PaybackMonths => payback_months(cac, contribution, terms.period_months),
            Figure::Ltv => ltv,
            Figure::LtvCac => ltv / cac,
            Figure::LtvAdvance => contribution * (1.0 + discount) / decay,
            Figure::LtvArrears => contribution * (1.0 - churn) / decay,
            Figure::LtvHorizon => contribution * annuity((1.0 - churn) / (1.0 + discount), terms),
            Figure::LtvModel => known(given.clv, of(Field::Modelled) / of(Field::ModelledKnown)),
            Figure::Churn => churn,
            Figure::Revenue => revenue,
            Figure::Profit => revenue - cost - of(Field::Acquisition) - of(Field::Management),
        };
    }
    out
}

/// 1 + q + q^2 + ..., as many terms as there are periods; NaN where none are stated.
fn annuity(q: f64, terms: Terms) -> f64 {
    let Some(periods) = terms.ltv_periods.map(f64::from) else { return f64::NAN };
    if q == 1.0 { periods } else { (1.0 - q.powf(periods)) / (1.0 - q) }
}

/// Months until the contribution of a customer has paid for the acquisition; infinite where it never does.
fn payback_months(cac: f64, contribution: f64, period_months: f64) -> f64 {
    if cac.is_nan() || contribution.is_nan() {
        f64::NAN
    } else if contribution <= 0.0 {
        f64::INFINITY
    } else {
        cac / (contribution / period_months)
    }
}

//! What a gap matrix is held against, and what a cell can be.

use serde::{Deserialize, Serialize};

/// What the expected values rest on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// Totals of rows and columns.
    Independence,
    /// Totals of rows and columns over the cells that can occur.
    QuasiIndependence,
    /// Shares of the columns in the supply.
    Supply,
    /// Shares of the columns in the need.
    Need,
    /// Shares of the columns in another period.
    Reference,
}

/// What a cell is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// Too little: below the totals' expectation, or a demand beyond the share of supply.
    #[serde(rename = "gap")]
    Gap,
    /// The opposite of a gap.
    #[serde(rename = "saturated")]
    Saturated,
    /// As expected, as far as the data can tell.
    #[serde(rename = "served")]
    Served,
    /// Nothing observed, though enough is expected or the whole row or column is empty.
    #[serde(rename = "empty")]
    Empty,
    /// Expects too few records to be judged.
    #[serde(rename = "too few")]
    TooFew,
    /// Cannot occur.
    #[serde(rename = "not applicable")]
    NotApplicable,
    /// Holds so few records that they could be recognised, or would give such a cell away.
    #[serde(rename = "hidden")]
    Hidden,
}

impl Status {
    /// All of them, in the order in which they are explained.
    pub const ALL: [Self; 7] = [
        Self::Gap,
        Self::Saturated,
        Self::Served,
        Self::Empty,
        Self::TooFew,
        Self::NotApplicable,
        Self::Hidden,
    ];

    /// The status as the user reads it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gap => "gap",
            Self::Saturated => "saturated",
            Self::Served => "served",
            Self::Empty => "empty",
            Self::TooFew => "too few",
            Self::NotApplicable => "not applicable",
            Self::Hidden => "hidden",
        }
    }
}

impl Basis {
    /// 1 where it is less than expected that is a gap; -1 where it is more, since demand goes beyond what is offered.
    pub(super) fn sign(self) -> f64 {
        if self == Self::Supply { -1.0 } else { 1.0 }
    }
}

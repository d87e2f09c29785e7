"""What each segment is worth, where the money sits, and why it moved."""

from __future__ import annotations

from ilk.economics._cohorts import Cohorts, cohorts
from ilk.economics._concentration import Concentration, concentration
from ilk.economics._decisions import (
    TargetingValue,
    ValueOfSegmentation,
    targeting_value,
    value_of_segmentation,
)
from ilk.economics._drift import NeedDrift, need_drift
from ilk.economics._effort import (
    EffortIndex,
    FitAgainstActivity,
    effort_index,
    fit_against_activity,
)
from ilk.economics._mass import MarketMass, MassNeighbours, market_mass, mass_neighbours
from ilk.economics._movement import MixRateValue, mix_rate_value
from ilk.economics._ranking import Ranking
from ilk.economics._scorecard import Scorecard, segment_scorecard

__all__ = [
    "Cohorts",
    "Concentration",
    "EffortIndex",
    "FitAgainstActivity",
    "MarketMass",
    "MassNeighbours",
    "MixRateValue",
    "NeedDrift",
    "Ranking",
    "Scorecard",
    "TargetingValue",
    "ValueOfSegmentation",
    "cohorts",
    "concentration",
    "effort_index",
    "fit_against_activity",
    "market_mass",
    "mass_neighbours",
    "mix_rate_value",
    "need_drift",
    "segment_scorecard",
    "targeting_value",
    "value_of_segmentation",
]

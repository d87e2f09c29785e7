"""What each segment is worth, who comes back, where the money sits, and why it moved."""

from __future__ import annotations

from ilk.economics._buying import BetaGeo, BetaGeoBetaBinomial, ModifiedBetaGeo, ParetoNBD
from ilk.economics._cohorts import Cohorts, cohorts
from ilk.economics._concentration import Concentration, concentration
from ilk.economics._contracts import ShiftedBetaGeometric
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
from ilk.economics._holdout import Holdout, HoldoutReport, calibration_holdout
from ilk.economics._mass import MarketMass, MassNeighbours, market_mass, mass_neighbours
from ilk.economics._models import UnidentifiedWarning
from ilk.economics._monetary import GammaGamma
from ilk.economics._movement import MixRateValue, mix_rate_value
from ilk.economics._ranking import Knockout, Ranking
from ilk.economics._rfm import RFM_SEGMENTS, Rfm, rfm
from ilk.economics._scorecard import Scorecard
from ilk.economics._segment_scorecard import segment_scorecard
from ilk.economics._time_to_sale import TimeToSale

__all__ = [
    "RFM_SEGMENTS",
    "BetaGeo",
    "BetaGeoBetaBinomial",
    "Cohorts",
    "Concentration",
    "EffortIndex",
    "FitAgainstActivity",
    "GammaGamma",
    "Holdout",
    "HoldoutReport",
    "Knockout",
    "MarketMass",
    "MassNeighbours",
    "MixRateValue",
    "ModifiedBetaGeo",
    "NeedDrift",
    "ParetoNBD",
    "Ranking",
    "Rfm",
    "Scorecard",
    "ShiftedBetaGeometric",
    "TargetingValue",
    "TimeToSale",
    "UnidentifiedWarning",
    "ValueOfSegmentation",
    "calibration_holdout",
    "cohorts",
    "concentration",
    "effort_index",
    "fit_against_activity",
    "market_mass",
    "mass_neighbours",
    "mix_rate_value",
    "need_drift",
    "rfm",
    "segment_scorecard",
    "targeting_value",
    "value_of_segmentation",
]

"""What each segment is worth, who comes back, where the money sits, and why it moved."""

from __future__ import annotations

from ilk.economics._buying import BetaGeo, BetaGeoBetaBinomial, ModifiedBetaGeo, ParetoNBD
from ilk.economics._contracts import ShiftedBetaGeometric
from ilk.economics._holdout import Holdout, HoldoutReport, calibration_holdout
from ilk.economics._models import UnidentifiedWarning
from ilk.economics._monetary import GammaGamma
from ilk.economics._ranking import Knockout, Ranking
from ilk.economics._rfm import RFM_SEGMENTS, Rfm, rfm
from ilk.economics._scorecard import Scorecard
from ilk.economics._segment_scorecard import segment_scorecard
from ilk.economics._time_to_sale import TimeToSale

__all__ = [
    "RFM_SEGMENTS",
    "BetaGeo",
    "BetaGeoBetaBinomial",
    "GammaGamma",
    "Holdout",
    "HoldoutReport",
    "Knockout",
    "ModifiedBetaGeo",
    "ParetoNBD",
    "Ranking",
    "Rfm",
    "Scorecard",
    "ShiftedBetaGeometric",
    "TimeToSale",
    "UnidentifiedWarning",
    "calibration_holdout",
    "rfm",
    "segment_scorecard",
]

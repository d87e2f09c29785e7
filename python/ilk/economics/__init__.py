"""What each segment is worth, and how often customers come back."""

from __future__ import annotations

from ilk.economics._buying import BetaGeo, BetaGeoBetaBinomial, ModifiedBetaGeo, ParetoNBD
from ilk.economics._contracts import ShiftedBetaGeometric
from ilk.economics._holdout import Holdout, HoldoutReport, calibration_holdout
from ilk.economics._models import UnidentifiedWarning
from ilk.economics._monetary import GammaGamma
from ilk.economics._ranking import Ranking
from ilk.economics._rfm import RFM_SEGMENTS, Rfm, rfm
from ilk.economics._scorecard import Scorecard, segment_scorecard

__all__ = [
    "RFM_SEGMENTS",
    "BetaGeo",
    "BetaGeoBetaBinomial",
    "GammaGamma",
    "Holdout",
    "HoldoutReport",
    "ModifiedBetaGeo",
    "ParetoNBD",
    "Ranking",
    "Rfm",
    "Scorecard",
    "ShiftedBetaGeometric",
    "UnidentifiedWarning",
    "calibration_holdout",
    "rfm",
    "segment_scorecard",
]

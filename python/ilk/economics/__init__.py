"""What each segment is worth."""

from __future__ import annotations

from ilk.economics._cohorts import Cohorts, cohorts
from ilk.economics._concentration import Concentration, concentration
from ilk.economics._ranking import Ranking
from ilk.economics._scorecard import Scorecard, segment_scorecard

__all__ = [
    "Cohorts",
    "Concentration",
    "Ranking",
    "Scorecard",
    "cohorts",
    "concentration",
    "segment_scorecard",
]

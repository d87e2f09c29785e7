"""What each segment is worth."""

from __future__ import annotations

from ilk.economics._ranking import Knockout, Ranking
from ilk.economics._scorecard import Scorecard
from ilk.economics._segment_scorecard import segment_scorecard
from ilk.economics._time_to_sale import TimeToSale

__all__ = ["Knockout", "Ranking", "Scorecard", "TimeToSale", "segment_scorecard"]

"""What each segment is worth."""

from __future__ import annotations

from ilk.economics._ranking import Ranking
from ilk.economics._scorecard import Scorecard, segment_scorecard

__all__ = ["Ranking", "Scorecard", "segment_scorecard"]

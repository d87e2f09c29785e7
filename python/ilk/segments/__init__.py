"""Who the customers are: segments from mixed data, with the evidence for how many there are."""

from __future__ import annotations

from ilk.profile import SegmentProfile
from ilk.segments._segment import segment
from ilk.segments._segmentation import Segmentation

__all__ = ["SegmentProfile", "Segmentation", "segment"]

"""Who the customers are: segments from mixed data, by rules or as given, with the evidence for them."""

from __future__ import annotations

from ilk.profile import SegmentProfile
from ilk.segments._compare import SegmentationComparison, compare_segmentations
from ilk.segments._segment import segment
from ilk.segments._segmentation import Segmentation
from ilk.segments._stated import from_labels, from_rules

__all__ = [
    "SegmentProfile",
    "Segmentation",
    "SegmentationComparison",
    "compare_segmentations",
    "from_labels",
    "from_rules",
    "segment",
]

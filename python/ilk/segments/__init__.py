"""Who the customers are: segments from mixed data, by rules or as given, with the evidence for them."""

from __future__ import annotations

from ilk.profile import SegmentProfile
from ilk.segments._compare import SegmentationComparison, compare_segmentations
from ilk.segments._criteria import criteria_segment
from ilk.segments._drift import SegmentDrift
from ilk.segments._firms import firm_segment, rfm_segment
from ilk.segments._grid import grid_segment
from ilk.segments._motives import motives
from ilk.segments._nested import check_activities, nested
from ilk.segments._segment import segment
from ilk.segments._segmentation import Segmentation
from ilk.segments._select import matches, select_customers
from ilk.segments._stages import life_stage_rules, life_stage_segment
from ilk.segments._stated import from_labels, from_rules

__all__ = [
    "SegmentDrift",
    "SegmentProfile",
    "Segmentation",
    "SegmentationComparison",
    "check_activities",
    "compare_segmentations",
    "criteria_segment",
    "firm_segment",
    "from_labels",
    "from_rules",
    "grid_segment",
    "life_stage_rules",
    "life_stage_segment",
    "matches",
    "motives",
    "nested",
    "rfm_segment",
    "segment",
    "select_customers",
]

"""What makes segments different: their traits, tests and rules."""

from __future__ import annotations

from ilk.profile._describe import SegmentDescription, describe
from ilk.profile._homogeneity import DemographicsWarning, SegmentHomogeneity, homogeneity
from ilk.profile._profile import SegmentProfile, profile, ranked

__all__ = [
    "DemographicsWarning",
    "SegmentDescription",
    "SegmentHomogeneity",
    "SegmentProfile",
    "describe",
    "homogeneity",
    "profile",
    "ranked",
]

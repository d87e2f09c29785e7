"""What makes segments different: their traits, tests and rules."""

from __future__ import annotations

from ilk.profile._describe import SegmentDescription, describe
from ilk.profile._distinguish import Distinction, distinguish
from ilk.profile._homogeneity import DemographicsWarning, SegmentHomogeneity, homogeneity
from ilk.profile._profile import SegmentProfile, profile, ranked
from ilk.profile._rules import Fidelity, SegmentRules, rules
from ilk.profile._typing import TypingTool, typing_tool

__all__ = [
    "DemographicsWarning",
    "Distinction",
    "Fidelity",
    "SegmentDescription",
    "SegmentHomogeneity",
    "SegmentProfile",
    "SegmentRules",
    "TypingTool",
    "describe",
    "distinguish",
    "homogeneity",
    "profile",
    "ranked",
    "rules",
    "typing_tool",
]

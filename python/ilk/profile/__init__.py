"""What makes segments different: their traits, tests and rules."""

from __future__ import annotations

from ilk.profile._distinguish import Distinction, distinguish
from ilk.profile._profile import SegmentProfile
from ilk.profile._rules import Fidelity, SegmentRules, rules
from ilk.profile._typing import TypingTool, typing_tool

__all__ = [
    "Distinction",
    "Fidelity",
    "SegmentProfile",
    "SegmentRules",
    "TypingTool",
    "distinguish",
    "rules",
    "typing_tool",
]

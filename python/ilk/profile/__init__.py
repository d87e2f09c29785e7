"""What makes segments different: their traits, tests and rules."""

from __future__ import annotations

from ilk.profile._profile import SegmentProfile

__all__ = ["SegmentProfile"]

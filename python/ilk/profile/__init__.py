"""What makes segments different: their traits, tests and rules."""

from __future__ import annotations

from ilk.profile._profile import SegmentProfile, profile, ranked

__all__ = ["SegmentProfile", "profile", "ranked"]

"""Are the segments real? How many there are, whether they repeat, how far apart they are, and whether noise looks as good.

Start with :func:`select_k` and :func:`stability` before the number of segments is settled, then ask
:func:`segment_stability`, :func:`noise_test` and :func:`silhouette` about the segments found. :func:`compare` holds two
labellings against each other.
"""

from __future__ import annotations

from ilk.quality._compare import Comparison, compare
from ilk.quality._noise import NoiseTest, noise_test
from ilk.quality._select import Selection, select_k
from ilk.quality._separation import Shadows, Silhouettes, shadow, silhouette
from ilk.quality._stability import SegmentStability, Stability, segment_stability, stability

__all__ = [
    "Comparison",
    "NoiseTest",
    "SegmentStability",
    "Selection",
    "Shadows",
    "Silhouettes",
    "Stability",
    "compare",
    "noise_test",
    "segment_stability",
    "select_k",
    "shadow",
    "silhouette",
    "stability",
]

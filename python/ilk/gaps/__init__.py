"""Where the gaps are: customer categories by contexts, against what the two explain or against what is offered.

Start with :func:`gap_matrix`; its ``.map()`` shows rows and columns in one picture, and :func:`correspondence` does so for
several columns. :func:`opportunity` scores needs by importance and satisfaction; :func:`turf` finds the set of offers that
reaches most customers.
"""

from __future__ import annotations

from ilk.gaps._cube import GapCube
from ilk.gaps._map import CorrespondenceMap, correspondence
from ilk.gaps._matrix import GapMatrix, gap_matrix
from ilk.gaps._opportunity import Opportunities, opportunity
from ilk.gaps._turf import Turf, turf

__all__ = [
    "CorrespondenceMap",
    "GapCube",
    "GapMatrix",
    "Opportunities",
    "Turf",
    "correspondence",
    "gap_matrix",
    "opportunity",
    "turf",
]

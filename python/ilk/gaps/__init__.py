"""Where the gaps are: customer categories by contexts, against what the two explain or against what is offered.

Start with :func:`gap_matrix`; its ``.map()`` shows rows and columns in one picture, and :func:`correspondence` does so for
several columns.

:func:`opportunity` scores needs by importance and satisfaction, :func:`need_kano` tells which are taken for granted and
which delight, and :func:`turf` finds the set of offers that reaches most customers. :func:`value_map` says which persona is
sensitive to which value proposition, which one comes first and where competitors are ahead; :func:`fit_matrix` matches
products to segments. :class:`ValueProposition` and :class:`Positioning` are records of what is offered and how it is told.

:func:`content_coverage` audits content by persona and stage, :func:`message_matrix` what is said to those who decide, and :func:`whitespace` finds what accounts do not buy though those like them do.
"""

from __future__ import annotations

from ilk.gaps._audit import ContentComparison, ContentCoverage
from ilk.gaps._content import content_coverage
from ilk.gaps._cube import GapCube
from ilk.gaps._fit_matrix import FitMatrix, fit_matrix
from ilk.gaps._gap_matrix import gap_matrix
from ilk.gaps._kano import KanoNeeds, need_kano
from ilk.gaps._map import CorrespondenceMap, correspondence
from ilk.gaps._matrix import GapMatrix
from ilk.gaps._messages import ROLE_PRIORITIES, MessageMatrix, message_matrix
from ilk.gaps._opportunity import Opportunities, opportunity
from ilk.gaps._positioning import Positioning, communication_gaps, positioning_table
from ilk.gaps._propositions import ValueProposition, propositions_table
from ilk.gaps._turf import Turf, turf
from ilk.gaps._value_map import ValueMap, value_map
from ilk.gaps._whitespace import Whitespace, whitespace

__all__ = [
    "ROLE_PRIORITIES",
    "ContentComparison",
    "ContentCoverage",
    "CorrespondenceMap",
    "FitMatrix",
    "GapCube",
    "GapMatrix",
    "KanoNeeds",
    "MessageMatrix",
    "Opportunities",
    "Positioning",
    "Turf",
    "ValueMap",
    "ValueProposition",
    "Whitespace",
    "communication_gaps",
    "content_coverage",
    "correspondence",
    "fit_matrix",
    "gap_matrix",
    "message_matrix",
    "need_kano",
    "opportunity",
    "positioning_table",
    "propositions_table",
    "turf",
    "value_map",
    "whitespace",
]

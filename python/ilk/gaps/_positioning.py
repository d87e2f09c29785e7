"""Positioning: what each segment is told, and whether marketing and communication go together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ilk._arguments import column_name
from ilk._frame import Frame, default_native, free_name, to_native
from ilk.exceptions import DataError
from ilk.gaps._records import Record, text, texts
from ilk.gaps._records import records as records_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Positioning", "communication_gaps", "positioning_table"]

#: The three questions, with the fields that answer them.
_QUESTIONS = ("key_value", "delivery", "style")

_KINDS = ("marketing", "communication")


@dataclass(frozen=True, repr=False)
class Positioning(Record):
    """How an offer is told apart, for one segment or persona: three answers.

    Parameters
    ----------
    segment : str
        The segment or persona.
    key_value : str
        The key value: what you are chosen for.
    delivery : str
        How you deliver it.
    style : str
        In which style you talk.

    Attributes
    ----------
    completeness : int
        How many of the three questions are answered.
    missing : tuple of str
        Those that are not.

    Raises
    ------
    DataError
        If the segment has no name.
    TypeError
        If a field is no text.

    Notes
    -----
    S3-POS-01.

    Examples
    --------
    >>> from ilk.gaps import Positioning
    >>> families = Positioning("families", key_value="dinner without a thought", style="warm, brief")
    >>> families.completeness, families.missing
    (2, ('delivery',))
    """

    segment: str
    key_value: str = ""
    delivery: str = ""
    style: str = ""

    _kind: ClassVar[str] = "positioning"
    _title: ClassVar[str] = "Positioning"

    def __post_init__(self) -> None:
        for attribute in ("segment", *_QUESTIONS):
            object.__setattr__(self, attribute, text(attribute, getattr(self, attribute)))
        if not self.segment:
            raise DataError('segment: found nothing, but a name is needed; try: segment="families"')

    @property
    def completeness(self) -> int:
        """How many of the three questions are answered, from 0 to 3."""
        return len(_QUESTIONS) - len(self.missing)

    @property
    def missing(self) -> tuple[str, ...]:
        """The questions without an answer: of key_value, delivery and style."""
        return tuple(question for question in _QUESTIONS if not getattr(self, question))

    def to_dict(self) -> dict[str, Any]:
        """The fields as texts."""
        return {name: getattr(self, name) for name in ("segment", *_QUESTIONS)}

    def _rows(self) -> list[tuple[str, str]]:
        rows = [("segment", self.segment)]
        rows += [(name.replace("_", " "), getattr(self, name) or "missing") for name in _QUESTIONS]
        return [*rows, ("completeness", f"{self.completeness} of {len(_QUESTIONS)}")]


def positioning_table(
    records: Iterable[Positioning], *, segments: Sequence[str] | None = None
) -> Any:
    """List the positioning of segments with how complete it is.

    Parameters
    ----------
    records : iterable of Positioning
        At most one per segment.
    segments : sequence of str, optional
        All segments there are; those without a record stand in the table with a completeness of 0.

    Returns
    -------
    frame
        One row per segment, the least complete first: ``segment``, ``completeness`` (0 to 3), the answers ``missing``,
        ``key_value``, ``delivery`` and ``style``.

    Raises
    ------
    DataError
        If two records are of one segment, one is of a segment that is not among ``segments``, or there is none.
    TypeError
        If one is no :class:`Positioning`.

    Notes
    -----
    S3-POS-01.

    Examples
    --------
    >>> from ilk.gaps import Positioning, positioning_table
    >>> families = Positioning("families", key_value="dinner without a thought")
    >>> positioning_table([families], segments=["families", "singles"])["completeness"].tolist()
    [0, 1]
    """
    found: dict[str, Positioning] = {}
    mend = 'Positioning("families", key_value="dinner without a thought")'
    for one in records_of("records", records, Positioning, mend):
        if one.segment in found:
            raise DataError(f"records: found two of {one.segment!r}, but each segment has one")
        found[one.segment] = one
    if segments is not None:
        names = texts("segments", segments)
        _known(found, names, "records")
        found = {name: found.get(name, Positioning(name)) for name in names}
    if not found:
        raise DataError("records: found none, but at least one is needed")
    rows = sorted(found.values(), key=lambda one: one.completeness)
    columns: dict[str, Any] = {
        "segment": [one.segment for one in rows],
        "completeness": [one.completeness for one in rows],
        "missing": [", ".join(one.missing) for one in rows],
    }
    columns |= {name: [getattr(one, name) for one in rows] for name in _QUESTIONS}
    return to_native(Frame.of(columns).core, default_native())


def communication_gaps(
    plan: Any,
    *,
    segment: str = "segment",
    kind: str = "kind",
    segments: Sequence[str] | None = None,
) -> Any:
    """Find segments with marketing and no communication, or the other way round.

    Marketing attracts and earns, communication is how you talk; neither works without the other.

    Parameters
    ----------
    plan : frame
        One row per measure.
    segment : str
        Column with the segment of the measure.
    kind : str
        Column with ``"marketing"`` or ``"communication"``.
    segments : sequence of str, optional
        All segments there are; those without any measure stand in the table, too.

    Returns
    -------
    frame
        Of the kind that came in, one row per segment, gaps first: ``segment``, the number of measures of ``marketing``
        and of ``communication``, and what is ``missing``: ``""``, ``"marketing"``, ``"communication"`` or ``"both"``.

    Raises
    ------
    MissingColumnError
        If a column is not there.
    DataError
        If a kind is another word, a segment is not among ``segments``, or there is no row.

    Notes
    -----
    S3-POS-02.

    Examples
    --------
    >>> from ilk.gaps import communication_gaps
    >>> plan = {"segment": ["a", "a", "b"], "kind": ["marketing", "communication", "marketing"]}
    >>> found = communication_gaps(plan)
    >>> found["segment"], found["missing"]
    (['b', 'a'], ['communication', ''])
    """
    named = [column_name("segment", segment), column_name("kind", kind)]
    frame = Frame.of(plan, name="plan", columns=named)
    codes, names, _ = frame.core.codes(segment)
    kind_codes, kinds, _ = frame.core.codes(kind)
    if len(frame) == 0 and segments is None:
        raise DataError("plan: found no rows, but at least one is needed")
    for name, found in ((segment, codes), (kind, kind_codes)):
        if (found < 0).any():
            row = int(np.argmax(found < 0))
            raise DataError(f'column "{name}", row {row}: found nothing, but a word is needed')
    odd = [code for code, word in enumerate(kinds) if word not in _KINDS]
    if np.isin(kind_codes, odd).any():
        row = int(np.argmax(np.isin(kind_codes, odd)))
        raise DataError(
            f'column "{kind}", row {row}: found {kinds[kind_codes[row]]!r}, but "marketing" or '
            f'"communication" is needed; try: plan["{kind}"] = plan["{kind}"].replace(...)'
        )
    counts = {
        name: [
            int(np.sum((codes == at) & np.isin(kind_codes, _place(kinds, word)))) for word in _KINDS
        ]
        for at, name in enumerate(names)
    }
    if segments is not None:
        wanted = texts("segments", segments)
        _known(names, wanted, "plan")
        counts = {name: counts.get(name, [0, 0]) for name in wanted}
    missing = {name: _missing(*count) for name, count in counts.items()}
    order = sorted(
        counts, key=lambda name: ("both", "communication", "marketing", "").index(missing[name])
    )
    columns: dict[str, Any] = {free_name(segment, *_KINDS, "missing"): order}
    for at, word in enumerate(_KINDS):
        columns[word] = [counts[name][at] for name in order]
    columns["missing"] = [missing[name] for name in order]
    return to_native(Frame.of(columns).core, frame.native)


def _place(kinds: Sequence[str], word: str) -> list[int]:
    return [code for code, kind in enumerate(kinds) if kind == word]


def _missing(marketing: int, communication: int) -> str:
    if marketing and communication:
        return ""
    if marketing or communication:
        return "communication" if marketing else "marketing"
    return "both"


def _known(found: Iterable[str], allowed: Sequence[str], argument: str) -> None:
    """Refuse a segment that is not among those named."""
    for name in found:
        if name not in allowed:
            listed = ", ".join(map(repr, allowed))
            raise DataError(
                f"{argument}: found the segment {name!r}, but the segments are {listed}"
            )

"""Which persona finds no content at which stage."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ilk import _core
from ilk._arguments import column_name, real
from ilk._frame import Frame, free_name
from ilk.economics._report import day_number
from ilk.exceptions import DataError
from ilk.gaps._audit import ContentCoverage
from ilk.gaps._named import scale_ends
from ilk.gaps._options import columns, word
from ilk.gaps._several import amount, is_number, names_in_order, numbers_by_name, read_several

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["content_coverage"]

_KINDS = ("inbound", "outbound")


def content_coverage(
    inventory: Any,
    *,
    persona: str = "persona",
    stage: str = "stage",
    kind: str | None = None,
    kinds: Mapping[str, str] | None = None,
    channel: str | None = None,
    quality: str | None = None,
    scale: tuple[float, float] = (0, 1),
    date: str | None = None,
    as_of: Any = None,
    half_life: float = 365,
    weights: str | None = None,
    occupancy: Any = None,
    persona_share: Mapping[str, float] | None = None,
    value: Mapping[str, float] | None = None,
    conversions: Any = None,
    personas: Sequence[str] | None = None,
    stages: Sequence[str] | None = None,
    everyone: str | None = "all",
    separator: str | None = None,
    several: Literal["full", "split"] = "full",
    thin: float = 0.5,
    least: float = 0,
    stale: float = 0.5,
    over: float = 2,
    confidence: float = 0.95,
) -> ContentCoverage:
    """Audit a content library: which persona finds how much at which stage, and what lacks.

    A cell of persona by stage needs content in the share of the customers who stand there. It is covered by the pieces that
    serve it, each by its quality times its freshness. Its gap is its share of the need less its share of the coverage.

    Parameters
    ----------
    inventory : frame
        One row per piece of content.
    persona, stage : str
        Columns with whom a piece serves and when. A value may be a list, or a text with several names between which
        ``separator`` stands, or ``everyone``.
    kind : str, optional
        Column with ``inbound`` (what customers find: search, the library) or ``outbound`` (what is sent: campaigns).
    kinds : mapping, optional
        What other names of kinds mean: ``{"blog": "inbound", "advertisement": "outbound"}``.
    channel : str, optional
        Column with the place where a piece is found.
    quality : str, optional
        Column with the quality of a piece; 1 without.
    scale : tuple of float
        Worst and best quality there could be: ``(1, 5)`` for ratings. They become 0 and 1.
    date : str, optional
        Column with the day when a piece was made or last revised. Without it all is fresh.
    as_of : date, optional
        The day of the audit; by default the newest date of the inventory, which the manifest tells.
    half_life : float
        Days after which a piece has half its freshness.
    weights : str, optional
        Column with the number of pieces that a row stands for.
    occupancy : frame or mapping, optional
        How many customers of each persona stand at each stage: a frame with the columns of ``persona`` and ``stage`` and one of
        numbers (without the numbers each row is a customer); a frame with the column of ``persona`` and a column per stage;
        ``{(persona, stage): number}``; ``{persona: {stage: number}}``; or the traffic of each stage, ``{stage: number}``,
        which is shared out by ``persona_share``. Shares will do as well as numbers. Without it each cell needs the same.
    persona_share : mapping, optional
        Share of each persona in the traffic of the stages; equal ones by default.
    value : mapping, optional
        Worth of a customer of each persona. It moves the ranks of the gaps and not the gaps.
    conversions : frame, optional
        Conversion of each cell: columns of persona and stage with ``n`` and ``converted``, or a row per customer with
        ``converted`` true or false.
    personas, stages : sequence of str, optional
        All of them, in order: others are refused then. By default ordered categories of the inventory, or else those of the
        occupancy and then those of the inventory.
    everyone : str, optional
        The word for all personas or all stages.
    separator : str, optional
        What stands between several names in one text, as ``";"``.
    several : {"full", "split"}
        Whether a piece for several cells counts in full in each (a reader is not served less because others read it too),
        or its share.
    thin, least : float
        A cell is thin where coverage share over need is below ``thin``, or its coverage below ``least``.
    stale : float
        A cell is stale where the mean freshness of its pieces is below this.
    over : float
        A cell is over-covered where coverage share over need is above this.
    confidence : float
        Of the intervals of conversion.

    Returns
    -------
    ContentCoverage
        With ``.table``, ``.gaps()``, ``.matrix()``, ``.compare()``, ``.plot()`` and ``.explain()``.

    Raises
    ------
    MissingColumnError
        If a column is not there.
    DataError
        If a kind, persona or stage is unknown, quality is out of scale, a date is after ``as_of``, a number is negative, or
        nothing is left.
    TypeError
        If a column has the wrong type, as dates that are text.

    Notes
    -----
    S4-MAT-01, S4-AUD-01. Pieces that lack a persona, stage, kind, quality or date are left out and counted. Freshness is
    ``2 ** (-age / half_life)``. The share says nothing of the level: where the whole library is poor, ``least`` does.

    Examples
    --------
    >>> from ilk.gaps import content_coverage
    >>> library = {
    ...     "persona": ["owner", "owner;buyer", "all"],
    ...     "stage": ["problem", "solution", "solution"],
    ...     "stars": [5, 3, 1],
    ... }
    >>> audit = content_coverage(library, quality="stars", scale=(1, 5), separator=";", stages=["problem", "solution"])
    >>> audit.matrix("coverage")
    {'persona': ['buyer', 'owner'], 'problem': array([0., 1.]), 'solution': array([0.5, 0.5])}
    """
    named = columns(kind=kind, channel=channel, quality=quality, date=date, weights=weights)
    column_name("persona", persona)
    column_name("stage", stage)
    ends = scale_ends("scale", scale)
    if ends is None:
        raise TypeError("scale: found None, but two numbers are needed; try: scale=(1, 5)")
    thin, least, stale, over = (
        real(name, value)
        for name, value in {"thin": thin, "least": least, "stale": stale, "over": over}.items()
    )
    half_life, confidence = real("half_life", half_life), real("confidence", confidence)
    everyone, separator = word("everyone", everyone), word("separator", separator)
    frame, labels, between = read_several(
        inventory, named, (persona, stage), separator, name="inventory"
    )
    day = day_number("as_of", as_of)
    if day is not None and date is None:
        raise DataError('as_of: found a day, but pieces have no date; try: date="date"')
    meant = _kinds(kinds, kind)
    people, form = _people(occupancy, persona, stage)
    if persona_share is not None and form != "traffic":
        raise DataError(
            "persona_share: it shares out the traffic of stages, and the occupancy has personas of its own"
        )
    if several not in ("full", "split"):
        raise DataError(f"several: found {several!r}, but one of 'full', 'split' is needed")
    settings = {
        "persona": persona,
        "stage": stage,
        "kind": kind,
        "channel": channel,
        "quality": quality,
        "scale": list(ends),
        "date": date,
        "as_of": None,
        "half_life": half_life,
        "weights": weights,
        "occupancy": form,
        "value": dict(numbers_by_name("value", value)),
        "several": several,
        "separator": separator,
        "everyone": everyone,
        "thin": thin,
        "least": least,
        "stale": stale,
        "over": over,
        "confidence": confidence,
    }
    core = _core.content_coverage(
        frame.core,
        {
            "persona": labels[0],
            "stage": labels[1],
            "kind": kind,
            "kinds": meant,
            "channel": channel,
            "quality": quality,
            "scale": ends,
            "date": date,
            "as_of": day,
            "half_life": half_life,
            "weights": weights,
            "personas": names_in_order("personas", personas),
            "stages": names_in_order("stages", stages),
            "everyone": everyone,
            "separator": between,
            "several": several,
        },
        {
            **people,
            "shares": numbers_by_name("persona_share", persona_share),
            "values": numbers_by_name("value", value),
            "conversions": None
            if conversions is None
            else Frame.of(_plain(conversions), name="conversions").core,
        },
        (thin, least, stale, over),
        confidence,
        json.dumps(settings),
    )
    return ContentCoverage(core, frame.native)


def _kinds(kinds: Mapping[str, str] | None, kind: str | None) -> list[tuple[str, str]]:
    if kinds is None:
        return []
    if kind is None:
        raise DataError('kinds: found names of kinds, but no column of them; try: kind="kind"')
    if not isinstance(kinds, Mapping):
        raise TypeError(f"kinds is a {type(kinds).__name__}, but a mapping is needed")
    for name, meant in kinds.items():
        if meant not in _KINDS:
            raise DataError(
                f"kinds: found {meant!r} for {name!r}, but 'inbound' or 'outbound' is needed"
            )
    return [(str(name), meant) for name, meant in kinds.items()]


def _people(occupancy: Any, persona: str, stage: str) -> tuple[dict[str, Any], str | None]:
    """The occupancy as the core takes it, and which form it had."""
    if occupancy is None:
        return {"occupancy": None, "traffic": None}, None
    if isinstance(occupancy, Mapping) and occupancy:
        values = list(occupancy.values())
        if all(isinstance(inner, Mapping) for inner in values):
            cells = {
                (outer, inner): number
                for outer, row in occupancy.items()
                for inner, number in row.items()
            }
            return _cells(cells, persona, stage)
        if all(isinstance(key, tuple) for key in occupancy):
            return _cells(occupancy, persona, stage)
        if all(is_number(number) for number in values):
            traffic = numbers_by_name("occupancy", occupancy)
            return {"occupancy": None, "traffic": traffic}, "traffic"
    table = Frame.of(_plain(occupancy), name="occupancy").core
    return {"occupancy": table, "traffic": None}, "table"


def _cells(cells: Mapping[Any, Any], persona: str, stage: str) -> tuple[dict[str, Any], str]:
    """Numbers by cell as a table; the order of the names is kept."""
    for key in cells:
        if not isinstance(key, tuple) or len(key) != 2:
            raise DataError(f"occupancy: found {key!r}, but pairs of persona and stage are needed")
    sides = [[str(key[side]) for key in cells] for side in (0, 1)]
    columns: list[tuple[str, Any]] = []
    for name, texts in zip((persona, stage), sides, strict=True):
        names = list(dict.fromkeys(texts))
        codes = np.array([names.index(text) for text in texts], dtype=np.int32)
        columns.append((name, (codes, names, True)))
    numbers = np.array([amount("occupancy", key, number) for key, number in cells.items()])
    columns.append((free_name("customers", persona, stage), numbers))
    return {"occupancy": _core.Table.from_columns(columns), "traffic": None}, "table"


def _plain(data: Any) -> Any:
    """A pandas object with what its index is named for as columns."""
    if type(data).__module__.partition(".")[0] != "pandas":
        return data
    if any(name is not None for name in data.index.names):
        data = (
            data.reset_index(name="customers")
            if not hasattr(data, "columns")
            else data.reset_index()
        )
    data = data.rename(columns=str) if hasattr(data, "columns") else data
    if hasattr(data, "columns"):
        data.columns.name = None
    return data

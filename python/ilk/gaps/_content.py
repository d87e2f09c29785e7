"""Which persona finds no content at which stage."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from ilk import _core
from ilk._frame import Frame, free_name, to_native
from ilk._html import format_value
from ilk._result import Explanation
from ilk.economics._report import Report, column_names, day_number, listed, with_interval
from ilk.exceptions import DataError
from ilk.gaps._several import amount, is_number, names_in_order, numbers_by_name, read_several

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

__all__ = ["ContentComparison", "ContentCoverage", "content_coverage"]

#: Statuses that are gaps, the worst first.
GAPS = ("empty", "stale", "thin", "one-sided")

_KINDS = ("inbound", "outbound")


class ContentCoverage(Report):
    """Content, need and gap of each persona at each stage; made by :func:`content_coverage`.

    ``.table`` has one row per persona and stage.

    ========================  ===============================================================================
    column                    meaning
    ========================  ===============================================================================
    persona, stage            the cell
    pieces                    pieces that serve it
    inbound, outbound         of these, pieces of each kind, with their coverage; only with ``kind``
    channels                  where they are found; only with ``channel``
    quality, freshness        their means, from 0 to 1
    coverage                  sum of quality times freshness
    coverage_share            coverage / coverage of all cells
    customers                 people in the cell
    need                      customers / customers of all cells
    gap                       need - coverage_share: positive where content lacks; adds up to 0
    worth                     value of a customer of the persona times the customers
    status                    the first that holds of ``no demand``, ``empty``, ``stale``, ``thin``, ``one-sided``,
                              ``over-covered``, ``covered``
    missing                   ``no inbound``, ``no outbound`` or both; only with ``kind``
    rank                      of the gaps by worth, 0 for cells that are none
    n, converted, conversion  customers, conversions and their share with its Wilson interval; only with
                              ``conversions``
    ========================  ===============================================================================

    Examples
    --------
    >>> from ilk.gaps import content_coverage
    >>> library = {
    ...     "persona": ["owner", "owner", "buyer"],
    ...     "stage": ["problem", "solution", "problem"],
    ...     "kind": ["inbound", "outbound", "inbound"],
    ... }
    >>> people = {"owner": {"problem": 60, "solution": 20}, "buyer": {"problem": 15, "solution": 5}}
    >>> audit = content_coverage(library, kind="kind", occupancy=people)
    >>> audit.matrix("status")["solution"]
    ['one-sided', 'empty']
    >>> audit.gaps(1)["sentence"]
    ['owner at problem: no outbound content, though 60.0 % of the customers (60) stand there; 1 piece, all inbound.']
    """

    __slots__ = ()

    _wraps = _core.ContentCoverage
    _title = "Content by persona and stage"
    _formats: ClassVar[Mapping[str, str]] = {
        "pieces": "number",
        "inbound": "number",
        "outbound": "number",
        "quality": "share",
        "freshness": "share",
        "coverage": "index",
        "coverage_share": "share",
        "customers": "count",
        "need": "share",
        "gap": "share",
        "worth": "money",
        "rank": "count",
        "conversion": "share",
    }

    @property
    def personas(self) -> list[str]:
        """The personas in order."""
        return list(dict.fromkeys(self.to_dict()["persona"]))

    @property
    def stages(self) -> list[str]:
        """The stages in order."""
        return list(dict.fromkeys(self.to_dict()["stage"]))

    def _shown(self) -> dict[str, Any]:
        hidden = {
            "coverage",
            "customers",
            "inbound_coverage",
            "outbound_coverage",
            "n",
            "converted",
        }
        table = self.to_dict()
        if self._settings["kind"] is None:
            hidden.add("missing")
        return {name: values for name, values in table.items() if name not in hidden}

    def gaps(self, top: int = 10) -> Any:
        """The gaps by worth, the largest first, with a sentence for each.

        Parameters
        ----------
        top : int
            Gaps at most.

        Returns
        -------
        frame
            ``rank``, ``persona``, ``stage``, ``status``, ``missing``, ``gap``, ``worth`` and ``sentence``. Cells of equal
            worth stand in order of their gap.
        """
        table = self.to_dict()
        rows = [
            int(row) for row in np.argsort(table["rank"], kind="stable") if table["rank"][row] > 0
        ]
        rows = rows[: max(int(top), 0)]
        columns: dict[str, Any] = {}
        for name in ("rank", "persona", "stage", "status", "missing", "gap", "worth"):
            columns[name] = _at(table[name], rows)
        columns["sentence"] = [self._sentence(table, row) for row in rows]
        return to_native(Frame.of(columns).core, self._native)

    def _sentence(self, table: Mapping[str, Any], row: int) -> str:
        """One gap in words."""
        status = table["status"][row]
        pieces = _pieces(table["pieces"][row])
        need = format_value(table["need"][row], "share")
        customers = table["customers"][row]
        counted = f" ({customers:,.0f})" if customers >= 1 and customers == int(customers) else ""
        stand = f"though {need} of the customers{counted} stand there"
        if self._settings["occupancy"] is None:
            stand = f"though it has {need} of the need"
        if status == "empty":
            told = f"no content, {stand}"
        elif status == "stale":
            fresh = format_value(table["freshness"][row], "share")
            verb = "has" if pieces.startswith("1 ") else "have"
            told = f"{pieces} {verb} {fresh} of full freshness on average, {stand}"
        elif status == "thin":
            share = format_value(table["coverage_share"][row], "share")
            verb = "is" if pieces.startswith("1 ") else "are"
            told = f"{pieces} {verb} {share} of the coverage, {stand}"
        else:
            other = "inbound" if "outbound" in table["missing"][row] else "outbound"
            told = f"{table['missing'][row]} content, {stand}; {pieces}, all {other}"
        return f"{table['persona'][row]} at {table['stage'][row]}: {told}."

    def matrix(self, what: str = "gap") -> Any:
        """One figure as a table with a row per persona and a column per stage.

        Parameters
        ----------
        what : str
            A column of ``.table``.

        Returns
        -------
        frame
            The personas in the first column, then one column per stage.

        Raises
        ------
        DataError
            If there is no such column.
        """
        table = self.to_dict()
        personas, stages = self.personas, self.stages
        allowed = [name for name in table if name not in ("persona", "stage")]
        if what not in allowed:
            raise DataError(
                f"what: found {what!r}, but one of {', '.join(map(repr, allowed))} is needed"
            )
        places = {
            cell: row for row, cell in enumerate(zip(table["persona"], table["stage"], strict=True))
        }
        columns: dict[str, Any] = {free_name("persona", *stages): personas}
        for stage in stages:
            columns[stage] = _at(table[what], [places[persona, stage] for persona in personas])
        return to_native(Frame.of(columns).core, self._native)

    def compare(self, later: ContentCoverage, *, confidence: float = 0.95) -> ContentComparison:
        """Set this audit beside a later one.

        Parameters
        ----------
        later : ContentCoverage
            The audit after the change.
        confidence : float
            Of the intervals of conversion and its difference.

        Returns
        -------
        ContentComparison
            What became of each cell, and of its conversion where both audits were given ``conversions``.

        Raises
        ------
        TypeError
            If ``later`` is no audit.
        """
        if not isinstance(later, ContentCoverage):
            raise TypeError(
                f"later is a {type(later).__name__}, but the result of content_coverage is needed"
            )
        return ContentComparison(self._core.compare(later._core, float(confidence)), self._native)

    def plot(
        self, what: Literal["gap", "coverage", "need"] = "gap", *, ax: Axes | None = None
    ) -> Axes:
        """Draw personas by stages, with the status of each cell and the kinds that it lacks.

        Parameters
        ----------
        what : {"gap", "coverage", "need"}
            What colours and numbers show: coverage share less need in points (orange where content lacks), coverage, or
            need.
        ax : matplotlib Axes, optional
            Where to draw; a new figure where none is given.

        Returns
        -------
        matplotlib Axes
            Its label (``get_label()``) describes the picture in words.

        Raises
        ------
        DataError
            If ``what`` is not an option.
        ImportError
            If matplotlib is not installed.
        """
        from ilk.plot.content import coverage_map

        return coverage_map(self, what, ax)

    def explain(self) -> Explanation:
        """Where content lacks and where there is more than needed, with the rules that say so."""
        table = self.to_dict()
        statuses = table["status"]
        counts = {
            name: statuses.count(name) for name in dict.fromkeys((*GAPS, *sorted(set(statuses))))
        }
        found = [f"{n} {name}" for name, n in counts.items() if n]
        lines = [
            f"{len(self.personas)} personas at {len(self.stages)} stages: of {len(statuses)} cells, "
            f"{listed(found)}."
        ]
        first = self._largest(3)
        if first:
            lines.append(f"First: {' '.join(first)}")
        over = [row for row, status in enumerate(statuses) if status == "over-covered"]
        if over:
            row = min(over, key=lambda row: table["gap"][row])
            lines.append(
                f"{table['persona'][row]} at {table['stage'][row]} has "
                f"{format_value(table['coverage_share'][row], 'share')} of the coverage for "
                f"{format_value(table['need'][row], 'share')} of the need."
            )
        lines.append(
            "Coverage is the sum of quality times freshness of the pieces that serve a cell; the gap is the share of the need "
            "less the share of the coverage. " + self._rules()
        )
        if "conversion" in table:
            lines.append(f"Conversion carries the {self._confidence} interval of Wilson.")
        lines += [f"{note[0].upper()}{note[1:]}." for note in self.manifest["notes"]]
        return Explanation("\n".join(lines))

    def _largest(self, top: int) -> list[str]:
        table = self.to_dict()
        rows = {int(rank): row for row, rank in enumerate(table["rank"]) if 0 < rank <= top}
        return [self._sentence(table, rows[rank]) for rank in sorted(rows)]

    def _rules(self) -> str:
        settings = self._settings
        rules = [
            f"stale below {format_value(settings['stale'], 'share')} mean freshness",
            f"thin below {settings['thin']:g} of the need",
            f"over-covered above {settings['over']:g} times the need",
        ]
        if settings["least"]:
            rules[1] += f" or {settings['least']:g} coverage"
        fresh = ""
        if settings["date"] is not None:
            fresh = f" Freshness halves every {settings['half_life']:g} days and is as of {settings['as_of']}."
        ranked = "Gaps are ranked by the customers in the cell"
        if settings["value"]:
            ranked += " times the value of the persona"
        several = (
            "A piece for several cells counts in full in each."
            if settings["several"] == "full"
            else "A piece for several cells counts its share in each."
        )
        return f"Cells are {listed(rules)}.{fresh} {ranked}. {several}"


class ContentComparison(Report):
    """Two audits of content, cell by cell; made by :meth:`ContentCoverage.compare`.

    ``.table`` has one row per persona and stage: status, pieces, coverage share and gap before and after; ``change``
    (``closed``, ``opened``, ``still a gap``, ``new`` and ``gone`` for cells of one audit alone, empty where it was no gap
    and is none); and where conversions were given to both, conversion before and after with Wilson intervals, and their
    difference with its hybrid score interval (Newcombe 1998), the p-value of the pooled z-test and the q-value over all
    cells (Benjamini and Hochberg 1995).

    Examples
    --------
    >>> from ilk.gaps import content_coverage
    >>> people = {"problem": 60, "solution": 40}
    >>> before = content_coverage({"persona": ["owner"], "stage": ["problem"]}, occupancy=people)
    >>> after = content_coverage(
    ...     {"persona": ["owner"] * 2, "stage": ["problem", "solution"]}, occupancy=people
    ... )
    >>> before.compare(after).to_dict()["change"]
    ['', 'closed']
    """

    __slots__ = ()

    _wraps = _core.ContentComparison
    _title = "Content before and after"
    _formats: ClassVar[Mapping[str, str]] = {
        "coverage_share_before": "share",
        "coverage_share_after": "share",
        "gap_before": "share",
        "gap_after": "share",
        "worth": "money",
        "conversion_before": "share",
        "conversion_after": "share",
        "difference": "share",
        "p": "p",
        "q": "p",
    }

    def _shown(self) -> dict[str, Any]:
        hidden = {"worth", "p", "coverage_share_before", "coverage_share_after"}
        return {name: values for name, values in self.to_dict().items() if name not in hidden}

    def explain(self) -> Explanation:
        """Which gaps closed and opened, and where conversion moved."""
        table = self.to_dict()
        lines = []
        for change, words in (
            ("closed", "Closed"),
            ("opened", "Opened"),
            ("still a gap", "Still a gap"),
            ("gone", "No longer there"),
        ):
            cells = [
                f"{table['persona'][row]} at {table['stage'][row]}"
                for row, other in enumerate(table["change"])
                if other == change
            ]
            if cells:
                more = f" and {len(cells) - 8} more" if len(cells) > 8 else ""
                lines.append(f"{words} ({len(cells)}): {', '.join(cells[:8])}{more}.")
        if not lines:
            lines.append("No cell was a gap before, and none is now.")
        if "difference" in table:
            q = np.asarray(table["q"])
            moved = [row for row in np.argsort(q, kind="stable") if q[row] <= 0.05]
            for row in moved[:3]:
                lines.append(
                    f"Conversion of {table['persona'][row]} at {table['stage'][row]} went from "
                    f"{format_value(table['conversion_before'][row], 'share')} to "
                    f"{format_value(table['conversion_after'][row], 'share')}, a difference of "
                    f"{with_interval(table, 'difference', row, 'share')}; q {format_value(q[row], 'p')}."
                )
            count = "no cell" if not moved else f"{len(moved)} cell{'s' * (len(moved) > 1)}"
            lines.append(
                f"Conversion differs in {count} (q at most 0.05; {self._confidence} intervals of Newcombe). What else changed "
                "between the audits is in the difference too."
            )
        else:
            lines.append("Conversion was not given to both audits and is not compared.")
        return Explanation("\n".join(lines))

    def plot(self, *, ax: Axes | None = None) -> Axes:
        """Draw what became of the gap of each cell.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure where none is given.

        Returns
        -------
        matplotlib Axes
            Its label (``get_label()``) describes the picture in words.
        """
        from ilk.plot.content import change_map

        return change_map(self, ax)


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
    named = column_names(kind=kind, channel=channel, quality=quality, date=date, weights=weights)
    column_names(persona=persona, stage=stage)
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
        "scale": list(scale),
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
            "scale": _pair("scale", scale),
            "date": date,
            "as_of": day,
            "half_life": float(half_life),
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
        (float(thin), float(least), float(stale), float(over)),
        float(confidence),
        json.dumps(settings),
    )
    return ContentCoverage(core, frame.native)


def _pair(argument: str, given: Any) -> tuple[float, float]:
    try:
        low, high = given
        return float(low), float(high)
    except (TypeError, ValueError):
        raise TypeError(f"{argument}: found {given!r}, but a pair of numbers is needed") from None


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


def _at(values: Any, rows: Sequence[int]) -> Any:
    """``values`` at ``rows``, as a list for text."""
    return (
        [values[row] for row in rows]
        if isinstance(values, list)
        else np.asarray(values)[list(rows)]
    )


def _pieces(number: float) -> str:
    return f"{format_value(number)} piece{'' if number == 1 else 's'}"

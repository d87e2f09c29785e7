"""Audits of content: what came out, and two beside each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from ilk import _core
from ilk._arguments import real, whole
from ilk._frame import Frame, to_native
from ilk._html import format_value
from ilk._result import Explanation
from ilk.economics._report import Report, listed, with_interval
from ilk.gaps._named import wide
from ilk.gaps._options import drawing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

__all__ = ["ContentComparison", "ContentCoverage", "at_rows"]

#: Statuses that are gaps, the worst first.
GAPS = ("empty", "stale", "thin", "one-sided")


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
        rows = rows[: whole("top", top)]
        columns: dict[str, Any] = {}
        for name in ("rank", "persona", "stage", "status", "missing", "gap", "worth"):
            columns[name] = at_rows(table[name], rows)
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
            One column per stage. The personas are the index of a pandas frame, and else the first column.

        Raises
        ------
        DataError
            If there is no such column.
        """
        table = self.to_dict()
        cells = {
            cell: row for row, cell in enumerate(zip(table["persona"], table["stage"], strict=True))
        }
        rows = [cells[persona, stage] for persona in self.personas for stage in self.stages]
        ordered = {name: at_rows(values, rows) for name, values in table.items()}
        return wide(ordered, what, ("persona", "stage"), self._native)

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
        found = self._core.compare(later._core, real("confidence", confidence))
        return ContentComparison(found, self._native)

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

        return coverage_map(self, what, drawing(ax))

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

        return change_map(self, drawing(ax))


def at_rows(values: Any, rows: Sequence[int]) -> Any:
    """``values`` at ``rows``, as a list for text."""
    return (
        [values[row] for row in rows]
        if isinstance(values, list)
        else np.asarray(values)[list(rows)]
    )


def _pieces(number: float) -> str:
    return f"{format_value(number)} piece{'' if number == 1 else 's'}"

"""Whether segments still are what they were."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ilk import _core
from ilk._arguments import column_name, real
from ilk._frame import Frame, to_dict, to_native
from ilk._html import format_value
from ilk._labels import labels_beside, no_customers
from ilk._result import Explanation, Result
from ilk.exceptions import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

    from ilk.segments._segmentation import Segmentation

__all__ = ["SegmentDrift", "drift"]


class SegmentDrift(Result):
    """Segments before and after; made by :meth:`Segmentation.drift`.

    ``.table`` has one row per segment: customers and share before and after, the change with its interval, p and p adjusted
    for all segments (``q``), and its part of the population stability index (``psi``).

    Examples
    --------
    >>> from ilk.segments import from_rules
    >>> before = from_rules({"age": [20, 30, 60, 70]}, {"young": {"age": (0, 40)}}, default="old")
    >>> found = before.drift({"age": [61, 62, 63, 25]})
    >>> found.to_dict()["share_after"].tolist()
    [0.25, 0.75]
    >>> found.verdict
    'within sampling noise'
    """

    __slots__ = ()

    _wraps = _core.SegmentDrift
    _title = "Segments before and after"
    _formats: ClassVar[Mapping[str, str]] = {
        "n_before": "count",
        "n_after": "count",
        "share_before": "share",
        "share_after": "share",
        "change": "share",
        "p": "p",
        "q": "p",
        "psi": "index",
    }

    @property
    def psi(self) -> float:
        """The population stability index of the shares: 0 where nothing changed."""
        return float(self._sheet("stability")["psi"][0])

    @property
    def verdict(self) -> str:
        """What the index says.

        ``"within sampling noise"`` where it is below what chance alone would give; else ``"stable"`` below 0.1, ``"moderate
        shift"`` below 0.25, ``"large shift"`` from there on; ``"one group"`` where there is but one segment.
        """
        return str(self._sheet("stability")["verdict"][0])

    @property
    def stability(self) -> Any:
        """The index, what chance alone gives on average and at most, and p, as one row."""
        return to_native(self._core.sheet("stability"), self._native)

    @property
    def migration(self) -> Any:
        """One row per pair of segments that customers moved between; empty without ``id``.

        ``share`` is that of the customers who were in ``from``. Customers who were not there before, or are gone, have rows
        of their own.
        """
        return to_native(self._core.sheet("migration"), self._native)

    @property
    def columns(self) -> Any:
        """One row per column that both frames have: its index, over tenths of the customers before or categories."""
        return to_native(self._core.sheet("columns"), self._native)

    @property
    def unseen(self) -> Any:
        """One row per column with categories that were not met when the segments were made, and the customers who have them."""
        return to_native(self._core.sheet("unseen"), self._native)

    def explain(self) -> Explanation:
        """The verdict, the segments that changed, who moved, and the columns behind it."""
        stability, table = self._sheet("stability"), self.to_dict()
        index = stability["psi"][0]
        lines = [
            f"Shares of the segments: {self.verdict}."
            + (
                ""
                if np.isnan(index)
                else f" The population stability index is {index:.3f}; chance alone gives up to {stability['noise_limit'][0]:.3f}."
            )
        ]
        for row in np.argsort(-np.abs(table["change"]), kind="stable"):
            if table["q"][row] <= 0.05:
                share = [
                    format_value(table[f"share_{when}"][row], "share")
                    for when in ("before", "after")
                ]
                lines.append(f"{table['segment'][row]}: {share[0]} before, {share[1]} after.")
        migration = self._sheet("migration")
        if len(migration["n"]):
            known = [
                row
                for row in range(len(migration["n"]))
                if migration["from"][row] in table["segment"]
                and migration["to"][row] in table["segment"]
            ]
            both = sum(migration["n"][row] for row in known)
            stay = sum(
                migration["n"][row]
                for row in known
                if migration["from"][row] == migration["to"][row]
            )
            if both:
                lines.append(
                    f"Of {both:,} customers who are in both, {stay / both:.0%} stayed in their segment."
                )
            moved = sorted(
                (row for row in known if migration["from"][row] != migration["to"][row]),
                key=lambda row: -migration["n"][row],
            )[:3]
            lines += [
                f"{migration['n'][row]:,} moved from {migration['from'][row]} to {migration['to'][row]}."
                for row in moved
            ]
        columns = self._sheet("columns")
        behind = [
            f"{columns['column'][row]} ({columns['verdict'][row]}, {columns['psi'][row]:.2f})"
            for row in np.argsort(-np.nan_to_num(columns["psi"]), kind="stable")
            if columns["verdict"][row] in ("moderate shift", "large shift")
        ]
        if behind:
            lines.append(f"Columns that moved: {', '.join(behind[:8])}.")
        unseen = self._sheet("unseen")
        lines += [
            f"{column}: {rows:,} customers have a category that was not met before."
            for column, rows in zip(unseen["column"], unseen["rows"], strict=True)
        ]
        lines.append(
            "Bands of the index: below 0.1 stable, to 0.25 a moderate shift, above a large one (Siddiqi 2006, Credit Risk "
            "Scorecards); within sampling noise where it is not above what unchanged shares give (Yurdakul and Naranjo 2020)."
        )
        return Explanation("\n".join(lines))

    def plot(self, kind: str = "shares", *, ax: Axes | None = None) -> Axes:
        """Draw the drift.

        Parameters
        ----------
        kind : {"shares", "migration"}
            The share of each segment before and after with the interval of the change, or who went where.
        ax : matplotlib Axes, optional
            Where to draw; a new figure where none is given.

        Returns
        -------
        matplotlib Axes
            Its label (``get_label()``) describes the picture in words.
        """
        from ilk.plot import segment_grid as plots

        drawn: Axes = plots.drift(self, kind, ax=ax)
        return drawn

    def _sheet(self, name: str) -> dict[str, Any]:
        return to_dict(self._core.sheet(name))


def drift(
    segmentation: Segmentation,
    new: Any,
    *,
    df: Any = None,
    id: str | None = None,
    labels: Any = None,
    confidence: float = 0.95,
) -> SegmentDrift:
    """See :meth:`Segmentation.drift`."""
    confidence = real("confidence", confidence)
    before = segmentation.frame if df is None else segmentation._customers(df)
    frame = Frame.of(new, name="new")
    if len(frame) == 0:
        raise DataError("new: found no rows, but at least one customer is needed to compare with")
    if id is not None:
        if before is None:
            raise no_customers(", and id needs them")
        _check_ids(column_name("id", id), before, frame)
    codes = None
    if labels is not None:
        taken = labels_beside(labels, frame, name="new")
        unknown = [name for name in taken.names if name not in segmentation.names]
        if unknown:
            raise DataError(
                f"labels: found {unknown[0]!r}, but the segments are {', '.join(map(repr, segmentation.names))}"
            )
        places = np.array([*(segmentation.names.index(name) for name in taken.names), -1])
        codes = np.ascontiguousarray(places[taken.codes], dtype=np.int64)
    settings = {
        "id": id,
        "confidence": confidence,
        "labels": "given" if labels is not None else None,
    }
    try:
        core = segmentation._core.drift(
            None if before is None else before.core,
            frame.core,
            codes,
            id,
            confidence,
            json.dumps(settings),
        )
    except DataError as error:
        if id is None or before is None:
            raise
        raise _mended(error, id, before) from None
    return SegmentDrift(core, frame.native)


#: How identifiers of new customers are made what they were before, by the kind of column that they were.
_MENDS = {"nominal": "str", "ordinal": "str", "number": "int", "date": "datetime64[us]"}


def _check_ids(id: str, before: Frame, new: Frame) -> None:
    """Refuse missing identifiers: nothing says whether two of them are one customer."""
    for name, frame in (("df", before), ("new", new)):
        kind = frame.core.kind(id)
        if kind == "number":
            missing = np.isnan(frame.core.numeric(id))
        elif kind == "date":
            missing = np.isnan(frame.core.days(id))
        else:
            missing = frame.core.codes(id)[0] < 0
        if missing.any():
            mend = ".drift(new)" if name == "df" else f"new = new[new[{id!r}].notna()]"
            raise DataError(
                f"id: found {name}[{id!r}] missing in row {int(missing.argmax())}, but each customer needs an identifier; "
                f"try: {mend}"
            )


def _mended(error: DataError, id: str, before: Frame) -> DataError:
    """The error with the frames of a drift, where the core speaks of orders."""
    told, orders, _ = str(error).partition("; try: orders[")
    if not orders:
        return error
    kind = _MENDS.get(before.core.kind(id))
    mend = f"; try: new[{id!r}] = new[{id!r}].astype({kind!r})" if kind else ""
    return DataError(f"new, {told.replace(' holds ', ' of df holds ')}{mend}")

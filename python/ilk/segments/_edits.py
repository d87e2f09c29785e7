"""Segments edited by hand, with a record of what was done to whom and why."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np

from ilk._arguments import names as names_of
from ilk._arguments import real
from ilk._frame import Frame
from ilk._labels import no_customers, order_of
from ilk._random import new_seed
from ilk._result import Result
from ilk.exceptions import DataError
from ilk.segments._where import conditions_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from ilk._frame import Native
    from ilk.segments._where import Where

__all__ = ["Editable", "in_words"]


class Editable(Result):
    """Named segments of remembered customers; each edit gives another such result, which remembers the edit."""

    __slots__ = ("_frame", "_index")

    _frame: Frame | None
    _index: Any

    def __init__(
        self,
        core: Any,
        native: Native | None = None,
        *,
        frame: Frame | None = None,
        index: Any = None,
    ) -> None:
        super().__init__(core, native)
        object.__setattr__(self, "_frame", frame)
        object.__setattr__(self, "_index", index)

    @property
    def frame(self) -> Frame | None:
        """The customers that were segmented; nothing where the segmentation comes from a file or a pickle, which have none."""
        return self._frame

    @property
    def k(self) -> int:
        """Number of segments."""
        return len(self.names)

    @property
    def names(self) -> list[str]:
        """Names of the segments, the largest first."""
        names: list[str] = self._core.names()
        return names

    @property
    def features(self) -> list[str]:
        """Columns of the profile."""
        features: list[str] = self._core.features()
        return features

    def rename(self, names: Mapping[str, str] | Sequence[str], *, reason: str = "") -> Self:
        """The same segments under other names.

        Parameters
        ----------
        names : mapping or sequence of str
            Old names to new ones, or one name for each segment in order.
        reason : str
            Why, for the :attr:`history`.
        """
        if hasattr(names, "items"):
            given = dict(names.items())  # of a mapping or a pandas Series
            for old in given:
                self._number("names", old)
            names = [given.get(old, old) for old in self.names]
        new = names_of("names", names, "a mapping or one name per segment is needed")
        return self._with(self._core.rename(new, _reason(reason)))

    def limit(
        self,
        n: int = 7,
        by: Literal["ward", "value", "share"] = "ward",
        *,
        value: str | Mapping[str, float] | None = None,
        df: Any = None,
        reason: str = "",
    ) -> Self:
        """At most ``n`` segments. Six or seven is what people can keep apart.

        Parameters
        ----------
        n : int
            Most segments that are left.
        by : {"ward", "value", "share"}
            ``"ward"`` puts the two nearest together until so many are left: near by the loss of separation [1]_. New
            customers go where they went, and so into the segment that it became part of. ``"value"`` and ``"share"`` keep
            the segments with the most value or customers; the customers of the others are in no segment.
        value : str or mapping, optional
            Column of money of the customers, or the money of each segment. The record says what share of it was put
            together or dropped.
        df : frame, optional
            The customers that were segmented; by default those remembered.
        reason : str
            Why, for the :attr:`history`.

        References
        ----------
        .. [1] Ward (1963), Hierarchical grouping to optimize an objective function, Journal of the American Statistical
           Association 58.
        """
        if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1:
            raise DataError(f"n: found {n!r}, but a whole number from 1 up is needed")
        if by not in ("ward", "value", "share"):
            raise DataError(f'by: found {by!r}, but one of "ward", "value", "share" is needed')
        values = self._values(value, df)
        if by == "value" and values is None:
            raise DataError(
                'value: found none, but by="value" needs the money of each segment; '
                'try: .limit(7, by="value", value="revenue")'
            )
        dropping = by != "ward" and n < self.k
        table = self._customers(df).core if dropping else None
        return self._with(self._core.limit(int(n), by, values, table, _reason(reason)))

    def merge(self, *groups: Sequence[str], name: str | None = None, reason: str = "") -> Self:
        """Segments put together by hand: each group of names becomes one segment, the others stay.

        Parameters
        ----------
        *groups : sequence of str
            Names of segments.
        name : str, optional
            Name of the new segment, where there is one group; by default the names with a plus between them.
        reason : str
            Why, for the :attr:`history`.
        """
        if name is not None and len(groups) != 1:
            raise DataError(f"name: found {name!r}, but there are {len(groups)} groups")
        if name is not None and not isinstance(name, str):
            raise TypeError(f"name: found {name!r}, but a name is text")
        lists = []
        taken: set[int] = set()
        for group in groups:
            if isinstance(group, str) or not isinstance(group, Iterable):
                raise TypeError(
                    f"merge: found {group!r}, but each group is a list of names; "
                    f"try: .merge([{self.names[0]!r}, {self.names[-1]!r}])"
                )
            numbers = [self._number("merge", segment) for segment in group]
            for number in numbers:
                if number in taken:
                    raise DataError(
                        f"merge: found {self.names[number]!r} twice, but a segment is put together with others once"
                    )
                taken.add(number)
            lists.append(numbers)
        names = [name] * len(lists)
        rest = [[number] for number in range(self.k) if number not in taken]
        names += [None] * len(rest)
        return self._with(self._core.merge(lists + rest, names, _reason(reason)))

    def split(
        self,
        name: str,
        by: str | int | Where,
        *,
        names: Sequence[str] | None = None,
        features: Sequence[str] | None = None,
        df: Any = None,
        random_state: int | None = None,
        reason: str = "",
    ) -> Self:
        """A segment taken apart by hand; its parts take its place in the order.

        Parameters
        ----------
        name : str
            The segment.
        by : mapping, str or int
            Conditions as :func:`ilk.segments.from_rules` takes them, which part those who meet them from the rest; a column
            of categories, of which each becomes a part; or a number of parts, which are found as :func:`ilk.segment` finds
            segments.
        names : sequence of str, optional
            Names of the parts.
        features : sequence of str, optional
            Columns that parts are found by; by default those of the profile.
        df : frame, optional
            The customers that were segmented; by default those remembered.
        random_state : int, optional
            Seed where parts are found.
        reason : str
            Why, for the :attr:`history`.

        Raises
        ------
        DataError
            If a part would have no customer.
        """
        number = self._number("split", name)
        table = self._customers(df).core
        new = None if names is None else names_of("names", names, "one name per part is needed")
        if isinstance(by, (int, np.integer)):
            if isinstance(by, bool) or by < 2:
                raise DataError(f"by: found {by!r}, but a segment is split into 2 parts or more")
            wanted = self.features if features is None else names_of("features", features)
            choices = {
                "features": wanted or None,
                "exclude": [],
                "method": "auto",
                "k": int(by),
                "k_max": 9,
                "weights": self.manifest["settings"].get("weights"),
                "scale": "auto",
                "missing": "ignore",
                "n_init": 10,
                "seed": new_seed(random_state),
            }
            core = self._core.split_clusters(table, number, choices, new, _reason(reason), None)
        elif isinstance(by, str):
            core = self._core.split(table, number, None, by, new, _reason(reason))
        else:
            where = conditions_json(by, "by")
            core = self._core.split(table, number, where, None, new, _reason(reason))
        return self._with(core)

    def reassign(self, who: Where | Any, *, to: str, reason: str = "", df: Any = None) -> Self:
        """Customers moved to another segment by hand.

        Parameters
        ----------
        who : mapping or array of shape (n_customers,)
            Conditions as :func:`ilk.segments.from_rules` takes them: new customers who meet them go to this segment, too.
            Or true for each customer to move, or their positions: new customers go where they went before. A Series of
            marks pairs with the customers as labels do in :func:`ilk.profile.profile`.
        to : str
            The segment they go to.
        reason : str
            Why, for the :attr:`history`.
        df : frame, optional
            The customers that were segmented; by default those remembered.

        Raises
        ------
        DataError
            If nobody moves, or a segment would be left empty.
        """
        number = self._number("to", to)
        frame = self._customers(df)
        table = frame.core
        if hasattr(who, "items") and not hasattr(who, "to_numpy"):
            where = conditions_json(who, "who")
            return self._with(self._core.reassign(table, None, where, number, _reason(reason)))
        rows = _rows(who, frame)
        return self._with(self._core.reassign(table, rows, None, number, _reason(reason)))

    def _number(self, argument: str, name: str) -> int:
        """Number of a segment."""
        if name not in self.names:
            raise DataError(
                f"{argument}: found {name!r}, but the segments are {', '.join(map(repr, self.names))}"
            )
        return self.names.index(name)

    def _customers(self, df: Any) -> Frame:
        """The customers that were segmented."""
        if df is not None:
            frame = Frame.of(df)
            order = order_of(frame.index, self._index)
            return frame if order is None else Frame.of(df.iloc[order])
        if self._frame is None:
            raise no_customers()
        return self._frame

    def _values(self, value: str | Mapping[str, float] | None, df: Any) -> list[float] | None:
        """The value of each segment."""
        if value is None:
            return None
        if isinstance(value, str):
            totals: list[float] = self._core.totals(self._customers(df).core, value)
            return totals
        if not hasattr(value, "items"):
            raise TypeError(
                f"value is a {type(value).__name__}, but a column or a number for each segment is needed"
            )
        given = dict(value.items())
        for name in given:
            self._number("value", name)
        absent = [name for name in self.names if name not in given]
        if absent:
            raise DataError(f"value: found none for {absent[0]!r}, but each segment needs a number")
        return [real(f"value[{name!r}]", given[name]) for name in self.names]

    def _with(self, core: Any) -> Self:
        return type(self)(core, self._native, frame=self._frame, index=self._index)


def _reason(reason: str) -> str:
    if not isinstance(reason, str):
        raise TypeError(f"reason: found {reason!r}, but a text is needed")
    return reason


def _rows(who: Any, frame: Frame) -> list[bool]:
    """Whether each customer is meant, from marks or positions."""
    n = len(frame)
    needed = (
        'conditions, a mark for each customer or positions are needed; try: who={"channel": "web"}'
    )
    if isinstance(who, str) or not hasattr(who, "__len__"):
        told = f"a {type(who).__name__}" if callable(who) else repr(who)
        raise TypeError(f"who: found {told}, but {needed}")
    found = np.asarray(who.to_numpy() if hasattr(who, "to_numpy") else who)
    if found.size == 0:
        raise DataError("who: found no customer, but at least one is to be moved")
    if found.dtype.kind == "O" and found.ndim == 1:
        found = _marks(who, found)
    if found.ndim != 1:
        raise DataError(f"who: found {found.ndim} dimensions, but one mark per customer is needed")
    if found.dtype.kind == "b":
        if len(found) != n:
            raise DataError(f"who: found {len(found):,} marks, but there are {n:,} customers")
        order = order_of(who.index, frame.index) if hasattr(who, "iloc") else None
        marks: list[bool] = (found if order is None else found[order]).tolist()
        return marks
    if found.dtype.kind not in "iu":
        raise TypeError(f"who: found {found.tolist()[0]!r}, but {needed}")
    outside = (found < 0) | (found >= n)
    if outside.any():
        raise DataError(
            f"who: found position {found[outside][0]}, but there are {n:,} customers, counted from 0"
        )
    chosen = np.zeros(n, dtype=bool)
    chosen[found] = True
    return [bool(mark) for mark in chosen]


def _marks(who: Any, values: NDArray[Any]) -> NDArray[Any]:
    """Marks that came as objects, as they do where some are missing or were."""
    known = [isinstance(value, (bool, np.bool_)) for value in values]
    if all(known):
        return values.astype(bool)
    if any(known):
        row = known.index(False)
        fill = "fill_null" if hasattr(who, "fill_null") else "fillna"
        raise DataError(
            f"who, row {row}: found {values[row]!r}, but each mark is true or false; try: who=mask.{fill}(False)"
        )
    return values


def in_words(history: Mapping[str, Any]) -> list[str]:
    """The edits in words."""
    lines = []
    for row, action in enumerate(history["action"]):
        line = f"Edit {row + 1}, {action}: {history['segments'][row]}"
        if history["into"][row]:
            line += f" → {history['into'][row]}"
        line += f" ({history['customers'][row]:,} customers, {history['share'][row]:.0%}"
        if not np.isnan(history["value_share"][row]):
            line += f", {history['value_share'][row]:.0%} of the value"
        line += ")"
        line += f"; {history['how'][row]}" if history["how"][row] else ""
        line += f"; because {history['reason'][row]}" if history["reason"][row] else ""
        lines.append(f"{line}; {history['evidence'][row]}.")
    return lines

"""Customers in segments, however they came about."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np

from ilk import _core
from ilk._arguments import names as names_of
from ilk._arguments import real
from ilk._frame import Frame, to_dict, to_native
from ilk._labels import no_customers, order_of
from ilk._random import new_seed
from ilk._result import Explanation, Result
from ilk.exceptions import DataError, DataWarning
from ilk.profile import SegmentProfile
from ilk.segments._where import conditions_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from ilk._frame import Native
    from ilk.profile import (
        Distinction,
        SegmentDescription,
        SegmentHomogeneity,
        SegmentRules,
        TypingTool,
    )
    from ilk.segments._drift import SegmentDrift
    from ilk.segments._where import Where

__all__ = ["Segmentation"]

_ORIGINS = {
    "rules": "Rules decide, the first that holds",
    "scores": "The highest of several scores decides",
    "nested": "Each value of a column has segments of its own",
    "given": "The segments were given",
}


class Segmentation(Result):
    """Customers in segments, wherever they come from.

    Made by :func:`segment` (found), :func:`ilk.segments.from_rules` and its kin (stated), :func:`ilk.segments.from_labels`
    (given) and :func:`ilk.segments.nested` (found inside each macro segment); ``.origin`` tells which.

    ``.table`` has one row per segment: its name, what is said of it where something is (``text``), its customers and their
    share. Edits give another segmentation, which remembers them in ``.history``. The customers themselves are remembered as
    long as it lives in memory; a file or a pickle has only their segments, a pickle with the pandas index.

    Examples
    --------
    >>> import ilk
    >>> market = ilk.datasets.make_market(600, random_state=1)
    >>> features = ["age", "household", "visits_per_month", "basket_value", "discount_share"]
    >>> segmentation = ilk.segment(market.customers, features, k=3, random_state=0)
    >>> segmentation.rename({"segment 1": "the many"}).names[0]
    'the many'
    >>> segmentation.limit(2).k
    2
    """

    __slots__ = ("_frame", "_index")

    _wraps = _core.Segmentation
    _title = "Segments"
    _formats: ClassVar[Mapping[str, str]] = {"n": "count", "share": "share"}

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

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self), self._core.to_json(), self._native, self._index)

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
    def sizes(self) -> dict[str, int]:
        """Customers of each segment."""
        return dict(zip(self.names, self.to_dict()["n"].tolist(), strict=True))

    @property
    def codes(self) -> NDArray[np.int64]:
        """Number of each customer's segment, shape (n_customers,); -1 for those left out."""
        codes: NDArray[np.int64] = self._core.labels()
        return codes

    @property
    def labels(self) -> Any:
        """Name of each customer's segment: a categorical Series in pandas and polars, else an array of text."""
        return self._labelled(self.codes, self._index)

    @property
    def origin(self) -> str:
        """Where the segments come from: ``"clustering"``, ``"rules"``, ``"scores"``, ``"nested"`` or ``"given"``."""
        origin: str = self._core.origin()
        return origin

    @property
    def features(self) -> list[str]:
        """Columns of the profile."""
        features: list[str] = self._core.features()
        return features

    @property
    def texts(self) -> dict[str, str]:
        """What is said of each segment, such as the behaviour expected of it; empty where nothing is."""
        return dict(zip(self.names, self._core.texts(), strict=True))

    @property
    def rule_table(self) -> Any:
        """One row per rule that the segments are made by: its segment, the rule in words, the customers that it decided.

        In the order in which they are tried, as the segments were made; later edits are in :attr:`history`.

        Raises
        ------
        DataError
            If the segments do not come from rules.
        """
        if "rules" not in self._core.checks():
            raise DataError(
                f"rule_table: found segments whose origin is {self.origin!r}, but only rules can be listed; "
                "rules that retell other segments are in .rules()"
            )
        return self.check("rules")

    @property
    def checks(self) -> list[str]:
        """Names of the tables of what was checked when the segments were made; :meth:`check` gives them."""
        checks: list[str] = self._core.checks()
        return checks

    def check(self, name: str) -> Any:
        """One of the tables of what was checked when the segments were made, such as the rules.

        Parameters
        ----------
        name : str
            One of :attr:`checks`.
        """
        if name not in self.checks:
            raise DataError(
                f"name: found {name!r}, but the tables are {', '.join(map(repr, self.checks)) or 'none'}"
            )
        return to_native(self._core.check(name), self._native)

    @property
    def history(self) -> Any:
        """One row per edit: what was done, to which segments, to how many customers, how they were told apart, and why.

        ``evidence`` is ``"assumed"`` for what a person decided and ``"inferred"`` for what followed from a criterion.
        ``value_share`` is the share of the value that :meth:`limit` was given.
        """
        return to_native(self._core.history(), self._native)

    @property
    def evidence(self) -> Any:
        """One row for each number of segments tried; empty where the number was given.

        Raises
        ------
        DataError
            If the segments do not come from a clustering.
        """
        return to_native(self._core.evidence(), self._native)

    @property
    def drivers(self) -> Any:
        """The features with their share of what separates the segments.

        Raises
        ------
        DataError
            If the segments do not come from a clustering.
        """
        return to_native(self._core.drivers(), self._native)

    @property
    def reason(self) -> str:
        """Why there are so many segments."""
        if self.origin == "clustering":
            reason: str = self._core.choice()[2]
            return reason
        return {
            "rules": "the rules name so many",
            "scores": "there are so many scores",
            "nested": "each value has segments of its own",
            "given": "so many were given",
        }[self.origin]

    @property
    def method(self) -> str:
        """The clustering method in use; of other segments where they come from."""
        return str(json.loads(self._core.method())) if self.origin == "clustering" else self.origin

    @property
    def preparation(self) -> list[dict[str, Any]]:
        """How each feature was read: role, logarithm, centre and spread, or its categories.

        Raises
        ------
        DataError
            If the segments do not come from a clustering.
        """
        features: list[dict[str, Any]] = json.loads(self._core.preparation())["features"]
        return features

    @property
    def scores(self) -> Any:
        """Each customer's scores, one column per score, where the highest decides.

        Raises
        ------
        DataError
            If the segments do not come from scores.
        """
        found = self._core.scores(self._customers(None).core)
        table = Frame.of(dict(found)).core
        frame = to_native(table, self._native)
        if self._native == "pandas" and self._index is not None:
            frame.index = self._index
        return frame

    @property
    def parts(self) -> dict[str, Segmentation]:
        """The segmentation inside each value of the column of a nested one; empty for others."""
        found = self._core.parts()
        return {} if found is None else {v: Segmentation(c, self._native) for v, c in found[1]}

    def profile(
        self, df: Any = None, features: Sequence[str] | None = None, **options: Any
    ) -> SegmentProfile:
        """What makes each segment different: every trait beside its overall value.

        Without arguments the features that were segmented, from sums that are kept; otherwise any columns of ``df``, see
        :func:`ilk.profile.profile`.
        """
        if df is None and features is None and not options:
            return SegmentProfile(self._core.profile(), self._native)
        from ilk.profile import profile

        return profile(self, df, features, **options)

    def describe(
        self, descriptors: Sequence[str] | None = None, df: Any = None, **options: Any
    ) -> SegmentDescription:
        """Which descriptors differ between the segments, see :func:`ilk.profile.describe`."""
        from ilk.profile import describe

        return describe(self, descriptors, df, **options)

    def homogeneity(
        self, blocks: Mapping[str, Sequence[str]], df: Any = None, **options: Any
    ) -> SegmentHomogeneity:
        """How alike the customers of each segment are, see :func:`ilk.profile.homogeneity`."""
        from ilk.profile import homogeneity

        return homogeneity(self, blocks, df, **options)

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

    def predict(self, df: Any) -> Any:
        """Segments of new customers, as :attr:`labels` gives them.

        Columns are read as they were when the segments were made, and edits apply in their order. A category not met then
        differs from every segment of a clustering alike, and is warned of; a customer without a value in any feature, who
        meets no rule or whose macro segment is not known has no segment.

        Raises
        ------
        DataError
            If the segments were given as labels, so that nothing says where a new customer belongs.
        """
        if self.origin == "given":
            self._core.predict(Frame.of({}).core)
        frame = Frame.of(df, columns=self._core.reads())
        codes, unknown = self._core.predict(frame.core)
        for column, n_rows in unknown:
            warnings.warn(
                f"column {column!r}: {n_rows} rows hold a category that was not met when the segments were found",
                DataWarning,
                stacklevel=2,
            )
        index = getattr(df, "index", None) if frame.native == "pandas" else None
        return self._labelled(codes, index, frame.native)

    def distinguish(self, df: Any = None, **options: Any) -> Distinction:
        """The smallest set of traits that tells each segment apart; see :func:`ilk.profile.distinguish`."""
        from ilk.profile import distinguish

        return distinguish(self, df, **options)

    def rules(self, df: Any = None, **options: Any) -> SegmentRules:
        """The segments retold as rules of a small tree, with their fidelity; see :func:`ilk.profile.rules`."""
        from ilk.profile import rules

        return rules(self, df, **options)

    def typing_tool(self, df: Any = None, **options: Any) -> TypingTool:
        """The fewest questions that place new customers; see :func:`ilk.profile.typing_tool`."""
        from ilk.profile import typing_tool

        return typing_tool(self, df, **options)

    def drift(
        self,
        new: Any,
        *,
        df: Any = None,
        id: str | None = None,
        labels: Any = None,
        confidence: float = 0.95,
    ) -> SegmentDrift:
        """Whether the segments still are what they were: new customers, or the same ones later.

        Parameters
        ----------
        new : frame
            The customers now.
        df : frame, optional
            The customers that were segmented; by default those remembered.
        id : str, optional
            Column that identifies customers in both frames: then ``.migration`` says who went where.
        labels : str, Segmentation or array, optional
            The segments of the new customers by name, or a column of ``new``; by default they are predicted.
        confidence : float
            Of the intervals, and of the noise limit of the index.

        Returns
        -------
        SegmentDrift
            Shares before and after, the population stability index with its verdict, the columns behind it, migration, and
            categories that were not met before.
        """
        from ilk.segments._drift import drift

        return drift(self, new, df=df, id=id, labels=labels, confidence=confidence)

    def explain(self) -> Explanation:
        """How many segments there are, why, what marks each, and what was edited by hand."""
        lines = [f"{self.manifest['rows_used']:,} customers fall into {self.k} segments."]
        if self.origin == "clustering":
            lines.append(f"Why {self.k}: {self.reason}." if self.k > 1 else "")
            drivers = self._core.drivers()
            features, shares = drivers.column("feature"), drivers.column("share")
            leading = sorted(zip(shares, features, strict=True), key=lambda pair: -pair[0])[:3]
            told = ", ".join(f"{feature} ({share:.0%})" for share, feature in leading)
            lines.append(f"What separates them most: {told}.")
        else:
            lines.append(f"{_ORIGINS[self.origin]}.")
        if "rules" in self.checks:
            rules = to_dict(self._core.check("rules"))
            listed = zip(rules["segment"], rules["rule"], rules["n"], strict=True)
            lines += [
                f"Rule: {rule} → {name} ({n:,} customers)." for name, rule, n in listed if name
            ]
        markers = self.profile().markers(top=4)
        texts = self.texts
        for name, n, share in zip(
            self.names, self.sizes.values(), self.to_dict()["share"], strict=True
        ):
            said = f" {texts[name].rstrip('.')}." if texts[name] else ""
            told = "; ".join(markers.get(name, [])) or "no trait far from the average"
            lines.append(f"{name} ({n:,} customers, {share:.0%}):{said} {told}.")
        lines += _edits(to_dict(self._core.history()))
        lines.extend(f"Note: {note}." for note in self.manifest["notes"])
        if self.features:
            lines.append(
                "A trait is named where it differs significantly (5 % level, adjusted for all traits) and by at least half a "
                "standard deviation, a quarter of its range or half of the overall mean."
            )
        return Explanation("\n".join(line for line in lines if line))

    def plot(self, kind: str = "profile", *, ax: Any = None, **options: Any) -> Any:
        """Draw the segments; returns matplotlib Axes.

        Parameters
        ----------
        kind : {"profile", "evidence", "sizes", "grid"}
            Traits by segment with values in the cells; the evidence for each number of segments; the sizes; the quadrants
            of :func:`ilk.segments.grid_segment`.
        """
        from ilk.plot import segments as plots

        return plots.plot(self, kind, ax=ax, **options)

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

    def _labelled(self, codes: NDArray[np.int64], index: Any, native: str | None = None) -> Any:
        native = native or self._native
        if native == "pandas":
            import pandas as pd

            values = pd.Categorical.from_codes(codes, categories=pd.Index(self.names, dtype="str"))
            return pd.Series(values, index=index, name="segment")
        if native == "polars":
            import polars as pl

            names = pl.Series("segment", [*self.names, None], dtype=pl.Enum(self.names))
            return names.gather(np.where(codes < 0, self.k, codes))
        # The last one stands for -1, no segment.
        return np.array([*self.names, None], dtype=object)[codes]


def _reason(reason: str) -> str:
    if not isinstance(reason, str):
        raise TypeError(f"reason: found {reason!r}, but a text is needed")
    return reason


def _restored(cls: type[Segmentation], text: str, native: Native, index: Any) -> Segmentation:
    return cls(_core.Segmentation.from_json(text), native, index=index)


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


def _edits(history: Mapping[str, Any]) -> list[str]:
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

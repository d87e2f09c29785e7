"""Customers in segments, however they came about."""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ilk import _core
from ilk._frame import Frame, to_dict, to_native
from ilk._result import Explanation
from ilk.exceptions import DataError, DataWarning
from ilk.profile import SegmentProfile
from ilk.segments._edits import Editable, in_words

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

__all__ = ["Segmentation"]

_ORIGINS = {
    "rules": "Rules decide, the first that holds",
    "scores": "The highest of several scores decides",
    "nested": "Each value of a column has segments of its own",
    "given": "The segments were given",
}


class Segmentation(Editable):
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

    __slots__ = ()

    _wraps = _core.Segmentation
    _title = "Segments"
    _formats: ClassVar[Mapping[str, str]] = {"n": "count", "share": "share"}

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self), self._core.to_json(), self._native, self._index)

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
        lines += in_words(to_dict(self._core.history()))
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


def _restored(cls: type[Segmentation], text: str, native: Native, index: Any) -> Segmentation:
    return cls(_core.Segmentation.from_json(text), native, index=index)

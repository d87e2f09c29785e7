"""Customers in segments, however they came about."""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

import numpy as np

from ilk import _core
from ilk._frame import Frame, to_native
from ilk._result import Explanation, Result
from ilk.exceptions import DataError, DataWarning
from ilk.profile import SegmentProfile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from ilk._frame import Native

__all__ = ["Segmentation"]


class Segmentation(Result):
    """Customers in segments; made by :func:`segment`.

    ``.table`` has one row per segment: its name, its customers and their share.

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

    @property
    def frame(self) -> Frame | None:
        """The customers that were segmented; nothing where the segmentation was read from a file, which has none."""
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
    def evidence(self) -> Any:
        """One row for each number of segments tried; empty where the number was given."""
        return to_native(self._core.evidence(), self._native)

    @property
    def drivers(self) -> Any:
        """The features with their share of what separates the segments."""
        return to_native(self._core.drivers(), self._native)

    @property
    def reason(self) -> str:
        """Why there are so many segments."""
        reason: str = self._core.choice()[2]
        return reason

    @property
    def method(self) -> str:
        """The clustering method in use."""
        return str(json.loads(self._core.method()))

    @property
    def preparation(self) -> list[dict[str, Any]]:
        """How each feature was read: role, logarithm, centre and spread, or its categories."""
        features: list[dict[str, Any]] = json.loads(self._core.preparation())["features"]
        return features

    def profile(self) -> SegmentProfile:
        """What makes each segment different: every trait beside its overall value."""
        return SegmentProfile(self._core.profile(), self._native)

    def rename(self, names: Mapping[str, str] | Sequence[str]) -> Self:
        """The same segments under other names.

        Parameters
        ----------
        names : mapping or sequence of str
            Old names to new ones, or one name for each segment in order.
        """
        if isinstance(names, str):
            raise TypeError(
                "names: found one text, but a mapping or one name per segment is needed"
            )
        if hasattr(names, "items"):
            names = cast("Mapping[str, str]", names)  # or a pandas Series
            unknown = [old for old in names if old not in self.names]
            if unknown:
                raise DataError(
                    f"names: found {unknown[0]!r}, but the segments are {', '.join(map(repr, self.names))}"
                )
            new = [names.get(old, old) for old in self.names]
        else:
            new = list(names)
        return self._with(self._core.rename([str(name) for name in new]))

    def limit(self, n: int = 7) -> Self:
        """At most ``n`` segments: the two nearest are put together until so many are left.

        Near by Ward's criterion, the loss of separation. Six or seven is what people can keep apart. New customers go
        to the nearest original segment, and so into the one it became part of.
        """
        return self._with(self._core.limit(n))

    def merge(self, *groups: Sequence[str]) -> Self:
        """Segments put together by hand: each group of names becomes one segment, the others stay."""
        at = {name: number for number, name in enumerate(self.names)}
        for name in (name for group in groups for name in group):
            if name not in at:
                raise DataError(
                    f"merge: found {name!r}, but the segments are {', '.join(map(repr, self.names))}"
                )
        lists = [[at[name] for name in group] for group in groups]
        taken = {number for group in lists for number in group}
        lists += [[number] for number in at.values() if number not in taken]
        return self._with(self._core.merge(lists))

    def predict(self, df: Any) -> Any:
        """Segments of new customers, as :attr:`labels` gives them.

        Features are read as they were when the segments were found. A category not met then differs from every segment
        alike, and is warned of; a customer without a value in any feature has no segment.
        """
        frame = Frame.of(df, columns=[feature["name"] for feature in self.preparation])
        codes, unknown = self._core.predict(frame.core)
        for column, n_rows in unknown:
            warnings.warn(
                f"column {column!r}: {n_rows} rows hold a category that was not met when the segments were found",
                DataWarning,
                stacklevel=2,
            )
        index = getattr(df, "index", None) if frame.native == "pandas" else None
        return self._labelled(codes, index, frame.native)

    def explain(self) -> Explanation:
        """How many segments there are, why, and what marks each."""
        lines = [f"{self.manifest['rows_used']:,} customers fall into {self.k} segments."]
        lines.append(f"Why {self.k}: {self.reason}." if self.k > 1 else "")
        drivers = self._core.drivers()
        features, shares = drivers.column("feature"), drivers.column("share")
        leading = sorted(zip(shares, features, strict=True), key=lambda pair: -pair[0])[:3]
        told = ", ".join(f"{feature} ({share:.0%})" for share, feature in leading)
        lines.append(f"What separates them most: {told}.")
        markers = self.profile().markers(top=4)
        for name, n, share in zip(
            self.names, self.sizes.values(), self.to_dict()["share"], strict=True
        ):
            told = "; ".join(markers[name]) or "no trait far from the average"
            lines.append(f"{name} ({n:,} customers, {share:.0%}): {told}.")
        lines.extend(f"Note: {note}." for note in self.manifest["notes"])
        lines.append(
            "A trait is named where it differs significantly (5 % level, adjusted for all traits) and by at least half a "
            "standard deviation, a quarter of its range or half of the overall mean."
        )
        return Explanation("\n".join(line for line in lines if line))

    def plot(self, kind: str = "profile", *, ax: Any = None, **options: Any) -> Any:
        """Draw the segments; returns matplotlib Axes.

        Parameters
        ----------
        kind : {"profile", "evidence", "sizes"}
            Traits by segment with values in the cells; the evidence for each number of segments; the sizes.
        """
        from ilk.plot import segments as plots

        return plots.plot(self, kind, ax=ax, **options)

    def _with(self, core: Any) -> Self:
        return type(self)(core, self._native, frame=self._frame, index=self._index)

    def _labelled(self, codes: NDArray[np.int64], index: Any, native: str | None = None) -> Any:
        native = native or self._native
        if native == "pandas":
            import pandas as pd

            values = pd.Categorical.from_codes(codes, categories=pd.Index(self.names, dtype="str"))
            return pd.Series(values, index=index, name="segment")
        names = [self.names[code] if code >= 0 else None for code in codes]
        if native == "polars":
            import polars as pl

            return pl.Series("segment", names, dtype=pl.Enum(self.names))
        return np.array(names, dtype=object)

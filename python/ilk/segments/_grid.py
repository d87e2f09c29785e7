"""Money by the ease of earning it: four quadrants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ilk import _core
from ilk._frame import Frame
from ilk.exceptions import DataError
from ilk.segments._crossed import Crossed, with_checks
from ilk.segments._stated import by_rules

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from ilk.segments._segmentation import Segmentation
    from ilk.taxonomy import Taxonomy

__all__ = ["grid_segment"]


def grid_segment(
    df: Any,
    *,
    money: str,
    effort: str | None = None,
    ease: str | None = None,
    cuts: Literal["weighted_median"] | Sequence[Any] | Mapping[str, Any] = "weighted_median",
    weights: str | None = None,
    features: Sequence[str] | None = None,
    taxonomy: Taxonomy | None = None,
) -> Segmentation:
    """Segment customers by how much money they have and how easily they earn it.

    Four quadrants, each with the behaviour that is expected of it in ``.texts``: much money easily earned takes the best;
    much money hard earned wants the cost justified; little money that can earn strives to grow and buys status; little
    money that cannot earn hunts for discounts.

    Parameters
    ----------
    df : frame of shape (n_customers, n_columns)
        One row per customer.
    money : str
        Column of what a customer has or spends: a number.
    effort, ease : str
        Column of how hard or how easy it is earned, one of the two: a number or an ordered category.
    cuts : "weighted_median", pair or mapping
        Where high begins, of money and of effort or ease: numbers, or a category of an ordered column. A value that equals
        the cut point is high. By default the weighted medians of the customers who have both.
    weights : str, optional
        Column with the weight of each customer.
    features : sequence of str, optional
        Columns of the profile; by default all but identifiers, free text and constant ones.
    taxonomy : Taxonomy, optional
        Names and texts of the four quadrants; by default ``ilk.taxonomy.MONEY_EFFORT``. Each needs ``money`` and ``ease``,
        ``"high"`` or ``"low"``, and may have a ``behaviour``.

    Returns
    -------
    Segmentation
        With the rules in ``.rule_table`` and these tables in ``.check(name)``: ``"cuts"`` (where high begins on each axis, how
        many customers lie exactly there), ``"grid"`` (customers per quadrant against independence of the axes, with adjusted
        residuals) and ``"association"`` (chi-squared test of the axes, Cramér's V). ``.plot("grid")`` draws them. Customers
        who lack one of the two are in no segment, and counted.

    Raises
    ------
    DataError
        If a cut point leaves nobody on one side, or a column has no order.

    Notes
    -----
    S3-B2C-02.

    Examples
    --------
    >>> from ilk.segments import grid_segment
    >>> people = {"income": [90, 80, 20, 10], "hours": [10, 60, 20, 70]}
    >>> found = grid_segment(people, money="income", effort="hours")
    >>> found.names[0], found.texts[found.names[0]]
    ('Much money, easily earned', 'takes the best, convenience before price')
    """
    from ilk.taxonomy import MONEY_EFFORT

    if (effort is None) == (ease is None):
        both = "neither" if effort is None else "both"
        raise DataError(
            f'effort, ease: found {both}, but one of them is needed; try: effort="hours_worked"'
        )
    frame = Frame.of(df)
    other = str(effort if effort is not None else ease)
    if other == money:
        raise DataError(f"money: found {money!r} for both axes, but two columns are needed")
    given = _given(cuts, money, other)
    axes = [
        _Axis.of(frame, column, cut, weights, (money, other))
        for column, cut in zip((money, other), given, strict=True)
    ]
    quadrants = _quadrants(MONEY_EFFORT if taxonomy is None else taxonomy)
    rules, texts = {}, {}
    for item, rich, easy in quadrants:
        high = easy if ease is not None else not easy
        rules[item.name] = {money: axes[0].side(rich), other: axes[1].side(high)}
        texts[item.name] = str(item.get("behaviour") or item.description)
    settings = {
        "money": money,
        "effort": effort,
        "ease": ease,
        "cuts": cuts if isinstance(cuts, str) else [str(cut) for cut in given],
    }
    found = by_rules(
        df, frame, "grid_segment", settings, rules, texts=texts, features=features, weights=weights
    )
    weight = None if weights is None else frame.core.numeric(weights)
    money_side, other_side = axes[0].high, axes[1].high
    if ease is None:
        other_side = np.where(other_side < 0, -1, 1 - other_side)
    # High comes first, as in the taxonomy.
    sides = [np.where(side < 0, -1, 1 - side) for side in (money_side, other_side)]
    crossed = Crossed.of(sides[0], 2, sides[1], 2, weight)
    levels = ["high", "low"]
    table = crossed.table("money", levels, "ease", levels)
    names = {(rich, easy): item.name for item, rich, easy in quadrants}
    table["segment"] = [names[r, e] for r in (True, False) for e in (True, False)]
    points = {
        "axis": ["money", "effort" if effort is not None else "ease"],
        "column": [money, other],
        "cut": [axis.told for axis in axes],
        "at_cut": np.array([axis.n_ties for axis in axes], dtype=np.int64),
        "share_high": np.array([axis.share_high for axis in axes]),
    }
    return with_checks(found, grid=table, association=crossed.test(), cuts=points)


class _Axis:
    """One axis: where high begins, and who is high."""

    def __init__(
        self, low: Any, high: Any, told: str, side: NDArray[np.int64], n_ties: int
    ) -> None:
        self._sides = (low, high)
        self.told, self.high, self.n_ties = told, side, n_ties
        self.share_high = float((side == 1).sum() / max((side >= 0).sum(), 1))

    def side(self, high: bool) -> Any:
        """The condition of one side."""
        return self._sides[int(high)]

    @classmethod
    def of(
        cls, frame: Frame, column: str, cut: Any, weights: str | None, both: tuple[str, str]
    ) -> _Axis:
        kind = frame.core.kind(column)
        if kind == "ordinal":
            codes, categories, _ = frame.core.codes(column)
            values = np.where(codes < 0, np.nan, codes).astype(float)
        elif kind == "number":
            values, categories = frame.core.numeric(column), None
        elif kind == "empty":
            raise DataError(
                f"column {column!r}: found no value in {len(frame):,} rows, but a cut needs some to cut between"
            )
        else:
            raise DataError(
                f"column {column!r}: found {kind} values, but numbers or ordered categories are needed; "
                f"try: df[{column!r}] = pd.Categorical(df[{column!r}], categories=[...], ordered=True)"
            )
        if cut is None:
            cut = _median(frame, column, values, weights, both)
            if categories is not None:
                # A category is high or low as a whole.
                cut = categories[int(np.ceil(cut))] if np.isfinite(cut) else cut
        low: Any
        high: Any
        if categories is not None:
            if cut not in categories:
                raise DataError(
                    f"cuts: found {cut!r}, but the categories of {column!r} are {', '.join(map(repr, categories))}"
                )
            at = categories.index(cut)
            low, high, point = categories[:at], categories[at:], float(at)
            told = str(cut)
        else:
            if isinstance(cut, bool) or not isinstance(cut, (int, float, np.number)):
                raise DataError(
                    f"cuts: found {cut!r} for {column!r}, but the cut point of numbers is a number"
                )
            point = float(cut)
            low, high = {"below": point}, {"at_least": point}
            told = f"{point:g}"
        side = np.where(np.isnan(values), -1, values >= point).astype(np.int64)
        for empty, word in ((0, "below"), (1, "at or above")):
            if not (side == empty).any():
                raise DataError(
                    f"cuts: found nobody {word} {told} of {column!r}, but both sides need customers; "
                    f"try: cuts={{{column!r}: ...}}"
                )
        return cls(low, high, told, side, int((values == point).sum()))


def _median(
    frame: Frame,
    column: str,
    values: NDArray[np.float64],
    weights: str | None,
    both: tuple[str, str],
) -> float:
    """The weighted median over the customers who have both."""
    known = np.ones(len(values), dtype=bool)
    for name in both:
        codes = _core.rows_where(
            frame.core, f'[{{"column": {_quoted(name)}, "test": "present"}}]', False
        )
        known &= codes
    weight = np.ones(len(values)) if weights is None else frame.core.numeric(weights)
    table = Frame.of({"value": np.where(known, values, np.nan), "weight": np.nan_to_num(weight)})
    return _core.weighted_quantile(table.core, "value", "weight", 0.5)


def _quoted(text: str) -> str:
    import json

    return json.dumps(text)


def _given(cuts: Any, money: str, other: str) -> list[Any]:
    """Cut points as given, nothing where the median is meant."""
    if isinstance(cuts, str):
        if cuts != "weighted_median":
            raise DataError(
                f'cuts: found {cuts!r}, but "weighted_median", two cut points or a mapping are needed'
            )
        return [None, None]
    if hasattr(cuts, "items"):
        unknown = [name for name in cuts if name not in (money, other)]
        if unknown:
            raise DataError(
                f"cuts: found {unknown[0]!r}, but the columns are {money!r} and {other!r}"
            )
        return [cuts.get(money), cuts.get(other)]
    listed = list(cuts)
    if len(listed) != 2:
        raise DataError(
            f"cuts: found {len(listed)} cut points, but one of {money!r} and one of {other!r} are needed"
        )
    return listed


def _quadrants(taxonomy: Taxonomy) -> list[tuple[Any, bool, bool]]:
    found = []
    for item in taxonomy:
        sides = []
        for axis in ("money", "ease"):
            side = item.get(axis)
            if side not in ("high", "low"):
                raise DataError(
                    f'taxonomy: found {side!r} as {axis} of {item.key!r}, but "high" or "low" is needed'
                )
            sides.append(side == "high")
        found.append((item, sides[0], sides[1]))
    if len({quadrant[1:] for quadrant in found}) != 4 or len(found) != 4:
        raise DataError(
            f"taxonomy: found {len(found)} quadrants, but one for each pair of high and low is needed"
        )
    return found

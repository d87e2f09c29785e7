"""Firms by size and maturity, and customers by recency and frequency."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

from ilk._frame import Frame
from ilk.exceptions import DataError
from ilk.segments._crossed import Crossed, with_checks
from ilk.segments._stated import by_rules

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ilk.economics import Rfm
    from ilk.segments._segmentation import Segmentation
    from ilk.taxonomy import Taxonomy

__all__ = ["firm_segment", "rfm_segment"]


def firm_segment(
    df: Any,
    *,
    employees: str,
    revenue: str | None = None,
    maturity: str | None = None,
    sizes: Taxonomy | None = None,
    levels: Taxonomy | None = None,
    weights: str | None = None,
    features: Sequence[str] | None = None,
) -> Segmentation:
    """Segment firms by size, and within it by the maturity of their processes.

    Parameters
    ----------
    df : frame of shape (n_firms, n_columns)
        One row per firm.
    employees : str
        Column of the number of people.
    revenue : str, optional
        Column of the yearly turnover in euro. A firm is of the smallest class whose number of people and turnover it keeps
        to; where the turnover is missing, the people decide.
    maturity : str, optional
        Column of the level: numbers from 1, or keys or names of ``levels``. Size and level are then crossed, and pairs
        without a firm are no segment.
    sizes : Taxonomy, optional
        Classes; by default ``ilk.taxonomy.FIRM_SIZES``, those of the European Union.
    levels : Taxonomy, optional
        Levels; by default ``ilk.taxonomy.MATURITY_LEVELS``.
    weights : str, optional
        Column with the weight of each firm.
    features : sequence of str, optional
        Columns of the profile; by default all but identifiers, free text and constant ones.

    Returns
    -------
    Segmentation
        What is said of each class is in ``.texts``. With ``maturity``, ``.check("association")`` tests whether the two are
        related, and ``.check("cells")`` has every pair.

    Raises
    ------
    DataError
        If a number of people is below 0 or a level is not known.

    Examples
    --------
    >>> from ilk.segments import firm_segment
    >>> firm_segment({"people": [3, 40, 900]}, employees="people").names
    ['Micro', 'Small', 'Medium-sized', 'Large']
    """
    from ilk.taxonomy import FIRM_SIZES, MATURITY_LEVELS

    frame = Frame.of(df)
    people = frame.core.numeric(employees)
    if (people < 0).any():
        row = int((people < 0).argmax())
        raise DataError(
            f"column {employees!r}, row {row}: found {people[row]:g}, but a number of people is 0 or more"
        )
    size_rules = _size_rules(FIRM_SIZES if sizes is None else sizes, employees, revenue)
    texts = {item.name: item.description for item in (FIRM_SIZES if sizes is None else sizes)}
    settings = {"employees": employees, "revenue": revenue, "maturity": maturity}
    common: dict[str, Any] = {"features": features, "weights": weights}
    if maturity is None:
        return _quiet(df, frame, "firm_segment", settings, size_rules, texts, common)
    level_rules = _level_rules(frame, maturity, MATURITY_LEVELS if levels is None else levels)
    one = _quiet(
        df, frame, "firm_segment", {}, size_rules, {}, {"features": [], "weights": weights}
    )
    other = _quiet(
        df, frame, "firm_segment", {}, level_rules, {}, {"features": [], "weights": weights}
    )
    weight = None if weights is None else frame.core.numeric(weights)
    crossed = Crossed.of(one.codes, one.k, other.codes, other.k, weight)
    cells = {
        (size, level)
        for size, level in zip(one.codes.tolist(), other.codes.tolist(), strict=True)
        if size >= 0 and level >= 0
    }
    rules, said = {}, {}
    for (i, size), (j, level) in product(enumerate(size_rules), enumerate(level_rules)):
        if (i, j) in cells:
            name = f"{size}, {level}"
            rules[name] = [{**where, **level_rules[level]} for where in size_rules[size]]
            said[name] = texts[size]
    found = by_rules(df, frame, "firm_segment", settings, rules, texts=said, **common)
    return with_checks(
        found,
        cells=crossed.table("size", one.names, "maturity", other.names),
        association=crossed.test(),
    )


def _quiet(
    df: Any,
    frame: Frame,
    function: str,
    settings: Mapping[str, Any],
    rules: Mapping[str, Any],
    texts: Mapping[str, str],
    common: Mapping[str, Any],
) -> Segmentation:
    """Rules of a taxonomy, of which some may have nobody."""
    import warnings

    from ilk.exceptions import DataWarning

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "(?s).*no customer$", DataWarning)
        return by_rules(df, frame, function, settings, rules, texts=texts, **common)


def _size_rules(
    sizes: Taxonomy, employees: str, revenue: str | None
) -> dict[str, list[dict[str, Any]]]:
    rules: dict[str, list[dict[str, Any]]] = {}
    for item in sizes:
        below, ceiling = item.get("below_employees"), item.get("turnover_up_to_eur")
        staff: dict[str, Any] = {employees: {"at_least": 0}}
        if below is not None:
            staff[employees]["below"] = below
        if revenue is None or ceiling is None:
            rules[item.name] = [staff]
        else:
            rules[item.name] = [
                {**staff, revenue: {"at_most": ceiling}},
                {**staff, revenue: None},
            ]
    return rules


def _level_rules(frame: Frame, maturity: str, levels: Taxonomy) -> dict[str, dict[str, Any]]:
    known = {item.name: item.get("level") for item in levels}
    if frame.core.kind(maturity) == "number":
        numbers = {number for number in known.values() if number is not None}
        found = frame.core.numeric(maturity)
        for row, value in enumerate(found):
            if value == value and value not in numbers:
                raise DataError(
                    f"column {maturity!r}, row {row}: found {value:g}, but the levels are "
                    f"{', '.join(str(number) for number in sorted(numbers, key=str))}"
                )
        return {name: {maturity: number} for name, number in known.items()}
    meant: dict[str, list[str]] = {}
    for category in frame.core.codes(maturity)[1]:
        meant.setdefault(levels.find(category).name, []).append(category)
    return {item.name: {maturity: meant[item.name]} for item in levels if item.name in meant}


def rfm_segment(
    found: Rfm, segments: Mapping[str, tuple[tuple[int, int], tuple[int, int]]] | None = None
) -> Segmentation:
    """Segment customers by their scores of recency and frequency.

    Parameters
    ----------
    found : Rfm
        Of :func:`ilk.rfm` with ``definition="marketing"``.
    segments : mapping, optional
        Names of pairs of scores, as :func:`ilk.rfm` takes them; by default ``RFM_SEGMENTS``, for five scores.

    Returns
    -------
    Segmentation
        Of the customers in the rows of ``found.table``, in their order. New customers are those of another :class:`Rfm`:
        ``.predict(other.table)``.

    Raises
    ------
    DataError
        If there are no scores, or a pair of them has no name.

    Examples
    --------
    >>> import ilk
    >>> orders = {"who": ["a", "a", "b"], "when": [0, 9, 4], "paid": [5.0, 7.0, 3.0]}
    >>> found = ilk.rfm(
    ...     orders, customer="who", date="when", value="paid", definition="marketing", n_scores=2
    ... )
    >>> names = {"active": ((2, 2), (1, 2)), "gone": ((1, 1), (1, 2))}
    >>> ilk.segments.rfm_segment(found, names).sizes
    {'active': 1, 'gone': 1}
    """
    from ilk.economics import Rfm
    from ilk.economics._rfm import RFM_SEGMENTS

    if not isinstance(found, Rfm):
        raise TypeError(
            f'found is a {type(found).__name__}, but the result of ilk.rfm(..., definition="marketing") is needed'
        )
    table = found.table
    frame = Frame.of(table)
    if "r_score" not in frame.columns:
        raise DataError(
            f'found: found definition="{found.definition}", which has no scores; try: ilk.rfm(..., definition="marketing")'
        )
    n_scores = found.manifest["settings"].get("n_scores", 5)
    if segments is None:
        if n_scores != 5:
            raise DataError(
                f"segments: found none, but there are {n_scores} scores, which have no names in common use; "
                'try: segments={"best": ((3, 3), (3, 3)), ...}'
            )
        segments = RFM_SEGMENTS
    rules = {
        str(name): {
            "r_score": {"at_least": r[0], "at_most": r[1]},
            "f_score": {"at_least": f[0], "at_most": f[1]},
        }
        for name, (r, f) in segments.items()
    }
    customer = frame.columns[0]
    features = [name for name in frame.columns if name not in (customer, "segment")]
    features = [name for name in features if frame.core.kind(name) != "empty"]
    result = _quiet(table, frame, "rfm_segment", {}, rules, {}, {"features": features})
    outside = int((result.codes < 0).sum())
    if outside:
        row = int((result.codes < 0).argmax())
        pair = tuple(int(frame.core.numeric(name)[row]) for name in ("r_score", "f_score"))
        raise DataError(
            f"segments: found no name for the scores {pair} of recency and frequency, which {outside} customers have"
        )
    return result

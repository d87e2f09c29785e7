"""Three to five criteria crossed, if they do not say the same thing twice."""

from __future__ import annotations

import warnings
from itertools import combinations, pairwise, product
from typing import TYPE_CHECKING, Any

import numpy as np

from ilk import _core
from ilk._frame import Frame
from ilk.exceptions import DataError
from ilk.profile import DemographicsWarning
from ilk.segments._bases import only_demographics
from ilk.segments._crossed import Crossed, with_checks
from ilk.segments._stated import by_rules

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from ilk.segments._segmentation import Segmentation

__all__ = ["criteria_segment"]

_LEAST, _MOST = 3, 5
_MOST_LEVELS = 12


def criteria_segment(
    df: Any,
    criteria: Mapping[str, Any] | Sequence[str],
    *,
    max_association: float | None = 0.7,
    max_inflation: float | None = 5.0,
    min_cell: int = 30,
    weights: str | None = None,
    features: Sequence[str] | None = None,
) -> Segmentation:
    """Segment customers by three to five criteria, each of which must say something of its own.

    Parameters
    ----------
    df : frame of shape (n_customers, n_columns)
        One row per customer.
    criteria : mapping or sequence of str
        Columns to how each is cut: ``None`` takes every category, and the weighted median of a number; a number or a list
        of numbers are cut points, from each of which on a group begins; a mapping from names to lists of categories puts
        categories together. A sequence of columns stands for ``None`` of each.
    max_association : float, optional
        Bar of Cramér's V between two criteria; above it they are refused as redundant. ``None`` refuses none.
    max_inflation : float, optional
        Bar of the variance inflation of a criterion by all others (5 is the usual one); ``None`` refuses none.
    min_cell : int
        Cells with fewer customers are reported as sparse.
    weights : str, optional
        Column with the weight of each customer.
    features : sequence of str, optional
        Columns of the profile; by default all but identifiers, free text and constant ones.

    Returns
    -------
    Segmentation
        One segment for each cell that has customers. ``.check("redundancy")`` has chi-squared, Cramér's V and the normalised
        mutual information of each pair of criteria, ``.check("inflation")`` the generalised variance inflation of each
        [1]_ (``inflation`` is its root for as many degrees of freedom as the criterion has, comparable with that of a
        number; missing where the others give it away entirely, ``given_away``), and ``.check("cells")`` every cell with its customers and whether it is sparse or empty.

    Raises
    ------
    DataError
        If there are fewer than three or more than five criteria, one has no two groups, or two are redundant.

    Notes
    -----
    S5-CRIT-01.

    References
    ----------
    .. [1] Fox and Monette (1992), Generalized collinearity diagnostics, Journal of the American Statistical Association
       87:178-183.

    Examples
    --------
    >>> import ilk
    >>> customers = ilk.datasets.make_market(800, random_state=1).customers
    >>> found = ilk.segments.criteria_segment(
    ...     customers, {"region": None, "visits_per_month": 8, "income": 50_000}, min_cell=10
    ... )
    >>> sorted(found.checks)
    ['cells', 'inflation', 'redundancy', 'rules']
    """
    if isinstance(criteria, str):
        raise TypeError("criteria: found one text, but a mapping or a list of columns is needed")
    wanted = dict(criteria.items()) if hasattr(criteria, "items") else dict.fromkeys(criteria)
    if not _LEAST <= len(wanted) <= _MOST:
        raise DataError(
            f"criteria: found {len(wanted)}, but {_LEAST} to {_MOST} are needed: with fewer, groups hide what differs inside "
            "them, and with more most cells are empty"
        )
    frame = Frame.of(df)
    groups = {column: _groups(frame, column, cut, weights) for column, cut in wanted.items()}
    codes = {column: _codes(frame, column, conditions) for column, conditions in groups.items()}
    for column, found in codes.items():
        if len(set(found[found >= 0].tolist())) < 2:
            raise DataError(
                f"criteria: found one group of {column!r}, but a criterion must tell customers apart"
            )
    weight = None if weights is None else frame.core.numeric(weights)
    redundancy = _redundancy(codes, groups, weight, max_association)
    inflation = _inflation(frame, list(wanted), max_inflation)
    rules, cells = {}, {"segment": [], "n": [], "sparse": [], "empty": []}  # type: ignore[var-annotated]
    together = np.stack(list(codes.values()))
    inside = together[:, (together >= 0).all(axis=0)]
    shape = tuple(len(conditions) for conditions in groups.values())
    counts = np.bincount(np.ravel_multi_index(tuple(inside), shape), minlength=int(np.prod(shape)))
    for at, levels in enumerate(product(*groups.values())):
        name = " · ".join(levels)
        where = {
            column: groups[column][level] for column, level in zip(groups, levels, strict=True)
        }
        if counts[at]:
            rules[name] = where
        cells["segment"].append(name)
        cells["n"].append(int(counts[at]))
        cells["sparse"].append(bool(0 < counts[at] < min_cell))
        cells["empty"].append(not counts[at])
    settings = {
        "criteria": {column: list(conditions) for column, conditions in groups.items()},
        "max_association": max_association,
        "max_inflation": max_inflation,
        "min_cell": min_cell,
    }
    sparse = sum(cells["sparse"])
    notes = []
    if 2 * sparse > len(rules):
        notes.append(
            f"{sparse} of {len(rules)} cells have fewer than {min_cell} customers; fewer groups per criterion make them larger"
        )
    found_segments = by_rules(
        df,
        frame,
        "criteria_segment",
        settings,
        rules,
        features=features,
        weights=weights,
        notes=notes,
    )
    finding = only_demographics(list(wanted))
    if finding is not None:
        warnings.warn(finding, DemographicsWarning, stacklevel=2)
    columns = {
        name: np.array(values) if name != "segment" else values for name, values in cells.items()
    }
    return with_checks(found_segments, redundancy=redundancy, inflation=inflation, cells=columns)


def _groups(frame: Frame, column: str, cut: Any, weights: str | None) -> dict[str, Any]:
    """Name of each group of a criterion with its condition."""
    if frame.core.kind(column) in ("number", "date") and not hasattr(cut, "items"):
        if frame.core.kind(column) == "date":
            raise DataError(
                f"criteria: found dates in {column!r}, but a number or categories are needed; "
                f"try: df[{column!r}] = (df[{column!r}].max() - df[{column!r}]).dt.days"
            )
        if cut is None:
            cut = _core.weighted_quantile(frame.core, column, weights, 0.5)
        points: list[Any] = [cut] if np.isscalar(cut) else list(cut)
        numbers = [point for point in points if not isinstance(point, (bool, str))]
        if len(numbers) != len(points) or sorted(set(points)) != points or not points:
            raise DataError(
                f"criteria: found {cut!r} for {column!r}, but cut points are ascending numbers"
            )
        ends = [None, *(float(point) for point in points), None]
        found: dict[str, Any] = {}
        for low, high in pairwise(ends):
            if low is None:
                name = f"{column} below {high:g}"
            elif high is None:
                name = f"{column} from {low:g}"
            else:
                name = f"{column} {low:g} to {high:g}"
            found[name] = (low, high)
        return found
    categories = frame.core.codes(column)[1]
    if cut is None:
        if len(categories) > _MOST_LEVELS:
            raise DataError(
                f"criteria: found {len(categories)} categories of {column!r}, but at most {_MOST_LEVELS} are crossed; "
                f"try: {{{column!r}: {{name: [categories], ...}}}}"
            )
        return {f"{column} {category}": [category] for category in categories}
    if not hasattr(cut, "items"):
        raise DataError(
            f"criteria: found {cut!r} for the categories of {column!r}, but None or a mapping from names to categories is needed"
        )
    taken: set[str] = set()
    for name, listed in cut.items():
        for category in [listed] if isinstance(listed, str) else listed:
            if str(category) not in categories:
                raise DataError(
                    f"criteria: found {category!r} in {name!r}, but the categories of {column!r} are "
                    f"{', '.join(map(repr, categories))}"
                )
            if category in taken:
                raise DataError(f"criteria: found {category!r} of {column!r} twice")
            taken.add(category)
    return {str(name): [v] if isinstance(v, str) else list(v) for name, v in cut.items()}


def _codes(frame: Frame, column: str, groups: dict[str, Any]) -> NDArray[np.int64]:
    from ilk.segments._where import conditions_json

    found = np.full(len(frame), -1, dtype=np.int64)
    for number, condition in enumerate(groups.values()):
        found[_core.rows_where(frame.core, conditions_json({column: condition}), False)] = number
    return found


def _redundancy(
    codes: dict[str, NDArray[np.int64]],
    groups: dict[str, dict[str, Any]],
    weights: NDArray[np.float64] | None,
    bar: float | None,
) -> dict[str, Any]:
    rows = []
    for one, other in combinations(codes, 2):
        found = Crossed.of(codes[one], len(groups[one]), codes[other], len(groups[other]), weights)
        rows.append((one, other, found))
        if bar is not None and found.cramer_v > bar:
            raise DataError(
                f"criteria: found {one!r} and {other!r}, which say nearly the same: Cramér's V is {found.cramer_v:.2f}, above the "
                f"bar of {bar:g} (normalised mutual information {found.nmi:.2f}); leave one out, or set max_association"
            )
    return {
        "a": [row[0] for row in rows],
        "b": [row[1] for row in rows],
        "n": np.array([row[2].n for row in rows], dtype=np.int64),
        "chi2": np.array([row[2].chi2 for row in rows]),
        "p": np.array([row[2].p for row in rows]),
        "cramer_v": np.array([row[2].cramer_v for row in rows]),
        "nmi": np.array([row[2].nmi for row in rows]),
    }


def _inflation(frame: Frame, columns: list[str], bar: float | None) -> dict[str, Any]:
    found = _core.variance_inflation(frame.core, columns)
    comparable = [np.nan if df == 0 or np.isnan(gvif) else gvif ** (1 / df) for gvif, df in found]
    for column, value in zip(columns, comparable, strict=True):
        if bar is not None and value > bar:
            raise DataError(
                f"criteria: found {column!r}, which the others give away: its variance inflation is {value:.3g}, above the bar of "
                f"{bar:g}; leave it out, or set max_inflation"
            )
    endless = np.isinf(comparable)
    return {
        "criterion": columns,
        "gvif": np.where(endless, np.nan, [gvif for gvif, _ in found]),
        "df": np.array([df for _, df in found], dtype=np.int64),
        "inflation": np.where(endless, np.nan, comparable),
        "given_away": endless,
    }

"""The gap matrix: customer categories by contexts, against what the two explain or against what is offered."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Literal, overload

from ilk import _core
from ilk._arguments import real, whole
from ilk._frame import Frame
from ilk._progress import Progress, progress_bar
from ilk._random import new_seed
from ilk.exceptions import DataError, DataWarning
from ilk.gaps._amounts import amounts, pairs, side
from ilk.gaps._cube import GapCube
from ilk.gaps._matrix import GapMatrix
from ilk.gaps._options import columns

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_TESTS = ("normal", "exact", "monte_carlo")


@overload
def gap_matrix(
    df: Any,
    *,
    rows: str | Sequence[str],
    cols: str | Sequence[str],
    values: str | None = None,
    weights: str | None = None,
    counts: str | None = None,
    customer: str | None = None,
    by: None = None,
    supply: Any = None,
    need: Any = None,
    reference: Any = None,
    value: Any = None,
    structural_zeros: Iterable[Sequence[Any]] | None = None,
    min_count: float | None = None,
    confidence: float = 0.95,
    test: Literal["normal", "exact", "monte_carlo"] = "normal",
    n_resamples: int = 9999,
    n_boot: int = 0,
    suppress: int | None = None,
    random_state: int | None = None,
    progress: Progress = "auto",
) -> GapMatrix: ...


@overload
def gap_matrix(
    df: Any,
    *,
    rows: str | Sequence[str],
    cols: str | Sequence[str],
    values: str | None = None,
    weights: str | None = None,
    counts: str | None = None,
    customer: str | None = None,
    by: str,
    supply: Any = None,
    need: Any = None,
    reference: Any = None,
    value: Any = None,
    structural_zeros: Iterable[Sequence[Any]] | None = None,
    min_count: float | None = None,
    confidence: float = 0.95,
    test: Literal["normal", "exact", "monte_carlo"] = "normal",
    n_resamples: int = 9999,
    n_boot: int = 0,
    suppress: int | None = None,
    random_state: int | None = None,
    progress: Progress = "auto",
) -> GapCube: ...


def gap_matrix(
    df: Any,
    *,
    rows: str | Sequence[str],
    cols: str | Sequence[str],
    values: str | None = None,
    weights: str | None = None,
    counts: str | None = None,
    customer: str | None = None,
    by: str | None = None,
    supply: Any = None,
    need: Any = None,
    reference: Any = None,
    value: Any = None,
    structural_zeros: Iterable[Sequence[Any]] | None = None,
    min_count: float | None = None,
    confidence: float = 0.95,
    test: Literal["normal", "exact", "monte_carlo"] = "normal",
    n_resamples: int = 9999,
    n_boot: int = 0,
    suppress: int | None = None,
    random_state: int | None = None,
    progress: Progress = "auto",
) -> GapMatrix | GapCube:
    """Compare what each kind of customer buys in each context with what the two explain.

    Parameters
    ----------
    df : frame
        One row per purchase or answer.
    rows, cols : str or sequence of str
        Columns with the categories: the kind of customer and the context, for example. Ordered categories keep their
        order and are kept without records; all others are sorted. Of several columns the combinations that are met are
        the categories.
    values : str, optional
        Column that weighs the rows, such as money: not negative. Without it each row counts 1.
    weights : str, optional
        Column of survey weights: how much a row counts for, not negative.
    counts : str, optional
        Column that says how many equal records a row stands for, in whole numbers: for data that are counted already.
    customer : str, optional
        Column that says whose row it is. Rows of one customer resemble each other, and taking them for independent
        makes p-values too small and intervals too narrow; with this column whole customers are the units of chance.
    by : str, optional
        Column with segments: a matrix for each of them, and a test of where they differ.
    supply : mapping or frame, optional
        What is offered, in any unit. A mapping from column category to amount, or from pairs (row category, column
        category); or a frame with the columns ``cols``, perhaps ``rows``, and one column of amounts. What is not named
        is not offered. Of several columns, a category is a tuple. Names without records make empty cells and a
        ``DataWarning``, since they may be misspelt.
    need : mapping or frame, optional
        What each kind of customer needs, in any unit, as ``supply``: what falls short of its share is a gap.
    reference : frame, optional
        Rows of another period, with the same columns: what falls short of the share that it had then is a gap.
    value : float, mapping or frame, optional
        What one unit of a cell is worth, as ``supply``, or one number for all: ``gap_value`` is told in it.
    structural_zeros : iterable of pairs, optional
        Pairs (row category, column category) that cannot occur.
    min_count : float, optional
        Cells that expect fewer records are not judged: by default 5, or 1 where p-values are exact. Where values are
        unequal the expected records are discounted for it (Kish, 1965).
    confidence : float
        Of the intervals. A cell is called a gap where ``q <= 1 - confidence``.
    test : {"normal", "exact", "monte_carlo"}
        Where p-values come from.
    n_resamples : int
        Random tables of ``test="monte_carlo"``.
    n_boot : int
        Tables drawn anew for the intervals; 0 for linearised intervals.
    suppress : int, optional
        Hide cells of fewer records, and as many others as that takes.
    random_state : int, optional
        Seed of random tables and bootstrap.
    progress : bool, "auto" or callable
        As for :func:`ilk.segment`.

    Returns
    -------
    GapMatrix or GapCube
        A cube where ``by`` is given.

    Raises
    ------
    MissingColumnError
        If a column is not there.
    DataError
        If a value is negative, an option is out of range, a side has fewer than two categories, or a structural zero
        has records.

    Notes
    -----
    *Expected*, with totals ``R`` of the row, ``C`` of the column and ``T`` of the table:

    - ``R C / T`` without ``supply``: rows and columns have nothing to do with each other;
    - with ``structural_zeros``, the product form that keeps the totals over the cells that can occur
      (quasi-independence, by iterative proportional fitting; Goodman, 1968);
    - with ``supply``, ``R`` times the cell's share of the supply of its row. Demand is held against what is offered, so
      the sides turn: a *gap* is demand **above** the share of supply, and ``gap_value`` is observed minus expected;
    - with ``need``, ``R`` times the cell's share of the need of its row;
    - with ``reference``, ``R`` times the share that the row took in the other period. The chance of both periods counts:
      the residual compares two shares under what both have in common.

    *Residual*: ``(observed - expected) / sd``, with the variance of the difference linearised,
    ``sum_b Q_b (1[a = b] - H[a, b])^2`` over all cells ``b``, where ``H`` is the projection of the log-linear model and
    ``Q_b`` the sum of squared values that the null expects: expected value times the record size (squares over sum) of
    the cell, shrunk towards that of its row and column. Where every value is 1 this is the adjusted residual of
    Haberman (1973), ``(n - E) / sqrt(E (1 - R/T) (1 - C/T))``. ``chi2`` is divided by the mean design effect (Rao and
    Scott, 1981).

    With ``customer``, the variances are multiplied by the cell's design effect: the linearised variance with whole
    customers as the units over that with rows as the units (ultimate clusters; Kish and Frankel, 1974), at least 1. The
    expected records are divided by it before they are held against ``min_count``. A row without a customer stands
    alone. Without the argument, rows are taken to be independent of each other.

    *Thin cells*: of a cell that expects ``m`` effective records (so many that the index has the variance ``1 / m`` where
    there is no gap), ``m`` times the index is taken as Poisson around ``m L``, and the true ``L`` as gamma with mean 1, whose
    shape maximises the likelihood of all cells; ``index_shrunk`` is the mean of what is then known of ``L``, with its
    interval (Clayton and Kaldor, 1987). ``test="exact"`` takes p from the law of the cell given the totals
    (hypergeometric as in Fisher's test; binomial where shares are given), ``test="monte_carlo"`` from ``n_resamples``
    random tables with the same totals, for the whole table too. Both are for plain counts. ``min_count`` is then 1 by
    default, since no approximation limits it.

    *Weights and counts*: ``counts`` says that a row stands for so many equal records, and gives what as many rows would.
    ``weights`` are survey weights: sums are weighted, and the variance is that of the weighted sums (linearised), so that
    unequal weights widen intervals. ``n`` counts the rows as they are.

    *Interval* of the index: ``index * exp(+-z se)``, with the linearised standard error of its logarithm as the table
    stands; for a cell without records the upper end is the exact Poisson bound ``-log((1 - confidence) / 2)`` over the
    expected records. With ``n_boot``, intervals are percentiles of so many tables drawn anew: records through their
    cells, with sums of unequal values drawn by a gamma law of the same mean and variance, or whole customers where
    ``customer`` is named.

    *Hidden cells*: with ``suppress``, cells of 1 to ``suppress - 1`` records are hidden, and with them as few others as it
    takes that nobody who knows all totals and all other cells can say what is in them: each small cell could hold any
    number of a range at least ``suppress`` wide, as far as the totals allow (Cox, 1980, 1995). All figures of a hidden
    cell are taken out, also from what is saved. It does not protect against those who know records themselves.

    Rows with a missing category or value are left out and counted in ``manifest``.

    References
    ----------
    Benjamini, Y. and Hochberg, Y. (1995), Journal of the Royal Statistical Society B 57, 289-300.
    Clayton, D. and Kaldor, J. (1987), Biometrics 43, 671-681.
    Cox, L. H. (1980), Journal of the American Statistical Association 75, 377-385.
    Cox, L. H. (1995), Journal of the American Statistical Association 90, 1453-1462.
    Goodman, L. A. (1968), Journal of the American Statistical Association 63, 1091-1131.
    Haberman, S. J. (1973), Biometrics 29, 205-220.
    Kish, L. (1965), Survey Sampling, Wiley.
    Kish, L. and Frankel, M. R. (1974), Journal of the Royal Statistical Society B 36, 1-37.
    Rao, J. N. K. and Scott, A. J. (1981), Journal of the American Statistical Association 76, 221-230.

    Examples
    --------
    >>> import ilk
    >>> purchases = {
    ...     "household": ["single"] * 80 + ["family"] * 120,
    ...     "meal": ["breakfast"] * 40 + ["dinner"] * 40 + ["breakfast"] * 30 + ["dinner"] * 90,
    ... }
    >>> gaps = ilk.gap_matrix(purchases, rows="household", cols="meal")
    >>> gaps.gaps()["household"], gaps.gaps()["meal"]
    (['family', 'single'], ['breakfast', 'dinner'])
    >>> print(gaps.gaps()["sentence"][0].partition(". ")[0])  # doctest: +NORMALIZE_WHITESPACE
    household family, meal breakfast: the number of records is 30 instead of the 42 expected from
    the totals of family and breakfast, 29 % less (95 % interval: 11 % to 43 % less)
    """
    named = {"supply": supply, "need": need, "reference": reference}
    given = [name for name, what in named.items() if what is not None]
    if len(given) > 1:
        raise DataError(
            f"{given[1]}: found {given[0]} and {given[1]}, but the matrix is held against one of them; "
            "try: one call for each"
        )
    row_names, col_names = side("rows", rows), side("cols", cols)
    roles = {
        "rows": row_names,
        "cols": col_names,
        "values": values,
        "weights": weights,
        "counts": counts,
        "customer": customer,
    }
    others = columns(values=values, weights=weights, counts=counts, customer=customer, by=by)
    if test not in _TESTS:
        options = ", ".join(f'"{option}"' for option in _TESTS)
        raise DataError(f"test: found {test!r}, but one of {options} is needed")
    frame = Frame.of(df, columns=[*row_names, *col_names, *others])
    other = None if reference is None else Frame.of(reference, name="reference").core
    tables = {
        "supply": amounts("supply", supply, row_names, col_names),
        "need": amounts("need", need, row_names, col_names),
        "reference": other,
        "value": amounts("value", value, row_names, col_names, scalar=True),
        "structural_zeros": pairs(structural_zeros, row_names, col_names),
    }
    if min_count is None:
        min_count = 5 if test == "normal" else 1
    judging = {
        "min_count": real("min_count", min_count),
        "confidence": real("confidence", confidence),
        "test": test,
        "n_resamples": whole("n_resamples", n_resamples),
        "n_boot": whole("n_boot", n_boot),
        "seed": new_seed(random_state),
        "suppress": None if suppress is None else whole("suppress", suppress),
    }
    with progress_bar(progress, "gap matrix") as report:
        if by is None:
            core = _core.gap_matrix(frame.core, roles, tables, judging, report)
            matrix = GapMatrix(core, frame.native)
            if supply is not None or need is not None:
                _warn_of_strangers(matrix, given[0])
            return matrix
        cube = _core.gap_cube(frame.core, roles, by, tables, judging, report)
        return GapCube(cube, frame.native)


def _warn_of_strangers(matrix: GapMatrix, argument: str) -> None:
    """Names that no record has may be meant, or misspelt."""
    for note in matrix.manifest["notes"]:
        if note.startswith("no record at all"):
            warnings.warn(f"{argument}: {note}", DataWarning, stacklevel=3)

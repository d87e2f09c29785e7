"""The gap matrix: customer categories by contexts, against what the two explain or against what is offered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from ilk import _core
from ilk._frame import Frame, free_name, to_native
from ilk._result import Explanation, Result
from ilk.exceptions import DataError
from ilk.gaps._map import CorrespondenceMap, checked_dims

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class GapMatrix(Result):
    """A table of customer categories by contexts, and how far each cell is from what is expected.

    Made by :func:`gap_matrix`. ``table`` has one row per cell:

    ============== ==================================================================================================
    column         meaning
    ============== ==================================================================================================
    ``n``          records
    ``observed``   records, or the sum of ``values``
    ``expected``   what the totals of row and column explain, or the share of supply
    ``index``      observed divided by expected, with its interval ``index_lo`` to ``index_hi``
    ``residual``   observed minus expected in standard deviations of chance (adjusted residual)
    ``p``          two-sided p-value of the residual; missing where the cell is not judged
    ``q``          p adjusted for the number of cells judged (Benjamini-Hochberg)
    ``gap_value``  what closing the gap is worth, in units of ``values`` or in records, with its interval
    ``status``     ``gap``, ``saturated``, ``served``, ``empty``, ``too few`` or ``not applicable``
    ============== ==================================================================================================

    Attributes
    ----------
    chi2, dof, p_value
        The test of the whole table.

    Examples
    --------
    >>> import ilk
    >>> answers = {"who": ["a"] * 50 + ["b"] * 50, "when": ["am"] * 35 + ["pm"] * 40 + ["am"] * 25}
    >>> gaps = ilk.gap_matrix(answers, rows="who", cols="when")
    >>> gaps.chi2, gaps.dof
    (4.166666666666667, 1)
    >>> gaps.matrix("residual")["am"].round(2).tolist()
    [2.04, -2.04]
    >>> gaps.gaps()["gap_value"].tolist()
    [5.0, 5.0]
    """

    __slots__ = ()

    _wraps = _core.GapMatrix
    _title = "Gap matrix"
    _formats: ClassVar[Mapping[str, str]] = {
        "n": "count",
        "index": "index",
        "residual": "signed",
        "p": "p",
        "q": "p",
        "observed": "money",
        "expected": "money",
        "gap_value": "money",
    }

    @property
    def rows(self) -> str:
        """Column whose categories are the rows."""
        return str(self._core.names()[0])

    @property
    def cols(self) -> str:
        """Column whose categories are the columns."""
        return str(self._core.names()[1])

    @property
    def values(self) -> str | None:
        """Column that weighs the records; None where each counts 1."""
        values: str | None = self._core.names()[2]
        return values

    @property
    def chi2(self) -> float | None:
        """Chi-squared of the whole table, corrected for unequal values (Rao and Scott, 1981).

        None without degrees of freedom.
        """
        chi2: float | None = self._core.test()[0]
        return chi2

    @property
    def dof(self) -> int:
        """Degrees of freedom of the whole table."""
        return int(self._core.test()[1])

    @property
    def p_value(self) -> float | None:
        """p-value of the whole table."""
        p_value: float | None = self._core.test()[2]
        return p_value

    def gaps(self, top: int = 10) -> Any:
        """The gaps by what closing them is worth, the largest first, each in words.

        Parameters
        ----------
        top : int
            How many at most.

        Returns
        -------
        frame
            Of the kind that came in: ``rank``, the two categories, ``observed``, ``expected``, ``index``, ``q`` and
            ``gap_value`` with their intervals, and ``sentence``. It has no rows where there is no gap.

        Raises
        ------
        DataError
            If ``top`` is negative.
        """
        if top < 0:
            raise DataError(f"top: found {top}, but a number of at least 0 is needed; try: top=10")
        return to_native(self._core.gaps(top), self._native)

    def matrix(self, what: str = "observed") -> Any:
        """One figure of every cell, laid out as the matrix.

        Parameters
        ----------
        what : str
            A column of ``table``, such as "observed", "index", "residual" or "status".

        Returns
        -------
        frame
            One row per row category, one column per column category. The row categories are the index of a pandas
            frame, and else the first column.

        Raises
        ------
        DataError
            If there is no such figure.
        """
        wide = to_native(self._core.matrix(what), self._native)
        return wide.set_index(self.rows) if self._native == "pandas" else wide

    def map(self, dims: int = 2) -> CorrespondenceMap:
        """The rows and columns as points of one picture: correspondence analysis.

        Rows lie near each other where their shares over the columns are alike; a column lies in the direction of the
        rows that have more of it than expected. It is the table as observed that is mapped; cells that cannot occur are
        filled with what independence expects of them [1]_, and so pull no point anywhere.

        Parameters
        ----------
        dims : int
            Dimensions to give coordinates of.

        Returns
        -------
        CorrespondenceMap
            ``.inertias``, ``.row_coordinates``, ``.col_coordinates``, ``.project()``, ``.plot()``, ``.explain()``.

        Raises
        ------
        DataError
            If fewer than two rows or columns have records, or nothing depends on anything.

        References
        ----------
        .. [1] de Leeuw and van der Heijden (1988), Correspondence analysis of incomplete contingency tables,
           Psychometrika 53.

        Examples
        --------
        >>> import ilk
        >>> answers = {"who": ["a"] * 50 + ["b"] * 50, "when": ["am"] * 35 + ["pm"] * 40 + ["am"] * 25}
        >>> places = ilk.gap_matrix(answers, rows="who", cols="when").map()
        >>> places.row_coordinates["dim_1"].round(3).tolist()
        [-0.204, 0.204]
        """
        return CorrespondenceMap(self._core.map(checked_dims(dims)), self._native)

    def plot(
        self,
        kind: Literal["heatmap"] = "heatmap",
        *,
        what: Literal["residual", "difference", "gap_value"] = "residual",
        ax: Axes | None = None,
    ) -> Axes:
        """Draw the matrix as a heatmap with a signed number in every cell.

        Parameters
        ----------
        kind : {"heatmap"}
            The only kind there is.
        what : {"residual", "difference", "gap_value"}
            The number: the adjusted residual, observed against expected in percent, or the worth of closing the gap.
            The colour is always the residual: orange is less than expected, purple more.
        ax : matplotlib Axes, optional
            Where to draw; a new figure where none is given.

        Returns
        -------
        matplotlib Axes
            Its label (``get_label()``) describes the picture in words, for readers who do not see it.

        Raises
        ------
        DataError
            If there is no such kind or number.
        """
        if kind != "heatmap":
            raise DataError(f"kind: found {kind!r}, but 'heatmap' is the only kind of a gap matrix")
        from ilk.plot.gaps import heatmap

        return heatmap(self, what=what, ax=ax)

    def explain(self) -> Explanation:
        """What the figures mean, in plain sentences with every threshold."""
        return Explanation("\n".join(self._core.explain()))

    def _shown(self) -> dict[str, Any]:
        return {name: column for name, column in self.to_dict().items() if name != "p"}


def gap_matrix(
    df: Any,
    *,
    rows: str,
    cols: str,
    values: str | None = None,
    customer: str | None = None,
    supply: Any = None,
    structural_zeros: Iterable[Sequence[Any]] | None = None,
    min_count: float = 5,
    confidence: float = 0.95,
) -> GapMatrix:
    """Compare what each kind of customer buys in each context with what the two explain.

    Parameters
    ----------
    df : frame
        One row per purchase or answer.
    rows, cols : str
        Columns with the categories: the kind of customer and the context, for example. Ordered categories keep their
        order and are kept without records; all others are sorted.
    values : str, optional
        Column that weighs the rows, such as money: not negative. Without it each row counts 1.
    customer : str, optional
        Column that says whose row it is. Rows of one customer resemble each other, and taking them for independent
        makes p-values too small and intervals too narrow; with this column whole customers are the units of chance.
    supply : mapping or frame, optional
        What is offered, in any unit. A mapping from column category to amount, or from pairs (row category, column
        category); or a frame with the column ``cols``, perhaps ``rows``, and one column of amounts. What is not named
        is not offered.
    structural_zeros : iterable of pairs, optional
        Pairs (row category, column category) that cannot occur.
    min_count : float
        Cells that expect fewer records are not judged. Where values are unequal the expected records are discounted
        for it (Kish, 1965).
    confidence : float
        Of the intervals. A cell is called a gap where ``q <= 1 - confidence``.

    Returns
    -------
    GapMatrix

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
      the sides turn: a *gap* is demand **above** the share of supply, and ``gap_value`` is observed minus expected.

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

    *Interval* of the index: ``index * exp(+-z se)``, with the linearised standard error of its logarithm as the table
    stands; for a cell without records the upper end is the exact Poisson bound ``-log((1 - confidence) / 2)`` over the
    expected records.

    Rows with a missing category or value are left out and counted in ``manifest``.

    References
    ----------
    Benjamini, Y. and Hochberg, Y. (1995), Journal of the Royal Statistical Society B 57, 289-300.
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
    wanted = [name for name in (rows, cols, values, customer) if name is not None]
    frame = Frame.of(df, columns=wanted)
    core = _core.gap_matrix(
        frame.core,
        rows,
        cols,
        values,
        customer,
        None if supply is None else _supply(supply, rows, cols),
        None if structural_zeros is None else _pairs(structural_zeros, rows, cols),
        float(min_count),
        float(confidence),
    )
    return GapMatrix(core, frame.native)


def _supply(supply: Any, rows: str, cols: str) -> _core.Table:
    """Supply as a table of categories and amounts."""
    if getattr(supply, "ndim", None) == 1 and hasattr(supply, "items"):  # a pandas Series
        supply = dict(supply.items())
    if not isinstance(supply, Mapping) or cols in supply:
        return Frame.of(supply, name="supply").core
    keys = list(supply)
    amount = free_name("amount", rows, cols)
    if keys and all(isinstance(key, tuple) and len(key) == 2 for key in keys):
        columns = {rows: [key[0] for key in keys], cols: [key[1] for key in keys]}
    else:
        columns = {cols: keys}
    return Frame.of({**columns, amount: list(supply.values())}, name="supply").core


def _pairs(pairs: Iterable[Sequence[Any]], rows: str, cols: str) -> _core.Table | None:
    """Pairs of categories as a table, so that they get the names that the categories of the records get."""
    listed = list(pairs)
    for pair in listed:
        if isinstance(pair, str) or not hasattr(pair, "__len__") or len(pair) != 2:
            raise DataError(
                f"structural_zeros: found {pair!r}, but pairs of a row and a column category are needed; "
                "try: structural_zeros=[('single', 'school lunch')]"
            )
    if not listed:
        return None
    columns = zip(*listed, strict=True)
    return Frame.of(dict(zip((rows, cols), map(list, columns), strict=True))).core

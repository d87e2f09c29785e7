"""A gap matrix: its figures, its gaps in words, its pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from ilk import _core
from ilk._arguments import whole
from ilk._frame import to_native
from ilk._result import Explanation, Result
from ilk.exceptions import DataError
from ilk.gaps._map import CorrespondenceMap, checked_dims
from ilk.gaps._options import drawing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes


class GapMatrix(Result):
    """A table of customer categories by contexts, and how far each cell is from what is expected.

    Made by :func:`gap_matrix`. ``table`` has one row per cell:

    ================ ================================================================================================
    column           meaning
    ================ ================================================================================================
    ``n``            records
    ``observed``     records, or the sum of ``values``, weighted by ``weights``
    ``expected``     what the totals of row and column explain, or the share of supply, need or the other period
    ``index``        observed divided by expected, with its interval ``index_lo`` to ``index_hi``
    ``index_shrunk`` the index drawn towards 1 by as much as the cell is thin, with its interval
    ``residual``     observed minus expected in standard deviations of chance (adjusted residual)
    ``p``            two-sided p-value of the cell; missing where it is not judged
    ``q``            p adjusted for the number of cells judged (Benjamini-Hochberg)
    ``gap_value``    what closing the gap is worth, in records, units of ``values`` or of ``value``, with its interval
    ``status``       ``gap``, ``saturated``, ``served``, ``empty``, ``too few``, ``not applicable`` or ``hidden``
    ================ ================================================================================================

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
        "index_shrunk": "index",
        "residual": "signed",
        "p": "p",
        "q": "p",
        "observed": "money",
        "expected": "money",
        "gap_value": "money",
    }

    @property
    def rows(self) -> str:
        """Column whose categories are the rows; of several columns, their names together."""
        return str(self._core.names()[0])

    @property
    def cols(self) -> str:
        """Column whose categories are the columns; of several columns, their names together."""
        return str(self._core.names()[1])

    @property
    def row_categories(self) -> list[str]:
        """Categories of the rows in order."""
        return list(self._core.categories()[0])

    @property
    def col_categories(self) -> list[str]:
        """Categories of the columns in order."""
        return list(self._core.categories()[1])

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
        TypeError
            If it is no whole number.
        """
        return to_native(self._core.gaps(whole("top", top)), self._native)

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
        if not isinstance(what, str):
            raise TypeError(
                f'what: found {what!r}, but the name of a figure is needed; try: what="observed"'
            )
        wide = to_native(self._core.matrix(what), self._native)
        names = self._core.levels()[0]
        return wide.set_index(names) if self._native == "pandas" else wide

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
        kind: Literal["heatmap", "mosaic", "bars"] = "heatmap",
        *,
        what: Literal["residual", "difference", "gap_value"] = "residual",
        order: Literal["given", "similarity"] = "given",
        top: int = 10,
        ax: Axes | None = None,
    ) -> Axes:
        """Draw the matrix as a heatmap, its shares as a mosaic, or the largest gaps as bars.

        Parameters
        ----------
        kind : {"heatmap", "mosaic", "bars"}
            A heatmap has a signed number in every cell, as far as they fit. A mosaic (Friendly, 1994) has one band per
            row, as high as its share, cut into tiles as wide as the shares of its columns; the band on top is what is
            expected of all. Bars are the gaps by what closing them is worth, with their intervals.
        what : {"residual", "difference", "gap_value"}
            The number in the cells of a heatmap: the adjusted residual, observed against expected in percent, or the
            worth of closing the gap. The colour is always the residual: orange is less than expected, purple more.
        order : {"given", "similarity"}
            Of the rows and columns of heatmap and mosaic: as in the table, or with like beside like, by the first
            dimension of correspondence analysis.
        top : int
            How many bars at most.
        ax : matplotlib Axes, optional
            Where to draw; a new figure where none is given.

        Returns
        -------
        matplotlib Axes
            Its label (``get_label()``) describes the picture in words, for readers who do not see it.

        Raises
        ------
        DataError
            If there is no such kind, number or order, or a mosaic is asked of a table with hidden cells.

        References
        ----------
        Friendly, M. (1994), Mosaic displays for multi-way contingency tables, JASA 89, 190-200.
        """
        drawing(ax)
        if kind == "heatmap":
            from ilk.plot.gaps import heatmap

            return heatmap(self, what=what, order=order, ax=ax)
        if kind == "mosaic":
            from ilk.plot.mosaic import mosaic

            return mosaic(self, order=order, ax=ax)
        if kind == "bars":
            from ilk.plot.gap_bars import bars

            return bars(self, top=whole("top", top), ax=ax)
        raise DataError(
            f"kind: found {kind!r}, but 'heatmap', 'mosaic' or 'bars' is needed; "
            'try: .plot("heatmap")'
        )

    def explain(self) -> Explanation:
        """What the figures mean, in plain sentences with every threshold."""
        return Explanation("\n".join(self._core.explain()))

    def _shown(self) -> dict[str, Any]:
        hidden = {"p", "index_shrunk", "index_shrunk_lo", "index_shrunk_hi"}
        return {name: column for name, column in self.to_dict().items() if name not in hidden}

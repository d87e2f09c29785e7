"""The map: categories as points, by correspondence analysis."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ilk import _core
from ilk._arguments import column_name
from ilk._frame import Frame, to_native
from ilk._result import Explanation, Result
from ilk.exceptions import DataError, MissingColumnError
from ilk.gaps._options import drawing, listed_columns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray


class CorrespondenceMap(Result):
    """Categories as points of one picture.

    Made by :meth:`GapMatrix.map` and :func:`correspondence`. ``.table`` has one row per point:

    ==================== ============================================================================================
    column               meaning
    ==================== ============================================================================================
    ``side``             "row" or "column"
    ``variable``         the column that the category belongs to
    ``mass``             share of all records
    ``inertia_share``    share of the total inertia that the point gives
    ``quality``          share of the point's squared distance to the average that the dimensions show
    ``dim_1`` ...        principal coordinates
    ``contribution_1``   share of the dimension's inertia that the point gives
    ``cos2_1``           share of the point's squared distance that the dimension shows
    ==================== ============================================================================================

    Each dimension is turned so that the point which gives most to it lies on the positive side, so that the picture depends
    neither on the machine nor on the order of the records.

    Examples
    --------
    >>> import ilk
    >>> answers = {"who": ["a"] * 50 + ["b"] * 50, "when": ["am"] * 35 + ["pm"] * 40 + ["am"] * 25}
    >>> places = ilk.gap_matrix(answers, rows="who", cols="when").map()
    >>> round(places.total_inertia, 6)
    0.041667
    """

    __slots__ = ()

    _wraps = _core.CorrespondenceMap
    _title = "Map of categories"
    _formats: ClassVar[Mapping[str, str]] = {
        "mass": "share",
        "inertia_share": "share",
        "quality": "share",
    }

    @property
    def inertias(self) -> Any:
        """One row per dimension: its inertia (squared singular value), share and cumulative share.

        For several columns also ``corrected`` (Benzécri's), and the shares by Benzécri and by Greenacre, who counts less:
        the raw shares are far too low, since each category's agreement with itself is counted.
        """
        return to_native(self._core.inertias(), self._native)

    @property
    def total_inertia(self) -> float:
        """Sum of the inertias: of a table, its chi-squared over the total."""
        total: float = self._core.total_inertia()
        return total

    @property
    def row_coordinates(self) -> Any:
        """Principal coordinates of the row categories; empty for a map of several columns."""
        return to_native(self._core.coordinates(True), self._native)

    @property
    def col_coordinates(self) -> Any:
        """Principal coordinates of the column categories; of all categories for a map of several columns."""
        return to_native(self._core.coordinates(False), self._native)

    def project(self, points: Any, side: str = "rows") -> Any:
        """Coordinates of points that took no part in the map.

        Parameters
        ----------
        points : frame
            For a map of a table, counts or values: one row per new point and one column per category of the other side,
            and perhaps one column of text with the names of the points. For a map of several columns, customers: the
            columns of the map. A category that was not there has no place and is left out of the customer's average.
        side : {"rows", "columns"}
            What the new points are, for a map of a table.

        Returns
        -------
        frame
            One row per point, with its coordinates; missing for a point without records.

        Raises
        ------
        DataError
            If a value is negative or missing.
        MissingColumnError
            If a category of the other side has no column.

        Examples
        --------
        >>> import ilk
        >>> answers = {"who": ["a"] * 50 + ["b"] * 50, "when": ["am"] * 35 + ["pm"] * 40 + ["am"] * 25}
        >>> places = ilk.gap_matrix(answers, rows="who", cols="when").map()
        >>> places.project({"who": ["new"], "am": [6], "pm": [4]})
        {'who': ['new'], 'dim_1': array([0.])}
        """
        if side not in ("rows", "columns"):
            raise DataError(f'side: found {side!r}, but "rows" or "columns" is needed')
        frame = Frame.of(points, name="points")
        if self._core.is_multiple():
            labels: dict[str, Any] = {}
            counts, rows = self._indicators(frame), True
        else:
            rows = side == "rows"
            labels, counts = self._counts(frame, rows)
        found = self._core.project(np.ascontiguousarray(counts, dtype=np.float64), rows)
        columns = {
            f"dim_{at + 1}": np.ascontiguousarray(found[:, at]) for at in range(found.shape[1])
        }
        # A point on the average has no sign.
        columns = {name: values + 0.0 for name, values in columns.items()}
        return to_native(Frame.of({**labels, **columns}).core, self._native)

    def _counts(self, frame: Frame, rows: bool) -> tuple[dict[str, Any], NDArray[np.float64]]:
        """The names of the points, and their counts in the categories of the other side."""
        wanted = [name for _, name in self._core.categories(not rows)]
        for name in wanted:
            if name not in frame.columns:
                raise MissingColumnError(_core.missing_column_message(name, frame.columns))
        others = [name for name in frame.columns if name not in wanted]
        labels = {name: list(frame.core.column(name)) for name in others}
        return labels, np.column_stack([frame.core.numeric(name) for name in wanted])

    def _indicators(self, frame: Frame) -> NDArray[np.float64]:
        """Which categories each customer is in."""
        places = {pair: at for at, pair in enumerate(self._core.categories(False))}
        found = np.zeros((len(frame), len(places)))
        for variable in dict.fromkeys(variable for variable, _ in places):
            codes, names, _ = frame.core.codes(variable)
            place = np.array([places.get((variable, name), -1) for name in names] + [-1])
            at = place[codes]
            rows = np.flatnonzero(at >= 0)
            found[rows, at[rows]] = 1
        return found

    def plot(self, *, dims: tuple[int, int] = (1, 2), ax: Axes | None = None) -> Axes:
        """Draw the map: rows as dots, columns as triangles, both in principal coordinates (the symmetric map).

        The size of a point is its mass. Labels are placed so that they do not overlap; where there are too many, those of
        the points that give least to the picture are left out, and the label of the axes says how many.

        Parameters
        ----------
        dims : tuple of int
            The dimensions to show, counted from 1.
        ax : matplotlib Axes, optional
            Where to draw; a new figure where none is given.

        Returns
        -------
        matplotlib Axes
            Its label (``get_label()``) describes the picture in words.
        """
        from ilk.plot.map import biplot

        if not isinstance(dims, (tuple, list)):
            raise TypeError(
                f"dims: found {dims!r}, but two dimensions counted from 1 are needed; try: dims=(1, 2)"
            )

        return biplot(self, dims=dims, ax=drawing(ax))

    def explain(self) -> Explanation:
        """What each dimension sets apart, how much the map shows, and how to read it."""
        return Explanation("\n".join(self._core.explain()))


def correspondence(
    df: Any,
    columns: Sequence[str] | None = None,
    *,
    weights: str | None = None,
    dims: int = 2,
) -> CorrespondenceMap:
    """Map the categories of several columns: multiple correspondence analysis.

    Categories lie near each other where the same customers have them.

    Parameters
    ----------
    df : frame
        One row per customer or answer.
    columns : sequence of str, optional
        Columns to compare; by default all but ``weights``. Each different value is a category, of numbers too.
    weights : str, optional
        Column with the weight of each row.
    dims : int
        Dimensions to give coordinates of.

    Returns
    -------
    CorrespondenceMap
        Of categories alone; ``.project(df)`` gives the places of customers.

    Raises
    ------
    MissingColumnError
        If a column is not there.
    DataError
        If there are fewer than two columns, a column has fewer than two categories, or no row is complete.

    Notes
    -----
    The singular value decomposition of the indicator matrix, by way of the table of all pairs of categories (Burt's), so
    that time and memory do not depend on the number of rows beyond one pass [1]_. Rows with a missing category are left
    out and counted. ``.inertias`` has the corrections of Benzécri [2]_ and Greenacre [3]_.

    References
    ----------
    .. [1] Greenacre (2007), Correspondence Analysis in Practice, chapters 18 and 19.
    .. [2] Benzécri (1979), Sur le calcul des taux d'inertie dans l'analyse d'un questionnaire, Cahiers de l'Analyse des
       Données 4.
    .. [3] Greenacre (1988), Correspondence analysis of multivariate categorical data by weighted least-squares,
       Biometrika 75.

    Examples
    --------
    >>> from ilk.gaps import correspondence
    >>> answers = {
    ...     "home": ["flat", "flat", "house", "house", "flat", "house"],
    ...     "pet": ["cat", "cat", "dog", "dog", "dog", "cat"],
    ...     "car": ["no", "no", "yes", "yes", "no", "yes"],
    ... }
    >>> correspondence(answers, dims=1).col_coordinates["dim_1"].round(2).tolist()
    [0.97, -0.97, 0.55, -0.55, 0.97, -0.97]
    """
    frame = Frame.of(df)
    if weights is not None:
        column_name("weights", weights)
    if columns is None:
        named = [name for name in frame.columns if name != weights]
    else:
        named = listed_columns("columns", columns)
    settings = {"columns": named, "weights": weights, "dims": dims}
    core = _core.map_columns(frame.core, named, weights, checked_dims(dims), json.dumps(settings))
    return CorrespondenceMap(core, frame.native)


def checked_dims(dims: Any) -> int:
    """A number of dimensions."""
    if isinstance(dims, bool) or not isinstance(dims, (int, np.integer)) or dims < 1:
        raise DataError(
            f"dims: found {dims!r}, but a whole number from 1 up is needed; try: dims=2"
        )
    return int(dims)

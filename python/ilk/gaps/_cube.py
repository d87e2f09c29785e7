"""A gap matrix for each segment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ilk import _core
from ilk._arguments import whole
from ilk._frame import to_native
from ilk._result import Explanation, Result

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ilk.gaps._matrix import GapMatrix


class GapCube(Result):
    """A gap matrix for each segment, and where the segments differ; made by :func:`gap_matrix` with ``by``.

    ``table`` has the columns of :class:`GapMatrix`, with the segment in front. ``cube["a"]`` is the matrix of segment "a".

    Notes
    -----
    A cell has the same index in all segments if they differ by chance alone. With observed ``O``, expected ``E`` and the
    variance ``V`` of their difference in each segment, ``L = sum(O E / V) / sum(E^2 / V)`` is the common index and
    ``sum((O - L E)^2 / (L V))`` is about chi-squared with one degree of freedom less than there are segments (score test
    of equal rate ratios; Breslow and Day, 1987). Segments whose cell is not judged are left out of its test.

    Examples
    --------
    >>> import ilk
    >>> frame = {
    ...     "region": ["north"] * 100 + ["south"] * 100,
    ...     "who": (["a"] * 50 + ["b"] * 50) * 2,
    ...     "when": ["am"] * 40 + ["pm"] * 35 + ["am"] * 25 + ["am"] * 10 + ["pm"] * 65 + ["am"] * 25,
    ... }
    >>> cube = ilk.gap_matrix(frame, rows="who", cols="when", by="region")
    >>> cube.segments
    ['north', 'south']
    >>> cube["north"].to_dict()["index"].round(2).tolist()
    [1.23, 0.57, 0.77, 1.43]
    >>> cube.differences(1)["who"], cube.differences(1)["highest"]
    (['b'], ['south'])
    """

    __slots__ = ()

    _wraps = _core.GapCube
    _title = "Gap matrices by segment"
    _formats: ClassVar[Mapping[str, str]] = {
        "index_all": "index",
        "index_lowest": "index",
        "index_highest": "index",
        "chi2": "number",
        "dof": "count",
        "p": "p",
        "q": "p",
    }

    @property
    def by(self) -> str:
        """Column of the segments."""
        return str(self._core.segments()[0])

    @property
    def segments(self) -> list[str]:
        """The segments in order."""
        return list(self._core.segments()[1])

    def __getitem__(self, segment: str) -> GapMatrix:
        from ilk.gaps._matrix import GapMatrix

        return GapMatrix(self._core.of(str(segment)), self._native)

    def __len__(self) -> int:
        return len(self.segments)

    def __iter__(self) -> Iterator[str]:
        return iter(self.segments)

    def differences(self, top: int = 10) -> Any:
        """The cells in which segments differ most, the surest first, each in words.

        Parameters
        ----------
        top : int
            How many at most.

        Returns
        -------
        frame
            Of the kind that came in: ``rank``, the categories, the index that all segments have in common
            (``index_all``), the segments of the ``lowest`` and the ``highest`` index with these, ``chi2``, ``dof``, ``p``, ``q``
            and ``sentence``.

        Raises
        ------
        DataError
            If ``top`` is negative.
        TypeError
            If it is no whole number.
        """
        return to_native(self._differences(top), self._native)

    def _differences(self, top: int) -> _core.Table:
        table: _core.Table = self._core.differences(whole("top", top))
        return table

    def plot(self, *, what: str = "residual", axes: Any = None) -> Any:
        """Draw the heatmap of every segment, one beside the other.

        Parameters
        ----------
        what : {"residual", "difference", "gap_value"}
            The number in the cells, as for :meth:`GapMatrix.plot`.
        axes : sequence of matplotlib Axes, optional
            Where to draw, one for each segment; a new figure where none are given.

        Returns
        -------
        list of matplotlib Axes

        Raises
        ------
        DataError
            If there are not as many axes as segments, or there is no such number.
        """
        from ilk.plot.gap_cube import heatmaps

        return heatmaps(self, what=what, axes=axes)

    def explain(self) -> Explanation:
        """How many cells differ between segments, which most, and how many gaps each segment has."""
        return Explanation("\n".join(self._core.explain()))

    def _shown(self) -> dict[str, Any]:
        from ilk._frame import to_dict

        shown = to_dict(self._differences(10))
        return {name: column for name, column in shown.items() if name != "sentence"}

"""The cells of a gap matrix as its pictures need them: as arrays, coloured, and in words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ilk.exceptions import DataError
from ilk.plot._style import GAPS, label, literal, pyplot

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Text
    from numpy.typing import NDArray

    from ilk.gaps import GapMatrix

__all__ = ["GREY", "NUMBERS", "Cells", "extent", "labels", "longest", "signed", "spread"]

#: What the number in a cell is called.
NUMBERS = {
    "residual": "adjusted residual",
    "difference": "difference from expected in %",
    "gap_value": "what closing the gap is worth",
}

#: Cells that are not judged.
GREY = (0.93, 0.93, 0.93, 1.0)

#: Statuses of cells that are said to differ.
_FOUND = ("gap", "saturated", "empty")

#: Statuses of cells whose number says nothing, with what stands there instead.
_MARKS = {"not applicable": ("n/a", "×"), "too few": ("too few", "·"), "hidden": ("hidden", "?")}


@dataclass(frozen=True)
class Cells:
    """A gap matrix as arrays, one entry per cell; what does not exist is NaN."""

    names: tuple[str, str, str]  # what is counted, the rows, the columns
    rows: list[str]
    cols: list[str]
    figures: dict[str, NDArray[np.float64]]
    status: NDArray[Any]

    @classmethod
    def of(cls, matrix: GapMatrix) -> Cells:
        """Those of a matrix in the order given."""
        table = matrix.to_dict()
        rows, cols = matrix.row_categories, matrix.col_categories
        shape = (len(rows), len(cols))
        wanted = ("observed", "expected", "index", "residual", "gap_value")
        figures = {
            name: np.asarray(table[name], dtype=np.float64).reshape(shape) for name in wanted
        }
        status = np.asarray(table["status"], dtype=object).reshape(shape)
        return cls(
            (matrix.values or "records", matrix.rows, matrix.cols), rows, cols, figures, status
        )

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and columns."""
        return len(self.rows), len(self.cols)

    @property
    def unjudged(self) -> NDArray[np.bool_]:
        """Cells whose residual says nothing."""
        return np.isin(self.status, list(_MARKS)) | np.isnan(self.figures["residual"])

    @property
    def found(self) -> NDArray[np.bool_]:
        """Cells that are said to differ from what is expected."""
        return np.isin(self.status, _FOUND)

    def ordered(self, order: str) -> Cells:
        """The same in this order: as given, or like beside like.

        Likeness is the place on the first dimension of correspondence analysis, which is the first pair of singular
        vectors of the table of ``(observed - expected) / sqrt(expected)``, each divided by the root of the total
        (Greenacre 2017, Correspondence Analysis in Practice). Its direction is the one nearer the order given.
        """
        if order == "given":
            return self
        if order != "similarity":
            raise DataError(f"order: found {order!r}, but 'given' or 'similarity' is needed")
        observed, expected = self.figures["observed"], np.nan_to_num(self.figures["expected"])
        root = np.sqrt(expected)
        apart = np.divide(
            np.nan_to_num(observed) - expected, root, out=np.zeros(self.shape), where=root > 0
        )
        apart[~np.isfinite(observed)] = 0
        left, _, right = np.linalg.svd(apart, full_matrices=False)
        places = [
            _place(vector, expected.sum(axis=1 - side))
            for side, vector in enumerate((left[:, 0], right[0]))
        ]
        if _rise(places[0]) + _rise(places[1]) < 0:
            places = [-place for place in places]
        at_row, at_col = (np.argsort(place, kind="stable") for place in places)
        at = np.ix_(at_row, at_col)
        return Cells(
            self.names,
            [self.rows[i] for i in at_row],
            [self.cols[j] for j in at_col],
            {name: figure[at] for name, figure in self.figures.items()},
            self.status[at],
        )

    def reach(self, least: float, most: float) -> float:
        """The largest residual, but not less and not more than this."""
        residual = self.figures["residual"]
        return float(np.clip(np.abs(residual[np.isfinite(residual)]).max(initial=0), least, most))

    def colours(self, reach: float) -> NDArray[np.float64]:
        """Colours of the residuals, which are strongest at ``reach``."""
        residual = np.nan_to_num(self.figures["residual"], posinf=reach, neginf=-reach)
        # From 0 to 1 with 0.5 where observed is as expected.
        place = 0.5 + 0.5 * np.clip(residual / reach, -1, 1)
        colours: NDArray[np.float64] = pyplot().get_cmap(GAPS)(place)
        colours[self.unjudged] = GREY
        return colours

    def texts(self, what: str, *, short: bool = False) -> NDArray[Any]:
        """The signed number of every cell as text, or a mark where it says nothing."""
        if what not in NUMBERS:
            allowed = ", ".join(map(repr, NUMBERS))
            raise DataError(f"what: found {what!r}, but one of {allowed} is needed")
        if what == "residual":
            numbers = [signed(value) for value in self.figures["residual"].flat]
        elif what == "difference":
            numbers = [f"{signed(100 * (value - 1), 0)} %" for value in self.figures["index"].flat]
        else:
            numbers = [signed(value, 0) for value in self.figures["gap_value"].flat]
        texts = [
            _MARKS[status][short] if status in _MARKS else text
            for text, status in zip(numbers, self.status.flat, strict=True)
        ]
        return np.array(texts, dtype=object).reshape(self.shape)

    def words(self, texts: NDArray[Any]) -> str:
        """Each row in words, with these texts and the statuses of its cells."""
        return " ".join(
            f"{row}: "
            + ", ".join(
                f"{col} {texts[i, j]} ({self.status[i, j]})" for j, col in enumerate(self.cols)
            )
            + "."
            for i, row in enumerate(self.rows)
        )


def _place(vector: NDArray[np.float64], total: NDArray[np.float64]) -> NDArray[np.float64]:
    # Rounded, so that equal profiles stay in the order given.
    root = np.sqrt(np.where(total > 0, total, np.inf))
    place: NDArray[np.float64] = np.round(vector / root * np.sqrt(total.sum()), 9)
    return place


def _rise(place: NDArray[np.float64]) -> float:
    at = np.arange(len(place)) - (len(place) - 1) / 2
    return float(at @ place / (np.linalg.norm(place) * np.linalg.norm(at) or 1))


def signed(value: float, decimals: int = 1) -> str:
    """A number with its sign; none for what rounds to zero, a dash for what is missing.

    >>> signed(2.54), signed(0.01), signed(float("inf"))
    ('+2.5', '0.0', '+∞')
    """
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "+∞" if value > 0 else "−∞"
    text = f"{value:+,.{decimals}f}".replace("-", "−")
    return text if text.strip("+−0.,") else text[1:]


def labels(names: list[str], width: int = 24) -> list[str]:
    """Names cut to ``width`` letters; those that would then be the same keep their ends.

    >>> labels(["a very long name, part 1", "a very long name, part 2", "b"], 12)
    ['a very…rt 1', 'a very…rt 2', 'b']
    """
    cut = [label(name, width) for name in names]
    tail = (width - 1) * 2 // 5
    return [
        short
        if cut.count(short) == 1 or len(name) <= width
        else literal(f"{name[: width - 1 - tail].rstrip()}…{name[len(name) - tail :].lstrip()}")
        for name, short in zip(names, cut, strict=True)
    ]


def extent(ax: Axes) -> tuple[float, float]:
    """Width and height of the axes in points, as they will be drawn."""
    figure = ax.get_figure(root=True)
    if figure is None:
        return 1.0, 1.0
    figure.draw_without_rendering()
    box = ax.get_window_extent()
    return 72 * box.width / figure.dpi, 72 * box.height / figure.dpi


def longest(ax: Axes, texts: list[str], **style: Any) -> tuple[float, float]:
    """Width and height in points of the widest and the highest of some texts, at a size of 10 points."""
    figure = ax.get_figure(root=True)
    if figure is None or not texts:
        return 0.0, 0.0
    wide, high = 0.0, 0.0
    # The longest by number of letters are not all of the widest, but the widest is among them.
    for text in sorted(set(texts), key=len)[-12:]:
        probe: Text = ax.text(0, 0, text, fontsize=10, in_layout=False, **style)
        box = probe.get_window_extent()
        wide, high = max(wide, box.width), max(high, box.height)
        probe.remove()
    return 72 * wide / figure.dpi, 72 * high / figure.dpi


def spread(wanted: NDArray[np.float64], gap: float, low: float, high: float) -> NDArray[np.float64]:
    """Places nearest the wanted ones, in the same order, at least ``gap`` apart and between two ends.

    The least squares of the moves, by pooling neighbours (isotonic regression); where there is too little room, the gap
    is what there is room for. ``wanted`` must not fall.

    >>> spread(np.array([1.0, 1.0, 5.0]), 1.0, 0.0, 10.0).tolist()
    [0.5, 1.5, 5.0]
    """
    if len(wanted) < 2:
        return np.clip(wanted, low, high)
    gap = min(gap, (high - low) / (len(wanted) - 1))
    steps = gap * np.arange(len(wanted))
    pools: list[tuple[float, int]] = []
    for value in wanted - steps:
        mean, count = float(value), 1
        while pools and pools[-1][0] > mean:
            other, size = pools.pop()
            mean, count = (mean * count + other * size) / (count + size), count + size
        pools.append((mean, count))
    level = np.repeat([mean for mean, _ in pools], [count for _, count in pools])
    places: NDArray[np.float64] = np.clip(level, low, high - steps[-1]) + steps
    return places

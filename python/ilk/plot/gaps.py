"""The gap matrix as a heatmap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ilk.plot._cells import NUMBERS, Cells, extent, labels, longest
from ilk.plot._fonts import writing
from ilk.plot._style import GAPS, describe, label, pyplot, text_color

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from ilk.gaps import GapMatrix

__all__ = ["colour_reach", "heatmap"]

#: Residual at which the colour is strongest, at least: weaker tables stay pale.
_LEAST_RANGE = 4.0

#: Residual at which the colour is strongest, at most: one outlier does not bleach the rest.
_MOST_RANGE = 12.0

#: Sizes of letters in points: as a rule, the least for numbers, the least for names.
_SIZE, _LEAST_NUMBER, _LEAST_NAME = 10.0, 5.5, 5.0

#: Below this size of letters words give way to marks.
_SHORT = 7.0


def colour_reach(matrix: GapMatrix) -> float:
    """The residual at which the colours of a matrix are strongest."""
    return Cells.of(matrix).reach(_LEAST_RANGE, _MOST_RANGE)


def heatmap(
    matrix: GapMatrix,
    *,
    what: str = "residual",
    order: str = "given",
    ax: Axes | None = None,
    reach: float | None = None,
) -> Axes:
    """Draw a gap matrix; see :meth:`ilk.GapMatrix.plot`. Colours are strongest at ``reach``, by default of its own."""
    cells = Cells.of(matrix)
    texts = cells.texts(what)
    cells = cells.ordered(order)
    texts = cells.texts(what)
    n_rows, n_cols = cells.shape
    with writing([*cells.names, *cells.rows, *cells.cols]):
        if ax is None:
            size = (
                max(5.0, 2.6 + n_cols * float(np.clip(14 / n_cols, 0.36, 1.15))),
                2.1 + n_rows * float(np.clip(8 / n_rows, 0.22, 0.55)),
            )
            _, ax = pyplot().subplots(figsize=size, layout="constrained")
        reach = reach or cells.reach(_LEAST_RANGE, _MOST_RANGE)
        colours = cells.colours(reach)
        ax.imshow(colours, aspect="auto")
        title = _title(ax, cells, what, order, matrix._core.limit())
        _name_sides(ax, cells)
        if not _write(ax, cells, texts, cells.texts(what, short=True), colours):
            _colour_bar(ax, reach)
            ax.set_title(
                f"{title}\nnumbers find no room; they are in the table",
                loc="left",
                fontsize="small",
            )
            _name_sides(ax, cells)
        _divide(ax, cells.shape)
    kind = f"each cell shows the {NUMBERS[what]}"
    ordered = "" if order == "given" else " Rows and columns are ordered by similarity."
    counted, rows, cols = cells.names
    return describe(
        ax, f"Heatmap of {counted} by {rows} and {cols}; {kind}.{ordered} {cells.words(texts)}"
    )


def _title(ax: Axes, cells: Cells, what: str, order: str, limit: float) -> str:
    counted, rows, cols = (label(name) for name in cells.names)
    title = (
        f"{counted} by {rows} and {cols}: {NUMBERS[what]}\n"
        "colour is the residual: orange less than expected, purple more\n"
        f"bold: q ≤ {limit:g}, grey: not judged"
    )
    if order == "similarity":
        title += "; ordered by similarity"
    ax.set_title(title, loc="left", fontsize="small")
    return title


def _divide(ax: Axes, shape: tuple[int, int]) -> None:
    """Lines between the cells."""
    ax.set_xticks(np.arange(1, shape[1]) - 0.5, minor=True)
    ax.set_yticks(np.arange(1, shape[0]) - 0.5, minor=True)
    width, height = extent(ax)
    line = min(2.0, 0.06 * min(width / shape[1], height / shape[0]))
    ax.grid(which="minor", color=ax.get_facecolor(), linewidth=line)
    ax.tick_params(which="minor", length=0)
    ax.spines[:].set_visible(False)


def _name_sides(ax: Axes, cells: Cells) -> None:
    """Names of rows and columns, as large as there is room; of too many, every second or third."""
    rows, cols = labels(cells.rows), labels(cells.cols)
    n_rows, n_cols = cells.shape
    ax.set_xlabel(label(cells.names[2]))
    ax.set_ylabel(label(cells.names[1]))
    ax.tick_params(length=0)
    ax.set_xticks(range(n_cols), cols, rotation=0)
    ax.set_yticks(range(n_rows), rows)
    wide, high = longest(ax, cols)
    _, row_high = longest(ax, rows)
    # Names take room from the cells, and the cells say how large names may be: after three looks they agree.
    for _ in range(3):
        width, height = extent(ax)
        room = width / n_cols
        size = float(np.clip(_SIZE * 0.95 * height / n_rows / row_high, _LEAST_NAME, _SIZE))
        skip = int(np.ceil(size / _SIZE * row_high / (height / n_rows) * 0.999))
        ax.set_yticks(range(0, n_rows, skip), rows[::skip], fontsize=size)
        if wide < 0.95 * room:
            ax.set_xticks(range(n_cols), cols, rotation=0, fontsize=_SIZE)
            continue
        steep = room < 1.9 * high
        size = float(np.clip(_SIZE * 0.95 * room / high, _LEAST_NAME, _SIZE)) if steep else _SIZE
        skip = int(np.ceil(size / _SIZE * high / room * 0.999)) if steep else 1
        ax.set_xticks(
            range(0, n_cols, skip),
            cols[::skip],
            rotation=90 if steep else 35,
            ha="center" if steep else "right",
            va="top",
            rotation_mode="default" if steep else "anchor",
            fontsize=size,
        )


def _write(
    ax: Axes,
    cells: Cells,
    texts: NDArray[Any],
    short: NDArray[Any],
    colours: NDArray[np.float64],
) -> bool:
    """Write a number into every cell, as large as they all fit; whether they do."""
    n_rows, n_cols = cells.shape
    width, height = extent(ax)

    def fitting(texts: NDArray[Any]) -> float:
        wide, high = longest(ax, list(texts.flat), fontweight="bold")
        return min(_SIZE, 9.2 * width / n_cols / wide, 8.5 * height / n_rows / high)

    size = fitting(texts)
    if size < _SHORT:
        texts, size = short, fitting(short)
    if size < _LEAST_NUMBER:
        return False
    found, unjudged = cells.found, cells.unjudged
    for i, j in np.ndindex(cells.shape):
        ax.text(
            j,
            i,
            str(texts[i, j]),
            ha="center",
            va="center",
            color="#666666" if unjudged[i, j] else text_color(colours[i, j]),
            fontsize=size,
            fontweight="bold" if found[i, j] else "normal",
            fontstyle="italic" if unjudged[i, j] else "normal",
            in_layout=False,
        )
    return True


def _colour_bar(ax: Axes, reach: float) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    figure = ax.get_figure()
    if figure is not None:
        shown = ScalarMappable(Normalize(-reach, reach), GAPS)
        bar = figure.colorbar(shown, ax=ax, extend="both", shrink=0.6, pad=0.02, aspect=30)
        bar.set_label("adjusted residual")
        bar.outline.set_visible(False)

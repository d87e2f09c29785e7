"""The gap matrix as a picture."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ilk.exceptions import DataError
from ilk.plot._style import GAPS, describe, literal, pyplot, text_color

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ilk.gaps import GapMatrix

__all__ = ["heatmap"]

#: What the number in a cell is called.
_NUMBERS = {
    "residual": "adjusted residual",
    "difference": "difference from expected in %",
    "gap_value": "what closing the gap is worth",
}

#: Residual at which the colour is strongest, at least: weaker tables stay pale.
_LEAST_RANGE = 4.0

#: Residual at which the colour is strongest, at most: one outlier does not bleach the rest.
_MOST_RANGE = 12.0


def heatmap(matrix: GapMatrix, *, what: str = "residual", ax: Axes | None = None) -> Axes:
    """Draw a gap matrix; see :meth:`ilk.GapMatrix.plot`."""
    if what not in _NUMBERS:
        allowed = ", ".join(map(repr, _NUMBERS))
        raise DataError(f"what: found {what!r}, but one of {allowed} is needed")
    table = matrix.to_dict()
    row_names = matrix.row_categories
    col_names = matrix.col_categories
    shape = (len(row_names), len(col_names))
    residual = np.asarray(table["residual"], dtype=float).reshape(shape)
    status = np.asarray(table["status"], dtype=object).reshape(shape)
    texts = _texts(table, what).reshape(shape)

    finite = np.abs(residual[np.isfinite(residual)])
    reach = float(np.clip(finite.max(initial=0.0), _LEAST_RANGE, _MOST_RANGE))
    plt = pyplot()
    # From 0 to 1 with 0.5 where observed is as expected; a residual that does not exist is coloured below.
    place = 0.5 + 0.5 * np.clip(np.nan_to_num(residual, posinf=reach, neginf=-reach) / reach, -1, 1)
    colours = plt.get_cmap(GAPS)(place)
    unjudged = np.isin(status, ("not applicable", "too few")) | np.isnan(residual)
    colours[unjudged] = (0.93, 0.93, 0.93, 1.0)

    if ax is None:
        size = (max(5.0, 2.6 + 1.15 * shape[1]), 2.1 + 0.55 * shape[0])
        _, ax = plt.subplots(figsize=size, layout="constrained")
    ax.imshow(colours, aspect="auto")
    for i, j in np.ndindex(shape):
        found = status[i, j] in ("gap", "saturated", "empty")
        ax.text(
            j,
            i,
            str(texts[i, j]),
            ha="center",
            va="center",
            color="#666666" if unjudged[i, j] else text_color(colours[i, j]),
            fontweight="bold" if found else "normal",
            fontstyle="italic" if unjudged[i, j] else "normal",
        )
    ax.set_xticks(range(shape[1]), [_label(name) for name in col_names])
    ax.set_yticks(range(shape[0]), [_label(name) for name in row_names])
    if max(map(len, col_names)) > 10:
        plt.setp(ax.get_xticklabels(), rotation=30, ha="right", rotation_mode="anchor")
    ax.set(xlabel=_label(matrix.cols), ylabel=_label(matrix.rows))
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set_xticks(np.arange(1, shape[1]) - 0.5, minor=True)
    ax.set_yticks(np.arange(1, shape[0]) - 0.5, minor=True)
    ax.grid(which="minor", color="white", linewidth=2)
    ax.tick_params(which="minor", length=0)
    names = [_label(name) for name in (matrix.values or "records", matrix.rows, matrix.cols)]
    limit = matrix._core.limit()
    ax.set_title(
        f"{names[0]} by {names[1]} and {names[2]}: {_NUMBERS[what]}\n"
        f"colour is the residual: orange less than expected, purple more\nbold: q ≤ {limit:g}, grey: not judged",
        loc="left",
        fontsize="small",
    )
    describe(ax, _description(matrix, texts, status, row_names, col_names, what))
    return ax


def _texts(table: dict[str, Any], what: str) -> np.ndarray[Any, np.dtype[Any]]:
    """The signed number of every cell as text."""
    if what == "residual":
        numbers = [_signed(value) for value in table["residual"]]
    elif what == "difference":
        numbers = [f"{_signed(100 * (value - 1), 0)} %" for value in table["index"]]
    else:
        numbers = [_signed(value, 0) for value in table["gap_value"]]
    marks = {"not applicable": "n/a", "too few": "too few"}
    texts = [marks.get(status, text) for text, status in zip(numbers, table["status"], strict=True)]
    return np.array(texts, dtype=object)


def _signed(value: float, decimals: int = 1) -> str:
    """A number with its sign; none for what rounds to zero, a dash for what is missing."""
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "+∞" if value > 0 else "−∞"
    text = f"{value:+,.{decimals}f}".replace("-", "−")
    return text if text.strip("+−0.,") else text[1:]


def _label(name: str, width: int = 24) -> str:
    """A name from data, cut to ``width`` letters."""
    return literal(name if len(name) <= width else name[: width - 1].rstrip() + "…")


def _description(
    matrix: GapMatrix,
    texts: Any,
    status: Any,
    row_names: list[str],
    col_names: list[str],
    what: str,
) -> str:
    """The picture in words, for those who cannot see it."""
    lines = [
        f"Heatmap of {matrix.values or 'records'} by {matrix.rows} and {matrix.cols}; "
        f"each cell shows the {_NUMBERS[what]}."
    ]
    for i, row in enumerate(row_names):
        cells = ", ".join(
            f"{col} {texts[i, j]} ({status[i, j]})" for j, col in enumerate(col_names)
        )
        lines.append(f"{row}: {cells}.")
    return " ".join(lines)

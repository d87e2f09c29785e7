"""Content by persona and stage, messages by role, and white space as pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ilk._html import format_value
from ilk.exceptions import DataError
from ilk.plot._style import CATEGORIES, describe, heatmap, label, new_axes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from ilk.gaps import ContentComparison, ContentCoverage, MessageMatrix, Whitespace

__all__ = ["change_map", "coverage_map", "message_map", "whitespace_map"]

#: Columns from which on cells hold letters instead of words.
_MANY = 12

_LETTERS = {
    "empty": "E",
    "stale": "S",
    "thin": "T",
    "over-covered": "+",
    "no inbound": "−I",
    "no outbound": "−O",
}

_KEY = "E empty, S stale, T thin, + over-covered, −I no inbound, −O no outbound"

_WHAT = {
    "gap": "share of coverage less share of need, in points\norange: content lacks, purple: more than needed",
    "coverage": "coverage: sum of quality times freshness",
    "need": "need: share of all customers",
}


def coverage_map(found: ContentCoverage, what: str, ax: Axes | None = None) -> Axes:
    """Draw content by persona and stage; see :meth:`ilk.gaps.ContentCoverage.plot`."""
    if what not in _WHAT:
        allowed = ", ".join(map(repr, _WHAT))
        raise DataError(f"what: found {what!r}, but one of {allowed} is needed")
    table = found.to_dict()
    personas, stages = found.personas, found.stages
    shape = (len(personas), len(stages))
    if what == "gap":
        values = -100 * np.asarray(table["gap"], dtype=float)
        numbers = _points(values)
    else:
        values = np.asarray(table[what], dtype=float)
        kind = "index" if what == "coverage" else "share"
        numbers = [format_value(value, kind) for value in values]
    letters = len(stages) > _MANY
    marks = [
        _mark(status, missing, letters)
        for status, missing in zip(table["status"], table["missing"], strict=True)
    ]
    nobody = np.array([status == "no demand" for status in table["status"]])
    values = np.where(nobody, np.nan, values)
    texts = [
        "nobody" if nobody[at] and not letters else "·" if nobody[at] else _lines(number, mark)
        for at, (number, mark) in enumerate(zip(numbers, marks, strict=True))
    ]
    ax = _grid(
        ax, values.reshape(shape), personas, stages, _rows(texts, shape), signed=what == "gap"
    )
    title = f"Content by persona and stage: {_WHAT[what]}"
    ax.set_title(f"{title}\n{_KEY}" if letters else title, loc="left", fontsize="small", pad=10)
    cells = (
        f"{table['persona'][at]} at {table['stage'][at]}: {numbers[at]}, {table['status'][at]}"
        + (f", {table['missing'][at]}" if table["missing"][at] else "")
        for at in range(len(values))
    )
    return describe(ax, f"{title.replace(chr(10), '; ')}. {'; '.join(cells)}.")


def change_map(found: ContentComparison, ax: Axes | None = None) -> Axes:
    """Draw two audits; see :meth:`ilk.gaps.ContentComparison.plot`."""
    table = found.to_dict()
    personas = list(dict.fromkeys(table["persona"]))
    stages = list(dict.fromkeys(table["stage"]))
    shape = (len(personas), len(stages))
    values, texts = np.full(shape, np.nan), [[""] * shape[1] for _ in personas]
    told = []
    before, after = (-100 * np.asarray(table[f"gap_{when}"]) for when in ("before", "after"))
    points = _points(np.concatenate([before, after]))
    for row, change in enumerate(table["change"]):
        i, j = personas.index(table["persona"][row]), stages.index(table["stage"][row])
        values[i, j] = abs(before[row]) - abs(after[row])
        numbers = f"{points[row]} → {points[row + len(before)]}"
        texts[i][j] = _lines(numbers, change)
        told.append(f"{personas[i]} at {stages[j]}: {numbers}{', ' if change else ''}{change}")
    # Less than a point is no change to be coloured.
    limit = max(1.0, float(np.nanmax(np.abs(values), initial=0)))
    ax = _grid(ax, values, personas, stages, texts, signed=True, limit=limit)
    title = "Share of coverage less share of need, in points, before and after"
    ax.set_title(
        f"{title}\npurple: nearer to the need than before, orange: farther",
        loc="left",
        fontsize="small",
        pad=10,
    )
    return describe(ax, f"{title}. {'; '.join(told)}.")


def message_map(found: MessageMatrix, ax: Axes | None = None) -> Axes:
    """Draw messages by role; see :meth:`ilk.gaps.MessageMatrix.plot`."""
    from matplotlib.patches import Rectangle

    table = found.to_dict()
    roles = list(dict.fromkeys(table["role"]))
    messages = list(dict.fromkeys(table["message"]))
    shape = (len(roles), len(messages))
    own = np.asarray(table["own"], dtype=bool).reshape(shape)
    pieces = np.asarray(table["pieces"], dtype=float).reshape(shape)
    texts = [
        [
            "none" if own[i, j] and n == 0 else format_value(n) if n else ""
            for j, n in enumerate(line)
        ]
        for i, line in enumerate(pieces)
    ]
    ax = _grid(ax, pieces, roles, messages, texts, signed=False)
    for i, j in np.argwhere(own):
        box = Rectangle(
            (j - 0.46, i - 0.46), 0.92, 0.92, fill=False, linewidth=2.5, edgecolor=CATEGORIES[5]
        )
        ax.add_patch(box)
    title = "Pieces by role and message\nboxed: what matters to the role"
    ax.set_title(title, loc="left", fontsize="small", pad=10)
    said = found.explain().splitlines()
    return describe(ax, f"{title.replace(chr(10), '; ')}. {' '.join(said)}")


def whitespace_map(found: Whitespace, products: int, segments: int, ax: Axes | None = None) -> Axes:
    """Draw white space; see :meth:`ilk.gaps.Whitespace.plot`."""
    for name, number in (("products", products), ("segments", segments)):
        if isinstance(number, bool) or not isinstance(number, (int, np.integer)) or number < 1:
            raise DataError(f"{name}: found {number!r}, but a whole number from 1 up is needed")
    table = found.to_dict()
    all_segments, all_products, valued = found._core.names()
    shape = (len(all_segments), len(all_products))
    potential = np.asarray(table["potential"]).reshape(shape)
    likelihood = np.asarray(table["p_buy"]).reshape(shape)
    cols = _largest(potential.sum(axis=0), products)
    rows = _largest(potential[:, cols].sum(axis=1), segments)
    values, worth = likelihood[np.ix_(rows, cols)], potential[np.ix_(rows, cols)]
    texts = [
        [f"{100 * p:.0f} %\n{_short(money)}" for p, money in zip(likely, line, strict=True)]
        for likely, line in zip(values, worth, strict=True)
    ]
    names = [all_segments[row] for row in rows], [all_products[col] for col in cols]
    ax = _grid(ax, values, *names, texts, signed=False)
    what = (
        "what the accounts without it are worth"
        if valued
        else "buyers to be expected among the others"
    )
    title = f"How likely an account of the segment is to buy; below, {what}"
    left = [
        f"{shape[side] - len(shown)} {word} with less potential are not shown"
        for side, shown, word in ((1, cols, "products"), (0, rows, "segments"))
        if shape[side] > len(shown)
    ]
    ax.set_title("\n".join([title, *left]), loc="left", fontsize="small", pad=10)
    return describe(ax, f"{title}. {' '.join(found.explain().splitlines())}")


def _largest(values: NDArray[np.float64], most: int) -> NDArray[np.intp]:
    """Places of the largest values, in order."""
    return np.argsort(-values, kind="stable")[:most]


def _short(value: float) -> str:
    """An amount in few letters.

    >>> _short(1234567), _short(45600), _short(7.25)
    ('1.2M', '46k', '7.2')
    """
    for unit, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= 9.995 * unit:
            return f"{value / unit:,.0f}{letter}"
        if value >= unit:
            return f"{value / unit:.1f}{letter}"
    return f"{value:.0f}" if value >= 9.95 else f"{value:.1f}"


def _points(values: NDArray[np.float64]) -> list[str]:
    """Points with their signs, all with the decimals that the largest needs."""
    largest = np.nanmax(np.abs(values), initial=0)
    return [
        _signed(value, 0 if largest >= 9.5 else 1 if largest >= 0.95 else 2) for value in values
    ]


def _signed(value: float, decimals: int) -> str:
    """A number with its sign; none for what rounds to 0, a dash for what is missing.

    >>> _signed(12.4, 0), _signed(-0.2, 0), _signed(0.2, 1)
    ('+12', '0', '+0.2')
    """
    if value != value:
        return "–"
    text = f"{value:+.{decimals}f}".replace("-", "−")
    return text if text.strip("+−0.") else "0"


def _mark(status: str, missing: str, letters: bool) -> str:
    """What a cell lacks, in words or letters."""
    words = [status] if status in ("empty", "stale", "thin", "over-covered") else []
    if status != "empty" and missing:
        words += missing.split(", ")
    return " ".join(_LETTERS[word] for word in words) if letters else "\n".join(words)


def _lines(number: str, mark: str) -> str:
    return f"{number}\n{mark}" if mark else number


def _rows(texts: Sequence[str], shape: tuple[int, int]) -> list[list[str]]:
    return [list(texts[row * shape[1] : (row + 1) * shape[1]]) for row in range(shape[0])]


def _grid(
    ax: Axes | None,
    values: Any,
    rows: Sequence[str],
    cols: Sequence[str],
    texts: Sequence[Sequence[str]],
    *,
    signed: bool,
    limit: float | None = None,
) -> Axes:
    """A heatmap with room for cells of several lines."""
    lines = [text.split("\n") for line in texts for text in line]
    widest = max((len(text) for cell in lines for text in cell), default=1)
    most = max((len(cell) for cell in lines), default=1)
    names = max((min(len(name), 40) for name in rows), default=1)
    width = 1.2 + 0.08 * names + len(cols) * max(0.55, 0.2 + 0.075 * widest)
    height = 1.7 + len(rows) * (0.2 + 0.19 * most)
    ax = new_axes(ax, max(width, 6.4), height)
    ax = heatmap(ax, values, rows, cols, texts, signed=signed, limit=limit)
    ax.set_yticks(range(len(rows)), [label(name, 40) for name in rows])
    ax.set_xticks(np.arange(1, len(cols)) - 0.5, minor=True)
    ax.set_yticks(np.arange(1, len(rows)) - 0.5, minor=True)
    ax.grid(which="minor", color="white", linewidth=2)
    ax.tick_params(which="minor", length=0, top=False, bottom=False)
    return ax

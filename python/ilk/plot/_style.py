"""What every picture shares: colours that all readers can tell apart, text that can be read on them, a description.

Colour is never the only channel: categories are also named, and cells also carry their number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ilk.plot._fonts import drawable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

    from matplotlib.axes import Axes
    from matplotlib.colors import Normalize
    from numpy.typing import ArrayLike

__all__ = [
    "AMOUNTS",
    "CATEGORIES",
    "GAPS",
    "contrast",
    "describe",
    "heatmap",
    "ink",
    "label",
    "literal",
    "new_axes",
    "pyplot",
    "text_color",
]

#: Okabe and Ito (2008), Color Universal Design; yellow and black come last: one is pale, the other reads as text.
CATEGORIES = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#D55E00",
    "#F0E442",
    "#000000",
)

#: Colour map of amounts, from little to much.
AMOUNTS = "cividis"

#: Colour map of differences around what was expected: orange below, purple above.
GAPS = "PuOr"


def pyplot() -> ModuleType:
    """``matplotlib.pyplot``, imported on first use.

    Raises
    ------
    ImportError
        If matplotlib is not installed; the message says how to install it.
    """
    try:
        import matplotlib.pyplot as plt
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "matplotlib":
            raise
        raise ImportError(
            'plots need matplotlib, which is not installed; try: pip install "ilk[plot]"',
            name="matplotlib",
        ) from error
    return plt


def ink() -> str:
    """The colour of text in the style at hand: black on white, or the other way round."""
    color: str = pyplot().rcParams["text.color"]
    return color


def new_axes(ax: Axes | None, width: float, height: float) -> Axes:
    """``ax``, or the axes of a new figure of this size in inches; nothing is shown."""
    if ax is not None:
        return ax
    _, ax = pyplot().subplots(figsize=(width, height), layout="constrained")
    return ax


def literal(text: object) -> str:
    r"""Text from data as matplotlib draws it letter by letter, dollar signs too.

    Without this, two dollar signs in a name would be read as mathematics. Letters that no font has become boxes.

    >>> literal("spend $ and $ more")
    'spend \\$ and \\$ more'
    """
    return drawable(str(text)).replace("$", r"\$")


def label(name: object, width: int = 24) -> str:
    """A name as :func:`literal` text, each of its lines cut to ``width`` letters.

    >>> label("a very long name of a department", 12)
    'a very long…'
    """
    lines = str(name).split("\n")
    short = (line if len(line) <= width else line[: width - 1].rstrip() + "…" for line in lines)
    text = literal("\n".join(short))
    # A legend leaves out what begins with an underscore; the letter before it has no width.
    return f"\u200b{text}" if text.startswith("_") else text


def _luminance(color: Any) -> float:
    """Relative luminance of a colour as WCAG 2.2 defines it: 0 for black, 1 for white."""
    from matplotlib.colors import to_rgb

    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(color)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: Any, other: Any) -> float:
    """Contrast ratio of two colours (WCAG 2.2), from 1 to 21.

    >>> round(contrast("white", "black"), 1)
    21.0
    """
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def text_color(background: Any) -> str:
    """Black or white, whichever reads better: the ratio is at least 4.58 on any colour.

    >>> text_color("#0072B2"), text_color("#F0E442")
    ('white', 'black')
    """
    return max(("white", "black"), key=lambda color: contrast(color, background))


def describe(ax: Axes, text: str) -> Axes:
    """Give a picture its description in words, for readers who do not see it.

    It is the label of the axes, and of the figure if there is nothing else in it: ``get_label()`` gives it back, to be
    handed to the page or the file that the picture goes into.
    """
    ax.set_label(text)
    figure = ax.get_figure(root=True)
    if figure is not None and figure.axes == [ax]:
        figure.set_label(text)
    return ax


def heatmap(
    ax: Axes | None,
    values: ArrayLike,
    rows: Sequence[str],
    cols: Sequence[str],
    texts: Sequence[Sequence[str]],
    *,
    signed: bool = False,
    limit: float | None = None,
) -> Axes:
    """A table of numbers with each cell coloured by its value and lettered with its text.

    Parameters
    ----------
    ax : Axes, optional
        Where to draw; a new figure if there is none.
    values : array of shape (len(rows), len(cols))
        What the colours show; a missing value leaves its cell uncoloured.
    rows, cols : sequence of str
        Names, first row on top. They may have several lines; long ones are cut.
    texts : sequence of sequence of str
        What each cell says. With ``signed`` it carries the sign, so that the colour is not needed.
    signed : bool
        Differences around zero instead of amounts.
    limit : float, optional
        Where the colours of differences end; by default the largest absolute value.

    Returns
    -------
    Axes
        Of the picture.
    """
    import numpy as np

    values = np.ma.masked_invalid(np.atleast_2d(np.asarray(values, dtype=np.float64)))
    row_labels, col_labels = [label(name, 40) for name in rows], [label(name) for name in cols]
    widest_row, widest_col = _widest(row_labels), _widest(col_labels)
    ax = new_axes(ax, 1.6 + 0.07 * widest_row + 0.8 * len(cols), 1.2 + 0.38 * len(rows))
    norm, name = _scale(values, signed, limit)
    cmap = pyplot().get_cmap(name).with_extremes(bad="white")
    ax.imshow(values, cmap=cmap, norm=norm, aspect="auto")
    colors = cmap(norm(values))
    for i, line in enumerate(texts):
        for j, text in enumerate(line):
            color = text_color(colors[i, j])
            ax.text(j, i, literal(text), ha="center", va="center", color=color, fontsize="small")
    wide = widest_col > 10
    ax.set_xticks(
        range(len(cols)),
        col_labels,
        rotation=35 if wide else 0,
        ha="left" if wide else "center",
        rotation_mode="anchor",
    )
    ax.set_yticks(range(len(rows)), row_labels)
    ax.tick_params(length=0, top=False, bottom=False, labeltop=True, labelbottom=False)
    ax.spines[:].set_visible(False)
    return ax


def _widest(labels: Sequence[str]) -> int:
    """Letters of the longest line."""
    return max((len(line) for text in labels for line in text.split("\n")), default=0)


def _scale(values: Any, signed: bool, limit: float | None) -> tuple[Normalize, str]:
    from matplotlib.colors import Normalize

    present = values.compressed()
    if signed:
        limit = limit or float(max(abs(present), default=0.0)) or 1.0
        # The map runs from orange to purple, so low values are orange: colour-blind safe, and not red and green.
        return Normalize(-limit, limit, clip=True), GAPS
    low = float(min(present, default=0.0))
    high = float(max(present, default=1.0))
    return Normalize(low, high if high > low else low + 1.0, clip=True), AMOUNTS

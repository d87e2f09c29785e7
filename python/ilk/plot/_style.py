"""What every picture shares: colours that all readers can tell apart, text that reads on them, a description.

Colour is never the only channel: categories are also named, and cells also carry their number.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import ModuleType

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "AMOUNTS",
    "CATEGORIES",
    "GAPS",
    "axes_or_new",
    "contrast",
    "describe",
    "label",
    "pyplot",
    "signed",
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

#: Colour map of differences: orange below zero, purple above.
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


def axes_or_new(ax: Axes | None, width: float, height: float) -> Axes:
    """``ax``, or the axes of a new figure of this size in inches, which is not shown."""
    if ax is None:
        _, ax = pyplot().subplots(figsize=(width, height), layout="constrained")
    return ax


def label(name: object, width: int = 24) -> str:
    """A name from data as matplotlib draws it letter by letter, cut to ``width`` letters.

    Two dollar signs in a name would otherwise be read as mathematics.

    >>> label("spend in $ or US$"), label("a very long name of a department", 12)
    ('spend in \\\\$ or US\\\\$', 'a very long…')
    """
    text = " ".join(str(name).split())
    if len(text) > width:
        text = text[: width - 1].rstrip() + "…"
    return text.replace("$", r"\$")


def signed(value: float, decimals: int = 1) -> str:
    """A number with its sign; none for what rounds to zero, a dash for what is missing.

    >>> signed(2.345), signed(-1234.5, 0), signed(-0.01), signed(float("nan"))
    ('+2.3', '−1,234', '0.0', '–')
    """
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "+∞" if value > 0 else "−∞"
    text = f"{value:+,.{decimals}f}".replace("-", "−")
    return text if text.strip("+−0.,") else text[1:]


def _luminance(color: Any) -> float:
    """Relative luminance of a colour by WCAG 2.2: 0 for black, 1 for white."""
    from matplotlib.colors import to_rgb

    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in to_rgb(color)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: Any, other: Any) -> float:
    """Contrast ratio of two colours by WCAG 2.2, from 1 to 21.

    >>> round(contrast("white", "black"), 1)
    21.0
    """
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def text_color(background: Any) -> str:
    """Black or white, whichever reads better: the contrast ratio is at least 4.58 on any colour.

    >>> text_color("#0072B2"), text_color("#F0E442")
    ('white', 'black')
    """
    return max(("black", "white"), key=lambda color: contrast(color, background))


def describe(drawn: Axes | Figure, text: str) -> None:
    """Give a picture its description in words, for readers who do not see it.

    ``figure.get_label()`` gives it back, to be handed to the page or the file that the picture goes into.
    """
    figure = drawn.get_figure(root=True)
    if figure is not None:
        figure.set_label(text)

"""Pictures of concentration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ilk._html import format_value
from ilk.plot._style import CATEGORIES, describe, ink, label, new_axes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

__all__ = ["lorenz_curves"]

#: Lines differ by more than colour.
_DASHES = ("-", "--", "-.", ":")


def lorenz_curves(
    curves: Mapping[str, Any], table: Mapping[str, Any], top: float, ax: Axes | None = None
) -> Axes:
    """One Lorenz curve per segment, everybody in black.

    Parameters
    ----------
    curves : mapping
        ``segment``, ``customers`` and ``value``.
    table : mapping
        The figures of each segment.
    top : float
        Share of the largest customers, where a line is drawn.
    ax : Axes, optional
        Where to draw; a new figure if there is none.

    Returns
    -------
    Axes
        Of the picture.
    """
    ax = new_axes(ax, 6.4, 5.2)
    of = np.asarray(curves["segment"], dtype=object)
    segments = list(table["segment"])
    words = []
    for place, segment in enumerate(segments):
        here = of == segment
        last = place == len(segments) - 1
        gini = format_value(table["gini"][place], "index")
        ax.plot(
            100 * np.asarray(curves["customers"])[here],
            100 * np.asarray(curves["value"])[here],
            color=ink() if last else CATEGORIES[place % (len(CATEGORIES) - 1)],
            ls="-" if last else _DASHES[place // (len(CATEGORIES) - 1) % len(_DASHES)],
            lw=2.4 if last else 1.6,
            label=f"{label(segment)} (Gini {gini})",
        )
        words.append(
            f"{segment}: Gini {gini}, the largest {format_value(top, 'share')} hold "
            f"{format_value(table['top_share'][place], 'share')}"
        )
    ax.plot([0, 100], [0, 100], color="0.6", lw=1, label="all alike")
    edge = 100 * (1 - top)
    ax.axvline(edge, color="0.6", lw=0.8, ls=":")
    everybody = table["top_share"][len(segments) - 1]
    if everybody == everybody:
        ax.annotate(
            f"largest {format_value(top, 'share')} of {label(segments[-1])}\nhold "
            f"{format_value(everybody, 'share')}",
            (edge, 100 * (1 - everybody)),
            xytext=(-8, 26),
            textcoords="offset points",
            ha="right",
            fontsize="small",
            arrowprops={"arrowstyle": "-", "color": "0.4"},
        )
    ax.set(xlim=(0, 100), ylim=(0, 100))
    ax.set_xlabel("% of customers, smallest first")
    ax.set_ylabel("% of the total that they hold")
    ax.set_title("How unequally money is spread", loc="left", fontsize="medium")
    ax.legend(frameon=False, fontsize="small", loc="upper left")
    ax.spines[["top", "right"]].set_visible(False)
    return describe(ax, f"Lorenz curves. {'; '.join(words)}")

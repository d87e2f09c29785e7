"""Names beside points, where they cover nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.text import Annotation
    from matplotlib.transforms import Bbox
    from numpy.typing import NDArray

__all__ = ["name_points"]

#: Where a label may stand beside its point, in points: near and then farther out.
_PLACES = [
    (radius * np.cos(angle), radius * np.sin(angle))
    for radius in (7, 13, 20)
    for angle in np.deg2rad([30, 330, 150, 210, 90, 270, 0, 180])
]


def name_points(
    ax: Axes,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    names: Sequence[str],
    order: Sequence[int] | NDArray[np.intp],
    styles: Sequence[str] | None = None,
) -> int:
    """Name points in this order, each where its label covers nothing; the number of those that found no place.

    The axes must be final: the places are found in pixels.
    """
    figure = ax.get_figure(root=True)
    if figure is None:
        return len(order)
    figure.draw_without_rendering()
    inside = ax.get_window_extent()
    legend = ax.get_legend()
    taken: list[Bbox] = [] if legend is None else [legend.get_window_extent()]
    dots = ax.transData.transform(np.column_stack([x, y]))[np.asarray(order, dtype=np.intp)]
    left_out = 0
    for at in order:
        note: Annotation = ax.annotate(
            names[at],
            (x[at], y[at]),
            xytext=_PLACES[0],
            textcoords="offset points",
            fontsize="small",
            style="normal" if styles is None else styles[at],
            annotation_clip=False,
        )
        for offset in _PLACES:
            note.set_position(offset)
            note.set_horizontalalignment(
                "left" if offset[0] > 1 else "right" if offset[0] < -1 else "center"
            )
            note.set_verticalalignment(
                "bottom" if offset[1] > 1 else "top" if offset[1] < -1 else "center"
            )
            box = note.get_window_extent()
            free = not any(box.overlaps(other) for other in taken)
            covers = (
                (dots[:, 0] > box.x0)
                & (dots[:, 0] < box.x1)
                & (dots[:, 1] > box.y0)
                & (dots[:, 1] < box.y1)
            ).any()
            within = box.x0 >= inside.x0 - 2 and box.x1 <= inside.x1 + 2
            if free and not covers and within:
                taken.append(box)
                if np.hypot(*offset) > 10:
                    _tie(ax, x[at], y[at], offset)
                break
        else:
            left_out += 1
            note.remove()
    return left_out


def _tie(ax: Axes, x: float, y: float, offset: tuple[float, float]) -> None:
    """A thin line from a point to its label."""
    ax.annotate(
        "",
        (x, y),
        xytext=(0.7 * offset[0], 0.7 * offset[1]),
        textcoords="offset points",
        arrowprops={"arrowstyle": "-", "color": "gray", "linewidth": 0.5},
    )

"""The gap matrices of several segments beside each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ilk.exceptions import DataError
from ilk.plot._style import literal, pyplot
from ilk.plot.gaps import colour_reach, heatmap

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ilk.gaps import GapCube

__all__ = ["heatmaps"]

#: Heatmaps in one line of the figure.
_ACROSS = 3


def heatmaps(cube: GapCube, *, what: str = "residual", axes: Any = None) -> list[Axes]:
    """Draw the gap matrices of a cube; see :meth:`ilk.gaps.GapCube.plot`."""
    segments = cube.segments
    if axes is None:
        first = cube[segments[0]]
        across = min(len(segments), _ACROSS)
        down = -(-len(segments) // across)
        width = max(4.0, 2.2 + 0.9 * len(first.col_categories))
        height = 2.0 + 0.5 * len(first.row_categories)
        _, grid = pyplot().subplots(
            down,
            across,
            figsize=(across * width, down * height),
            layout="constrained",
            squeeze=False,
        )
        axes = list(grid.flat)
        for ax in axes[len(segments) :]:
            ax.set_visible(False)
        axes = axes[: len(segments)]
    drawn: list[Axes] = list(axes) if hasattr(axes, "__iter__") else [axes]
    if len(drawn) != len(segments):
        raise DataError(
            f"axes: found {len(drawn)}, but one for each of the {len(segments)} segments is needed"
        )
    # One colour means the same in all of them.
    reach = max(colour_reach(cube[segment]) for segment in segments)
    for place, (segment, ax) in enumerate(zip(segments, drawn, strict=True)):
        heatmap(cube[segment], what=what, ax=ax, reach=reach)
        ax.set_label(f"{cube.by} {segment}. {ax.get_label()}")
        notes = ax.get_title(loc="left").split("\n")[1:] if place == 0 else []
        ax.set_title(
            "\n".join([f"{literal(cube.by)} {literal(segment)}", *notes]),
            loc="left",
            fontsize="small",
        )
    return drawn

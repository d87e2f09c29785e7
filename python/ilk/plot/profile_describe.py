"""Pictures of descriptors by segment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ilk import _html
from ilk._frame import require_columns, to_dict
from ilk.plot._cells import Cells
from ilk.plot._fonts import writing
from ilk.plot._style import describe, ink, label, new_axes
from ilk.plot.mosaic import mosaic_of
from ilk.plot.profile import COLORS, effect_bars

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ilk.profile import SegmentDescription

__all__ = ["plot"]

_TOP = 20


def plot(description: SegmentDescription, descriptor: str | None, *, ax: Axes | None) -> Axes:
    """Draw descriptors; see :meth:`ilk.profile.SegmentDescription.plot`."""
    tests = description.to_dict()
    if descriptor is None:
        decides = np.flatnonzero(tests["decides"])
        chosen = {
            name: [tests[name][at] for at in decides]
            for name in ("descriptor", "effect", "size", "measure", "q")
        }
        title = "How much the descriptors differ between the segments"
        return effect_bars(chosen, "descriptor", _TOP, ax, title)
    require_columns([descriptor], list(dict.fromkeys(tests["descriptor"])))
    amounts = to_dict(description._core.amounts())
    rows = [at for at, name in enumerate(amounts["descriptor"]) if name == descriptor]
    if rows:
        return _boxes(
            {name: [values[at] for at in rows] for name, values in amounts.items()}, descriptor, ax
        )
    return _mosaic(description, descriptor, ax)


def _mosaic(description: SegmentDescription, descriptor: str, ax: Axes | None) -> Axes:
    counts = to_dict(description._core.counts())
    rows = [at for at, name in enumerate(counts["descriptor"]) if name == descriptor]
    names, _ = description._core.about()
    levels = list(dict.fromkeys(counts["level"][at] for at in rows))
    figures = {
        name: np.asarray(counts[source])[rows].reshape(len(levels), len(names)).T
        for name, source in (
            ("observed", "count"),
            ("expected", "expected"),
            ("residual", "residual"),
        )
    }
    status = np.full((len(names), len(levels)), "", dtype=object)
    return mosaic_of(
        Cells(("customers", "segment", descriptor), list(names), levels, figures, status), ax=ax
    )


def _boxes(amounts: dict[str, list[Any]], descriptor: str, ax: Axes | None) -> Axes:
    names = amounts["segment"]
    with writing([descriptor, *names]):
        ax = new_axes(ax, 7.2, 1.4 + 0.55 * len(names))
        rows = np.arange(len(names))
        for row in rows:
            five = [
                amounts[name][row]
                for name in ("least", "quarter", "median", "three_quarters", "most")
            ]
            if not np.isfinite(five).all():
                continue
            color = COLORS[row % len(COLORS)]
            ax.plot(five[::4], [row, row], color=color, linewidth=1.2, zorder=1)
            ax.barh(
                row,
                five[3] - five[1],
                left=five[1],
                height=0.5,
                color=color,
                alpha=0.35,
                edgecolor=color,
            )
            ax.plot([five[2], five[2]], [row - 0.25, row + 0.25], color=color, linewidth=2.4)
            mean, low, high = (amounts[name][row] for name in ("mean", "mean_lo", "mean_hi"))
            ends = (
                [[max(mean - low, 0)], [max(high - mean, 0)]]
                if np.isfinite([low, high]).all()
                else None
            )
            ax.errorbar(
                mean, row, xerr=ends, fmt="D", color=ink(), markersize=5, capsize=3, elinewidth=1.4
            )
        ax.set_yticks(
            rows, [label(f"{name}\nn = {n:,}") for name, n in zip(names, amounts["n"], strict=True)]
        )
        ax.set_ylim(len(names) - 0.5, -0.5)
        ax.tick_params(axis="y", length=0)
        ax.spines[["top", "right", "left"]].set_visible(False)
        ax.set_xlabel(label(descriptor, 40))
        ax.set_title(
            "Diamonds: means with intervals. Boxes: quartiles and median; lines: smallest to largest",
            loc="left",
            fontsize="small",
        )
    told = "; ".join(
        f"{name} mean {_html.format_value(mean)}, median {_html.format_value(median)}"
        for name, mean, median in zip(names, amounts["mean"], amounts["median"], strict=True)
    )
    return describe(ax, f"{descriptor} by segment: {told}.")

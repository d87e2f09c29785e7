"""Opportunities and reach as pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ilk.plot._labels import name_points
from ilk.plot._style import CATEGORIES, describe, label, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ilk.gaps import Opportunities, Turf

__all__ = ["landscape", "reach_curve"]

#: Ulwick's bands, from the least score of each, with their names and how dark they are.
_BANDS = ((10.0, "worth a look", 0.08), (12.0, "high", 0.10), (15.0, "extreme", 0.14))

_MARKERS = ("o", "^", "s", "D", "v", "P", "X", "*")


def landscape(found: Opportunities, *, ax: Axes | None = None) -> Axes:
    """Draw opportunities; see :meth:`ilk.gaps.Opportunities.plot`."""
    table = found.to_dict()
    need, segment = found._core.names()
    x, y = np.asarray(table["importance"]), np.asarray(table["satisfaction"])
    ax = new_axes(ax, 7.6, 6.4)
    ax.set_xlim(-0.3, 10.3)
    ax.set_ylim(-0.3, 10.3)
    ax.set_aspect("equal")
    ax.plot([0, 10], [0, 10], color="gray", linewidth=0.8, linestyle="--", zorder=1)
    ax.text(
        2.2,
        2.5,
        "satisfaction = importance",
        rotation=45,
        color="gray",
        fontsize="small",
        va="bottom",
        ha="center",
        rotation_mode="anchor",
    )
    if "band" in table:
        for least, name, shade in _BANDS:
            # I + max(I - S, 0) = least is S = 2 I - least below the diagonal; above it nothing exceeds 10.
            corners = [(least / 2, 0.0), (10.0, 0.0), (10.0, 20 - least)]
            ax.fill(
                *zip(*corners, strict=True), color=CATEGORIES[5], alpha=shade, linewidth=0, zorder=0
            )
            height = 0.55 if name == "high" else 0.05
            ax.text(
                least / 2 + height / 2 + 0.15,
                height,
                name,
                fontsize="small",
                style="italic",
                va="bottom",
                ha="left",
            )
    segments = list(dict.fromkeys(table[segment])) if segment else [""]
    names = [label(name, 28) for name in table[need]]
    for at, name in enumerate(segments):
        member = (
            np.array([name == other for other in table[segment]])
            if segment
            else np.full(len(x), True)
        )
        colour = CATEGORIES[at % len(CATEGORIES)]
        if "importance_lo" in table:
            spread: dict[str, Any] = {"color": colour, "alpha": 0.35, "linewidth": 1.2, "zorder": 2}
            ax.hlines(
                y[member], table["importance_lo"][member], table["importance_hi"][member], **spread
            )
            ax.vlines(
                x[member],
                table["satisfaction_lo"][member],
                table["satisfaction_hi"][member],
                **spread,
            )
        ax.scatter(
            x[member],
            y[member],
            s=42,
            c=colour,
            marker=_MARKERS[at % len(_MARKERS)],
            label=label(name, 30),
            zorder=3,
        )
    ax.set_xlabel("importance (0 to 10)")
    ax.set_ylabel("satisfaction (0 to 10)")
    ax.spines[["top", "right"]].set_visible(False)
    if segment:
        ax.legend(title=label(segment, 30), loc="upper left", frameon=False, fontsize="small")
    left_out = name_points(ax, x, y, names, np.argsort(-np.asarray(table["score"]), kind="stable"))
    missing = f" {left_out} needs are not named for want of room." if left_out else ""
    return describe(
        ax,
        f"Importance and satisfaction of needs. {' '.join(found.explain().splitlines())}{missing}",
    )


def reach_curve(found: Turf, *, ax: Axes | None = None) -> Axes:
    """Draw the reach of the best sets; see :meth:`ilk.gaps.Turf.plot`."""
    table = found.to_dict()
    sizes = [size for size, _, _ in found._core.best()]
    first = [list(table["k"]).index(size) for size in sizes]
    reach = np.asarray(table["reach"])[first]
    ax = new_axes(ax, 7.6, 1.2 + 0.55 * len(sizes))
    places = list(range(len(sizes)))
    ax.barh(places, reach, color=CATEGORIES[0], height=0.6)
    for place, row in zip(places, first, strict=True):
        inside = reach[place] > 0.16
        ax.text(
            reach[place] + (-0.01 if inside else 0.01),
            place,
            f"{reach[place]:.1%}",
            va="center",
            ha="right" if inside else "left",
            color="white" if inside else None,
            fontsize="small",
        )
        ax.text(
            0,
            place - 0.36,
            label(table["items"][row], 90),
            va="bottom",
            ha="left",
            fontsize="x-small",
        )
    ax.set_yticks(places, [f"{size} item{'s' if size > 1 else ''}" for size in sizes])
    ax.set_ylim(len(sizes) - 0.5, -0.75)
    ax.set_xlim(0, 1)
    ax.set_xlabel("share of customers reached by the best set")
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.tick_params(axis="y", length=0)
    return describe(ax, f"Reach of the best sets. {' '.join(found.explain().splitlines())}")

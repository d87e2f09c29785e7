"""Opportunities, kinds of needs and reach as pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ilk.plot._labels import name_points
from ilk.plot._style import CATEGORIES, describe, label, new_axes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from ilk.gaps import KanoNeeds, Opportunities, Turf

__all__ = ["landscape", "quarters", "reach_curve"]

#: Ulwick's bands, from the least score of each, with their names and how dark they are.
_BANDS = ((10.0, "worth a look", 0.08), (12.0, "high", 0.10), (15.0, "extreme", 0.14))

#: Kinds of needs by the corner of their quarter: how much their lack costs, and how much they bring.
_QUARTERS = (
    (0, 1, "attractive"),
    (1, 1, "one-dimensional"),
    (0, 0, "indifferent"),
    (1, 0, "must-be"),
)

#: As many as have no factor in common with the number of colours: both together tell 56 segments apart.
_MARKERS = ("o", "^", "s", "D", "v", "P", "X")

#: Kinds of needs by a letter.
_LETTERS = {
    "must_be": "M",
    "one_dimensional": "O",
    "attractive": "A",
    "indifferent": "I",
    "reverse": "R",
    "questionable": "Q",
}

#: Segments in one column of a legend.
_LONG = 24


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
    _points(
        ax, table, segment, (x, *_ends(table, "importance")), (y, *_ends(table, "satisfaction"))
    )
    ax.set_xlabel("importance (0 to 10)")
    ax.set_ylabel("satisfaction (0 to 10)")
    ax.spines[["top", "right"]].set_visible(False)
    if segment:
        ax.legend(title=label(segment, 30), loc="upper left", frameon=False, fontsize="small")
    missing = _name(ax, table[need], x, y, np.asarray(table["score"]))
    return describe(
        ax,
        f"Importance and satisfaction of needs. {' '.join(found.explain().splitlines())}{missing}",
    )


def quarters(found: KanoNeeds, *, ax: Axes | None = None) -> Axes:
    """Draw kinds of needs; see :meth:`ilk.gaps.KanoNeeds.plot`."""
    table = found.to_dict()
    need, segment = found._core.names()
    x, y = -np.asarray(table["worse"]), np.asarray(table["better"])
    ax = new_axes(ax, 7.6, 6.4)
    ax.set_xlim(-0.03, 1.03)
    ax.set_ylim(-0.1, 1.1)  # with room for the names of the quarters beside every point
    ax.set_yticks(np.linspace(0, 1, 6))
    ax.set_aspect("equal")
    grid: dict[str, Any] = {"color": "gray", "linewidth": 0.8, "linestyle": "--", "zorder": 1}
    ax.axhline(0.5, **grid)
    ax.axvline(0.5, **grid)
    for across, up, name in _QUARTERS:
        ax.text(
            across,
            1.2 * up - 0.1,
            name,
            color="gray",
            style="italic",
            fontsize="small",
            ha="right" if across else "left",
            va="top" if up else "bottom",
        )
    low, high = _ends(table, "worse")
    hollow = np.isin(table["category"], ("reverse", "questionable"))
    _points(ax, table, segment, (x, -high, -low), (y, *_ends(table, "better")), hollow)
    ax.set_title(
        "letter: the most frequent kind (M must-be, O one-dimensional, A attractive,\n"
        "I indifferent; hollow: R reverse, Q questionable)",
        loc="left",
        fontsize="small",
    )
    ax.set_xlabel("share whom its lack dissatisfies (minus worse)")
    ax.set_ylabel("share whom it satisfies (better)")
    ax.spines[["top", "right"]].set_visible(False)
    if segment:
        ax.legend(
            title=label(segment, 30),
            loc="upper left",
            bbox_to_anchor=(1.0, 1.0),
            ncols=-(-len(set(table[segment])) // _LONG),
            frameon=False,
            fontsize="small",
        )
    letters = [f" ({_LETTERS[kind]})" for kind in table["category"]]
    missing = _name(ax, table[need], x, y, x + y, letters)
    nowhere = int(np.isnan(x).sum())
    if nowhere:
        which = "need has no place: it is" if nowhere == 1 else "needs have no place: they are"
        missing += f" {nowhere} {which} reverse or questionable to everybody."
    return describe(ax, f"Kinds of needs. {' '.join(found.explain().splitlines())}{missing}")


def _ends(table: Mapping[str, Any], figure: str) -> tuple[Any, Any]:
    """The ends of the intervals of a figure; missing where it has none."""
    missing = np.full(len(table[figure]), np.nan)
    low, high = (np.asarray(table.get(f"{figure}{end}", missing)) for end in ("_lo", "_hi"))
    return low, high


def _points(
    ax: Axes,
    table: Mapping[str, Any],
    segment: str | None,
    across: tuple[Any, Any, Any],
    up: tuple[Any, Any, Any],
    hollow: Any = False,
) -> None:
    """Needs as points with their intervals, a colour and a marker for each segment."""
    (x, left, right), (y, low, high) = across, up
    for at, name in enumerate(dict.fromkeys(table[segment]) if segment else [""]):
        of_it = [name == other for other in table[segment]] if segment else [True] * len(x)
        member = np.array(of_it)
        colour = CATEGORIES[at % len(CATEGORIES)]
        spread: dict[str, Any] = {"color": colour, "alpha": 0.5, "linewidth": 1.2, "zorder": 2}
        ax.hlines(y[member], left[member], right[member], **spread)
        ax.vlines(x[member], low[member], high[member], **spread)
        outlined = np.broadcast_to(hollow, len(x))[member]
        ax.scatter(
            x[member],
            y[member],
            s=42,
            facecolors=["none" if is_hollow else colour for is_hollow in outlined],
            edgecolors=colour,
            marker=_MARKERS[at % len(_MARKERS)],
            label=label(name, 30),
            zorder=3,
        )


def _name(
    ax: Axes, needs: Sequence[Any], x: Any, y: Any, worth: Any, after: Sequence[str] | None = None
) -> str:
    """Name the points, with what comes after a name; those of most worth first. How many have no name, in words."""
    drawn = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    names = [label(needs[int(at)], 28) + (after[int(at)] if after else "") for at in drawn]
    order = np.argsort(-worth[drawn], kind="stable")
    left_out = name_points(ax, x[drawn], y[drawn], names, order)
    are = "need is" if left_out == 1 else "needs are"
    return f" {left_out} {are} not named for want of room." if left_out else ""


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

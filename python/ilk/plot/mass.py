"""Pictures of where the money sits along the market."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ilk._html import format_value
from ilk.plot._style import CATEGORIES, describe, ink, label, new_axes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

__all__ = ["mass_histogram", "neighbour_bubbles"]


def mass_histogram(
    histogram: Mapping[str, Any],
    sides: Mapping[str, Any],
    segment: str,
    settings: Mapping[str, Any],
    ax: Axes | None = None,
) -> Axes:
    """Shares of customers (line) and of money (bars) along the score, the normal curve, and the mass market shaded.

    Parameters
    ----------
    histogram, sides : mapping
        Tables of the result.
    segment : str
        Whose.
    settings : mapping
        Names of the columns and the width of the mass market.
    ax : Axes, optional
        Where to draw; a new figure if there is none.

    Returns
    -------
    Axes
        Of the picture.
    """
    ax = new_axes(ax, 7.2, 4.4)
    here = np.asarray(histogram["segment"], dtype=object) == segment
    # A segment without customers or money has no shares.
    customers, money = (
        100 * np.nan_to_num(np.asarray(histogram[name])[here]) for name in ("customers", "money")
    )
    # The outer bins are open; they are drawn as wide as the others.
    left = np.clip(np.asarray(histogram["from"])[here], -4.0, None)
    width = 0.25
    mass = settings["mass"]
    ax.axvspan(-mass, mass, color=ink(), alpha=0.08, lw=0, zorder=0)
    ax.bar(left, money, width, align="edge", color=CATEGORIES[1], alpha=0.85, label="money")
    edges = np.append(left, left[-1] + width)
    ax.stairs(customers, edges, color=CATEGORIES[0], lw=2, label="customers")
    z = np.linspace(-4, 4, 321)
    density = np.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    ax.plot(z, 100 * width * density, color=ink(), ls="--", lw=1.2, label="normal curve")
    words = []
    top = max(money.max(initial=0), customers.max(initial=0), 10) * 1.22
    places = {"below": (-4 - mass) / 2, "mass": 0.0, "above": (4 + mass) / 2}
    for row, name in enumerate(sides["segment"]):
        if name != segment:
            continue
        side = sides["side"][row]
        shares = [format_value(sides[what][row], "share") for what in ("money", "customers")]
        ax.text(
            places[side],
            top * 0.985,
            f"{side}\n{shares[0]} of money\n{shares[1]} of customers",
            ha="center",
            va="top",
            fontsize="small",
        )
        words.append(f"{side} {shares[0]} of money from {shares[1]} of customers")
    ax.set_ylim(0, top)
    ax.set_xlim(-4, 4)
    ax.set_xlabel(f"{label(settings['score'], 40)}, standard deviations from the mean")
    ax.set_ylabel("% in each quarter")
    ax.set_title(f"Where the money sits: {label(segment)}", loc="left", fontsize="medium", pad=10)
    ax.legend(frameon=False, fontsize="small", loc="center right")
    ax.spines[["top", "right"]].set_visible(False)
    return describe(ax, f"Where the money of {segment} sits: {'; '.join(words)}")


def neighbour_bubbles(
    columns: Mapping[str, Any], niche: str, top: int, ax: Axes | None = None
) -> Axes:
    """Lift against number of customers, a bubble for each neighbour, its area their money.

    Parameters
    ----------
    columns : mapping
        The table, best first.
    niche : str
        Its name.
    top : int
        How many.
    ax : Axes, optional
        Where to draw; a new figure if there is none.

    Returns
    -------
    Axes
        Of the picture.
    """
    ax = new_axes(ax, 7.2, 4.6)
    names = list(columns["neighbour"])[:top]
    n, lift, low, high, each = (
        np.asarray(columns[name], dtype=float)[:top]
        for name in ("n", "lift", "lift_lo", "lift_hi", "value_per_customer")
    )
    money = n * each
    area = 900 * money / (money.max() or 1)
    sure = np.asarray(columns["q"])[:top] <= 0.05
    ax.vlines(n, low, high, color="0.6", lw=1)
    ax.scatter(
        n,
        lift,
        s=np.maximum(area, 12),
        color=[CATEGORIES[0] if flag else "0.75" for flag in sure],
        alpha=0.75,
        edgecolor="white",
    )
    for place in range(len(names)):
        ax.annotate(
            str(place + 1),
            (n[place], lift[place]),
            xytext=(5, 7),
            textcoords="offset points",
            fontsize="small",
        )
    key = "\n".join(f"{place + 1:>2}  {label(name)}" for place, name in enumerate(names))
    ax.annotate(
        key, (1.02, 1), xycoords="axes fraction", va="top", fontsize="small", linespacing=1.4
    )
    ax.axhline(1, color=ink(), lw=1, ls="--")
    ax.annotate(
        "as often as customers at large",
        (1, 1),
        xycoords=("axes fraction", "data"),
        xytext=(-2, 3),
        textcoords="offset points",
        ha="right",
        fontsize="small",
    )
    ax.margins(0.12)
    ax.set_ylim(
        bottom=0,
        top=float(np.nanmax(np.append(np.minimum(high, 1.6 * lift.max() + 1), 1.2))) * 1.05,
    )
    ax.set_xlabel("customers of the neighbour")
    ax.set_ylabel(f"lift with {label(niche)}")
    ax.set_title(
        f"Mass-market neighbours of {label(niche)}\n(area: money; numbers: rank; grey: may be chance)",
        loc="left",
        fontsize="medium",
    )
    ax.spines[["top", "right"]].set_visible(False)
    words = (
        f"{place + 1} {name}: {n[place]:,.0f} customers, lift {lift[place]:.2f}"
        for place, name in enumerate(names)
    )
    return describe(ax, f"Mass-market neighbours of {niche}: {'; '.join(words)}")

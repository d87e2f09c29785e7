"""The path of customers through stages as pictures."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from ilk._html import format_value
from ilk.plot._style import CATEGORIES, describe, heatmap, ink, label, new_axes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

__all__ = ["occupancy", "transitions", "value"]

_LINES: tuple[Any, ...] = (
    "-",
    "--",
    ":",
    "-.",
    (0, (6, 1.5, 1, 1.5, 1, 1.5)),
    (0, (2, 1)),
    (0, (8, 3)),
)
_MOST = 8


def transitions(
    pairs: Mapping[str, Any], stages: Mapping[str, Any], period: str, ax: Axes | None = None
) -> Axes:
    """The probability of each move, with its interval.

    Parameters
    ----------
    pairs : mapping
        The table of pairs.
    stages : mapping
        The table of stages.
    period : str
        One period in words.
    ax : Axes, optional
        Where to draw; a new figure if there is none.

    Returns
    -------
    Axes
        Stage left by row, next stage by column, each cell lettered.
    """
    names = list(stages["stage"])
    n = len(names)
    p, low, high = (
        np.asarray(pairs[name], dtype=float).reshape(n, n) for name in ("p", "p_lo", "p_hi")
    )
    fine = n <= _MOST
    texts = [[_cell(p[i, j], low[i, j], high[i, j], fine) for j in range(n)] for i in range(n)]
    rows = [
        f"{' '.join(str(name).split())}\n{format_value(count, 'count')} transitions"
        for name, count in zip(names, stages["n"], strict=True)
    ]
    if ax is None:
        longest = max(len(name) for name in names)
        ax = new_axes(None, 2.6 + 0.04 * longest + 1.15 * n, 1.6 + 0.62 * n)
    ax = heatmap(ax, p, rows, names, texts)
    note = " (interval below)" if fine else ""
    ax.set_title(
        f"Probability of each move in one {period}{note}\nrows: the stage now; columns: the stage next",
        loc="left",
        fontsize="medium",
    )
    words = [
        f"from {names[i]}: "
        + ", ".join(f"{p[i, j]:.0%} to {names[j]}" for j in np.argsort(-p[i], kind="stable")[:4])
        for i in range(n)
        if not np.isnan(p[i, 0])
    ]
    return describe(ax, f"Probabilities of moves in one {period}: {'; '.join(words)}")


def occupancy(
    shares: Mapping[str, Any], stages: Mapping[str, Any], period: str, ax: Axes | None = None
) -> Axes:
    """The share of each stage from now on, a line each with its interval.

    Parameters
    ----------
    shares : mapping
        The table of occupancy.
    stages : mapping
        The table of stages.
    period : str
        One period in words.
    ax : Axes, optional
        Where to draw; a new figure if there is none.

    Returns
    -------
    Axes
        Lines differ by colour and dash and are named at their right end.
    """
    names = list(stages["stage"])
    n = len(names)
    share, low, high = (
        np.asarray(shares[name], dtype=float).reshape(-1, n)
        for name in ("share", "share_lo", "share_hi")
    )
    ax = new_axes(ax, 7.6, 4.6)
    times = np.arange(len(share))
    for at in range(n):
        colour = _colour(at)
        ax.plot(times, share[:, at], color=colour, ls=_LINES[at % len(_LINES)], lw=2)
        ax.fill_between(times, low[:, at], high[:, at], color=colour, alpha=0.18, lw=0)
    ends = [f"{label(names[at], 26)} {format_value(share[-1, at], 'share')}" for at in range(n)]
    ax.set_ylim(0, max(1.05 * float(np.nanmax([share.max(), np.nanmax(high, initial=0)])), 0.05))
    _name_ends(ax, times[-1], share[-1], ends)
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    _finish(ax, period, times[-1])
    ax.set_ylabel("share of the customers")
    ax.set_title("Where the customers will be (bands: intervals)", loc="left", fontsize="medium")
    words = [
        f"{names[at]} from {format_value(share[0, at], 'share')} to {format_value(share[-1, at], 'share')}"
        for at in range(n)
    ]
    return describe(ax, f"Shares of the stages over {times[-1]} periods: {'; '.join(words)}")


def value(
    stages: Mapping[str, Any],
    running: Sequence[Sequence[float]],
    period: str,
    ax: Axes | None = None,
) -> Axes:
    """The value of a customer who begins in each stage, adding up over the periods.

    Parameters
    ----------
    stages : mapping
        The table of stages.
    running : sequence of sequence of float
        For each stage the value over 1, 2, ... periods.
    period : str
        One period in words.
    ax : Axes, optional
        Where to draw; a new figure if there is none.

    Returns
    -------
    Axes
        Lines differ by colour and dash and are named at their right end, where their intervals stand.
    """
    names = list(stages["stage"])
    horizon = len(running[0])
    ax = new_axes(ax, 7.6, 4.6)
    times = np.arange(horizon + 1)
    last, ends, words = [], [], []
    for at, name in enumerate(names):
        sums = np.concatenate([[0.0], running[at]])
        ax.plot(times, sums, color=_colour(at), ls=_LINES[at % len(_LINES)], lw=2)
        low, high = (float(stages[f"value_{end}"][at]) for end in ("lo", "hi"))
        text = format_value(sums[-1], "money")
        if low == low:
            # Side by side, so that intervals do not cover each other.
            place = horizon * (1 + 0.012 * (at % _MOST))
            ax.plot([place, place], [low, high], color=_colour(at), lw=2.4, solid_capstyle="butt")
            text += f" ({format_value(low, 'money')} to {format_value(high, 'money')})"
        last.append(sums[-1])
        ends.append(f"{label(name, 26)}\n{text}")
        words.append(f"{name} {text}")
    ax.axhline(0, color=ink(), lw=0.8, alpha=0.5)
    _name_ends(ax, horizon * (1 + 0.012 * min(len(names), _MOST)), np.array(last), ends)
    ax.yaxis.set_major_formatter(lambda tick, _: f"{tick:,.10g}")
    _finish(ax, period, horizon)
    ax.set_ylabel("value per customer, added up")
    ax.set_title(
        "What the path is worth, by the stage it begins in (bars: intervals)",
        loc="left",
        fontsize="medium",
    )
    return describe(ax, f"Value over {horizon} periods by first stage: {'; '.join(words)}")


def _cell(p: float, low: float, high: float, fine: bool) -> str:
    if np.isnan(p):
        return "not seen"
    return f"{_percent(p)}\n{_percent(low)} to {_percent(high)}" if fine else _percent(p)


def _percent(share: float) -> str:
    # Rounded to 0 or 100 only what is.
    return f"{share:.0%}" if share in (0, 1) or 0.01 <= share <= 0.99 else f"{share:.1%}"


def _colour(at: int) -> str:
    # The last of the palette is black, which reads as text.
    color = CATEGORIES[at % len(CATEGORIES)]
    return ink() if color == "#000000" else color


def _finish(ax: Axes, period: str, last: float) -> None:
    from matplotlib.ticker import MaxNLocator

    first, _, rest = period.partition(" ")
    ax.set_xlabel(f"{first}s {rest}".strip() + " from now on")
    ax.set_xlim(0, last * 1.12)
    ax.spines["bottom"].set_bounds(0, last)
    ticks = MaxNLocator(integer=True).tick_values(0, last)
    ax.set_xticks([tick for tick in ticks if 0 <= tick <= last])
    ax.spines[["top", "right"]].set_visible(False)


def _name_ends(ax: Axes, x: float, heights: Any, texts: Sequence[str]) -> None:
    """Name lines at their right end, apart from each other, with a thin line to where each belongs."""
    low, high = ax.get_ylim()
    lines = max((text.count("\n") + 1 for text in texts), default=1)
    apart = (high - low) * 0.062 * lines
    order = np.argsort(heights, kind="stable")
    places = np.asarray(heights, dtype=float).copy()
    for before, at in pairwise(order):
        places[at] = max(places[at], places[before] + apart)
    # What was pushed out at the top comes down again.
    over = places[order[-1]] - high if len(order) else 0.0
    if over > 0:
        places[order[-1]] = high
        for after, at in zip(order[:0:-1], order[-2::-1], strict=True):
            places[at] = min(places[at], places[after] - apart)
    for at, text in enumerate(texts):
        ax.annotate(
            text,
            (x, heights[at]),
            xytext=(x * 1.05, places[at]),
            textcoords="data",
            va="center",
            ha="left",
            fontsize="small",
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": _colour(at), "lw": 0.8},
        )

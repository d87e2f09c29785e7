"""Pictures of cohorts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ilk._html import format_value
from ilk.plot._style import CATEGORIES, describe, heatmap, ink, label, new_axes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

__all__ = ["cohort_heatmap", "retention_curves"]

_TITLES = {
    "retention": "Share of each cohort that orders",
    "n_active": "Customers of each cohort that order",
    "revenue": "Revenue of each cohort",
    "revenue_per_customer": "Revenue per customer of the cohort",
    "cumulative_per_customer": "Revenue so far per customer of the cohort",
}

#: Fewer letters than in a table: cells are small.
_SHORT = {"share": "{:.0f}", "count": "{:,.0f}"}


def _short(value: float, kind: str) -> str:
    if kind not in _SHORT:
        return format_value(value, kind)
    return _SHORT[kind].format(100 * value if kind == "share" else value)


def cohort_heatmap(
    cohorts: Sequence[str],
    sizes: Any,
    values: Any,
    figure: str,
    kind: str,
    period: str,
    ax: Axes | None = None,
) -> Axes:
    """The triangle with its numbers; cells that are not mature stay white and empty.

    Parameters
    ----------
    cohorts : sequence of str
        Names, first on top.
    sizes : array
        Customers of each.
    values : array of shape (cohorts, ages)
        Missing where not mature.
    figure, kind : str
        What is shown, and how its numbers read.
    period : str
        Length of a period.
    ax : Axes, optional
        Where to draw; a new figure if there is none.

    Returns
    -------
    Axes
        Of the picture.
    """
    values = np.asarray(values, dtype=float)
    shown = values.copy()
    if figure == "retention" and shown.shape[1] > 1:
        shown[:, 0] = np.nan  # 100 % by definition: it would take all the colours
    texts = [["" if value != value else _short(value, kind) for value in line] for line in values]
    rows = [f"{cohort}  ({int(size):,})" for cohort, size in zip(cohorts, sizes, strict=True)]
    ax = new_axes(ax, 2.2 + 0.5 * values.shape[1], 1.2 + 0.3 * len(rows))
    heatmap(ax, shown, rows, [str(age) for age in range(values.shape[1])], texts)
    for text in ax.texts:
        if text.get_position()[0] == 0 and figure == "retention" and shown.shape[1] > 1:
            text.set_color(ink())
            text.set_alpha(0.6)
    # What is not mature is nothing at all, on any background.
    (image,) = ax.images
    image.set_cmap(image.get_cmap().with_extremes(bad=(0, 0, 0, 0)))
    unit = " (%)" if kind == "share" else ""
    ax.set_title(f"{_TITLES[figure]}{unit}", loc="left", fontsize="medium")
    ax.set_xlabel(f"{period}s since the first order")
    ax.xaxis.set_label_position("top")
    ax.set_ylabel("cohort (customers)")
    words = "; ".join(
        f"{cohort}: {', '.join(text for text in line if text)}"
        for cohort, line in zip(rows, texts, strict=True)
    )
    return describe(ax, f"{_TITLES[figure]}{unit}, by cohort, age 0 first. {words}")


def retention_curves(curve: Mapping[str, Any], period: str, ax: Axes | None = None) -> Axes:
    """Retention of all cohorts together by age, one line per segment with its interval.

    Parameters
    ----------
    curve : mapping
        ``segment``, ``age``, ``retention`` with its interval.
    period : str
        Length of a period.
    ax : Axes, optional
        Where to draw; a new figure if there is none.

    Returns
    -------
    Axes
        Of the picture.
    """
    ax = new_axes(ax, 6.8, 4.2)
    of = np.asarray(curve["segment"], dtype=object)
    segments = list(dict.fromkeys(curve["segment"]))
    words = []
    for place, segment in enumerate(segments):
        # Age 0 is 100 % by definition.
        here = (of == segment) & (np.asarray(curve["age"]) > 0)
        last = place == len(segments) - 1
        color = ink() if last else CATEGORIES[place % (len(CATEGORIES) - 1)]
        age = np.asarray(curve["age"])[here]
        value, low, high = (
            100 * np.asarray(curve[f"retention{end}"])[here] for end in ("", "_lo", "_hi")
        )
        ax.plot(age, value, color=color, marker="osD^vPX"[place % 7], ms=4, label=label(segment))
        ax.fill_between(age, low, high, color=color, alpha=0.15, lw=0)
        words.append(f"{segment}: {', '.join(f'{v:.0f}' for v in value)}")
    ax.set_ylim(bottom=0)
    ax.locator_params(axis="x", integer=True)
    ax.set_xlabel(f"{period}s since the first order")
    ax.set_ylabel("% of the cohort that order")
    ax.set_title(
        "Who comes back, all cohorts together\n(later ages rest on fewer and older cohorts)",
        loc="left",
        fontsize="medium",
    )
    if len(segments) > 1:
        ax.legend(frameon=False, fontsize="small")
    ax.spines[["top", "right"]].set_visible(False)
    return describe(ax, f"Retention in % by age from 1. {'; '.join(words)}")

"""Fit, sensitivity and competitors as pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ilk._frame import to_dict
from ilk._html import format_value
from ilk.exceptions import DataError
from ilk.plot._style import (
    CATEGORIES,
    describe,
    heatmap,
    ink,
    label,
    literal,
    new_axes,
    text_color,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from ilk.gaps import FitMatrix, ValueMap

__all__ = ["competitors", "fit_heatmap", "sensitivity_map"]

#: Ratio at which the colours of lifts end.
_MOST_LIFT = 4.0

_MARK = "\N{BLACK CIRCLE}"


def _names(names: Sequence[str], width: int) -> list[str]:
    """Names of at most ``width`` letters: cut at the end, or in the middle where the ends tell them apart.

    >>> _names(["a promise to families", "a promise to singles"], 12)
    ['a prom…ilies', 'a prom…ngles']
    """
    cut = [label(name, width) for name in names]
    if len(set(cut)) == len(set(names)):
        return list(names)
    half = width // 2
    return [
        name if len(name) <= width else f"{name[:half]}…{name[len(name) - (width - half - 1) :]}"
        for name in names
    ]


def fit_heatmap(found: FitMatrix, *, ax: Axes | None = None) -> Axes:
    """Draw segments by products; see :meth:`ilk.gaps.FitMatrix.plot`."""
    table = found.to_dict()
    segment, product = found._core.names()
    rows, cols = list(dict.fromkeys(table[segment])), list(dict.fromkeys(table[product]))
    fit = np.asarray(table["fit"]).reshape(len(rows), len(cols))
    texts = [[f"{value:.2f}" for value in line] for line in fit]
    ax = heatmap(ax, fit, _names(rows, 40), _names(cols, 24), texts)
    _from_0_to_1(ax, fit)
    _note(ax, "fit: share of the importance of needs that is delivered")
    return describe(ax, f"Fit of products to segments. {' '.join(found.explain().splitlines())}")


def sensitivity_map(found: ValueMap, *, ax: Axes | None = None) -> Axes:
    """Draw personas by propositions; see :meth:`ilk.gaps.ValueMap.plot`."""
    table = found.to_dict()
    rows, cols = found.personas, found.propositions
    shape = (len(rows), len(cols))
    sensitive = np.asarray(table["sensitive"]).reshape(shape)
    if found.evidence == "responses":
        lift = np.asarray(table["lift"], dtype=float).reshape(shape)
        with np.errstate(divide="ignore"):
            values = np.clip(np.log2(lift), -np.log2(_MOST_LIFT), np.log2(_MOST_LIFT))
        words = [[_lift_text(one) for one in line] for line in lift]
        note = "lift: rate of response over that of all others"
        options: dict[str, Any] = {"signed": True, "limit": float(np.log2(_MOST_LIFT))}
    else:
        name = "fit" if found.evidence == "fit" else "score"
        values = np.asarray(table[name], dtype=float).reshape(shape)
        words = [[f"{one:.2f}" for one in line] for line in values]
        note = f"{name}, from 0 to 1"
        options = {}
    texts = [
        [f"{_MARK} {word}" if mark else word for word, mark in zip(*line, strict=True)]
        for line in zip(words, sensitive, strict=True)
    ]
    ax = heatmap(ax, values, _names(rows, 40), _names(cols, 24), texts, **options)
    if not options:
        _from_0_to_1(ax, values)
    for text, mark in zip(_last(ax, shape), sensitive.ravel(), strict=True):
        text.set_fontweight("bold" if mark else "normal")
    _note(ax, f"{_MARK} sensitive      {note}")
    return describe(ax, f"Value map. {' '.join(found.explain().splitlines())}")


def _from_0_to_1(ax: Axes, values: NDArray[np.float64]) -> None:
    """Colour shares by the whole of their range, so that a small difference looks small."""
    image = ax.images[-1]
    image.set_clim(0.0, 1.0)
    colors: Any = image.cmap(values.ravel())
    for text, color in zip(_last(ax, values.shape), colors, strict=True):
        text.set_color(text_color(color))


def _last(ax: Axes, shape: tuple[int, ...]) -> list[Any]:
    """The texts of the cells: axes that were given may hold others."""
    return list(ax.texts)[-shape[0] * shape[1] :]


def _lift_text(lift: float) -> str:
    return f"\N{MULTIPLICATION SIGN}{format_value(lift, 'index')}" if lift == lift else "–"


def _note(ax: Axes, text: str) -> None:
    """What the cells say, below the table."""
    ax.set_xlabel(literal(text), fontsize="small", labelpad=6)


def competitors(found: ValueMap, *, persona: str | None = None, ax: Axes | None = None) -> Axes:
    """Draw propositions against competitors; see :meth:`ilk.gaps.ValueMap.plot`."""
    table = to_dict(found._core.needs())
    if "competitor" not in table:
        raise DataError(
            "competitors: found none, but what each competitor delivers of each need must be given; "
            "try: value_map(needs, delivery, competitors=competitors)"
        )
    personas = found.personas
    if persona is not None and persona not in personas:
        listed = ", ".join(map(repr, personas))
        raise DataError(f"persona: found {persona!r}, but the personas are {listed}")
    worth = found._worth
    names = table[found._core.names()[2]][: len(table["share"]) // len(personas)]
    shares = np.asarray(table["share"]).reshape(len(personas), -1)
    if persona is None:
        weight = np.array([worth[name] for name in personas]) @ shares
    else:
        weight = shares[personas.index(persona)]
    order = np.argsort(-weight, kind="stable")
    own, other = (
        np.asarray(table[name])[: len(names)][order] for name in ("delivery", "competitor_delivery")
    )
    position = [table["position"][at] for at in order]

    ax = new_axes(ax, 8.4, 1.5 + 0.42 * len(names))
    places = np.arange(len(names))
    ax.hlines(places, own, other, color="gray", linewidth=2.5, alpha=0.5, zorder=1)
    ax.scatter(
        other,
        places,
        s=70,
        marker="D",
        facecolors="none",
        edgecolors=CATEGORIES[5],
        linewidths=1.8,
        label="best competitor",
        zorder=2,
    )
    ax.scatter(own, places, s=48, color=CATEGORIES[0], label="best proposition", zorder=3)
    short = _names(names, 34)
    labels = [f"{label(short[at], 34)}  {weight[at]:.0%}" for at in order]
    ax.set_yticks(places, labels)
    for place, text in enumerate(position):
        ax.text(
            1.04,
            place,
            text,
            transform=ax.get_yaxis_transform(),
            va="center",
            fontsize="small",
            color=ink(),
            fontweight="normal" if text == "at par" else "bold",
            alpha=0.7 if text == "at par" else 1.0,
        )
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.set_xlim(-0.03, 1.03)
    who = "all personas, by their value" if persona is None else label(persona, 40)
    ax.set_xlabel("how well the need is delivered, from 0 to 1")
    ax.set_ylabel(f"need and its share of importance\n({who})")
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x", alpha=0.25)
    ax.legend(
        loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False, fontsize="small"
    )
    told = "; ".join(
        f"{names[at]} ({weight[at]:.0%} of importance): {own[row]:.2f} against {other[row]:.2f}, {position[row]}"
        for row, at in enumerate(order)
    )
    return describe(ax, f"The best proposition against the best competitor, need by need. {told}.")

"""Pictures of segmentations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ilk.exceptions import DataError
from ilk.plot._style import CATEGORIES, describe, heatmap, literal, new_axes, pyplot
from ilk.profile._words import shown_traits, trait_name, trait_value

if TYPE_CHECKING:
    from ilk.segments import Segmentation

__all__ = ["plot"]

_KINDS = ("profile", "evidence", "sizes", "grid")

#: Standard deviations from the overall mean at which a cell's colour is full.
_FULL = 1.5


def plot(segmentation: Segmentation, kind: str, *, ax: Any = None, top: int = 24) -> Any:
    """Draw a segmentation; ``top`` is the most traits that a profile shows."""
    if kind == "profile":
        return _profile(segmentation, ax, top)
    if kind == "evidence":
        return _evidence(segmentation, ax)
    if kind == "sizes":
        return _sizes(segmentation, ax)
    if kind == "grid":
        from ilk.plot.segment_grid import grid

        return grid(segmentation, ax)
    options = ", ".join(f'"{name}"' for name in _KINDS)
    raise DataError(f"kind: found {kind!r}, but one of {options} is needed")


def _profile(segmentation: Segmentation, ax: Any, top: int) -> Any:
    columns = segmentation.profile().to_dict()
    names = segmentation.names
    if len(columns["n"]) == 0:
        raise DataError(
            "kind: found 'profile', but no column of the customers says anything of them; try: .plot(\"sizes\")"
        )
    shape = (-1, len(names))
    value, overall, spread = (
        np.asarray(columns[name]).reshape(shape) for name in ("value", "overall", "spread")
    )
    distance = np.nan_to_num((value - overall) / np.where(spread > 0, spread, np.nan))
    step = len(names)
    shown = np.array(shown_traits(columns, step), dtype=int) // step
    strength = np.abs(distance[shown]).max(axis=1)
    order = np.sort(shown[np.argsort(-strength, kind="stable")[:top]])
    rows = [
        trait_name(columns["feature"][row * step], columns["level"][row * step]) for row in order
    ]
    texts = [
        [
            trait_value(columns["value"][row * step + column], columns["measure"][row * step])
            for column in range(step)
        ]
        for row in order
    ]
    shares = segmentation.to_dict()["share"]
    heads = [f"{name}\n{share:.0%}" for name, share in zip(names, shares, strict=True)]
    ax = heatmap(ax, distance[order], rows, heads, texts, signed=True, limit=_FULL)
    ax.set_title("Segments by trait: orange below, purple above the average", loc="left", pad=14)
    hidden = len(shown) - len(order)
    if hidden:
        ax.set_xlabel(f"the {len(order)} traits that differ most; {hidden} more in .profile()")
    strongest = [
        f"{name}: {rows[int(np.argmax(np.abs(distance[order][:, column])))]}"
        for column, name in enumerate(names)
    ]
    return describe(
        ax, f"Table of {len(order)} traits by {step} segments. Most marked: {'; '.join(strongest)}."
    )


def _evidence(segmentation: Segmentation, ax: Any) -> Any:
    if segmentation.origin != "clustering":
        raise DataError(
            f"kind: found 'evidence', but the number of segments was not chosen: {segmentation.reason}; "
            'try: .plot("sizes")'
        )
    columns = {
        name: segmentation._core.evidence().column(name)
        for name in segmentation._core.evidence().names()
    }
    if len(columns["k"]) == 0:
        raise DataError(
            f"kind: found 'evidence', but k={segmentation.k} was given and no other number was tried; "
            'try: segment(..., k="auto")'
        )
    if ax is None:
        _, ax = pyplot().subplots(figsize=(6.4, 4.2), layout="constrained")
    k = columns["k"]
    ax.errorbar(
        k,
        columns["prediction_strength"],
        yerr=columns["standard_error"],
        color=CATEGORIES[0],
        marker="o",
        capsize=3,
        label="prediction strength (± one standard error)",
    )
    ax.plot(k, columns["silhouette"], color=CATEGORIES[1], marker="s", label="mean silhouette")
    ax.plot(
        k,
        columns["adjusted_rand"],
        color=CATEGORIES[2],
        marker="^",
        label="adjusted Rand index of halves",
    )
    ax.axhline(0.8, color="#555555", linestyle="--", linewidth=1)
    ax.text(k[-1], 0.805, "repeats from here up", ha="right", va="bottom", fontsize="small")
    ax.axvline(segmentation._core.choice()[0], color="#555555", linewidth=1, linestyle=":")
    ax.set(
        xlabel="number of segments",
        ylabel="evidence",
        ylim=(min(0, columns["silhouette"].min()), 1.05),
    )
    ax.set_xticks(k)
    ax.legend(frameon=False, fontsize="small", loc="upper left", bbox_to_anchor=(0, -0.18))
    ax.spines[["top", "right"]].set_visible(False)
    ax.set_title(f"{segmentation._core.choice()[0]} segments were chosen", loc="left")
    return describe(ax, f"Evidence for {k[0]} to {k[-1]} segments. {segmentation.reason}.")


def _sizes(segmentation: Segmentation, ax: Any) -> Any:
    columns = segmentation.to_dict()
    names = segmentation.names
    ax = new_axes(ax, 6.4, 0.9 + 0.42 * len(names))
    at = np.arange(len(names))
    ax.barh(at, columns["n"], color=CATEGORIES[0])
    for row, (n, share) in enumerate(zip(columns["n"], columns["share"], strict=True)):
        ax.text(n, row, f" {n:,} ({share:.1%})", va="center", fontsize="small")
    ax.set_yticks(at, [literal(name) for name in names])
    ax.invert_yaxis()
    ax.margins(x=0.18)
    ax.spines[["top", "right"]].set_visible(False)
    ax.set(xlabel="customers")
    told = ", ".join(f"{name} {n:,}" for name, n in zip(names, columns["n"], strict=True))
    return describe(ax, f"Customers of each segment: {told}.")

"""Pictures of profiles: traits by segment, and how much each feature differs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ilk._frame import to_dict
from ilk.exceptions import DataError
from ilk.plot._fonts import writing
from ilk.plot._style import CATEGORIES, describe, ink, label, new_axes
from ilk.profile._words import shown_traits, trait_name, trait_value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from ilk.profile import SegmentProfile

__all__ = ["COLORS", "effect_bars", "plot"]

_KINDS = ("profile", "effects")

#: Black is not among them: it would not be seen in the dark.
COLORS = CATEGORIES[:7]

#: Shapes, so that segments are told apart without colours.
_SHAPES = "osD^vPX<>p"

#: Colours of effects by their word.
_WORDS = {
    "large": CATEGORIES[0],
    "medium": CATEGORIES[4],
    "small": "#BBBBBB",
    "negligible": "#DDDDDD",
    "": "#DDDDDD",
}


def plot(profile: SegmentProfile, kind: str, *, top: int, ax: Axes | None) -> Axes:
    """Draw a profile; see :meth:`ilk.profile.SegmentProfile.plot`."""
    if isinstance(top, bool) or not isinstance(top, int) or top < 1:
        raise DataError(f"top: found {top!r}, but a whole number from 1 up is needed; try: top=12")
    if kind == "profile":
        return _dots(profile, top, ax)
    if kind == "effects":
        effects = to_dict(profile._core.effects())
        return effect_bars(effects, "feature", top, ax, "What differs most between the segments")
    options = ", ".join(f'"{name}"' for name in _KINDS)
    raise DataError(f"kind: found {kind!r}, but one of {options} is needed")


def _dots(profile: SegmentProfile, top: int, ax: Axes | None) -> Axes:
    columns = profile.to_dict()
    names, confidence = profile._core.about()
    k = len(names)
    shown = np.array(shown_traits(columns, k), dtype=int)
    cells = shown[:, None] + np.arange(k)
    value, low, high, overall, spread = (
        np.asarray(columns[name], dtype=np.float64)[cells]
        for name in ("value", "value_lo", "value_hi", "overall", "spread")
    )
    marker = np.asarray(columns["marker"])[cells]
    spread = np.where(spread > 0, spread, np.nan)
    far = np.nan_to_num(np.abs(value - overall) / spread).max(axis=1, initial=0.0)
    order = np.argsort(-far, kind="stable")[:top]
    shares = all(columns["measure"][shown[at]] == "share" for at in order)
    traits = [
        trait_name(columns["feature"][shown[at]], columns["level"][shown[at]]) for at in order
    ]

    def placed(values: Any) -> Any:
        return values[order] if shares else ((values - overall) / spread)[order]

    at, left, right = placed(value), placed(low), placed(high)
    with writing([*names, *traits]):
        ax = new_axes(ax, 8.2, 1.6 + len(order) * max(0.34, 0.13 * k))
        rows = np.arange(len(order), dtype=np.float64)
        step = 0.8 / k
        for row in range(0, len(order), 2):
            ax.axhspan(row - 0.5, row + 0.5, color=ink(), alpha=0.05, linewidth=0)
        for segment, name in enumerate(names):
            y = rows + (segment - (k - 1) / 2) * step
            color = COLORS[segment % len(COLORS)]
            shape = _SHAPES[segment % len(_SHAPES)]
            there = np.isfinite(at[:, segment])
            ends = np.array([at[:, segment] - left[:, segment], right[:, segment] - at[:, segment]])
            ends[~np.isfinite(ends)] = 0
            ax.errorbar(
                at[there, segment],
                y[there],
                xerr=np.maximum(ends[:, there], 0),
                fmt="none",
                ecolor=color,
                elinewidth=1.4,
                alpha=0.9,
            )
            marks = marker[order, segment]
            for filled in (True, False):
                which = there & (marks == filled)
                ax.plot(
                    at[which, segment],
                    y[which],
                    linestyle="none",
                    marker=shape,
                    markersize=6.5,
                    color=color,
                    markerfacecolor=color if filled else ax.get_facecolor(),
                    markeredgewidth=1.4,
                )
            ax.plot([], [], linestyle="none", marker=shape, color=color, label=label(name))
        if shares:
            for place, middle in zip(rows, overall[order, 0], strict=True):
                ax.plot([middle, middle], [place - 0.5, place + 0.5], color=ink(), linewidth=1.2)
            ax.xaxis.set_major_formatter(lambda x, _: f"{100 * x:.0f} %")
            ax.set_xlabel("share of the customers; the upright lines are all customers")
        else:
            ax.axvline(0, color=ink(), linewidth=1.0)
            ax.set_xlabel("standard deviations from the mean of all customers")
        ax.set_yticks(
            rows,
            [
                _with_overall(columns, shown[at_], trait)
                for at_, trait in zip(order, traits, strict=True)
            ],
        )
        ax.set_ylim(len(order) - 0.5, -0.5)
        ax.tick_params(axis="y", length=0)
        ax.spines[["top", "right", "left"]].set_visible(False)
        hidden = len(shown) - len(order)
        rest = f"; {hidden} more in .table" if hidden else ""
        ax.set_title(
            f"Filled: marks the segment. Lines: {100 * confidence:g} % intervals{rest}",
            loc="left",
            fontsize="small",
        )
        ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), frameon=False, fontsize="small")
    told = _marked(columns, names)
    return describe(
        ax,
        f"Profile of {k} segments by {len(order)} traits. {' '.join(told)}",
    )


def _with_overall(columns: Mapping[str, Any], row: int, trait: str) -> str:
    overall = trait_value(columns["overall"][row], columns["measure"][row])
    return f"{label(trait, 34)}\n{overall}"


def _marked(columns: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    found: dict[str, list[str]] = {name: [] for name in names}
    for row, name in enumerate(columns["segment"]):
        if columns["marker"][row]:
            side = "more" if columns["v_test"][row] > 0 else "less"
            trait = trait_name(columns["feature"][row], columns["level"][row])
            found[name].append(f"{side} {trait}")
    return [f"{name}: {', '.join(traits) or 'no marker'}." for name, traits in found.items()]


def effect_bars(
    effects: Mapping[str, Any], name: str, top: int, ax: Axes | None, title: str
) -> Axes:
    """Bars of effects with their words; the largest on top."""
    size = np.asarray(effects["effect"], dtype=np.float64)
    order = np.argsort(-np.nan_to_num(size, nan=-1.0), kind="stable")[:top]
    names = [effects[name][at] for at in order]
    with writing(names):
        ax = new_axes(ax, 7.2, 1.4 + 0.36 * len(order))
        rows = np.arange(len(order))
        words = [effects["size"][at] for at in order]
        ax.barh(
            rows,
            np.nan_to_num(size[order]),
            height=0.62,
            color=[_WORDS[word] for word in words],
            edgecolor=ink(),
            linewidth=0.6,
        )
        for row, at in enumerate(order):
            told = f"{effects['measure'][at]} {size[at]:.2f}, {words[row]}" if words[row] else "–"
            q = effects["q"][at]
            sure = "" if not np.isfinite(q) else f" (q {'< 0.001' if q < 0.001 else f'{q:.3f}'})"
            ax.text(np.nan_to_num(size[at]) + 0.01, row, told + sure, va="center", fontsize="small")
        ax.set_yticks(rows, [label(name, 34) for name in names])
        ax.set_ylim(len(order) - 0.5, -0.5)
        ax.set_xlim(0, 1)
        ax.tick_params(axis="y", length=0)
        ax.spines[["top", "right"]].set_visible(False)
        ax.set_xlabel("effect, from 0 to 1")
        ax.set_title(title, loc="left", fontsize="small")
    told_all = ", ".join(
        f"{effects[name][at]} {effects['measure'][at]} {size[at]:.2f}" for at in order
    )
    return describe(ax, f"{title}: {told_all}.")

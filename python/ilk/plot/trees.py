"""Traits, trees, questions and segmentations as pictures."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np

from ilk.plot._style import CATEGORIES, describe, ink, label, literal, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ilk.profile import Distinction, SegmentRules, TypingTool
    from ilk.segments import SegmentationComparison

__all__ = ["accuracy", "candidates", "distinction", "tree"]

_MARKERS = ("o", "^", "s", "D", "v", "P", "X", "*")


def distinction(found: Distinction, ax: Axes | None) -> Axes:
    """Draw sets of traits; see :meth:`ilk.profile.Distinction.plot`."""
    table = {name: found._core.steps().column(name) for name in found._core.steps().names()}
    first = [at for at, rank in enumerate(table["rank"]) if rank == 1]
    segments = list(dict.fromkeys(table["segment"][at] for at in first))
    n_rows = len(first) + len(segments)
    ax = new_axes(ax, 8.4, 1.3 + 0.36 * max(n_rows, 1))
    place = 0.0
    places, names = [], []
    for segment in segments:
        ax.text(0.0, place, label(segment, 60), weight="bold", va="center", ha="left")
        place += 1
        for at in (at for at in first if table["segment"][at] == segment):
            kept, left = table["segment_so_far"][at], table["others_so_far"][at]
            ax.plot([left, kept], [place, place], color="gray", linewidth=1.2, zorder=1)
            ax.scatter(
                [kept],
                [place],
                s=44,
                c=CATEGORIES[0],
                marker="o",
                zorder=2,
                label="of the segment" if at == first[0] else None,
            )
            ax.scatter(
                [left],
                [place],
                s=44,
                c=CATEGORIES[5],
                marker="D",
                zorder=2,
                label="of all others" if at == first[0] else None,
            )
            word = "" if table["step"][at] == 1 else "and "
            places.append(place)
            names.append(label(word + table["trait"][at], 46))
            place += 1
    ax.set_yticks(places, names)
    ax.set_ylim(max(place, 1) - 0.4, -0.6)
    ax.set_xlim(-0.02, 1.02)
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    ax.set_xlabel("share who hold the trait and those above it")
    ax.tick_params(axis="y", length=0)
    ax.spines[["top", "right", "left"]].set_visible(False)
    if first:
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False)
    return describe(ax, f"What tells segments apart. {' '.join(found.explain().splitlines())}")


def tree(found: SegmentRules, ax: Axes | None) -> Axes:
    """Draw a tree from left to right; see :meth:`ilk.profile.SegmentRules.plot`."""
    nodes, names = found._core.drawing(), found._core.names()
    children: dict[int, list[int]] = {at: [] for at in range(len(nodes))}
    for at, (parent, *_) in enumerate(nodes):
        if parent is not None:
            children[parent].append(at)
    depth = {0: 0}
    for at, (parent, *_) in enumerate(nodes):
        if parent is not None:
            depth[at] = depth[parent] + 1
    height: dict[int, float] = {}
    leaves = 0

    def settle(at: int) -> float:
        nonlocal leaves
        if children[at]:
            height[at] = sum(settle(child) for child in children[at]) / 2
        else:
            height[at] = float(leaves)
            leaves += 1
        return height[at]

    settle(0)
    deepest = max(depth.values())
    # Leaves stand in one column, with a bar each; the nodes are spread before it.
    step = 1.0
    bar = deepest * step + 0.35
    width = 1.5
    ax = new_axes(ax, 4.4 + 2.2 * deepest, 1.2 + 0.58 * leaves)
    for at, (parent, words, segment, counts) in enumerate(nodes):
        x = depth[at] * step
        if parent is not None:
            from_x = depth[parent] * step
            ax.plot(
                [from_x, from_x, x if children[at] else bar - 0.06],
                [height[parent], height[at], height[at]],
                color="gray",
                linewidth=1.0,
                zorder=1,
            )
            ax.text(
                from_x + 0.03,
                height[at] - 0.06,
                "\n".join(literal(line) for line in textwrap.wrap(words, 26)[:3]),
                fontsize="x-small",
                va="bottom",
                ha="left",
            )
        if not children[at]:
            total, left = sum(counts), bar
            for number, n in enumerate(counts):
                part = width * n / total
                ax.barh(
                    height[at],
                    part,
                    left=left,
                    height=0.5,
                    color=CATEGORIES[number % len(CATEGORIES)],
                    edgecolor="white",
                    linewidth=0.5,
                    label=label(names[number], 30) if leaves and height[at] == 0 else None,
                )
                left += part
            ax.text(
                bar + width + 0.05,
                height[at],
                f"{label(names[segment], 26)}  {counts[segment] / total:.0%} of {total:,}",
                fontsize="small",
                va="center",
                ha="left",
            )
    ax.set_xlim(-0.05, bar + width + 1.5)
    ax.set_ylim(leaves - 0.4, -0.9)
    ax.set_axis_off()
    ax.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=4, frameon=False, fontsize="small")
    return describe(ax, f"A tree of rules. {' '.join(found.explain().splitlines())}")


def accuracy(found: TypingTool, ax: Axes | None) -> Axes:
    """Draw accuracy by number of questions; see :meth:`ilk.profile.TypingTool.plot`."""
    table = found.to_dict()
    x = np.asarray(table["questions"])
    y, lo, hi = (np.asarray(table[f"accuracy{end}"]) for end in ("", "_lo", "_hi"))
    ax = new_axes(ax, 7.6, 4.6)
    largest = found.accuracy.largest
    ax.axhline(largest, color="gray", linewidth=0.9, linestyle="--")
    ax.text(
        x[-1] + 0.45,
        largest,
        "largest segment for everybody",
        color="gray",
        fontsize="small",
        ha="right",
        va="bottom",
    )
    ax.fill_between(x, lo, hi, color=CATEGORIES[0], alpha=0.2, linewidth=0)
    ax.plot(x, y, color=CATEGORIES[0], marker="o", markersize=5)
    asked = int(np.sum(table["asked"]))
    ax.plot(
        [x[asked - 1]],
        [y[asked - 1]],
        marker="o",
        markersize=11,
        color=ink(),
        fillstyle="none",
        linestyle="none",
        label=f"{asked} asked: {y[asked - 1]:.0%} placed rightly",
    )
    names = [label(f"{n} {name}", 24) for n, name in zip(x, table["question"], strict=True)]
    ax.set_xticks(x, names, rotation=30, ha="right", rotation_mode="anchor", fontsize="small")
    ax.set_xlim(0.5, x[-1] + 0.5)
    ax.set_ylim(0, 1.02)
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    ax.set_xlabel("number of questions, and the one that comes last")
    ax.set_ylabel("customers placed rightly")
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(loc="lower right", frameon=False)
    return describe(
        ax, f"Accuracy by number of questions. {' '.join(found.explain().splitlines())}"
    )


def candidates(found: SegmentationComparison, ax: Axes | None) -> Axes:
    """Draw segmentations side by side; see :meth:`ilk.segments.SegmentationComparison.plot`."""
    table = found.to_dict()
    criteria: list[tuple[str, str, Any]] = [
        ("stability", "stability\n(adjusted Rand)", None),
        ("omega2", "value between segments\n(omega squared)", ("omega2_lo", "omega2_hi")),
        ("reach", "placed from descriptors\n(above naming the largest)", None),
    ]
    criteria = [one for one in criteria if not np.isnan(np.asarray(table[one[0]], float)).all()]
    names = list(table["name"])
    ax = new_axes(ax, 8.0, 1.6 + 0.34 * (len(names) + 1) * max(len(criteria), 1))
    places, labels = [], []
    place = 0.0
    for column, title, interval in criteria:
        values = np.asarray(table[column], dtype=np.float64)
        middle = place + (len(names) - 1) / 2
        places.append(middle)
        labels.append(title)
        for at, value in enumerate(values):
            colour = CATEGORIES[at % len(CATEGORIES)]
            if np.isnan(value):
                ax.text(0.005, place, "not measured", fontsize="small", va="center", style="italic")
            else:
                ax.plot([0, value], [place, place], color=colour, linewidth=1.4, alpha=0.5)
                if interval:
                    ax.plot(
                        [table[interval[0]][at], table[interval[1]][at]],
                        [place, place],
                        color=colour,
                        linewidth=4,
                        alpha=0.4,
                    )
                ax.scatter(
                    [value], [place], s=48, c=colour, marker=_MARKERS[at % len(_MARKERS)], zorder=3
                )
                ax.text(value + 0.02, place, f"{value:z.2f}", fontsize="small", va="center")
            place += 1
        place += 1
    for at, name in enumerate(names):
        ax.scatter(
            [],
            [],
            c=CATEGORIES[at % len(CATEGORIES)],
            marker=_MARKERS[at % len(_MARKERS)],
            s=48,
            label=label(name, 30),
        )
    ax.set_yticks(places, labels)
    ax.set_ylim(max(place, 2.0) - 1.4, -0.7)
    figures = [np.asarray(table[column], dtype=np.float64) for column, *_ in criteria]
    low = min(0.0, *(float(np.nanmin(values)) for values in figures)) if figures else 0.0
    ax.set_xlim(low - 0.02, 1.1)
    if not criteria:
        ax.text(0.5, 0, "nothing was measured", ha="center", va="center", style="italic")
    ax.tick_params(axis="y", length=0)
    ax.axvline(0, color="gray", linewidth=0.8)
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False)
    return describe(ax, f"Segmentations side by side. {' '.join(found.explain().splitlines())}")

"""Pictures of how real segments are."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from ilk.exceptions import DataError
from ilk.plot._style import (
    CATEGORIES,
    describe,
    heatmap,
    label,
    new_axes,
    pyplot,
    text_color,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ilk.quality import (
        Comparison,
        NoiseTest,
        SegmentStability,
        Selection,
        Shadows,
        Silhouettes,
        Stability,
    )

__all__ = [
    "comparison",
    "noise",
    "segment_stability",
    "selection",
    "shadows",
    "silhouettes",
    "stability",
]

#: Hennig's bars and what they say.
_BARS = ((0.85, "highly stable"), (0.75, "stable"), (0.6, "pattern"))

#: Most customers that are drawn one by one; of more, evenly spaced ones are.
_DRAWN = 4000


def _ink() -> str:
    """The colour of text, black or white with the theme."""
    color: str = pyplot().rcParams["text.color"]
    return color


def _panels(axes: Any, count: int, width: float, height: float) -> list[Any]:
    """The axes given, or those of a new figure, in rows of at most three."""
    if axes is not None:
        given = list(np.ravel(np.asarray(axes, dtype=object)))
        if len(given) < count:
            raise DataError(f"axes: found {len(given)}, but {count} are needed")
        return given[:count]
    columns = 2 if count == 4 else min(count, 3)
    rows = -(-count // columns)
    _, made = pyplot().subplots(
        rows, columns, figsize=(width * columns, height * rows), layout="constrained", squeeze=False
    )
    flat = list(made.ravel())
    for unused in flat[count:]:
        unused.remove()
    return flat[:count]


def _bare(ax: Any) -> None:
    ax.spines[["top", "right"]].set_visible(False)


def _boxes(ax: Any, samples: Sequence[Any], colors: Sequence[str]) -> None:
    """Boxes at 0, 1 and so on: quartiles, whiskers to 1.5 times their distance, single values beyond."""
    ink = _ink()
    drawn = ax.boxplot(
        [np.asarray(values) if len(values) else [np.nan] for values in samples],
        positions=range(len(samples)),
        widths=0.6,
        patch_artist=True,
        medianprops={"color": ink, "linewidth": 2},
        whiskerprops={"color": ink},
        capprops={"color": ink},
        flierprops={"marker": ".", "markersize": 4, "markeredgecolor": ink, "alpha": 0.6},
    )
    for box, color in zip(drawn["boxes"], colors, strict=True):
        box.set(facecolor=color, alpha=0.75, edgecolor=ink)


def selection(found: Selection, axes: Any) -> Any:
    """Draw the elbow beside silhouettes and prediction strength."""
    columns = found.to_dict()
    k, at = columns["k"], list(columns["k"]).index(found.k)
    left, right = _panels(axes, 2, 4.6, 3.6)
    left.plot(k, columns["within_ss"], color=CATEGORIES[0], marker="o")
    left.set(ylabel="spread within segments (sum of squares)", ylim=(0, None))
    left.set_title("Elbow", loc="left")
    right.plot(k, columns["silhouette"], color=CATEGORIES[1], marker="s", label="mean silhouette")
    strength = columns["prediction_strength"]
    if not np.all(np.isnan(strength)):
        right.errorbar(
            k,
            strength,
            yerr=columns["prediction_strength_se"],
            color=CATEGORIES[0],
            marker="o",
            capsize=3,
            label="prediction strength (± one standard error)",
        )
        right.axhline(0.8, color=_ink(), linestyle="--", linewidth=1, alpha=0.6)
        right.annotate(
            "repeats from here up",
            (1, 0.8),
            xycoords=("axes fraction", "data"),
            xytext=(0, 2),
            textcoords="offset points",
            ha="right",
            fontsize="small",
        )
    right.set(ylabel="evidence", ylim=(min(0.0, np.nanmin([0.0, *columns["silhouette"]])), 1.05))
    right.legend(frameon=False, fontsize="small", loc="upper center", bbox_to_anchor=(0.5, -0.2))
    right.set_title(f"{found.k} segments were chosen", loc="left")
    for ax, height in ((left, columns["within_ss"][at]), (right, columns["silhouette"][at])):
        ax.axvline(found.k, color=_ink(), linewidth=1, linestyle=":")
        ax.plot(found.k, height, "o", ms=13, mfc="none", mec=_ink(), mew=1.5)
        ax.set(xlabel="number of segments")
        ax.set_xticks(k)
        _bare(ax)
    spreads = ", ".join(f"{a}: {b:.4g}" for a, b in zip(k, columns["within_ss"], strict=True))
    widths = ", ".join(f"{a}: {b:z.2f}" for a, b in zip(k, columns["silhouette"], strict=True))
    describe(left, f"Spread within segments by number of segments. {spreads}.")
    describe(right, f"Mean silhouette by number of segments. {widths}. {found.reason}.")
    return np.array([left, right], dtype=object)


def stability(found: Stability, ax: Any) -> Any:
    """Draw a box of adjusted Rand indices for each number of segments."""
    columns = found.to_dict()
    k, values = (
        columns["k"],
        found._core.values().column("adjusted_rand").reshape(len(columns["k"]), -1),
    )
    ax = new_axes(ax, 1.6 + 0.7 * len(k), 3.8)
    best = found.k
    _boxes(ax, list(values), [CATEGORIES[0] if at == best else CATEGORIES[4] for at in k])
    ax.set_xticks(range(len(k)), [f"{at}" for at in k])
    ax.set(
        xlabel="number of segments",
        ylabel="adjusted Rand index",
        ylim=(min(0.0, float(values.min()) - 0.02), 1.03),
    )
    ax.set_title(
        f"How well segments repeat on {values.shape[1]} pairs of samples: best {best} (darker)",
        loc="left",
        fontsize="medium",
    )
    _bare(ax)
    medians = ", ".join(f"{a}: {b:z.2f}" for a, b in zip(k, columns["median"], strict=True))
    return describe(
        ax, f"Boxes of the adjusted Rand index. Medians by number of segments: {medians}."
    )


def segment_stability(found: SegmentStability, kind: str, ax: Any) -> Any:
    """Draw the stability of single segments."""
    if kind == "within":
        return _within(found, ax)
    if kind == "across":
        return _across(found, ax)
    raise DataError(f'kind: found {kind!r}, but one of "within", "across" is needed')


def _within(found: SegmentStability, ax: Any) -> Any:
    columns = found.to_dict()
    names = columns["segment"]
    values = found._core.values().column("jaccard").reshape(len(names), -1)
    ax = new_axes(ax, 2.6 + 0.9 * len(names), 3.9)
    _boxes(
        ax,
        [row[~np.isnan(row)] for row in values],
        [CATEGORIES[0] if mean >= 0.75 else CATEGORIES[1] for mean in columns["jaccard"]],
    )
    ax.plot(
        range(len(names)), columns["jaccard"], "D", ms=6, mfc="white", mec="black", label="mean"
    )
    for bar, text in _BARS:
        ax.axhline(bar, color=_ink(), linestyle="--", linewidth=1, alpha=0.6)
        ax.annotate(
            f" {text}", (1, bar), xycoords=("axes fraction", "data"), va="center", fontsize="small"
        )
    heads = [
        f"{label(name, 16)}\n{share:.0%}"
        for name, share in zip(names, columns["share"], strict=True)
    ]
    turned = max(map(len, names)) > 10 and len(names) > 4
    ax.set_xticks(
        range(len(names)),
        heads,
        rotation=30 if turned else 0,
        ha="right" if turned else "center",
        rotation_mode="anchor" if turned else None,
    )
    ax.set(ylabel="best Jaccard index in a sample", ylim=(min(0.3, np.nanmin(values) - 0.02), 1.03))
    ax.set_title(
        f"How well each segment comes back in {values.shape[1]} samples",
        loc="left",
        fontsize="medium",
    )
    ax.legend(frameon=False, fontsize="small", loc="lower left")
    _bare(ax)
    told = "; ".join(
        f"{name} {mean:z.2f} ({verdict})"
        for name, mean, verdict in zip(names, columns["jaccard"], columns["verdict"], strict=True)
    )
    return describe(ax, f"Boxes of the Jaccard index of each segment. Means: {told}.")


def _columns(table: Any) -> dict[str, Any]:
    return {name: np.asarray(table.column(name)) for name in table.names()}


def _across(found: SegmentStability, ax: Any) -> Any:
    across, flows = _columns(found._core.across()), _columns(found._core.flows())
    ks = sorted(set(across["k"].tolist()))
    if not ks:
        raise DataError(
            'kind: found "across", but no other number was tried; try: across=range(2, 9)'
        )
    ax = new_axes(ax, 1.4 + 1.25 * len(ks), 4.8)
    gap, half = 0.035, 0.16
    ink, cmap = _ink(), pyplot().get_cmap("cividis")
    places = _places(across, flows, ks, gap)
    for x, k in enumerate(ks):
        rows = np.flatnonzero(across["k"] == k)
        for row in rows:
            segment, share = int(across["segment"][row]), float(across["share"][row])
            low = places[k][segment]
            value = across["stability"][row]
            color: Any = "#9a9a9a" if np.isnan(value) else cmap(float(value))
            ax.bar(x, share, 2 * half, bottom=low, color=color, edgecolor=ink, linewidth=0.8)
            if share > 0.035:
                text = f"{segment}" if np.isnan(value) else f"{value:z.2f}"
                ax.text(
                    x,
                    low + share / 2,
                    text,
                    ha="center",
                    va="center",
                    color=text_color(color),
                    fontsize="small",
                )
    _bands(ax, flows, ks, places, half)
    ax.set_xticks(range(len(ks)), [str(k) for k in ks])
    ax.set_yticks([])
    ax.set(xlabel="number of segments", xlim=(-0.5, len(ks) - 0.5))
    ax.spines[:].set_visible(False)
    ax.set_title(
        "Where segments come from: 1 (yellow) from one segment, 0 (dark) from all alike",
        loc="left",
        fontsize="medium",
    )
    told = "; ".join(
        f"{k} segments: "
        + ", ".join(
            "–" if np.isnan(v) else f"{v:z.2f}" for v in across["stability"][across["k"] == k]
        )
        for k in ks
    )
    return describe(
        ax, f"Segments of each number, joined by the customers they share. Stability: {told}."
    )


def _places(across: Any, flows: Any, ks: list[int], gap: float) -> dict[int, dict[int, float]]:
    """Where each segment's bar begins; each number's segments are ordered by where their customers come from."""
    places: dict[int, dict[int, float]] = {}
    middle: dict[int, float] = {}
    for k in ks:
        rows = np.flatnonzero(across["k"] == k)
        segments = across["segment"][rows].tolist()
        if middle:
            pull = {segment: 0.0 for segment in segments}
            weight = dict.fromkeys(segments, 1e-12)
            for row in np.flatnonzero(flows["k"] == k):
                segment, share = int(flows["segment"][row]), float(flows["share"][row])
                pull[segment] += share * middle[int(flows["origin"][row])]
                weight[segment] += share
            segments.sort(key=lambda segment: pull[segment] / weight[segment])
        sizes = dict(
            zip(across["segment"][rows].tolist(), across["share"][rows].tolist(), strict=True)
        )
        low = -gap * (len(segments) - 1) / 2
        places[k], middle = {}, {}
        for segment in segments:
            places[k][segment] = low
            middle[segment] = low + sizes[segment] / 2
            low += sizes[segment] + gap
    return places


def _bands(ax: Any, flows: Any, ks: list[int], places: Any, half: float) -> None:
    """Bands from each segment to those that its customers are in with the next number."""
    step = np.linspace(0, 1, 30)
    ease = step * step * (3 - 2 * step)
    for x, (before, after) in enumerate(pairwise(ks)):
        rows = np.flatnonzero(flows["k"] == after)
        used_left, used_right = dict(places[before]), dict(places[after])
        order = sorted(
            rows,
            key=lambda row: (
                places[before][int(flows["origin"][row])],
                places[after][int(flows["segment"][row])],
            ),
        )
        starts = {}
        for row in order:
            origin = int(flows["origin"][row])
            starts[row] = used_left[origin]
            used_left[origin] += float(flows["share"][row])
        order.sort(
            key=lambda row: (
                places[after][int(flows["segment"][row])],
                places[before][int(flows["origin"][row])],
            )
        )
        for row in order:
            segment, share = int(flows["segment"][row]), float(flows["share"][row])
            left, right = starts[row], used_right[segment]
            used_right[segment] += share
            if share > 0.002:
                low = left + (right - left) * ease
                at = x + half + (1 - 2 * half) * step
                ax.fill_between(at, low, low + share, color=CATEGORIES[4], alpha=0.35, linewidth=0)


def noise(found: NoiseTest, axes: Any) -> Any:
    """Draw the figures of structureless data and the customers' own."""
    from ilk.quality._noise import MEASURES

    columns = found.to_dict()
    measures = list(dict.fromkeys(columns["measure"]))
    kinds = list(dict.fromkeys(columns["structureless"]))
    sets = found._sets()
    panels = _panels(axes, len(measures), 3.6, 1.6 + 0.6 * len(kinds))
    words = {"box": "evenly spread", "shuffled": "shuffled columns"}
    for at, (ax, measure) in enumerate(zip(panels, measures, strict=True)):
        rows = [row for row, name in enumerate(columns["measure"]) if name == measure]
        for y, row in enumerate(rows):
            values = sets[(measure, columns["structureless"][row])]
            spread = ((np.arange(len(values)) * 0.618034) % 1 - 0.5) * 0.5
            ax.plot(values, y + spread, ".", color=CATEGORIES[4], ms=5, alpha=0.8)
            ax.annotate(
                f"p = {columns['p'][row]:.3f}",
                (0.02, y + 0.34),
                xycoords=("axes fraction", "data"),
                bbox={"facecolor": ax.get_facecolor(), "edgecolor": "none", "pad": 1},
                zorder=4,
                fontsize="small",
            )
        observed = columns["observed"][rows[0]]
        ax.axvline(observed, color=CATEGORIES[5], linewidth=2)
        ax.annotate(
            "customers",
            (observed, 1),
            xycoords=("data", "axes fraction"),
            xytext=(-4, 2),
            textcoords="offset points",
            ha="right" if observed > np.mean(ax.get_xlim()) else "left",
            fontsize="small",
        )
        ax.set_yticks(
            range(len(kinds)), [words[kind] for kind in kinds] if at == 0 else [""] * len(kinds)
        )
        ax.set(xlabel=MEASURES[measure], ylim=(-0.6, len(kinds) - 0.3))
        _bare(ax)
        told = "; ".join(
            f"{words[columns['structureless'][row]]} {columns['simulated_lo'][row]:.3f} to "
            f"{columns['simulated_hi'][row]:.3f}, p = {columns['p'][row]:.3f}"
            for row in rows
        )
        describe(ax, f"{MEASURES[measure]}: customers {observed:.3f}; {told}.")
    return np.array(panels, dtype=object)


def silhouettes(found: Silhouettes, ax: Any) -> Any:
    """Draw the widths of all customers, sorted within their segments."""
    widths, labels = found._core.arrays()
    names, columns = found._core.names(), found.to_dict()
    ax = new_axes(ax, 6.4, 1.6 + 0.7 * len(names))
    step = max(1, len(widths) // _DRAWN)
    low, ticks = 0.0, []
    for segment, name in enumerate(names):
        own = np.sort(widths[labels == segment])[::-1]
        shown = own[::step] if len(own) > step else own
        at = low + np.arange(len(shown))
        color = CATEGORIES[segment % (len(CATEGORIES) - 1)]
        ax.fill_betweenx(at, 0, shown, step="mid", color=color, alpha=0.85, linewidth=0)
        mean = columns["silhouette"][segment]
        ticks.append((low + len(shown) / 2, f"{label(name, 20)}\n{columns['share'][segment]:.0%}"))
        if len(own):
            ax.annotate(
                f"{mean:z.2f}",
                (1, low + len(shown) / 2),
                xycoords=("axes fraction", "data"),
                va="center",
                fontsize="small",
            )
        low += len(shown) + max(2.0, 0.02 * len(widths) / step)
    ax.axvline(0, color=_ink(), linewidth=1)
    ax.axvline(found.mean, color=_ink(), linewidth=1, linestyle="--")
    ax.set_yticks([at for at, _ in ticks], [text for _, text in ticks])
    ax.invert_yaxis()
    ax.set(xlabel="silhouette width", xlim=(min(-0.1, float(widths.min()) - 0.02), 1))
    how = " (simplified)" if found._core.simplified() else ""
    ax.set_title(f"Silhouettes{how}: mean {found.mean:.2f} (dashed)", loc="left", fontsize="medium")
    _bare(ax)
    told = ", ".join(
        f"{name} {mean:z.2f}" for name, mean in zip(names, columns["silhouette"], strict=True)
    )
    return describe(ax, f"Silhouette widths by segment, mean {found.mean:.2f}. Means: {told}.")


def shadows(found: Shadows, kind: str, axes: Any) -> Any:
    """Draw similarities of all customers to each segment, or the shadow values of each segment's customers."""
    if kind not in ("gorge", "shadow"):
        raise DataError(f'kind: found {kind!r}, but one of "gorge", "shadow" is needed')
    values, _, labels = found._core.arrays()
    names, similarities = found._core.names(), found.similarities
    panels = _panels(axes, len(names), 3.1, 2.5)
    bins = np.linspace(0, 1, 21)
    for segment, (ax, name) in enumerate(zip(panels, names, strict=True)):
        own = labels == segment
        if kind == "gorge":
            ax.hist(
                [similarities[own, segment], similarities[~own, segment]],
                bins=bins.tolist(),
                stacked=True,
                color=[CATEGORIES[0], CATEGORIES[1]],
                label=["its customers", "all others"],
                edgecolor=pyplot().rcParams["axes.facecolor"],
                linewidth=0.4,
            )
            ax.set(xlabel="similarity to its middle")
        else:
            ax.hist(
                values[own],
                bins=bins.tolist(),
                color=CATEGORIES[0],
                edgecolor=pyplot().rcParams["axes.facecolor"],
                linewidth=0.4,
            )
            ax.set(xlabel="shadow value")
        ax.set(xlim=(0, 1), ylabel="customers")
        ax.set_title(label(name), loc="left", fontsize="medium")
        _bare(ax)
        figure = np.mean(similarities[own, segment]) if kind == "gorge" else np.mean(values[own])
        what = "similarity to all customers" if kind == "gorge" else "shadow values"
        describe(ax, f"{name}: {what}; mean of its own customers {figure:.2f}.")
    if kind == "gorge":
        panels[0].legend(frameon=False, fontsize="small", loc="upper right")
    return np.array(panels, dtype=object)


def comparison(found: Comparison, ax: Any) -> Any:
    """Draw the cross-table with matched segments on the diagonal."""
    counts, first, second = found._core.counts()
    counts = counts.reshape(len(first), -1)
    matching = found._core.matching()
    rows = sorted(range(len(first)), key=lambda row: (matching[row] is None, -counts[row].sum()))
    cols = [matching[row] for row in rows if matching[row] is not None]
    cols += [col for col in range(len(second)) if col not in cols]
    table = counts[np.ix_(rows, cols)]
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1e-300)
    texts = [
        [f"{n:,.0f}\n{share:.0%}" if n else "" for n, share in zip(line, part, strict=True)]
        for line, part in zip(table, shares, strict=True)
    ]
    ax = new_axes(ax, 2.2 + 0.95 * len(cols), 1.6 + 0.62 * len(rows))
    ax = heatmap(ax, shares, [first[row] for row in rows], [second[col] for col in cols], texts)
    ax.set_title(
        f"Adjusted Rand index {found.adjusted_rand:.2f}; shares are of the rows",
        loc="left",
        fontsize="medium",
        pad=14,
    )
    told = "; ".join(
        f"{first[row]}: "
        + (
            "no counterpart"
            if matching[row] is None
            else f"{second[matching[row]]}, {shares[at, at]:.0%}"
        )
        for at, row in enumerate(rows)
    )
    return describe(
        ax, f"Cross-table of two labellings, adjusted Rand index {found.adjusted_rand:.2f}. {told}."
    )

"""Pictures of quadrants, and of segments before and after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ilk.exceptions import DataError
from ilk.plot._style import (
    CATEGORIES,
    describe,
    heatmap,
    ink,
    literal,
    new_axes,
    pyplot,
    text_color,
)

if TYPE_CHECKING:
    from ilk.segments import Segmentation, SegmentDrift

__all__ = ["drift", "grid"]


def grid(segmentation: Segmentation, ax: Any = None) -> Any:
    """Draw four quadrants as a mosaic: areas are shares of customers, in a square of all."""
    from ilk._frame import to_dict

    if not {"grid", "cuts"} <= set(segmentation.checks):
        raise DataError(
            "kind: found 'grid', but these segments are no quadrants; try: .plot(\"sizes\")"
        )
    cells = to_dict(segmentation._core.check("grid"))
    cuts = to_dict(segmentation._core.check("cuts"))
    n = np.asarray(cells["n"], dtype=float)
    total = n.sum()
    columns = {
        side: n[[s == side for s in cells["ease"]]].sum() / total for side in ("low", "high")
    }
    if ax is None:
        _, ax = pyplot().subplots(figsize=(7.6, 6.2), layout="constrained")
    from matplotlib.patches import Rectangle

    cmap = pyplot().get_cmap("PuOr")
    left = {"low": 0.0, "high": columns["low"]}
    words = []
    for row in range(4):
        money, ease = cells["money"][row], cells["ease"][row]
        width = columns[ease]
        height = n[row] / total / width if width > 0 else 0.0
        low = 0.0 if money == "low" else 1.0 - height
        residual = float(np.nan_to_num(cells["residual"][row]))
        face = cmap(0.5 + float(np.clip(residual, -4, 4)) / 4 * 0.35)
        ax.add_patch(
            Rectangle(
                (left[ease], low), width, height, facecolor=face, edgecolor=ax.get_facecolor(), lw=2
            )
        )
        name = cells["segment"][row]
        share = n[row] / total
        text = f"{_wrapped(literal(name), 22)}\n{share:.1%}"
        if height > 0.22 and width > 0.22:
            said = segmentation.texts.get(name, "")
            text += f"\n\n{_wrapped(literal(said), int(60 * width))}" if said else ""
        if share > 0.02:
            ax.text(
                left[ease] + width / 2,
                low + height / 2,
                text,
                ha="center",
                va="center",
                fontsize="small",
                color=text_color(face),
            )
        words.append(f"{name}: {n[row]:,.0f} ({share:.1%}, residual {residual:+.1f})")
    ax.set(xlim=(0, 1), ylim=(0, 1))
    ax.set_xticks(
        [columns["low"] / 2, columns["low"] + columns["high"] / 2], ["hard to earn", "easy to earn"]
    )
    ax.set_yticks([0.2, 0.8], ["little money", "much money"], rotation=90, va="center")
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    told = "; ".join(
        f"{literal(column)}: high from {literal(cut)}"
        for column, cut in zip(cuts["column"], cuts["cut"], strict=True)
    )
    ax.set_xlabel(
        f"{told}\npurple: more customers than if the two were unrelated, orange: fewer",
        fontsize="small",
    )
    return describe(ax, f"Four quadrants. {'; '.join(words)}. {told}.")


def drift(found: SegmentDrift, kind: str, *, ax: Any = None) -> Any:
    """Draw segments before and after; see :meth:`ilk.segments.SegmentDrift.plot`."""
    if kind == "shares":
        return _shares(found, ax)
    if kind == "migration":
        return _migration(found, ax)
    raise DataError(f'kind: found {kind!r}, but one of "shares", "migration" is needed')


def _shares(found: SegmentDrift, ax: Any) -> Any:
    table = found.to_dict()
    names = table["segment"]
    ax = new_axes(ax, 7.2, 1.6 + 0.5 * len(names))
    at = np.arange(len(names))
    before, after = table["share_before"], table["share_after"]
    ax.hlines(at, before, after, color="gray", linewidth=2, zorder=1)
    ax.scatter(
        before, at, s=46, facecolors=ax.get_facecolor(), edgecolors=ink(), zorder=3, label="before"
    )
    lows = after - np.clip(before + table["change_lo"], 0, after)
    highs = np.clip(before + table["change_hi"], after, 1) - after
    ax.errorbar(
        after,
        at,
        xerr=[lows, highs],
        fmt="o",
        color=CATEGORIES[0],
        capsize=3,
        zorder=2,
        label="after, with the interval of the change",
    )
    for row in range(len(names)):
        mark = " *" if table["q"][row] <= 0.05 else ""
        end = max(before[row], after[row] + highs[row])
        ax.text(end, row, f"   {table['change'][row]:+.1%}{mark}", va="center", fontsize="small")
    ax.set_yticks(at, [literal(name) for name in names])
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.margins(x=0.16)
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    ax.set_xlabel("share of customers; * a change beyond chance (q ≤ 0.05)")
    ax.legend(
        loc="upper left",
        bbox_to_anchor=(0, -0.22 if len(names) > 4 else -0.32),
        ncols=2,
        frameon=False,
        fontsize="small",
    )
    ax.set_title(f"{found.verdict}, index {found.psi:.3f}", loc="left")
    ax.spines[["top", "right"]].set_visible(False)
    told = "; ".join(
        f"{name} from {b:.1%} to {a:.1%}" for name, b, a in zip(names, before, after, strict=True)
    )
    return describe(ax, f"Shares of segments before and after: {told}. Verdict: {found.verdict}.")


def _migration(found: SegmentDrift, ax: Any) -> Any:
    moves = found._sheet("migration")
    if len(moves["n"]) == 0:
        raise DataError(
            "kind: found 'migration', but nothing says which customers are the same; try: .drift(new, id=\"customer_id\")"
        )
    rows, cols = list(dict.fromkeys(moves["from"])), list(dict.fromkeys(moves["to"]))
    order = found.to_dict()["segment"]
    cols.sort(key=lambda name: order.index(name) if name in order else len(order))
    share = np.zeros((len(rows), len(cols)))
    texts = [["" for _ in cols] for _ in rows]
    for start, end, n, part in zip(
        moves["from"], moves["to"], moves["n"], moves["share"], strict=True
    ):
        share[rows.index(start), cols.index(end)] = part
        texts[rows.index(start)][cols.index(end)] = f"{part:.0%}\n{n:,}"
    ax = heatmap(ax, share, rows, cols, texts, signed=False, limit=1.0)
    ax.set_title("Where the customers of each row went", loc="left", pad=14)
    told = "; ".join(
        f"{start} to {end}: {n:,} ({part:.0%})"
        for start, end, n, part in zip(
            moves["from"], moves["to"], moves["n"], moves["share"], strict=True
        )
    )
    return describe(ax, f"Who went where: {told}.")


def _wrapped(text: str, width: int) -> str:
    import textwrap

    return "\n".join(textwrap.wrap(text, max(width, 12), max_lines=4, placeholder="…"))

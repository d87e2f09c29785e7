"""Personas as pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ilk.plot._style import CATEGORIES, describe, heatmap, ink, label, literal, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ilk.personas import Personas, Prevalence

__all__ = ["matches", "traits"]

_MARKERS = ("o", "^", "s", "D", "v", "P", "X", "*")


def traits(found: Personas, *, ax: Axes | None = None) -> Axes:
    """Draw what each card states beside all others; see :meth:`ilk.personas.Personas.plot`."""
    cards = found.cards
    rows = list(
        dict.fromkeys(
            (line["slot"], line["attribute"])
            for card in cards
            for line in card["lines"]
            if line["condition"] is not None and line["figures"]
        )
    )
    names = [known["attribute"] for known in found._content["attributes"]]
    rows = [row for row in rows if row[1] in names] or rows
    values = np.full((len(rows), len(cards)), np.nan)
    texts = [["" for _ in cards] for _ in rows]
    for column, card in enumerate(cards):
        for line in card["lines"]:
            key = (line["slot"], line["attribute"])
            if key not in rows or not line["figures"] or texts[rows.index(key)][column]:
                continue
            share = line["figures"][0]
            if share["value"] is None or share["overall"] is None:
                continue
            row = rows.index(key)
            values[row, column] = share["value"] - share["overall"]
            mark = " ▲" if line["distinctive"] else ""
            texts[row][column] = (
                f"{_short(line['statement'], 22)}\n{share['value']:.0%} (all {share['overall']:.0%}){mark}"
            )
    ax = new_axes(ax, 2.4 + 1.75 * len(cards), 1.4 + 0.52 * max(len(rows), 1))
    ax = heatmap(
        ax,
        values,
        [str(attribute).replace("_", " ") for _, attribute in rows],
        [card["name"] for card in cards],
        texts,
        signed=True,
        limit=max(0.3, float(np.nanmax(np.abs(values), initial=0.0))) if len(rows) else 1.0,
    )
    return describe(ax, f"What each persona states. {' '.join(found.explain().splitlines())}")


def _short(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1].rstrip() + "…"


def matches(found: Prevalence, *, ax: Axes | None = None) -> Axes:
    """Draw who matches as attributes are added; see :meth:`ilk.personas.Prevalence.plot`."""
    table = found.to_dict()
    names = list(dict.fromkeys(table["persona"]))
    ax = new_axes(ax, 8.4, 5.4)
    rows = np.asarray(table["persona"], dtype=object)
    most = int(np.max(table["attributes"]))
    ends: list[tuple[int, float, str, Any]] = []
    for at, name in enumerate(names):
        member = rows == name
        steps, n = np.asarray(table["attributes"])[member], np.asarray(table["n"])[member]
        share = np.asarray(table["prevalence"])[member]
        expected = np.asarray(table["expected"])[member] / n
        colour = CATEGORIES[at % len(CATEGORIES)] if at % len(CATEGORIES) != 7 else ink()
        ax.fill_between(
            steps,
            np.asarray(table["prevalence_lo"])[member],
            np.asarray(table["prevalence_hi"])[member],
            color=colour,
            alpha=0.15,
            linewidth=0,
        )
        ax.plot(
            steps, share, color=colour, marker=_MARKERS[at % len(_MARKERS)], label=label(name, 30)
        )
        ax.plot(steps, expected, color=colour, linestyle=":", linewidth=1.2)
        ends.append(
            (
                int(steps[-1]),
                float(share[-1]),
                f"{int(np.asarray(table['matched'])[member][-1]):,}",
                colour,
            )
        )
    least = 0.5 / float(np.max(table["n"]))
    ax.set_yscale("log")
    positive = [
        value
        for value in [
            *np.asarray(table["prevalence"]),
            *(np.asarray(table["expected"]) / table["n"]),
        ]
        if value > 0
    ]
    ax.set_ylim(max(least, 0.5 * min(positive, default=least)), 1.15)
    ax.yaxis.set_major_formatter(lambda value, _: f"{100 * value:g} %")
    ax.set_xlim(0.7, most + 0.9)
    ax.set_xticks(range(1, most + 1))
    for step, value, text, colour in ends:
        if value > 0:
            ax.annotate(
                text,
                (step, value),
                xytext=(8, 0),
                textcoords="offset points",
                va="center",
                fontsize="small",
                color=colour,
            )
    ax.set_xlabel("attributes stated, in the order of the card")
    ax.set_ylabel("customers who match all of them")
    ax.plot([], [], color="gray", linestyle=":", label=literal("if attributes were independent"))
    ax.legend(loc="lower left", frameon=False, fontsize="small")
    ax.spines[["top", "right"]].set_visible(False)
    return describe(
        ax, f"Who matches as attributes are added. {' '.join(found.explain().splitlines())}"
    )

"""The gap matrix as a mosaic: areas are shares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ilk.exceptions import DataError
from ilk.plot._cells import Cells, extent, labels, longest, signed, spread
from ilk.plot._fonts import apart, writing
from ilk.plot._style import GAPS, describe, label, pyplot, text_color

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Text
    from numpy.typing import NDArray

    from ilk.gaps import GapMatrix

__all__ = ["mosaic", "mosaic_of"]

#: Residuals at which the shade changes (Friendly 1994): about 5 % and less than 0.01 % of chance.
_STEPS = (-4.0, -2.0, 2.0, 4.0)

#: Places of the shades on the colour map, with what they say.
_SHADES = (
    (0.10, "< −4"),
    (0.30, "−4 to −2"),
    (0.50, "−2 to 2"),
    (0.70, "2 to 4"),
    (0.90, "> 4"),
)

#: Tiles that are not judged, darker than those that are as expected.
_GREY = (0.72, 0.72, 0.72, 1.0)

#: Height of the band of what is expected and of the room below it, as shares of all bands.
_BAND, _ROOM = 0.05, 0.025

_SIZE, _LEAST_NUMBER, _LEAST_NAME = 10.0, 6.0, 5.0


def mosaic(matrix: GapMatrix, *, order: str = "given", ax: Axes | None = None) -> Axes:
    """Draw a gap matrix as a mosaic; see :meth:`ilk.GapMatrix.plot`."""
    cells = Cells.of(matrix)
    if (cells.status == "hidden").any():
        raise DataError(
            "kind: found 'mosaic', but some cells are hidden and their areas would show them; "
            'try: .plot("heatmap")'
        )
    return mosaic_of(cells.ordered(order), ax=ax)


def mosaic_of(cells: Cells, *, ax: Axes | None = None) -> Axes:
    """Draw cells as a mosaic."""
    # Cells that cannot occur have no record and are not seen; others without a figure do not exist.
    observed = np.nan_to_num(cells.figures["observed"])
    expected = np.nan_to_num(cells.figures["expected"])
    n_rows, n_cols = cells.shape
    heights = observed.sum(axis=1) / observed.sum()
    shares = observed / np.maximum(observed.sum(axis=1, keepdims=True), np.finfo(float).tiny)
    profile = expected.sum(axis=0) / expected.sum()
    tops = _ROOM + _BAND + np.concatenate([[0.0], np.cumsum(heights)[:-1]])

    with writing([*cells.names, *cells.rows, *cells.cols]):
        if ax is None:
            size = (
                3.2 + float(np.clip(0.9 * n_cols, 4.5, 11.0)),
                2.4 + float(np.clip(0.55 * n_rows, 3.0, 10.0)),
            )
            _, ax = pyplot().subplots(figsize=size, layout="constrained")
        ax.set_xlim(0, 1)
        ax.set_ylim(_ROOM + _BAND + 1, 0)
        ax.set_xticks([])
        ax.set_yticks([])
        ax.spines[:].set_visible(False)
        counted, rows, cols = (label(name) for name in cells.names)
        ax.set_xlabel(
            f"{counted} by {rows} and {cols}\nareas are shares; the band on top is what is expected",
            loc="left",
            fontsize="small",
        )
        _legend(ax)
        colours = _shades(cells)
        _tiles(ax, profile[None, :], np.zeros(1), np.array([_BAND]), None)
        _tiles(ax, shares, tops, heights, colours)
        bands = _Names(
            ["expected", *_with_shares(cells.rows, heights)],
            np.concatenate([[_BAND / 2], tops + heights / 2]),
            # The first is always named.
            np.concatenate([[1.0], heights]),
        )
        columns = _Names(
            _with_shares(cells.cols, profile), np.cumsum(profile) - profile / 2, profile
        )
        _name(ax, bands, columns)
        _write(ax, cells, shares, tops, heights, colours)
    words = " ".join(
        f"{row} ({heights[i]:.1%} of all): "
        + ", ".join(
            f"{col} {shares[i, j]:.1%} (residual {signed(cells.figures['residual'][i, j])})"
            for j, col in enumerate(cells.cols)
        )
        + "."
        for i, row in enumerate(cells.rows)
    )
    on_top = ", ".join(f"{col} {share:.1%}" for col, share in zip(cells.cols, profile, strict=True))
    counted, rows, cols = cells.names
    return describe(
        ax,
        f"Mosaic of {counted} by {rows} and {cols}; each band is a {rows}, each tile the share of a {cols} in it. "
        f"Expected of all: {on_top}. {words}",
    )


def _shades(cells: Cells) -> NDArray[np.float64]:
    """Colours of the tiles, in steps of the residual; grey where it is not judged."""
    steps = np.searchsorted(_STEPS, np.nan_to_num(cells.figures["residual"]))
    palette = pyplot().get_cmap(GAPS)([place for place, _ in _SHADES])
    colours: NDArray[np.float64] = palette[steps]
    colours[cells.unjudged] = _GREY
    return colours


def _tiles(
    ax: Axes,
    shares: NDArray[np.float64],
    tops: NDArray[np.float64],
    heights: NDArray[np.float64],
    colours: NDArray[np.float64] | None,
) -> None:
    """Tiles of bands, one beside the other; outlines alone where there are no colours."""
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Rectangle

    lefts = np.cumsum(shares, axis=1) - shares
    drawn = np.argwhere((shares > 0) & (heights[:, None] > 0))
    patches = [
        Rectangle((float(lefts[i, j]), float(tops[i])), float(shares[i, j]), float(heights[i]))
        for i, j in drawn
    ]
    if colours is None:
        look: dict[str, Any] = {"facecolors": "none", "edgecolors": "gray", "linewidths": 0.8}
    else:
        faces = [tuple(colours[i, j]) for i, j in drawn]
        line = 1.5 if len(drawn) < 300 else 0.5
        look = {"facecolors": faces, "edgecolors": ax.get_facecolor(), "linewidths": line}
    ax.add_collection(PatchCollection(patches, **look))


def _legend(ax: Axes) -> None:
    from matplotlib.patches import Patch

    cmap = pyplot().get_cmap(GAPS)
    entries = [
        Patch(facecolor=cmap(place), edgecolor="gray", label=text) for place, text in _SHADES
    ]
    entries.append(Patch(facecolor=_GREY, edgecolor="gray", label="not judged"))
    ax.legend(
        handles=entries,
        title="residual",
        loc="upper left",
        bbox_to_anchor=(1.01, 1.0),
        frameon=False,
        fontsize="small",
        title_fontsize="small",
    )


class _Names(NamedTuple):
    """Names along one side: what they name lies at the middles."""

    texts: list[str]
    middles: NDArray[np.float64]
    weights: NDArray[np.float64]


def _with_shares(names: list[str], shares: NDArray[np.float64]) -> list[str]:
    return [
        apart(name, f"  {share:.1%}") for name, share in zip(labels(names), shares, strict=True)
    ]


def _name(ax: Axes, bands: _Names, columns: _Names) -> None:
    """Names of the rows left of their bands and of the columns above theirs; those without room move aside.

    Of too many, the smallest are not named.
    """
    total = _ROOM + _BAND + 1
    left = [ax.text(0, 0, text, ha="right", va="center") for text in bands.texts]
    left[0].set_fontstyle("italic")
    above = [ax.text(0, 0, text, va="bottom", rotation_mode="anchor") for text in columns.texts]
    _, high = longest(ax, bands.texts)
    wide, tall = longest(ax, columns.texts)
    lines: list[tuple[float, float, float, float]] = []
    # Names take room from the tiles, which say where the names are: after three looks they agree.
    for _ in range(3):
        width, height = extent(ax)
        size = float(np.clip(_SIZE * height / (1.1 * high * len(left)), _LEAST_NAME, _SIZE))
        gap = 1.05 * size / _SIZE * high / height * total
        at = _fitting(bands.weights, int(total / gap))
        places = spread(bands.middles[at], gap, gap / 2, total - gap / 2)
        _place(left, at, np.column_stack([np.full(len(at), -0.025), places]), fontsize=size)
        lines = [(-0.002, bands.middles[k], -0.022, y) for k, y in zip(at, places, strict=True)]

        level = 1.1 * wide * len(above) < width
        # Slanted by 40 degrees, a line of text takes this much more room along the axis.
        across = wide if level else tall / np.sin(np.deg2rad(40))
        size = float(np.clip(_SIZE * width / (1.1 * across * len(above)), _LEAST_NAME, _SIZE))
        gap = 1.05 * across * size / _SIZE / width
        edge = gap / 2 if level else 0.0
        at = _fitting(columns.weights, int((1 - 2 * edge) / gap) + 1)
        places = spread(columns.middles[at], gap, edge, 1 - edge)
        rise = total * 8 / height
        _place(
            above,
            at,
            np.column_stack([places, np.full(len(at), -1.2 * rise)]),
            fontsize=size,
            ha="center" if level else "left",
            rotation=0 if level else 40,
        )
        lines += [(columns.middles[k], 0, x, -rise) for k, x in zip(at, places, strict=True)]
    for x0, y0, x1, y1 in lines:
        ax.plot([x0, x1], [y0, y1], color="gray", linewidth=0.6, clip_on=False)


def _place(
    notes: list[Text], shown: NDArray[np.intp], places: NDArray[np.float64], **look: Any
) -> None:
    for note in notes:
        note.set_visible(False)
    for at, place in zip(shown, places, strict=True):
        notes[at].set(position=tuple(place), visible=True, **look)


def _fitting(shares: NDArray[np.float64], most: int) -> NDArray[np.intp]:
    """The largest, in their order, as many as there is room for."""
    kept: NDArray[np.intp] = np.sort(np.argsort(-shares, kind="stable")[: max(most, 1)])
    return kept


def _write(
    ax: Axes,
    cells: Cells,
    shares: NDArray[np.float64],
    tops: NDArray[np.float64],
    heights: NDArray[np.float64],
    colours: NDArray[np.float64],
) -> None:
    """The residual in each tile that has room for it; a ring where there is nothing and something is expected."""
    texts = cells.texts("residual", short=True)
    lefts = np.cumsum(shares, axis=1) - shares
    width, height = extent(ax)
    height /= _ROOM + _BAND + 1
    wide, high = longest(ax, list(texts.flat), fontweight="bold")
    for i, j in np.ndindex(cells.shape):
        x, y = float(lefts[i, j] + shares[i, j] / 2), float(tops[i] + heights[i] / 2)
        if cells.status[i, j] == "empty" and heights[i] > 0:
            ring: dict[str, Any] = {"marker": "o", "facecolors": "none", "linewidths": 1.2}
            ax.scatter(
                x, y, s=18, edgecolors=[tuple(colours[i, j])], zorder=3, clip_on=False, **ring
            )
            continue
        room = float(min(shares[i, j] * width / wide, heights[i] * height / high))
        size = min(_SIZE, 9 * room)
        if size >= _LEAST_NUMBER:
            ax.text(
                x,
                y,
                str(texts[i, j]),
                ha="center",
                va="center",
                fontsize=size,
                color=text_color(colours[i, j]),
                fontweight="bold" if cells.found[i, j] else "normal",
                in_layout=False,
            )

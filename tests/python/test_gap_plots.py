"""Pictures of gap matrices and maps: readable at every size, in every script, to every reader."""

from __future__ import annotations

import itertools

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import ilk
from ilk.exceptions import DataError
from ilk.plot import _fonts
from ilk.plot._cells import Cells, labels, spread
from ilk.plot.mosaic import _GREY, _SHADES

WORDS = [
    "a rather long name of a department",
    "שלום עולם",
    "مرحبا بالعالم",
    "pizza 🍕 & beer",
    "日本語",
    "dairy",
    "spend $ and $ more",
    "<b>frozen</b>",
]
SIZES = [(3, 3), (12, 10), (60, 40)]
KINDS = ["heatmap", "mosaic", "bars"]


@pytest.fixture(autouse=True)
def _closed() -> None:
    yield
    plt.close("all")


def of_counts(counts: np.ndarray, rows: list[str], cols: list[str], **options) -> ilk.GapMatrix:
    i, j = (np.repeat(at.ravel(), counts.ravel()) for at in np.indices(counts.shape))
    frame = pd.DataFrame(
        {
            "household": pd.Categorical.from_codes(i, rows, ordered=True),
            "department": pd.Categorical.from_codes(j, cols, ordered=True),
        }
    )
    return ilk.gap_matrix(frame, rows="household", cols="department", **options)


def drawn(shape: tuple[int, int], *, hostile: bool = True, **options) -> ilk.GapMatrix:
    """A matrix with dependence of rank 2, and with names of many kinds."""
    rng = np.random.default_rng(3)
    mean = np.outer(rng.gamma(2, size=shape[0]), rng.gamma(2, size=shape[1]))
    mean *= np.exp(0.4 * rng.normal(size=(shape[0], 2)) @ rng.normal(size=(2, shape[1])))
    counts = rng.poisson(40 * mean / mean.mean())
    names = [
        [f"{WORDS[(k + 3 * side) % len(WORDS)]} {k}" if hostile else f"{'rc'[side]}{k}" for k in range(size)]
        for side, size in enumerate(shape)
    ]  # fmt: skip
    if options.pop("supply", False):
        options["supply"] = dict(zip(names[1], rng.gamma(3, size=shape[1]), strict=True))
    return of_counts(counts, *names, **options)


def texts_of(ax) -> list:
    """Everything that is written in a picture of one axes, names of ticks too."""
    ticks = []
    for axis in (ax.xaxis, ax.yaxis):
        low, high = sorted(axis.get_view_interval())
        places = zip(axis.get_majorticklocs(), axis.get_ticklabels(), strict=True)
        ticks += [text for place, text in places if low <= place <= high]
    legend = ax.get_legend()
    title = [ax.title, ax._left_title, ax.xaxis.label, ax.yaxis.label]
    written = [*ax.texts, *ticks, *title, *(legend.get_texts() if legend else [])]
    return [text for text in written if text.get_visible() and text.get_text().strip()]


def corners(text) -> np.ndarray:
    """The corners of a text as it lies, slanted or not, a little inside so that neighbours may touch."""
    angle = np.deg2rad(text.get_rotation())
    text.set_rotation(0)
    box = text.get_window_extent()
    text.set_rotation(np.rad2deg(angle))
    anchor = text.get_transform().transform(text.get_position())
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    # The blank between the lines belongs to the box.
    inside = np.array([1, 0.12 * box.height])
    low, high = box.p0 + inside, box.p1 - inside
    square = np.array([[low[0], low[1]], [high[0], low[1]], [high[0], high[1]], [low[0], high[1]]])
    if angle and text.get_rotation_mode() != "anchor":
        whole = text.get_window_extent()
        anchor = (whole.p0 + whole.p1) / 2
        middle = (box.p0 + box.p1) / 2
        return (square - middle) @ turn.T + anchor
    return (square - anchor) @ turn.T + anchor


def overlap(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two rectangles overlap: no line along a side of either separates them."""
    for corner in (one, other):
        for axis in (corner[1] - corner[0], corner[3] - corner[0]):
            a, b = one @ axis, other @ axis
            if a.max() <= b.min() or b.max() <= a.min():
                return False
    return True


def overlapping(ax) -> list[tuple[str, str]]:
    ax.get_figure().draw_without_rendering()
    found = [(text.get_text(), corners(text)) for text in texts_of(ax)]
    boxes = np.array([[*c.min(axis=0), *c.max(axis=0)] for _, c in found])
    pairs = []
    for at, (name, corner) in enumerate(found):
        near = (boxes[:at, :2] < boxes[at, 2:]).all(axis=1) & (boxes[:at, 2:] > boxes[at, :2]).all(
            axis=1
        )
        pairs += [(name, found[k][0]) for k in np.flatnonzero(near) if overlap(corner, found[k][1])]
    return pairs  # fmt: skip


def cut_off(ax) -> list[str]:
    """Texts that stand beyond the edge of the picture."""
    figure = ax.get_figure()
    figure.draw_without_rendering()
    width, height = figure.bbox.width, figure.bbox.height
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts_of(ax)]
    return [
        name
        for name, box in boxes
        if box.x0 < -2 or box.y0 < -2 or box.x1 > width + 2 or box.y1 > height + 2
    ]


def test_overlapping_texts_are_noticed() -> None:
    _, ax = plt.subplots()
    ax.text(0.5, 0.5, "a name")
    ax.text(0.52, 0.5, "another")
    ax.text(0.2, 0.2, "slanted names", rotation=40, rotation_mode="anchor")
    ax.text(0.3, 0.2, "slanted names", rotation=40, rotation_mode="anchor")
    assert overlapping(ax) == [("another", "a name")]
    ax.text(0.22, 0.2, "too near", rotation=40, rotation_mode="anchor")
    assert ("too near", "slanted names") in overlapping(ax)


@pytest.mark.parametrize("shape", SIZES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("style", ["default", "dark_background"])
def test_texts_do_not_overlap_and_are_not_cut_off(kind, shape, style) -> None:
    # Warnings are errors here: no letter is missing from the fonts, and the layout finds room.
    with plt.style.context(style):
        ax = drawn(shape).plot(kind)
        assert overlapping(ax) == []
        assert cut_off(ax) == []


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_fit_into_small_axes_of_a_figure(kind) -> None:
    figure, axes = plt.subplots(1, 2, figsize=(13, 5.5), layout="constrained")
    ax = drawn((60, 40)).plot(kind, ax=axes[0])
    assert ax is axes[0]
    assert overlapping(ax) == []
    assert figure.get_label() == ""


def test_numbers_give_way_to_a_colour_bar_where_there_is_no_room() -> None:
    matrix = drawn((60, 40))
    large = matrix.plot()
    assert len(large.texts) == 2400
    assert len(large.get_figure().axes) == 1
    assert all(text.get_fontsize() >= 5 for text in large.texts)
    figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
    matrix.plot(ax=ax)
    assert len(ax.texts) == 0
    assert [other.get_ylabel() for other in figure.axes] == ["household", "adjusted residual"]
    assert "numbers find no room" in ax.get_title(loc="left")
    # The words do not depend on the room.
    assert ax.get_label() == large.get_label()


@pytest.mark.parametrize("kind", KINDS)
def test_text_can_be_read_on_what_lies_behind_it(kind) -> None:
    from ilk.plot._style import contrast

    with plt.style.context("dark_background"):
        ax = drawn((12, 10)).plot(kind)
        behind = ax.get_facecolor()
        free = [text for text in texts_of(ax) if text not in ax.texts or kind == "bars"]
        assert min(contrast(text.get_color(), behind) for text in free) > 4.5
    if kind == "heatmap":
        colours = ax.images[0].get_array()
        for text in ax.texts:
            j, i = (round(at) for at in text.get_position())
            assert contrast(text.get_color(), colours[i, j]) > 4.5


# Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB.
DEUTERANOPIA = np.array(
    [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ]
)


def seen(colour) -> np.ndarray:
    """CIE L*a*b* of a colour as a reader without green cones sees it."""
    rgb = np.array(mpl.colors.to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(DEUTERANOPIA @ linear, 0, 1)
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    ratio = np.array(to_xyz) @ linear / [0.9505, 1.0, 1.089]
    x, y, z = np.where(ratio > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_shades_of_the_mosaic_differ_to_colour_blind_readers() -> None:
    shades = [mpl.colormaps["PuOr"](place) for place, _ in _SHADES] + [_GREY]
    pairs = itertools.combinations([seen(shade) for shade in shades], 2)
    assert min(np.linalg.norm(one - other) for one, other in pairs) > 10  # 2 is just visible
    # Less and more of the same strength, the two that must not be mistaken for each other.
    for less, more in ((0, 4), (1, 3)):
        assert np.linalg.norm(seen(shades[less]) - seen(shades[more])) > 40


@pytest.mark.parametrize("strength", [1.0, 2.0, 4.0, 8.0])
def test_both_ends_of_the_heatmap_differ_to_colour_blind_readers(strength) -> None:
    less, more = (mpl.colormaps["PuOr"](0.5 + side * strength / 8 / 2) for side in (-1, 1))
    assert np.linalg.norm(seen(less) - seen(more)) > 10 * min(strength, 4)


def test_heatmap_puts_like_beside_like() -> None:
    one, other = [80, 10, 40, 10], [10, 80, 10, 40]
    counts = np.array([one, other, one, other, one])
    matrix = of_counts(counts, list("abcde"), list("wxyz"))
    cells = Cells.of(matrix).ordered("similarity")
    assert cells.rows == ["a", "c", "e", "b", "d"]
    # w is a little more of its kind than y, and x than z.
    assert cells.cols in (["w", "y", "z", "x"], ["y", "w", "x", "z"])
    table = matrix.matrix("residual")
    np.testing.assert_array_equal(
        cells.figures["residual"], table.loc[cells.rows, cells.cols].to_numpy()
    )
    ax = matrix.plot(order="similarity")
    assert [text.get_text() for text in ax.get_yticklabels()] == cells.rows
    assert "ordered by similarity" in ax.get_label()


def test_similarity_is_the_first_dimension_of_the_map() -> None:
    matrix = drawn((12, 10), hostile=False)
    place = matrix.map().row_coordinates["dim_1"]
    rows = Cells.of(matrix).ordered("similarity").rows
    wanted = [f"r{at}" for at in place.sort_values().index]
    assert rows in (wanted, wanted[::-1])


def test_order_does_not_depend_on_the_order_given() -> None:
    matrix = drawn((12, 10), hostile=False)
    again = ilk.gap_matrix(
        pd.DataFrame(
            [
                {"household": row, "department": col}
                for row, col, n in zip(
                    *(matrix.table[name] for name in ("household", "department", "n")), strict=True
                )
                for _ in range(n)
            ]
        ),
        rows="household",
        cols="department",
    )
    one, other = (Cells.of(found).ordered("similarity").rows for found in (matrix, again))
    assert one in (other, other[::-1])


def test_areas_of_the_mosaic_are_the_observed_shares() -> None:
    matrix = drawn((6, 4))
    ax = matrix.plot("mosaic")
    observed = matrix.matrix("observed").to_numpy()
    top, tiles = ax.collections[:2]
    boxes = [path.get_extents() for path in tiles.get_paths()]
    areas = np.array([box.width * box.height for box in boxes])
    np.testing.assert_allclose(areas, (observed / observed.sum()).ravel(), atol=1e-12)
    widths = [path.get_extents().width for path in top.get_paths()]
    np.testing.assert_allclose(widths, observed.sum(axis=0) / observed.sum(), atol=1e-12)


def test_band_on_top_of_the_mosaic_is_the_supply_where_there_is_one() -> None:
    counts = np.array([[40, 10, 30], [20, 30, 50]])
    supply = {"u": 1, "v": 1, "w": 2}
    ax = of_counts(counts, ["a", "b"], list("uvw"), supply=supply).plot("mosaic")
    widths = [path.get_extents().width for path in ax.collections[0].get_paths()]
    np.testing.assert_allclose(widths, [0.25, 0.25, 0.5])
    assert "Expected of all: u 25.0%, v 25.0%, w 50.0%" in ax.get_label()


def test_mosaic_says_in_words_what_it_shows() -> None:
    counts = np.array([[40, 10, 30], [20, 30, 50]])
    ax = of_counts(counts, ["a", "b"], list("uvw")).plot("mosaic")
    assert "a (44.4% of all): u 50.0% (residual +4.2), v 12.5% (residual −2.8)" in ax.get_label()
    assert ax.get_figure().get_label() == ax.get_label()


def test_shade_follows_the_residual() -> None:
    counts = np.array([[400, 100, 300], [310, 300, 500]])
    matrix = of_counts(counts, ["a", "b"], list("uvw"))
    ax = matrix.plot("mosaic")
    residual = matrix.matrix("residual").to_numpy().ravel()
    step = np.searchsorted([-4, -2, 2, 4], residual)
    assert set(step) >= {0, 4}
    wanted = [mpl.colormaps["PuOr"](_SHADES[at][0]) for at in step]
    np.testing.assert_allclose(ax.collections[1].get_facecolor(), wanted)


def test_empty_rows_and_cells_are_no_trouble() -> None:
    counts = np.array([[400, 0, 300], [310, 300, 500], [0, 0, 0]])
    for kind in KINDS:
        of_counts(counts, list("abc"), list("uvw")).plot(kind).get_figure().canvas.draw()
    # Nothing where much is expected is drawn as a ring.
    ax = of_counts(counts, list("abc"), list("uvw")).plot("mosaic")
    assert len(ax.collections) == 3


def test_cells_that_cannot_occur_are_marked() -> None:
    counts = np.array([[40, 0, 30], [20, 30, 50], [30, 30, 10]])
    matrix = of_counts(counts, list("abc"), list("uvw"), structural_zeros=[("a", "v")])
    assert matrix.plot().texts[1].get_text() == "n/a"
    matrix.plot("mosaic").get_figure().canvas.draw()


def test_hidden_cells_stay_hidden_in_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    matrix = drawn((4, 3), hostile=False)
    table = matrix.to_dict()
    hidden = np.isin(np.arange(12), [0, 1, 3, 4])
    for name, column in table.items():
        if isinstance(column, np.ndarray):
            table[name] = np.where(hidden, np.nan, column)
    table["status"] = np.where(hidden, "hidden", table["status"]).tolist()
    monkeypatch.setattr(ilk.GapMatrix, "to_dict", lambda self: table)
    for order in ("given", "similarity"):
        ax = matrix.plot(order=order)
        assert [text.get_text() for text in ax.texts].count("hidden") == 4
        assert "r0: c0 hidden (hidden), c1 hidden (hidden)" in ax.get_label() or order != "given"
    with pytest.raises(DataError, match="some cells are hidden"):
        matrix.plot("mosaic")


def test_bars_are_the_gaps_with_their_intervals_and_sentences() -> None:
    matrix = drawn((12, 10))
    gaps = matrix.gaps(4)
    ax = matrix.plot("bars", top=4)
    assert len(ax.patches) == 4
    np.testing.assert_allclose([bar.get_width() for bar in ax.patches], gaps["gap_value"])
    segments = ax.collections[0].get_segments()
    np.testing.assert_allclose([line[0][0] for line in segments], gaps["gap_value_lo"])
    np.testing.assert_allclose([line[1][0] for line in segments], gaps["gap_value_hi"])
    for sentence in gaps["sentence"]:
        assert sentence in ax.get_label()
    first = gaps.iloc[0]
    said = f"{first['observed']:,.0f} instead of {first['expected']:,.0f}"
    assert said in ax.texts[0].get_text()


def test_sides_of_several_columns_are_named_together() -> None:
    counts = {("a", "x", "u"): 90, ("a", "y", "u"): 40, ("a", "x", "v"): 30, ("a", "y", "v"): 60}
    columns = zip(*counts, strict=True)
    frame = dict(zip(("one", "two", "what"), map(list, columns), strict=True))
    matrix = ilk.gap_matrix(
        {**frame, "n": list(counts.values())}, rows=["one", "two"], cols="what", counts="n"
    )
    assert "a · x × v" in matrix.plot("bars").texts[0].get_text().replace("\u200e", "")
    for kind in KINDS:
        ax = matrix.plot(kind)
        assert overlapping(ax) == []
        assert "a · x" in ax.get_label() or kind == "bars"


def test_no_gap_is_said_and_not_drawn() -> None:
    ax = of_counts(np.full((2, 2), 50), ["a", "b"], ["u", "v"]).plot("bars")
    assert ax.texts[0].get_text() == "no gap at q ≤ 0.05"
    assert ax.get_label().endswith("there is no gap at q ≤ 0.05.")
    assert not ax.patches


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "pie"}, "kind: found 'pie', but 'heatmap', 'mosaic' or 'bars' is needed"),
        ({"what": "colour"}, "what: found 'colour', but one of 'residual'"),
        ({"order": "size"}, "order: found 'size', but 'given' or 'similarity' is needed"),
        ({"kind": "mosaic", "order": "size"}, "order: found 'size'"),
        ({"kind": "bars", "top": 0}, "top: found 0, but a number of at least 1 is needed"),
    ],
)
def test_pictures_that_there_are_not_are_refused(options, message) -> None:
    with pytest.raises(DataError, match=message):
        drawn((3, 3)).plot(**options)


@pytest.mark.parametrize("shape", SIZES)
@pytest.mark.parametrize("style", ["default", "dark_background"])
def test_names_of_the_map_do_not_overlap(shape, style) -> None:
    with plt.style.context(style):
        ax = drawn(shape).map().plot()
        assert overlapping(ax) == []
    named = [text for text in ax.texts if text.get_text()]
    # Most points of even the largest table are named.
    assert len(named) >= 0.85 * sum(shape)
    assert all(text.get_fontsize() >= 8 for text in named)


def test_letters_that_no_font_has_become_boxes() -> None:
    with mpl.rc_context({"font.family": ["DejaVu Sans"]}):
        assert _fonts.drawable("a\U000e0101\U000f0000b") == "a□b"
        assert _fonts.drawable("שלום، مرحبا") == "שלום، مرحبا"
        assert _fonts.slant("مرحبا") == "normal"
        assert _fonts.slant("cheese") == "italic"


def test_families_that_have_the_letters_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    alef = "א"  # Hebrew is in the one family that comes with matplotlib and not in the other
    monkeypatch.setattr(_fonts, "_installed", lambda: ["DejaVu Sans Mono", "DejaVu Sans"])
    with mpl.rc_context({"font.family": ["DejaVu Sans Mono"]}):
        assert _fonts.drawable(alef) == "□"
        with _fonts.writing([alef]):
            assert mpl.rcParams["font.family"] == ["DejaVu Sans Mono", "DejaVu Sans"]
            assert _fonts.drawable(alef) == alef
        assert mpl.rcParams["font.family"] == ["DejaVu Sans Mono"]


def test_numbers_beside_names_from_right_to_left_stay_beside_them() -> None:
    line = _fonts.apart("اسم 12", "  31.4%")
    assert line.replace("\u200e", "") == "اسم 12  31.4%"
    with mpl.rc_context({"font.family": ["DejaVu Sans"]}):
        assert _fonts.apart("اسم 12", "  31.4%") == "\u200eاسم 12\u200e  31.4%"


def test_cut_names_stay_different() -> None:
    names = [f"a very long name of something, part {k}" for k in range(20)]
    assert len(set(labels(names))) == 20
    assert all(len(name) <= 24 for name in labels(names))
    assert labels(["b", "b", "short"]) == ["b", "b", "short"]


@pytest.mark.parametrize("seed", range(20))
def test_moved_names_keep_their_distance_and_move_least(seed: int) -> None:
    rng = np.random.default_rng(seed)
    wanted = np.sort(rng.uniform(0, 10, size=12))
    places = spread(wanted, 0.5, 0.0, 10.0)
    assert (np.diff(places) >= 0.5 - 1e-12).all()
    assert places.min() >= 0
    assert places.max() <= 10 + 1e-12
    # No names moved together would lie nearer to what they name: try each run of neighbours.
    cost = ((places - wanted) ** 2).sum()
    for first, last in itertools.combinations(range(13), 2):
        for step in (-1e-4, 1e-4):
            other = places.copy()
            other[first:last] += step
            fits = (np.diff(other) >= 0.5 - 1e-12).all() and other[0] >= 0 and other[-1] <= 10
            assert not fits or ((other - wanted) ** 2).sum() >= cost - 1e-12

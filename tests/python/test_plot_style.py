"""The look that all pictures share: seen without a screen, by every reader, whatever the names are."""

from __future__ import annotations

import itertools
import sys

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

from ilk.plot import _style


@pytest.fixture(autouse=True)
def _closed() -> None:
    yield
    plt.close("all")


BACKGROUNDS = [
    *_style.CATEGORIES,
    *mpl.colormaps[_style.AMOUNTS](np.linspace(0, 1, 256)),
    *mpl.colormaps[_style.GAPS](np.linspace(0, 1, 256)),
]


def test_text_reads_on_every_colour_in_use() -> None:
    ratios = [_style.contrast(_style.text_color(color), color) for color in BACKGROUNDS]
    assert min(ratios) >= 4.5


def test_contrast_is_that_of_the_guidelines() -> None:
    # WCAG 2.2, examples of understanding SC 1.4.3: #777 on white just fails 4.5, #767676 just passes.
    assert _style.contrast("#777777", "white") == pytest.approx(4.48, abs=0.005)
    assert _style.contrast("white", "#767676") == pytest.approx(4.54, abs=0.005)


# Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB.
COLOR_BLIND = {
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
}


def lab(color: str, seen: list[list[float]]) -> np.ndarray:
    """CIE L*a*b* of a colour as a colour-blind reader sees it."""
    rgb = np.array(mpl.colors.to_rgb(color))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(np.array(seen) @ linear, 0, 1)
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    x, y, z = np.cbrt(np.array(to_xyz) @ linear / [0.9505, 1.0, 1.089])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("kind", COLOR_BLIND)
def test_categories_differ_to_colour_blind_readers(kind: str) -> None:
    seen = [lab(color, COLOR_BLIND[kind]) for color in _style.CATEGORIES]
    nearest = min(np.linalg.norm(one - other) for one, other in itertools.combinations(seen, 2))
    assert nearest > 10  # 2 is just visible


@pytest.mark.parametrize("kind", COLOR_BLIND)
def test_gaps_and_surpluses_differ_to_colour_blind_readers(kind: str) -> None:
    below, above = (lab(mpl.colormaps[_style.GAPS](at), COLOR_BLIND[kind]) for at in (0.2, 0.8))
    assert np.linalg.norm(below - above) > 40


def test_without_matplotlib_the_message_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r'pip install "ilk\[plot\]"'):
        _style.pyplot()


@pytest.mark.parametrize("name", [r"$\frac$", "US$ to CA$", r"a\$b$", "$"])
def test_names_are_drawn_letter_by_letter(name: str) -> None:
    figure, ax = plt.subplots()
    text = ax.set_title(_style.literal(name))
    figure.canvas.draw()
    parsed, is_math = text._preprocess_math(text.get_text())
    assert (parsed, is_math) == (name, False)


def test_a_description_is_kept_with_the_picture() -> None:
    figure, ax = plt.subplots()
    assert _style.describe(ax, "two segments") is ax
    assert ax.get_label() == figure.get_label() == "two segments"
    figure, (left, _) = plt.subplots(1, 2)
    _style.describe(left, "left panel")
    assert (left.get_label(), figure.get_label()) == ("left panel", "")


def test_a_heatmap_says_every_number() -> None:
    values = [[1.5, -2.0, np.nan], [0.0, 4.0, -4.0]]
    texts = [["+1.5", "−2.0", "–"], ["0.0", "+4.0", "−4.0"]]
    ax = _style.heatmap(None, values, ["a", "$b$"], ["x\n12 %", "y", "z" * 99], texts, signed=True)
    assert [text.get_text() for text in ax.texts] == [*texts[0], *texts[1]]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", r"\$b\$"]
    assert [label.get_text() for label in ax.get_xticklabels()] == [
        "x\n12 %",
        "y",
        "z" * 23 + "\N{HORIZONTAL ELLIPSIS}",
    ]
    image = ax.images[0]
    colors = image.cmap(image.norm(image.get_array())).reshape(-1, 4)
    for text, color in zip(ax.texts, colors, strict=True):
        assert _style.contrast(text.get_color(), color) >= 4.5


def test_a_heatmap_goes_into_the_axes_given() -> None:
    figure, ax = plt.subplots()
    assert _style.heatmap(ax, [[1.0]], ["a"], ["x"], [["1"]]) is ax
    assert plt.get_fignums() == [figure.number]


def test_a_heatmap_of_one_value_has_a_scale() -> None:
    for signed in (True, False):
        ax = _style.heatmap(None, [[0.0, 0.0]], ["a"], ["x", "y"], [["0", "0"]], signed=signed)
        ax.get_figure().canvas.draw()

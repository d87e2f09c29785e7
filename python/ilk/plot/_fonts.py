"""Names in any script: letters that no font has are drawn as a box, without a warning for each.

matplotlib takes each letter from the first family of ``rcParams["font.family"]`` that has it. :func:`writing` adds
families that are installed and have what the others lack; :func:`drawable` stands in for letters that none has.
"""

from __future__ import annotations

import unicodedata
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["apart", "drawable", "slant", "writing"]

_Style: TypeAlias = Literal["normal", "italic"]

#: Stands in for a letter that no font has.
_BOX = "□"

#: Families with many scripts or pictures that come with the usual systems. Coloured emoji cannot be drawn by matplotlib.
_FURTHER = (
    "DejaVu Sans",
    "Noto Sans",
    "Noto Sans Hebrew",
    "Noto Sans Arabic",
    "Noto Sans Devanagari",
    "Noto Sans Thai",
    "Noto Sans CJK JP",
    "Noto Sans CJK SC",
    "Noto Emoji",
    "Noto Sans Symbols2",
    "Segoe UI",
    "Segoe UI Symbol",
    "Segoe UI Emoji",
    "Microsoft YaHei",
    "Yu Gothic",
    "Malgun Gothic",
    "Arial Unicode MS",
    "PingFang SC",
    "Hiragino Sans",
    "Apple Symbols",
    "Symbola",
)


@contextmanager
def writing(names: Iterable[object]) -> Iterator[None]:
    """Draw text with the families in use and those installed that have letters of ``names`` which these lack."""
    from matplotlib import rcParams

    families = _families()
    missing = {letter for name in names for letter in str(name) if not _in_any(letter, families)}
    further = []
    for family in _installed() if missing else ():
        found = {letter for letter in missing if _has(letter, family)}
        if found:
            further.append(family)
            missing -= found
    before = rcParams["font.family"]
    # Not `rc_context`: a notebook turns interactive mode on with the first figure, and that must last.
    rcParams["font.family"] = [*families, *further]
    try:
        yield
    finally:
        rcParams["font.family"] = before


def apart(*parts: str) -> str:
    """Parts of a line one after the other, from left to right, whichever way each of them is written.

    Without the marks between them, a number after a Hebrew or Arabic name would be taken for a part of it.
    """
    mark = drawable("\u200e")
    return parts[0] if len(parts) == 1 else mark + mark.join(parts)


def drawable(text: str) -> str:
    """Text in letters that the families in use have; a box for each that they lack, nothing for an invisible one.

    >>> drawable("a short name")
    'a short name'
    """
    if text.isascii() and text.replace("\n", "").isprintable():
        return text
    families = _families()
    return "".join(_stand_in(letter, families) for letter in text)


def slant(text: str) -> _Style:
    """The style of slanted text: "italic" if there is a slanted font with its letters, else "normal".

    >>> slant("a short name")
    'italic'
    """
    families = _families()
    slanted = all(
        letter.isascii() or any(_has(letter, family, "italic") for family in families)
        for letter in text
    )
    return "italic" if slanted else "normal"


def _stand_in(letter: str, families: tuple[str, ...]) -> str:
    if letter == "\n" or _in_any(letter, families):
        return letter
    # Joiners and selectors of variants are not seen; marks on letters go with their letter.
    return "" if unicodedata.category(letter) in {"Cf", "Mn", "Cc"} else _BOX


def _in_any(letter: str, families: tuple[str, ...]) -> bool:
    # Control characters have no picture in any font.
    is_plain = letter.isascii() and letter.isprintable()
    return is_plain or any(_has(letter, family) for family in families)


def _families() -> tuple[str, ...]:
    from matplotlib import rcParams

    family = rcParams["font.family"]
    return (family,) if isinstance(family, str) else tuple(family)


def _installed() -> list[str]:
    from matplotlib.font_manager import fontManager

    known = {font.name for font in fontManager.ttflist}
    return [family for family in _FURTHER if family in known]


def _has(letter: str, family: str, style: _Style = "normal") -> bool:
    from matplotlib import rcParams

    # "sans-serif" is the first of a list of its own.
    name: Any = f"font.{family}"
    return ord(letter) in _letters(family, style, tuple(rcParams.get(name, ())))


@lru_cache(maxsize=64)
def _letters(family: str, style: _Style, meant: tuple[str, ...]) -> frozenset[int]:
    """Code points that the font of a family has."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    try:
        path = findfont(FontProperties(family=[family], style=style), fallback_to_default=False)
    except ValueError:  # it is not installed
        return frozenset()
    return frozenset(get_font(path).get_charmap())

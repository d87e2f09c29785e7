"""HTML of results: built as a tree and written by the standard library, so that text from data is always escaped."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "Number",
    "element",
    "format_value",
    "panel",
    "printable",
    "render",
    "shortened",
    "table",
]

#: Colours follow the notebook's theme, or the page's own where there is none. The class is doubled where JupyterLab has
#: rules for tables that would win over one class.
_STYLE = """
.ilk{color:var(--jp-ui-font-color1,inherit);font-family:var(--jp-ui-font-family,system-ui,sans-serif);
font-size:13px;line-height:1.45;max-width:100%;overflow-x:auto}
.ilk table{font-size:inherit;border-collapse:collapse;margin:.4em 0}
.ilk caption{text-align:left;font-weight:600;padding:.2em 0;caption-side:top}
.ilk.ilk th,.ilk.ilk td{padding:.25em .7em;border:0;border-bottom:1px solid var(--jp-border-color2,rgba(128,128,128,.4));
text-align:left;vertical-align:top;max-width:32em;overflow-wrap:break-word}
.ilk.ilk td.ilk-n,.ilk.ilk th.ilk-n{text-align:right;font-variant-numeric:tabular-nums}
.ilk.ilk td.ilk-n{white-space:nowrap}
.ilk.ilk th{vertical-align:bottom;overflow-wrap:normal}
.ilk .ilk-ci,.ilk .ilk-note{font-size:.9em}
.ilk .ilk-ci{display:block}
.ilk p{margin:.3em 0;max-width:60em}
"""

#: How a column's numbers are shown: share, money, days, p, index, count, number.
Number = str

_MAX_ROWS = 60

#: What the names of an interval's ends end in.
_ENDS = ("_lo", "_hi")


def element(tag: str, *children: Any, **attributes: str) -> ElementTree.Element:
    """An element of text and elements; text is escaped when it is written."""
    node = ElementTree.Element(
        tag, {key.rstrip("_"): printable(value) for key, value in attributes.items()}
    )
    last: ElementTree.Element | None = None
    for child in children:
        if isinstance(child, ElementTree.Element):
            node.append(child)
            last = child
        elif last is None:
            node.text = (node.text or "") + printable(str(child))
        else:
            last.tail = (last.tail or "") + printable(str(child))
    return node


#: Control characters, halves of surrogate pairs, non-characters, and marks that turn the direction of what follows.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)


def printable(text: str) -> str:
    r"""Text in which every character stands for itself: no command to a terminal or to a browser.

    >>> printable("Smith\x1b[2J & Sons")
    'Smith�[2J & Sons'
    """
    return _UNPRINTABLE.sub("\ufffd", text)


def shortened(text: str, limit: int = 200) -> str:
    """Text of at most ``limit`` characters.

    >>> shortened("a long name", 6)
    'a lon…'
    """
    return text if len(text) <= limit else text[: limit - 1] + "…"


def render(node: ElementTree.Element) -> str:
    """The element as HTML text: the only place where HTML is written."""
    return ElementTree.tostring(node, encoding="unicode", method="html")


def panel(*children: Any) -> str:
    """Elements in ilk's frame, as HTML text."""
    return render(element("div", element("style", _STYLE), *children, class_="ilk"))


def format_value(value: Any, kind: Number = "number") -> str:
    """A value as a person reads it.

    >>> format_value(0.1234, "share"), format_value(1234567.8, "money"), format_value(float("inf"), "months")
    ('12.3 %', '1,234,568', 'never')
    """
    if isinstance(value, str) or value is None:
        return "" if value is None else value
    if isinstance(value, bool) or type(value).__name__ in ("bool", "bool_"):
        return "yes" if value else "no"
    value = float(value)
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        if kind in ("months", "days"):
            return "never"
        return "∞" if value > 0 else "-∞"
    if kind == "share":
        return f"{100 * value:z.1f} %"
    if kind == "p":
        return "<0.001" if value < 0.001 else f"{value:.3f}"
    if kind == "count":
        return f"{value:z,.0f}"
    if kind == "index":
        return f"{value:z.2f}"
    if kind in ("days", "months"):
        return f"{value:z,.1f}" if value < 100 else f"{value:z,.0f}"
    if kind == "money":
        return f"{value:z,.0f}" if abs(value) >= 100 else f"{value:z,.2f}"
    if kind == "signed":
        text = f"{value:+.1f}"
        return text if text.strip("+-0.") else text[1:]  # zero has no sign
    if value == int(value) and abs(value) < 1e15:
        return f"{value:z,.0f}"
    return f"{value:z.3g}" if abs(value) < 999.5 else f"{value:z,.0f}"


def table(
    columns: Mapping[str, Sequence[Any]], caption: str, formats: Mapping[str, Number] | None = None
) -> ElementTree.Element:
    """A table with a caption; a column ``x`` with ``x_lo`` and ``x_hi`` is shown as one cell with its interval."""
    formats = formats or {}
    shown = shown_columns(columns)
    n_rows = len(next(iter(columns.values()), ()))
    numeric = {name: not any(isinstance(v, str) for v in columns[name]) for name in shown}
    head = element(
        "tr",
        *(
            element(
                "th",
                shortened(name.replace("_", " ")),
                scope="col",
                class_="ilk-n" if numeric[name] else "",
            )
            for name in shown
        ),
    )
    rows = [
        element("tr", *(_cell(columns, name, row, formats, numeric[name]) for name in shown))
        for row in range(min(n_rows, _MAX_ROWS))
    ]
    body: list[Any] = [
        element("caption", shortened(caption)),
        element("thead", head),
        element("tbody", *rows),
    ]
    if n_rows > _MAX_ROWS:
        note = element("td", f"{n_rows - _MAX_ROWS} more rows", colspan=str(len(shown)))
        body.append(element("tfoot", element("tr", note)))
    return element("table", *body)


def shown_columns(columns: Mapping[str, Sequence[Any]]) -> list[str]:
    """The columns that get a place of their own: all but the ends of intervals."""
    ends = {f"{name}{end}" for name in columns if _has_interval(columns, name) for end in _ENDS}
    return [name for name in columns if name not in ends]


def _has_interval(columns: Mapping[str, Sequence[Any]], name: str) -> bool:
    """Whether ``name_lo`` and ``name_hi`` are its ends, and not columns of text that happen to be called so."""
    ends = [columns.get(f"{name}{end}") for end in _ENDS]
    return all(end is not None and _is_numeric(end) for end in ends)


def _is_numeric(column: Sequence[Any]) -> bool:
    """Whether a column holds numbers, told by its first value: a column is of one type."""
    return len(column) == 0 or not (column[0] is None or isinstance(column[0], str))


def _cell(
    columns: Mapping[str, Sequence[Any]],
    name: str,
    row: int,
    formats: Mapping[str, Number],
    numeric: bool,
) -> ElementTree.Element:
    kind = formats.get(name, "number")
    children: list[Any] = [shortened(format_value(columns[name][row], kind))]
    interval = format_interval(columns, name, row, kind)
    if interval:
        children.append(element("span", interval, class_="ilk-ci"))
    return element("td", *children, class_="ilk-n" if numeric else "")


def format_interval(
    columns: Mapping[str, Sequence[Any]], name: str, row: int, kind: Number = "number"
) -> str:
    """The interval of a cell as text, or nothing where it has none."""
    if not _has_interval(columns, name):
        return ""
    low, high = (columns[f"{name}{end}"][row] for end in _ENDS)
    if math.isnan(low) and math.isnan(high):
        return ""
    return f"{format_value(low, kind)} to {format_value(high, kind)}"

"""Cards as Markdown: tables that people read and that lose nothing."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from ilk.personas._telling import condition_text, evidence, exact, percent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["markdown"]

#: Characters with a meaning in Markdown, in tables, in mathematics or in links that are made of bare addresses.
_SPECIAL = re.compile(r"([\\`*_{}\[\]|~$#:@!])")

_HEAD = (
    "Attribute",
    "Says",
    "Rule",
    "Evidence",
    "Customers",
    "Distinctive",
    "Origin",
    "Why",
    "Instead of",
)


def escaped(text: str) -> str:
    r"""Text as Markdown shows it letter by letter, in a paragraph or in a cell.

    A cell that would begin as a formula of a spreadsheet does begins with a backslash.

    >>> print(escaped("<b>*a|b*</b>"), escaped("=1+1"), escaped("www.x.org"))
    &lt;b&gt;\*a\|b\*&lt;/b&gt; \=1+1 www\.x.org
    """
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = _SPECIAL.sub(r"\\\1", text)
    text = re.sub(r"(?i)\bwww\.", lambda found: found.group(0)[:-1] + r"\.", text)
    return "\\" + text if text[:1] in ("=", "+", "-") else text


def markdown(content: Mapping[str, Any], slots: Sequence[tuple[str, str]]) -> str:
    """The cards, then what they were made from."""
    parts = ["# Personas", _facts(_of_all(content))]
    for card in content["cards"]:
        parts += _card(card, content, slots)
    parts += _appendix(content, dict(slots))
    return "\n\n".join(part for part in parts if part) + "\n"


def _facts(facts: Iterable[tuple[str, str]]) -> str:
    return "\n".join(f"- {name}: {text}" for name, text in facts)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _texts(texts: Iterable[str]) -> str:
    """Several texts in one cell, each between quotation marks that are escaped within it."""
    return "; ".join('"' + escaped(text).replace('"', "&quot;") + '"' for text in texts)


def _of_all(content: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    yield "Version", str(content["version"])
    yield "Customers", exact(content["n"])
    if content["scenario"] is not None:
        yield "Scenario", escaped(content["scenario"])
    yield "Intervals", percent(content["confidence"])
    yield "Fewest customers of a line", str(content["min_count"])
    yield "List of categories", f"version {escaped(content['taxonomy'])}"


def _card(
    card: Mapping[str, Any], content: Mapping[str, Any], slots: Sequence[tuple[str, str]]
) -> Iterable[str]:
    yield f"## {escaped(card['name'])}"
    yield _facts(_of_card(card, content))
    if card["exemplar"] is not None and card["exemplar"]["values"]:
        values = [[escaped(name), escaped(value)] for name, value in card["exemplar"]["values"]]
        yield _table(("The customer in the middle", "Value"), values)
    for key, name in slots:
        lines = [line for line in card["lines"] if line["slot"] == key]
        if lines:
            yield f"### {escaped(name)}"
            yield _table(_HEAD, [_row(line) for line in lines])


def _of_card(card: Mapping[str, Any], content: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    yield "Segment", escaped(card["segment"])
    if card["n"] is None:
        yield "Customers", f"fewer than {max(1, content['min_count'])}"
    else:
        yield "Customers", f"{exact(card['n'])} ({percent(card['share'])} of all)"
    exemplar = card["exemplar"]
    if exemplar is not None:
        named = "" if exemplar["id"] is None else f", called {escaped(exemplar['id'])}"
        yield (
            "In the middle",
            f"row {exemplar['row']} at a mean distance of {exact(exemplar['distance'])}{named}",
        )
    if card["hidden"]:
        yield "Lines hidden for too few customers", str(card["hidden"])
    said = {line["slot"] for line in card["lines"]}
    empty = [slot["name"] for slot in content["categories"] if slot["key"] not in said]
    if empty:
        yield "No line of its own for", ", ".join(escaped(name) for name in empty)


def _row(line: Mapping[str, Any]) -> list[str]:
    count = ""
    if line["n"] is not None:
        count = (
            exact(line["n"])
            if line["count"] is None
            else f"{exact(line['count'])} of {exact(line['n'])}"
        )
    return [
        "" if line["attribute"] is None else escaped(line["attribute"]),
        escaped(line["statement"]),
        "" if line["condition"] is None else escaped(condition_text(line["condition"])),
        "; ".join(evidence(figure, escaped) for figure in line["figures"]),
        count,
        "yes" if line["distinctive"] else "",
        line["provenance"],
        escaped(line["reason"]),
        _texts(line["replaces"]),
    ]


def _appendix(content: Mapping[str, Any], names: Mapping[str, str]) -> Iterable[str]:
    yield "## Categories"
    rows = [[escaped(slot["key"]), escaped(slot["name"])] for slot in content["categories"]]
    yield _table(("Key", "Name"), rows)
    if content["attributes"]:
        yield "## Attributes"
        rows = [
            [
                escaped(found["attribute"]),
                escaped(found["slot"]),
                escaped(found["by"]),
                found["level"] or "",
            ]
            for found in content["attributes"]
        ]
        yield _table(("Attribute", "Category", "By", "Level"), rows)
    if content["left_out"]:
        yield "## Segments without a card"
        rows = [
            [
                escaped(left["segment"]),
                "" if left["n"] is None else exact(left["n"]),
                "" if left["share"] is None else percent(left["share"]),
                "" if left["worth"] is None else percent(left["worth"]),
                escaped(left["reason"]),
            ]
            for left in content["left_out"]
        ]
        yield _table(("Segment", "Customers", "Share", "Share of revenue", "Why"), rows)
    if content["revisions"]:
        yield "## Revisions"
        rows = [
            [
                str(found["version"]),
                escaped(found["segment"]),
                escaped(found["field"]),
                _texts(found["before"]),
                _texts(found["after"]),
                escaped(found["reason"]),
            ]
            for found in content["revisions"]
        ]
        yield _table(("Version", "Segment", "Field", "Before", "After", "Why"), rows)
    yield "## How they were made"
    manifest = content["manifest"]
    facts = [(escaped(key), escaped(json.dumps(value))) for key, value in manifest.items()]
    yield _facts(facts)

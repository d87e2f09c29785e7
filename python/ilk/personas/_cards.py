"""Cards as HTML: in a notebook, as a page, on paper."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ilk import _html
from ilk.personas._telling import exact, percent, readable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from xml.etree import ElementTree

__all__ = ["page", "panel"]

#: Colours follow the notebook's theme, or the page's own. On paper cards are black on white, and none is cut in two where it
#: fits on a page.
_STYLE = """
.ilk-cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(21em,1fr));gap:1em;align-items:start;max-width:110em}
.ilk-card{border:1px solid var(--jp-border-color1,rgba(128,128,128,.55));border-radius:.5em;padding:.7em .9em;
break-inside:avoid;overflow-wrap:anywhere}
.ilk .ilk-card h3,.ilk .ilk-card h4{margin:0;padding:0;line-height:1.3;color:inherit}
.ilk .ilk-card h3{font-size:1.25em;font-weight:650}
.ilk .ilk-card h4{font-size:.8em;font-weight:650;letter-spacing:.04em;text-transform:uppercase;margin-top:.8em;opacity:.8}
.ilk .ilk-card p{margin:.15em 0}
.ilk .ilk-card ul{list-style:none;margin:.15em 0 0;padding:0}
.ilk .ilk-card li{margin:.2em 0;padding-left:1.3em;text-indent:-1.3em}
.ilk .ilk-card li>*{text-indent:0}
.ilk-mark{display:inline-block;width:1.3em;text-indent:0}
.ilk-says{font-weight:600}
.ilk-line[data-distinctive=yes] .ilk-says::after{content:" \\25B2";font-size:.75em}
.ilk-line[data-provenance=assumed] .ilk-says{font-style:italic;font-weight:500}
.ilk .ilk-evidence,.ilk .ilk-why,.ilk .ilk-note{font-size:.88em;opacity:.85}
.ilk-evidence,.ilk-why{display:block}
.ilk-details{margin-top:1em}
.ilk-details summary{cursor:pointer}
@media print{
.ilk{overflow:visible}
.ilk-cards{display:block}
.ilk-card{columns:2;column-gap:1.6em;border:0;padding:0;break-inside:auto;break-after:page;font-size:8.4pt;line-height:1.3}
.ilk-card:last-child{break-after:auto}
.ilk-card h3,.ilk-card .ilk-size{column-span:all}
.ilk-card section,.ilk-card li{break-inside:avoid}
.ilk-card h4{break-after:avoid}
.ilk-details{break-before:page}
}
"""

_PAGE = """
:root{color-scheme:light dark}
body{margin:1.5em;background:Canvas;color:CanvasText}
@page{margin:14mm}
@media print{:root{color-scheme:light}body{margin:0;background:#fff;color:#000;font-size:10.5pt}.ilk{font-size:9.5pt}}
"""

_MARKS = {"observed": "●", "inferred": "◐", "assumed": "○"}


def panel(content: Mapping[str, Any], slots: Sequence[tuple[str, str]]) -> str:
    """The cards for a notebook."""
    return _html.panel(_html.element("style", _STYLE), *_body(content, slots, open_=False))


def page(content: Mapping[str, Any], slots: Sequence[tuple[str, str]]) -> str:
    """The cards as a document of its own."""
    head = _html.element(
        "head",
        _html.element("meta", charset="utf-8"),
        _html.element("meta", name="viewport", content="width=device-width,initial-scale=1"),
        _html.element("title", "Personas"),
        _html.element("style", _PAGE + _html._STYLE + _STYLE),
    )
    frame = _html.element(
        "div", _html.element("h1", "Personas"), *_body(content, slots, open_=True), class_="ilk"
    )
    document = _html.element("html", head, _html.element("body", frame), lang="en")
    return "<!DOCTYPE html>\n" + _html.render(document) + "\n"


def _body(
    content: Mapping[str, Any], slots: Sequence[tuple[str, str]], *, open_: bool
) -> Iterable[ElementTree.Element]:
    element = _html.element
    facts: list[Any] = [
        _number("customers", content["n"]),
        " customers, version ",
        _number("version", content["version"]),
    ]
    if content["scenario"] is not None:
        facts += [
            ", seen by ",
            _text("scenario", content["scenario"], shown=readable(content["scenario"])),
        ]
    yield element("p", *facts, class_="ilk-note ilk-about")
    yield element(
        "div", *(_card(card, content, slots) for card in content["cards"]), class_="ilk-cards"
    )
    legend = (
        "● observed: counted in the data, with the share of the segment, its ",
        _share("confidence", content["confidence"]),
        " interval, and the share of all customers. ◐ inferred: from a rule or a model. ○ assumed: said by a person. "
        "▲ holds more often than over all customers. Lines that rest on fewer than ",
        _number("min_count", content["min_count"]),
        " customers are hidden.",
    )
    yield element("p", *legend, class_="ilk-note")
    attributes = {"open": "open"} if open_ else {}
    yield element(
        "details",
        element("summary", "How they were made"),
        *_appendix(content),
        class_="ilk-details ilk-note",
        **attributes,
    )


def _card(
    card: Mapping[str, Any], content: Mapping[str, Any], slots: Sequence[tuple[str, str]]
) -> ElementTree.Element:
    element = _html.element
    children: list[Any] = [element("h3", _text("name", card["name"]))]
    if card["n"] is None:
        size: list[Any] = [f"fewer than {max(1, content['min_count'])} customers"]
    else:
        size = [_number("n", card["n"]), " customers, ", _share("share", card["share"])]
    if card["segment"] == card["name"]:
        size.append(_hidden("segment", card["segment"]))
    else:
        size += [", ", _text("segment", card["segment"])]
    children.append(element("p", *size, class_="ilk-size"))
    for key, name in slots:
        lines = [line for line in card["lines"] if line["slot"] == key]
        if lines:
            children.append(
                element(
                    "section",
                    element("h4", element("bdi", name)),
                    element("ul", *(_line(line) for line in lines)),
                    **{"data-slot": key},
                )
            )
    if card["exemplar"] is not None:
        children += _exemplar(card["exemplar"])
    said = {line["slot"] for line in card["lines"]}
    empty = [slot["name"] for slot in content["categories"] if slot["key"] not in said]
    if empty:
        children.append(
            element(
                "p", "No line of its own for: ", element("bdi", ", ".join(empty)), class_="ilk-note"
            )
        )
    if card["hidden"]:
        children.append(
            element(
                "p",
                "Hidden for too few customers: ",
                _number("hidden", card["hidden"]),
                class_="ilk-note",
            )
        )
    return element("article", *children, class_="ilk-card")


def _exemplar(exemplar: Mapping[str, Any]) -> Iterable[ElementTree.Element]:
    element = _html.element
    told: list[Any] = ["row ", _number("row", exemplar["row"])]
    if exemplar["id"] is not None:
        told += [" (", _text("id", exemplar["id"]), ")"]
    told += [", at a mean distance of ", _number("distance", exemplar["distance"])]
    children: list[Any] = [element("h4", "The customer in the middle"), element("p", *told)]
    if exemplar["values"]:
        values = (
            element("li", _text("attribute", name), ": ", _text("value", value))
            for name, value in exemplar["values"]
        )
        children.append(element("ul", *values, class_="ilk-values"))
    yield element("section", *children, class_="ilk-exemplar")


def _line(line: Mapping[str, Any]) -> ElementTree.Element:
    element = _html.element
    mark = _MARKS[line["provenance"]]
    children: list[Any] = [
        element(
            "span",
            mark,
            class_="ilk-mark",
            title=line["provenance"],
            role="img",
            **{"aria-label": line["provenance"]},
        )
    ]
    name = line["attribute"]
    if name is not None:
        # What a figure is called, or says in the same words, stands in its statement.
        said = line["slot"] == "worth" or readable(name) == line["statement"]
        if said:
            children.append(_hidden("attribute", name))
        else:
            children += [_text("attribute", name, shown=readable(name)), ": "]
    children.append(element("span", _text("statement", line["statement"]), class_="ilk-says"))
    evidence = list(_figures(line))
    if line["n"] is not None:
        count = ["n = "] if line["count"] is None else [_number("count", line["count"]), " of "]
        of = element("span", *count, _number("n", line["n"]), class_="ilk-of")
        evidence += ["; " if evidence else "", of]
    if evidence:
        children += [" ", element("span", *evidence, class_="ilk-evidence")]
    if line["reason"]:
        children += [
            " ",
            element("span", "(", _text("reason", line["reason"]), ")", class_="ilk-why"),
        ]
    if line["replaces"]:
        said = [part for text in line["replaces"] for part in ("; ", _text("replaces", text))][1:]
        children += [" ", element("span", "instead of ", *said, class_="ilk-why")]
    attributes = {
        "data-provenance": line["provenance"],
        "data-distinctive": "yes" if line["distinctive"] else "no",
    }
    for part, value in (line["condition"] or {}).items():
        if part != "column" and value is not None:
            attributes[f"data-{part.replace('_', '-')}"] = (
                value if isinstance(value, str) else repr(value)
            )
    return element("li", *children, class_="ilk-line", **attributes)


def _figures(line: Mapping[str, Any]) -> Iterable[Any]:
    for at, figure in enumerate(line["figures"]):
        told = _share if figure["unit"] == "share" else _number
        parts: list[Any] = []
        # A share needs no name: it is that of the customers of whom the line holds. Nor does what is named already.
        if figure["name"] not in ("share", line["attribute"]):
            parts += [readable(figure["name"]), " "]
        parts.append("not finite" if figure["value"] is None else told("value", figure["value"]))
        if figure["lo"] is not None and figure["hi"] is not None:
            parts += [" (", told("lo", figure["lo"]), " to ", told("hi", figure["hi"]), ")"]
        else:
            parts += [
                _hidden(end, repr(figure[end])) for end in ("lo", "hi") if figure[end] is not None
            ]
        if figure["overall"] is not None:
            parts += [", all ", told("overall", figure["overall"])]
        if figure["lift"] is not None:
            parts += [", lift ", _number("lift", figure["lift"])]
        if at:
            yield "; "
        yield _html.element(
            "span",
            *parts,
            class_="ilk-figure",
            **{"data-name": figure["name"], "data-unit": figure["unit"]},
        )


def _appendix(content: Mapping[str, Any]) -> Iterable[ElementTree.Element]:
    yield _grid("categories", content["categories"], ("key", "name"))
    yield _grid("attributes", content["attributes"], ("attribute", "slot", "by", "level"))
    yield _grid("left_out", content["left_out"], ("segment", "n", "share", "worth", "reason"))
    yield _grid(
        "revisions",
        content["revisions"],
        ("version", "segment", "field", "before", "after", "reason"),
    )
    manifest = {"taxonomy": content["taxonomy"], **content["manifest"]}
    facts = (
        _html.element(
            "li",
            readable(key),
            ": ",
            _html.element("data", _told(value), value=json.dumps(value), class_=f"ilk-{key}"),
        )
        for key, value in manifest.items()
    )
    yield _html.element("ul", *facts, class_="ilk-made")


def _grid(
    name: str, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]
) -> ElementTree.Element:
    element = _html.element
    if not rows:
        return element("div", class_=f"ilk-{name}")
    head = element("tr", *(element("th", readable(column), scope="col") for column in columns))
    body = [
        element(
            "tr",
            *(
                element("td", element("data", _told(row[column]), value=json.dumps(row[column])))
                for column in columns
            ),
        )
        for row in rows
    ]
    return element(
        "table",
        element("caption", readable(name)),
        element("thead", head),
        element("tbody", *body),
        class_=f"ilk-{name}",
    )


def _told(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "; ".join(map(_told, value))
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_told(part)}" for key, part in value.items())
    return (
        exact(value)
        if isinstance(value, int | float) and not isinstance(value, bool)
        else str(value)
    )


def _number(name: str, value: float) -> ElementTree.Element:
    return _html.element("data", exact(value), value=repr(value), class_=f"ilk-{name}")


def _share(name: str, value: float) -> ElementTree.Element:
    return _html.element("data", percent(value), value=repr(value), class_=f"ilk-{name}")


def _text(name: str, text: str, shown: str | None = None) -> ElementTree.Element:
    """Text from data, kept apart from the direction of what stands around it."""
    if shown is None or shown == text:
        return _html.element("bdi", text, class_=f"ilk-{name}")
    return _html.element("bdi", shown, class_=f"ilk-{name}", **{"data-text": text})


def _hidden(name: str, text: str) -> ElementTree.Element:
    return _html.element("data", "", value=text, class_=f"ilk-{name}")

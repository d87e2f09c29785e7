"""Cards as JSON, Markdown and HTML: nothing that the schema names is lost, and hostile text does no harm."""

from __future__ import annotations

import html
import json
import re
import warnings
from decimal import Decimal
from html.parser import HTMLParser

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ilk.exceptions import DataError, DataWarning
from ilk.personas import Personas, personas
from ilk.personas._markdown import escaped

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</style></div><b>",
    '" onmouseover="alert(1)',
    '=HYPERLINK("http://evil.example")',
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1)",
    "a|b|c",
    "`code` ``` ~~~",
    "**bold** _it_ [x](javascript:alert(1)) ![i](x)",
    "# head",
    "- item",
    "1. item",
    "www.evil.example and https://evil.example a@b.example",
    "\\",
    "\\|",
    "trailing \\",
    "&lt;b&gt; &amp; &#60;",
    "<!-- x",
    "]]>",
    "$x$ and $$y$$",
    'say "hi"; "x" & "y"',
    "שלום עולם",
    "line one\nline two\r\n| x |",
    "tab\there",
    "\u202eevil\u202c \u2066x\u2069",
    "\x1b[2J\x00\x07",
    "\ufeff\ufffe",
    "e\u0301 \U0001f9d1\u200d\U0001f33e",
    "lift 3; share 2 %",
    "x" * 10_000,
]


def customers(levels: list[str]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "segment": ["big"] * 30 + ["little"] * 12 + ["tiny"] * 2,
            "income": [19_999.5 + 1000.25 * i for i in range(44)],
            "level": levels[:1] * 25 + levels[1:2] * 19,
            "late": [1, 0] * 22,
            "note": [0.001 * i for i in range(44)],
        }
    )


def full(said: str = "a garden") -> Personas:
    """Personas that use everything that the schema names."""
    with warnings.catch_warnings():
        # Segments are left out, and what is said of the committee is in no list.
        warnings.simplefilter("ignore", DataWarning)
        made = personas(
            "segment",
            customers(["a town", "another"]),
            ["income", "level", "note"],
            categories={"level": "location"},
            problems=["late"],
            goals={"big": [said, "quiet"]},
            journey={"big": {"problem": 0.4, "suppliers": 0.0625}},
            committee={"little": {said[:100]: said}},
            firm={"big": said},
            economics={
                "segment": ["big", "little", "tiny"],
                "revenue_share": [0.6, 0.3, 0.1],
                "revenue_share_lo": [0.5, 0.2, 0.05],
                "revenue_share_hi": [0.7, 0.4, 0.15],
                "payback_months": [float("inf"), 1e-5, 3],
                "ltv": [1234567.0, -12345.0, 0.0],
                "n": [30, 12, 2],
            },
            accounts=["income"],
            max_personas=2,
            sensitive=True,
            scenario="use_cases",
            customer="note",
        )
    return made.revise(
        "big", income=(20_000, 35_500.5), habits=[said, "x"], name=said[:90], reason=said
    )


def content(cards: Personas) -> dict:
    return json.loads(cards.to_json())["content"]


# --- Reading Markdown back ------------------------------------------------------------------------------------------------


def unescaped(cell: str) -> str:
    return html.unescape(re.sub(r"\\([\\`*_{}\[\]|~$#:@!.=+\-])", r"\1", cell))


def split(row: str) -> list[str]:
    """The cells of a row: a bar that no backslash escapes ends one."""
    found, cell, at = [], "", 1
    while at < len(row):
        if row[at] == "\\":
            cell += row[at : at + 2]
            at += 2
        elif row[at] == "|":
            found.append(cell.strip(" "))
            cell = ""
            at += 1
        else:
            cell += row[at]
            at += 1
    return found


def tables(text: str) -> list[list[str]]:
    rows = [row for row in text.split("\n") if row.startswith("| ")]
    return [split(row) for row in rows if set(row) != set("| -")]


def number(text: str) -> float:
    return float(Decimal(text.replace(",", "")))


def share(text: str) -> float:
    return float(Decimal(text.removesuffix(" %").replace(",", "")) / 100)


def quoted(cell: str) -> list[str]:
    return [unescaped(text).replace("&quot;", '"') for text in re.findall(r'"([^"]*)"', cell)]


FIGURE = re.compile(
    r"^(?P<name>.*?) (?P<value>not finite(?: %)?|-?[\d.,]+(?: %)?)(?: \((?P<lo>[^()]*) to (?P<hi>[^()]*)\))?"
    r"(?:, (?P<overall>-?[\d.,]+(?: %)?) over all)?(?:, lift (?P<lift>-?[\d.,]+))?$"
)


def figure(text: str) -> dict:
    found = FIGURE.match(text)
    assert found, text
    unit = "share" if found["value"].endswith("%") else "number"
    read = share if unit == "share" else number

    def part(name: str):
        value = found[name]
        return None if value is None or value.startswith(("not finite", "unknown")) else read(value)

    return {
        "name": unescaped(found["name"]),
        "unit": unit,
        "value": part("value"),
        "lo": part("lo"),
        "hi": part("hi"),
        "overall": part("overall"),
        "lift": None if found["lift"] is None else number(found["lift"]),
    }


def condition(column: str | None, text: str) -> dict | None:
    if not text:
        return None
    found = {"column": column, "level": None, "at_least": None, "below": None}
    if text.startswith("is "):
        return found | {"level": text[3:]}
    for part in text.split(", "):
        name, _, value = part.rpartition(" ")
        found[name.replace(" ", "_")] = number(value)
    return found


def line(slot: str, row: list[str]) -> dict:
    attribute = unescaped(row[0]) or None
    count, _, n = row[4].rpartition(" of ")
    return {
        "slot": slot,
        "attribute": attribute,
        "statement": unescaped(row[1]),
        "condition": condition(attribute, unescaped(row[2])),
        "figures": [figure(text) for text in row[3].split("; ") if text],
        "count": int(number(count)) if count else None,
        "n": int(number(n)) if n else None,
        "distinctive": row[5] == "yes",
        "provenance": row[6],
        "reason": unescaped(row[7]),
        "replaces": quoted(row[8]),
    }


def facts(text: str) -> dict[str, str]:
    pairs = [row[2:].partition(": ") for row in text.split("\n") if row.startswith("- ")]
    return {name: value for name, _, value in pairs}


def card_of(text: str, keys: dict[str, str]) -> dict:
    head, *sections = re.split(r"\n### ", text)
    told = facts(head)
    size = re.fullmatch(r"(.*) \((.*) of all\)", told["Customers"])
    exemplar = None
    if "In the middle" in told:
        found = re.fullmatch(
            r"row (\d+) at a mean distance of ([\d.]+)(?:, called (.*))?", told["In the middle"]
        )
        values = [[unescaped(cell) for cell in row] for row in tables(head)[1:]]
        exemplar = {
            "row": int(found[1]),
            "id": None if found[3] is None else unescaped(found[3]),
            "distance": float(found[2]),
            "values": values,
        }
    lines = []
    for section in sections:
        name, _, rest = section.partition("\n")
        lines += [line(keys[unescaped(name)], row) for row in tables(rest)[1:]]
    return {
        "segment": unescaped(told["Segment"]),
        "name": unescaped(head.partition("\n")[0]),
        "n": int(number(size[1])) if size else None,
        "share": share(size[2]) if size else None,
        "exemplar": exemplar,
        "hidden": int(told.get("Lines hidden for too few customers", "0")),
        "lines": lines,
    }


def from_markdown(text: str, keys: dict[str, str]) -> dict:
    head, *chapters = re.split(r"\n## ", text)
    told = facts(head)
    names = [chapter.partition("\n")[0] for chapter in chapters]
    last = {name: chapter for name, chapter in zip(names, chapters, strict=True)}
    first = names.index("Categories")
    rows = {
        name: [[unescaped(c) for c in row] for row in tables(text)[1:]]
        for name, text in last.items()
    }
    raw = {name: tables(text)[1:] for name, text in last.items()}
    manifest = {
        unescaped(name): json.loads(unescaped(value))
        for name, value in facts(last["How they were made"]).items()
    }
    return {
        "manifest": manifest,
        "version": int(told["Version"]),
        "scenario": unescaped(told["Scenario"]) if "Scenario" in told else None,
        "taxonomy": unescaped(told["List of categories"]).removeprefix("version "),
        "confidence": share(told["Intervals"]),
        "min_count": int(told["Fewest customers of a line"]),
        "n": int(number(told["Customers"])),
        "categories": [{"key": key, "name": name} for key, name in rows["Categories"]],
        "attributes": [
            {"attribute": row[0], "slot": row[1], "by": row[2], "level": row[3] or None}
            for row in rows.get("Attributes", [])
        ],
        "left_out": [
            {
                "segment": row[0],
                "n": int(number(row[1])) if row[1] else None,
                "share": share(row[2]) if row[2] else None,
                "worth": share(row[3]) if row[3] else None,
                "reason": row[4],
            }
            for row in rows.get("Segments without a card", [])
        ],
        "cards": [card_of(chapter, keys) for chapter in chapters[:first]],
        "revisions": [
            {
                "version": int(row[0]),
                "segment": unescaped(row[1]),
                "field": unescaped(row[2]),
                "before": quoted(row[3]),
                "after": quoted(row[4]),
                "reason": unescaped(row[5]),
            }
            for row in raw.get("Revisions", [])
        ],
    }


# --- Reading HTML back ----------------------------------------------------------------------------------------------------


class Node:
    def __init__(self, tag: str, attributes: dict[str, str]) -> None:
        self.tag, self.attributes, self.children, self.text = tag, attributes, [], ""

    def all(self, name: str) -> list[Node]:
        found = (
            [self] if name in self.attributes.get("class", "").split() or self.tag == name else []
        )
        for child in self.children:
            found += child.all(name)
        return found

    def one(self, name: str) -> Node | None:
        return next(iter(self.all(name)), None)

    def said(self, name: str) -> str | None:
        found = self.one(name)
        if found is None:
            return None
        return found.attributes.get("data-text", found.attributes.get("value", found.text))

    def number(self, name: str) -> float | int | None:
        found = self.one(name)
        return None if found is None else json.loads(found.attributes["value"])


class Reader(HTMLParser):
    VOID = ("meta",)

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Node("root", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attributes) -> None:
        node = Node(tag, dict(attributes))
        self.open[-1].children.append(node)
        if tag not in self.VOID:
            self.open.append(node)

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].text += data


def parsed(text: str) -> Node:
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert len(reader.open) == 1
    return reader.root


def html_line(node: Node, slot: str) -> dict:
    attributes = node.attributes
    attribute = node.said("ilk-attribute")
    found = {
        "column": attribute,
        "level": attributes.get("data-level"),
        "at_least": float(attributes["data-at-least"]) if "data-at-least" in attributes else None,
        "below": float(attributes["data-below"]) if "data-below" in attributes else None,
    }
    of = node.one("ilk-of")
    return {
        "slot": slot,
        "attribute": attribute,
        "statement": node.said("ilk-statement"),
        "condition": found if list(found.values())[1:] != [None] * 3 else None,
        "figures": [
            {"name": part.attributes["data-name"], "unit": part.attributes["data-unit"]}
            | {end: part.number(f"ilk-{end}") for end in ("value", "lo", "hi", "overall", "lift")}
            for part in node.all("ilk-figure")
        ],
        "count": of and of.number("ilk-count"),
        "n": of and of.number("ilk-n"),
        "distinctive": attributes["data-distinctive"] == "yes",
        "provenance": attributes["data-provenance"],
        "reason": node.said("ilk-reason") or "",
        "replaces": [found.text for found in node.all("ilk-replaces")],
    }


def html_card(node: Node) -> dict:
    size = node.one("ilk-size")
    exemplar = node.one("ilk-exemplar")
    return {
        "segment": size.said("ilk-segment"),
        "name": node.one("h3").said("ilk-name"),
        "n": size.number("ilk-n"),
        "share": size.number("ilk-share"),
        "exemplar": exemplar
        and {
            "row": exemplar.number("ilk-row"),
            "id": exemplar.said("ilk-id"),
            "distance": exemplar.number("ilk-distance"),
            "values": [
                [li.said("ilk-attribute"), li.said("ilk-value")] for li in exemplar.all("li")
            ],
        },
        "hidden": node.number("ilk-hidden") or 0,
        "lines": [
            html_line(li, section.attributes["data-slot"])
            for section in node.all("section")
            if "data-slot" in section.attributes
            for li in section.all("ilk-line")
        ],
    }


def from_html(text: str) -> dict:
    root = parsed(text)
    made = {}
    for li in root.one("ilk-made").all("li"):
        found = li.one("data")
        made[found.attributes["class"].removeprefix("ilk-")] = json.loads(found.attributes["value"])
    columns = {
        "categories": ("key", "name"),
        "attributes": ("attribute", "slot", "by", "level"),
        "left_out": ("segment", "n", "share", "worth", "reason"),
        "revisions": ("version", "segment", "field", "before", "after", "reason"),
    }
    grids = {}
    for name, keys in columns.items():
        body = root.one(f"ilk-{name}").one("tbody")
        rows = [] if body is None else body.all("tr")
        grids[name] = [
            dict(
                zip(
                    keys,
                    (json.loads(td.one("data").attributes["value"]) for td in row.all("td")),
                    strict=True,
                )
            )
            for row in rows
        ]
    about = root.one("ilk-about")
    return {
        "taxonomy": made.pop("taxonomy"),
        "manifest": made,
        "version": about.number("ilk-version"),
        "scenario": about.said("ilk-scenario"),
        "confidence": root.number("ilk-confidence"),
        "min_count": root.number("ilk-min_count"),
        "n": about.number("ilk-customers"),
        "cards": [html_card(node) for node in root.all("article")],
        **grids,
    }


# --- Nothing is lost ------------------------------------------------------------------------------------------------------


def check_nothing_is_lost(cards: Personas) -> None:
    keys = {name: key for key, name in cards._core.slots()}
    assert Personas.from_json(cards.to_json()).to_json() == cards.to_json()
    assert from_markdown(cards.to_markdown(), keys) == content(cards)
    assert from_html(cards.to_html()) == content(cards)
    assert from_html(cards._repr_html_()) == content(cards)


def test_json_markdown_and_html_lose_nothing_that_the_schema_names() -> None:
    cards = full()
    told = content(cards)
    # Everything that the schema names is there to be lost.
    lines = [line for card in told["cards"] for line in card["lines"]]
    assert {line["provenance"] for line in lines} == {"observed", "inferred", "assumed"}
    assert any(line["replaces"] for line in lines)
    assert {figure["unit"] for line in lines for figure in line["figures"]} == {"share", "number"}
    assert all(told[name] for name in ("left_out", "revisions", "attributes", "scenario"))
    assert told["cards"][0]["exemplar"]["values"]
    assert told["cards"][0]["exemplar"]["id"]
    check_nothing_is_lost(cards)


def test_cards_with_little_to_say_lose_nothing() -> None:
    check_nothing_is_lost(personas("segment", customers(["a", "b"]), ["late"], min_count=40))


@pytest.mark.parametrize("said", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_of_people_is_shown_as_it_is(said: str) -> None:
    check_nothing_is_lost(full(said))


@pytest.mark.parametrize("said", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_of_data_is_shown_as_it_is(said: str) -> None:
    data = customers([said, "x"]).rename(columns={"late": said})
    data["segment"] = data["segment"].replace("big", said)
    cards = personas("segment", data, ["level", said, "income"])
    check_nothing_is_lost(cards)
    assert_harmless(cards)


def assert_harmless(cards: Personas) -> None:
    for text in (
        cards.to_html(),
        cards._repr_html_(),
        cards.to_markdown(),
        repr(cards),
        cards.to_json(),
    ):
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)
    for text in (cards.to_html(), cards._repr_html_()):
        root = parsed(text)
        assert not root.all("script")
        assert not root.all("img")
        assert not root.all("b")
        assert all(not name.startswith("on") for node in walk(root) for name in node.attributes)
    markdown = cards.to_markdown()
    # No tag, link, code, picture or bare address, and no cell that a spreadsheet would calculate.
    assert not re.search(r"<[a-zA-Z!/]", markdown)
    for mark in ("`", "[", "*", "~", "$", "|"):
        found = re.findall(rf"(\\*){re.escape(mark)}", re.sub(r"(?m)^\|.*\|$", "", markdown))
        assert all(len(slashes) % 2 == 1 for slashes in found), mark
    assert not re.search(r"(?i)https?://|\bwww\.", markdown)
    for row in markdown.split("\n"):
        if row.startswith("| "):
            assert not any(
                cell[:1] in ("=", "+", "-", "@") for cell in split(row) if set(cell) != {"-"}
            )


def walk(node: Node):
    yield node
    for child in node.children:
        yield from walk(child)


@pytest.mark.parametrize("said", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_does_no_harm(said: str) -> None:
    assert_harmless(full(said))


def test_a_megabyte_of_text_is_refused_from_people_and_cut_from_data() -> None:
    long = "very long " * 100_000
    with pytest.raises(DataError, match="1,000,000 characters"):
        personas("segment", customers(["a", "b"]), ["level"], goals={"big": long})
    cards = full()
    with pytest.raises(DataError, match="1000000 characters"):
        cards.revise("little", goals=long, reason="x")
    with pytest.raises(DataError, match="1000000 characters"):
        cards.revise("little", goals="x", reason=long)
    with pytest.raises(DataError, match="found") as refusal:
        cards.revise(long, goals="x", reason="x")
    assert len(str(refusal.value)) < 1000
    data = customers([long, "x"])
    data["segment"] = data["segment"].replace("big", long)
    made = personas("segment", data, ["level", "income"])
    assert len(made.to_html()) < 100_000
    check_nothing_is_lost(made)


@given(st.text(max_size=60))
def test_any_text_survives_markdown(text: str) -> None:
    from ilk import _core

    clean = _core.clean_text(text, False)
    assert unescaped(escaped(clean)) == clean
    assert split(f"| {escaped(clean)} | x |") == [escaped(clean).strip(" "), "x"]


@given(st.text(min_size=1, max_size=40), st.text(min_size=1, max_size=40))
def test_any_text_survives_on_a_card(said: str, reason: str) -> None:
    cards = personas("segment", customers(["a", "b"]), ["level"])
    try:
        revised = cards.revise("big", goals=said, name=said, reason=reason)
    except DataError:
        return
    check_nothing_is_lost(revised)


def test_page_is_of_one_file_and_prints() -> None:
    text = full().to_html()
    assert text.startswith("<!DOCTYPE html>")
    assert "@media print" in text
    assert "color-scheme:light dark" in text
    assert not re.search(r"(src|href)=", text)


def test_files_are_written(tmp_path) -> None:
    cards = full()
    assert cards.to_markdown(tmp_path / "p.md") == (tmp_path / "p.md").read_text(encoding="utf-8")
    assert cards.to_html(tmp_path / "p.html") == (tmp_path / "p.html").read_text(encoding="utf-8")

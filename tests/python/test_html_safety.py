"""Text from data stays text: in the HTML of every result, in the plain view, and in a browser."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ilk
from ilk import _html
from ilk._result import Explanation, text_table

PACKAGE = Path(ilk.__file__).parent
PAYLOADS = [
    "<script>document.title='owned'</script>",
    "<img src=x onerror=\"document.title='owned'\">",
    "'\"><svg onload=document.title=1>",
    "</td></table></div></style><h1>out</h1>",
    "<!-- ",
    "]]><b>&lt;&amp;&#60;",
    "javascript:alert(1)",
    "{{ 7 * 7 }} ${7 * 7} $$x^2$$ `code`",
    "=cmd|' /C calc'!A0",
    "שלום עולם",
    "abc\u202e//:ptth",
    "nul\x00 esc\x1b[2J bell\x07 csi\x9b2J",
    "line one\nline two\r\nline three\u2028line four",
    "tab\tand  spaces ",
    "🧑‍🤝‍🧑 é e\u0301",
    "x" * 1_000_000,
]
NAMES = [*(payload[:12] + f" #{index}" for index, payload in enumerate(PAYLOADS))]
#: What the HTML of a result is made of; nothing else comes through.
TAGS = {
    "div",
    "style",
    "table",
    "caption",
    "thead",
    "tbody",
    "tfoot",
    "tr",
    "th",
    "td",
    "span",
    "p",
}
ATTRIBUTES = {"class", "scope", "colspan"}


class Reader(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.texts, self.seen = [], [], set()

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        self.open.append(tag)
        assert {name for name, _ in attrs} <= ATTRIBUTES, attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] != ["style"]:
            self.texts.append(data)

    def handle_comment(self, data):
        raise AssertionError(f"a comment: {data[:50]}")

    def handle_decl(self, decl):
        raise AssertionError(f"a declaration: {decl[:50]}")


def read(page):
    """The text of a page that is well formed and made of nothing but what results are made of."""
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    assert reader.seen <= TAGS, reader.seen - TAGS
    assert page.count("<style>") <= 1
    page.encode()
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", page)
    return " ".join(reader.texts)


def shown(text, limit=200):
    return _html.shortened(_html.printable(text), limit)


def check(result, texts):
    page = result._repr_html_()
    assert len(page) < 100_000
    words = read(page)
    for text in texts:
        assert shown(text) in words, text[:60]
    explained = result.explain()
    assert isinstance(explained, Explanation)
    read(explained._repr_html_())
    plain = repr(result)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", plain.replace("\n", ""))
    assert len(plain) < 100_000


def gap_matrix(row, col, row_name, col_name):
    data = {
        row_name: [row] * 60 + ["plain"] * 60,
        col_name: ([col] * 40 + ["other"] * 20) + ([col] * 10 + ["other"] * 50),
    }
    return ilk.gap_matrix(data, rows=row_name, cols=col_name)


def scorecard(segment, column):
    rng = np.random.default_rng(0)
    data = {
        column: [segment, "plain"] * 20,
        f"revenue {column}": rng.gamma(2.0, 50.0, 40),
        f"cost {column}": rng.gamma(2.0, 20.0, 40),
    }
    return ilk.segment_scorecard(
        data,
        segment=column,
        revenue=f"revenue {column}",
        cost=f"cost {column}",
        n_boot=20,
        random_state=0,
    )


def segmentation(level, column, name):
    rng = np.random.default_rng(0)
    groups = np.repeat([0, 1], 40)
    data = {
        column: [level if group else "plain" for group in groups],
        f"spend {column}": groups * 50.0 + rng.normal(size=80),
        "visits": groups * 9.0 + rng.normal(size=80),
    }
    found = ilk.segment(data, k=2, random_state=0)
    return found.rename({found.names[0]: name})


@pytest.mark.parametrize("payload", PAYLOADS, ids=NAMES)
def test_category_and_column_names_stay_text_in_a_gap_matrix(payload):
    check(
        gap_matrix(payload, payload + "!", payload + " rows", payload + " cols"),
        [payload, payload + "!"],
    )


@pytest.mark.parametrize("payload", PAYLOADS, ids=NAMES)
def test_segment_and_column_names_stay_text_in_a_scorecard(payload):
    card = scorecard(payload, payload)
    check(card, [payload])
    check(card.rank(top=1), [payload]) if hasattr(card.rank(top=1), "_repr_html_") else None


@pytest.mark.parametrize("payload", PAYLOADS, ids=NAMES)
def test_names_levels_and_columns_stay_text_in_a_segmentation(payload):
    found = segmentation(payload, payload + "?", payload)
    check(found, [payload])
    check(found.profile(), [payload])


@pytest.mark.parametrize("payload", PAYLOADS, ids=NAMES)
def test_captions_headers_cells_and_attributes_stay_text(payload):
    columns = {payload: [payload, "plain"], f"{payload}2": [1.0, 2.0]}
    words = read(_html.panel(_html.table(columns, payload)))
    assert words.count(shown(payload)) >= 2
    read(
        _html.panel(
            _html.element("p", payload, _html.element("span", payload), payload, class_=payload)
        )
    )
    read(Explanation(f"{payload}\n{payload}")._repr_html_())


ANY = st.text(st.characters(), max_size=80) | st.sampled_from(PAYLOADS[:-1])


@settings(max_examples=100, deadline=None)
@given(ANY, ANY, ANY)
def test_any_text_in_any_place_stays_text(caption, header, cell):
    words = read(
        _html.panel(
            _html.table({header: [cell]}, caption), _html.element("p", cell, title=caption)
        ).replace(' title="', ' class="')
    )
    # A browser and this parser read every kind of line end as one.
    flat = re.sub(r"\r\n?", "\n", words)
    for text in (caption, header.replace("_", " "), cell):
        assert re.sub(r"\r\n?", "\n", shown(text)) in flat


@given(ANY, ANY)
def test_any_text_keeps_the_plain_view_in_its_lines(header, cell):
    plain = text_table({header: [cell, "plain"], "n": [1.0, 2.0]}, {})
    assert len(plain.splitlines()) == 3
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", plain)


def test_html_is_written_in_one_module_only():
    """A tag in a string that is not a docstring would be HTML written by hand."""
    tag = re.compile(r"</?[a-zA-Z][a-zA-Z0-9-]*(\s[^<>]*)?/?>")
    offenders = []
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.name == "_html.py":
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        documentation = {
            id(node.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        }
        for node in ast.walk(tree):
            is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
            if is_text and id(node) not in documentation and tag.search(node.value):
                offenders.append(f"{path.relative_to(PACKAGE)}:{node.lineno}: {node.value[:60]!r}")
    assert offenders == []


def test_the_page_asks_for_nothing_from_elsewhere():
    page = gap_matrix("a", "b", "rows", "cols")._repr_html_()
    assert not re.search(r"https?:|//|url\(|@import|<script|<iframe|<link", page)


CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")
def test_nothing_runs_in_a_browser(tmp_path):
    parts = []
    for payload in PAYLOADS[:12]:
        for result in (
            gap_matrix(payload, payload + "!", payload + " rows", payload + " cols"),
            scorecard(payload, payload),
        ):
            parts += [result._repr_html_(), result.explain()._repr_html_()]
    page = tmp_path / "results.html"
    page.write_text(
        "<!doctype html><meta charset=utf-8><title>clean</title>" + "".join(parts), encoding="utf-8"
    )
    dumped = subprocess.run(
        [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", page.as_uri()],
        capture_output=True, text=True, timeout=100, check=True,
    ).stdout  # fmt: skip
    assert "<title>clean</title>" in dumped
    assert dumped.count('<div class="ilk">') == len(parts)
    assert not re.search(r"<(script|img|svg|h1|b)\b", dumped)

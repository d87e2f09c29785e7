"""Each requirement has a function that answers it and a test that names it."""

from __future__ import annotations

import importlib.util
import operator
from pathlib import Path
from typing import Any

import pytest

import ilk

_PATH = Path(__file__).parents[2] / "docs" / "requirements.py"
_SPEC = importlib.util.spec_from_file_location("requirements_page", _PATH)
assert _SPEC is not None
assert _SPEC.loader is not None
page = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(page)

#: Groups of requirements with the number of each that there is.
GROUPS = {
    "S2-SEG": 4, "S2-PERS": 3, "S2-PROC": 1, "S2-VP": 5, "S3-B2C": 2, "S3-POS": 2, "S3-LIFE": 2, "S3-MOT": 1,
    "S5-FRAME": 3, "S5-CRIT": 1, "S5-CHAR": 3, "S5-PAT": 1, "S5-PERS": 1,
}  # fmt: skip

LISTED = page.requirements()


def test_every_requirement_is_listed_once() -> None:
    expected = [f"{group}-{n:02}" for group, most in GROUPS.items() for n in range(1, most + 1)]
    assert sorted(one["id"] for one in LISTED) == sorted(expected)


@pytest.mark.parametrize("one", LISTED, ids=operator.itemgetter("id"))
def test_a_requirement_has_functions_and_a_test(one: dict[str, Any]) -> None:
    for name in one["functions"]:
        found: Any = ilk
        for part in name.split("."):
            found = getattr(found, part)
        assert found.__doc__, name
    assert page.tests().get(one["id"]), f"no test names {one['id']}"


def test_the_page_is_what_the_list_and_the_tests_say() -> None:
    written = page.PAGE.read_text(encoding="utf-8")
    assert written == page.page(), "run `make requirements`"

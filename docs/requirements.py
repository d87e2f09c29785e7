"""Write requirements.md: what is asked, the function that answers it, the test that shows it; `make requirements` runs this."""

from __future__ import annotations

import ast
import functools
import re
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
TESTS = HERE.parent / "tests" / "python"
PAGE = HERE / "requirements.md"

_ID = re.compile(r"S\d-[A-Z0-9]+-\d\d")


def requirements() -> list[dict[str, object]]:
    """Identifier, question and functions of each requirement, in the order of the file."""
    text = (HERE / "requirements.toml").read_text(encoding="utf-8")
    found: list[dict[str, object]] = tomllib.loads(text)["requirement"]
    return found


@functools.cache
def tests() -> dict[str, list[str]]:
    """The tests that name each identifier, as ``file::test``."""
    found: dict[str, list[str]] = {}
    for path in sorted(TESTS.glob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        lines = text.splitlines()
        for node in ast.parse(text).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                source = "\n".join(lines[node.lineno - 1 : node.end_lineno])
                for identifier in dict.fromkeys(_ID.findall(source)):
                    found.setdefault(identifier, []).append(f"{path.stem}::{node.name}")
    return found


def page() -> str:
    """The whole page."""
    shown = tests()
    lines = [
        "# What is asked, what answers it, what shows it",
        "",
        "Written by `make requirements`; a test holds it true.",
        "",
        "| id | what is asked | functions of `ilk` | shown by |",
        "| --- | --- | --- | --- |",
    ]
    for one in requirements():
        functions = ", ".join(f"`{name}`" for name in one["functions"])  # type: ignore[attr-defined]
        named = shown.get(str(one["id"]), [])
        more = f" and {len(named) - 2} more" if len(named) > 2 else ""
        tested = ", ".join(f"`{name}`" for name in named[:2]) + more
        lines.append(f"| {one['id']} | {one['asks']} | {functions} | {tested} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")

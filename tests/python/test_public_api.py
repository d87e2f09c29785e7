"""Every public name is documented, shown in use and spelled in one place."""

from __future__ import annotations

import inspect
import json
import re
import tomllib
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

import ilk

if TYPE_CHECKING:
    from pathlib import Path

NAMES = [name for name in ilk.__all__ if not isinstance(getattr(ilk, name), (ModuleType, str))]


def public_members(cls: type) -> list[tuple[str, object]]:
    """Give the methods and properties of a class of ours that a user may call."""
    return [
        (f"{cls.__name__}.{name}", inspect.unwrap(member) if callable(member) else member)
        for name, member in inspect.getmembers(cls)
        if not name.startswith("_")
        and (callable(member) or isinstance(member, property))
        and defined_in_ilk(cls, name)
    ]


def defined_in_ilk(cls: type, name: str) -> bool:
    owner = next(base for base in cls.__mro__ if name in vars(base))
    return owner.__module__.partition(".")[0] == "ilk"


@pytest.fixture(scope="module")
def shown(repository: Path) -> str:
    """Give the README and the source of every notebook as one text."""
    texts = [(repository / "README.md").read_text(encoding="utf-8")]
    for path in sorted((repository / "notebooks").glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        texts += ["".join(cell["source"]) for cell in cells]
    return "\n".join(texts)


def test_public_names_are_listed_once_and_in_order() -> None:
    assert list(ilk.__all__) == sorted(set(ilk.__all__))


def test_dir_shows_every_public_name() -> None:
    assert set(ilk.__all__) <= set(dir(ilk))


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        ilk.no_such_name  # noqa: B018


@pytest.mark.parametrize("name", NAMES)
def test_public_name_has_a_docstring_with_examples(name: str) -> None:
    documentation = inspect.getdoc(getattr(ilk, name)) or ""
    _, heading, examples = documentation.partition("Examples\n--------\n")
    assert heading, f"the docstring of ilk.{name} has no section Examples"
    assert ">>> " in examples


@pytest.mark.parametrize("name", NAMES)
def test_public_name_is_shown_in_the_readme_or_a_notebook(name: str, shown: str) -> None:
    assert re.search(rf"\b{re.escape(name)}\b", shown), f"no page shows ilk.{name} in use"


def test_public_methods_have_docstrings() -> None:
    classes = [value for name in NAMES if inspect.isclass(value := getattr(ilk, name))]
    bare = [
        name
        for cls in classes
        for name, member in public_members(cls)
        if not inspect.getdoc(member)
    ]
    assert not bare


def test_exceptions_have_docstrings() -> None:
    bare = [
        name
        for name in ilk.exceptions.__all__
        if not vars(getattr(ilk.exceptions, name)).get("__doc__")
    ]
    assert not bare


def test_version_is_that_of_the_crate(repository: Path) -> None:
    crate = tomllib.loads((repository / "Cargo.toml").read_text(encoding="utf-8"))
    assert ilk.__version__ == crate["package"]["version"]

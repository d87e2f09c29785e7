"""Which attribute belongs to which category of characteristics."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ilk._frame import require_columns
from ilk.exceptions import DataError

if TYPE_CHECKING:
    from ilk.taxonomy import Taxonomy

__all__ = ["guess", "placed"]


def words_of(name: str) -> list[str]:
    """The words of a name: parts between underscores, digits and changes from small to capital letters.

    >>> words_of("Year_Birth"), words_of("MntWineProducts2")
    (['year', 'birth'], ['mnt', 'wine', 'products'])
    """
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-zß-öø-ÿ]+|[^\W\d_]+", name)
    return [part.lower() for part in parts]


def guess(name: str, taxonomy: Taxonomy) -> tuple[str, str] | None:
    """The category whose words the name holds, and the words that decided.

    The longest run of words wins, and of equally long ones the last: in ``household_income`` it is the income.

    >>> from ilk import taxonomy
    >>> guess("household_income", taxonomy.CHARACTERISTICS)
    ('household_income', 'income')
    """
    words = words_of(name)
    best: tuple[int, int, str, str] | None = None
    for item in taxonomy:
        listed = item.get("words")
        for phrase in listed if isinstance(listed, tuple) else ():
            run = phrase.lower().split()
            for at in range(len(words) - len(run) + 1):
                if words[at : at + len(run)] == run:
                    found = (len(run), at, item.key, phrase)
                    if best is None or found[:2] > best[:2]:
                        best = found
    return None if best is None else (best[2], best[3])


def placed(
    attributes: Sequence[str], categories: Any, taxonomy: Taxonomy
) -> list[tuple[str, str, str]]:
    """Each attribute with its category, and how it got there.

    Raises
    ------
    DataError
        If a category is not known, or an attribute is in two.
    MissingColumnError
        If a name is no attribute.
    """
    given = _given(attributes, categories, taxonomy)
    found = []
    for name in attributes:
        if name in given:
            found.append((name, given[name], "given"))
            continue
        guessed = guess(name, taxonomy)
        if guessed is None:
            found.append((name, "other", "no word of the name is known"))
        else:
            found.append((name, guessed[0], f"the word {guessed[1]} in its name"))
    return found


def _given(attributes: Sequence[str], categories: Any, taxonomy: Taxonomy) -> dict[str, str]:
    if categories is None:
        return {}
    if not isinstance(categories, Mapping):
        raise TypeError(
            f"categories: found a {type(categories).__name__}, but a mapping is needed; "
            'try: categories={"lifestyle": ["visits", "basket"]}'
        )
    given: dict[str, str] = {}
    for key, value in categories.items():
        if isinstance(value, str) and key in attributes:
            pairs = [(key, value)]
        elif isinstance(value, str):
            pairs = [(value, key)]
        elif isinstance(value, Iterable):
            pairs = [(name, key) for name in value]
        else:
            raise TypeError(
                f"categories: found a {type(value).__name__} for {key!r}, but a category or a list of attributes is needed"
            )
        for name, category in pairs:
            if not isinstance(name, str):
                raise TypeError(f"categories: found {name!r}, but names of attributes are needed")
            found = taxonomy.find(category).key
            require_columns([name], attributes)
            if given.setdefault(name, found) != found:
                raise DataError(
                    f"categories: found the attribute {name!r} in {given[name]!r} and in {found!r}, but it goes into one; "
                    f"try: categories={{{name!r}: {found!r}}}"
                )
    return given

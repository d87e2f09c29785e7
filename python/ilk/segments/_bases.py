"""Which base a column belongs to: demographic, lifestyle, behaviour or financial means."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ilk.exceptions import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ilk.taxonomy import Taxonomy

__all__ = ["base_of", "only_demographics"]


def base_of(column: str, bases: Taxonomy | None = None) -> str | None:
    """The base that the words of a column's name speak for; nothing where they say nothing, or two bases are as likely.

    The base with the most words of the name wins. Words are those of ``ilk.taxonomy.BASES``, plural or not.

    >>> base_of("household_size"), base_of("visits_per_month"), base_of("x7")
    ('demographic', 'behaviour', None)
    """
    from ilk.taxonomy import BASES

    spaced = re.sub(r"([a-z])([A-Z])", r"\1 \2", column[:200])
    words = re.findall(r"[a-z]+", spaced.lower())
    text = f" {' '.join(words)} "
    counts = {}
    for item in BASES if bases is None else bases:
        known = item.get("words") or ()
        listed = known if isinstance(known, tuple) else (str(known),)
        counts[item.key] = sum(f" {word} " in text for word in listed)
    most = max(counts.values(), default=0)
    likely = [base for base, count in counts.items() if count == most]
    return likely[0] if most > 0 and len(likely) == 1 else None


def only_demographics(features: Sequence[str], base: Mapping[str, str] | None = None) -> str | None:
    """A finding where every feature says who people are, and none how they live, buy or what they can spend.

    Parameters
    ----------
    features : sequence of str
        Columns that segments were made by.
    base : mapping of str to str, optional
        Base of columns whose name does not say it, or says it wrongly: demographic, lifestyle, behaviour or financial.

    Notes
    -----
    S3-B2C-01. A column whose base is not known speaks against the finding.
    """
    from ilk.taxonomy import BASES

    given = dict(base or {})
    for column, name in given.items():
        if name not in BASES:
            raise DataError(
                f"base: found {name!r} for {column!r}, but one of {', '.join(BASES.keys)} is needed"
            )
    found = [given.get(column) or base_of(column) for column in features]
    if not found or any(one != "demographic" for one in found):
        return None
    return (
        f"the segments rest on demographics alone ({', '.join(features[:5])}); lifestyle, behaviour and financial means "
        "say more of what people buy"
    )

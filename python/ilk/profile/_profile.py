"""Every trait of every segment beside that of all customers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ilk import _core
from ilk._frame import free_name
from ilk._result import Explanation, Result
from ilk.profile._words import shown_traits, trait_name, trait_value, two_sided

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SegmentProfile"]


class SegmentProfile(Result):
    """What makes segments different; made by :meth:`Segmentation.profile`.

    ``.table`` has one row per trait and segment: the mean of an amount or the share of a category (``level``) in the
    segment (``value``) and over all (``overall``), their ratio (``index``), the v-test [1]_, its p, p adjusted for all
    tests (``q``) and whether the trait marks the segment (``marker``). Dates are in days since 1970-01-01.

    References
    ----------
    .. [1] Lebart, Morineau and Piron (1995), Statistique exploratoire multidimensionnelle.

    Examples
    --------
    >>> import ilk
    >>> market = ilk.datasets.make_market(600, random_state=1)
    >>> profile = ilk.segment(market.customers, ["age", "income"], k=2, random_state=0).profile()
    >>> sorted(set(profile.to_dict()["feature"]))
    ['age', 'income']
    """

    __slots__ = ()

    _wraps = _core.SegmentProfile
    _title = "What makes the segments different"
    _formats: ClassVar[Mapping[str, str]] = {"n": "count", "index": "index", "p": "p", "q": "p"}

    def markers(self, top: int = 5) -> dict[str, list[str]]:
        """The traits that mark each segment, in words, the strongest first.

        Of a feature with two categories the one is told that the segment has more of.
        """
        columns = self.to_dict()
        of_two = two_sided(columns)
        found: dict[str, list[tuple[float, str]]] = {name: [] for name in columns["segment"]}
        for row, name in enumerate(columns["segment"]):
            opposite = columns["feature"][row] in of_two and columns["v_test"][row] < 0
            if columns["marker"][row] and not opposite:
                strength = -abs(columns["v_test"][row])
                found[name].append((strength, _in_words(columns, row)))
        return {name: [text for _, text in sorted(traits)[:top]] for name, traits in found.items()}

    def explain(self) -> Explanation:
        """The marking traits of each segment."""
        lines = [
            f"{name}: {'; '.join(traits) or 'no trait far from the average'}."
            for name, traits in self.markers(top=8).items()
        ]
        return Explanation("\n".join(lines))

    def _shown(self) -> dict[str, Any]:
        """One row per trait, one column per segment."""
        columns = self.to_dict()
        names = list(dict.fromkeys(columns["segment"]))
        traits = shown_traits(columns, len(names))
        # A segment may be called as a column is.
        shown: dict[str, Any] = {
            free_name("trait", *names): [
                trait_name(columns["feature"][row], columns["level"][row]) for row in traits
            ]
        }
        for offset, name in enumerate(names):
            shown[name] = [_cell(columns, row + offset) for row in traits]
        shown[free_name("all", *names)] = [
            trait_value(columns["overall"][row], columns["level"][row]) for row in traits
        ]
        return shown


def _cell(columns: Mapping[str, Any], row: int) -> str:
    text = trait_value(columns["value"][row], columns["level"][row])
    if not columns["marker"][row]:
        return text
    return f"{text} ▲" if columns["v_test"][row] > 0 else f"{text} ▼"


def _in_words(columns: Mapping[str, Any], row: int) -> str:
    level = columns["level"][row]
    value, overall = (
        trait_value(columns["value"][row], level),
        trait_value(columns["overall"][row], level),
    )
    return f"{trait_name(columns['feature'][row], level)} {value} against {overall} overall"

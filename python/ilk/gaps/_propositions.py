"""Value propositions as records: what is offered, to which problem, by which path, with which proof."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar

from ilk._frame import Frame, default_native, to_native
from ilk.exceptions import DataError
from ilk.gaps._records import Record, records, text, texts

__all__ = ["ValueProposition", "checked_propositions", "propositions_table", "solved"]

#: The four elements, with the fields that say them.
_ELEMENTS = ("offer", "problems", "path", "proof")


@dataclass(frozen=True, repr=False, eq=True)
class ValueProposition(Record):
    """An offer stated as what the customer gains.

    Parameters
    ----------
    name : str
        What it is called in maps and tables.
    benefit : str
        What the customer gains, in the customer's words. It is required: an offer without a benefit is no value
        proposition.
    offer : str
        A clear description of the product or service.
    problems : str or sequence of str
        The customer's problems that it is about.
    path : mapping of str to str
        How it solves them: problem by problem the feature that does. A problem without a feature is ``.uncovered``.
    proof : sequence of str, or mapping of str to str
        Why you are the one to solve them: claims, or claims with the link to their evidence.

    Attributes
    ----------
    completeness : int
        How many of the four elements (offer, problems, path, proof) are there.
    missing : tuple of str
        The elements that are not.
    uncovered : tuple of str
        Problems that no feature of the path solves.
    unsupported : tuple of str
        Claims of the proof without a link to their evidence.

    Raises
    ------
    DataError
        If the benefit or the name says nothing, the benefit only repeats the offer, or the path solves a problem that is
        not among the problems.
    TypeError
        If a field is no text.

    Notes
    -----
    S1-VP-01, S2-VP-01.

    Examples
    --------
    >>> from ilk.gaps import ValueProposition
    >>> box = ValueProposition(
    ...     "Dinner box",
    ...     benefit="a warm dinner in fifteen minutes, without a thought",
    ...     offer="a box with the ingredients of three dinners",
    ...     problems=["no time to cook", "no idea what to cook", "too much waste"],
    ...     path={"no time to cook": "cut vegetables", "no idea what to cook": "recipes"},
    ... )
    >>> box.completeness, box.missing, box.uncovered
    (3, ('proof',), ('too much waste',))
    """

    name: str
    benefit: str
    offer: str = ""
    problems: Sequence[str] = ()
    path: Mapping[str, str] = field(default_factory=dict)
    proof: Sequence[str] | Mapping[str, str] = ()

    _kind: ClassVar[str] = "value_proposition"
    _title: ClassVar[str] = "Value proposition"

    def __post_init__(self) -> None:
        name, benefit, offer = (text(a, getattr(self, a)) for a in ("name", "benefit", "offer"))
        if not name:
            raise DataError('name: found nothing, but a name is needed; try: name="Dinner box"')
        mend = 'benefit="a warm dinner in fifteen minutes"'
        if not benefit:
            raise DataError(
                "benefit: found nothing, but a value proposition says what the customer gains, in the customer's "
                f"words; try: {mend}"
            )
        if benefit.casefold() == offer.casefold():
            raise DataError(
                f"benefit: found the offer itself, but what the customer gains by it is needed; try: {mend}"
            )
        problems = texts("problems", self.problems)
        if not isinstance(self.path, Mapping):
            raise TypeError(
                f"path: found a {type(self.path).__name__}, but a dict of problem to feature is needed; "
                'try: path={"no time to cook": "cut vegetables"}'
            )
        path = {
            text("path", problem): "" if feature is None else text("path", feature)
            for problem, feature in self.path.items()
        }
        for problem in path:
            if problem not in problems:
                raise DataError(
                    f"path: found the problem {problem!r}, which is not among the problems; "
                    f"try: problems=[..., {problem!r}]"
                )
        path = {problem: path[problem] for problem in problems if path.get(problem)}
        if isinstance(self.proof, Mapping):
            claims = texts("proof", list(self.proof))
            links = ["" if link is None else text("proof", link) for link in self.proof.values()]
            proof = dict(zip(claims, links, strict=True))
        else:
            proof = dict.fromkeys(texts("proof", self.proof), "")
        for attribute, value in (
            ("name", name),
            ("benefit", benefit),
            ("offer", offer),
            ("problems", problems),
            ("path", MappingProxyType(path)),
            ("proof", MappingProxyType(proof)),
        ):
            object.__setattr__(self, attribute, value)

    def __hash__(self) -> int:
        return hash((self.name, self.benefit, self.offer, tuple(self.problems)))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).from_dict, (self.to_dict(),)

    @property
    def completeness(self) -> int:
        """How many of the four elements are there, from 0 to 4."""
        return len(_ELEMENTS) - len(self.missing)

    @property
    def missing(self) -> tuple[str, ...]:
        """The elements that are not there: of offer, problems, path and proof."""
        return tuple(element for element in _ELEMENTS if not getattr(self, element))

    @property
    def uncovered(self) -> tuple[str, ...]:
        """Problems that no feature of the path solves."""
        return tuple(problem for problem in self.problems if problem not in self.path)

    @property
    def unsupported(self) -> tuple[str, ...]:
        """Claims of the proof without a link to their evidence."""
        return tuple(claim for claim, link in self._proof.items() if not link)

    @property
    def _proof(self) -> Mapping[str, str]:
        # Whatever was given, it is a mapping by now.
        return self.proof if isinstance(self.proof, Mapping) else dict.fromkeys(self.proof, "")

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain lists, dicts and texts."""
        return {
            "name": self.name,
            "benefit": self.benefit,
            "offer": self.offer,
            "problems": list(self.problems),
            "path": dict(self.path),
            "proof": dict(self._proof),
        }

    def _rows(self) -> list[tuple[str, str]]:
        path = "; ".join(f"{problem}: {feature}" for problem, feature in self.path.items())
        proof = "; ".join(
            f"{claim} ({link})" if link else f"{claim} (no evidence linked)"
            for claim, link in self._proof.items()
        )
        rows = [
            ("name", self.name),
            ("benefit", self.benefit),
            ("offer", self.offer or "missing"),
            ("problems", "; ".join(self.problems) or "missing"),
            ("path", path or "missing"),
            ("proof", proof or "missing"),
            ("completeness", f"{self.completeness} of {len(_ELEMENTS)}"),
        ]
        if self.uncovered:
            rows.append(("problems no feature solves", "; ".join(self.uncovered)))
        return rows


def checked_propositions(propositions: Iterable[ValueProposition]) -> list[ValueProposition]:
    """Propositions with different names.

    Raises
    ------
    TypeError, DataError
        If one is none, two have one name, or there is none.
    """
    mend = 'ValueProposition("Dinner box", benefit="a warm dinner in fifteen minutes")'
    found: list[ValueProposition] = records("propositions", propositions, ValueProposition, mend)
    names = [one.name for one in found]
    for at, name in enumerate(names):
        if name in names[:at]:
            raise DataError(f"propositions: found two named {name!r}, but names must be different")
    if not found:
        raise DataError("propositions: found none, but at least one is needed")
    return found


def propositions_table(propositions: Iterable[ValueProposition]) -> Any:
    """List value propositions with how complete they are.

    Parameters
    ----------
    propositions : iterable of ValueProposition
        With different names.

    Returns
    -------
    frame
        One row per proposition, the least complete first: ``proposition``, ``completeness`` (0 to 4), the elements
        ``missing``, the number of ``problems``, those ``uncovered`` by any feature, the number of claims of ``proof``,
        those ``unsupported`` by a link, the ``benefit`` and the ``offer``.

    Raises
    ------
    DataError
        If there is none, or two have the same name.
    TypeError
        If one is no :class:`ValueProposition`.

    Notes
    -----
    S1-VP-01, S2-VP-03: list all, then prioritise them by :func:`value_map`.

    Examples
    --------
    >>> from ilk.gaps import ValueProposition, propositions_table
    >>> box = ValueProposition("Dinner box", benefit="dinner in fifteen minutes", offer="a box")
    >>> propositions_table([box])["missing"].tolist()
    ['problems, path, proof']
    """
    found = sorted(checked_propositions(propositions), key=lambda one: one.completeness)
    columns: dict[str, Any] = {
        "proposition": [one.name for one in found],
        "completeness": [one.completeness for one in found],
        "missing": [", ".join(one.missing) for one in found],
        "problems": [len(one.problems) for one in found],
        "uncovered": ["; ".join(one.uncovered) for one in found],
        "proof": [len(one.proof) for one in found],
        "unsupported": ["; ".join(one.unsupported) for one in found],
        "benefit": [one.benefit for one in found],
        "offer": [one.offer for one in found],
    }
    return to_native(Frame.of(columns).core, default_native())


def solved(propositions: Iterable[ValueProposition]) -> dict[str, dict[str, float]]:
    """What each proposition delivers: 1 for each problem that a feature of its path solves, and 0 for the others.

    Raises
    ------
    DataError
        If one of them names no problem.
    """
    found = checked_propositions(propositions)
    for one in found:
        if not one.problems:
            raise DataError(
                f"delivery: found no problems of {one.name!r}, but they say which needs it is about; "
                'try: problems=["no time to cook"]'
            )
    return {
        one.name: {problem: float(problem in one.path) for problem in one.problems} for one in found
    }

"""Cards of personas: told, revised, compared, saved."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np

from ilk import _core
from ilk._arguments import whole
from ilk._frame import Frame, to_dict, to_native
from ilk._labels import labelled
from ilk._result import Explanation, Result
from ilk.exceptions import DataError
from ilk.gaps._options import drawing, listed_columns
from ilk.personas._edits import edit
from ilk.personas._prevalence import date_of
from ilk.taxonomy._item import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ilk._frame import Native
    from ilk._labels import Labels
    from ilk.personas._prevalence import Prevalence

__all__ = ["Personas"]


class Personas(Result):
    """A card for each segment; made by :func:`personas`.

    ``.table`` has one row per line of a card: the ``persona``, the ``slot`` (one of eleven categories of characteristics, or
    a section such as ``problems``), the ``attribute`` and what is stated of it; the ``share`` of the segment of whom it
    holds with its interval, the share over all and their ratio (``lift``); another ``figure`` such as the mean with its
    ``value``, interval and value over all; on how many customers it rests (``count`` of ``n``); whether it is
    ``distinctive``; its ``provenance`` (observed, inferred, assumed) with the ``reason``; and what it ``replaces``. Shares are
    rounded to three significant digits, other figures to four; counts are exact.

    Personas are frozen: :meth:`revise` gives a new version, which keeps the record. As long as they live in memory they
    remember the customers (for :meth:`prevalence`); a file holds no customers.

    Examples
    --------
    >>> import ilk
    >>> from ilk.personas import personas
    >>> market = ilk.datasets.make_market(600, random_state=1)
    >>> features = ["age", "household", "discount_share"]
    >>> cards = personas(ilk.segment(market.customers, features, k=3, random_state=0), attributes=features)
    >>> revised = cards.revise(
    ...     "segment 1", name="Careful Carla", personality=["thrifty"], reason="twelve interviews"
    ... )
    >>> revised.version, revised.names[0]
    (2, 'Careful Carla')
    >>> revised.diff(cards)["change"].tolist()
    ['changed', 'removed']
    """

    __slots__ = ("_frame", "_index", "_labels")

    _wraps = _core.Personas
    _title = "Personas"
    _formats: ClassVar[Mapping[str, str]] = {
        "share": "share",
        "overall": "share",
        "lift": "index",
        "count": "count",
        "n": "count",
    }

    _frame: Frame | None
    _labels: Labels | None
    _index: Any

    def __init__(
        self,
        core: Any,
        native: Native | None = None,
        *,
        frame: Frame | None = None,
        labels: Labels | None = None,
        index: Any = None,
    ) -> None:
        super().__init__(core, native)
        object.__setattr__(self, "_frame", frame)
        object.__setattr__(self, "_labels", labels)
        object.__setattr__(self, "_index", index)

    @property
    def _content(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self._core.to_json())["content"]
        return content

    @property
    def cards(self) -> list[dict[str, Any]]:
        """The cards as plain data, as the schema says; see :func:`ilk.personas.schema`."""
        cards: list[dict[str, Any]] = self._content["cards"]
        return cards

    def card(self, persona: str) -> dict[str, Any]:
        """One card as plain data.

        Parameters
        ----------
        persona : str
            Name of the persona, or of its segment.

        Raises
        ------
        DataError
            If there is none; the message names the nearest.
        """
        cards = self.cards
        for key in ("name", "segment"):
            for card in cards:
                if card[key] == persona:
                    return card
        names = [card["name"] for card in cards]
        raise DataError(
            f"persona: found {persona!r}, but the personas are {', '.join(map(repr, names))}{nearest(str(persona), names)}"
        )

    @property
    def names(self) -> list[str]:
        """Names of the personas."""
        return [card["name"] for card in self.cards]

    @property
    def version(self) -> int:
        """1, and one more for each call of :meth:`revise`."""
        return int(self._content["version"])

    @property
    def coverage(self) -> Any:
        """One row per persona and category of characteristics: lines by provenance, and whether there are none."""
        return to_native(self._core.coverage(), self._native)

    @property
    def empty(self) -> dict[str, list[str]]:
        """Categories of which nothing is said, by persona."""
        columns = to_dict(self._core.coverage())
        empty: dict[str, list[str]] = {name: [] for name in self.names}
        for persona, category, none in zip(
            columns["persona"], columns["category"], columns["empty"], strict=True
        ):
            if none:
                empty[persona].append(category)
        return empty

    @property
    def attributes(self) -> Any:
        """Columns with their category, how each got there, and whether it is of the account or the contact."""
        return to_native(self._core.attributes(), self._native)

    @property
    def left_out(self) -> Any:
        """Segments without a card: customers, shares of customers and revenue, and why."""
        return to_native(self._core.left_out(), self._native)

    @property
    def revisions(self) -> Any:
        """Changes by hand, the oldest first: version, field, what it said before and after, and why."""
        return to_native(self._core.revisions(), self._native)

    def rule(self, persona: str) -> dict[str, Any]:
        """What the card states as a rule: attribute to a category, or to a range ``(at least, below)``.

        Parameters
        ----------
        persona : str
            Name of the persona.

        Returns
        -------
        dict
            In the form that :func:`ilk.personas.prevalence` takes. The ends of a range of dates are dates.
        """
        found = {}
        for condition in self._conditions(self.card(persona)):
            column, level = condition["column"], condition["level"]
            ends: tuple[Any, Any] = (condition["at_least"], condition["below"])
            if level is None and self._holds_dates(column):
                ends = (date_of(ends[0]), date_of(ends[1]))
            found[column] = ends if level is None else level
        return found

    def matching(self, df: Any = None, *, at_least: int | None = None) -> Any:
        """Which customers match which persona.

        Parameters
        ----------
        df : frame, optional
            Customers; by default those that the cards were made from.
        at_least : int, optional
            How many of the stated attributes must match; by default all. More than a card states are all, too.

        Returns
        -------
        frame
            One row per customer, one column of true and false per persona. A missing value matches nothing. The index is
            that of the customers where they are a pandas frame.

        Raises
        ------
        DataError
            If ``at_least`` is below 1, or the cards were read from a file and no ``df`` is given.
        TypeError
            If ``at_least`` is no whole number.

        Notes
        -----
        S4-PERS-01: a persona as a filter over attributes of account and contact.
        """
        frame = self._customers(df)
        least = None if at_least is None else whole("at_least", at_least, 1)
        found = {}
        for card in self.cards:
            conditions = self._conditions(card)
            met = _core.conditions_met(frame.core, json.dumps(conditions))
            needed = len(conditions) if least is None else min(least, len(conditions))
            found[card["name"]] = (
                np.asarray(met >= needed) if conditions else np.zeros(len(frame), bool)
            )
        matching = to_native(Frame.of(found).core, self._native)
        index = self._index if df is None else index_of(df)
        if self._native == "pandas" and index is not None:
            matching.index = index
        return matching

    def prevalence(
        self, attributes: Sequence[str] | None = None, df: Any = None, segments: Any = None
    ) -> Prevalence:
        """How many customers match each card as a whole, and which attribute costs most matches.

        Parameters
        ----------
        attributes : sequence of str, optional
            The attributes that count, in their order; by default all that a card states, in the order of
            :attr:`attributes`.
        df : frame, optional
            Customers; by default those that the cards were made from.
        segments : Segmentation, labels, or name of a column, optional
            Their segments, if ``df`` is given: then the matches inside the persona's own segment are counted, too.

        Returns
        -------
        Prevalence
            With ``.table``, ``.at_least``, ``.weakest``, ``.plot()`` and ``.explain()``.

        Raises
        ------
        DataError
            If the cards were read from a file and no ``df`` is given, or no customer is complete.
        """
        from ilk.personas._prevalence import counted

        labels = self._labels
        frame = self._customers(df)
        if attributes is not None:
            attributes = listed_columns("attributes", attributes)
        if df is not None:
            labels = None if segments is None else labelled(segments, df)[1]
        elif labels is None or segments is not None:
            frame, labels = labelled(segments, frame)
        stated = {}
        for card in self.cards:
            conditions = {found["column"]: found for found in self._conditions(card)}
            if attributes is not None:
                for name in attributes:
                    if not any(name == known["attribute"] for known in self._content["attributes"]):
                        known_names = [known["attribute"] for known in self._content["attributes"]]
                        raise DataError(
                            f"attributes: found {name!r}, but the attributes are {', '.join(map(repr, known_names[:12]))}"
                            f"{nearest(str(name), known_names)}"
                        )
                conditions = {name: conditions[name] for name in attributes if name in conditions}
            stated[card["name"]] = list(conditions.values())
        stated = {name: conditions for name, conditions in stated.items() if conditions}
        if not stated:
            raise DataError("attributes: found no card that states one of them as a rule")
        own = {card["name"]: card["segment"] for card in self.cards}
        return counted(
            frame, labels, stated, [own[name] for name in stated], self._content["confidence"]
        )

    def revise(self, persona: str, *, reason: str, **fields: Any) -> Self:
        """The same cards with one of them changed by hand.

        Parameters
        ----------
        persona : str
            Name of the persona, or of its segment.
        reason : str
            Why; kept with the change.
        **fields : str, sequence of str, tuple of numbers, or None
            What to say: of a category (``education="evening classes"``), a section (``problems=["no parking"]``), an
            attribute (``income=(30_000, 50_000)``, at least and below) or the ``name``. ``None`` takes the lines away.

        Returns
        -------
        Personas
            A new version. What is said is *assumed*, and keeps what it replaced.

        Raises
        ------
        DataError
            If there is no such persona or field (the message names the nearest), or a text is empty or too long.

        Notes
        -----
        S5-CHAR-03.
        """
        if not fields:
            raise DataError(
                'revise: found no field; try: .revise("segment 1", name="...", reason="...")'
            )
        for argument, text in (("persona", persona), ("reason", reason)):
            if not isinstance(text, str):
                raise TypeError(f"{argument}: found {text!r}, but a text is needed")
        edits = [edit(name, value) for name, value in fields.items()]
        core = self._core.revise(persona, json.dumps(edits), reason)
        return self._remembering(core)

    def limit(self, most: int = 7) -> Self:
        """The cards of the segments that bring most; people can keep about seven apart.

        Parameters
        ----------
        most : int, default 7
            How many cards to keep: those with the largest share of revenue where every card tells it (``economics=``), else
            those with most customers.

        Returns
        -------
        Personas
            In the same order. :attr:`left_out` holds the others, with their shares of customers and revenue.

        Raises
        ------
        DataError
            If ``most`` is no whole number from 1 up.

        See Also
        --------
        ilk.segments.Segmentation.limit : Puts the nearest segments together instead, so that nobody is left out.

        Notes
        -----
        S2-PERS-03.
        """
        core = self._core.limit(whole("most", most, 1))
        return self._remembering(core)

    def diff(self, other: Personas) -> Any:
        """What other cards say differently.

        Parameters
        ----------
        other : Personas
            Another version, or the personas of another time.

        Returns
        -------
        frame
            One row per difference: the segment, the field, the attribute, whether it was added, removed or changed, and
            what it says before (here) and after (there).
        """
        if not isinstance(other, Personas):
            raise TypeError(f"other: found a {type(other).__name__}, but Personas are needed")
        return to_native(self._core.diff(other._core), self._native)

    def to_markdown(self, path: str | Path | None = None) -> str:
        """The cards as Markdown; written to ``path`` if one is given. Nothing of what the schema names is lost."""
        from ilk.personas._markdown import markdown

        return _written(markdown(self._content, self._core.slots()), path)

    def to_html(self, path: str | Path | None = None) -> str:
        """The cards as a page of their own, which follows the reader's theme and prints well; written to ``path``."""
        from ilk.personas._cards import page

        return _written(page(self._content, self._core.slots()), path)

    def plot(
        self, kind: Literal["cards", "prevalence"] = "cards", *, ax: Axes | None = None
    ) -> Axes | Figure:
        """Draw the cards side by side, or how many customers match as attributes are added.

        Parameters
        ----------
        kind : {"cards", "prevalence"}
            What to draw.
        ax : matplotlib Axes, optional
            Where to draw; a new figure where none is given.

        Returns
        -------
        matplotlib Axes
            Its label (``get_label()``) describes the picture in words.
        """
        if kind == "prevalence":
            return self.prevalence().plot(ax=ax)
        if kind != "cards":
            raise DataError(f'kind: found {kind!r}, but one of "cards", "prevalence" is needed')
        from ilk.plot.personas import traits

        return traits(self, ax=drawing(ax))

    def explain(self) -> Explanation:
        """What sets each persona apart, where its lines come from, what is missing, and every threshold."""
        return Explanation("\n".join(self._core.explain()))

    def _holds_dates(self, column: str) -> bool:
        """Whether ranges of a column are days since 1970-01-01."""
        if self._frame is not None:
            return self._frame.core.kind(column) == "date"
        told = (
            line["statement"]
            for card in self.cards
            for line in card["lines"]
            if line["attribute"] == column and line["condition"] is not None
        )
        return any(re.search(r"\d{4}-\d\d-\d\d", statement) for statement in told)

    def _conditions(self, card: Mapping[str, Any]) -> list[dict[str, Any]]:
        """What the card states of its attributes as rules, in the order of the attributes."""
        found = {
            (line["slot"], line["attribute"]): line["condition"]
            for line in card["lines"]
            if line["condition"] is not None
        }
        placed = [(known["slot"], known["attribute"]) for known in self._content["attributes"]]
        return [found[key] for key in placed if key in found]

    def _remembering(self, core: Any) -> Self:
        """Other cards of the same customers."""
        return type(self)(
            core, self._native, frame=self._frame, labels=self._labels, index=self._index
        )

    def _customers(self, df: Any) -> Frame:
        if df is not None:
            return Frame.of(df)
        if self._frame is None:
            raise DataError(
                "df: found none, but personas that were read from a file know no customers; try: df=customers"
            )
        return self._frame

    def _repr_html_(self) -> str:
        from ilk.personas._cards import panel

        return panel(self._content, self._core.slots())

    def _shown(self) -> dict[str, Any]:
        columns = self.to_dict()
        kept = (
            "persona",
            "slot",
            "attribute",
            "statement",
            "share",
            "share_lo",
            "share_hi",
            "overall",
        )
        return {name: columns[name] for name in (*kept, "provenance")}


def index_of(customers: Any) -> Any:
    """The index of a pandas frame, or of the one that a segmentation was found on."""
    if type(customers).__module__.partition(".")[0] == "pandas":
        return customers.index
    return getattr(customers, "_index", None)


def _written(text: str, path: str | Path | None) -> str:
    if path is not None:
        Path(path).write_text(text, encoding="utf-8")
    return text

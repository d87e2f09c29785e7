"""How many customers match a description as a whole."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ilk import _core, _html
from ilk._arguments import real
from ilk._frame import Frame, require_columns, to_native
from ilk._labels import Labels, labelled
from ilk._result import Explanation, Result
from ilk.exceptions import DataError
from ilk.gaps._options import drawing
from ilk.segments._where import conditions
from ilk.taxonomy._item import nearest

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Prevalence", "counted", "date_of", "prevalence"]


class Prevalence(Result):
    """How many customers match each persona; made by :func:`prevalence` and :meth:`Personas.prevalence`.

    ``.table`` has one row per persona and attribute, in the order in which they are added.

    =====================  ==================================================================================
    column                 meaning
    =====================  ==================================================================================
    ``attributes``         how many attributes are stated so far, this one included
    ``share``              share of customers who match this attribute, and of the persona's own segment
                           (``share_inside``)
    ``matched``            customers who match all attributes so far; ``prevalence`` is their share with its
                           interval, ``prevalence_inside`` that in the persona's own segment
    ``expected``           how many would match if attributes were independent: the product of the shares
    ``without``            customers who match all attributes but this one
    ``n``                  customers with a value in every attribute of the persona
    =====================  ==================================================================================

    Examples
    --------
    >>> from ilk.personas import prevalence
    >>> customers = {"town": ["a", "a", "b", "b"], "age": [20, 30, 40, 50]}
    >>> found = prevalence({"Ann": {"town": "a", "age": (None, 25)}}, customers)
    >>> found.to_dict()["matched"].tolist(), found.weakest
    ([2, 1], {'Ann': 'age'})
    """

    __slots__ = ()

    _wraps = _core.Prevalence
    _title = "Customers who match"
    _formats: ClassVar[Mapping[str, str]] = {
        "attributes": "count",
        "share": "share",
        "share_inside": "share",
        "matched": "count",
        "prevalence": "share",
        "prevalence_inside": "share",
        "without": "count",
        "n": "count",
    }

    @property
    def at_least(self) -> Any:
        """One row per persona and number of attributes: customers who match at least so many, whichever they are.

        ``expected`` is how many would if attributes were independent (the Poisson-binomial tail).
        """
        return to_native(self._core.at_least(), self._native)

    @property
    def weakest(self) -> dict[str, str | None]:
        """The attribute of each persona without which most customers more would match."""
        return dict(self._core.weakest())

    def plot(self, *, ax: Axes | None = None) -> Axes:
        """Draw how many customers match as attributes are added, and how many would if these were independent.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure where none is given.

        Returns
        -------
        matplotlib Axes
            Its label (``get_label()``) describes the picture in words.
        """
        from ilk.plot.personas import matches

        return matches(self, ax=drawing(ax))

    def explain(self) -> Explanation:
        """How many match each persona, all of it and most of it, against independence, and what to leave out."""
        return Explanation("\n".join(self._core.explain()))


def prevalence(
    personas: Mapping[str, Mapping[str, Any]],
    df: Any = None,
    segments: Any = None,
    *,
    confidence: float = 0.95,
) -> Prevalence:
    """Count how many customers match each description as a whole.

    However plausible each attribute of a persona is, few customers may match all of them: prevalence falls fast as
    attributes are added [1]_.

    Parameters
    ----------
    personas : mapping
        Attributes of each persona: ``{"Ann": {"town": "a", "age": (20, 40)}}``. A text or number is the category that the
        column holds; a tuple is a range, from the first to below the second, where ``None`` is no end. The ends of a range
        of dates are dates: ``("2023-06-01", None)``.
    df : frame, optional
        One row per customer; by default the customers of ``segments``, if that is a segmentation.
    segments : Segmentation, labels, or name of a column, optional
        With them matches are counted in the persona's own segment, too: the one of its name.
    confidence : float
        Of the intervals (Wilson).

    Returns
    -------
    Prevalence
        With ``.table``, ``.at_least``, ``.weakest``, ``.plot()`` and ``.explain()``.

    Raises
    ------
    MissingColumnError
        If an attribute is not there.
    DataError
        If a persona states nothing or more than 64 attributes, a category is none that the column holds (the message
        names the nearest), or no customer is complete.

    Notes
    -----
    S5-PERS-01. Customers with a missing value in one of the attributes of a persona do not count for it. Each customer is
    one word of bits: one pass over the rows answers all questions.

    References
    ----------
    .. [1] Chapman, Love, Milham, ElRif and Alford (2008), Quantitative evaluation of personas as information, Proceedings
       of the Human Factors and Ergonomics Society 52:1107-1111.

    Examples
    --------
    >>> from ilk.personas import prevalence
    >>> customers = {"town": ["a", "a", "b", "b"], "age": [20, 30, 40, 50]}
    >>> found = prevalence({"Ann": {"town": "a", "age": (None, 25)}}, customers)
    >>> found.to_dict()["matched"].tolist(), found.to_dict()["expected"].tolist()
    ([2, 1], [2.0, 0.5])
    """
    if not isinstance(personas, Mapping) or not personas:
        raise TypeError(
            'personas: a mapping of names to attributes is needed; try: personas={"Ann": {"town": "a", "age": (20, 40)}}'
        )
    labels: Labels | None = None
    if segments is not None:
        frame, labels = labelled(segments, df)
    elif df is None:
        raise DataError("df: found none, but customers are needed; try: df=customers")
    else:
        frame = Frame.of(df)
    stated = {}
    for name, attributes in personas.items():
        if not isinstance(attributes, Mapping):
            raise TypeError(
                f"personas[{name!r}]: found a {type(attributes).__name__}, but a mapping of attributes to values is needed"
            )
        for column in attributes:
            if not isinstance(column, str):
                raise TypeError(
                    f"personas[{name!r}]: found the attribute {column!r}, but names of columns are needed"
                )
        require_columns(list(attributes), frame.columns)
        stated[str(name)] = [
            _condition(frame, column, value) for column, value in attributes.items()
        ]
    return counted(frame, labels, stated, list(stated), real("confidence", confidence))


def counted(
    frame: Frame,
    labels: Labels | None,
    stated: Mapping[str, Sequence[Mapping[str, Any]]],
    own: Sequence[str],
    confidence: float,
) -> Prevalence:
    """Count the customers who meet the conditions of each persona; ``own`` are the segments of the personas."""
    at: dict[str, int] = {}
    codes = np.zeros(len(frame), dtype=np.int64)
    if labels is not None:
        codes = labels.codes
        at = {_core.clean_text(name, True): place for place, name in enumerate(labels.names)}
    core = _core.count_matches(
        frame.core,
        codes,
        json.dumps([[name, list(conditions)] for name, conditions in stated.items()]),
        [at.get(_core.clean_text(name, True)) for name in own],
        confidence,
        json.dumps({"personas": list(stated), "confidence": confidence}),
    )
    return Prevalence(core, frame.native)


def _condition(frame: Frame, column: str, value: Any) -> dict[str, Any]:
    kind = frame.core.kind(column)
    if isinstance(value, tuple):
        at_least, below = _range(column, value, kind)
        return {"column": column, "level": None, "at_least": at_least, "below": below}
    if kind == "date" and not isinstance(value, str):
        raise TypeError(
            f"{column}: found {value!r}, but the column holds dates, of which a range is taken; "
            f'try: {{{column!r}: ("2023-06-01", None)}}'
        )
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or not isinstance(value, str | int | float | bool):
        raise TypeError(
            f"{column}: found a {type(value).__name__}, but a category, a number or a range (at_least, below) is needed"
        )
    level = _core.clean_text(str(value), True)
    # Any number could be held, though none is.
    if kind != "number" or not _is_number(level):
        known = [_core.clean_text(name, True) for name in frame.core.codes(column)[1]]
        if known and level not in known:
            shown = ", ".join(repr(_html.shortened(name, 40)) for name in known[:12])
            more = ", ..." if len(known) > 12 else ""
            wanted = {
                "number": "the column holds numbers",
                "date": f'the column holds dates, of which a range is taken; try: {{{column!r}: ("2023-06-01", None)}}',
            }.get(kind, f"the column holds {shown}{more}{nearest(level, known)}")
            raise DataError(f"{column}: found {_html.shortened(level, 40)!r}, but {wanted}")
    return {"column": column, "level": level, "at_least": None, "below": None}


def _range(column: str, ends: tuple[Any, ...], kind: str) -> tuple[float | None, float | None]:
    """Ends of a range; those of dates in days."""
    if len(ends) != 2 or ends == (None, None):
        raise DataError(
            f"{column}: found {ends!r}, but a range (at_least, below) is needed; try: (20, 40)"
        )
    if any(end is not None and end != end for end in ends):
        raise DataError(f"{column}: found {ends!r}, but finite ends, or None for none, are needed")
    if kind in ("nominal", "ordinal"):
        raise TypeError(
            f"{column}: found {ends!r}, but the column holds categories, of which one is taken"
        )
    (found,) = conditions({column: ends}, "personas")
    between = found["test"]["between"]
    if kind == "date" and not between["dates"]:
        raise DataError(
            f'{column}: found {ends!r}, but the column holds dates; try: {{{column!r}: ("2023-06-01", None)}}'
        )
    if kind != "date" and between["dates"]:
        raise DataError(f"{column}: found {ends!r}, but the column holds no dates")
    low, high = (
        None if between[end] is None else float(between[end]["at"]) for end in ("low", "high")
    )
    return low, high


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def date_of(days: float | None) -> Any:
    """The date of a number of days since 1970-01-01, with the time where it is not midnight.

    >>> date_of(19508.0), date_of(19508.5)
    (datetime.date(2023, 5, 31), datetime.datetime(2023, 5, 31, 12, 0))
    """
    if days is None:
        return None
    moment = np.datetime64(round(days * 86_400e6), "us")
    day = moment.astype("datetime64[D]")
    return (day if day == moment else moment).item()

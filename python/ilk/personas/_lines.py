"""Lines of a card that people give, or that other results of ilk give."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ilk import _core, _html, taxonomy
from ilk._frame import Frame, to_dict
from ilk.exceptions import DataError, DataWarning
from ilk.taxonomy._item import nearest

if TYPE_CHECKING:
    from ilk.gaps import Positioning, ValueMap
    from ilk.taxonomy import Taxonomy

__all__ = [
    "Line",
    "Said",
    "committee_lines",
    "positioning_lines",
    "said",
    "value_lines",
    "warn_of_strangers",
    "worth_lines",
]

#: A line as the core reads it.
Line = dict[str, Any]
#: Lines by segment.
Said = dict[str, list[Line]]

#: Characters of a text at most.
MAX_TEXT = 10_000

#: Figures of a scorecard that a card tells, with what they mean and whether they are shares.
_WORTH = {
    "revenue_share": ("Share of all revenue", True),
    "gross_margin": ("Gross margin", True),
    "cac": ("Cost to win a customer", False),
    "cost_to_manage": ("Cost to manage a customer in the period", False),
    "contribution": ("Contribution of a customer in the period", False),
    "payback_months": ("Months until a customer has paid back what it cost to win", False),
    "days_to_sale": ("Days from first contact to sale", False),
    "ltv": ("Lifetime value of a customer", False),
    "ltv_model": ("Lifetime value of a customer by the model", False),
    "ltv_cac": ("Lifetime value over the cost to win", False),
    "profit": ("Profit of the segment in the period", False),
}


def line(
    slot: str,
    statement: str,
    *,
    attribute: str | None = None,
    figures: Sequence[Mapping[str, Any]] = (),
    n: int | None = None,
    provenance: str = "assumed",
    reason: str = "",
) -> Line:
    """One line, its texts cleaned.

    Raises
    ------
    DataError
        If a text is empty or too long.
    """
    return {
        "slot": slot,
        "attribute": None if attribute is None else _core.clean_text(attribute, True),
        "statement": written(slot, statement),
        "condition": None,
        "figures": list(figures),
        "count": None,
        "n": n,
        "distinctive": False,
        "provenance": provenance,
        "reason": _core.clean_text(reason, False),
        "replaces": [],
    }


def written(argument: str, text: Any) -> str:
    """Text of a person, cleaned.

    Raises
    ------
    TypeError
        If it is no text.
    DataError
        If it is empty or too long.
    """
    if not isinstance(text, str):
        raise TypeError(f"{argument}: found a {type(text).__name__}, but a text is needed")
    if len(text) > MAX_TEXT:
        raise DataError(
            f"{argument}: found a text of {len(text):,} characters, but at most {MAX_TEXT:,} are kept"
        )
    cleaned = _core.clean_text(text, False)
    if not cleaned:
        raise DataError(f"{argument}: found an empty text, but something must be said")
    return cleaned


def figure(name: str, value: Any, *, share: bool = False, **parts: Any) -> dict[str, Any]:
    """A figure as it is told: four significant digits, of shares three; infinite and missing ones are none."""
    digits = 3 if share else 4

    def told(number: Any) -> float | None:
        if number is None or not math.isfinite(number := float(number)):
            return None
        return float(f"{number:.{digits - 1}e}")

    return {
        "name": _core.clean_text(name, True),
        "unit": "share" if share else "number",
        "value": told(value),
        "lo": told(parts.get("lo")),
        "hi": told(parts.get("hi")),
        "overall": told(parts.get("overall")),
        "lift": told(parts.get("lift")),
    }


def check_segments(argument: str, found: Iterable[Any], names: Sequence[str]) -> None:
    """Refuse names that are no segments.

    Raises
    ------
    DataError
        With the nearest name there is.
    """
    for name in found:
        if name not in names:
            shown = ", ".join(repr(_html.shortened(known, 40)) for known in names[:12])
            found_name = _html.shortened(repr(name), 80)
            raise DataError(
                f"{argument}: found {found_name}, but the segments are {shown}{nearest(str(name), names)}"
            )


def said(argument: str, slot: str, data: Any, names: Sequence[str]) -> Said:
    """What a mapping or a frame says of each segment.

    A mapping gives a text, several, or a number for each name: ``{"a": "curious"}``, ``{"a": {"problem": 0.4}}``. A frame
    has a column ``persona`` or ``segment``; its last column of text is what is said, one before it the attribute, and
    columns of numbers are figures.
    """
    if not isinstance(data, Mapping) or _is_columns(data):
        return _from_frame(argument, slot, data, names)
    check_segments(argument, data, names)
    found: Said = {}
    for name, what in data.items():
        lines = found.setdefault(name, [])
        if isinstance(what, Mapping):
            for key, value in what.items():
                if isinstance(value, str):
                    lines.append(line(slot, value, attribute=written(argument, key)))
                else:
                    share = _share(argument, value)
                    lines.append(
                        line(
                            slot,
                            written(argument, key),
                            figures=[figure("share", share, share=True)],
                            provenance="inferred",
                            reason=f"given as {argument}",
                        )
                    )
        else:
            texts = [what] if isinstance(what, str) else what
            if not isinstance(texts, Sequence):
                raise TypeError(
                    f"{argument}[{name!r}]: found a {type(what).__name__}, but a text, several or a mapping are needed"
                )
            lines.extend(line(slot, text) for text in (written(argument, text) for text in texts))
    return found


def warn_of_strangers(argument: str, found: Said) -> None:
    """Words of a journey or a committee that no list of :mod:`ilk.taxonomy` has may be misspelt."""
    lines = [line for lines in found.values() for line in lines]
    # Lines without an attribute or a figure tell in words what people do.
    named = [line["attribute"] or line["statement"] for line in lines if _is_named(line)]
    words: list[tuple[str, list[str], tuple[Taxonomy, ...]]]
    if argument == "journey":
        words = [("stage", named, (taxonomy.B2B_JOURNEY, taxonomy.FUNNEL))]
    else:
        stances = [line["statement"] for line in lines if line["attribute"]]
        words = [
            ("role", named, (taxonomy.BUYER_ROLES, taxonomy.APPROVAL_CHAIN)),
            ("stance", stances, (taxonomy.STANCES,)),
        ]
    for kind, told, lists in words:
        strange = [word for word in dict.fromkeys(told) if not _is_listed(word, lists)]
        if strange:
            keys = [key for listed in lists for key in listed.keys]
            more = f" and {len(strange) - 1} more" if len(strange) > 1 else ""
            warnings.warn(
                f"{argument}: found the {kind} {_html.shortened(strange[0], 40)!r}{more}, which is told as it stands; the "
                f"{kind}s of ilk.taxonomy are {', '.join(map(repr, keys))}{nearest(strange[0], keys)}",
                DataWarning,
                stacklevel=3,
            )


def _is_named(line: Line) -> bool:
    return line["attribute"] is not None or bool(line["figures"])


def _is_listed(word: str, lists: Sequence[Taxonomy]) -> bool:
    for listed in lists:
        try:
            listed.find(word)
        except DataError:
            continue
        return True
    return False


def _is_columns(data: Mapping[Any, Any]) -> bool:
    """Whether a mapping is a frame: columns of equal length, one of which names the persona."""
    if not ({"persona", "segment"} & set(data)):
        return False
    return all(
        hasattr(column, "__len__") and not isinstance(column, str | Mapping)
        for column in data.values()
    )


def _share(argument: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        raise TypeError(
            f"{argument}: found a {type(value).__name__}, but a text or a share is needed"
        )
    if not 0 <= float(value) <= 1:
        raise DataError(f"{argument}: found {value}, but a share from 0 to 1 is needed")
    return float(value)


def _from_frame(argument: str, slot: str, data: Any, names: Sequence[str]) -> Said:
    frame = Frame.of(data, name=argument)
    kinds = frame.kinds()
    key = next((name for name in ("persona", "segment") if name in kinds), None)
    if key is None:
        raise DataError(
            f'{argument}: found the columns {", ".join(map(repr, frame.columns[:12]))}, but one called "persona" or '
            '"segment" is needed'
        )
    columns = {name: frame.core.column(name) for name in frame.columns}
    numbers = [name for name, kind in kinds.items() if kind == "number" and name != key]
    texts = [
        name
        for name, kind in kinds.items()
        if kind in ("nominal", "ordinal", "boolean") and name != key
    ]
    if not texts:
        raise DataError(
            f"{argument}: found no column of text beside {key!r}, but one that says something is needed"
        )
    codes = {name: _texts(frame, name) for name in [key, *texts]}
    check_segments(argument, dict.fromkeys(codes[key]), names)
    found: Said = {}
    for row, name in enumerate(codes[key]):
        statement = codes[texts[-1]][row]
        if not statement:
            continue
        figures = [
            figure(column, columns[column][row], share=column == "share") for column in numbers
        ]
        found.setdefault(name, []).append(
            line(
                slot,
                written(argument, statement),
                attribute=codes[texts[0]][row] or None if len(texts) > 1 else None,
                figures=figures,
                provenance="inferred",
                reason=f"given as {argument}",
            )
        )
    return found


def _texts(frame: Frame, name: str) -> list[str]:
    codes, categories, _ = frame.core.codes(name)
    return [categories[code] if code >= 0 else "" for code in codes]


def committee_lines(data: Any, names: Sequence[str]) -> Said:
    """Roles with their stances, as :func:`said` takes them."""
    return said("committee", "committee", data, names)


def worth_lines(economics: Any, names: Sequence[str]) -> tuple[Said, list[float | None] | None]:
    """What a scorecard says of each segment, and the share of each in the revenue.

    Raises
    ------
    DataError
        If a segment is not in the scorecard.
    """
    columns = (
        economics.to_dict()
        if hasattr(economics, "to_dict") and hasattr(economics, "manifest")
        else None
    )
    if columns is None:
        columns = to_dict(Frame.of(economics, name="economics").core)
    if "segment" not in columns:
        raise DataError(
            'economics: found no column "segment"; try: economics=ilk.segment_scorecard(customers, segment=segmentation, ...)'
        )
    at = {str(name): row for row, name in enumerate(columns["segment"])}
    check_segments("economics", at, names)
    for name in names:
        if name not in at:
            known = ", ".join(map(repr, at))
            raise DataError(f"economics: found no segment {name!r}, but {known}{nearest(name, at)}")
    for column in _WORTH:
        if isinstance(columns.get(column), list):
            raise TypeError(
                f"economics: found text in the column {column!r}, but numbers are needed"
            )
    found: Said = {}
    for name in names:
        row = at[name]
        n = int(columns["n"][row]) if "n" in columns else None
        for column, (statement, share) in _WORTH.items():
            if column not in columns:
                continue
            value = float(columns[column][row])
            if math.isnan(value):
                continue
            ends = {
                end: columns[f"{column}_{end}"][row]
                for end in ("lo", "hi")
                if f"{column}_{end}" in columns
            }
            text = f"{statement}: {'never' if 'months' in column or 'days' in column else 'without limit'}"
            found.setdefault(name, []).append(
                line(
                    "worth",
                    text if math.isinf(value) else statement,
                    attribute=column,
                    figures=[figure(column, value, share=share, **ends)],
                    n=n,
                    provenance="observed",
                )
            )
    shares = columns.get("revenue_share")
    if shares is None:
        return found, None
    return found, [figure("share", shares[at[name]], share=True)["value"] for name in names]


def value_lines(value_map: ValueMap, names: Sequence[str]) -> Said:
    """What each segment is sensitive to, with the evidence.

    Raises
    ------
    TypeError
        If it is no value map.
    DataError
        If its personas are no segments.
    """
    if not hasattr(value_map, "sentences"):
        raise TypeError(
            f"value_map: found a {type(value_map).__name__}, but what ilk.gaps.value_map gave is needed"
        )
    check_segments("value_map", value_map.personas, names)
    columns = value_map.to_dict()
    persona, proposition = value_map._core.names()[:2]
    evidence = value_map.evidence
    provenance = "observed" if evidence == "responses" else "inferred"
    reason = {
        "responses": "responses of customers",
        "fit": "fit of delivery to needs",
        "scores": "scores given",
    }
    found: Said = {
        name: [
            line(
                "sensitivity",
                sentence,
                provenance="inferred",
                reason=f"value map by {reason[evidence]}",
            )
        ]
        for name, sentence in zip(value_map.personas, value_map.sentences[1:], strict=True)
    }
    for row, name in enumerate(columns[persona]):
        if not columns["sensitive"][row]:
            continue
        figures = [
            figure(
                column,
                columns[column][row],
                share=column == "rate",
                lo=columns[f"{column}_lo"][row] if f"{column}_lo" in columns else None,
                hi=columns[f"{column}_hi"][row] if f"{column}_hi" in columns else None,
            )
            for column in ("fit", "score", "rate", "lift")
            if column in columns
        ]
        n = int(columns["n"][row]) if "n" in columns else None
        found[name].append(
            line(
                "sensitivity",
                str(columns[proposition][row]),
                attribute="value proposition",
                figures=[figure for figure in figures if figure["value"] is not None],
                n=n,
                provenance=provenance,
                reason=f"value map by {reason[evidence]}",
            )
        )
    return found


def positioning_lines(
    data: Mapping[str, Any] | Iterable[Positioning], names: Sequence[str]
) -> Said:
    """The answers to the three questions, for each segment.

    Raises
    ------
    DataError
        If a question is not known.
    """
    questions = taxonomy.POSITIONING
    if not isinstance(data, Mapping):
        several = isinstance(data, Iterable) and not isinstance(data, str)
        records: list[Any] = list(data) if several else [data]
        for record in records:
            if not hasattr(record, "key_value"):
                raise TypeError(
                    f"positioning: found a {type(record).__name__}, but a mapping or ilk.gaps.Positioning is needed"
                )
        data = {
            record.segment: {key: getattr(record, key) for key in questions.keys}
            for record in records
        }
    check_segments("positioning", data, names)
    found: Said = {}
    for name, answers in data.items():
        if not isinstance(answers, Mapping):
            raise TypeError(
                f"positioning[{name!r}]: found a {type(answers).__name__}, but a mapping is needed"
            )
        for key, answer in answers.items():
            item = questions.find(key)
            if answer:
                found.setdefault(name, []).append(
                    line("positioning", written("positioning", answer), attribute=item.key)
                )
    return found

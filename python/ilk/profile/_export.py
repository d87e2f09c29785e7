"""A typing tool as text that other programs run."""

from __future__ import annotations

import keyword
from typing import TYPE_CHECKING, Any

from ilk.exceptions import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["python_text", "sql_text"]


def python_text(rule: Mapping[str, Any], name: str) -> str:
    """The text of a function that gives the segment of one person.

    Every name and answer is written as a literal of Python, so that no text of the data is ever run.
    """
    if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name):
        raise DataError(
            f"name: found {name!r}, but the name of a function is needed; try: 'segment_of'"
        )
    lines = [
        f"def {name}(person):",
        '    """Give the segment of a person, a dict of answers by question; None where nothing is answered."""',
        f"    segments = {rule['segments']!a}",
        f"    points = {rule['start']!a}",
        "    answered = False",
    ]
    for question in rule["questions"]:
        lines += [
            f"    value = person.get({question['column']!a})",
            "    at = None",
            "    if value is not None and value == value:",
        ]
        if question["kind"] == "date":
            lines.append(
                f"        at = sum(str(value)[:10] >= cut for cut in {question['cuts']!a})"
            )
        elif question["kind"] == "number":
            lines.append(f"        at = sum(value >= cut for cut in {question['cuts']!a})")
        else:
            lines += [
                f"        levels = {question['levels']!a}",
                "        at = levels.index(str(value)) if str(value) in levels else None",
            ]
            if question["kind"] == "ordered":
                lines += [
                    "        if at is not None:",
                    f"            at = sum(at >= cut for cut in {question['cuts']!a})",
                ]
        lines += [
            "    if at is not None:",
            "        answered = True",
            f"        added = {question['points']!a}[at]",
            "        points = [score + more for score, more in zip(points, added)]",
        ]
    lines.append("    return segments[points.index(max(points))] if answered else None")
    return "\n".join(lines) + "\n"


def _name(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _number(value: float) -> str:
    # With an exponent it is a double everywhere; without, some systems would read a decimal.
    return f"{value!r}" if "e" in repr(float(value)) else f"{float(value)!r}e0"


def _answers(question: Mapping[str, Any]) -> list[str]:
    """The condition of each answer."""
    column = _name(question["column"])
    if question["kind"] == "category":
        if set(question["levels"]) <= {"False", "True"}:
            # Systems spell yes and no in small letters, or as numbers; a condition on the column itself is understood by all.
            return [column if level == "True" else f"NOT {column}" for level in question["levels"]]
        return [f"CAST({column} AS VARCHAR) = {_text(level)}" for level in question["levels"]]
    cuts = question["cuts"]
    if question["kind"] == "ordered":
        levels = question["levels"]
        at = [sum(rank >= cut for cut in cuts) for rank in range(len(levels))]
        return [
            f"{column} IN ({', '.join(_text(level) for level, where in zip(levels, at, strict=True) if where == answer)})"
            for answer in range(len(cuts) + 1)
        ]
    ends = [f"DATE {_text(cut)}" if question["kind"] == "date" else _number(cut) for cut in cuts]
    # NaN is no answer; it is the only value that some systems hold above every number.
    return [f"{column} < {end}" for end in ends] + [f"{column} >= {ends[-1]}" if ends else "TRUE"]


def sql_text(rule: Mapping[str, Any], table: str) -> str:
    """A query that adds the segment to every row of a table."""
    if not isinstance(table, str) or not table:
        raise DataError(
            f"table: found {table!r}, but the name of a table is needed; try: 'customers'"
        )
    segments = rule["segments"]
    questions = rule["questions"]
    sums = []
    for at, start in enumerate(rule["start"]):
        parts = [_number(start)]
        for question in questions:
            cases = " ".join(
                f"WHEN {condition} THEN {_number(points[at])}"
                for condition, points in zip(_answers(question), question["points"], strict=True)
            )
            parts.append(f"CASE {cases} ELSE 0e0 END")
        sums.append("    " + "\n      + ".join(parts) + f" AS points_{at}")
    answered = "\n    OR ".join(
        " OR ".join(f"({condition})" for condition in _answers(question)) for question in questions
    )
    best = "GREATEST(" + ", ".join(f"points_{at}" for at in range(len(segments))) + ")"
    cases = "\n".join(
        f"    WHEN points_{at} = {best} THEN {_text(name)}" for at, name in enumerate(segments)
    )
    points = ",\n".join(sums)
    return (
        f"SELECT *,\n  CASE WHEN NOT answered THEN NULL\n{cases}\n  END AS segment\nFROM (\n  SELECT *,\n{points},\n"
        f"    COALESCE({answered}, FALSE) AS answered\n  FROM {_name(table)}\n) AS scored\n"
    )

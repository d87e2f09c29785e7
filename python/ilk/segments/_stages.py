"""Stages of life by rules, and whether what drives purchases differs between them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from ilk._frame import Frame
from ilk.exceptions import DataError
from ilk.segments._crossed import Crossed, with_checks
from ilk.segments._stated import by_rules

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ilk.segments._segmentation import Segmentation
    from ilk.segments._where import Where
    from ilk.taxonomy import Taxonomy

__all__ = ["life_stage_rules", "life_stage_segment"]

#: Words by which categories are known, one of which stands in the category.
_STUDENT = (
    "student",
    "students",
    "pupil",
    "school",
    "university",
    "college",
    "education",
    "studying",
    "apprentice",
    "trainee",
)
_RETIRED = ("retired", "retiree", "pensioner", "pensioners", "pension", "retirement")
_FAMILY = (
    "family",
    "families",
    "child",
    "children",
    "kids",
    "kid",
    "parent",
    "parents",
    "dependants",
)
_WITHOUT = ("no", "without", "childless", "none", "0")
#: From this age on a person counts as retired, below the other one as young.
_RETIREMENT, _YOUNG, _STUDYING = 65, 40, 23


def life_stage_rules(
    df: Any, *, age: str, household: str | None = None, employment: str | None = None
) -> dict[str, list[Where]]:
    """The rules that :func:`life_stage_segment` takes by default, to look at and to change.

    A stage comes first that leaves least doubt:

    - pensioners: employment says retired, or, where it is not known, age is 65 or more;
    - students: employment says so; where there is no such column, age is below 23 and the household has no children;
    - families: the household has children: a category says so, or a number is 1 or more (of a column of children) or 3 or
      more (of people);
    - young professionals: age below 40, of whom none of this holds.

    Categories are known by words such as student, retired, family, children. Others, such as a couple of 50 without
    children, are in none of the four stages.

    Parameters
    ----------
    df : frame
        One row per customer.
    age, household, employment : str
        Columns.

    Returns
    -------
    dict
        Stages (keys of ``ilk.taxonomy.LIFE_STAGES``) with their rules, in order.

    Examples
    --------
    >>> from ilk.segments import life_stage_rules
    >>> people = {"age": [20, 70], "household": ["single", "family"]}
    >>> life_stage_rules(people, age="age", household="household")["young_professional"]
    [{'age': {'below': 40}}]
    """
    frame = Frame.of(df)
    if frame.core.kind(age) not in ("number", "empty"):
        raise DataError(
            f"column {age!r}: found {frame.core.kind(age)} values, but age is a number of years"
        )
    children = None if household is None else _children(frame, household)
    alone: dict[str, Any] = {}
    if children is not None and household is not None:
        alone = {household: _unless(children)}
    rules: dict[str, list[Where]] = {}
    if employment is None:
        rules["pensioner"] = [{age: {"at_least": _RETIREMENT}}]
        rules["student"] = [{age: {"below": _STUDYING}, **alone}]
    else:
        categories = frame.core.codes(employment)[1]
        retired, studying = (_known(categories, words) for words in (_RETIRED, _STUDENT))
        if not retired and not studying:
            raise DataError(
                f"column {employment!r}: found {', '.join(map(repr, categories[:12]))}, but none says student or retired; "
                f'try: rules={{"student": {{{employment!r}: ...}}, ...}}'
            )
        rules["pensioner"] = [{age: {"at_least": _RETIREMENT}, employment: None}]
        if retired:
            rules["pensioner"].insert(0, {employment: retired})
        if studying:
            rules["student"] = [{employment: studying}]
    if children is not None and household is not None:
        rules["family"] = [{household: children}]
    rules["young_professional"] = [{age: {"below": _YOUNG}}]
    if employment is not None and not retired:
        # Nobody is said to be retired, so that age tells.
        rules["pensioner"] = [{age: {"at_least": _RETIREMENT}}]
    return rules


def life_stage_segment(
    df: Any,
    *,
    age: str | None = None,
    household: str | None = None,
    employment: str | None = None,
    rules: Mapping[str, Where | Sequence[Where]] | None = None,
    driver: str | None = None,
    expected: Mapping[str, str] | None = None,
    weights: str | None = None,
    features: Sequence[str] | None = None,
    taxonomy: Taxonomy | None = None,
) -> Segmentation:
    """Segment customers by their stage of life, each with the driver that is expected of it.

    Parameters
    ----------
    df : frame of shape (n_customers, n_columns)
        One row per customer.
    age, household, employment : str, optional
        Columns that the rules of :func:`life_stage_rules` read; not needed with ``rules``.
    rules : mapping, optional
        Rules of your own, by key or name of the stage, as :func:`from_rules` takes them.
    driver : str, optional
        Column of what drives each customer's purchases. Its relation to the stage is tested.
    expected : mapping of str to str, optional
        Category of ``driver`` that is expected of a stage; by default the one that is called as the taxonomy says.
    weights : str, optional
        Column with the weight of each customer.
    features : sequence of str, optional
        Columns of the profile; by default all but identifiers, free text and constant ones.
    taxonomy : Taxonomy, optional
        Stages with their names and ``driver``; by default ``ilk.taxonomy.LIFE_STAGES``.

    Returns
    -------
    Segmentation
        The expected drivers are in ``.texts``, the rules in ``.rule_table``. With ``driver``, ``.check("drivers")`` has the
        share of each driver in each stage with its adjusted residual (beyond ±2 about 5 % of chance) and whether it is the
        expected one, and ``.check("driver_test")`` the chi-squared test with Cramér's V. Customers of no stage are counted.

    Raises
    ------
    DataError
        If the words of a column are not known, or a stage is not in the taxonomy.

    Notes
    -----
    S3-LIFE-01.

    Examples
    --------
    >>> from ilk.segments import life_stage_segment
    >>> people = {"age": [20, 30, 41, 70], "household": ["single", "single", "family", "couple"]}
    >>> found = life_stage_segment(people, age="age", household="household")
    >>> list(found.labels)
    ['Students', 'Young professionals', 'Families', 'Pensioners']
    >>> found.texts["Families"]
    'quality and reliability'
    """
    from ilk.taxonomy import LIFE_STAGES

    stages = LIFE_STAGES if taxonomy is None else taxonomy
    frame = Frame.of(df)
    own = rules is not None
    if rules is None:
        if age is None:
            raise DataError('age: found none, but a column is needed; try: age="age"')
        rules = life_stage_rules(frame, age=age, household=household, employment=employment)
        rules = {stage: rules[stage] for stage in rules if stage in stages}
    items = {stage: stages.find(stage) for stage in rules}
    named = {items[stage].name: where for stage, where in rules.items()}
    texts = {item.name: str(item.get("driver") or item.description) for item in items.values()}
    settings = {"age": age, "household": household, "employment": employment, "driver": driver}
    found = by_rules(
        df,
        frame,
        "life_stage_segment",
        settings,
        named,
        texts=texts,
        features=features,
        weights=weights,
        strict=own,
    )
    if driver is None:
        if expected is not None:
            raise DataError("expected: found drivers, but no column of them; try: driver=...")
        return found
    codes, categories, _ = frame.core.codes(driver)
    wanted = {items[stage].name: texts[items[stage].name] for stage in items}
    for stage, category in (expected or {}).items():
        if category not in categories:
            raise DataError(
                f"expected: found {category!r}, but the categories of {driver!r} are {', '.join(map(repr, categories))}"
            )
        wanted[stages.find(stage).name] = category
    weight = None if weights is None else frame.core.numeric(weights)
    crossed = Crossed.of(found.codes, found.k, codes, len(categories), weight)
    table = crossed.table("segment", found.names, "driver", categories)
    pairs = zip(table["segment"], table["driver"], strict=True)
    table["is_expected"] = np.array([wanted.get(name) == level for name, level in pairs])
    return with_checks(found, drivers=table, driver_test=crossed.test())


def _words(text: str) -> set[str]:
    return set(re.findall(r"[a-z0-9]+", text.lower()))


def _known(categories: Sequence[str], words: Sequence[str]) -> list[str]:
    """Categories that one of the words stands in."""
    return [category for category in categories if _words(category) & set(words)]


def _children(frame: Frame, household: str) -> Any:
    """The condition that the household has children."""
    kind = frame.core.kind(household)
    if kind in ("number", "boolean"):
        counts_children = bool(
            _words(household.replace("_", " ")) & {"children", "child", "kids", "kid"}
        )
        if kind == "boolean":
            return [True]
        return {"at_least": 1 if counts_children else 3}
    categories = frame.core.codes(household)[1]
    found = [c for c in _known(categories, _FAMILY) if not _words(c) & set(_WITHOUT)]
    if not found:
        raise DataError(
            f"column {household!r}: found {', '.join(map(repr, categories[:12]))}, but none says that there are children; "
            f'try: rules={{"family": {{{household!r}: ...}}, ...}}'
        )
    return found


def _unless(children: Any) -> Any:
    """The condition that it has none."""
    if isinstance(children, dict):
        return {"below": children["at_least"]}
    return {"not_in": children}

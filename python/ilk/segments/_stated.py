"""Segments that are stated: by rules, or as labels."""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from ilk import _core
from ilk._arguments import column_name
from ilk._arguments import names as names_of
from ilk._frame import Frame
from ilk._labels import labels_beside, own_columns
from ilk.exceptions import DataError, DataWarning
from ilk.segments._segmentation import Segmentation
from ilk.segments._where import rules_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ilk.segments._where import Where

__all__ = ["by_rules", "from_labels", "from_rules", "made", "said", "texts_of"]


def from_rules(
    df: Any,
    rules: Mapping[str, Where | Sequence[Where]],
    *,
    default: str | None = None,
    features: Sequence[str] | None = None,
    weights: str | None = None,
    texts: Mapping[str, str] | None = None,
) -> Segmentation:
    """Segment customers by rules: the first rule that a customer meets decides.

    Parameters
    ----------
    df : frame of shape (n_customers, n_columns)
        pandas, polars, pyarrow, DuckDB, NumPy, or a dict of columns; one row per customer.
    rules : mapping of str to conditions
        Name of each segment with what its customers must be: columns to a value, a list of values, an interval ``(low,
        high)`` of numbers or dates of which ``low`` is inside and ``high`` is not, ``None`` for a missing value, or a
        mapping with some of ``at_least``, ``above``, ``at_most``, ``below``, ``in``, ``not_in`` and ``missing``. All must
        hold; a list of such mappings means that one of them must. Segments keep the order of the rules, and a name that
        comes later gets what those before it leave.
    default : str, optional
        Segment of customers who meet no rule. By default they are in none, and counted.
    features : sequence of str, optional
        Columns of the profile; by default all but identifiers, free text and constant ones.
    weights : str, optional
        Column with the weight of each customer.
    texts : mapping of str to str, optional
        What is said of a segment, such as the behaviour that is expected of it.

    Returns
    -------
    Segmentation
        As of :func:`ilk.segment`, with the rules in ``.rule_table``; new customers go by the same rules.

    Raises
    ------
    MissingColumnError
        If a rule names a column that is not there.
    DataError
        If a rule asks for a category that no row holds or for an interval of a column of categories, if an interval is
        empty, or if no customer meets any rule.

    Examples
    --------
    >>> import ilk
    >>> customers = {"age": [19, 35, 70, 41], "channel": ["web", "shop", "shop", "web"]}
    >>> rules = {"young": {"age": (None, 30)}, "in the shop": {"channel": "shop"}}
    >>> ilk.segments.from_rules(customers, rules, default="others").sizes
    {'young': 1, 'in the shop': 2, 'others': 1}
    """
    return by_rules(
        df,
        Frame.of(df),
        "from_rules",
        {},
        rules,
        default=default,
        texts=texts,
        features=features,
        weights=weights,
        strict=True,
    )


def by_rules(
    df: Any,
    frame: Frame,
    function: str,
    settings: Mapping[str, Any],
    rules: Mapping[str, Where | Sequence[Where]],
    *,
    default: str | None = None,
    texts: Mapping[str, str] | None = None,
    features: Sequence[str] | None = None,
    weights: str | None = None,
    strict: bool = False,
    notes: Sequence[str] = (),
) -> Segmentation:
    """Segments by rules, as the functions of this room make them; ``strict`` refuses categories that no row holds."""
    text, names = rules_json(rules, default)
    parsed = json.loads(text)
    kept = {**settings, "rules": parsed, "default": default, "features": _listed(features)}
    core = _core.segment_by_rules(
        frame.core,
        text,
        said(
            function,
            kept,
            names,
            texts=texts_of(texts, names),
            features=features,
            weights=weights,
            notes=notes,
        ),
        strict,
    )
    return made(core, df, frame, 4)


def from_labels(
    df: Any,
    labels: Any,
    features: Sequence[str] | None = None,
    names: Mapping[Any, str] | Sequence[str] | None = None,
    weights: str | None = None,
) -> Segmentation:
    """Take segments as they are given: of another tool, an older study, or a person.

    Parameters
    ----------
    df : frame of shape (n_customers, n_columns)
        One row per customer.
    labels : str, Segmentation, fitted estimator, Series or array of shape (n_customers,)
        Name of a column of ``df``, or the segment of each row. Numbers below 0 and missing values are in no segment.
    features : sequence of str, optional
        Columns of the profile; by default all but identifiers, free text and constant ones.
    names : mapping or sequence of str, optional
        Labels to names, or one name for each label in their order: numbers ascending, text in alphabetical order.
    weights : str, optional
        Column with the weight of each customer.

    Returns
    -------
    Segmentation
        As of :func:`ilk.segment`, but nothing says where a new customer belongs, so that ``.predict`` refuses.

    Raises
    ------
    DataError
        If there are not as many labels as rows, no row has a label, or names do not fit.

    Examples
    --------
    >>> import ilk
    >>> customers = {"age": [19, 35, 70], "spend": [5.0, 40.0, 35.0]}
    >>> found = ilk.segments.from_labels(customers, ["a", "b", "b"], names={"a": "young"})
    >>> found.sizes
    {'young': 1, 'b': 2}
    """
    frame = Frame.of(df)
    taken = labels_beside(labels, frame)
    own = own_columns(labels, frame, taken)
    settings = {
        "labels": labels if isinstance(labels, str) else "given",
        "column": own[0] if own else None,
        "features": _listed(features),
    }
    core = _core.segment_by_labels(
        frame.core,
        np.ascontiguousarray(taken.codes, dtype=np.int64),
        said(
            "from_labels",
            settings,
            _named(taken.names, names),
            features=features,
            weights=weights,
            exclude=own,
        ),
    )
    return made(core, df, frame)


def said(
    function: str,
    settings: Mapping[str, Any],
    names: Sequence[str],
    *,
    texts: Sequence[str] = (),
    features: Sequence[str] | None = None,
    weights: str | None = None,
    exclude: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> dict[str, Any]:
    """What is said of stated segments, as the core takes it."""
    if weights is not None:
        column_name("weights", weights)
    return {
        "function": function,
        "settings": json.dumps({**settings, "weights": weights}),
        "names": list(names),
        "texts": list(texts),
        "features": _listed(features),
        "exclude": list(exclude),
        "weights": weights,
        "notes": list(notes),
    }


def made(core: Any, df: Any, frame: Frame, stacklevel: int = 3) -> Segmentation:
    """The segmentation of these customers, with a warning for every note."""
    index = getattr(df, "index", None) if frame.native == "pandas" else None
    found = Segmentation(core, frame.native, frame=frame, index=index)
    for note in found.manifest["notes"]:
        warnings.warn(note, DataWarning, stacklevel=stacklevel)
    return found


def texts_of(texts: Mapping[str, str] | None, names: Sequence[str]) -> list[str]:
    """What is said of each segment, in their order."""
    texts = texts or {}
    unknown = [name for name in texts if name not in names]
    if unknown:
        raise DataError(
            f"texts: found {unknown[0]!r}, but the segments are {', '.join(map(repr, names))}"
        )
    return [str(texts.get(name, "")) for name in names]


def _named(found: Sequence[str], names: Any) -> list[str]:
    if names is None:
        return list(found)
    if hasattr(names, "items"):
        new = names_of("names", [name for _, name in names.items()])
        given = dict(zip((str(label) for label, _ in names.items()), new, strict=True))
        unknown = [label for label in given if label not in found]
        if unknown:
            raise DataError(
                f"names: found {unknown[0]!r}, but the labels are {', '.join(map(repr, found))}"
            )
        return [given.get(label, label) for label in found]
    given_names = names_of("names", names, "a mapping or one name per label is needed")
    if len(given_names) != len(found):
        raise DataError(
            f"names: found {len(given_names)} names, but there are {len(found)} labels: {', '.join(map(repr, found))}"
        )
    return given_names


def _listed(names: Sequence[str] | None) -> list[str] | None:
    return None if names is None else names_of("features", names)

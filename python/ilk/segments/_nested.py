"""Segments inside segments, and whether every activity has one."""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ilk import _core
from ilk._arguments import column_name, whole
from ilk._frame import Frame
from ilk._labels import labelled
from ilk._methods import METHODS
from ilk._progress import progress_bar
from ilk._random import new_seed
from ilk.exceptions import DataError, DataWarning
from ilk.segments._segment import columns_of
from ilk.segments._segmentation import Segmentation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ilk._methods import Method
    from ilk._progress import Progress

__all__ = ["check_activities", "nested"]


def nested(
    df: Any,
    macro: str,
    k: int | Literal["auto"] | Mapping[str, int | Literal["auto"]] = "auto",
    features: Sequence[str] | None = None,
    *,
    method: Method = "auto",
    exclude: str | Sequence[str] | None = None,
    weights: str | None = None,
    scale: Literal["auto", "standard", "range", "none"] = "auto",
    missing: Literal["auto", "ignore", "drop", "error"] = "auto",
    random_state: int | None = None,
    k_max: int = 9,
    n_init: int = 10,
    progress: Progress = "auto",
) -> Segmentation:
    """Find finer segments inside each macro segment, such as each activity of a firm.

    Parameters
    ----------
    df : frame of shape (n_customers, n_columns)
        One row per customer.
    macro : str
        Column of the macro segment. Customers without one are left out, counted.
    k : int, "auto" or mapping
        Number of segments inside each macro segment, or one number of each. Under ``"auto"`` those with fewer than eight
        customers, or of whom no two differ, are one segment, and a note says so.
    features : sequence of str, optional
        Columns to use; by default all but ``macro`` and ``exclude``.
    method, exclude, weights, scale, missing, random_state, k_max, n_init, progress
        As for :func:`ilk.segment`. Each macro segment has its own scale.

    Returns
    -------
    Segmentation
        Segments are called ``macro/segment`` and have one profile; ``.parts`` has the segmentation of each macro segment,
        with its evidence. New customers go to a segment of their macro segment.

    Raises
    ------
    DataError
        If a macro segment has no customer or no number of segments (the message names it), or cannot be segmented.

    Notes
    -----
    S2-SEG-03, S2-SEG-04: every macro segment has a segment, so there are never fewer segments than activities.

    Examples
    --------
    >>> import ilk
    >>> customers = ilk.datasets.make_market(400, random_state=1).customers
    >>> found = ilk.segments.nested(
    ...     customers, "channel", 2, ["age", "basket_value"], random_state=0
    ... )
    >>> found.names[:2]
    ['post/segment 1', 'post/segment 2']
    """
    if method not in METHODS:
        raise DataError(f"method: found {method!r}, but one of {', '.join(METHODS)} is needed")
    frame = Frame.of(df)
    frame.core.kind(column_name("macro", macro))
    wanted, excluded = columns_of(features, exclude)
    every, of = _numbers(k)
    seed = new_seed(random_state)
    choices: dict[str, Any] = {
        "features": wanted,
        "exclude": excluded,
        "method": method,
        "k": every,
        "k_max": whole("k_max", k_max, 2 if every is None else 1),
        "weights": None if weights is None else column_name("weights", weights),
        "scale": scale,
        "missing": "ignore" if missing == "auto" else missing,
        "n_init": whole("n_init", n_init, 1),
        "seed": seed,
    }
    settings: dict[str, Any] = {name: choices[name] for name in choices if name != "seed"}
    settings |= {"macro": macro, "k": dict(of) if of else (every or "auto"), "missing": missing}
    with progress_bar(progress, "nested") as report:
        core = _core.nest_segments(frame.core, macro, of, choices, json.dumps(settings), report)
    index = getattr(df, "index", None) if frame.native == "pandas" else None
    found = Segmentation(core, frame.native, frame=frame, index=index)
    for note in found.manifest["notes"]:
        warnings.warn(note, DataWarning, stacklevel=2)
    return found


def check_activities(
    segments: Any, activity: str, df: Any = None, *, activities: Sequence[str] | None = None
) -> dict[str, list[str]]:
    """Check that every activity has a segment of its own.

    A segment belongs to the activity that most of its customers have (the first in order where two have as many). So there
    must be at least as many segments as activities: a newspaper serves readers and advertisers, and needs a segment of each.

    Parameters
    ----------
    segments : Segmentation, fitted estimator, Series, array, or name of a column of ``df``
        One segment for each row.
    activity : str
        Column of the activity.
    df : frame, optional
        The customers; by default those that a segmentation was made of.
    activities : sequence of str, optional
        Activities there are; by default the categories of the column, used or not.

    Returns
    -------
    dict
        Segments of each activity.

    Raises
    ------
    DataError
        If an activity has no segment; the message names it.

    Notes
    -----
    S2-SEG-03.

    Examples
    --------
    >>> from ilk.segments import check_activities
    >>> customers = {"activity": ["read", "read", "advertise"], "segment": ["a", "b", "c"]}
    >>> check_activities("segment", "activity", customers)
    {'advertise': ['c'], 'read': ['a', 'b']}
    """
    frame, labels = labelled(segments, df)
    codes, categories, _ = frame.core.codes(activity)
    wanted = categories if activities is None else [str(name) for name in activities]
    if len(labels.names) < len(wanted):
        raise DataError(
            f"segments: found {len(labels.names)} segments of {len(wanted)} activities, but each activity needs at least one"
        )
    counts = np.zeros((len(labels.names), max(len(categories), 1)), dtype=np.int64)
    both = (labels.codes >= 0) & (codes >= 0)
    np.add.at(counts, (labels.codes[both], codes[both]), 1)
    found: dict[str, list[str]] = {name: [] for name in wanted}
    for name, row in zip(labels.names, counts, strict=True):
        if row.any():
            found.setdefault(categories[int(row.argmax())], []).append(name)
    bare = [name for name in wanted if not found[name]]
    if bare:
        raise DataError(
            f"segments: found none in which most customers have the activity {bare[0]!r}, but each activity needs a segment; "
            f"try: nested(df, {activity!r})"
        )
    return found


def _numbers(k: Any) -> tuple[int | None, list[tuple[str, int | None]]]:
    """The number of segments of all, and of some by name; nothing where the evidence is to choose."""

    def number(value: Any) -> int | None:
        if isinstance(value, str) and value == "auto":
            return None
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
            raise DataError(
                f'k: found {value!r}, but a whole number from 1 up, or "auto", is needed'
            )
        return int(value)

    if hasattr(k, "items"):
        of = [(str(name), number(value)) for name, value in k.items()]
        if not of:
            raise DataError("k: found no number, but one for each macro segment is needed")
        return None, of
    return number(k), []

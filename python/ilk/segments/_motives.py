"""Why people buy: scores of motives, and the one that is highest."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ilk import _core
from ilk._frame import Frame, free_name
from ilk.exceptions import DataError
from ilk.segments._crossed import Crossed, with_checks
from ilk.segments._stated import made, said

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ilk.segments._segmentation import Segmentation
    from ilk.taxonomy import Taxonomy

__all__ = ["motives"]

#: Items whose highest ratings differ by more than this factor are hardly on one scale.
_FACTOR = 5.0


def motives(
    df: Any,
    items: Mapping[str, str],
    *,
    by: str | None = None,
    scale: Literal["none", "standard"] = "none",
    ties: Literal["mixed", "none"] = "mixed",
    weights: str | None = None,
    features: Sequence[str] | None = None,
    taxonomy: Taxonomy | None = None,
) -> Segmentation:
    """Segment customers by the motive that moves them most: functional, emotional, social.

    The score of a motive is the mean of its items that a customer answered. The highest score decides.

    Parameters
    ----------
    df : frame of shape (n_customers, n_columns)
        One row per customer.
    items : mapping of str to str
        Columns of ratings to the motive that each is an item of, by key or name.
    by : str, optional
        Column, such as the brand or a segment, within which the shares of the motives are told and compared.
    scale : {"none", "standard"}
        ``"none"`` compares ratings as they are, so that items need one scale. ``"standard"`` compares each item with the
        answers of all customers, so that a motive wins where a customer stands out, even if all rate it low.
    ties : {"mixed", "none"}
        Customers whose two highest scores are equal are a segment ``Mixed``, or in none; they are counted either way.
    weights : str, optional
        Column with the weight of each customer.
    features : sequence of str, optional
        Columns of the profile; by default all but identifiers, free text and constant ones.
    taxonomy : Taxonomy, optional
        Motives with their names. By default ``ilk.taxonomy.MOTIVES``, or ``CONSUMPTION_VALUES`` [1]_ where one of its two
        others is named: epistemic, conditional.

    Returns
    -------
    Segmentation
        Each customer's scores are in ``.scores``. ``.check("motives")`` has the mean score and share of each motive, with
        the customers who tie; with ``by``, ``.check("by")`` has the share of each motive in each of its groups with adjusted
        residuals, and ``.check("by_test")`` the chi-squared test. Customers without an answer to some motive are in none.

    Raises
    ------
    DataError
        If a motive is not in the taxonomy, or there are fewer than two.

    Notes
    -----
    S3-MOT-01.

    References
    ----------
    .. [1] Sheth, Newman and Gross (1991), Why we buy what we buy: a theory of consumption values, Journal of Business
       Research 22:159-170.

    Examples
    --------
    >>> from ilk.segments import motives
    >>> answers = {"works": [5, 2, 3], "looks": [1, 5, 3], "shows": [2, 1, 1]}
    >>> found = motives(answers, {"works": "functional", "looks": "emotional", "shows": "social"})
    >>> list(found.labels)
    ['Functional', 'Emotional', 'Mixed']
    """
    from ilk.taxonomy import CONSUMPTION_VALUES, MOTIVES

    if not hasattr(items, "items"):
        raise TypeError(
            'items: a mapping from columns to motives is needed; try: items={"works": "functional", ...}'
        )
    if scale not in ("none", "standard"):
        raise DataError(f'scale: found {scale!r}, but "none" or "standard" is needed')
    if ties not in ("mixed", "none"):
        raise DataError(f'ties: found {ties!r}, but "mixed" or "none" is needed')
    if taxonomy is None:
        named = {str(motive).casefold() for motive in items.values()}
        basic = {text.casefold() for item in MOTIVES for text in (item.key, item.name)}
        taxonomy = MOTIVES if named <= basic else CONSUMPTION_VALUES
    frame = Frame.of(df)
    columns: dict[str, list[str]] = {}
    for column, motive in items.items():
        columns.setdefault(taxonomy.find(str(motive)).key, []).append(column)
    kept = [item for item in taxonomy if item.key in columns]
    if len(kept) < 2:
        raise DataError(
            f"items: found items of {len(kept)} motive, but at least 2 motives are compared"
        )
    notes = [] if scale == "standard" else _ranges(frame, list(items))
    scores = [
        {
            "name": item.name,
            "items": [_item(frame, column, scale) for column in columns[item.key]],
        }
        for item in kept
    ]
    names = [item.name for item in kept]
    texts = [item.description for item in kept]
    mixed = free_name("Mixed", *names)
    request: dict[str, Any] = {"scores": scores, "ties": None}
    settings = {"items": dict(items), "by": by, "scale": scale, "ties": ties}

    def run(names: list[str]) -> Any:
        told = said(
            "motives",
            settings,
            names,
            texts=[*texts, "no motive above the others"][: len(names)],
            features=features,
            weights=weights,
            notes=notes,
        )
        return _core.segment_by_scores(frame.core, json.dumps(request), told)

    # Where nobody ties, there is no segment of those who do.
    if ties == "mixed" and _n_ties(frame, request, names) > 0:
        request["ties"] = len(names)
        core = run([*names, mixed])
    else:
        core = run(names)
    found = made(core, df, frame)
    weight = None if weights is None else frame.core.numeric(weights)
    values = [column for _, column in core.scores(frame.core)]
    means = [float(np.nanmean(value)) if np.isfinite(value).any() else np.nan for value in values]
    tied = found.k > len(names)
    checks: dict[str, Any] = {
        "motives": {
            "motive": found.names,
            "mean_score": np.array([*means, np.nan][: found.k]),
            "n": np.array(list(found.sizes.values()), dtype=np.int64),
            "share": np.asarray(found.to_dict()["share"]),
            "is_tie": np.array([tied and row == len(names) for row in range(found.k)]),
        }
    }
    if by is not None:
        codes, levels, _ = frame.core.codes(by)
        crossed = Crossed.of(codes, len(levels), found.codes, found.k, weight)
        checks["by"] = crossed.table("group", levels, "motive", found.names)
        checks["by_test"] = crossed.test()
    return with_checks(found, **checks)


def _item(frame: Frame, column: str, scale: str) -> dict[str, Any]:
    values = frame.core.numeric(column)
    if scale == "none":
        return {"column": column, "center": 0.0, "spread": 1.0}
    known = values[~np.isnan(values)]
    spread = float(known.std()) if len(known) else 0.0
    if not spread > 0:
        raise DataError(
            f"column {column!r}: found no two different answers, but an item must vary to be standardised"
        )
    return {"column": column, "center": float(known.mean()), "spread": spread}


def _n_ties(frame: Frame, request: dict[str, Any], names: list[str]) -> int:
    """Customers whose two highest scores are equal."""
    trial = {**request, "ties": len(names)}
    told = said("motives", {}, [*names, free_name("Mixed", *names)], features=[])
    found = _core.segment_by_scores(frame.core, json.dumps(trial), told)
    return int((found.labels() == len(names)).sum())


def _ranges(frame: Frame, columns: list[str]) -> list[str]:
    """A note where ratings do not seem to be on one scale."""
    tops = {}
    for column in columns:
        values = frame.core.numeric(column)
        if np.isfinite(values).any():
            tops[column] = float(np.nanmax(np.abs(values)))
    if not tops or max(tops.values()) <= _FACTOR * min(tops.values()):
        return []
    low, high = min(tops, key=tops.__getitem__), max(tops, key=tops.__getitem__)
    return [
        f"items are on different scales: {high!r} goes up to {tops[high]:g} and {low!r} to {tops[low]:g}; "
        'scale="standard" makes them alike'
    ]

"""Several segmentations of the same customers side by side."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ilk import _core
from ilk._arguments import column_name, names, real, reals_by_name, whole
from ilk._frame import Frame, to_dict, to_native
from ilk._labels import labelled
from ilk._progress import progress_bar
from ilk._random import new_seed
from ilk._result import Explanation, Result
from ilk.exceptions import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from ilk._progress import Progress

__all__ = ["SegmentationComparison", "compare_segmentations"]

#: The six frames of reference (S5-FRAME-02).
_SCENARIOS = (
    "use_cases",
    "pain_points",
    "journey_maps",
    "jobs_to_be_done",
    "life_stages",
    "value_proposition",
)
_CRITERIA = ("stability", "separation", "reach")


class SegmentationComparison(Result):
    """Segmentations side by side; made by :func:`compare_segmentations`.

    ``.table`` has one row per segmentation, the best first: its ``name`` (and ``scenario``), ``place`` and ``score``, the number
    of its segments (``k``) and of the customers in them, the shares of the ``smallest`` and the ``largest`` segment,
    ``stability`` (median adjusted Rand index of bootstrap samples), what share of the differences in value lies between segments
    (``omega2`` with its interval, ``eta2``), the ``accuracy`` with which customers are placed from descriptors with its interval,
    and how much of what naming the largest segment misses that is (``reach``). What was not measured is missing.

    Examples
    --------
    >>> import ilk
    >>> from ilk.segments import compare_segmentations
    >>> market = ilk.datasets.make_market(600, random_state=1)
    >>> given = {"truth": market.truth.segment, "region": "region"}
    >>> found = compare_segmentations(given, market.customers, value="basket_value", random_state=0)
    >>> found.best()
    'truth'
    """

    __slots__ = ()

    _wraps = _core.SegmentationComparison
    _title = "Segmentations side by side"
    _formats: ClassVar[Mapping[str, str]] = {
        "place": "count",
        "score": "index",
        "k": "count",
        "n": "count",
        "smallest": "share",
        "largest": "share",
        "stability": "index",
        "omega2": "share",
        "eta2": "share",
        "accuracy": "share",
        "reach": "share",
        "questions": "count",
    }

    @property
    def overlaps(self) -> Any:
        """One row per pair of segmentations: adjusted Rand index, adjusted and normalised mutual information."""
        return to_native(self._core.overlaps(), self._native)

    def best(self, scenario: str | None = None) -> str:
        """The name of the segmentation in the first place, of all or of one scenario.

        Parameters
        ----------
        scenario : str, optional
            One of the scenarios that were given.

        Raises
        ------
        DataError
            If nothing could be ranked, or no segmentation has this scenario.
        """
        columns = self.to_dict()
        if np.isnan(np.asarray(columns["score"], dtype=np.float64)).all():
            raise DataError(
                "best: found no criterion that was measured for all segmentations, but a ranking needs one; "
                "try: value=... or descriptors=[...]"
            )
        if scenario is None:
            return str(columns["name"][0])
        for name, found in zip(columns["name"], columns.get("scenario", []), strict=False):
            if found == scenario:
                return str(name)
        allowed = sorted({found for found in columns.get("scenario", []) if found})
        raise DataError(
            f"scenario: found {scenario!r}, but the scenarios given are {', '.join(map(repr, allowed)) or 'none'}"
        )

    def by_scenario(self) -> dict[str, str]:
        """The best segmentation of each scenario that was given, the best scenario first."""
        columns = self.to_dict()
        best: dict[str, str] = {}
        for name, scenario in zip(columns["name"], columns.get("scenario", []), strict=False):
            if scenario:
                best.setdefault(scenario, name)
        return best

    def plot(self, *, ax: Axes | None = None) -> Axes:
        """Draw every criterion of every segmentation beside the others.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure where none is given.

        Returns
        -------
        matplotlib Axes
            Its label (``get_label()``) describes the picture in words.
        """
        from ilk.plot.trees import candidates

        return candidates(self, ax)

    def explain(self) -> Explanation:
        """The ranking, what it rests on, and which segmentations are most alike."""
        return Explanation("\n".join(self._core.explain()))


def compare_segmentations(
    segmentations: Mapping[str, Any],
    df: Any = None,
    *,
    value: str | None = None,
    descriptors: Sequence[str] | None = None,
    scenario: Mapping[str, str] | None = None,
    weights: Mapping[str, float] | None = None,
    n_boot: int = 100,
    max_questions: int = 5,
    confidence: float = 0.95,
    random_state: int | None = None,
    progress: Progress = "auto",
) -> SegmentationComparison:
    """Compare segmentations of the same customers: which one repeats, separates value, and can be reached.

    Parameters
    ----------
    segmentations : mapping of str to Segmentation, fitted estimator, labels, or name of a column of ``df``
        At least two, by the names to show.
    df : frame, optional
        One row per customer; by default the customers of the first segmentation.
    value : str, optional
        Column of what a customer is worth, such as margin or lifetime value.
    descriptors : sequence of str, optional
        Columns that are known of everybody, such as region and age, by which a customer of a segment can be reached.
    scenario : mapping of str to str, optional
        The frame of reference of segmentations, by name: ``"use_cases"``, ``"pain_points"``, ``"journey_maps"``,
        ``"jobs_to_be_done"``, ``"life_stages"`` or ``"value_proposition"``.
    weights : mapping of str to float, optional
        Weights of ``"stability"``, ``"separation"`` and ``"reach"``; 1 for those not named.
    n_boot : int
        Samples of customers for the interval of the separation, and pairs of samples for the stability; 0 for none.
    max_questions : int
        Descriptors at most by which customers are placed.
    confidence : float
        Confidence of the intervals.
    random_state : int, optional
        Seed of everything random. By default a new one is drawn and kept in the manifest.
    progress : bool, "auto" or callable
        As for :func:`ilk.segment`.

    Returns
    -------
    SegmentationComparison
        With ``.table``, ``.overlaps``, ``.best()``, ``.by_scenario()``, ``.plot()`` and ``.explain()``.

    Raises
    ------
    MissingColumnError
        If a column is not there.
    DataError
        If there are fewer than two segmentations, one has fewer than two segments, or an option is not allowed.

    Notes
    -----
    S5-FRAME-01, S5-FRAME-02, S5-FRAME-03. *Stability* is the median adjusted Rand index of pairs of bootstrap samples
    (:func:`ilk.quality.stability`); it is measured for segmentations that were found by clustering and not edited, since only
    these can be found anew. *Separation* is omega squared of the value with a percentile bootstrap interval [1]_; unlike eta
    squared it does not rise with the number of segments. *Reach* is ``(accuracy - largest) / (1 - largest)``, where
    ``accuracy`` is the share of customers whom :func:`ilk.profile.typing_tool` places rightly from the descriptors, and
    ``largest`` what naming the largest segment would give. *Overlap* is the adjusted Rand index and the adjusted mutual
    information [2]_ of each pair.

    On each criterion the segmentations get places, equal ones the mean of theirs; the score is the weighted mean of the
    places, and the lowest is best. A criterion that was not measured for all of them does not enter the ranking, and the
    manifest says so.

    References
    ----------
    .. [1] Hays (1963), Statistics.
    .. [2] Vinh, Epps and Bailey (2010), Information theoretic measures for clusterings comparison, JMLR 11.

    Examples
    --------
    >>> import ilk
    >>> from ilk.segments import compare_segmentations
    >>> market = ilk.datasets.make_market(600, random_state=1)
    >>> found = compare_segmentations(
    ...     {"truth": market.truth.segment, "channel": "channel"},
    ...     market.customers,
    ...     value="basket_value",
    ...     descriptors=["age", "household", "region"],
    ...     scenario={"truth": "life_stages", "channel": "journey_maps"},
    ...     random_state=0,
    ... )
    >>> found.by_scenario()
    {'life_stages': 'truth', 'journey_maps': 'channel'}
    """
    if not isinstance(segmentations, Mapping):
        raise TypeError(
            f"segmentations: found a {type(segmentations).__name__}, but a mapping of names is needed; "
            'try: {"by needs": first, "by life stage": second}'
        )
    if len(segmentations) < 2:
        raise DataError(
            f"segmentations: found {len(segmentations)}, but at least two are needed to compare them"
        )
    seed = new_seed(random_state)
    boots, most = whole("n_boot", n_boot, 0), whole("max_questions", max_questions, 1)
    columns = [] if descriptors is None else names("descriptors", descriptors)
    tagged = _tagged(segmentations, scenario)
    shares = _weights(weights)
    confidence = real("confidence", confidence)
    if value is not None:
        column_name("value", value)
    if df is None:
        first = next(iter(segmentations.values()))
        frame, _ = labelled(first, None, "segmentations")
    else:
        frame = Frame.of(df)
    given = []
    for name, segments in segmentations.items():
        _, labels = labelled(segments, frame, f"segmentations[{name!r}]")
        given.append(
            {
                "name": str(name),
                "labels": np.ascontiguousarray(labels.codes, dtype=np.int64),
                "k": len(labels.names),
                "stability": _stability(segments, frame, boots, seed),
                "scenario": tagged.get(name, ""),
            }
        )
        if isinstance(segments, str) and segments in (value, *columns):
            raise DataError(
                f"segmentations[{name!r}]: found column {segments!r}, but it is also value or one of the descriptors, and "
                "would be compared with itself"
            )
    settings = {
        "segmentations": [str(name) for name in segmentations],
        "value": value,
        "descriptors": columns,
        "scenario": tagged,
        "weights": dict(zip(_CRITERIA, shares, strict=True)),
        "n_boot": boots,
        "max_questions": most,
        "confidence": confidence,
    }
    with progress_bar(progress, "segmentations") as report:
        core = _core.segmentations_compare(
            frame.core,
            given,
            value,
            columns,
            most,
            shares,
            boots,
            confidence,
            seed,
            json.dumps(settings),
            report,
        )
    return SegmentationComparison(core, frame.native)


def _tagged(segmentations: Mapping[str, Any], scenario: Mapping[str, str] | None) -> dict[str, str]:
    """The scenario of each segmentation."""
    tagged = dict(scenario or {})
    for name, found in tagged.items():
        if name not in segmentations:
            raise DataError(
                f"scenario: found {name!r}, but the segmentations are {', '.join(map(repr, segmentations))}"
            )
        if found not in _SCENARIOS:
            raise DataError(
                f"scenario of {name!r}: found {found!r}, but the scenarios are {', '.join(map(repr, _SCENARIOS))}"
            )
    return tagged


def _weights(weights: Mapping[str, float] | None) -> list[float]:
    """The weight of each criterion."""
    given = reals_by_name("weights", weights)
    for name in given:
        if name not in _CRITERIA:
            raise DataError(
                f"weights: found {name!r}, but the criteria are {', '.join(map(repr, _CRITERIA))}"
            )
    return [given.get(name, 1.0) for name in _CRITERIA]


def _stability(segments: Any, frame: Frame, n_boot: int, seed: int) -> float:
    """Median adjusted Rand index where the segments can be found anew, else NaN."""
    from ilk.quality import stability
    from ilk.segments import Segmentation

    if (
        not isinstance(segments, Segmentation)
        or segments.origin != "clustering"
        or len(to_dict(segments._core.history())["edit"]) > 0
        or n_boot == 0
    ):
        return float("nan")
    features = [feature["name"] for feature in segments.preparation]
    found = stability(
        frame,
        k=[segments.k],
        n_boot=n_boot,
        method=segments.method,  # type: ignore[arg-type]
        features=features,
        scale=segments.manifest["settings"].get("scale", "auto"),
        n_init=2,
        sample_size=5000,
        random_state=seed,
        progress=False,
    )
    return float(found.to_dict()["median"][0])

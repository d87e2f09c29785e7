"""Every trait of every segment beside that of all customers."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ilk import _core
from ilk._arguments import column_name, real, whole
from ilk._arguments import names as names_of
from ilk._frame import Frame, free_name, require_columns, to_dict, to_native
from ilk._labels import labelled, own_columns
from ilk._progress import progress_bar
from ilk._result import Explanation, Result
from ilk.exceptions import DataError
from ilk.profile._words import counted_level, shown_traits, trait_name, trait_value, two_sided

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.axes import Axes

    from ilk._progress import Progress

__all__ = ["SegmentProfile", "profile", "ranked"]

_RANKINGS = ("v_test", "prevalence", "lift")


class SegmentProfile(Result):
    """What makes segments different; made by :func:`profile` and :meth:`Segmentation.profile`.

    ``.table`` has one row per trait and segment. A trait is a number, a category (``level``) or a column of 0 and 1;
    ``measure`` says whether its ``value`` in the segment is a "mean", a "share", or a "date", the mean of days since
    1970-01-01. Beside it stand:

    - ``n``, the customers of the segment that have a value, and the interval of ``value``: of Student's t for a mean, of
      Wilson for a share (95 % unless another confidence was asked for);
    - ``overall``, ``others`` and ``spread``: the value over all customers, over those not in the segment, and the
      standard deviation over all;
    - ``index``, value over overall; of a share this is its ``lift``, with its interval [3]_;
    - ``v_test`` [1]_, its p, and p adjusted for all tests (``q``) [2]_;
    - ``effect``, the difference from the others as Cohen's d (numbers) or h (shares), and its ``size`` in a word [4]_;
    - ``auc``, the probability that a customer of the segment has more of it than one of the others, ties counting half:
      0.5 says nothing, 0 and 1 tell them apart;
    - ``common``: at least half of the segment has it; ``unique``: at most 5 % of all others have it, it is at least five
      times as frequent as among them, and that is significant;
    - ``marker``: the difference from overall is significant (q < 0.05) and at least a quarter of the trait's range, half
      of the overall value (where nothing is below 0), or half a standard deviation [5]_.

    Dates are in days since 1970-01-01.

    References
    ----------
    .. [1] Lebart, Morineau and Piron (1995), Statistique exploratoire multidimensionnelle. For numbers (mean in the
       segment - mean) / sqrt(variance / n * (N - n) / (N - 1)); for shares the normal quantile of the two-sided mid-p of
       the hypergeometric law, as in ``catdes`` of FactoMineR (Lê, Josse and Husson 2008, Journal of Statistical Software
       25).
    .. [2] Benjamini and Hochberg (1995), Journal of the Royal Statistical Society B 57.
    .. [3] Donner and Zou (2012), Statistical Methods in Medical Research 21, from Wilson's intervals.
    .. [4] Cohen (1988), Statistical Power Analysis for the Behavioral Sciences.
    .. [5] Dolnicar, Grün and Leisch (2018), Market Segmentation Analysis; the standard deviation is ours.

    Examples
    --------
    >>> import ilk
    >>> market = ilk.datasets.make_market(600, random_state=1)
    >>> profile = ilk.segment(market.customers, ["age", "income"], k=2, random_state=0).profile()
    >>> sorted(set(profile.to_dict()["feature"]))
    ['age', 'income']
    """

    __slots__ = ()

    _wraps = _core.SegmentProfile
    _title = "What makes the segments different"
    _formats: ClassVar[Mapping[str, str]] = {"n": "count", "index": "index", "p": "p", "q": "p"}

    @property
    def effects(self) -> Any:
        """One row per feature, the largest effect first: how much it differs over all segments.

        ``effect`` is eta squared of a number, the share of its variance that lies between segments, with the analysis of
        variance, and Cramér's V of categories, with Pearson's chi squared; ``size`` is the effect in Cohen's words (0.01,
        0.06, 0.14; V times the root of the smaller number of categories or segments less 1: 0.1, 0.3, 0.5). ``q`` is
        adjusted over the features.
        """
        return to_native(self._core.effects(), self._native)

    @property
    def values(self) -> Any:
        """One row per segment and one column per trait: means and shares alone.

        Of a feature with two categories only one stands there, the yes where there is one.
        """
        columns = self.to_dict()
        names, _ = self._core.about()
        traits = [
            trait_name(columns["feature"][row], columns["level"][row]) for row in self._rows()
        ]
        wide: dict[str, Any] = {free_name("segment", *traits): names}
        for row, trait in zip(self._rows(), traits, strict=True):
            wide[free_name(trait, *wide)] = columns["value"][row : row + len(names)]
        return to_native(Frame.of(wide).core, self._native)

    def markers(self, top: int = 5) -> dict[str, list[str]]:
        """The traits that mark each segment, in words, the strongest first.

        Of a feature with two categories the one is told that the segment has more of.
        """
        columns = self.to_dict()
        of_two = two_sided(columns)

        def strength(row: int) -> float | None:
            opposite = columns["feature"][row] in of_two and columns["v_test"][row] < 0
            return abs(columns["v_test"][row]) if columns["marker"][row] and not opposite else None

        return self._told(columns, strength, top)

    def common(self, at_least: float = 0.5, top: int = 5) -> dict[str, list[str]]:
        """What the customers of each segment share, in words, the most frequent first.

        Parameters
        ----------
        at_least : float
            Share of the segment that has the trait.
        top : int
            Most traits of a segment.
        """
        at_least = _share("at_least", at_least)
        columns = self.to_dict()

        def strength(row: int) -> float | None:
            value = columns["value"][row]
            return value if columns["measure"][row] == "share" and value >= at_least else None

        return self._told(columns, strength, top)

    def unique(self, at_most: float = 0.05, top: int = 5) -> dict[str, list[str]]:
        """What hardly anybody outside each segment has, in words, the most frequent first.

        Traits are told that at most this share of all others has, that are at least five times as frequent in the
        segment, and significantly so (q < 0.05).

        Parameters
        ----------
        at_most : float
            Share of the others that has the trait.
        top : int
            Most traits of a segment.
        """
        at_most = _share("at_most", at_most)
        columns = self.to_dict()

        def strength(row: int) -> float | None:
            value, others = columns["value"][row], columns["others"][row]
            rare = columns["measure"][row] == "share" and others <= at_most
            found = rare and value >= 5 * others and columns["v_test"][row] > 0
            return value if found and columns["q"][row] < 0.05 else None

        return self._told(columns, strength, top, "others")

    def ranked(
        self,
        items: Mapping[str, Sequence[str]] | Sequence[str] | None = None,
        *,
        by: str = "v_test",
        top: int | None = None,
    ) -> Any:
        """Problems, needs, habits and other items of each segment, ranked; see :func:`ranked`."""
        if by not in _RANKINGS:
            options = ", ".join(f'"{name}"' for name in _RANKINGS)
            raise DataError(f"by: found {by!r}, but one of {options} is needed")
        if top is not None and (isinstance(top, bool) or not isinstance(top, int) or top < 1):
            raise DataError(
                f"top: found {top!r}, but a whole number from 1 up is needed; try: top=5"
            )
        columns = self.to_dict()
        names, _ = self._core.about()
        lists = _item_lists(items, columns)
        found: dict[str, list[Any]] = {name: [] for name in (*_LISTED, *_FIGURES)}
        named_by_column = {kind: _counted(columns, rows) for kind, rows in lists.items()}
        measure = {"v_test": "v_test", "prevalence": "value", "lift": "lift"}[by]
        for kind, rows in lists.items():
            for segment, name in enumerate(names):
                strength = columns[measure][[row + segment for row in rows]]
                order = np.argsort(-np.nan_to_num(strength, nan=-math.inf), kind="stable")[:top]
                for rank, at in enumerate(order, start=1):
                    row = rows[at] + segment
                    level = "" if rows[at] in named_by_column[kind] else columns["level"][row]
                    listed = (kind, name, rank, trait_name(columns["feature"][row], level))
                    for column, value in zip(_LISTED, listed, strict=True):
                        found[column].append(value)
                    for column, source in _FIGURES.items():
                        found[column].append(columns[source][row])
        arrays = {
            name: values if name in ("kind", "segment", "item") else np.asarray(values)
            for name, values in found.items()
        }
        return to_native(Frame.of(arrays).core, self._native)

    def explain(self) -> Explanation:
        """What separates the segments most, and the marking and unique traits of each."""
        effects = to_dict(self._core.effects())
        told = [
            f"{feature} ({measure} {effect:.2f}, {size})"
            for feature, measure, effect, size in zip(
                effects["feature"],
                effects["measure"],
                effects["effect"],
                effects["size"],
                strict=True,
            )
            if size
        ][:3]
        lines = [f"What differs most between the segments: {', '.join(told)}."] if told else []
        unique = self.unique(top=3)
        for name, traits in self.markers(top=8).items():
            line = f"{name}: {'; '.join(traits) or 'no trait far from the average'}."
            if unique[name]:
                line += f" Hardly anybody else: {'; '.join(unique[name])}."
            lines.append(line)
        lines.append(
            "A trait is named where it differs significantly (5 % level, adjusted for all traits) and by at least half a "
            "standard deviation, a quarter of its range or half of the overall value."
        )
        return Explanation("\n".join(lines))

    def plot(self, kind: str = "profile", *, top: int = 12, ax: Axes | None = None) -> Axes:
        """Draw the traits of the segments, or how much each feature differs.

        Parameters
        ----------
        kind : {"profile", "effects"}
            A dot with its interval per trait and segment, filled where the trait marks the segment; or bars of eta
            squared and Cramér's V.
        top : int
            Most traits or features that are shown, those that differ most.
        ax : matplotlib Axes, optional
            Where to draw; a new figure where none is given.

        Returns
        -------
        matplotlib Axes
            Its label (``get_label()``) describes the picture in words.
        """
        from ilk.plot import profile as plots

        return plots.plot(self, kind, top=top, ax=ax)

    def _rows(self) -> list[int]:
        """First row of each trait that is shown."""
        return shown_traits(self.to_dict(), len(self._core.about()[0]))

    def _told(
        self,
        columns: Mapping[str, Any],
        strength: Callable[[int], float | None],
        top: int,
        beside: str = "overall",
    ) -> dict[str, list[str]]:
        """Traits with a strength in words, by segment, the strongest first."""
        top = whole("top", top)
        found: dict[str, list[tuple[float, str]]] = {name: [] for name in self._core.about()[0]}
        for row, name in enumerate(columns["segment"]):
            of_row = strength(row)
            if of_row is not None:
                found[name].append((-of_row, _in_words(columns, row, beside)))
        return {name: [text for _, text in sorted(traits)[:top]] for name, traits in found.items()}

    def _shown(self) -> dict[str, Any]:
        """One row per trait, one column per segment."""
        columns = self.to_dict()
        names, _ = self._core.about()
        traits = shown_traits(columns, len(names))
        # A segment may be called as a column is.
        shown: dict[str, Any] = {
            free_name("trait", *names): [
                trait_name(columns["feature"][row], columns["level"][row]) for row in traits
            ]
        }
        for offset, name in enumerate(names):
            shown[name] = [_cell(columns, row + offset) for row in traits]
        shown[free_name("all", *names)] = [
            trait_value(columns["overall"][row], columns["measure"][row]) for row in traits
        ]
        return shown


#: Columns of a ranking, and those of the profile that the others come from.
_LISTED = ("kind", "segment", "rank", "item")
_FIGURES = {
    "n": "n",
    "prevalence": "value",
    "prevalence_lo": "value_lo",
    "prevalence_hi": "value_hi",
    "overall": "overall",
    "lift": "lift",
    "lift_lo": "lift_lo",
    "lift_hi": "lift_hi",
    "v_test": "v_test",
    "q": "q",
}


def _item_lists(
    items: Mapping[str, Sequence[str]] | Sequence[str] | None, columns: Mapping[str, Any]
) -> dict[str, list[int]]:
    """First rows of the traits of each list of items: of yes and no the yes, of other categories each."""
    features = list(dict.fromkeys(columns["feature"]))
    shares = dict.fromkeys(
        feature
        for feature, measure in zip(columns["feature"], columns["measure"], strict=True)
        if measure == "share"
    )
    if items is None:
        lists: dict[str, list[str]] = {"item": list(shares)}
    elif isinstance(items, str):
        raise TypeError("items: found one text, but names of columns are needed")
    elif isinstance(items, Mapping):
        for kind, names in items.items():
            if isinstance(names, str):
                raise TypeError(f"items[{kind!r}]: found one text, but names of columns are needed")
        lists = {str(kind): list(names) for kind, names in items.items()}
    else:
        lists = {"item": list(items)}
    for kind, names in lists.items():
        require_columns(names, features)
        for name in names:
            if name not in shares:
                raise DataError(
                    f"items: found {name!r} among {kind!r}, but it is a number, and an item is a column of yes and no, "
                    f"0 and 1 or categories; try: df[{name!r}] = df[{name!r}] >= 4"
                )
    first: dict[str, dict[str, int]] = {}
    for row, (feature, level) in enumerate(zip(columns["feature"], columns["level"], strict=True)):
        first.setdefault(feature, {}).setdefault(level, row)

    def rows(name: str) -> list[int]:
        counted = counted_level(first[name])
        return list(first[name].values()) if counted is None else [first[name][counted]]

    return {kind: [row for name in names for row in rows(name)] for kind, names in lists.items()}


def _counted(columns: Mapping[str, Any], rows: Sequence[int]) -> set[int]:
    """Rows of items whose column has only a yes that counts, so that its name says all."""
    levels: dict[str, set[str]] = {}
    for feature, level in zip(columns["feature"], columns["level"], strict=True):
        levels.setdefault(feature, set()).add(level)
    return {row for row in rows if counted_level(levels[columns["feature"][row]]) is not None}


def _share(argument: str, value: float) -> float:
    share = real(argument, value)
    if not 0 <= share <= 1:
        raise DataError(f"{argument}: found {value!r}, but a share from 0 to 1 is needed")
    return share


def _cell(columns: Mapping[str, Any], row: int) -> str:
    text = trait_value(columns["value"][row], columns["measure"][row])
    if not columns["marker"][row]:
        return text
    return f"{text} ▲" if columns["v_test"][row] > 0 else f"{text} ▼"


def _in_words(columns: Mapping[str, Any], row: int, beside: str) -> str:
    measure = columns["measure"][row]
    value, other = (trait_value(columns[name][row], measure) for name in ("value", beside))
    whom = "overall" if beside == "overall" else "of all others"
    return f"{trait_name(columns['feature'][row], columns['level'][row])} {value} against {other} {whom}"


def named_columns(
    argument: str, names: Sequence[str] | None, have: Sequence[str]
) -> list[str] | None:
    """Names of columns as given, each once; nothing where none were given."""
    if names is None:
        return None
    named = names_of(argument, names)
    require_columns(named, have)
    twice = [name for name in named if named.count(name) > 1]
    if twice:
        raise DataError(f"{argument}: found {twice[0]!r} twice, but a column is taken once")
    if not named:
        raise DataError(f"{argument}: found no column, but at least one is needed")
    return named


def profile(
    segments: Any,
    df: Any = None,
    features: Sequence[str] | None = None,
    *,
    weights: str | None = None,
    confidence: float = 0.95,
    progress: Progress = "auto",
) -> SegmentProfile:
    """Say what makes segments different, by any columns: those they were found on and all others.

    Parameters
    ----------
    segments : Segmentation, fitted estimator, Series, array, or name of a column of ``df``
        One segment for each row. Customers without one do not count.
    df : frame, optional
        One row per customer; by default the customers that a segmentation was found on.
    features : sequence of str, optional
        Columns to profile the segments by; by default all but the segments and the weights, without identifiers, columns
        with more than 50 categories and columns without a value. What was not used stands in the manifest.
    weights : str, optional
        Column with what each row counts for. Whole numbers count customers: a row of weight 2 is as good as two rows.
        Other weights are survey weights; together they count for Kish's effective number of customers,
        (sum w)² / sum w².
    confidence : float
        Of the intervals.
    progress : bool, "auto" or callable
        Whether to show a progress bar.

    Returns
    -------
    SegmentProfile
        With ``.table``, ``.effects``, ``.values``, ``.markers()``, ``.common()``, ``.unique()``, ``.ranked()``,
        ``.plot()`` and ``.explain()``.

    Raises
    ------
    DataError
        If no customer has a segment, a named column has no value or more than 1000 categories, or a weight is negative.
    MissingColumnError
        If a column is not there.

    Notes
    -----
    Rows pair by position, but for pandas: where segments (a Series, or a segmentation of a pandas frame) and ``df`` have the
    same index labels in another order, and none twice, they pair by index. So do all functions that take segments.

    S5-PAT-01, S5-CHAR-01. Each column is read once and numbers are sorted once for their ranks, so that ``auc`` is exact.
    A value that is missing leaves its customer out of that column alone. Segments found by clustering some features differ
    in those features by construction: their p-values say how sharply, not whether; those of other columns are tests.

    Examples
    --------
    >>> import ilk
    >>> from ilk.profile import profile
    >>> market = ilk.datasets.make_market(600, random_state=1)
    >>> found = profile("household", market.customers, ["age", "basket_value", "channel"])
    >>> found.to_dict()["measure"][0]
    'mean'
    """
    frame, labels = labelled(segments, df)
    named = named_columns("features", features, frame.columns)
    if weights is not None:
        require_columns([column_name("weights", weights)], frame.columns)
    confidence = real("confidence", confidence)
    settings = {"features": named, "weights": weights, "confidence": confidence}
    with progress_bar(progress, "profile") as report:
        core = _core.profile_segments(
            frame.core,
            labels.codes,
            labels.names,
            named,
            own_columns(segments, frame, labels),
            weights,
            confidence,
            json.dumps(settings),
            report,
        )
    return SegmentProfile(core, frame.native)


def ranked(
    segments: Any,
    df: Any = None,
    *,
    items: Mapping[str, Sequence[str]] | Sequence[str],
    by: str = "v_test",
    top: int | None = None,
    weights: str | None = None,
    confidence: float = 0.95,
) -> Any:
    """Rank the problems, needs and habits of each segment.

    Parameters
    ----------
    segments : Segmentation, fitted estimator, Series, array, or name of a column of ``df``
        One segment for each row.
    df : frame, optional
        One row per customer; by default the customers that a segmentation was found on.
    items : mapping of str to sequence of str, or sequence of str
        Columns, in lists by kind: ``{"problems": [...], "needs": [...], "habits": [...]}``. Of a column of yes and no, true
        and false or 1 and 0 the yes counts; of other categories each is an item.
    by : {"v_test", "prevalence", "lift"}
        What ranks: how surely the segment has more of it than all, its share, or its share over that of all.
    top : int, optional
        Most items of a list and segment.
    weights : str, optional
        Column with what each row counts for, see :func:`profile`.
    confidence : float
        Of the intervals.

    Returns
    -------
    frame
        One row per kind, segment and item, ranked: ``prevalence`` with Wilson's interval, ``overall``, ``lift`` with its
        interval, ``v_test`` and its ``q``, which is adjusted over all items and segments.

    Raises
    ------
    DataError
        If an item is a column of numbers.
    MissingColumnError
        If a column is not there.

    Notes
    -----
    S2-PERS-02. Formulas and sources are those of :class:`SegmentProfile`.

    Examples
    --------
    >>> from ilk.profile import ranked
    >>> answers = {
    ...     "group": ["a"] * 4 + ["b"] * 4,
    ...     "no time": ["yes", "yes", "yes", "no", "no", "no", "no", "yes"],
    ...     "cheap": [0, 0, 1, 0, 1, 1, 1, 1],
    ... }
    >>> found = ranked("group", answers, items={"problems": ["no time"], "needs": ["cheap"]})
    >>> [round(float(share), 2) for share in found["prevalence"]]
    [0.75, 0.25, 0.25, 1.0]
    """
    if isinstance(items, str):
        raise TypeError("items: found one text, but names of columns are needed")
    lists = list(items.values()) if isinstance(items, Mapping) else [items]
    texts = [names for names in lists if isinstance(names, str)]
    if texts:
        raise TypeError(f"items: found the text {texts[0]!r}, but a list of columns is needed")
    features = list(dict.fromkeys(name for names in lists for name in names))
    found = profile(segments, df, features, weights=weights, confidence=confidence, progress=False)
    return found.ranked(items, by=by, top=top)

"""Who the customers are: segments from mixed data, with the evidence for how many there are."""

from __future__ import annotations

import json
import warnings
from collections import Counter
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, cast

import numpy as np

from ilk import _core, _html
from ilk._frame import Frame, free_name, to_native
from ilk._methods import METHODS
from ilk._progress import progress_bar
from ilk._random import new_seed
from ilk._result import Explanation, Result
from ilk.exceptions import DataError, DataWarning

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from ilk._methods import Method
    from ilk._progress import Progress

__all__ = ["SegmentProfile", "Segmentation", "segment"]

_SCALES = ("auto", "standard", "range", "none")
_MISSING = ("auto", "ignore", "drop", "error")


def segment(
    df: Any,
    features: Sequence[str] | None = None,
    method: Method = "auto",
    k: int | Literal["auto"] = "auto",
    exclude: str | Sequence[str] | None = None,
    weights: str | None = None,
    scale: Literal["auto", "standard", "range", "none"] = "auto",
    missing: Literal["auto", "ignore", "drop", "error"] = "auto",
    random_state: int | None = None,
    *,
    k_max: int = 9,
    n_init: int = 10,
    progress: Progress = "auto",
) -> Segmentation:
    """Find the segments of customers.

    Amounts, dates and ordered categories are compared as numbers, text and other categories by equality. Columns that
    look like identifiers or free text, and constant ones, are left out with a warning unless they are named in
    ``features``.

    Parameters
    ----------
    df : frame of shape (n_customers, n_columns)
        pandas, polars, pyarrow, DuckDB, NumPy, or a dict of columns; one row per customer.
    features : sequence of str, optional
        Columns to use. By default all but ``exclude``.
    method : {"auto", "kmeans", "kprototypes", "gaussian_mixture", "latent_class"}
        ``"auto"`` is k-means where every feature is an amount and nothing is missing, else k-prototypes.
        ``"gaussian_mixture"`` gives every segment a spread of its own (full covariances) and takes complete amounts alone;
        ``"latent_class"`` reads every feature as categories, numbers with up to 50 different values too, and suits
        answers to surveys. Under both a customer belongs to the likeliest segment.
    k : int or "auto"
        Number of segments. ``"auto"`` tries 2 to ``k_max``. A number repeats on other customers if its prediction
        strength [1]_ plus one standard error, over 10 random halvings, reaches 0.8. Of those that repeat, the largest
        is taken whose mean silhouette [2]_ is at least 90 % of the widest among them. Where none repeats, the one with
        the widest mean silhouette is taken, and the result says so. Methods with a likelihood take the number with the
        lowest BIC [3]_, judged on all customers, and say whether it repeats. Data with more than 4,000 rows is judged on a
        random sample of that size.
    exclude : str or sequence of str, optional
        Columns not to use, such as the outcome that the segments are to be judged by.
    weights : str, optional
        Column with the weight of each customer.
    scale : {"auto", "standard", "range", "none"}
        ``"standard"``: mean 0, standard deviation 1. ``"auto"``: the same, after ``ln(1 + x / median)`` for
        amounts without negative values whose skewness is above 2, so that a few big spenders do not fill a segment of
        their own. ``"range"``: smallest 0, largest 1.
    missing : {"auto", "ignore", "drop", "error"}
        ``"ignore"`` (what ``"auto"`` stands for) uses what a customer has: a missing value costs nothing in any segment.
        ``"drop"`` leaves such customers out, counted in the manifest.
    random_state : int, optional
        Seed of everything random. By default a new one is drawn and kept in the manifest.
    k_max : int
        Most segments tried.
    n_init : int
        Starts of the final fit; the best is kept.
    progress : bool, "auto" or callable
        Whether to show a progress bar; ``"auto"`` does where tqdm is installed and the work takes over a second. A
        function is called with the units of work done and in all.

    Returns
    -------
    Segmentation
        Labels, sizes, profile and evidence; applies to new customers.

    Raises
    ------
    MissingColumnError
        If a named column is not there.
    DataError
        If an option or a value is not allowed; the message names the column, the row and the value.

    References
    ----------
    .. [1] Tibshirani and Walther (2005), Cluster validation by prediction strength, Journal of Computational and
       Graphical Statistics 14.
    .. [2] Rousseeuw (1987), Silhouettes, Journal of Computational and Applied Mathematics 20.
    .. [3] Schwarz (1978), Estimating the dimension of a model, Annals of Statistics 6.

    Examples
    --------
    >>> import ilk
    >>> market = ilk.datasets.make_market(600, random_state=1)
    >>> features = ["age", "household", "visits_per_month", "basket_value", "discount_share"]
    >>> segmentation = ilk.segment(market.customers, features, random_state=0)
    >>> segmentation.k == len(segmentation.names)
    True
    >>> sum(segmentation.sizes.values())
    600
    """
    _check_option("method", method, METHODS)
    _check_option("scale", scale, _SCALES)
    _check_option("missing", missing, _MISSING)
    if k != "auto" and (isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 1):
        raise DataError(f'k: found {k!r}, but a whole number from 1 up, or "auto", is needed')
    if isinstance(features, str):
        features = [features]
    excluded = [exclude] if isinstance(exclude, str) else list(exclude or [])
    seed = new_seed(random_state)
    frame = Frame.of(df)
    settings = {
        "features": None if features is None else list(features),
        "method": method,
        "k": k if k == "auto" else int(k),
        "exclude": excluded,
        "weights": weights,
        "scale": scale,
        "missing": missing,
        "k_max": k_max,
        "n_init": n_init,
    }
    with progress_bar(progress, "segment") as report:
        core = _core.find_segments(
            frame.core,
            None if features is None else list(features),
            excluded,
            method,
            None if k == "auto" else int(k),
            k_max,
            weights,
            scale,
            "ignore" if missing == "auto" else missing,
            n_init,
            seed,
            json.dumps(settings),
            report,
        )
    found = Segmentation(core, frame.native)
    object.__setattr__(
        found, "_index", getattr(df, "index", None) if frame.native == "pandas" else None
    )
    for column, reason in core.unused():
        warnings.warn(f"column {column!r} is not used: it {reason}", DataWarning, stacklevel=2)
    for note in found.manifest["notes"]:
        warnings.warn(note, DataWarning, stacklevel=2)
    return found


class Segmentation(Result):
    """Customers in segments; made by :func:`segment`.

    ``.table`` has one row per segment: its name, its customers and their share.

    Examples
    --------
    >>> import ilk
    >>> market = ilk.datasets.make_market(600, random_state=1)
    >>> features = ["age", "household", "visits_per_month", "basket_value", "discount_share"]
    >>> segmentation = ilk.segment(market.customers, features, k=3, random_state=0)
    >>> segmentation.rename({"segment 1": "the many"}).names[0]
    'the many'
    >>> segmentation.limit(2).k
    2
    """

    __slots__ = ("_index",)

    _wraps = _core.Segmentation
    _title = "Segments"
    _formats: ClassVar[Mapping[str, str]] = {"n": "count", "share": "share"}

    _index: Any

    @property
    def k(self) -> int:
        """Number of segments."""
        return len(self.names)

    @property
    def names(self) -> list[str]:
        """Names of the segments, the largest first."""
        names: list[str] = self._core.names()
        return names

    @property
    def sizes(self) -> dict[str, int]:
        """Customers of each segment."""
        return dict(zip(self.names, self.to_dict()["n"].tolist(), strict=True))

    @property
    def codes(self) -> NDArray[np.int64]:
        """Number of each customer's segment, shape (n_customers,); -1 for those left out."""
        codes: NDArray[np.int64] = self._core.labels()
        return codes

    @property
    def labels(self) -> Any:
        """Name of each customer's segment: a categorical Series in pandas and polars, else an array of text."""
        return self._labelled(self.codes, getattr(self, "_index", None))

    @property
    def evidence(self) -> Any:
        """One row for each number of segments tried; empty where the number was given."""
        return to_native(self._core.evidence(), self._native)

    @property
    def drivers(self) -> Any:
        """The features with their share of what separates the segments."""
        return to_native(self._core.drivers(), self._native)

    @property
    def reason(self) -> str:
        """Why there are so many segments."""
        reason: str = self._core.choice()[2]
        return reason

    @property
    def method(self) -> str:
        """The clustering method in use."""
        return str(json.loads(self._core.method()))

    @property
    def preparation(self) -> list[dict[str, Any]]:
        """How each feature was read: role, logarithm, centre and spread, or its categories."""
        features: list[dict[str, Any]] = json.loads(self._core.preparation())["features"]
        return features

    def profile(self) -> SegmentProfile:
        """What makes each segment different: every trait beside its overall value."""
        return SegmentProfile(self._core.profile(), self._native)

    def rename(self, names: Mapping[str, str] | Sequence[str]) -> Self:
        """The same segments under other names.

        Parameters
        ----------
        names : mapping or sequence of str
            Old names to new ones, or one name for each segment in order.
        """
        if isinstance(names, str):
            raise TypeError(
                "names: found one text, but a mapping or one name per segment is needed"
            )
        if hasattr(names, "items"):
            names = cast("Mapping[str, str]", names)  # or a pandas Series
            unknown = [old for old in names if old not in self.names]
            if unknown:
                raise DataError(
                    f"names: found {unknown[0]!r}, but the segments are {', '.join(map(repr, self.names))}"
                )
            new = [names.get(old, old) for old in self.names]
        else:
            new = list(names)
        return self._with(self._core.rename([str(name) for name in new]))

    def limit(self, n: int = 7) -> Self:
        """At most ``n`` segments: the two nearest are put together until so many are left.

        Near by Ward's criterion, the loss of separation. Six or seven is what people can keep apart. New customers go
        to the nearest original segment, and so into the one it became part of.
        """
        return self._with(self._core.limit(n))

    def merge(self, *groups: Sequence[str]) -> Self:
        """Segments put together by hand: each group of names becomes one segment, the others stay."""
        at = {name: number for number, name in enumerate(self.names)}
        for name in (name for group in groups for name in group):
            if name not in at:
                raise DataError(
                    f"merge: found {name!r}, but the segments are {', '.join(map(repr, self.names))}"
                )
        lists = [[at[name] for name in group] for group in groups]
        taken = {number for group in lists for number in group}
        lists += [[number] for number in at.values() if number not in taken]
        return self._with(self._core.merge(lists))

    def predict(self, df: Any) -> Any:
        """Segments of new customers, as :attr:`labels` gives them.

        Features are read as they were when the segments were found. A category not met then differs from every segment
        alike, and is warned of; a customer without a value in any feature has no segment.
        """
        frame = Frame.of(df, columns=[feature["name"] for feature in self.preparation])
        codes, unknown = self._core.predict(frame.core)
        for column, n_rows in unknown:
            warnings.warn(
                f"column {column!r}: {n_rows} rows hold a category that was not met when the segments were found",
                DataWarning,
                stacklevel=2,
            )
        index = getattr(df, "index", None) if frame.native == "pandas" else None
        return self._labelled(codes, index, frame.native)

    def explain(self) -> Explanation:
        """How many segments there are, why, and what marks each."""
        lines = [f"{self.manifest['rows_used']:,} customers fall into {self.k} segments."]
        lines.append(f"Why {self.k}: {self.reason}." if self.k > 1 else "")
        drivers = self._core.drivers()
        features, shares = drivers.column("feature"), drivers.column("share")
        leading = sorted(zip(shares, features, strict=True), key=lambda pair: -pair[0])[:3]
        told = ", ".join(f"{feature} ({share:.0%})" for share, feature in leading)
        lines.append(f"What separates them most: {told}.")
        markers = self.profile().markers(top=4)
        for name, n, share in zip(
            self.names, self.sizes.values(), self.to_dict()["share"], strict=True
        ):
            told = "; ".join(markers[name]) or "no trait far from the average"
            lines.append(f"{name} ({n:,} customers, {share:.0%}): {told}.")
        lines.extend(f"Note: {note}." for note in self.manifest["notes"])
        lines.append(
            "A trait is named where it differs significantly (5 % level, adjusted for all traits) and by at least half a "
            "standard deviation, a quarter of its range or half of the overall mean."
        )
        return Explanation("\n".join(line for line in lines if line))

    def plot(self, kind: str = "profile", *, ax: Any = None, **options: Any) -> Any:
        """Draw the segments; returns matplotlib Axes.

        Parameters
        ----------
        kind : {"profile", "evidence", "sizes"}
            Traits by segment with values in the cells; the evidence for each number of segments; the sizes.
        """
        from ilk.plot import segments as plots

        return plots.plot(self, kind, ax=ax, **options)

    def _with(self, core: Any) -> Self:
        changed = type(self)(core, self._native)
        object.__setattr__(changed, "_index", getattr(self, "_index", None))
        return changed

    def _labelled(self, codes: NDArray[np.int64], index: Any, native: str | None = None) -> Any:
        native = native or self._native
        if native == "pandas":
            import pandas as pd

            values = pd.Categorical.from_codes(codes, categories=pd.Index(self.names, dtype="str"))
            return pd.Series(values, index=index, name="segment")
        names = [self.names[code] if code >= 0 else None for code in codes]
        if native == "polars":
            import polars as pl

            return pl.Series("segment", names, dtype=pl.Enum(self.names))
        return np.array(names, dtype=object)


class SegmentProfile(Result):
    """What makes segments different; made by :meth:`Segmentation.profile`.

    ``.table`` has one row per trait and segment: the mean of an amount or the share of a category (``level``) in the
    segment (``value``) and over all (``overall``), their ratio (``index``), the v-test [1]_, its p, p adjusted for all
    tests (``q``) and whether the trait marks the segment (``marker``). Dates are in days since 1970-01-01.

    References
    ----------
    .. [1] Lebart, Morineau and Piron (1995), Statistique exploratoire multidimensionnelle.

    Examples
    --------
    >>> import ilk
    >>> market = ilk.datasets.make_market(600, random_state=1)
    >>> profile = ilk.segment(market.customers, ["age", "household"], k=2, random_state=0).profile()
    >>> sorted(set(profile.to_dict()["feature"]))
    ['age', 'household']
    """

    __slots__ = ()

    _wraps = _core.SegmentProfile
    _title = "What makes the segments different"
    _formats: ClassVar[Mapping[str, str]] = {"n": "count", "index": "index", "p": "p", "q": "p"}

    def markers(self, top: int = 5) -> dict[str, list[str]]:
        """The traits that mark each segment, in words, the strongest first.

        Of a feature with two categories the one is told that the segment has more of.
        """
        columns = self.to_dict()
        of_two = two_sided(columns)
        found: dict[str, list[tuple[float, str]]] = {name: [] for name in columns["segment"]}
        for row, name in enumerate(columns["segment"]):
            opposite = columns["feature"][row] in of_two and columns["v_test"][row] < 0
            if columns["marker"][row] and not opposite:
                strength = -abs(columns["v_test"][row])
                found[name].append((strength, _in_words(columns, row)))
        return {name: [text for _, text in sorted(traits)[:top]] for name, traits in found.items()}

    def explain(self) -> Explanation:
        """The marking traits of each segment."""
        lines = [
            f"{name}: {'; '.join(traits) or 'no trait far from the average'}."
            for name, traits in self.markers(top=8).items()
        ]
        return Explanation("\n".join(lines))

    def _shown(self) -> dict[str, Any]:
        """One row per trait, one column per segment."""
        columns = self.to_dict()
        names = list(dict.fromkeys(columns["segment"]))
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
            _value(columns["overall"][row], columns["level"][row]) for row in traits
        ]
        return shown


def two_sided(columns: Mapping[str, Any]) -> set[str]:
    """Features with two categories: the share of one says that of the other."""
    pairs = set(zip(columns["feature"], columns["level"], strict=True))
    levels = Counter(feature for feature, _ in pairs)
    return {feature for feature, count in levels.items() if count == 2}


def shown_traits(columns: Mapping[str, Any], n_segments: int) -> list[int]:
    """First row of each trait of a profile, without the first category of features that have two."""
    of_two = two_sided(columns)
    told: set[str] = set()
    rows = []
    for row in range(0, len(columns["segment"]), n_segments):
        feature = columns["feature"][row]
        if feature in told or feature not in of_two:
            rows.append(row)
        told.add(feature)
    return rows


def trait_name(feature: str, level: str) -> str:
    """A trait as a person reads it."""
    return f"{feature} = {level}" if level else feature


def _value(value: float, level: str) -> str:
    return _html.format_value(value, "share" if level else "number")


def _cell(columns: Mapping[str, Any], row: int) -> str:
    text = _value(columns["value"][row], columns["level"][row])
    if not columns["marker"][row]:
        return text
    return f"{text} ▲" if columns["v_test"][row] > 0 else f"{text} ▼"


def _in_words(columns: Mapping[str, Any], row: int) -> str:
    level = columns["level"][row]
    value, overall = _value(columns["value"][row], level), _value(columns["overall"][row], level)
    return f"{trait_name(columns['feature'][row], level)} {value} against {overall} overall"


def _check_option(argument: str, value: Any, allowed: Sequence[str]) -> None:
    if value not in allowed:
        options = ", ".join(f'"{option}"' for option in allowed)
        raise DataError(f"{argument}: found {value!r}, but one of {options} is needed")

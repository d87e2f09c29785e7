"""K-prototypes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from ilk import _core
from ilk.cluster._base import number
from ilk.cluster._frames import named
from ilk.cluster._mixed import MixedClusters
from ilk.exceptions import DataError

if TYPE_CHECKING:
    from ilk._frame import Frame, Native
    from ilk._progress import Progress
    from ilk.cluster._frames import Unknown


class KPrototypes(MixedClusters):
    """K-prototypes clusters of rows of numbers and categories.

    The objective is Huang's [1]_: squared differences to the centre for numbers, plus gamma for each category
    that is not the cluster's mode. Ordered categories are ranks, scaled to [0, 1] and taken as numbers whose
    squared differences are multiplied by gamma: the ends of the scale are as far apart as two categories. The
    objective is summed over the values that are observed: a missing value contributes nothing, as in the partial
    distance of Dixon [2]_ but without rescaling, so that each step lowers the objective. Numbers are used as they
    are; scale them if their units differ. Without categorical columns this is k-means, without others k-modes.

    Parameters
    ----------
    n_clusters : int, default 8
        Number of clusters.
    categorical : "auto" or sequence of column names or positions, default "auto"
        Which columns are categories; ``"auto"`` takes those with text, categories or booleans, without the ordinal ones.
    ordinal : "auto", sequence of column names or positions, or mapping, default "auto"
        Which columns are ranks; ``"auto"`` takes those of ordered categories (a pandas ordered categorical, a polars
        Enum), unless ``categorical`` names them. Numbers named here count by the order of their values. A mapping
        gives the categories of each column from the lowest to the highest. ``[]`` is for none: ordered categories
        are then categories like others.
    gamma : "auto", "variance", float or mapping of column names to floats, default "auto"
        What a category that is not the mode costs. ``"auto"`` is half the mean standard deviation of the numeric columns
        that vary [1]_, the same for every column, and 1 without such columns; columns that a mapping does not name take
        it too. ``"variance"`` lets every column weigh the same: the mean variance of the numeric columns, over the
        column's own variation, which is one less the sum of the squared shares of its categories, or the variance of
        its ranks [4]_.
    init : {"k-means++", "huang", "cao", "random"} or frame with n_clusters rows, default "k-means++"
        Starting prototypes: rows drawn by k-means++ on the mixed cost; by Huang's method [1]_; by Cao's [3]_,
        which is not random (later starts take the numbers of rows drawn); rows drawn by weight; or these rows. With a
        frame there is one start, and cluster ``i`` stays the one that started from row ``i``.
    n_init : int, default 10
        Number of starts.
    max_iter : int, default 300
        Iterations of each start at most.
    unknown : {"warn", "ignore", "error"}, default "warn"
        What to do in :meth:`predict` with a category that was not there in :meth:`fit`; it differs from every mode,
        and in an ordinal column counts as missing.
    random_state : int, RandomState or None, default None
        Seed; the same integer gives the same result for any number of threads.
    progress : bool, "auto" or callable, default "auto"
        Whether to show a bar (if tqdm is installed), or what to call with iterations done and expected.

    Attributes
    ----------
    labels_ : ndarray of shape (n_samples,)
        Cluster of each row.
    cluster_centroids_ : frame
        One row per cluster: means of the numbers and of the ranks in [0, 1], modes of the categories, in the kind of frame
        that came in.
    cost_ : float
        The objective.
    gamma_ : dict
        The gamma of each categorical and ordinal column.
    n_iter_ : int
        Iterations of the best start.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where they had names.

    Warns
    -----
    FewClustersWarning
        If fewer rows differ than there were to be clusters.
    UnknownCategoryWarning
        If a category to be predicted was not in the data.
    DataWarning
        If a row has no value at all; it goes to cluster 0.

    References
    ----------
    .. [1] Huang, Z. (1998). Extensions to the k-means algorithm for clustering large data sets with categorical values.
       Data Mining and Knowledge Discovery 2.
    .. [2] Dixon, J. K. (1979). Pattern recognition with partly missing data. IEEE Transactions on Systems, Man, and
       Cybernetics 9.
    .. [3] Cao, F., Liang, J. and Bai, L. (2009). A new initialization method for categorical data clustering. Expert
       Systems with Applications 36.
    .. [4] Szepannek, G. (2018). clustMixType: user-friendly clustering of mixed-type data in R. The R Journal 10
       (``lambdaest``).

    Examples
    --------
    >>> from ilk.cluster import KPrototypes
    >>> customers = {
    ...     "spend": [10.0, 12.0, 11.0, 90.0, 95.0],
    ...     "channel": ["web", "web", "shop", "shop", None],
    ... }
    >>> model = KPrototypes(n_clusters=2, random_state=0).fit(customers)
    >>> model.labels_.tolist()
    [0, 0, 0, 1, 1]
    >>> model.cluster_centroids_["channel"]
    ['web', 'shop']

    Text becomes ranks where its order is given:

    >>> customers["size"] = ["s", "s", "m", "l", "l"]
    >>> order = {"size": ["s", "m", "l"]}
    >>> model = KPrototypes(n_clusters=2, ordinal=order, random_state=0).fit(customers)
    >>> model.cluster_centroids_["size"].round(2).tolist()
    [0.17, 1.0]
    """

    _Model: ClassVar[Any] = _core.KPrototypesModel

    gamma_: dict[str, float]

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        categorical: Literal["auto"] | Sequence[str | int] = "auto",
        ordinal: Literal["auto"] | Sequence[str | int] | Mapping[str, Sequence[Any]] = "auto",
        gamma: Literal["auto", "variance"] | float | Mapping[str, float] = "auto",
        init: Any = "k-means++",
        n_init: int = 10,
        max_iter: int = 300,
        unknown: Unknown = "warn",
        random_state: int | np.random.RandomState | None = None,
        progress: Progress = "auto",
    ) -> None:
        super().__init__(n_clusters, init, n_init, max_iter, unknown, random_state, progress)
        self.categorical = categorical
        self.ordinal = ordinal
        self.gamma = gamma

    def _own_parameters(self, frame: Frame) -> dict[str, Any]:
        kinds = frame.kinds()
        nominal = _named("categorical", self.categorical, frame)
        ordinal = _named("ordinal", self.ordinal, frame)
        if ordinal is None:
            ordinal = [
                n for n, kind in kinds.items() if kind == "ordinal" and n not in (nominal or ())
            ]
        twice = [name for name in ordinal if name in (nominal or ())]
        if twice:
            raise DataError(
                f"ordinal: found {twice[0]!r}, which is among the categorical columns too; "
                f"try: categorical={[name for name in nominal or () if name not in twice]!r}"
            )
        if nominal is None:
            wanted = {"boolean", "nominal", "ordinal"}
            nominal = [n for n, kind in kinds.items() if kind in wanted and n not in ordinal]
        orders = self.ordinal if isinstance(self.ordinal, Mapping) else {}
        return {
            "numeric": [
                name for name in frame.columns if name not in nominal and name not in ordinal
            ],
            "categorical": nominal,
            "ordinal": [(name, _order(name, orders.get(name, ()))) for name in ordinal],
            "gamma": self._gammas(nominal, ordinal),
        }

    def _gammas(self, categorical: list[str], ordinal: list[str]) -> str | list[float]:
        if isinstance(self.gamma, str):
            if self.gamma in ("auto", "variance"):
                return self.gamma
            raise DataError(
                f'gamma: found {self.gamma!r}, but "auto", "variance" or a number is needed'
            )
        names = categorical + ordinal
        if isinstance(self.gamma, Mapping):
            for name in self.gamma:
                if name not in names:
                    raise DataError(
                        f"gamma: found {name!r}, but the categorical and ordinal columns are {names}"
                    )
            return [
                number("gamma", self.gamma[name]) if name in self.gamma else np.nan
                for name in names
            ]
        return [number("gamma", self.gamma)] * len(names)

    def _take_attributes(self, native: Native | None = None) -> None:
        super()._take_attributes(native)
        model = self._model
        gammas = dict(zip(model.categorical + model.ordinal, model.gamma, strict=True))
        self.gamma_ = {name: gammas[name] for name in model.names if name in gammas}


def _named(argument: str, wanted: Any, frame: Frame) -> list[str] | None:
    """Names of the columns that an argument names, in the order of the frame; none for ``"auto"``."""
    if isinstance(wanted, str):
        if wanted == "auto":
            return None
        raise DataError(
            f'{argument}: found {wanted!r}, but "auto" or a list is needed; '
            f"try: {argument}=[{wanted!r}]"
        )
    return named(argument, wanted, frame)


def _order(name: str, categories: Sequence[Any]) -> list[str]:
    """The categories of an ordinal column as text, from the lowest to the highest."""
    if isinstance(categories, str):
        raise DataError(
            f"ordinal: found {categories!r} for column {name!r}, but a list of categories is needed"
        )
    order = [str(category) for category in categories]
    for at, category in enumerate(order):
        if category in order[:at]:
            raise DataError(f"ordinal: found {category!r} twice for column {name!r}")
    return order

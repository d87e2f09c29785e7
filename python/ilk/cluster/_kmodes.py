"""K-modes."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ilk import _core
from ilk.cluster._mixed import MixedClusters
from ilk.exceptions import DataWarning

if TYPE_CHECKING:
    from ilk._frame import Frame
    from ilk._progress import Progress
    from ilk.cluster._frames import Unknown


#: A column of fewer different numbers is not told of.
_MANY = 20


class KModes(MixedClusters):
    """K-modes clusters of rows of categories.

    The objective is Huang's [1]_: the number of categories that are not the mode of their cluster. Every column counts
    as categories, numbers and ordered categories too, each different value being one;
    :class:`~ilk.cluster.KPrototypes` is for columns whose differences or ranks mean something. A missing value
    costs nothing, whichever the cluster, so that each step lowers the objective. Of up to 4,096 rows, single ones move
    too once assigning all of them helps no more [3]_: in small clusters several categories are often equally
    frequent, and the mode is but one of them.

    Parameters
    ----------
    n_clusters : int, default 8
        Number of clusters.
    init : {"k-means++", "huang", "cao", "random"} or frame with n_clusters rows, default "k-means++"
        Starting modes: rows drawn by k-means++ on the number of differing categories; by Huang's method [1]_; by Cao's
        [2]_, which is not random, so that every start is the same; rows drawn by weight; or these rows. With a frame
        there is one start, and cluster ``i`` stays the one that started from row ``i``.
    n_init : int, default 10
        Number of starts.
    max_iter : int, default 300
        Iterations of each start at most.
    unknown : {"warn", "ignore", "error"}, default "warn"
        What to do in :meth:`predict` with a category that was not there in :meth:`fit`; it differs from every mode.
    random_state : int, RandomState or None, default None
        Seed; the same integer gives the same result for any number of threads.
    progress : bool, "auto" or callable, default "auto"
        Whether to show a bar (if tqdm is installed), or what to call with iterations done and expected.

    Attributes
    ----------
    labels_ : ndarray of shape (n_samples,)
        Cluster of each row.
    cluster_centroids_ : frame
        One row per cluster: the modes, in the kind of frame that came in.
    cost_ : float
        The objective.
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
        If a row has no value at all, it goes to cluster 0. If in a column of numbers more than half of the rows have a
        number that no other row has, rows hardly agree there, and the column says next to nothing.

    References
    ----------
    .. [1] Huang, Z. (1998). Extensions to the k-means algorithm for clustering large data sets with categorical values.
       Data Mining and Knowledge Discovery 2.
    .. [2] Cao, F., Liang, J. and Bai, L. (2009). A new initialization method for categorical data clustering. Expert
       Systems with Applications 36.
    .. [3] Hartigan, J. A. and Wong, M. A. (1979). A k-means clustering algorithm. Applied Statistics 28.

    Examples
    --------
    >>> from ilk.cluster import KModes
    >>> answers = {
    ...     "channel": ["web", "web", "web", "shop", "shop"],
    ...     "payment": ["card", "card", None, "cash", "card"],
    ...     "member": [True, True, True, False, False],
    ... }
    >>> model = KModes(n_clusters=2, random_state=0).fit(answers)
    >>> model.labels_.tolist(), model.cost_
    ([0, 0, 0, 1, 1], 1.0)
    >>> model.cluster_centroids_["channel"]
    ['web', 'shop']
    """

    _Model: ClassVar[Any] = _core.KModesModel

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        init: Any = "k-means++",
        n_init: int = 10,
        max_iter: int = 300,
        unknown: Unknown = "warn",
        random_state: int | np.random.RandomState | None = None,
        progress: Progress = "auto",
    ) -> None:
        super().__init__(n_clusters, init, n_init, max_iter, unknown, random_state, progress)

    def _warn_of(self, frame: Frame) -> None:
        """Tell of columns of numbers in which hardly any two rows agree."""
        kinds = frame.kinds()
        model = self._model
        for name, n_different in zip(model.categorical, model.n_categories, strict=True):
            if kinds[name] != "number" or n_different < _MANY:
                continue
            values = frame.core.numeric(name)
            values = values[~np.isnan(values)]
            if n_different <= len(values) / 2:
                continue
            alone = int((np.unique(values, return_counts=True)[1] == 1).sum())
            if alone > len(values) / 2:
                warnings.warn(
                    f"column {name!r}: {alone} of {len(values)} rows have a number that no other row has, "
                    "and k-modes sees only whether numbers are equal; try: KPrototypes, or "
                    f"df[{name!r}] = pd.qcut(df[{name!r}], 5)",
                    DataWarning,
                    stacklevel=3,
                )

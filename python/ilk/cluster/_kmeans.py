"""K-means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ilk import _core
from ilk._arguments import whole
from ilk._progress import progress_bar
from ilk.cluster._base import (
    Clusters,
    OfNumbers,
    checked_weights,
    enough_rows,
    number,
    seed_of,
)
from ilk.exceptions import DataError

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import ArrayLike, NDArray

    from ilk._progress import Progress


class KMeans(Clusters, OfNumbers):
    """K-means clusters of rows of numbers.

    Lloyd's algorithm: each row goes to the nearest centre, each centre to the mean of its rows, until nothing moves.
    The best of ``n_init`` starts is kept. ``float32`` and ``float64`` are computed as they are.

    Parameters
    ----------
    n_clusters : int, default 8
        Number of clusters.
    init : {"k-means++", "random"} or array of shape (n_clusters, n_features), default "k-means++"
        Starting centres: greedy k-means++ [1]_ drawn by weight, rows drawn by weight, or these. With an array there
        is one start, and cluster ``i`` stays the one that started from row ``i``; otherwise cluster 0 is the heaviest.
    n_init : int, default 10
        Number of starts.
    max_iter : int, default 300
        Iterations of each start at most.
    tol : float, default 1e-4
        A start ends once the squared shifts of all centres sum to no more than this share of the columns' mean
        variance.
    random_state : int, RandomState or None, default None
        Seed; the same integer gives the same result for any number of threads.
    progress : bool, "auto" or callable, default "auto"
        Whether to show a bar (if tqdm is installed), or what to call with iterations done and expected.

    Attributes
    ----------
    labels_ : ndarray of shape (n_samples,)
        Cluster of each row.
    cluster_centers_ : ndarray of shape (n_clusters, n_features)
        Means of the clusters.
    inertia_ : float
        Weighted sum of squared distances to the nearest centre.
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

    References
    ----------
    .. [1] Arthur, D. and Vassilvitskii, S. (2007). k-means++: the advantages of careful seeding. SODA.

    Examples
    --------
    >>> from ilk.cluster import KMeans
    >>> model = KMeans(n_clusters=2, random_state=0).fit([[1.0], [1.2], [0.9], [7.0], [7.1]])
    >>> model.labels_.tolist()
    [0, 0, 0, 1, 1]
    >>> model.predict([[6.0]]).tolist()
    [1]
    """

    _Model: ClassVar[Any] = _core.KMeansModel
    _dtypes: ClassVar[Any] = [np.float64, np.float32]

    cluster_centers_: NDArray[Any]
    labels_: NDArray[np.int32]
    inertia_: float
    n_iter_: int

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        init: Literal["k-means++", "random"] | ArrayLike = "k-means++",
        n_init: int = 10,
        max_iter: int = 300,
        tol: float = 1e-4,
        random_state: int | np.random.RandomState | None = None,
        progress: Progress = "auto",
    ) -> None:
        self.n_clusters = n_clusters
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state
        self.progress = progress

    def fit(self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None) -> Self:
        """Find the clusters.

        Parameters
        ----------
        X : array or frame of shape (n_samples, n_features)
            Rows of finite numbers.
        y : ignored
            There for scikit-learn's interface.
        sample_weight : array of shape (n_samples,), optional
            Weights, not negative; a weight of 2 is the same as two rows.

        Returns
        -------
        KMeans
            The estimator.

        Raises
        ------
        DataError
            If a value is not finite, a parameter or weight is out of range, or there are fewer rows than clusters.
        """
        self._fit(X, sample_weight, None)
        return self

    def _fit(self, X: Any, sample_weight: ArrayLike | None, batch: int | None) -> None:
        """Fit all rows, in batches where their size is given, or as the first batch where it is 0."""
        rows = self._fit_rows(X)
        n_clusters = enough_rows("n_clusters", self.n_clusters, len(rows))
        init = self.init
        if not isinstance(init, str):
            init = np.ascontiguousarray(init, dtype=rows.dtype)
            if init.shape != (n_clusters, rows.shape[1]):
                raise DataError(
                    f"init: found centres of shape {init.shape}, "
                    f"but ({n_clusters}, {rows.shape[1]}) is needed"
                )
        with progress_bar(self.progress, type(self).__name__) as show:
            self._model = _core.KMeansModel.fit(
                rows,
                checked_weights(sample_weight, rows),
                n_clusters=n_clusters,
                init=init,
                n_init=whole("n_init", self.n_init, 1),
                max_iter=whole("max_iter", self.max_iter, 1),
                tol=number("tol", self.tol),
                seed=seed_of(self.random_state),
                names=self._names(),
                progress=show,
                batch=batch,
            )
        self._take_attributes()
        self._warn_if_few()

    def _take_attributes(self) -> None:
        self.cluster_centers_ = self._model.centres
        self.labels_ = self._model.labels
        self.inertia_ = self._model.inertia
        self.n_iter_ = self._model.n_iter

    def _rows(self, X: Any) -> NDArray[Any]:
        rows = self._new_rows(X)
        return np.asarray(rows, dtype=self._model.dtype)

    def predict(self, X: Any) -> NDArray[np.int32]:
        """The nearest cluster of each row.

        Parameters
        ----------
        X : array or frame of shape (n_samples, n_features)
            Rows of finite numbers.

        Returns
        -------
        ndarray of shape (n_samples,)
            Labels; ties go to the lowest.
        """
        return self._checked_model().predict(self._rows(X))

    def transform(self, X: Any) -> NDArray[Any]:
        """Distance of each row to every centre.

        Parameters
        ----------
        X : array or frame of shape (n_samples, n_features)
            Rows of finite numbers.

        Returns
        -------
        ndarray of shape (n_samples, n_clusters)
            Euclidean distances.
        """
        return self._checked_model().distances(self._rows(X))

    def score(self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None) -> float:
        """Minus the weighted sum of squared distances to the nearest centre.

        Parameters
        ----------
        X : array or frame of shape (n_samples, n_features)
            Rows of finite numbers.
        y : ignored
            There for scikit-learn's interface.
        sample_weight : array of shape (n_samples,), optional
            Weights, not negative.

        Returns
        -------
        float
            Higher is better.
        """
        rows = self._rows(X)
        return -self._checked_model().cost(rows, checked_weights(sample_weight, rows))

    def _checked_model(self) -> _core.KMeansModel:
        check_is_fitted(self)
        model: _core.KMeansModel = self._model
        return model

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

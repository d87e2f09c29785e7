"""K-means of rows that come in batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from ilk._arguments import whole
from ilk.cluster._base import checked_weights
from ilk.cluster._kmeans import KMeans

if TYPE_CHECKING:
    from typing import Self

    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    from ilk._progress import Progress


class MiniBatchKMeans(KMeans):
    """K-means clusters of rows that come in batches, or are too many to be read often.

    Each centre is the mean of all the rows that were given to it so far, whichever batch they came in: a batch is given
    to the nearest centres as they stand, then each centre moves towards the mean of its new rows by their share in all
    its rows [1]_. :meth:`partial_fit` takes a batch and remembers centres and weights, not rows; :meth:`fit` starts from
    the k-means of a sample and draws batches from rows that are all there. Where they are, :class:`KMeans` is usually fast
    enough and finds the better clusters.

    Parameters
    ----------
    n_clusters : int, default 8
        Number of clusters.
    init : {"k-means++", "random"} or array of shape (n_clusters, n_features), default "k-means++"
        Where the k-means of the sample or of the first batch starts, or the first centres themselves. With an array,
        cluster ``i`` stays the one that started from row ``i``.
    batch_size : int, default 1024
        Rows that :meth:`fit` draws at a time.
    n_init : int, default 3
        Number of starts on the sample or on the first batch.
    max_iter : int, default 100
        :meth:`fit` draws as many rows as this many times the rows that there are, at most.
    tol : float, default 1e-4
        :meth:`fit` ends once the squared shifts of all centres, over as many drawn rows as there are, sum to no more than
        this share of the columns' mean variance.
    random_state : int, RandomState or None, default None
        Seed; the same integer gives the same result for any number of threads.
    progress : bool, "auto" or callable, default "auto"
        Whether to show a bar (if tqdm is installed), or what to call with iterations done and expected.

    Attributes
    ----------
    labels_ : ndarray of shape (n_samples,)
        Cluster of each row; after :meth:`partial_fit`, of each row of the last batch.
    cluster_centers_ : ndarray of shape (n_clusters, n_features)
        Means of the rows given to the clusters.
    cluster_weights_ : ndarray of shape (n_clusters,)
        Total weight of the rows of each cluster so far.
    inertia_ : float
        Weighted sum of squared distances to the nearest centre, over the rows of ``labels_``.
    n_iter_ : int
        Times that as many rows were drawn as there are; after :meth:`partial_fit`, with the batches taken since.
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
    .. [1] Sculley, D. (2010). Web-scale k-means clustering. WWW.

    Examples
    --------
    >>> from ilk.cluster import MiniBatchKMeans
    >>> model = MiniBatchKMeans(n_clusters=2, random_state=0)
    >>> model = model.partial_fit([[1.0], [1.2], [0.8], [7.0]])
    >>> model.cluster_centers_.ravel().tolist()
    [1.0, 7.0]
    >>> model.partial_fit([[8.0]]).cluster_centers_.ravel().tolist()
    [1.0, 7.5]
    """

    cluster_weights_: NDArray[np.float64]

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        init: Literal["k-means++", "random"] | ArrayLike = "k-means++",
        batch_size: int = 1024,
        n_init: int = 3,
        max_iter: int = 100,
        tol: float = 1e-4,
        random_state: int | np.random.RandomState | None = None,
        progress: Progress = "auto",
    ) -> None:
        super().__init__(
            n_clusters,
            init=init,
            n_init=n_init,
            max_iter=max_iter,
            tol=tol,
            random_state=random_state,
            progress=progress,
        )
        self.batch_size = batch_size

    def fit(self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None) -> Self:
        """Find the clusters of rows that are all there; what was fitted before is forgotten.

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
        MiniBatchKMeans
            The estimator.

        Raises
        ------
        DataError
            If a value is not finite, a parameter or weight is out of range, or there are fewer rows than clusters.
        """
        self._fit(X, sample_weight, whole("batch_size", self.batch_size, 1))
        return self

    def partial_fit(self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None) -> Self:
        """Take another batch of rows.

        The first batch is clustered by k-means, unless ``init`` are centres; it must have at least as many rows as
        there are clusters. Later ones move the centres, by any number of rows. After :meth:`fit` or ``from_json`` the
        batches move those centres. Clusters keep their numbers.

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
        MiniBatchKMeans
            The estimator.

        Raises
        ------
        DataError
            If a value is not finite, a parameter or weight is out of range, or the first batch has fewer rows than there
            are clusters. The centres are then as they were.
        """
        if not hasattr(self, "_model"):
            self._fit(X, sample_weight, 0)
            return self
        rows = self._rows(X)
        self._model = self._checked_model().updated(rows, checked_weights(sample_weight, rows))
        self._take_attributes()
        return self

    def _take_attributes(self) -> None:
        super()._take_attributes()
        self.cluster_weights_ = self._model.weights

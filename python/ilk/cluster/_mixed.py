"""What k-modes and k-prototypes share: clusters described by prototypes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sklearn.utils.validation import check_is_fitted

from ilk._arguments import whole
from ilk._frame import default_native, to_native
from ilk._progress import progress_bar
from ilk.cluster._base import (
    Clusters,
    checked_weights,
    enough_rows,
    seed_of,
    warn_of_empty_rows,
)
from ilk.cluster._frames import OfFrames, Rows, frame_of

if TYPE_CHECKING:
    from typing import Self

    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    from ilk._frame import Frame, Native
    from ilk._progress import Progress
    from ilk.cluster._frames import Unknown


class MixedClusters(Clusters, OfFrames):
    """Clusters of the rows of frames, described by prototypes."""

    labels_: NDArray[np.int32]
    cluster_centroids_: Any
    cost_: float
    n_iter_: int

    def __init__(
        self,
        n_clusters: int,
        init: Any,
        n_init: int,
        max_iter: int,
        unknown: Unknown,
        random_state: int | np.random.RandomState | None,
        progress: Progress,
    ) -> None:
        self.n_clusters = n_clusters
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.unknown = unknown
        self.random_state = random_state
        self.progress = progress

    def fit(self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None) -> Self:
        """Find the clusters.

        Parameters
        ----------
        X : frame or array of shape (n_samples, n_features)
            Any data frame, a dict of columns, or an array; values may be missing.
        y : ignored
            There for scikit-learn's interface.
        sample_weight : array of shape (n_samples,), optional
            Weights, not negative; a weight of 2 is the same as two rows.

        Returns
        -------
        estimator
            The estimator itself.

        Raises
        ------
        DataError
            If a number is infinite, a column has no value, a parameter or weight is out of range, or there are fewer
            rows than clusters.
        MissingColumnError
            If a parameter names a column that is not there.
        """
        self._check_unknown()
        frame = self._take(X, reset=True)
        n_clusters = enough_rows("n_clusters", self.n_clusters, len(frame))
        own = self._own_parameters(frame)
        init = self.init
        if not isinstance(init, str):
            init = frame_of(init, frame.columns).core
        with progress_bar(self.progress, type(self).__name__) as show:
            self._model, n_empty = self._Model.fit(
                frame.core,
                checked_weights(sample_weight, Rows(len(frame))),
                **own,
                n_clusters=n_clusters,
                init=init,
                n_init=whole("n_init", self.n_init, 1),
                max_iter=whole("max_iter", self.max_iter, 1),
                seed=seed_of(self.random_state),
                progress=show,
            )
        self._take_attributes(frame.native)
        self._warn_if_few()
        self._warn_of(frame)
        warn_of_empty_rows(n_empty)
        return self

    def _own_parameters(self, frame: Frame) -> dict[str, Any]:
        """What the core takes beyond the parameters that all share."""
        return {}

    def _warn_of(self, frame: Frame) -> None:
        """Tell what is wrong with the columns."""

    def _take_attributes(self, native: Native | None = None) -> None:
        model = self._model
        self.labels_ = model.labels
        self.cost_ = model.cost
        self.n_iter_ = model.n_iter
        self.cluster_centroids_ = to_native(model.centroids, native or default_native())

    def predict(self, X: Any) -> NDArray[np.int32]:
        """The nearest cluster of each row.

        Parameters
        ----------
        X : frame or array of shape (n_samples, n_features)
            The columns of :meth:`fit`; values may be missing.

        Returns
        -------
        ndarray of shape (n_samples,)
            Labels; ties go to the lowest.
        """
        check_is_fitted(self)
        labels: NDArray[np.int32]
        labels, unseen, n_empty = self._model.predict(self._take(X, reset=False).core)
        self._tell(unseen)
        warn_of_empty_rows(n_empty)
        return labels

    def transform(self, X: Any) -> NDArray[np.float64]:
        """Distance of each row to every cluster.

        Parameters
        ----------
        X : frame or array of shape (n_samples, n_features)
            The columns of :meth:`fit`; values may be missing.

        Returns
        -------
        ndarray of shape (n_samples, n_clusters)
            For k-modes the number of columns that differ from the mode; for k-prototypes the square root of the cost,
            which is the Euclidean distance where every column is a number.
        """
        check_is_fitted(self)
        distances: NDArray[np.float64]
        distances, unseen = self._model.distances(self._take(X, reset=False).core)
        self._tell(unseen)
        return distances

    def score(self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None) -> float:
        """Minus the objective on these rows.

        Parameters
        ----------
        X : frame or array of shape (n_samples, n_features)
            The columns of :meth:`fit`; values may be missing.
        y : ignored
            There for scikit-learn's interface.
        sample_weight : array of shape (n_samples,), optional
            Weights, not negative.

        Returns
        -------
        float
            Higher is better.
        """
        check_is_fitted(self)
        frame = self._take(X, reset=False)
        weights = checked_weights(sample_weight, Rows(len(frame)))
        cost, unseen = self._model.cost_of(frame.core, weights)
        self._tell(unseen)
        return -float(cost)

    def _unseen_means(self, column: str) -> str:
        if column in self._model.ordinal:
            return "having no rank, it counts as missing"
        return "it differs from every mode"

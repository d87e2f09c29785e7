"""DBSCAN."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ilk import _core
from ilk._arguments import whole
from ilk._progress import progress_bar
from ilk.cluster._base import checked_weights, number
from ilk.cluster._density import Dense

if TYPE_CHECKING:
    from typing import Self

    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    from ilk._progress import Progress


class DBSCAN(Dense):
    """Clusters of any shape: rows that lie denser than a given bound, and rows near them.

    A row with at least ``min_samples`` rows within ``eps``, itself counted, is a core row [1]_. Core rows within ``eps`` of
    each other are in one cluster; another row is in the cluster of the nearest core row within ``eps``, and noise where
    there is none. Distances are Euclidean, so bring the columns to one scale first. Where one distance does not fit all
    regions, take :class:`HDBSCAN`.

    Parameters
    ----------
    eps : float, default 0.5
        Distance up to which rows are neighbours, above 0.
    min_samples : int, default 5
        Weight of neighbours, the row itself counted, from which on a row is a core row.
    progress : bool, "auto" or callable, default "auto"
        Whether to show a bar (if tqdm is installed), or what to call with steps done and expected.

    Attributes
    ----------
    labels_ : ndarray of shape (n_samples,)
        Cluster of each row, the heaviest first; -1 is noise.
    core_sample_indices_ : ndarray of shape (n_core_samples,)
        Numbers of the core rows.
    components_ : ndarray of shape (n_core_samples, n_features)
        The core rows.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where they had names.

    Warns
    -----
    NoClustersWarning
        If every row is noise.

    Notes
    -----
    Core rows, noise and the clusters of core rows are those of scikit-learn. A row that is near core rows of two clusters is
    in the nearest one's here; there in that of the first.

    Neighbourhoods are not listed, so a wide ``eps`` costs neither more memory nor much more time than a narrow one.

    References
    ----------
    .. [1] Ester, M., Kriegel, H.-P., Sander, J. and Xu, X. (1996). A density-based algorithm for discovering clusters in
       large spatial databases with noise. KDD.

    Examples
    --------
    >>> from ilk.cluster import DBSCAN
    >>> model = DBSCAN(eps=0.3, min_samples=2).fit([[1.0], [1.2], [1.4], [5.0], [5.1], [9.0]])
    >>> model.labels_.tolist()
    [0, 0, 0, 1, 1, -1]
    >>> model.predict([[1.6], [3.0]]).tolist()
    [0, -1]
    """

    _Model: ClassVar[Any] = _core.DBSCANModel

    core_sample_indices_: NDArray[np.int64]
    components_: NDArray[np.float64]

    def __init__(
        self, eps: float = 0.5, *, min_samples: int = 5, progress: Progress = "auto"
    ) -> None:
        self.eps = eps
        self.min_samples = min_samples
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
            Weights, not negative; a weight of 2 is the same as two rows. A row of weight 0 is labelled, but is never a
            core row.

        Returns
        -------
        DBSCAN
            The estimator.

        Raises
        ------
        DataError
            If a value is not finite, or a parameter or weight is out of range.
        """
        rows = self._fit_rows(X)
        with progress_bar(self.progress, type(self).__name__) as show:
            self._model = _core.DBSCANModel.fit(
                rows,
                checked_weights(sample_weight, rows),
                eps=number("eps", self.eps),
                min_samples=whole("min_samples", self.min_samples, 1),
                names=self._names(),
                progress=show,
            )
        self._take_attributes()
        self._warn_if_none("try a larger eps or a smaller min_samples")
        return self

    def fit_predict(
        self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None
    ) -> NDArray[np.int32]:
        """Find the clusters and give the labels.

        Parameters
        ----------
        X : array or frame of shape (n_samples, n_features)
            Rows of finite numbers.
        y : ignored
            There for scikit-learn's interface.
        sample_weight : array of shape (n_samples,), optional
            Weights, as for :meth:`fit`.

        Returns
        -------
        ndarray of shape (n_samples,)
            Labels; -1 is noise.
        """
        return self.fit(X, sample_weight=sample_weight).labels_

    def _take_attributes(self) -> None:
        self.labels_ = self._model.labels
        self.core_sample_indices_ = self._model.core_rows
        self.components_ = self._model.components

    def predict(self, X: Any) -> NDArray[np.int32]:
        """The cluster of the nearest core row within ``eps`` of each row.

        Parameters
        ----------
        X : array or frame of shape (n_samples, n_features)
            Rows of finite numbers.

        Returns
        -------
        ndarray of shape (n_samples,)
            Labels; -1 where there is no core row within ``eps``. Training rows get their own.
        """
        rows = self._new_rows(X)
        labels: NDArray[np.int32] = self._model.predict(rows)
        return labels

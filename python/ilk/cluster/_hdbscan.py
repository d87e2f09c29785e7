"""HDBSCAN."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from ilk import _core
from ilk._arguments import whole
from ilk._progress import progress_bar
from ilk.cluster._base import number
from ilk.cluster._density import Dense
from ilk.exceptions import DataError

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import NDArray

    from ilk._progress import Progress


class HDBSCAN(Dense):
    """Clusters of any shape and density; rows in thin regions belong to none.

    DBSCAN at every distance at once [1]_: clusters are regions of high density that last over a wide range of
    densities. Their number is found, not given. Distances are Euclidean, so bring the columns to one scale first.

    Parameters
    ----------
    min_cluster_size : int, default 5
        Rows that a group must have to be a cluster, at least 2.
    min_samples : int, optional
        A row's core distance is the distance to its ``min_samples``-th nearest row, the row itself counted, as in
        scikit-learn; package hdbscan does not count it, so its ``min_samples`` is one less. Larger values call more rows
        noise. By default ``min_cluster_size``, or the number of rows if that is less.
    cluster_selection_epsilon : float, default 0.0
        Clusters that would split at smaller distances than this stay one.
    max_cluster_size : int, optional
        "eom" chooses no clusters with more rows.
    cluster_selection_method : {"eom", "leaf"}, default "eom"
        Excess of mass chooses the clusters that last longest; "leaf" those that do not split, many and small.
    allow_single_cluster : bool, default False
        Whether all rows may be one cluster.
    progress : bool, "auto" or callable, default "auto"
        Whether to show a bar (if tqdm is installed), or what to call with steps done and expected.

    Attributes
    ----------
    labels_ : ndarray of shape (n_samples,)
        Cluster of each row, the largest first; -1 is noise.
    probabilities_ : ndarray of shape (n_samples,)
        How deep each row lies in its cluster: 1 in the densest part, 0 for noise.
    outlier_scores_ : ndarray of shape (n_samples,)
        How far each row lies outside the densest part of its region (GLOSH [2]_): 0 in the densest part, near 1 for an
        outlier.
    cluster_persistence_ : ndarray of shape (n_clusters,)
        Excess of mass of each cluster: its rows, each by the range of densities (1 / distance) in which it is in it;
        infinite where rows of a cluster are equal, since they stay together at any density.
    exemplars_ : list of ndarray
        Numbers of the rows in the densest parts of each cluster: typical members, however the cluster is shaped.
    core_distances_ : ndarray of shape (n_samples,)
        Distance of each row to its ``min_samples``-th nearest row.
    condensed_tree_ : structured ndarray
        One line for each row or cluster that leaves a cluster: ``parent``, ``child``, ``lambda_val`` (density) and
        ``child_size``. Numbers below ``n_samples`` are rows, ``n_samples`` is the root. ``pandas.DataFrame`` takes it.
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
    Edges of equal length are removed together, as the definition has it, so the answer does not depend on the order of
    the rows. Other implementations break such ties by that order: with equal core distances a row at the edge may be a
    member there and noise here.

    The search is exact. Time grows little faster than the number of rows while there are few columns, and nears its
    square when there are many (more than about 20).

    References
    ----------
    .. [1] Campello, R. J. G. B., Moulavi, D. and Sander, J. (2013). Density-based clustering based on hierarchical
       density estimates. PAKDD.
    .. [2] Campello, R. J. G. B., Moulavi, D., Zimek, A. and Sander, J. (2015). Hierarchical density estimates for data
       clustering, visualization, and outlier detection. ACM TKDD 10(1).

    Examples
    --------
    >>> from ilk.cluster import HDBSCAN
    >>> rows = [[1.0], [1.1], [1.2], [1.3], [5.0], [5.2], [5.4], [9.9]]
    >>> model = HDBSCAN(min_cluster_size=3, min_samples=2).fit(rows)
    >>> model.labels_.tolist()
    [0, 0, 0, 0, 1, 1, 1, -1]
    >>> model.predict([[1.15], [100.0]]).tolist()
    [0, -1]
    """

    _Model: ClassVar[Any] = _core.HDBSCANModel

    probabilities_: NDArray[np.float64]
    outlier_scores_: NDArray[np.float64]
    cluster_persistence_: NDArray[np.float64]
    core_distances_: NDArray[np.float64]
    exemplars_: list[NDArray[np.int64]]

    def __init__(
        self,
        min_cluster_size: int = 5,
        *,
        min_samples: int | None = None,
        cluster_selection_epsilon: float = 0.0,
        max_cluster_size: int | None = None,
        cluster_selection_method: Literal["eom", "leaf"] = "eom",
        allow_single_cluster: bool = False,
        progress: Progress = "auto",
    ) -> None:
        self.min_cluster_size = min_cluster_size
        self.min_samples = min_samples
        self.cluster_selection_epsilon = cluster_selection_epsilon
        self.max_cluster_size = max_cluster_size
        self.cluster_selection_method = cluster_selection_method
        self.allow_single_cluster = allow_single_cluster
        self.progress = progress

    def fit(self, X: Any, y: Any = None) -> Self:
        """Find the clusters.

        Parameters
        ----------
        X : array or frame of shape (n_samples, n_features)
            Rows of finite numbers.
        y : ignored
            There for scikit-learn's interface.

        Returns
        -------
        HDBSCAN
            The estimator.

        Raises
        ------
        DataError
            If a value is not finite, a parameter is out of range, or there are fewer rows than ``min_samples``.
        """
        rows = self._fit_rows(X)
        if not isinstance(self.allow_single_cluster, (bool, np.bool_)):
            raise DataError(
                f"allow_single_cluster: found {self.allow_single_cluster!r}, but True or False is needed"
            )
        with progress_bar(self.progress, type(self).__name__) as show:
            self._model = _core.HDBSCANModel.fit(
                rows,
                min_cluster_size=whole("min_cluster_size", self.min_cluster_size, 1),
                min_samples=_optional("min_samples", self.min_samples),
                cluster_selection_epsilon=number(
                    "cluster_selection_epsilon", self.cluster_selection_epsilon
                ),
                max_cluster_size=_optional("max_cluster_size", self.max_cluster_size),
                cluster_selection_method=str(self.cluster_selection_method),
                allow_single_cluster=bool(self.allow_single_cluster),
                names=self._names(),
                progress=show,
            )
        self._take_attributes()
        self._warn_if_none("try a smaller min_cluster_size or min_samples")
        return self

    def _take_attributes(self) -> None:
        self.labels_ = self._model.labels
        self.probabilities_ = self._model.probabilities
        self.outlier_scores_ = self._model.outlier_scores
        self.cluster_persistence_ = self._model.stabilities
        self.core_distances_ = self._model.core_distances
        self.exemplars_ = self._model.exemplars

    @property
    def condensed_tree_(self) -> NDArray[Any]:
        """One line for each row or cluster that leaves a cluster, by parent and density."""
        if not hasattr(self, "_model"):
            raise AttributeError("condensed_tree_ is there after fit")
        columns = dict(
            zip(("parent", "child", "lambda_val", "child_size"), self._model.branches, strict=True)
        )
        tree = np.empty(
            len(columns["parent"]),
            dtype=[(name, values.dtype) for name, values in columns.items()],
        )
        for name, values in columns.items():
            tree[name] = values
        return tree

    def predict(self, X: Any) -> NDArray[np.int32]:
        """The cluster that each row would fall into, with the clusters as they are.

        A row joins the training row that it reaches first: at the largest of both core distances and their distance.
        Training rows get their own labels. A full new fit with the rows added may differ.

        Parameters
        ----------
        X : array or frame of shape (n_samples, n_features)
            Rows of finite numbers.

        Returns
        -------
        ndarray of shape (n_samples,)
            Labels; -1 is noise.
        """
        rows = self._new_rows(X)
        labels: NDArray[np.int32] = self._model.predict(rows)[0]
        return labels

    def membership(self, X: Any) -> NDArray[np.float64]:
        """How deep each row would lie in the cluster that :meth:`predict` gives.

        Parameters
        ----------
        X : array or frame of shape (n_samples, n_features)
            Rows of finite numbers.

        Returns
        -------
        ndarray of shape (n_samples,)
            1 in the densest part, 0 for noise; :attr:`probabilities_` for training rows.
        """
        rows = self._new_rows(X)
        shares: NDArray[np.float64] = self._model.predict(rows)[1]
        return shares


def _optional(name: str, value: Any) -> int | None:
    return None if value is None else whole(name, value, 1)

"""K-medoids."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from sklearn.utils.validation import check_is_fitted, validate_data

from ilk import _core
from ilk._arguments import whole
from ilk._frame import Frame, default_native, to_native
from ilk._progress import progress_bar
from ilk.cluster._base import Clusters, checked_weights, enough_rows, seed_of
from ilk.cluster._frames import OfFrames, Rows, collected, frame_of, is_frame
from ilk.cluster._gower import Names, checked_memory, roles_of, warn_of_empty_columns
from ilk.cluster._rows import Numbers, all_numbers, matrix_of, some_rows
from ilk.exceptions import ConvergenceWarning, DataError, DataWarning

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Self

    from numpy.typing import ArrayLike, NDArray

    from ilk._progress import Progress
    from ilk.cluster._frames import Unknown


class KMedoids(Clusters, OfFrames):
    """K-medoids clusters: each is represented by one of its rows, a real customer.

    Minimises the weighted sum of the distances of the rows to their medoids by FasterPAM [1]_: starting from BUILD, any
    medoid and other row are swapped if that lowers the sum, until no swap does. The rows of mixed frames are compared by
    Gower's dissimilarity (:func:`ilk.gower_distances`), so text, ordered categories, dates and missing values go straight in.

    Parameters
    ----------
    n_clusters : int, default 8
        Number of clusters.
    metric : {"auto", "gower", "euclidean", "sqeuclidean", "manhattan", "precomputed"}, default "auto"
        The distance. ``"auto"`` is Gower's where a column is not a number or a value is missing, else Euclidean; note
        that Gower's scales each column by its range, and the others take numbers as they are. With ``"precomputed"``,
        ``X`` is a square matrix of distances of either float type.
    method : {"auto", "fasterpam", "clara"}, default "auto"
        ``"fasterpam"`` swaps on all rows; distances that do not fit into memory are computed whenever they are needed.
        ``"clara"`` swaps on samples and keeps the medoids with the lowest sum over all rows. ``"auto"`` takes samples
        beyond 10,000 rows, or where the matrix of distances would not fit.
    init : {"build", "lab", "random"} or array of n_clusters row numbers, default "build"
        Where the swaps start: the row that lowers the sum most, again and again (not random); the same on random samples;
        rows drawn; or these rows. With an array, cluster ``i`` stays the one that started from it; otherwise cluster 0 is
        the heaviest.
    n_init : int, default 1
        Number of random starts, of which the best is kept.
    max_iter : int, default 100
        Passes over the candidates of each start at most.
    numeric, categorical, ordinal, asymmetric, weights
        How columns enter Gower's dissimilarity, as in :func:`ilk.gower_distances`.
    n_samples : int, default 5
        Samples that CLARA draws.
    sample_size : int, optional
        Rows of each sample; without it, 2,000 and 40 more per cluster.
    max_memory : int, optional
        Bytes that a matrix of distances may take; without it, half of the memory that is free.
    unknown : {"warn", "ignore", "error"}, default "warn"
        What to do in :meth:`predict` with a category that was not there in :meth:`fit`; it differs from every other.
    random_state : int, RandomState or None, default None
        Seed; the same integer gives the same result for any number of threads. BUILD on all rows needs none.
    progress : bool, "auto" or callable, default "auto"
        Whether to show a bar (if tqdm is installed), or what to call with passes done and expected.

    Attributes
    ----------
    labels_ : ndarray of shape (n_samples,)
        Cluster of each row.
    medoid_indices_ : ndarray of shape (n_clusters,)
        The rows that are the medoids.
    medoids_ : frame or ndarray
        These rows, in the kind of frame that came in; None for precomputed distances.
    inertia_ : float
        Weighted sum of the distances to the nearest medoid.
    mean_distance_ : float
        The same per unit of weight.
    n_iter_ : int
        Passes over the candidates.
    metric_ : str
        The distance used.
    method_ : str
        ``"fasterpam"`` or ``"clara"``.
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
        If a column has no value and is left out, or two rows have no column that both have; these count as 1 apart, the
        largest distance.
    ConvergenceWarning
        If ``max_iter`` passes were not enough.

    Notes
    -----
    Under Gower's dissimilarity new rows are compared with the ranges of the rows of :meth:`fit`; a number beyond them differs by
    at most 1. The order of the rows can matter where several sets of medoids cannot be improved by a single swap.

    References
    ----------
    .. [1] Schubert, E. and Rousseeuw, P. J. (2021). Fast and eager k-medoids clustering: O(k) runtime improvement of the PAM,
       CLARA, and CLARANS algorithms. Information Systems 101.
    .. [2] Kaufman, L. and Rousseeuw, P. J. (1990). Finding groups in data. Wiley.

    Examples
    --------
    >>> from ilk.cluster import KMedoids
    >>> customers = {
    ...     "spend": [10.0, 12.0, 11.0, 90.0, 95.0],
    ...     "channel": ["web", "web", "web", "shop", None],
    ... }
    >>> model = KMedoids(n_clusters=2).fit(customers)
    >>> model.labels_.tolist()
    [0, 0, 0, 1, 1]
    >>> model.medoids_["channel"]
    ['web', 'shop']
    >>> model.predict({"spend": [80.0], "channel": ["shop"]}).tolist()
    [1]
    """

    _Model: ClassVar[Any] = _core.KMedoidsModel

    labels_: NDArray[np.int32]
    medoid_indices_: NDArray[np.int64]
    medoids_: Any
    inertia_: float
    mean_distance_: float
    n_iter_: int
    metric_: str
    method_: str

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        metric: Literal[
            "auto", "gower", "euclidean", "sqeuclidean", "manhattan", "precomputed"
        ] = "auto",
        method: Literal["auto", "fasterpam", "clara"] = "auto",
        init: Literal["build", "lab", "random"] | ArrayLike = "build",
        n_init: int = 1,
        max_iter: int = 100,
        numeric: Literal["auto"] | Names = "auto",
        categorical: Literal["auto"] | Names = "auto",
        ordinal: Literal["auto"] | Names | Mapping[str, Sequence[str]] = "auto",
        asymmetric: Names = (),
        weights: Mapping[str, float] | Sequence[float] | None = None,
        n_samples: int = 5,
        sample_size: int | None = None,
        max_memory: int | None = None,
        unknown: Unknown = "warn",
        random_state: int | np.random.RandomState | None = None,
        progress: Progress = "auto",
    ) -> None:
        self.n_clusters = n_clusters
        self.metric = metric
        self.method = method
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.numeric = numeric
        self.categorical = categorical
        self.ordinal = ordinal
        self.asymmetric = asymmetric
        self.weights = weights
        self.n_samples = n_samples
        self.sample_size = sample_size
        self.max_memory = max_memory
        self.unknown = unknown
        self.random_state = random_state
        self.progress = progress

    def fit(self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None) -> Self:
        """Find the clusters.

        Parameters
        ----------
        X : frame or array of shape (n_samples, n_features), or of distances (n_samples, n_samples)
            Any data frame, a dict of columns, or an array; values may be missing under Gower's dissimilarity.
        y : ignored
            There for scikit-learn's interface.
        sample_weight : array of shape (n_samples,), optional
            Weights, not negative; a weight of 2 is the same as two rows, and rows of weight 0 are never medoids.

        Returns
        -------
        KMedoids
            The estimator.

        Raises
        ------
        DataError
            If a number is infinite, a parameter or weight is out of range,
            there are fewer rows than clusters, or given distances are not finite, not negative, symmetric and 0 on
            the diagonal.
        MissingColumnError
            If a column that is named is not there.
        """
        self._check_unknown()
        data = self._take_rows(X, reset=True)
        n_clusters = enough_rows("n_clusters", self.n_clusters, len(data))
        metric, roles = self._metric(data)
        n_init = whole("n_init", self.n_init, 1)
        with progress_bar(self.progress, type(self).__name__) as show:
            self._model, empty, pair = _core.KMedoidsModel.fit(
                data.core if metric == "gower" else matrix_of(data),
                checked_weights(sample_weight, Rows(len(data))),
                n_clusters=n_clusters,
                metric=metric,
                roles=roles,
                method=self.method,
                init=self._init(),
                n_init=n_init,
                max_iter=whole("max_iter", self.max_iter, 1),
                n_samples=whole("n_samples", self.n_samples, 1),
                sample_size=None
                if self.sample_size is None
                else whole("sample_size", self.sample_size, 1),
                seed=seed_of(self.random_state),
                max_memory=checked_memory(self.max_memory),
                names=self._names(),
                progress=show,
            )
        self._take_attributes()
        self.medoids_ = None if metric == "precomputed" else some_rows(X, self.medoid_indices_)
        warn_of_empty_columns(empty)
        if pair is not None:
            warnings.warn(
                f"some rows have no column that both have, {pair[0]} and {pair[1]} first; "
                "they count as 1 apart, the largest distance",
                DataWarning,
                stacklevel=2,
            )
        self._warn_if_few()
        if not self._model.converged:
            warnings.warn(
                f"max_iter={self.max_iter} passes were not enough: some swap still lowers the sum "
                f"of distances; try: max_iter={2 * self.max_iter}",
                ConvergenceWarning,
                stacklevel=2,
            )
        return self

    def _take_attributes(self) -> None:
        model = self._model
        self.labels_ = model.labels
        self.medoid_indices_ = model.indices
        self.inertia_ = model.inertia
        self.mean_distance_ = model.inertia / float(model.weights.sum())
        self.n_iter_ = model.n_iter
        self.metric_ = model.metric
        self.method_ = "clara" if model.sampled else "fasterpam"

    def _take_rows(self, X: Any, *, reset: bool) -> Frame | Numbers:
        """The data, after scikit-learn's checks of names and numbers of columns."""
        X = collected(X)
        if self.metric == "precomputed":
            return Numbers(
                validate_data(
                    self, X, reset=reset, dtype=[np.float64, np.float32], ensure_all_finite=False
                )
            )
        if is_frame(X):
            return self._take(X, reset=reset)
        rows = self._take_array(X, reset=reset)
        names = None if reset else self._model.names
        return Numbers(rows, names) if rows.dtype.kind in "fiu" else frame_of(rows, names)

    def _metric(self, data: Frame | Numbers) -> tuple[str, Any]:
        """The metric, and for Gower's how the columns enter it."""
        nothing: Any = ([], [], [])
        metric = self.metric
        if not isinstance(metric, str):
            raise TypeError(f"metric: found {metric!r}, but the name of a metric is needed")
        frame_roles = self._roles(data) if metric in ("auto", "gower") else nothing
        if metric == "auto":
            said = any(frame_roles)
            metric = "gower" if said or not all_numbers(data) else "euclidean"
        return metric, frame_roles if metric == "gower" else nothing

    def _roles(self, data: Frame | Numbers) -> Any:
        columns = (self.numeric, self.categorical, self.ordinal, self.asymmetric, self.weights)
        if isinstance(data, Numbers) and all(
            column is None or isinstance(column, str) or len(column) == 0 for column in columns
        ):
            for column in columns[:3]:
                if column != "auto":
                    return roles_of(data.frame, *columns)
            return [], [], []
        return roles_of(data if isinstance(data, Frame) else data.frame, *columns)

    def _init(self) -> Any:
        if isinstance(self.init, str):
            return self.init
        rows = np.asarray(self.init)
        if rows.ndim != 1 or rows.dtype.kind not in "iu":
            raise DataError(
                f"init: found an array of shape {rows.shape} and type {rows.dtype}, "
                f"but {self.n_clusters} row numbers are needed"
            )
        if (rows < 0).any():
            raise DataError(f"init: found {rows.min()}, but row numbers from 0 up are needed")
        return rows.tolist()

    def predict(self, X: Any) -> NDArray[np.int32]:
        """The cluster of the nearest medoid of each row.

        Parameters
        ----------
        X : frame or array of shape (n_samples, n_features), or of distances (n_samples, n_samples_fit)
            The columns of :meth:`fit`, or distances to its rows.

        Returns
        -------
        ndarray of shape (n_samples,)
            Labels; ties go to the lowest.
        """
        check_is_fitted(self)
        if self.metric_ == "precomputed":
            nearest: NDArray[np.int32] = self._given(X).argmin(axis=1).astype(np.int32)
            return nearest
        labels, unseen, pair = self._model.predict(self._new(X))
        _tell_apart(pair)
        self._tell(unseen)
        found: NDArray[np.int32] = labels
        return found

    def transform(self, X: Any) -> NDArray[Any]:
        """Distance of each row to every medoid.

        Parameters
        ----------
        X : frame or array of shape (n_samples, n_features), or of distances (n_samples, n_samples_fit)
            The columns of :meth:`fit`, or distances to its rows.

        Returns
        -------
        ndarray of shape (n_samples, n_clusters)
            Distances under the metric of :meth:`fit`.
        """
        check_is_fitted(self)
        if self.metric_ == "precomputed":
            return self._given(X)
        distances, unseen, pair = self._model.distances(self._new(X))
        _tell_apart(pair)
        self._tell(unseen)
        found: NDArray[Any] = distances
        return found

    def score(self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None) -> float:
        """Minus the weighted sum of the distances to the nearest medoid.

        Parameters
        ----------
        X : frame or array of shape (n_samples, n_features), or of distances (n_samples, n_samples_fit)
            The columns of :meth:`fit`, or distances to its rows.
        y : ignored
            There for scikit-learn's interface.
        sample_weight : array of shape (n_samples,), optional
            Weights, not negative.

        Returns
        -------
        float
            Higher is better.
        """
        nearest = self.transform(X).min(axis=1)
        weights = checked_weights(sample_weight, Rows(len(nearest)))
        return -float(nearest.sum() if weights is None else weights @ nearest)

    def _new(self, X: Any) -> Any:
        """New rows as the model takes them."""
        data = self._take_rows(X, reset=False)
        return data.core if self.metric_ == "gower" else matrix_of(data)

    def _given(self, X: Any) -> NDArray[Any]:
        """The distances of new rows to the medoids."""
        rows = validate_data(
            self, X, reset=False, dtype=[np.float64, np.float32], ensure_all_finite=False
        )
        distances = rows[:, self.medoid_indices_]
        wrong = np.argwhere(~(distances >= 0) | np.isinf(distances))
        if len(wrong):
            row, medoid = wrong[0]
            raise DataError(
                f"X[{row}, {self.medoid_indices_[medoid]}]: found {distances[row, medoid]}, "
                "but a distance must be finite and not negative"
            )
        return np.asarray(distances)

    def _unseen_means(self, column: str) -> str:
        return "it differs from every other"

    @classmethod
    def _parameters_of(cls, model: Any) -> dict[str, Any]:
        return {"n_clusters": model.n_clusters, "metric": model.metric}

    @classmethod
    def from_json(cls, text: str) -> Self:
        """A fitted estimator from what :meth:`to_json` wrote.

        Parameters
        ----------
        text : str
            The JSON.

        Returns
        -------
        KMedoids
            It predicts as the one that was saved; parameters that only matter for fitting have their defaults. Dates of
            the medoids come back as days since 1970-01-01.

        Raises
        ------
        ModelFileError
            If the text is broken, or of another kind or a newer version.
        """
        estimator = super().from_json(text)
        values = dict(estimator._model.medoids)
        if not values:
            estimator.medoids_ = None
        elif hasattr(estimator, "feature_names_in_") or estimator.metric_ == "gower":
            estimator.medoids_ = to_native(Frame.of(values).core, default_native())
        else:
            estimator.medoids_ = np.column_stack(list(values.values()))
        return estimator

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        if self.metric not in ("auto", "gower"):
            tags.input_tags.allow_nan = False
            tags.input_tags.categorical = False
            tags.input_tags.string = False
        tags.input_tags.pairwise = self.metric == "precomputed"
        return tags


def _tell_apart(pair: tuple[int, int] | None) -> None:
    """Tell of a row that no medoid can be compared with."""
    if pair is not None:
        warnings.warn(
            f"row {pair[0]} has no column that the medoid of cluster {pair[1]} has too; "
            "they count as 1 apart, the largest distance",
            DataWarning,
            stacklevel=3,
        )

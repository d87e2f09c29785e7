"""Clusters of customers: scikit-learn estimators on the compiled core.

:class:`KMeans` groups rows of numbers; :class:`KPrototypes` takes mixed frames as they are, with categories by name and
values missing. Labels are canonical: cluster 0 is the largest, and the same ``random_state`` gives the same labels
for any number of threads.
"""

from __future__ import annotations

import operator
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy.sparse import issparse
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    ClusterMixin,
    TransformerMixin,
)
from sklearn.exceptions import ConvergenceWarning as SklearnConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from ilk import _core
from ilk._frame import Frame, default_native, to_native
from ilk.exceptions import ConvergenceWarning, DataError, DataWarning

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import ArrayLike, NDArray

    from ilk._frame import Native

    Progress = bool | Callable[[int, int], object]

__all__ = ["FewClustersWarning", "KMeans", "KPrototypes", "UnknownCategoryWarning"]


class FewClustersWarning(ConvergenceWarning, SklearnConvergenceWarning):
    """Fewer rows differ than there were to be clusters."""


class UnknownCategoryWarning(DataWarning):
    """A category was not in the data that the model was fitted on."""


class _Clusters(ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClusterMixin, BaseEstimator):
    """What the estimators share."""

    n_clusters: int
    random_state: int | np.random.RandomState | None
    progress: Progress
    _model: Any

    def _seed(self) -> int:
        if isinstance(self.random_state, Integral) and self.random_state >= 0:
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))

    @property
    def _n_features_out(self) -> int:
        return int(self._model.n_clusters)

    def _enough_rows(self, n_rows: int) -> int:
        """The number of clusters, checked against the number of rows."""
        n_clusters = _whole("n_clusters", self.n_clusters)
        if n_rows < n_clusters:
            raise DataError(
                f"n_clusters={n_clusters} needs at least {n_clusters} rows, but n_samples={n_rows}; "
                f"try: n_clusters={n_rows}"
            )
        return n_clusters

    def _warn_if_few(self) -> None:
        if self._model.n_found < self.n_clusters:
            warnings.warn(
                f"found {self._model.n_found} clusters, not n_clusters={self.n_clusters}: "
                f"only {self._model.n_found} groups of rows differ; "
                f"try: n_clusters={self._model.n_found}",
                FewClustersWarning,
                stacklevel=3,
            )

    def to_json(self) -> str:
        """The fitted model as JSON: data, never code.

        Returns
        -------
        str
            What ``from_json`` reads, in this version and later ones.
        """
        check_is_fitted(self)
        return str(self._model.to_json())


class KMeans(_Clusters):
    """K-means clusters of rows of numbers.

    Lloyd's algorithm: each row goes to the nearest centre, each centre to the mean of its rows, until nothing moves. The
    best of ``n_init`` starts is kept. ``float32`` and ``float64`` are computed as they are.

    Parameters
    ----------
    n_clusters : int, default 8
        Number of clusters.
    init : {"k-means++", "random"} or array of shape (n_clusters, n_features), default "k-means++"
        Starting centres: greedy k-means++ [1]_ drawn by weight, rows drawn by weight, or these. With an array there is one
        start, and cluster ``i`` stays the one that started from row ``i``; otherwise cluster 0 is the heaviest.
    n_init : int, default 10
        Number of starts.
    max_iter : int, default 300
        Iterations of each start at most.
    tol : float, default 1e-4
        A start ends once the squared shifts of all centres sum to no more than this share of the columns' mean variance.
    random_state : int, RandomState or None, default None
        Seed; the same integer gives the same result for any number of threads.
    progress : bool or callable, default False
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
        progress: Progress = False,
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
        rows = validate_data(
            self, X, dtype=[np.float64, np.float32], ensure_all_finite=False, copy=False
        )
        n_clusters = self._enough_rows(len(rows))
        names = getattr(self, "feature_names_in_", None)
        init = self.init
        if not isinstance(init, str):
            init = np.ascontiguousarray(init, dtype=rows.dtype)
            if init.shape != (n_clusters, rows.shape[1]):
                raise DataError(
                    f"init: found centres of shape {init.shape}, "
                    f"but ({n_clusters}, {rows.shape[1]}) is needed"
                )
        with _shown(self.progress) as show:
            self._model = _core.KMeansModel.fit(
                rows,
                _weights(sample_weight, rows),
                n_clusters=n_clusters,
                init=init,
                n_init=_whole("n_init", self.n_init),
                max_iter=_whole("max_iter", self.max_iter),
                tol=_number("tol", self.tol),
                seed=self._seed(),
                names=[] if names is None else [str(name) for name in names],
                progress=show,
            )
        self._take_attributes()
        self._warn_if_few()
        return self

    def _take_attributes(self) -> None:
        self.cluster_centers_ = self._model.centres
        self.labels_ = self._model.labels
        self.inertia_ = self._model.inertia
        self.n_iter_ = self._model.n_iter

    def _rows(self, X: Any) -> NDArray[Any]:
        check_is_fitted(self)
        rows = validate_data(
            self, X, reset=False, dtype=[np.float64, np.float32], ensure_all_finite=False
        )
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
        return -self._checked_model().cost(rows, _weights(sample_weight, rows))

    def _checked_model(self) -> _core.KMeansModel:
        check_is_fitted(self)
        model: _core.KMeansModel = self._model
        return model

    @classmethod
    def from_json(cls, text: str) -> Self:
        """A fitted estimator from what :meth:`to_json` wrote.

        Parameters
        ----------
        text : str
            The JSON.

        Returns
        -------
        KMeans
            It predicts as the one that was saved; parameters that only matter for fitting have their defaults.

        Raises
        ------
        ModelFileError
            If the text is broken, or of another kind or a newer version.
        """
        model = _core.KMeansModel.from_json(text)
        estimator = cls(model.n_clusters)
        estimator._model = model
        estimator._take_attributes()
        estimator.n_features_in_ = estimator.cluster_centers_.shape[1]
        if model.names:
            estimator.feature_names_in_ = np.array(model.names, dtype=object)
        return estimator

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


class KPrototypes(_Clusters):
    """K-prototypes clusters of rows of numbers and categories.

    The objective is Huang's [1]_: squared differences to the centre for numbers, plus gamma for each category that is not
    the cluster's mode. It is summed over the values that are observed: a missing value contributes nothing, as in
    the partial distance of Dixon [2]_ but without rescaling, so that each step lowers the objective. Numbers are used as they
    are; scale them if their units differ. Without categorical columns this is k-means.

    Parameters
    ----------
    n_clusters : int, default 8
        Number of clusters.
    categorical : "auto" or sequence of column names or positions, default "auto"
        Which columns are categories; ``"auto"`` takes those with text, categories or booleans.
    gamma : "auto", float or mapping of column names to floats, default "auto"
        What a category that is not the mode costs. ``"auto"`` is half the mean standard deviation of the numeric columns;
        columns that a mapping does not name take it too.
    init : {"k-means++", "huang", "cao", "random"} or frame with n_clusters rows, default "k-means++"
        Starting prototypes: rows drawn by k-means++ on the mixed cost; by Huang's method [1]_; by Cao's [3]_, which is not
        random (later starts take the numbers of rows drawn); rows drawn by weight; or these rows. With a frame there is one
        start, and cluster ``i`` stays the one that started from row ``i``.
    n_init : int, default 10
        Number of starts.
    max_iter : int, default 300
        Iterations of each start at most.
    unknown : {"warn", "ignore", "error"}, default "warn"
        What to do in :meth:`predict` with a category that was not there in :meth:`fit`; it differs from every mode.
    random_state : int, RandomState or None, default None
        Seed; the same integer gives the same result for any number of threads.
    progress : bool or callable, default False
        Whether to show a bar (if tqdm is installed), or what to call with iterations done and expected.

    Attributes
    ----------
    labels_ : ndarray of shape (n_samples,)
        Cluster of each row.
    cluster_centroids_ : frame
        One row per cluster: means of the numbers and modes of the categories, in the kind of frame that came in.
    cost_ : float
        The objective.
    gamma_ : float or dict
        The gamma used; a dict by column where a mapping was given.
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
    """

    labels_: NDArray[np.int32]
    cluster_centroids_: Any
    cost_: float
    gamma_: float | dict[str, float]
    n_iter_: int

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        categorical: Literal["auto"] | Sequence[str | int] = "auto",
        gamma: Literal["auto"] | float | Mapping[str, float] = "auto",
        init: Any = "k-means++",
        n_init: int = 10,
        max_iter: int = 300,
        unknown: Literal["warn", "ignore", "error"] = "warn",
        random_state: int | np.random.RandomState | None = None,
        progress: Progress = False,
    ) -> None:
        self.n_clusters = n_clusters
        self.categorical = categorical
        self.gamma = gamma
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
        KPrototypes
            The estimator.

        Raises
        ------
        DataError
            If a number is infinite, a column has no value, a parameter or weight is out of range, or there are fewer
            rows than clusters.
        MissingColumnError
            If ``categorical`` or ``gamma`` name a column that is not there.
        """
        if self.unknown not in ("warn", "ignore", "error"):
            raise DataError(
                f'unknown: found {self.unknown!r}, but "warn", "ignore" or "error" is needed'
            )
        frame = self._take(X, reset=True)
        n_clusters = self._enough_rows(len(frame))
        categorical = self._categorical(frame)
        numeric = [name for name in frame.columns if name not in categorical]
        init = self.init
        if not isinstance(init, str):
            init = _frame_of(init, frame.columns).core
        with _shown(self.progress) as show:
            self._model, n_empty = _core.KPrototypesModel.fit(
                frame.core,
                _weights(sample_weight, _Rows(len(frame))),
                numeric=numeric,
                categorical=categorical,
                n_clusters=n_clusters,
                gamma=self._gammas(categorical),
                init=init,
                n_init=_whole("n_init", self.n_init),
                max_iter=_whole("max_iter", self.max_iter),
                seed=self._seed(),
                progress=show,
            )
        self._take_attributes(frame.native)
        if isinstance(self.gamma, Mapping):
            self.gamma_ = dict(zip(categorical, self._model.gamma, strict=True))
        self._warn_if_few()
        _warn_of_empty_rows(n_empty)
        return self

    def _take_attributes(self, native: Native) -> None:
        model = self._model
        self.labels_ = model.labels
        self.cost_ = model.cost
        self.n_iter_ = model.n_iter
        gammas = dict(zip(model.categorical, model.gamma, strict=True))
        same = len(set(gammas.values())) == 1
        self.gamma_ = next(iter(gammas.values())) if same else gammas
        self.cluster_centroids_ = to_native(model.centroids, native)

    def _take(self, X: Any, *, reset: bool) -> Frame:
        """The frame, after scikit-learn's checks of names and numbers of columns."""
        if type(X).__module__.partition(".")[0] == "polars" and hasattr(X, "collect"):
            X = X.collect()
        if not _is_frame(X):
            rows = validate_data(
                self, X, reset=reset, dtype=None, ensure_all_finite="allow-nan"
            )
            return _frame_of(rows, None)
        if not hasattr(X, "iloc") and not hasattr(X, "lazy"):
            return self._take_named(X, reset=reset)
        validate_data(self, X, reset=reset, skip_check_array=True)
        return _frame_of(X, None if reset else self._model.order)

    def _take_named(self, X: Any, *, reset: bool) -> Frame:
        """A frame that scikit-learn does not know, such as a dict of columns."""
        if not reset:
            return Frame.of(X, name="X", columns=self._model.order)
        frame = Frame.of(X, name="X")
        self.n_features_in_ = len(frame.columns)
        self.feature_names_in_ = np.array(frame.columns, dtype=object)
        return frame

    def _categorical(self, frame: Frame) -> list[str]:
        """Names of the categorical columns, in the order of the frame."""
        if isinstance(self.categorical, str):
            if self.categorical != "auto":
                raise DataError(
                    f"categorical: found {self.categorical!r}, but \"auto\" or a list is needed; "
                    f"try: categorical=[{self.categorical!r}]"
                )
            wanted = {"boolean", "nominal", "ordinal"}
            return [name for name, kind in frame.kinds().items() if kind in wanted]
        names = set()
        for column in self.categorical:
            name = column
            if isinstance(column, Integral):
                if not -len(frame.columns) <= column < len(frame.columns):
                    raise DataError(
                        f"categorical: found position {column}, "
                        f"but there are {len(frame.columns)} columns"
                    )
                name = frame.columns[int(column)]
            frame.core.kind(str(name))
            names.add(str(name))
        return [name for name in frame.columns if name in names]

    def _gammas(self, categorical: list[str]) -> list[float] | None:
        if isinstance(self.gamma, str):
            if self.gamma == "auto":
                return None
            raise DataError(f'gamma: found {self.gamma!r}, but "auto" or a number is needed')
        if isinstance(self.gamma, Mapping):
            for name in self.gamma:
                if name not in categorical:
                    raise DataError(
                        f"gamma: found {name!r}, but the categorical columns are {categorical}"
                    )
            return [
                _number("gamma", self.gamma[name]) if name in self.gamma else np.nan
                for name in categorical
            ]
        return [_number("gamma", self.gamma)] * len(categorical)

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
        model = self._checked_model()
        labels, unseen, n_empty = model.predict(self._take(X, reset=False).core)
        self._tell(unseen)
        _warn_of_empty_rows(n_empty)
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
            Square roots of the costs: Euclidean distances where every column is a number.
        """
        model = self._checked_model()
        distances, unseen = model.distances(self._take(X, reset=False).core)
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
        model = self._checked_model()
        frame = self._take(X, reset=False)
        weights = _weights(sample_weight, _Rows(len(frame)))
        cost, unseen = model.cost_of(frame.core, weights)
        self._tell(unseen)
        return -cost

    def _checked_model(self) -> _core.KPrototypesModel:
        check_is_fitted(self)
        model: _core.KPrototypesModel = self._model
        return model

    def _tell(self, unseen: Sequence[tuple[str, int, str, int]]) -> None:
        """Deal with categories that the model has not seen."""
        for column, row, category, count in unseen:
            message = (
                f"column {column!r}, row {row}: category {category!r} was not in the data of fit "
                f"({count} such rows)"
            )
            if self.unknown == "error":
                raise DataError(f"{message}; try: unknown='warn'")
            if self.unknown == "warn":
                warnings.warn(
                    f"{message}; it differs from every mode", UnknownCategoryWarning, stacklevel=3
                )

    @classmethod
    def from_json(cls, text: str) -> Self:
        """A fitted estimator from what :meth:`to_json` wrote.

        Parameters
        ----------
        text : str
            The JSON.

        Returns
        -------
        KPrototypes
            It predicts as the one that was saved; parameters that only matter for fitting have their defaults.

        Raises
        ------
        ModelFileError
            If the text is broken, or of another kind or a newer version.
        """
        model = _core.KPrototypesModel.from_json(text)
        estimator = cls(model.n_clusters)
        estimator._model = model
        estimator._take_attributes(default_native())
        estimator.n_features_in_ = len(model.order)
        if model.order != [f"x{j}" for j in range(len(model.order))]:
            estimator.feature_names_in_ = np.array(model.order, dtype=object)
        return estimator

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        return tags


class _Rows:
    """What scikit-learn's check of weights needs to know of rows that are not an array."""

    def __init__(self, n_rows: int) -> None:
        self.shape = (n_rows, 1)
        self.dtype = np.dtype(np.float64)

    def __len__(self) -> int:
        return self.shape[0]


def _is_frame(X: Any) -> bool:
    if issparse(X) or hasattr(X, "to_frame"):
        return False
    return hasattr(X, "columns") or isinstance(X, Mapping) or hasattr(X, "__arrow_c_stream__")


def _frame_of(X: Any, names: Sequence[str] | None) -> Frame:
    """A frame; an array's columns take these names, or x0, x1 and so on."""
    if _is_frame(X):
        return Frame.of(X, name="X", columns=names)
    rows = np.asarray(X)
    columns = range(rows.shape[1] if rows.ndim == 2 else 0)
    names = [f"x{j}" for j in columns] if names is None else names
    if len(names) != len(columns):
        raise DataError(f"init: found shape {rows.shape}, but {len(names)} columns are needed")
    return Frame(
        Frame.of({name: _column(rows[:, j]) for j, name in enumerate(names)}).core,
        default_native(),
    )


def _column(values: NDArray[Any]) -> NDArray[Any]:
    """A column of an array of objects: numbers where all are, else text."""
    if values.dtype.kind != "O":
        return values
    known = [value for value in values if value is not None and value == value]
    if all(isinstance(value, (Real, np.number)) for value in known):
        return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    texts = [None if value is None or value != value else str(value) for value in values]
    return np.array(texts, dtype=object)


def _weights(sample_weight: ArrayLike | None, rows: Any) -> NDArray[np.float64] | None:
    if sample_weight is None:
        return None
    weights = _check_sample_weight(sample_weight, rows, dtype=np.float64)
    return np.ascontiguousarray(weights, dtype=np.float64)


def _whole(name: str, value: Any) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name}: found {value!r}, but a whole number is needed") from None
    if number < 1:
        raise DataError(f"{name}: found {number}, but at least 1 is needed")
    return number


def _number(name: str, value: Any) -> float:
    if not isinstance(value, Real):
        raise TypeError(f"{name}: found {value!r}, but a number is needed")
    if not (np.isfinite(value) and value >= 0):
        raise DataError(f"{name}: found {value!r}, but a number from 0 up is needed")
    return float(value)


def _warn_of_empty_rows(count: int) -> None:
    if count:
        warnings.warn(
            f"{count} rows have no value at all; every cluster fits them equally, "
            "and they are in cluster 0",
            DataWarning,
            stacklevel=3,
        )


@contextmanager
def _shown(progress: Progress) -> Iterator[Callable[[int, int], object] | None]:
    """What the core calls to show how far it is."""
    if callable(progress):
        yield progress
        return
    if not progress:
        yield None
        return
    try:
        from tqdm.auto import tqdm
    except ImportError:
        yield None
        return
    with tqdm(unit="iteration", leave=False) as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield show

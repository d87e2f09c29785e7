"""K-prototypes."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from sklearn.utils.validation import check_is_fitted, validate_data

from ilk import _core
from ilk._frame import Frame, default_native, to_native
from ilk._progress import progress_bar
from ilk.cluster._base import (
    Clusters,
    UnknownCategoryWarning,
    checked_weights,
    number,
    warn_of_empty_rows,
    whole,
)
from ilk.exceptions import DataError

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import ArrayLike, NDArray

    from ilk._frame import Native
    from ilk._progress import Progress


class KPrototypes(Clusters):
    """K-prototypes clusters of rows of numbers and categories.

    The objective is Huang's [1]_: squared differences to the centre for numbers, plus gamma for each category
    that is not the cluster's mode. It is summed over the values that are observed: a missing value contributes
    nothing, as in the partial distance of Dixon [2]_ but without rescaling, so that each step lowers the
    objective. Numbers are used as they are; scale them if their units differ. Without categorical columns this
    is k-means.

    Parameters
    ----------
    n_clusters : int, default 8
        Number of clusters.
    categorical : "auto" or sequence of column names or positions, default "auto"
        Which columns are categories; ``"auto"`` takes those with text, categories or booleans.
    gamma : "auto", float or mapping of column names to floats, default "auto"
        What a category that is not the mode costs. ``"auto"`` is half the mean standard deviation of the numeric
        columns; columns that a mapping does not name take it too.
    init : {"k-means++", "huang", "cao", "random"} or frame with n_clusters rows, default "k-means++"
        Starting prototypes: rows drawn by k-means++ on the mixed cost; by Huang's method [1]_; by Cao's [3]_,
        which is not random (later starts take the numbers of rows drawn); rows drawn by weight; or these rows. With a
        frame there is one start, and cluster ``i`` stays the one that started from row ``i``.
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
        progress: Progress = "auto",
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
        with progress_bar(self.progress, type(self).__name__) as show:
            self._model, n_empty = _core.KPrototypesModel.fit(
                frame.core,
                checked_weights(sample_weight, _Rows(len(frame))),
                numeric=numeric,
                categorical=categorical,
                n_clusters=n_clusters,
                gamma=self._gammas(categorical),
                init=init,
                n_init=whole("n_init", self.n_init),
                max_iter=whole("max_iter", self.max_iter),
                seed=self._seed(),
                progress=show,
            )
        self._take_attributes(frame.native)
        if isinstance(self.gamma, Mapping):
            self.gamma_ = dict(zip(categorical, self._model.gamma, strict=True))
        self._warn_if_few()
        warn_of_empty_rows(n_empty)
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
            rows = validate_data(self, X, reset=reset, dtype=None, ensure_all_finite=False)
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
                    f'categorical: found {self.categorical!r}, but "auto" or a list is needed; '
                    f"try: categorical=[{self.categorical!r}]"
                )
            wanted = {"boolean", "nominal", "ordinal"}
            return [name for name, kind in frame.kinds().items() if kind in wanted]
        names = set()
        for column in self.categorical:
            name = column
            if isinstance(column, (int, np.integer)):
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
                number("gamma", self.gamma[name]) if name in self.gamma else np.nan
                for name in categorical
            ]
        return [number("gamma", self.gamma)] * len(categorical)

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
        weights = checked_weights(sample_weight, _Rows(len(frame)))
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
    # scipy's sparse matrices of keys are mappings too.
    if hasattr(X, "tocsr") or hasattr(X, "to_frame"):
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
    if all(isinstance(value, (int, float, np.number)) for value in known):
        return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    texts = [None if value is None or value != value else str(value) for value in values]
    return np.array(texts, dtype=object)

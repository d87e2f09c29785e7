"""What the estimators of frames with categories share: frames in, unseen categories told, prototypes as a frame."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from sklearn.utils.validation import check_is_fitted, validate_data

from ilk._frame import Frame, default_native, to_native
from ilk._progress import progress_bar
from ilk.cluster._base import (
    Clusters,
    UnknownCategoryWarning,
    checked_weights,
    warn_of_empty_rows,
    whole,
)
from ilk.exceptions import DataError

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import ArrayLike, NDArray

    from ilk._frame import Native
    from ilk._progress import Progress

Unknown = Literal["warn", "ignore", "error"]


class MixedClusters(Clusters):
    """Clusters of the rows of frames, described by prototypes."""

    _Model: ClassVar[Any]

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
        if self.unknown not in ("warn", "ignore", "error"):
            raise DataError(
                f'unknown: found {self.unknown!r}, but "warn", "ignore" or "error" is needed'
            )
        frame = self._take(X, reset=True)
        n_clusters = self._enough_rows(len(frame))
        own = self._own_parameters(frame)
        init = self.init
        if not isinstance(init, str):
            init = _frame_of(init, frame.columns).core
        with progress_bar(self.progress, type(self).__name__) as show:
            self._model, n_empty = self._Model.fit(
                frame.core,
                checked_weights(sample_weight, _Rows(len(frame))),
                **own,
                n_clusters=n_clusters,
                init=init,
                n_init=whole("n_init", self.n_init),
                max_iter=whole("max_iter", self.max_iter),
                seed=self._seed(),
                progress=show,
            )
        self._take_attributes(frame.native)
        self._warn_if_few()
        warn_of_empty_rows(n_empty)
        return self

    def _own_parameters(self, frame: Frame) -> dict[str, Any]:
        """What the core takes beyond the parameters that all share."""
        return {}

    def _take_attributes(self, native: Native) -> None:
        model = self._model
        self.labels_ = model.labels
        self.cost_ = model.cost
        self.n_iter_ = model.n_iter
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
        weights = checked_weights(sample_weight, _Rows(len(frame)))
        cost, unseen = self._model.cost_of(frame.core, weights)
        self._tell(unseen)
        return -float(cost)

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
                ordinal = column in self._model.ordinal
                what = (
                    "having no rank, it counts as missing"
                    if ordinal
                    else "it differs from every mode"
                )
                warnings.warn(f"{message}; {what}", UnknownCategoryWarning, stacklevel=3)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """A fitted estimator from what :meth:`to_json` wrote.

        Parameters
        ----------
        text : str
            The JSON.

        Returns
        -------
        estimator
            It predicts as the one that was saved; parameters that only matter for fitting have their defaults.

        Raises
        ------
        ModelFileError
            If the text is broken, or of another kind or a newer version.
        """
        model = cls._Model.from_json(text)
        estimator = cls(n_clusters=model.n_clusters)  # type: ignore[call-arg]
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

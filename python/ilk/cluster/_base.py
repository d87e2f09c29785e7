"""What the estimators share: checks, warnings and seeds."""

from __future__ import annotations

import operator
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    ClusterMixin,
    TransformerMixin,
)
from sklearn.exceptions import ConvergenceWarning as SklearnConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from ilk.exceptions import ConvergenceWarning, DataError, DataWarning

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from ilk._progress import Progress


class FewClustersWarning(ConvergenceWarning, SklearnConvergenceWarning):  # type: ignore[misc]
    """Fewer rows differ than there were to be clusters."""


class CollapsedComponentWarning(ConvergenceWarning, SklearnConvergenceWarning):  # type: ignore[misc]
    """A component shrank onto few rows or a plane; its density says more of ``reg_covar`` than of the data."""


class UnsettledWarning(ConvergenceWarning, SklearnConvergenceWarning):  # type: ignore[misc]
    """The iterations ended before the likelihood settled."""


class UnknownCategoryWarning(DataWarning):
    """A category was not in the data that the model was fitted on."""


class Clusters(
    ClassNamePrefixFeaturesOutMixin,  # type: ignore[misc]
    TransformerMixin,  # type: ignore[misc]
    ClusterMixin,  # type: ignore[misc]
    BaseEstimator,  # type: ignore[misc]
):
    """What the estimators share."""

    n_clusters: int
    random_state: int | np.random.RandomState | None
    progress: Progress
    _model: Any

    def _seed(self) -> int:
        if isinstance(self.random_state, (int, np.integer)) and self.random_state >= 0:
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))

    @property
    def _n_features_out(self) -> int:
        return int(self._model.n_clusters)

    def _enough_rows(self, n_rows: int) -> int:
        """The number of clusters, checked against the number of rows."""
        n_clusters = whole("n_clusters", self.n_clusters)
        if n_rows < n_clusters:
            mend = f"; try: n_clusters={n_rows}" if n_rows else ""
            raise DataError(
                f"n_clusters={n_clusters} needs at least {n_clusters} rows, but n_samples={n_rows}{mend}"
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


def checked_weights(sample_weight: ArrayLike | None, rows: Any) -> NDArray[np.float64] | None:
    if sample_weight is None:
        return None
    weights = _check_sample_weight(sample_weight, rows, dtype=np.float64)
    return np.ascontiguousarray(weights, dtype=np.float64)


def numeric_rows(estimator: Any, X: Any, **options: Any) -> NDArray[Any]:
    """Rows of numbers as scikit-learn checks them; text is refused by column and row."""
    try:
        rows: NDArray[Any] = validate_data(estimator, X, ensure_all_finite=False, **options)
    except ValueError as error:
        if "could not convert string to float" in str(error):
            _refuse_text(type(estimator).__name__, X)
        raise
    return rows


def _refuse_text(name: str, X: Any) -> None:
    """Raise for the first cell that is no number."""
    columns = getattr(X, "columns", None)
    cells = np.asarray(X, dtype=object)
    for column in range(cells.shape[1] if cells.ndim == 2 else 0):
        for row, value in enumerate(cells[:, column]):
            try:
                float(value)
            except (TypeError, ValueError):
                called = repr(str(columns[column])) if columns is not None else f"x{column}"
                raise DataError(
                    f"column {called}, row {row}: found {value!r}, but {name} needs numbers; "
                    "try: KPrototypes, which takes text and categories as they are"
                ) from None


def whole(name: str, value: Any) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name}: found {value!r}, but a whole number is needed") from None
    if number < 1:
        raise DataError(f"{name}: found {number}, but at least 1 is needed")
    return number


def number(name: str, value: Any) -> float:
    if not isinstance(value, (int, float, np.number)):
        raise TypeError(f"{name}: found {value!r}, but a number is needed")
    if not 0 <= value < np.inf:
        raise DataError(f"{name}: found {value!r}, but a number from 0 up is needed")
    return float(value)


def warn_of_empty_rows(count: int) -> None:
    if count:
        warnings.warn(
            f"{count} rows have no value at all; every cluster fits them equally, "
            "and they are in cluster 0",
            DataWarning,
            stacklevel=3,
        )

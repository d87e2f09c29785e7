"""What the estimators share: saving, checks, warnings and seeds."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, ClassVar

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

from ilk._arguments import whole
from ilk.exceptions import ConvergenceWarning, DataError, DataWarning

if TYPE_CHECKING:
    from typing import Self

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


class Saved(BaseEstimator):  # type: ignore[misc]
    """An estimator whose fit is a model of the core, which JSON can hold."""

    _Model: ClassVar[Any]

    _model: Any

    @classmethod
    def _parameters_of(cls, model: Any) -> dict[str, Any]:
        """The parameters that a saved model still knows."""
        return {}

    def _take_attributes(self) -> None:
        """Set the attributes that come from the model."""
        raise NotImplementedError

    def _names(self) -> list[str]:
        """Names of the columns as the core takes them; none where they had none."""
        return [str(name) for name in getattr(self, "feature_names_in_", ())]

    def _saved_names(self) -> list[str]:
        """Names of the columns that the model was saved with."""
        names: list[str] = self._model.names
        return names

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_model")

    def to_json(self) -> str:
        """The fitted model as JSON: data, never code.

        Returns
        -------
        str
            What :meth:`from_json` reads, in this version and later ones.
        """
        check_is_fitted(self)
        return str(self._model.to_json())

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
            It works as the one that was saved; parameters that only matter for fitting have their defaults.

        Raises
        ------
        ModelFileError
            If the text is broken, or of another kind or a newer version.
        """
        model = cls._Model.from_json(text)
        estimator = cls(**cls._parameters_of(model))
        estimator._model = model
        estimator._take_attributes()
        estimator.n_features_in_ = model.n_features
        names = estimator._saved_names()
        if names:
            estimator.feature_names_in_ = np.array(names, dtype=object)
        return estimator


class OfNumbers(Saved):
    """What the estimators of rows of numbers share."""

    #: Types of numbers that are computed as they are; others become the first.
    _dtypes: ClassVar[Any] = np.float64

    def _fit_rows(self, X: Any, **options: Any) -> NDArray[Any]:
        """The rows to fit, after scikit-learn's checks."""
        return numeric_rows(self, X, dtype=self._dtypes, copy=False, **options)

    def _new_rows(self, X: Any) -> NDArray[Any]:
        """Rows like those of the fit, after scikit-learn's checks."""
        check_is_fitted(self)
        return numeric_rows(self, X, reset=False, dtype=self._dtypes)


class Clusters(
    ClassNamePrefixFeaturesOutMixin,  # type: ignore[misc]
    TransformerMixin,  # type: ignore[misc]
    ClusterMixin,  # type: ignore[misc]
    Saved,
):
    """What the estimators of so many clusters share."""

    n_clusters: int
    random_state: int | np.random.RandomState | None
    progress: Progress

    @classmethod
    def _parameters_of(cls, model: Any) -> dict[str, Any]:
        return {"n_clusters": model.n_clusters}

    @property
    def _n_features_out(self) -> int:
        return int(self._model.n_clusters)

    def _warn_if_few(self) -> None:
        found = self._model.n_found
        if found < self.n_clusters:
            reason = (
                f"only {found} groups of rows differ"
                if self._model.converged
                else "when the iterations ended no row was nearest to the others"
            )
            warnings.warn(
                f"found {found} clusters, not n_clusters={self.n_clusters}: {reason}; try: n_clusters={found}",
                FewClustersWarning,
                stacklevel=3,
            )


def seed_of(random_state: int | np.random.RandomState | None) -> int:
    """The seed that the core takes: the integer itself, or one drawn."""
    if isinstance(random_state, (int, np.integer)) and random_state >= 0:
        return int(random_state)
    return int(check_random_state(random_state).randint(np.iinfo(np.int32).max))


def enough_rows(name: str, value: Any, n_rows: int) -> int:
    """A number of groups, checked against the number of rows."""
    wanted = whole(name, value, 1)
    if n_rows < wanted:
        mend = f"; try: {name}={n_rows}" if n_rows else ""
        raise DataError(
            f"{name}={wanted} needs at least {wanted} rows, but n_samples={n_rows}{mend}"
        )
    return wanted


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

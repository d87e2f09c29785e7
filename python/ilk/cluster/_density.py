"""What the estimators of clusters by density share."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.utils.validation import check_is_fitted

from ilk.cluster._base import numeric_rows
from ilk.exceptions import DataWarning

if TYPE_CHECKING:
    from numpy.typing import NDArray


class NoClustersWarning(DataWarning):
    """No region is dense enough to be a cluster; every row is noise."""


class Dense(
    ClusterMixin,  # type: ignore[misc]
    BaseEstimator,  # type: ignore[misc]
):
    """What the estimators share."""

    labels_: NDArray[np.int32]
    _model: Any

    def _fitted_rows(self, X: Any) -> tuple[NDArray[np.float64], list[str]]:
        rows = numeric_rows(self, X, dtype=np.float64, copy=False)
        names = getattr(self, "feature_names_in_", None)
        return rows, [] if names is None else [str(name) for name in names]

    def _new_rows(self, X: Any) -> NDArray[np.float64]:
        check_is_fitted(self)
        rows: NDArray[np.float64] = numeric_rows(self, X, reset=False, dtype=np.float64)
        return rows

    def _take_features(self) -> None:
        self.n_features_in_ = self._model.n_features
        if self._model.names:
            self.feature_names_in_ = np.array(self._model.names, dtype=object)

    def _warn_if_none(self, mend: str) -> None:
        if self._model.n_clusters == 0:
            warnings.warn(
                f"no cluster was found: all {len(self.labels_)} rows are noise (label -1); {mend}",
                NoClustersWarning,
                stacklevel=3,
            )

    def to_json(self) -> str:
        """The fitted model as JSON: data, never code.

        It holds rows of the training data, which prediction needs.

        Returns
        -------
        str
            What ``from_json`` reads, in this version and later ones.
        """
        check_is_fitted(self)
        return str(self._model.to_json())

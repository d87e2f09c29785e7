"""What the estimators of clusters by density share."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from sklearn.base import ClusterMixin

from ilk.cluster._base import OfNumbers
from ilk.exceptions import DataWarning

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class NoClustersWarning(DataWarning):
    """No region is dense enough to be a cluster; every row is noise."""


class Dense(ClusterMixin, OfNumbers):  # type: ignore[misc]
    """What the estimators share; their models hold the rows of the fit that prediction needs."""

    labels_: NDArray[np.int32]

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
            What :meth:`from_json` reads, in this version and later ones.
        """
        return super().to_json()

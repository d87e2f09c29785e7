"""What the bootstrap test of the number of latent classes found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class BootstrapLRTest:
    """The bootstrap likelihood ratio test of one class more.

    Attributes
    ----------
    n_classes : int
        Number of classes of the larger model.
    log_likelihoods : tuple of two floats
        Of the smaller and of the larger model.
    statistic : float
        Twice their difference.
    replicates : ndarray
        The statistic of each draw from the smaller model.
    p_value : float
        Share of draws whose statistic is as large, the data counted among them: ``(1 + count) / (1 + n_boot)``.
    """

    n_classes: int
    log_likelihoods: tuple[float, float]
    statistic: float
    replicates: NDArray[np.float64]
    p_value: float

    def __repr__(self) -> str:
        return (
            f"{self.n_classes} classes against {self.n_classes - 1}: likelihood ratio "
            f"{self.statistic:.4g}, p = {self.p_value:.3g} ({len(self.replicates)} draws)"
        )

"""Archetypal analysis."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ilk import _core
from ilk._arguments import whole
from ilk._progress import progress_bar
from ilk.cluster._base import (
    Clusters,
    FewClustersWarning,
    OfNumbers,
    checked_weights,
    enough_rows,
    number,
    seed_of,
)

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import ArrayLike, NDArray

    from ilk._progress import Progress


class Archetypes(Clusters, OfNumbers):
    """Archetypal analysis: every row as a mixture of a few extreme ones.

    Where clusters say which group a customer is in, archetypes say how much of each extreme there is in the customer: 70 %
    bargain hunter, 30 % gourmet. Each archetype is itself a mixture of customers, on the border of the data [1]_. Both
    steps of the fit are solved exactly, so the sum of squares never rises; the starts are rows far from each other [2]_.
    Distances are Euclidean, so bring the columns to one scale first.

    Parameters
    ----------
    n_archetypes : int, default 3
        Number of archetypes.
    n_init : int, default 5
        Number of starts; the best result is kept.
    max_iter : int, default 300
        Iterations of each start at most.
    tol : float, default 1e-6
        A start ends once an iteration lowers the sum of squares by no more than this share of it.
    random_state : int, RandomState or None, default None
        Seed; the same integer gives the same result for any number of threads.
    progress : bool, "auto" or callable, default "auto"
        Whether to show a bar (if tqdm is installed), or what to call with iterations done and expected.

    Attributes
    ----------
    archetypes_ : ndarray of shape (n_archetypes, n_features)
        The archetypes, the one with the largest total share first.
    alphas_ : ndarray of shape (n_samples, n_archetypes)
        Shares of the archetypes in each row; each line sums to 1.
    betas_ : ndarray of shape (n_archetypes, n_samples)
        Shares of the rows in each archetype; each line sums to 1, and few are not 0.
    labels_ : ndarray of shape (n_samples,)
        The nearest archetype of each row.
    rss_ : float
        Weighted sum of squared distances of the rows to their mixtures.
    explained_ : float
        Share of the rows' squared distances to their mean that the mixtures account for.
    rss_history_ : ndarray of shape (n_iter_,)
        The sum of squares after each iteration of the best start.
    n_iter_ : int
        Iterations of the best start.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where they had names.

    Warns
    -----
    FewClustersWarning
        If fewer rows differ than there were to be archetypes.

    References
    ----------
    .. [1] Cutler, A. and Breiman, L. (1994). Archetypal analysis. Technometrics 36(4).
    .. [2] Morup, M. and Hansen, L. K. (2012). Archetypal analysis for machine learning and data mining. Neurocomputing 80.

    Examples
    --------
    >>> from ilk.cluster import Archetypes
    >>> rows = [[0.0, 0.0], [4.0, 0.0], [0.0, 4.0], [1.0, 1.0], [2.0, 1.0]]
    >>> model = Archetypes(3, random_state=0).fit(rows)
    >>> sorted(model.archetypes_.tolist())
    [[0.0, 0.0], [0.0, 4.0], [4.0, 0.0]]
    >>> float(model.transform([[2.0, 2.0]]).max())
    0.50
    """

    _Model: ClassVar[Any] = _core.ArchetypesModel

    archetypes_: NDArray[np.float64]
    alphas_: NDArray[np.float64]
    labels_: NDArray[np.int32]
    rss_: float
    explained_: float
    rss_history_: NDArray[np.float64]
    n_iter_: int

    def __init__(
        self,
        n_archetypes: int = 3,
        *,
        n_init: int = 5,
        max_iter: int = 300,
        tol: float = 1e-6,
        random_state: int | np.random.RandomState | None = None,
        progress: Progress = "auto",
    ) -> None:
        self.n_archetypes = n_archetypes
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state
        self.progress = progress

    def fit(self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None) -> Self:
        """Find the archetypes.

        Parameters
        ----------
        X : array or frame of shape (n_samples, n_features)
            Rows of finite numbers.
        y : ignored
            There for scikit-learn's interface.
        sample_weight : array of shape (n_samples,), optional
            Weights, not negative; a weight of 2 is the same as two rows. No archetype is made of rows of weight 0.

        Returns
        -------
        Archetypes
            The estimator.

        Raises
        ------
        DataError
            If a value is not finite, a parameter or weight is out of range, or there are fewer rows than archetypes.
        """
        rows = self._fit_rows(X)
        n_archetypes = enough_rows("n_archetypes", self.n_archetypes, len(rows))
        with progress_bar(self.progress, type(self).__name__) as show:
            self._model = _core.ArchetypesModel.fit(
                rows,
                checked_weights(sample_weight, rows),
                n_archetypes=n_archetypes,
                n_init=whole("n_init", self.n_init, 1),
                max_iter=whole("max_iter", self.max_iter, 1),
                tol=number("tol", self.tol),
                seed=seed_of(self.random_state),
                names=self._names(),
                progress=show,
            )
        self._take_attributes()
        if self._model.n_found < n_archetypes:
            warnings.warn(
                f"found {self._model.n_found} archetypes, not n_archetypes={n_archetypes}: "
                f"the others are equal to one of them; try: n_archetypes={self._model.n_found}",
                FewClustersWarning,
                stacklevel=2,
            )
        return self

    @classmethod
    def _parameters_of(cls, model: Any) -> dict[str, Any]:
        return {"n_archetypes": model.n_clusters}

    def _take_attributes(self) -> None:
        self.archetypes_ = self._model.archetypes
        self.alphas_ = self._model.shares
        self.labels_ = self._model.labels
        self.rss_ = self._model.rss
        self.explained_ = self._model.explained
        self.rss_history_ = self._model.history
        self.n_iter_ = len(self.rss_history_)

    @property
    def betas_(self) -> NDArray[np.float64]:
        """Shares of the rows in each archetype."""
        if not hasattr(self, "_model"):
            raise AttributeError("betas_ is there after fit")
        betas = np.zeros((len(self.archetypes_), len(self.labels_)))
        for archetype, (rows, shares) in enumerate(self._model.mixtures):
            betas[archetype, rows] = shares
        return betas

    def transform(self, X: Any) -> NDArray[np.float64]:
        """Shares of the archetypes in each row.

        Parameters
        ----------
        X : array or frame of shape (n_samples, n_features)
            Rows of finite numbers.

        Returns
        -------
        ndarray of shape (n_samples, n_archetypes)
            The mixture that comes nearest to each row; each line sums to 1.
        """
        rows = self._new_rows(X)
        shares: NDArray[np.float64] = self._model.transform(rows)
        return shares

    def predict(self, X: Any) -> NDArray[np.int32]:
        """The nearest archetype of each row.

        Parameters
        ----------
        X : array or frame of shape (n_samples, n_features)
            Rows of finite numbers.

        Returns
        -------
        ndarray of shape (n_samples,)
            Labels; ties go to the lowest.
        """
        rows = self._new_rows(X)
        labels: NDArray[np.int32] = self._model.predict(rows)
        return labels

    def score(self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None) -> float:
        """Minus the weighted sum of squared distances to the nearest mixtures.

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
        rows = self._new_rows(X)
        return -float(self._model.cost(rows, checked_weights(sample_weight, rows)))

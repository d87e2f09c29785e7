"""Gaussian mixtures."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from sklearn.base import DensityMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from ilk import _core
from ilk._arguments import whole
from ilk._progress import progress_bar
from ilk.cluster._base import (
    CollapsedComponentWarning,
    FewClustersWarning,
    OfNumbers,
    UnsettledWarning,
    checked_weights,
    enough_rows,
    number,
    seed_of,
)
from ilk.exceptions import DataError, DataWarning

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import ArrayLike, NDArray

    from ilk._progress import Progress


class GaussianMixture(DensityMixin, OfNumbers):  # type: ignore[misc]
    """Gaussian mixture: soft clusters, each with a shape of its own.

    Expectation and maximisation (Dempster, Laird and Rubin 1977, J. R. Stat. Soc. B 39) from the best of ``n_init``
    starts. Parameters, attributes and results are those of scikit-learn's class of this name, with the same figures from
    the same start, and ``sample_weight`` and :meth:`icl` besides. ``float32`` is read as it is, computed as ``float64``.

    Parameters
    ----------
    n_components : int, default 1
        Number of components.
    covariance_type : {"full", "tied", "diag", "spherical"}, default "full"
        A covariance for each component; one for all; variances of the features for each component; one variance for
        each component.
    tol : float, default 1e-3
        A start ends once the mean log density of the rows changes by less than this.
    reg_covar : float, default 1e-6
        Added to every variance, in squared units of the data, so that a component on few rows keeps a width.
    max_iter : int, default 100
        Iterations of each start at most.
    n_init : int, default 1
        Number of starts. Kept is the one with the fewest collapsed components, among these the likeliest.
    init_params : {"kmeans", "k-means++", "random", "random_from_data"}, default "kmeans"
        Where to start: the clusters of k-means; rows drawn by greedy k-means++ or by weight, with the covariance of all
        rows; random memberships.
    weights_init, means_init, precisions_init : array, optional
        These instead, in the shapes of ``weights_``, ``means_`` and ``precisions_``. With means there is one start, and
        the order of the components stays; what is not given then comes from the rows nearest to each mean.
    random_state : int, RandomState or None, default None
        Seed; the same integer gives the same result for any number of threads.
    progress : bool, "auto" or callable, default "auto"
        Whether to show a bar (if tqdm is installed), or what to call with iterations done and expected.

    Attributes
    ----------
    weights_ : ndarray of shape (n_components,)
        Share of each component; component 0 is the largest.
    means_ : ndarray of shape (n_components, n_features)
        Means.
    covariances_ : ndarray
        Covariances; of shape (n_components, n_features, n_features), (n_features, n_features), (n_components,
        n_features) or (n_components,) for the four types.
    precisions_ : ndarray
        Their inverses.
    precisions_cholesky_ : ndarray
        Upper triangles ``U`` with ``U @ U.T`` the inverse; or the inverse standard deviations.
    converged_ : bool
        Whether the best start settled before ``max_iter``.
    n_iter_ : int
        Iterations of the best start.
    lower_bound_ : float
        Mean log density of the training rows before the last step.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where they had names.

    Warns
    -----
    CollapsedComponentWarning
        If a component shrank onto few rows or a plane and three more starts did not help.
    FewClustersWarning
        If a component lost all its rows; it has weight 0.
    UnsettledWarning
        If ``max_iter`` ended the iterations.
    DataWarning
        If a column does not vary.

    Examples
    --------
    >>> from ilk.cluster import GaussianMixture
    >>> rows = [[1.0], [1.2], [0.9], [1.1], [7.0], [7.1], [6.8]]
    >>> model = GaussianMixture(2, random_state=0).fit(rows)
    >>> model.predict(rows).tolist()
    [0, 0, 0, 0, 1, 1, 1]
    >>> model.predict_proba([[1.3]]).round(3).tolist()
    [[1.0, 0.0]]
    """

    _Model: ClassVar[Any] = _core.GaussianMixtureModel
    _dtypes: ClassVar[Any] = [np.float64, np.float32]

    weights_: NDArray[np.float64]
    means_: NDArray[np.float64]
    covariances_: NDArray[np.float64]
    precisions_: NDArray[np.float64]
    precisions_cholesky_: NDArray[np.float64]
    converged_: bool
    n_iter_: int
    lower_bound_: float
    _model: _core.GaussianMixtureModel

    def __init__(
        self,
        n_components: int = 1,
        *,
        covariance_type: Literal["full", "tied", "diag", "spherical"] = "full",
        tol: float = 1e-3,
        reg_covar: float = 1e-6,
        max_iter: int = 100,
        n_init: int = 1,
        init_params: Literal["kmeans", "k-means++", "random", "random_from_data"] = "kmeans",
        weights_init: ArrayLike | None = None,
        means_init: ArrayLike | None = None,
        precisions_init: ArrayLike | None = None,
        random_state: int | np.random.RandomState | None = None,
        progress: Progress = "auto",
    ) -> None:
        self.n_components = n_components
        self.covariance_type = covariance_type
        self.tol = tol
        self.reg_covar = reg_covar
        self.max_iter = max_iter
        self.n_init = n_init
        self.init_params = init_params
        self.weights_init = weights_init
        self.means_init = means_init
        self.precisions_init = precisions_init
        self.random_state = random_state
        self.progress = progress

    def fit(self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None) -> Self:
        """Find the components.

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
        GaussianMixture
            The estimator.

        Raises
        ------
        DataError
            If a value is not finite, a parameter or weight is out of range, or there are fewer rows than components.
        """
        rows = self._fit_rows(X, ensure_min_samples=2)
        n_components = enough_rows("n_components", self.n_components, len(rows))
        for name in ("covariance_type", "init_params"):
            if not isinstance(getattr(self, name), str):
                raise TypeError(f"{name}: found {getattr(self, name)!r}, but a text is needed")
        with progress_bar(self.progress, type(self).__name__) as show:
            self._model = _core.GaussianMixtureModel.fit(
                rows,
                checked_weights(sample_weight, rows),
                n_components=n_components,
                covariance_type=self.covariance_type,
                init_params=self.init_params,
                weights_init=numbers("weights_init", self.weights_init, 1),
                means_init=numbers("means_init", self.means_init, 2),
                precisions_init=numbers("precisions_init", self.precisions_init, None),
                n_init=whole("n_init", self.n_init, 1),
                max_iter=whole("max_iter", self.max_iter, 1),
                tol=number("tol", self.tol),
                reg_covar=number("reg_covar", self.reg_covar),
                seed=seed_of(self.random_state),
                names=self._names(),
                progress=show,
            )
        self._take_attributes()
        self._warn()
        return self

    @classmethod
    def _parameters_of(cls, model: Any) -> dict[str, Any]:
        return {"n_components": model.n_components, "covariance_type": model.covariance_type}

    def _take_attributes(self) -> None:
        model = self._model
        self.weights_ = model.weights
        self.means_ = model.means
        self.covariances_ = model.covariances
        self.precisions_ = model.precisions
        self.precisions_cholesky_ = model.precisions_cholesky
        self.converged_ = model.converged
        self.n_iter_ = model.n_iter
        self.lower_bound_ = model.lower_bound

    def _warn(self) -> None:
        model = self._model
        if model.constant:
            names = getattr(self, "feature_names_in_", None)
            columns = [f"x{at}" if names is None else str(names[at]) for at in model.constant]
            warnings.warn(
                f"columns {columns} do not vary: reg_covar={self.reg_covar} alone is their variance; "
                "they add a constant to every log density",
                DataWarning,
                stacklevel=3,
            )
        if model.n_found < self.n_components:
            warnings.warn(
                f"found {model.n_found} components, not n_components={self.n_components}: the others "
                f"lost all their rows and have weight 0; try: n_components={model.n_found}",
                FewClustersWarning,
                stacklevel=3,
            )
        elif model.collapsed:
            warnings.warn(
                f"components {model.collapsed} shrank onto few rows or a plane, where their density says "
                f"more of reg_covar={self.reg_covar} than of the data; try fewer components, a larger "
                'reg_covar or covariance_type="diag"',
                CollapsedComponentWarning,
                stacklevel=3,
            )
        if not model.converged:
            warnings.warn(
                f"the likelihood had not settled after max_iter={self.max_iter} iterations; "
                f"try: max_iter={10 * int(self.max_iter)}",
                UnsettledWarning,
                stacklevel=3,
            )

    def fit_predict(
        self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None
    ) -> NDArray[np.int32]:
        """Find the components and give the likeliest of each row.

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
        ndarray of shape (n_samples,)
            What :meth:`fit` and then :meth:`predict` give.
        """
        return self.fit(X, y, sample_weight).predict(X)

    def predict(self, X: Any) -> NDArray[np.int32]:
        """The likeliest component of each row.

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
        return self._model.predict(rows)

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Probability of each component for each row.

        Parameters
        ----------
        X : array or frame of shape (n_samples, n_features)
            Rows of finite numbers.

        Returns
        -------
        ndarray of shape (n_samples, n_components)
            Each row sums to 1.
        """
        rows = self._new_rows(X)
        return self._model.shares(rows)

    def score_samples(self, X: Any) -> NDArray[np.float64]:
        """Log density of each row.

        Parameters
        ----------
        X : array or frame of shape (n_samples, n_features)
            Rows of finite numbers.

        Returns
        -------
        ndarray of shape (n_samples,)
            Natural logarithms.
        """
        rows = self._new_rows(X)
        return self._model.log_densities(rows)

    def score(self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None) -> float:
        """Mean log density of the rows.

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
        return self._model.score(rows, checked_weights(sample_weight, rows))

    def _criteria(self, X: Any, sample_weight: ArrayLike | None) -> tuple[float, float, float]:
        rows = self._new_rows(X)
        return self._model.criteria(rows, checked_weights(sample_weight, rows))

    def aic(self, X: Any, sample_weight: ArrayLike | None = None) -> float:
        """Akaike's information criterion: ``-2 log L + 2 p`` with ``p`` free parameters.

        Akaike, H. (1974). A new look at the statistical model identification.

        Parameters
        ----------
        X : array or frame of shape (n_samples, n_features)
            Rows of finite numbers.
        sample_weight : array of shape (n_samples,), optional
            Weights, not negative.

        Returns
        -------
        float
            Lower is better.
        """
        return self._criteria(X, sample_weight)[0]

    def bic(self, X: Any, sample_weight: ArrayLike | None = None) -> float:
        """Bayesian information criterion: ``-2 log L + p log n`` with ``n`` the total weight.

        Schwarz, G. (1978). Estimating the dimension of a model.

        Parameters
        ----------
        X : array or frame of shape (n_samples, n_features)
            Rows of finite numbers.
        sample_weight : array of shape (n_samples,), optional
            Weights, not negative.

        Returns
        -------
        float
            Lower is better.
        """
        return self._criteria(X, sample_weight)[1]

    def icl(self, X: Any, sample_weight: ArrayLike | None = None) -> float:
        """Integrated completed likelihood: BIC plus twice the entropy of the memberships.

        It prefers components that do not overlap, so it counts clusters rather than components. Biernacki, C., Celeux,
        G. and Govaert, G. (2000). Assessing a mixture model for clustering with the integrated completed likelihood; in
        the form with the entropy of McLachlan, G. and Peel, D. (2000). Finite mixture models, section 6.10.

        Parameters
        ----------
        X : array or frame of shape (n_samples, n_features)
            Rows of finite numbers.
        sample_weight : array of shape (n_samples,), optional
            Weights, not negative.

        Returns
        -------
        float
            Lower is better.
        """
        return self._criteria(X, sample_weight)[2]

    def sample(self, n_samples: int = 1) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
        """Draw rows from the mixture.

        Parameters
        ----------
        n_samples : int, default 1
            Number of rows.

        Returns
        -------
        tuple of ndarray
            The rows, component after component, and their components.
        """
        check_is_fitted(self)
        n_samples = whole("n_samples", n_samples, 1)
        rng = check_random_state(self.random_state)
        weights = self.weights_ / self.weights_.sum()
        labels = np.repeat(np.arange(len(weights)), rng.multinomial(n_samples, weights))
        noise = rng.standard_normal((n_samples, self.means_.shape[1]))
        for component in np.unique(labels):
            members = labels == component
            if self._model.covariance_type in ("full", "tied"):
                tied = self._model.covariance_type == "tied"
                factor = self.precisions_cholesky_ if tied else self.precisions_cholesky_[component]
                noise[members] = np.linalg.solve(factor.T, noise[members].T).T
            else:
                noise[members] /= self.precisions_cholesky_[component]
        return self.means_[labels] + noise, labels.astype(np.int32)


def numbers(name: str, value: Any, dimensions: int | None) -> NDArray[np.float64] | None:
    if value is None:
        return None
    array = np.ascontiguousarray(value, dtype=np.float64)
    if dimensions is not None and array.ndim != dimensions:
        raise DataError(
            f"{name}: found an array of {array.ndim} dimensions, but {dimensions} are needed"
        )
    return array

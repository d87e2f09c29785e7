"""Latent class analysis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from sklearn.base import DensityMixin
from sklearn.utils.validation import check_is_fitted

from ilk import _core
from ilk._arguments import whole
from ilk._frame import Frame, default_native, to_dict, to_native
from ilk._progress import progress_bar
from ilk.cluster._base import checked_weights, seed_of
from ilk.cluster._frames import OfFrames, Rows, frame_of
from ilk.cluster._latent_items import parameters_of
from ilk.cluster._latent_test import BootstrapLRTest
from ilk.cluster._latent_warnings import tell_empty, warn_of_fit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    from ilk._frame import Native
    from ilk._progress import Progress
    from ilk.cluster._frames import Unknown


class LatentClass(DensityMixin, OfFrames):  # type: ignore[misc]
    """Latent class analysis: groups behind the answers to categorical and ordinal items.

    Within a class the items are independent; a row's probability is the sum over classes of share times the
    product of the probabilities of its answers [1]_. The EM algorithm raises the likelihood from ``n_init`` random
    starts, and the best end is kept. A missing answer contributes nothing, so that every row counts with the
    answers it has (full information). Each distinct value of an item is a category, numbers too.

    Parameters
    ----------
    n_classes : int, default 2
        Number of classes, at most 64.
    items : "auto" or sequence of column names or positions, default "auto"
        The items; ``"auto"`` takes every column that is not a covariate.
    ordinal : "auto" or sequence of column names or positions, default "auto"
        Items whose categories are scored in their order: ``ln P(category c | class k) = b_c + g_k s_c - ln Z_k`` with
        scores from 0 (first category) to 1 (last), the adjacent-category logit. An item with C categories then takes
        (C - 1) + (K - 1) parameters instead of K (C - 1). ``"auto"`` takes items of ordered categories; the others
        are nominal, with a free probability for each category and class. ``()`` makes every item nominal.
    covariates : sequence of column names or positions, optional
        Columns that shift membership: a multinomial logit of the classes fitted in one step with them [2]_.
        Numbers enter as they are, categories as flags beside the first. They must not be missing.
    n_init : int, default 10
        Number of random starts.
    max_iter : int, default 1000
        Iterations of each start at most.
    tol : float, default 1e-10
        A start ends once a step gains no more than this share of the log-likelihood.
    unknown : {"warn", "ignore", "error"}, default "warn"
        What to do with a category that was not there in :meth:`fit`; it counts as missing.
    random_state : int, RandomState or None, default None
        Seed; the same integer gives the same result for any number of threads.
    progress : bool, "auto" or callable, default "auto"
        Whether to show a bar (if tqdm is installed), or what to call with iterations done and expected.

    Attributes
    ----------
    labels_ : ndarray of shape (n_samples,)
        The most probable class of each row; class 0 is the largest.
    class_shares_ : ndarray of shape (n_classes,)
        Shares of the classes, largest first; with covariates the mean of the posteriors.
    item_probabilities_ : frame
        Columns ``item``, ``category``, ``class`` and ``probability``.
    coefficients_ : frame or None
        Columns ``class``, ``term``, ``coefficient`` (log odds against class 0), ``standard_error``, ``z`` and
        ``p_value``; None without covariates. The errors come from the cross products of the rows' derivatives [3]_;
        they are missing where these do not identify the parameters.
    fit_statistics_ : frame
        One row with every index below by name, to put models of several numbers of classes below each other.
    log_likelihood_ : float
        ``LL``, the weighted sum of the rows' log probabilities.
    n_parameters_ : int
        ``p``, the number of free parameters.
    df_ : int
        Degrees of freedom: the smaller of ``n`` and the number of possible patterns less 1 (with covariates: ``n``),
        less ``p``.
    aic_, aic3_, bic_, caic_, sabic_ : float
        ``-2 LL`` plus ``2 p`` [4]_, ``3 p`` [5]_, ``p ln n`` [6]_, ``p (ln n + 1)`` [7]_ and ``p ln((n + 2) / 24)`` [8]_;
        ``n`` is the weight of the rows with an answer. Lower is better.
    g2_ : float
        ``2 sum n_s ln(n_s / (n P_s))`` over the patterns, the likelihood ratio against a model that fits them all;
        NaN with missing answers or covariates.
    chi2_ : float
        Pearson's ``sum (n_s - n P_s)^2 / (n P_s)`` over all possible patterns; NaN likewise.
    relative_entropy_ : float
        ``1 - sum -p ln p / (n ln K)`` over rows and classes [9]_, what most programs print as "entropy". 1 is a sure
        assignment. NaN for one class.
    entropy_r2_ : float
        ``1 - mean entropy of the posteriors / entropy of the shares`` [10]_: the same beside what is known without any
        answer. NaN for one class.
    classification_error_ : float
        ``1 - mean largest posterior``: the share of rows that modal assignment is expected to misplace [10]_.
    average_posterior_ : ndarray of shape (n_classes,)
        Mean over the rows assigned to a class of its posterior (AvePP); NaN for a class without rows.
    modal_sizes_ : ndarray of shape (n_classes,)
        Weight of the rows assigned to each class.
    start_log_likelihoods_ : ndarray
        What each start reached: if the best stands alone, try more starts.
    n_iter_ : int
        Iterations of the best start.
    converged_ : bool
        Whether it settled before ``max_iter``.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where they had names.

    Warns
    -----
    NotIdentifiedWarning
        If there are more parameters than the data can tell apart, if the derivatives of the rows span fewer
        directions than there are parameters, or if starts of equal likelihood end in different shares.
    UnknownCategoryWarning
        If a category was not there in :meth:`fit`.
    ConvergenceWarning
        If the best start ran into ``max_iter``.
    DataWarning
        If rows have no answer at all, which take no part in the fit, or an item has more than 50 categories.

    Notes
    -----
    "Entropy" means four things: ``relative_entropy_``, ``entropy_r2_``, ``classification_error_`` and, in poLCA, the
    entropy of the fitted distribution of patterns, which says nothing about assignment and is not given. For three
    classes of the carcinoma slides [3]_ they are .925665, .921330, .031774 and 2.494442.

    References
    ----------
    .. [1] Goodman, L. A. (1974). Exploratory latent structure analysis using both identifiable and unidentifiable models.
       Biometrika 61.
    .. [2] Bandeen-Roche, K., Miglioretti, D. L., Zeger, S. L. and Rathouz, P. J. (1997). Latent variable regression for
       multiple discrete outcomes. Journal of the American Statistical Association 92.
    .. [3] Linzer, D. A. and Lewis, J. B. (2011). poLCA: an R package for polytomous variable latent class analysis.
       Journal of Statistical Software 42(10).
    .. [4] Akaike, H. (1974). A new look at the statistical model identification. IEEE Transactions on Automatic Control 19.
    .. [5] Andrews, R. L. and Currim, I. S. (2003). A comparison of segment retention criteria for finite mixture logit
       models. Journal of Marketing Research 40.
    .. [6] Schwarz, G. (1978). Estimating the dimension of a model. Annals of Statistics 6.
    .. [7] Bozdogan, H. (1987). Model selection and Akaike's information criterion. Psychometrika 52.
    .. [8] Sclove, S. L. (1987). Application of model-selection criteria to some problems in multivariate analysis.
       Psychometrika 52.
    .. [9] Ramaswamy, V., DeSarbo, W. S., Reibstein, D. J. and Robinson, W. T. (1993). An empirical pooling approach for
       estimating marketing mix elasticities with PIMS data. Marketing Science 12.
    .. [10] Vermunt, J. K. and Magidson, J. (2005). Technical guide for Latent GOLD 4.0. Statistical Innovations.

    Examples
    --------
    >>> from ilk.cluster import LatentClass
    >>> answers = {
    ...     "organic": ["yes"] * 40 + ["no"] * 60,
    ...     "discount": ["no"] * 36 + ["yes"] * 4 + ["yes"] * 50 + ["no"] * 10,
    ...     "channel": ["shop"] * 30 + ["web"] * 16 + ["shop"] * 4 + ["web"] * 45 + [None] * 5,
    ... }
    >>> model = LatentClass(n_classes=2, random_state=0).fit(answers)
    >>> model.class_shares_.round(2).tolist()
    [0.65, 0.35]
    >>> model.predict({"organic": ["yes"], "discount": ["no"], "channel": ["shop"]}).tolist()
    [1]
    """

    _Model: ClassVar[Any] = _core.LatentClassModel

    labels_: NDArray[np.int32]
    class_shares_: NDArray[np.float64]
    item_probabilities_: Any
    coefficients_: Any
    fit_statistics_: Any
    log_likelihood_: float
    n_parameters_: int
    df_: int
    aic_: float
    aic3_: float
    bic_: float
    caic_: float
    sabic_: float
    g2_: float
    chi2_: float
    relative_entropy_: float
    entropy_r2_: float
    classification_error_: float
    average_posterior_: NDArray[np.float64]
    modal_sizes_: NDArray[np.float64]
    start_log_likelihoods_: NDArray[np.float64]
    n_iter_: int
    converged_: bool
    _model: _core.LatentClassModel
    _native: Native

    def __init__(
        self,
        n_classes: int = 2,
        *,
        items: Literal["auto"] | Sequence[str | int] = "auto",
        ordinal: Literal["auto"] | Sequence[str | int] = "auto",
        covariates: Sequence[str | int] | None = None,
        n_init: int = 10,
        max_iter: int = 1000,
        tol: float = 1e-10,
        unknown: Unknown = "warn",
        random_state: int | np.random.RandomState | None = None,
        progress: Progress = "auto",
    ) -> None:
        self.n_classes = n_classes
        self.items = items
        self.ordinal = ordinal
        self.covariates = covariates
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.unknown = unknown
        self.random_state = random_state
        self.progress = progress

    def fit(self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None) -> Self:
        """Find the classes.

        Parameters
        ----------
        X : frame or array of shape (n_samples, n_features)
            Any data frame, a dict of columns, or an array; answers may be missing.
        y : ignored
            There for scikit-learn's interface.
        sample_weight : array of shape (n_samples,), optional
            Weights, not negative; a weight of 2 is the same as two rows.

        Returns
        -------
        LatentClass
            The estimator.

        Raises
        ------
        DataError
            If an item has no answer at all or more than 65,535 categories, a covariate is missing or does not vary, a
            parameter or weight is out of range, or there are fewer rows with an answer than classes.
        MissingColumnError
            If ``items``, ``ordinal`` or ``covariates`` name a column that is not there.
        """
        self._check_unknown()
        frame = self._take(X, reset=True)
        parameters = parameters_of(self, frame, self.random_state)
        weights = checked_weights(sample_weight, Rows(len(frame)))
        with progress_bar(self.progress, type(self).__name__) as show:
            self._model = _core.LatentClassModel.fit(frame.core, weights, parameters, show)
        self._take_attributes(frame.native)
        warn_of_fit(self._model, self.max_iter)
        return self

    def bootstrap_lr_test(
        self,
        X: Any,
        *,
        n_boot: int = 99,
        sample_weight: ArrayLike | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> BootstrapLRTest:
        """Test ``n_classes`` classes against one fewer.

        The likelihood ratio has no chi-squared distribution here, since one class more lies on the boundary of the
        larger model. So data are drawn from the smaller model as it was fitted, each row with the gaps and covariates
        that it had, and both models are fitted to each draw [1]_, from ``n_init`` random starts and from the solutions of
        the data. The estimator need not be fitted, and is not changed. Draws are spread over the threads.

        Parameters
        ----------
        X : frame or array of shape (n_samples, n_features)
            The data to fit.
        n_boot : int, default 99
            Number of draws; the p-value is at least ``1 / (n_boot + 1)``.
        sample_weight : array of shape (n_samples,), optional
            Whole numbers: how often each row occurs.
        random_state : int, RandomState or None, default None
            Seed; the same integer gives the same result for any number of threads.

        Returns
        -------
        BootstrapLRTest
            The test.

        Raises
        ------
        DataError
            As for :meth:`fit`; if there is one class, or a weight is not a whole number.

        References
        ----------
        .. [1] McLachlan, G. J. (1987). On bootstrapping the likelihood ratio test statistic for the number of components
           in a normal mixture. Applied Statistics 36.

        Examples
        --------
        >>> from ilk.cluster import LatentClass
        >>> answers = {
        ...     "organic": ["yes"] * 45 + ["no"] * 55,
        ...     "discount": ["no"] * 40 + ["yes"] * 60,
        ...     "channel": ["shop"] * 42 + ["web"] * 58,
        ... }
        >>> test = LatentClass(n_classes=2, n_init=3).bootstrap_lr_test(
        ...     answers, n_boot=19, random_state=0
        ... )
        >>> test.p_value
        0.05
        """
        frame = frame_of(X, None)
        parameters = parameters_of(self, frame, random_state)
        weights = checked_weights(sample_weight, Rows(len(frame)))
        with progress_bar(self.progress, "bootstrap") as show:
            found = _core.LatentClassModel.bootstrap_test(
                frame.core, weights, parameters, whole("n_boot", n_boot, 1), show
            )
        return BootstrapLRTest(parameters["n_classes"], *found)

    @classmethod
    def _parameters_of(cls, model: Any) -> dict[str, Any]:
        return {"n_classes": model.n_classes}

    def _take_attributes(self, native: Native | None = None) -> None:
        model = self._model
        native = native or default_native()
        self._native = native
        self.labels_ = model.labels
        self.class_shares_ = model.shares
        self.modal_sizes_ = model.modal_sizes
        self.average_posterior_ = model.average_posterior
        self.start_log_likelihoods_ = model.starts
        self.n_iter_ = model.n_iter
        self.converged_ = model.converged
        self.item_probabilities_ = to_native(model.table("items"), native)
        coefficients = to_native(model.table("coefficients"), native)
        self.coefficients_ = coefficients if model.covariates else None
        fit = model.table("fit")
        self.fit_statistics_ = to_native(fit, native)
        for name, column in to_dict(fit).items():
            if name not in ("n", "n_classes"):
                setattr(self, f"{name}_", column[0].item())

    def _needed_names(self) -> list[str]:
        return [*self._model.items, *self._model.covariates]

    def _tables(self, X: Any) -> tuple[_core.Table, _core.Table | None]:
        """The answers of new rows, and their covariates if the model has any."""
        check_is_fitted(self)
        table = self._take(X, reset=False).core
        return table, table if self._model.covariates else None

    def predict(self, X: Any) -> NDArray[np.int32]:
        """The most probable class of each row.

        Parameters
        ----------
        X : frame or array of shape (n_samples, n_features)
            The columns of :meth:`fit`; answers may be missing.

        Returns
        -------
        ndarray of shape (n_samples,)
            Labels; ties go to the lowest.
        """
        tables = self._tables(X)
        labels, unseen, n_empty = self._model.predict(*tables)
        self._tell(unseen)
        tell_empty(n_empty)
        return labels

    def fit_predict(
        self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None
    ) -> NDArray[np.int32]:
        """Find the classes and give each row its most probable one.

        Parameters
        ----------
        X : frame or array of shape (n_samples, n_features)
            As for :meth:`fit`.
        y : ignored
            There for scikit-learn's interface.
        sample_weight : array of shape (n_samples,), optional
            As for :meth:`fit`.

        Returns
        -------
        ndarray of shape (n_samples,)
            The labels.
        """
        return self.fit(X, sample_weight=sample_weight).labels_

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Probability of each class given the answers of each row.

        Parameters
        ----------
        X : frame or array of shape (n_samples, n_features)
            The columns of :meth:`fit`; answers may be missing.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Rows sum to 1; that of a row without any answer is the shares, or what the covariates say.
        """
        tables = self._tables(X)
        posteriors, unseen, n_empty = self._model.posteriors(*tables)
        self._tell(unseen)
        tell_empty(n_empty)
        return posteriors

    def score_samples(self, X: Any) -> NDArray[np.float64]:
        """Logarithm of the probability of each row's answers.

        Parameters
        ----------
        X : frame or array of shape (n_samples, n_features)
            The columns of :meth:`fit`; answers may be missing.

        Returns
        -------
        ndarray of shape (n_samples,)
            0 for a row without any answer.
        """
        tables = self._tables(X)
        densities, unseen = self._model.log_densities(*tables)
        self._tell(unseen)
        return densities

    def score(self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None) -> float:
        """Weighted mean of :meth:`score_samples`.

        Parameters
        ----------
        X : frame or array of shape (n_samples, n_features)
            The columns of :meth:`fit`; answers may be missing.
        y : ignored
            There for scikit-learn's interface.
        sample_weight : array of shape (n_samples,), optional
            Weights, not negative.

        Returns
        -------
        float
            Higher is better.
        """
        table, covariates = self._tables(X)
        weights = checked_weights(sample_weight, Rows(len(table)))
        mean, unseen = self._model.mean_log_density(table, covariates, weights)
        self._tell(unseen)
        return mean

    def sample(
        self,
        n_samples: int = 1,
        *,
        covariates: Any = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> tuple[Any, NDArray[np.int32]]:
        """Draw customers from the model.

        Parameters
        ----------
        n_samples : int, default 1
            How many.
        covariates : frame, optional
            Needed where the model has covariates: one customer is drawn for each of its rows, whatever ``n_samples``.
        random_state : int, RandomState or None, default None
            Seed.

        Returns
        -------
        answers : frame
            The items by name, categories as text, in the kind of frame that the model was fitted on.
        labels : ndarray
            The class of each row.
        """
        check_is_fitted(self)
        table = None if covariates is None else Frame.of(covariates, name="covariates").core
        seed = seed_of(random_state)
        drawn, labels = self._model.sample(whole("n_samples", n_samples, 1), table, seed)
        return to_native(drawn, self._native), labels

    def summary(self) -> Any:
        """The classes, one row each.

        Returns
        -------
        frame
            Columns ``class``, ``share``, ``modal_size`` and ``average_posterior``, in the kind of frame that came in.
        """
        check_is_fitted(self)
        return to_native(self._model.table("classes"), self._native)

    def _unseen_means(self, column: str) -> str:
        return "it counts as missing"

"""How often customers come back: models of repeat buying."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ilk.economics._models import Model, customers_frame
from ilk.economics._time import YEAR, unit_name
from ilk.exceptions import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ilk.economics._models import Each, Pooling
    from ilk.economics._monetary import GammaGamma
    from ilk.economics._time import TimeUnit


class Buying(Model):
    """What the models of purchases share."""

    _roles: ClassVar[tuple[str, ...]] = ("frequency", "recency", "T")

    def __init__(self, *, time_unit: TimeUnit | None = None) -> None:
        self.time_unit = time_unit

    def fit(
        self,
        customers: Any,
        *,
        by: str | None = None,
        pooling: Pooling = "none",
        weights: str | None = None,
        frequency: str = "frequency",
        recency: str = "recency",
        T: str = "T",
    ) -> Self:
        """Find the parameters with the largest likelihood.

        Parameters
        ----------
        customers : Rfm, Holdout or data frame
            One row per customer with frequency, recency and T as :func:`rfm` gives them under ``definition="btyd"``. Rows
            with a missing value are left out and counted in ``manifest_``.
        by : str, optional
            Column of groups, such as segments, that have a model each. Rows without a group are left out.
        pooling : {"none", "partial"}
            Whether groups learn from each other. With ``"partial"`` the logarithms of a group's parameters are normal
            around common ones; a group whose own data tell little is drawn to these, one with many customers is not. The
            common values and their spreads come from all groups: parametric empirical Bayes by Laplace's approximation
            [1]_, the spreads by restricted likelihood [2]_.
        weights : str, optional
            Column of numbers of customers that each row stands for.
        frequency, recency, T : str
            Names of the columns.

        Returns
        -------
        self

        Raises
        ------
        MissingColumnError
            If a column is not there.
        DataError
            If a row cannot be a customer: it is named. Recency is 0 exactly where frequency is, and at most T.

        Warns
        -----
        UnidentifiedWarning
            If the data do not tell the parameters.

        References
        ----------
        .. [1] Kass and Steffey (1989), Approximate Bayesian inference in conditionally independent hierarchical models,
           Journal of the American Statistical Association 84:717-726.
        .. [2] Laird and Ware (1982), Random-effects models for longitudinal data, Biometrics 38:963-974.
        """
        columns = {"frequency": frequency, "recency": recency, "T": T}
        return self._fit(
            customers,
            columns,
            by=by,
            pooling=pooling,
            weights=weights,
            time_unit=self.time_unit,
        )

    def expected_purchases(self, customers: Any, time: float) -> NDArray[np.float64]:
        """Purchases that each customer is expected to make in the ``time`` to come.

        Parameters
        ----------
        customers : Rfm, Holdout or data frame
            With the columns that the model was fitted to; a million rows take a second or so.
        time : float
            In the unit of T.

        Returns
        -------
        array of shape (n_customers,)
            Missing for a customer with a missing value, or of a group without a model. Where the data do not tell the
            parameters, forecasts rest on a point that fits as well as any, see :meth:`explain`.
        """
        frame = self._customers(customers)
        found: NDArray[np.float64] = self.fitted_._core.expected_purchases(
            frame.core, _number("time", time)
        )
        return found

    def p_alive(self, customers: Any) -> NDArray[np.float64]:
        """Probability that each customer has not left for good; missing as in :meth:`expected_purchases`."""
        frame = self._customers(customers)
        found: NDArray[np.float64] = self.fitted_._core.p_alive(frame.core)
        return found

    def clv(
        self,
        customers: Any,
        gamma_gamma: GammaGamma,
        time: float,
        *,
        discount_rate: float = 0.10,
        timing: Literal["arrears", "advance"] = "arrears",
        margin: float = 1.0,
    ) -> NDArray[np.float64]:
        """Money that each customer is expected to bring in the ``time`` to come, in money of today.

        Parameters
        ----------
        customers : Rfm, Holdout or data frame
            With the columns of this model and of ``gamma_gamma``.
        gamma_gamma : GammaGamma
            What a purchase is worth.
        time : float
            How far to look ahead, in the unit of T.
        discount_rate : float
            Per year, turned into a rate per unit of time by compounding, for which the unit must be known: from an
            :class:`Rfm`, or as ``time_unit`` of the model.
        timing : {"arrears", "advance"}
            Whether the purchases of each unit of time count at its end or at its beginning.
        margin : float
            Share of the amounts that is margin. Without it the value is one of revenue.

        Returns
        -------
        array of shape (n_customers,)
            The value of what is to come, without what was spent already. Infinite where spend has no mean.

        Notes
        -----
        The sum over units of time of expected purchases in the unit, times expected spend per purchase, over
        (1 + d) to the number of units (Fader, Hardie and Lee 2005, RFM and CLV: Using Iso-Value Curves, Journal of
        Marketing Research 42:415-430). It rests on spend being independent of how often a customer buys.
        """
        if timing not in ("arrears", "advance"):
            raise DataError(f'timing: found {timing!r}, but "arrears" or "advance" is needed')
        check_is_fitted(self)
        check_is_fitted(gamma_gamma)
        rate = _number("discount_rate", discount_rate)
        if not rate > -1:
            raise DataError(
                f"discount_rate: found {discount_rate!r}, but a rate from 0 up is needed"
            )
        unit = self.fitted_._core.unit_days()
        if unit is None and rate != 0:
            raise DataError(
                "discount_rate: found a rate per year, but the unit of T is not known; "
                f'try: {type(self).__name__}(time_unit="week")'
            )
        columns = gamma_gamma.fitted_._core.columns()
        by = gamma_gamma.fitted_._core.by()
        frame = customers_frame(
            self,
            customers,
            [*self.fitted_._core.columns(), *columns, *([] if by is None else [by])],
        )
        per_unit = 0.0 if unit is None else math.expm1(math.log1p(rate) * unit / YEAR)
        value: NDArray[np.float64] = self.fitted_._core.lifetime_value(
            frame.core,
            gamma_gamma.fitted_._core,
            _number("time", time),
            per_unit,
            timing == "advance",
        )
        return value * _number("margin", margin)

    def expected_new(self, time: float | Sequence[float]) -> Any:
        """Repeat purchases that a new customer is expected to make in the first ``time``.

        Parameters
        ----------
        time : float or sequence of float
            In the unit of T.

        Returns
        -------
        float, or array of the shape of ``time``
            Where the model was fitted by group, a dict of these.
        """
        check_is_fitted(self)
        times = np.asarray(time, dtype=np.float64)
        found = self.fitted_._core.of_new(times.ravel().tolist())
        arrays = [np.array(values).reshape(times.shape) for values in found]
        return self._each([float(values) if times.ndim == 0 else values for values in arrays])

    def _customers(self, customers: Any) -> Any:
        check_is_fitted(self)
        return customers_frame(self, customers, self.fitted_._core.columns())

    def _unit(self, number: float = 2) -> str:
        return unit_name(self.fitted_._core.unit_days(), number)

    def _why_unknown(self) -> str:
        return (
            "Customers who never leave, who are all alike, or who were watched for too short a time leave no trace of "
            'these parameters. Try: more customers, a longer time, or groups that learn from each other (by=, pooling="partial").'
        )


class BetaGeo(Buying):
    """BG/NBD: customers buy at a rate of their own until, after some purchase, they leave for good.

    While active a customer buys by a Poisson process, whose rate is gamma(r, alpha) over customers; after each
    repeat purchase they leave with a probability that is beta(a, b) over customers [1]_.

    Parameters
    ----------
    time_unit : {"day", "week", "month", "year"} or float, optional
        Unit of recency and T, where the customers do not come from :func:`rfm`. Only :meth:`clv` needs it.

    Attributes
    ----------
    r_, alpha_, a_, b_ : float, or dict of group to float
        The parameters; missing where the data do not tell them.
    log_likelihood_ : float, or dict of group to float
        Of all that is known of the customers' frequency and recency, up to what does not depend on the parameters.
    standard_errors_ : dict
        Of each parameter.
    identified_ : bool, or dict of group to bool
        Whether the data tell the parameters.
    summary : data frame
        One row per parameter and group.
    common_ : dict or None
        Under partial pooling, the parameters of a typical group and the spread of their logarithms.

    Notes
    -----
    Equal rows are collapsed; the parameters are found by Newton steps on their logarithms, from exact derivatives of the
    exact likelihood. Parameters that the data do not tell are reported as missing, with an
    :class:`UnidentifiedWarning`: a logarithm with a standard error above 3, or one that runs out of all bounds. That is no
    failure of the search: where customers never leave, say, every small probability to leave fits as well, and what is
    asked of the model, such as purchases to come, is told nevertheless.

    References
    ----------
    .. [1] Fader, Hardie and Lee (2005), "Counting Your Customers" the Easy Way: An Alternative to the Pareto/NBD Model,
       Marketing Science 24:275-284.

    Examples
    --------
    >>> import ilk
    >>> customers = {
    ...     "frequency": [0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 3, 4, 9],
    ...     "recency": [0, 0, 8, 8, 23, 23, 38, 8, 8, 23, 23, 38, 23, 23, 38, 23, 38],
    ...     "T": [30, 38, 30, 38, 30, 38, 38, 30, 38, 30, 38, 38, 30, 38, 38, 30, 38],
    ...     "people": [556, 530, 140, 126, 78, 66, 32, 36, 35, 52, 38, 21, 36, 20, 17, 20, 18],
    ... }
    >>> model = ilk.economics.BetaGeo(time_unit="week").fit(customers, weights="people")
    >>> model.identified_
    True
    >>> model.expected_purchases(customers, 26).round(2)[:4]
    array([0.26, 0.22, 0.39, 0.31])
    >>> model.p_alive(customers).round(2)[:4]
    array([1.  , 1.  , 0.56, 0.5 ])
    """

    r_: Each
    alpha_: Each
    a_: Each
    b_: Each

    def _in_words(self, parameters: dict[str, float]) -> str:
        rate = parameters["r"] / parameters["alpha"]
        leaves = parameters["a"] / (parameters["a"] + parameters["b"])
        when = (
            "after each purchase, the first included"
            if type(self) is ModifiedBetaGeo
            else "after each repeat purchase"
        )
        return (
            f"an active customer buys {_rate(rate, self._unit(1))}, with differences between customers of "
            f"{1 / math.sqrt(parameters['r']):.0%} of that (coefficient of variation); {when}, {leaves:.1%} leave for good."
        )


class ModifiedBetaGeo(BetaGeo):
    """MBG/NBD: the BG/NBD model in which customers may leave after the first purchase already.

    Under :class:`BetaGeo` everybody without a repeat purchase is certain to be active still; here they are not [1]_.

    Parameters
    ----------
    time_unit : {"day", "week", "month", "year"} or float, optional
        As for :class:`BetaGeo`, like everything else.

    References
    ----------
    .. [1] Batislam, Denizel and Filiztekin (2007), Empirical validation and comparison of models for customer base
       analysis, International Journal of Research in Marketing 24:201-209.

    Examples
    --------
    >>> import ilk
    >>> customers = {
    ...     "frequency": [0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 3, 4, 9],
    ...     "recency": [0, 0, 8, 8, 23, 23, 38, 8, 8, 23, 23, 38, 23, 23, 38, 23, 38],
    ...     "T": [30, 38, 30, 38, 30, 38, 38, 30, 38, 30, 38, 38, 30, 38, 38, 30, 38],
    ...     "people": [556, 530, 140, 126, 78, 66, 32, 36, 35, 52, 38, 21, 36, 20, 17, 20, 18],
    ... }
    >>> model = ilk.economics.ModifiedBetaGeo().fit(customers, weights="people")
    >>> model.p_alive(customers).round(2)[:4]
    array([0.46, 0.42, 0.52, 0.45])
    """


class ParetoNBD(Buying):
    """Pareto/NBD: customers buy at a rate of their own until, at any time, they leave for good.

    Purchases follow a Poisson process whose rate is gamma(r, alpha) over customers; lifetimes are exponential with a
    rate that is gamma(s, beta) over customers [1]_ [2]_.

    Parameters
    ----------
    time_unit : {"day", "week", "month", "year"} or float, optional
        Unit of recency and T, where the customers do not come from :func:`rfm`. Only :meth:`clv` needs it.

    Attributes
    ----------
    r_, alpha_, s_, beta_ : float, or dict of group to float
        The parameters; missing where the data do not tell them.
    log_likelihood_, standard_errors_, identified_, summary, common_
        As for :class:`BetaGeo`.

    References
    ----------
    .. [1] Schmittlein, Morrison and Colombo (1987), Counting Your Customers: Who Are They and What Will They Do Next?,
       Management Science 33:1-24.
    .. [2] Fader and Hardie (2005), A Note on Deriving the Pareto/NBD Model and Related Expressions.

    Examples
    --------
    >>> import ilk
    >>> customers = {
    ...     "frequency": [0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 3, 4, 9],
    ...     "recency": [0, 0, 8, 8, 23, 23, 38, 8, 8, 23, 23, 38, 23, 23, 38, 23, 38],
    ...     "T": [30, 38, 30, 38, 30, 38, 38, 30, 38, 30, 38, 38, 30, 38, 38, 30, 38],
    ...     "people": [9000, 8700, 1400, 1260, 780, 860, 620, 360, 350, 520, 380, 410, 360, 200, 370, 200, 580],
    ... }
    >>> model = ilk.economics.ParetoNBD().fit(customers, weights="people")
    >>> model.p_alive(customers).round(2)[:4]
    array([0.93, 0.92, 0.94, 0.92])
    """

    r_: Each
    alpha_: Each
    s_: Each
    beta_: Each

    def _in_words(self, parameters: dict[str, float]) -> str:
        rate = parameters["r"] / parameters["alpha"]
        gone = 1 - (parameters["beta"] / (parameters["beta"] + 1)) ** parameters["s"]
        return (
            f"an active customer buys {_rate(rate, self._unit(1))}, with differences between customers of "
            f"{1 / math.sqrt(parameters['r']):.0%} of that (coefficient of variation); {gone:.1%} leave for good in the first "
            f"{self._unit(1)}."
        )


class BetaGeoBetaBinomial(Buying):
    """BG/BB: customers who can buy on fixed occasions, such as once a year, until they leave for good.

    On each occasion a customer who is there buys with a probability that is beta(alpha, beta) over customers, and
    before each leaves with one that is beta(gamma, delta) [1]_. ``frequency`` counts occasions with a purchase,
    ``recency`` is the number of the last of them, ``T`` the number of occasions so far: whole numbers. The purchase by
    which a customer came is not among them.

    Parameters
    ----------
    time_unit : {"day", "week", "month", "year"} or float, optional
        Time between occasions. Only :meth:`clv` needs it.

    Attributes
    ----------
    alpha_, beta_, gamma_, delta_ : float, or dict of group to float
        The parameters; missing where the data do not tell them.
    log_likelihood_, standard_errors_, identified_, summary, common_
        As for :class:`BetaGeo`.

    References
    ----------
    .. [1] Fader, Hardie and Shang (2010), Customer-Base Analysis in a Discrete-Time Noncontractual Setting, Marketing
       Science 29:1086-1108.

    Examples
    --------
    >>> import ilk
    >>> donors = {
    ...     "frequency": [0, 1, 1, 2, 3, 4, 5, 6],
    ...     "recency": [0, 1, 6, 5, 6, 6, 6, 6],
    ...     "T": [6] * 8,
    ...     "donors": [3464, 1091, 240, 600, 512, 500, 660, 1203],
    ... }
    >>> model = ilk.economics.BetaGeoBetaBinomial().fit(donors, weights="donors")
    >>> model.expected_purchases(donors, 5).round(1)
    array([0.1, 0.2, 1.2, 1.8, 2.5, 3.1, 3.7, 4.4])
    """

    alpha_: Each
    beta_: Each
    gamma_: Each
    delta_: Each

    def _in_words(self, parameters: dict[str, float]) -> str:
        buys = parameters["alpha"] / (parameters["alpha"] + parameters["beta"])
        leaves = parameters["gamma"] / (parameters["gamma"] + parameters["delta"])
        return f"a customer who is there buys on {buys:.0%} of the occasions; before the first, {leaves:.1%} leave for good."


def _number(argument: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)):
        raise TypeError(f"{argument}: found {value!r}, but a number is needed")
    return float(value)


def _rate(rate: float, unit: str) -> str:
    """A rate of purchases as people say it."""
    if rate >= 1:
        return f"{rate:,.3g} times a {unit}" if unit.isalpha() else f"{rate:,.3g} times in a {unit}"
    every = 1 / rate
    return f"once in {every:,.3g} {unit.replace('unit', 'units', 1) if ' ' in unit else unit + 's'}"

"""Contracts that are renewed or not: the model of retention."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ilk.economics._models import Model
from ilk.exceptions import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ilk.economics._models import Each, Pooling


class ShiftedBetaGeometric(Model):
    """Shifted beta-geometric: why retention rises with the age of a cohort, and how it goes on.

    At each renewal a customer leaves with a probability of their own, which is beta(alpha, beta) over customers.
    Those who leave easily go first, so that the retention of those who are left rises, though nobody changes [1]_.

    Attributes
    ----------
    alpha_, beta_ : float, or dict of group to float
        The parameters; missing where the data do not tell them.
    log_likelihood_, standard_errors_, identified_, summary, common_
        As for :class:`BetaGeo`.

    References
    ----------
    .. [1] Fader and Hardie (2007), How to Project Customer Retention, Journal of Interactive Marketing 21:76-90.

    Examples
    --------
    The customers "High End" of that paper, of whom eight years are known, and the twelfth is asked for:

    >>> import ilk
    >>> cohort = {"period": range(8), "alive": [1000, 869, 743, 653, 593, 551, 517, 491]}
    >>> model = ilk.economics.ShiftedBetaGeometric().fit(cohort)
    >>> round(model.alpha_, 3), round(model.beta_, 3)
    (0.668, 3.806)
    >>> round(model.survival(12), 3), round(model.retention(1), 3), round(model.retention(12), 3)
    (0.378, 0.851, 0.957)
    >>> round(model.discounted_lifetime(0.10), 2)
    5.92
    """

    _roles: ClassVar[tuple[str, ...]] = ("period", "alive")

    alpha_: Each
    beta_: Each

    def __init__(self) -> None:
        pass

    def fit(
        self,
        cohort: Any,
        *,
        by: str | None = None,
        pooling: Pooling = "none",
        period: str = "period",
        alive: str = "alive",
    ) -> Self:
        """Find the parameters with the largest likelihood.

        Parameters
        ----------
        cohort : data frame
            One row per period: its number, from 0 on, and how many customers are left then. Numbers, not shares: they
            decide the standard errors.
        by : str, optional
            Column of groups, such as segments or cohorts, that have a model each.
        pooling : {"none", "partial"}
            Whether groups learn from each other, as in :meth:`BetaGeo.fit`.
        period, alive : str
            Names of the columns.

        Returns
        -------
        self

        Raises
        ------
        MissingColumnError
            If a column is not there.
        DataError
            If a period is missing or stands twice, customers come back, or there are fewer than three periods.

        Warns
        -----
        UnidentifiedWarning
            If the data do not tell the parameters.
        """
        columns = {"period": period, "alive": alive}
        return self._fit(cohort, columns, by=by, pooling=pooling, weights=None)

    def survival(self, renewals: int | Sequence[int]) -> Any:
        """Share of customers who are left after so many renewals: B(alpha, beta + t) / B(alpha, beta).

        Parameters
        ----------
        renewals : int or sequence of int
            From 0 on.

        Returns
        -------
        float or array
            Where the model was fitted by group, a dict of these.
        """
        return self._at(renewals, "survival")

    def retention(self, renewal: int | Sequence[int]) -> Any:
        """Share who renew, of those whom the renewal of this number asks: (beta + t - 1) / (alpha + beta + t - 1).

        Parameters
        ----------
        renewal : int or sequence of int
            From 1 on.

        Returns
        -------
        float or array
            Where the model was fitted by group, a dict of these.
        """
        return self._at(renewal, "retention")

    def discounted_lifetime(
        self,
        discount_rate: float = 0.10,
        *,
        renewals: int = 0,
        timing: Literal["advance", "arrears"] = "advance",
    ) -> Each:
        """Payments to be expected of a customer, in payments of today; times the margin of a payment it is their value.

        Parameters
        ----------
        discount_rate : float
            Per period, which is a year where contracts are yearly.
        renewals : int
            How often the customer has renewed so far: 0 for a new one.
        timing : {"advance", "arrears"}
            ``"advance"``: the customer has just signed or renewed, and pays now and at each further renewal.
            ``"arrears"``: a customer who was there in the last period is about to be asked again; the payment at that
            renewal is not discounted, and not certain.

        Returns
        -------
        float, or dict of group to float
            Infinite without discount where alpha is 1 or less.

        References
        ----------
        Fader and Hardie (2010), Customer-Base Valuation in a Contractual Setting: The Perils of Ignoring
        Heterogeneity, Marketing Science 29:85-93.
        """
        if timing not in ("advance", "arrears"):
            raise DataError(f'timing: found {timing!r}, but "advance" or "arrears" is needed')
        check_is_fitted(self)
        done = _whole("renewals", renewals)
        found = self.fitted_._core.lifetime(done, float(discount_rate), timing == "advance")
        each: Each = self._each(found)
        return each

    def _at(self, renewals: int | Sequence[int], what: str) -> Any:
        check_is_fitted(self)
        numbers = np.asarray(renewals)
        asked = [_whole("renewals", number) for number in numbers.ravel().tolist()]
        found = getattr(self.fitted_._core, what)(asked)
        arrays = [np.array(values).reshape(numbers.shape) for values in found]
        return self._each([float(values) if numbers.ndim == 0 else values for values in arrays])

    def _in_words(self, parameters: dict[str, float]) -> str:
        alpha, beta = parameters["alpha"], parameters["beta"]
        first, fifth = beta / (alpha + beta), (beta + 4) / (alpha + beta + 4)
        return f"{first:.1%} renew the first time. Of those who are left, {fifth:.1%} renew the fifth time: who leaves easily has left."

    def _why_unknown(self) -> str:
        return (
            "A cohort in which nobody leaves, or whose retention does not change, leaves no trace of these parameters. "
            'Try: more periods, or groups that learn from each other (by=, pooling="partial").'
        )


def _whole(argument: str, value: Any) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{argument}: found {value!r}, but a whole number is needed") from None
    if not 0 <= number <= 1_000_000:
        raise DataError(f"{argument}: found {number}, but a number from 0 to 1,000,000 is needed")
    return number

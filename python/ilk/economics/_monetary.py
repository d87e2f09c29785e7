"""What a purchase is worth: the model of spend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

from sklearn.utils.validation import check_is_fitted

from ilk.economics._models import Model, customers_frame

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ilk.economics._models import Each, Pooling


class GammaGamma(Model):
    """Gamma-gamma: what a customer spends per purchase, drawn to the mean of all where purchases are few.

    Amounts of a customer are gamma(p, nu) with nu gamma(q, v) over customers, independent of how often they buy [1]_.

    Attributes
    ----------
    p_, q_, v_ : float, or dict of group to float
        The parameters; missing where the data do not tell them.
    mean_spend_ : float, or dict of group to float
        Mean spend per purchase over customers, p v / (q - 1); infinite where q is 1 or less.
    log_likelihood_, standard_errors_, identified_, summary, common_
        As for :class:`BetaGeo`.

    References
    ----------
    .. [1] Fader and Hardie (2013), The Gamma-Gamma Model of Monetary Value.

    Examples
    --------
    >>> import ilk
    >>> customers = {
    ...     "frequency": [1, 1, 1, 1, 1, 2, 2, 2, 5, 5, 5, 0],
    ...     "monetary": [5.0, 12.0, 20.0, 45.0, 120.0, 12.0, 25.0, 60.0, 15.0, 25.0, 60.0, None],
    ...     "people": [90, 160, 170, 110, 30, 70, 90, 50, 40, 60, 30, 900],
    ... }
    >>> model = ilk.economics.GammaGamma().fit(customers, weights="people")
    >>> model.expected_spend(customers).round(1)[[0, 4, 8, 11]]
    array([16.2, 73.8, 17.1, 27.4])
    """

    _roles: ClassVar[tuple[str, ...]] = ("frequency", "monetary")

    p_: Each
    q_: Each
    v_: Each

    def __init__(self) -> None:
        pass

    def fit(
        self,
        customers: Any,
        *,
        by: str | None = None,
        pooling: Pooling = "none",
        weights: str | None = None,
        frequency: str = "frequency",
        monetary: str = "monetary",
    ) -> Self:
        """Find the parameters with the largest likelihood.

        Parameters
        ----------
        customers : Rfm, Holdout or data frame
            One row per customer: repeat purchases and the mean amount of these, as :func:`rfm` gives them under
            ``definition="btyd"``. Customers without a repeat purchase are left out and counted in ``manifest_``.
        by : str, optional
            Column of groups that have a model each.
        pooling : {"none", "partial"}
            Whether groups learn from each other, as in :meth:`BetaGeo.fit`.
        weights : str, optional
            Column of numbers of customers that each row stands for.
        frequency, monetary : str
            Names of the columns.

        Returns
        -------
        self

        Raises
        ------
        MissingColumnError
            If a column is not there.
        DataError
            If an amount is not positive: its row is named.

        Warns
        -----
        UnidentifiedWarning
            If the data do not tell the parameters.
        """
        columns = {"frequency": frequency, "monetary": monetary}
        return self._fit(customers, columns, by=by, pooling=pooling, weights=weights)

    @property
    def mean_spend_(self) -> Each:
        """Mean spend per purchase over customers."""
        check_is_fitted(self)
        each: Each = self._each(self.fitted_._core.mean_spend())
        return each

    def expected_spend(self, customers: Any) -> NDArray[np.float64]:
        """Expected spend per purchase of each customer: between the own mean and that of all.

        Parameters
        ----------
        customers : Rfm, Holdout or data frame
            With the columns that the model was fitted to.

        Returns
        -------
        array of shape (n_customers,)
            The mean of all where there was no repeat purchase.
        """
        check_is_fitted(self)
        frame = customers_frame(self, customers, self.fitted_._core.columns())
        found: NDArray[np.float64] = self.fitted_._core.expected_spend(frame.core)
        return found

    def _in_words(self, parameters: dict[str, float]) -> str:
        p, q, v = parameters["p"], parameters["q"], parameters["v"]
        if q <= 1:
            return (
                f"spend per purchase has no finite mean (q is {q:.3g}): a few customers spend without limit. Values of "
                "customers without a repeat purchase are infinite."
            )
        own = p / (p + q - 1)
        return (
            f"a purchase is worth {p * v / (q - 1):,.4g} on average over customers. The expected spend of a customer with one "
            f"repeat purchase rests to {own:.0%} on that purchase, and to {1 - own:.0%} on the average."
        )

    def _why_unknown(self) -> str:
        return (
            "Customers who all spend the same, or too few repeat purchases, leave no trace of these parameters. Try: more "
            'customers, or groups that learn from each other (by=, pooling="partial").'
        )

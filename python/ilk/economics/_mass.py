"""Where the money sits along the market, and what a niche has in common with the mass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ilk import _core
from ilk._arguments import whole
from ilk._frame import Frame
from ilk._html import format_value
from ilk._progress import progress_bar
from ilk._random import new_seed
from ilk._result import Explanation
from ilk.economics._report import Report, column_names, labelled, with_interval
from ilk.exceptions import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from ilk._progress import Progress

__all__ = ["MarketMass", "MassNeighbours", "market_mass", "mass_neighbours"]


class MarketMass(Report):
    """Money by distance from the middle of the market; made by :func:`market_mass`.

    ``.table`` has one row per segment (``"all"`` without segments, and last with them) and band.

    ==================  =====================================================================================
    column              meaning
    ==================  =====================================================================================
    segment             name of the segment
    sigma               half width of the band around the market's mean, in its standard deviations
    normal              share of a normal distribution within the band
    n                   customers of the segment within the band
    customers           their share of the segment's customers
    money               their share of the segment's money
    excess              money - customers: above 0 where the middle pays more than its number
    ==================  =====================================================================================

    Customers, money and excess come with their intervals (``_lo``, ``_hi``).
    """

    __slots__ = ()

    _wraps = _core.MarketMass
    _title = "Where the money sits along the market"
    _formats: ClassVar[Mapping[str, str]] = {
        "sigma": "number",
        "normal": "share",
        "n": "count",
        "customers": "share",
        "money": "share",
        "excess": "share",
    }

    @property
    def sides(self) -> Any:
        """The mass market and the niches on its two sides: shares of customers and money, money per customer."""
        return self._frame("sides")

    @property
    def normality(self) -> Any:
        """Shape of the score, each customer counted once and each weighted by money.

        ``distance`` is the largest difference between the cumulative share and the normal one of equal mean and
        deviation; ``statistic`` and ``p`` are of D'Agostino's and Pearson's test.
        """
        return self._frame("normality")

    @property
    def histogram(self) -> Any:
        """Shares of customers and of money in quarters of a standard deviation, beside the normal ones."""
        return self._frame("histogram")

    def explain(self) -> Explanation:
        """Where the money sits, in sentences, and whether the normal curve describes it."""
        columns, sides, shape = self.to_dict(), self._sheet("sides"), self._sheet("normality")
        settings = self._settings
        lines = []
        for row, segment in enumerate(columns["segment"]):
            if columns["sigma"][row] != 1.0:
                continue
            lines.append(
                f"{segment}: within one standard deviation of the middle stand "
                f"{with_interval(columns, 'customers', row, 'share')} of the customers with "
                f"{with_interval(columns, 'money', row, 'share')} of the money; the normal curve says "
                f"{format_value(columns['normal'][row], 'share')}."
            )
        for segment in dict.fromkeys(sides["segment"]):
            rows = [i for i, name in enumerate(sides["segment"]) if name == segment]
            parts = [
                f"{sides['side'][i]} {with_interval(sides, 'money', i, 'share')} of the money from "
                f"{format_value(sides['customers'][i], 'share')} of the customers"
                for i in rows
            ]
            lines.append(f"{segment}: {'; '.join(parts)} (mass is within ±{settings['mass']:g}).")
        distance = shape["distance"][0]
        verdict = (
            "close to" if distance < 0.05 else "some way from" if distance < 0.1 else "far from"
        )
        test = (
            f"p {format_value(shape['p'][0], 'p')}"
            if shape["p"][0] == shape["p"][0]
            else "not tested with fewer than 20 rows"
        )
        lines.append(
            f"The score is {verdict} normal: the cumulative shares differ by at most {distance:.3f} (bars at 0.05 and "
            f"0.1), skewness {shape['skewness'][0]:.2f}, excess kurtosis {shape['excess_kurtosis'][0]:.2f}, {test} "
            "(D'Agostino and Pearson). With many customers p is small for differences that do not matter; with few it "
            f"is large for ones that do. Weighted by money the distance is {shape['distance'][1]:.3f}, the mean "
            f"{format_value(shape['mean'][1])} instead of {format_value(shape['mean'][0])}."
        )
        return Explanation("\n".join(lines))

    def plot(self, *, segment: str | None = None, ax: Axes | None = None) -> Axes:
        """Draw shares of customers and of money along the score, with the normal curve.

        Parameters
        ----------
        segment : str, optional
            Which segment; by default everybody.
        ax : Axes, optional
            Where to draw; a new figure if there is none.

        Returns
        -------
        matplotlib.axes.Axes
            Of the picture.

        Raises
        ------
        DataError
            If there is no such segment.
        ImportError
            If matplotlib is not installed.
        """
        from ilk.plot.mass import mass_histogram

        histogram = self._sheet("histogram")
        names = list(dict.fromkeys(histogram["segment"]))
        segment = names[-1] if segment is None else segment
        if segment not in names:
            raise DataError(f"segment: found {segment!r}, but the segments are {', '.join(names)}")
        return mass_histogram(histogram, self._sheet("sides"), segment, self._settings, ax)


def market_mass(
    df: Any,
    *,
    score: str,
    money: str,
    by: Any = None,
    bands: Sequence[float] = (0.5, 1, 2, 3),
    mass: float = 1,
    n_boot: int = 1000,
    confidence: float = 0.95,
    random_state: int | None = None,
    progress: Progress = "auto",
) -> MarketMass:
    """Where the money sits along the market: shares by distance from the middle, beside the normal curve.

    Parameters
    ----------
    df : data frame
        One row per customer.
    score : str
        Column of the place in the market, such as price level or taste.
    money : str
        Column of what the customer spends, 0 or more.
    by : str, Segmentation, or array-like of labels, optional
        Segments; where each has its money in the market as a whole.
    bands : sequence of float
        Half widths in standard deviations, ascending.
    mass : float
        Half width of what is called the mass market; beyond it are the niches.
    n_boot : int
        Bootstrap replicates; 0 for no intervals.
    confidence : float
        Of the intervals.
    random_state : int, optional
        Seed of the replicates; by default a fresh one, which ``.manifest["random_state"]`` keeps.
    progress : bool, "auto" or callable
        Whether to show a progress bar.

    Returns
    -------
    MarketMass
        With ``.table``, ``.sides``, ``.normality``, ``.histogram``, ``.explain()`` and ``.plot()``.

    Raises
    ------
    MissingColumnError
        If a named column is not there.
    DataError
        If money is negative, the score does not vary, an argument is out of range, or no row is complete.

    Notes
    -----
    S3-MASS-01. The score is standardised by the mean and standard deviation (n - 1) of all customers, in every replicate
    anew; an edge belongs to its band. "Most money sits in the middle" is a statement about money, so the share of money
    stands beside that of customers and that of the normal curve (0.382925, 0.682689, 0.954500 and 0.997300 within 0.5, 1, 2
    and 3). Normality is tested by the omnibus test of D'Agostino and Pearson (1973, Biometrika 60:613-622) with
    the normal approximations of D'Agostino (1970) and of Anscombe and Glynn (1983), from 20 rows on. Rows with a missing
    value are left out and counted in ``.manifest``.

    Examples
    --------
    >>> import ilk
    >>> market = {"price": [1, 2, 3, 4, 5], "spend": [0, 10, 60, 10, 20]}
    >>> found = ilk.economics.market_mass(market, score="price", money="spend", n_boot=0)
    >>> found.to_dict()["customers"].tolist(), found.to_dict()["money"].tolist()
    ([0.2, 0.6, 1.0, 1.0], [0.6, 0.8, 1.0, 1.0])
    """
    names = column_names(score=score, money=money)
    frame, groups = labelled(df, by, "by", names)
    with progress_bar(progress, "market mass") as report:
        core = _core.market_mass(
            frame.core,
            groups,
            score=score,
            money=money,
            bands=[float(band) for band in bands],
            mass=float(mass),
            n_boot=whole("n_boot", n_boot),
            confidence=float(confidence),
            seed=new_seed(random_state),
            progress=report,
        )
    return MarketMass(core, frame.native)


class MassNeighbours(Report):
    """What the customers of a niche share with many others; made by :func:`mass_neighbours`.

    ``.table`` has one row per neighbour, best first.

    ===================  ====================================================================================
    column               meaning
    ===================  ====================================================================================
    neighbour, rank      the item, and its place by score
    n, n_both            its customers, and those who are customers of the niche too
    jaccard              n_both / customers of either
    lift                 how many times as often the niche's customers have it as customers at large,
                         with its interval
    q                    p-value of no association, adjusted for the number of neighbours
    value_per_customer   money per customer of the neighbour
    reach                its customers who are not in the niche
    score                jaccard x n x value_per_customer: overlap times money
    centroid_distance    chi-squared distance of its customers from the average ones: near 0 for what
                         everybody buys
    ===================  ====================================================================================
    """

    __slots__ = ()

    _wraps = _core.MassNeighbours
    _title = "Mass-market neighbours"
    _formats: ClassVar[Mapping[str, str]] = {
        "rank": "count",
        "n": "count",
        "n_both": "count",
        "jaccard": "share",
        "lift": "index",
        "q": "p",
        "value_per_customer": "money",
        "reach": "count",
        "score": "money",
        "centroid_distance": "index",
    }

    @property
    def niche(self) -> Any:
        """The niche itself: its customers, all customers, value per customer, distance from the average."""
        return self._frame("niche")

    def explain(self) -> Explanation:
        """The best neighbours in sentences."""
        columns, niche = self.to_dict(), self._sheet("niche")
        name, n = niche["niche"][0], int(niche["n"][0])
        everybody = int(niche["n_customers"][0])
        lines = [
            f"{name} has {n:,} of {everybody:,} customers ({format_value(n / everybody, 'share')})."
        ]
        for row in range(min(3, len(columns["neighbour"]))):
            sure = columns["q"][row] <= 1 - self._settings["confidence"]
            direction = "more" if columns["lift"][row] > 1 else "less"
            lines.append(
                f"{row + 1}. {columns['neighbour'][row]}: {int(columns['n_both'][row]):,} of them are there too; they are "
                f"there {with_interval(columns, 'lift', row, 'index')} times as often as customers at large"
                + (f" ({direction} than chance)" if sure else " (which chance alone may explain)")
                + f". It has {int(columns['reach'][row]):,} customers beyond the niche, at "
                f"{format_value(columns['value_per_customer'][row], 'money')} each."
            )
        if len(columns["neighbour"]) == 0:
            lines.append("No other item is large enough to count as a mass market.")
        lines.append(
            "Neighbours stand in order of overlap (Jaccard) x customers x money per customer; a large neighbour of lift 1 or "
            "less has the niche's customers only because it has everybody's."
        )
        return Explanation("\n".join(lines))

    def plot(self, *, top: int = 12, ax: Axes | None = None) -> Axes:
        """Draw lift against size, one bubble for each neighbour, its area the money.

        Parameters
        ----------
        top : int
            How many neighbours, best first.
        ax : Axes, optional
            Where to draw; a new figure if there is none.

        Returns
        -------
        matplotlib.axes.Axes
            Of the picture.

        Raises
        ------
        DataError
            If there is no neighbour to draw.
        ImportError
            If matplotlib is not installed.
        """
        from ilk.plot.mass import neighbour_bubbles

        columns = self.to_dict()
        if not columns["neighbour"]:
            raise DataError(
                "plot: found no neighbours, but at least one is needed; try: min_size=1"
            )
        return neighbour_bubbles(columns, self._sheet("niche")["niche"][0], whole("top", top), ax)


def mass_neighbours(
    df: Any,
    *,
    customer: str,
    item: str,
    niche: str,
    value: str | None = None,
    min_size: float | None = None,
    confidence: float = 0.95,
) -> MassNeighbours:
    """Mass-market neighbours of a niche: where its customers meet many others.

    Parameters
    ----------
    df : data frame
        One row per purchase, or per customer and segment; a pair that comes again counts once.
    customer, item : str
        Columns of who and of what.
    niche : str
        The item that is to be widened.
    value : str, optional
        Column of money, 0 or more; without it every pair of customer and item is worth 1.
    min_size : float, optional
        Customers from which on an item is a mass market; by default more than the niche has.
    confidence : float
        Of the intervals; ``q`` is held against 1 - confidence in the words.

    Returns
    -------
    MassNeighbours
        With ``.table``, ``.niche``, ``.explain()`` and ``.plot()``.

    Raises
    ------
    MissingColumnError
        If a named column is not there.
    DataError
        If the niche is not among the items, stands alone, or a value is negative.

    Notes
    -----
    S3-MASS-02. Lift is n_both N / (n n_niche); its interval is that of its logarithm by the delta method on multinomial
    counts, and without a shared customer goes up to the exact Poisson bound. p is of Pearson's test of independence,
    adjusted over the neighbours (Benjamini and Hochberg 1995). The distance is that of correspondence analysis between the
    item's profile over customers and the centroid (Greenacre 2017, Correspondence Analysis in Practice).

    Examples
    --------
    >>> import ilk
    >>> baskets = {
    ...     "who": ["a", "a", "b", "b", "c", "c", "d", "e"],
    ...     "what": ["sport", "health", "sport", "health", "health", "bread", "bread", "bread"],
    ... }
    >>> found = ilk.economics.mass_neighbours(baskets, customer="who", item="what", niche="sport")
    >>> found.to_dict()["neighbour"], found.to_dict()["lift"].round(2).tolist()
    (['health', 'bread'], [1.67, 0.0])
    """
    names = column_names(customer=customer, item=item, value=value)
    frame = Frame.of(df, columns=names)
    core = _core.mass_neighbours(
        frame.core,
        customer=customer,
        item=item,
        value=value,
        niche=str(niche),
        min_size=None if min_size is None else float(min_size),
        confidence=float(confidence),
    )
    return MassNeighbours(core, frame.native)

"""The path of customers through stages, and what it is worth."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from ilk import _core
from ilk._arguments import real, whole
from ilk._frame import Frame, to_dict, to_native
from ilk._progress import progress_bar
from ilk._random import new_seed
from ilk._result import Explanation, Result
from ilk.exceptions import DataError
from ilk.gaps._options import drawing, replicates

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ilk._progress import Progress

__all__ = ["LifePath", "life_path"]

_KINDS = ("transitions", "occupancy", "value")


class LifePath(Result):
    """The path of customers through stages; made by :func:`life_path`.

    ``.table`` has one row per pair of stages: ``from``, ``to``, the transitions counted (``n``, of ``n_from``), and the
    probability ``p`` of this move in one period with its interval. ``.stages`` has one row per stage:

    ==========================  ==========================================================================================
    column                      meaning
    ==========================  ==========================================================================================
    n                           transitions from it; ``few`` where they are fewer than ``min_count``
    n_now, share_now            customers in it in the latest period, and their share
    time                        mean periods in it; infinite where nobody was seen to leave it
    next_stage, next_p          where most of those who leave it go, and their share of the moves
    next_ever, next_wait        share of those in it who ever get there by whatever way, and after how many periods
    offer, next_offer           what fits customers in it, and what fits them in the next stage
    margin                      margin of a customer in one period
    value                       margins of ``horizon`` periods of a customer who begins here, discounted
    value_forever               the same without an end; infinite where it has no bound, missing where it does not settle
    ==========================  ==========================================================================================

    Figures come with intervals (``_lo``, ``_hi``); offers and values are there if they were given.

    Examples
    --------
    >>> from ilk.journeys import life_path
    >>> panel = {
    ...     "who": ["Ann", "Ann", "Ann", "Bob", "Bob", "Bob"],
    ...     "year": [2021, 2022, 2023, 2021, 2022, 2023],
    ...     "stage": ["student", "student", "family", "student", "family", "family"],
    ... }
    >>> path = life_path(panel, customer="who", time="year", stage="stage", random_state=0)
    >>> path.table["n"].tolist()
    [1, 0, 2, 1]
    """

    __slots__ = ()

    _wraps = _core.LifePath
    _title = "Path through stages"
    _formats: ClassVar[Mapping[str, str]] = {
        "n": "count",
        "n_from": "count",
        "n_now": "count",
        "p": "share",
        "share": "share",
        "share_now": "share",
        "time": "index",
        "next_p": "share",
        "next_ever": "share",
        "next_wait": "index",
        "margin": "money",
        "value": "money",
        "value_forever": "money",
    }

    @property
    def stages(self) -> Any:
        """One row per stage, in the kind of frame that came in."""
        return to_native(self._core.stages(), self._native)

    @property
    def total(self) -> Any:
        """The mean customer to begin with: ``value`` and ``value_forever`` in one row; no row without margins."""
        return to_native(self._core.total(), self._native)

    def occupancy(self, periods: int | None = None) -> Any:
        """Where the customers will be: the share of each stage from now on.

        Parameters
        ----------
        periods : int, optional
            How far to look; the ``horizon`` of the path by default.

        Returns
        -------
        frame
            One row per period (0 is the beginning) and stage, with the ``share`` and its interval.

        Raises
        ------
        DataError
            If it is no whole number from 1 to 10,000.
        """
        return to_native(self._occupancy(periods), self._native)

    def _occupancy(self, periods: int | None = None) -> _core.Table:
        _, horizon, _ = self._core.words()
        table: _core.Table = self._core.occupancy(
            horizon if periods is None else whole("periods", periods)
        )
        return table

    def explain(self) -> Explanation:
        """How long customers stay, where they go, what to offer them, what the path is worth, and what was supposed."""
        return Explanation("\n".join(self._core.explain()))

    def plot(self, kind: str = "transitions", *, ax: Axes | None = None) -> Axes:
        """Draw the path.

        Parameters
        ----------
        kind : {"transitions", "occupancy", "value"}
            The probabilities of moving; the shares of the stages from now on; or the value of a customer who begins in each
            stage, adding up over the periods.
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure where none is given.

        Returns
        -------
        matplotlib.axes.Axes
            Its label (``get_label()``) describes the picture in words.

        Raises
        ------
        DataError
            If there is no such kind, or no margins for values.
        ImportError
            If matplotlib is not installed.
        """
        from ilk.plot import life_path as pictures

        drawing(ax)
        period, _, has_value = self._core.words()
        if kind not in _KINDS:
            raise DataError(
                f'kind: found {kind!r}, but "transitions", "occupancy" or "value" is needed'
            )
        stages = to_dict(self._core.stages())
        if kind == "transitions":
            return pictures.transitions(self.to_dict(), stages, period, ax)
        if kind == "occupancy":
            return pictures.occupancy(to_dict(self._occupancy()), stages, period, ax)
        if not has_value:
            raise DataError(
                "kind: found 'value', but the path has no margins; "
                f"try: margin={{{stages['stage'][0]!r}: 100, ...}}"
            )
        return pictures.value(stages, self._core.running(), period, ax)

    def _shown(self) -> dict[str, Any]:
        return {
            name: column
            for name, column in to_dict(self._core.stages()).items()
            if name != "few" or any(column)
        }


def life_path(
    panel: Any,
    *,
    customer: str,
    time: str,
    stage: str,
    stages: Sequence[Any] | None = None,
    offers: Mapping[Any, str] | None = None,
    margin: Mapping[Any, float] | None = None,
    discount: float | None = None,
    period: str | int | None = None,
    horizon: int | None = None,
    start: Any = None,
    confidence: float = 0.95,
    weights: str | None = None,
    min_count: float = 10,
    n_boot: int = 1000,
    random_state: int | None = None,
    progress: Progress = "auto",
) -> LifePath:
    """Follow customers through stages: who moves where, how long they stay, what to offer next, what the path is worth.

    Stages are a discrete Markov chain: where a customer is in the next period depends on where they are now [1]_. Whether the
    stage before matters, too, is tested and told.

    Parameters
    ----------
    panel : frame
        One row per customer and time, in any order.
    customer, time, stage : str
        Columns. Times are dates or whole numbers.
    stages : sequence, optional
        The stages in their order; by default those met, ordered categories in their order. A row in any other is refused.
    offers : mapping, optional
        What fits customers in a stage. By default, for stages that are keys or names of
        :data:`ilk.taxonomy.LIFE_STAGES`, what is expected to drive their purchases.
    margin : mapping, optional
        Margin of a customer in one period, for every stage: ``{"student": 20, "family": 80}``. Without it nothing is valued.
    discount : float, optional
        Of one period (0.01 is one per cent); none by default. From a yearly rate r it is ``(1 + r) ** (1 / 12) - 1`` by month.
    period : str or int, optional
        ``"day"``, ``"week"``, ``"month"``, ``"quarter"``, ``"year"``, or a number of days, or of whatever the times count. By
        default the one that makes most of a customer's rows consecutive; the result says which.
    horizon : int, optional
        Periods over which value adds up; 10 by default.
    start : str or mapping, optional
        The stage in which everybody begins, or numbers of customers by stage; by default the customers of the latest period.
    confidence : float
        Of all intervals.
    weights : str, optional
        Column with the number of customers that a row stands for.
    min_count : float
        A stage with fewer transitions than this is flagged.
    n_boot : int
        Draws for the intervals of values and occupancy, at least 20; 0 for none.
    random_state : int, optional
        Seed of the draws; a new one if there is none.
    progress : bool, "auto" or callable
        Whether to show a bar.

    Returns
    -------
    LifePath
        With ``.table``, ``.stages``, ``.total``, ``.occupancy()``, ``.explain()`` and ``.plot()``.

    Raises
    ------
    MissingColumnError
        If a column is not there.
    DataError
        If a customer has two rows in one period, no two rows of a customer are consecutive, or a setting is not allowed.
    TypeError
        If a time is no date and no number, or an argument has another type.

    Notes
    -----
    S3-LIFE-02, S3-LIFE-01. Rows with a missing value are left out. A transition counts only between rows in consecutive
    periods; pairs further apart are counted and told. Probabilities have Wilson intervals; the mean time in a stage is
    ``1 / (1 - p_ii)``, its interval that of ``p_ii`` carried over. A stage from which no transition was seen is taken as the
    end of the path, and the result says so.

    Value is ``sum over t of pi_t m / (1 + d)^t`` with the first period, t = 0, in full (margins come in advance), where
    ``pi_t = pi_0 P^t``. Without an end it solves ``(I - P / (1 + d)) v = m`` exactly; without a discount it is finite only
    where customers end in stages without margin, and missing where they end in stages with margins of both signs. Intervals of value and occupancy draw each row of P from its posterior, a
    Dirichlet with one more transition spread over the moves seen; moves never seen stay impossible, and margins and the
    customers to begin with are taken as known.

    History is tested by Pearson's chi-square of second against first order [2]_ in those stages where there are at least five
    triples per cell on average.

    References
    ----------
    .. [1] Pfeifer and Carraway (2000), Modeling customer relationships as Markov chains, Journal of Interactive Marketing
       14:43-55.
    .. [2] Anderson and Goodman (1957), Statistical inference about Markov chains, Annals of Mathematical Statistics 28:89-110.

    Examples
    --------
    Ann studies two years and has a family in the third; Bob and Cem follow.

    >>> from ilk.journeys import life_path
    >>> panel = {
    ...     "who": ["Ann"] * 3 + ["Bob"] * 3 + ["Cem"] * 2,
    ...     "year": [2021, 2022, 2023, 2021, 2022, 2023, 2022, 2023],
    ...     "stage": ["student", "student", "family", "student", "family", "family", "student", "student"],
    ... }
    >>> path = life_path(
    ...     panel,
    ...     customer="who",
    ...     time="year",
    ...     stage="stage",
    ...     stages=["student", "family"],
    ...     margin={"student": 10, "family": 40},
    ...     discount=0.25,
    ...     random_state=0,
    ... )
    >>> path.stages["time"].tolist(), path.stages["next_offer"]
    ([2.0, inf], ['quality and reliability', ''])
    >>> path.stages["value_forever"].round(2).tolist()
    [150.0, 200.0]
    """
    columns = {"customer": customer, "time": time, "stage": stage, "weights": weights}
    for argument, column in columns.items():
        if not (isinstance(column, str) or (argument == "weights" and column is None)):
            raise TypeError(
                f"{argument} is a {type(column).__name__}, but the name of a column is needed"
            )
    if stages is not None and (isinstance(stages, str) or not isinstance(stages, Iterable)):
        raise TypeError(
            f'stages: found {stages!r}, but a list of stages is needed; try: stages=["student", "family"]'
        )
    if period is not None and not isinstance(period, str):
        period = whole("period", period)
    frame = Frame.of(panel, name="panel", columns=[c for c in columns.values() if c is not None])
    seed = new_seed(random_state)
    amounts = _amounts("margin", margin)
    beginning: list[tuple[str, float]] | None
    if isinstance(start, Mapping) or start is None:
        beginning = _amounts("start", start)
    else:
        beginning = [(str(start), 1.0)]
    settings = {
        **columns,
        "stages": None if stages is None else [str(name) for name in stages],
        "offers": [] if offers is None else _texts(offers),
        "margin": amounts,
        "discount": 0.0 if discount is None else real("discount", discount),
        "period": period,
        "horizon": 10 if horizon is None else whole("horizon", horizon),
        "start": beginning,
        "min_count": real("min_count", min_count),
        "n_boot": replicates(n_boot),
        "confidence": real("confidence", confidence),
    }
    request = json.dumps(
        {**settings, "seed": seed, "expected": _expected() if offers is None else []}
    )
    with progress_bar(progress, "path through stages") as report:
        core = _core.follow_stages(frame.core, request, json.dumps(settings), report)
    return LifePath(core, frame.native)


def _expected() -> list[tuple[str, str]]:
    """What is expected to drive purchases, by key and by name of the life stages."""
    from ilk.taxonomy import LIFE_STAGES

    return [
        (name.casefold().replace(" ", "_"), str(item["driver"]))
        for item in LIFE_STAGES
        for name in (item.key, item.name)
    ]


def _texts(offers: Any) -> list[tuple[str, str]]:
    if not isinstance(offers, Mapping):
        raise TypeError(
            f"offers is a {type(offers).__name__}, but a mapping of stages to offers is needed"
        )
    for stage, offer in offers.items():
        if not isinstance(offer, str):
            raise TypeError(f"offers: found {offer!r} for {stage!r}, but text is needed")
    return [(str(stage), offer) for stage, offer in offers.items()]


def _amounts(argument: str, amounts: Any) -> list[tuple[str, float]] | None:
    if amounts is None:
        return None
    if not isinstance(amounts, Mapping):
        raise TypeError(
            f"{argument} is a {type(amounts).__name__}, but a mapping of stages to numbers is needed"
        )
    return [(str(stage), real(f"{argument}[{stage!r}]", value)) for stage, value in amounts.items()]

"""What accounts do not buy though those like them do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ilk import _core
from ilk._arguments import column_name, real, whole
from ilk._frame import Frame, free_name, to_dict, to_native
from ilk._html import format_value
from ilk._progress import progress_bar
from ilk._result import Explanation, Result
from ilk.economics._report import with_interval
from ilk.exceptions import DataError
from ilk.gaps._audit import at_rows
from ilk.gaps._named import wide
from ilk.gaps._options import columns, drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ilk._progress import Progress

__all__ = ["Whitespace", "whitespace"]


#: Cells that a person is shown.
_SHOWN = 30


class Whitespace(Result):
    """What accounts do not buy though those like them do; made by :func:`whitespace`.

    ``.table`` has one row per segment and product.

    =========================  ==============================================================================
    column                     meaning
    =========================  ==============================================================================
    segment, product           the cell
    accounts, buyers, open     accounts of the segment, those that bought the product, and the others
    penetration                buyers / accounts
    p_buy                      the same, drawn towards the share of all accounts as far as the segments agree, with
                               its interval
    overall                    share of all accounts that bought the product
    lift                       p_buy / overall
    spend                      what a buyer spends on it, drawn towards the buyers at large in the same way, with its
                               interval (none where one account alone bought it); only with ``value``
    expected_value             p_buy times spend, with its interval: of one account that has not bought it; only with
                               ``value``
    potential                  open times expected_value; without ``value`` open times p_buy
    rank                       by potential, 0 where every account has bought it
    =========================  ==============================================================================

    Examples
    --------
    >>> from ilk.gaps import whitespace
    >>> bought = {
    ...     "account": ["a", "a", "b", "b", "c", "d", "d", "e"],
    ...     "product": ["desk", "lamp", "desk", "lamp", "desk", "desk", "sofa", "sofa"],
    ... }
    >>> found = whitespace(bought, by={"a": "shop", "b": "shop", "c": "shop", "d": "home", "e": "home"})
    >>> first = found.opportunities(1)
    >>> first["account"], first["product"], first["buyers"].tolist()
    (['e'], ['desk'], [1])
    """

    __slots__ = ()

    _wraps = _core.Whitespace
    _title = "White space"
    _formats: ClassVar[Mapping[str, str]] = {
        "accounts": "count",
        "buyers": "count",
        "open": "count",
        "penetration": "share",
        "p_buy": "share",
        "overall": "share",
        "lift": "index",
        "spend": "money",
        "expected_value": "money",
        "potential": "money",
        "rank": "count",
    }

    @property
    def _valued(self) -> bool:
        valued: bool = self._core.names()[2]
        return valued

    def _shown(self) -> dict[str, Any]:
        table = self.to_dict()
        rank = np.asarray(table["rank"])
        rows = np.argsort(np.where(rank > 0, rank, len(rank) + 1), kind="stable")[:_SHOWN]
        wanted = [name for name in table if name not in ("penetration", "overall")]
        return {name: at_rows(table[name], rows.tolist()) for name in wanted}

    def _rows_note(self) -> str:
        segments, products, _ = self._core.names()
        cells = len(segments) * len(products)
        note = super()._rows_note()
        if cells > _SHOWN:
            note += f"; the {_SHOWN} cells of the largest potential are shown, of {cells:,}"
        return note

    def opportunities(
        self,
        top: int = 10,
        *,
        account: Any = None,
        product: Any = None,
        per_account: int | None = None,
        min_buyers: int = 1,
    ) -> Any:
        """Accounts with a product that they have not bought, the largest expected value first.

        Parameters
        ----------
        top : int
            Rows at most.
        account, product : optional
            Only of this one.
        per_account : int, optional
            Rows of one account at most.
        min_buyers : int
            Only where so many of the segment buy the product; with 0 also what none of them buys.

        Returns
        -------
        frame
            ``rank``, ``account``, ``product``, ``segment``, its ``accounts`` and ``buyers``, ``p_buy``, ``overall`` and with
            ``value`` ``spend`` and ``expected_value``, each with its interval. The accounts of a segment have the same
            figures: the one that spends most (without ``value``, that buys the most products) comes first.

        Raises
        ------
        DataError
            If there is no such account or product, or a number is negative.
        """
        found = self._core.opportunities(
            whole("top", top),
            None if account is None else str(account),
            None if product is None else str(product),
            None if per_account is None else whole("per_account", per_account),
            whole("min_buyers", min_buyers),
        )
        settings = self.manifest["settings"]
        columns = to_dict(found)
        for name in ("account", "product"):
            if settings["kinds"][name] == "number":
                columns[name] = _numbers(columns[name])
        return to_native(Frame.of(columns).core, self._native)

    def matrix(self, what: str = "p_buy") -> Any:
        """One figure as a table with a row per segment and a column per product.

        Parameters
        ----------
        what : str
            A column of ``.table``.

        Returns
        -------
        frame
            One column per product. The segments are the index of a pandas frame, and else the first column.

        Raises
        ------
        DataError
            If there is no such column.
        """
        return wide(self.to_dict(), what, ("segment", "product"), self._native)

    def explain(self) -> Explanation:
        """The largest potentials, the first opportunities, and how the figures are made."""
        table, settings = self.to_dict(), self.manifest["settings"]
        segments, products, valued = self._core.names()
        accounts, bought = self._core.sizes()
        pairs = accounts * len(products)
        lines = [
            f"{accounts:,} accounts in {len(segments):,} segments and {len(products):,} products: "
            f"{format_value(bought / pairs, 'share')} of the {pairs:,} pairs are bought."
        ]
        order = {int(rank): row for row, rank in enumerate(table["rank"]) if rank > 0}
        for rank in sorted(order)[:3]:
            row = order[rank]
            worth = ""
            if valued:
                worth = (
                    f" A buyer spends {with_interval(table, 'spend', row, 'money')}, so that each of the open accounts is "
                    f"worth {with_interval(table, 'expected_value', row, 'money')}, and all of them "
                    f"{format_value(table['potential'][row], 'money')}."
                )
            lines.append(
                f"{table['product'][row]} in {table['segment'][row]}: {table['buyers'][row]:,} of {table['accounts'][row]:,} "
                f"accounts buy it, {table['open'][row]:,} do not; likelihood "
                f"{with_interval(table, 'p_buy', row, 'share')}.{worth}"
            )
        if not order:
            lines.append("Every account has bought every product.")
        lines.append(
            "The likelihood is the share of the segment that buys, drawn towards the share of all accounts as far as segments "
            "agree (empirical Bayes, beta-binomial)"
            + (
                "; spend is drawn towards the mean of all buyers in the same way (Bühlmann and Straub). "
                if valued
                else ". "
            )
            + f"Brackets hold {100 * settings['confidence']:g} % intervals. What those like an account buy says where to look first; "
            "it does not say that an offer would be taken."
        )
        lines += [f"{note[0].upper()}{note[1:]}." for note in self.manifest["notes"]]
        return Explanation("\n".join(lines))

    def plot(self, *, products: int = 12, segments: int = 12, ax: Axes | None = None) -> Axes:
        """Draw segments by products: the likelihood to buy, and what the open accounts are worth.

        Parameters
        ----------
        products, segments : int
            At most so many, those of the largest potential.
        ax : matplotlib Axes, optional
            Where to draw; a new figure where none is given.

        Returns
        -------
        matplotlib Axes
            Its label (``get_label()``) describes the picture in words.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        from ilk.plot.content import whitespace_map

        return whitespace_map(self, products, segments, drawing(ax))


def whitespace(
    purchases: Any,
    *,
    account: str = "account",
    product: str = "product",
    by: Any = None,
    value: str | None = None,
    confidence: float = 0.95,
    progress: Progress = "auto",
) -> Whitespace:
    """Find what accounts do not buy though those like them do.

    Parameters
    ----------
    purchases : frame
        One row per purchase. How often an account bought a product does not matter, only whether, and what it spent.
    account, product : str
        The columns.
    by : str, mapping, frame or pair, optional
        Who is like whom: the column of ``purchases`` with the segment of the account; a mapping from accounts to segments; a frame
        with the column ``account`` and one of segments; a Series of pandas whose index holds the accounts; or a pair of
        accounts and their segments, where these may be a :class:`ilk.Segmentation`. In all but the first, accounts
        without a purchase count too. Without it all accounts are alike.
    value : str, optional
        Column with the money of a purchase.
    confidence : float
        Of the intervals.
    progress : bool, "auto" or callable
        As for :func:`ilk.segment`.

    Returns
    -------
    Whitespace
        With ``.opportunities()``, ``.table``, ``.matrix()``, ``.plot()`` and ``.explain()``.

    Raises
    ------
    MissingColumnError
        If a column is not there.
    DataError
        If an account is in two segments, a value is negative, or nothing is left.
    MemoryLimitError
        If the table of segments by products would not fit into memory.

    Notes
    -----
    Buyers among the accounts of a segment are taken as beta-binomial over segments [1]_, with the product's overall share as the
    mean. Its concentration, from 1 to the number of accounts elsewhere, is averaged over by its likelihood [2]_: intervals that
    took its best value as the truth would be too narrow where segments are few. Spend per buyer is a credibility mean [3]_.
    The interval of likelihood times spend is that of the lognormal with the mean and the variance of both. Purchases that
    lack account, product, segment or value are left out and counted.

    References
    ----------
    .. [1] Griffiths (1973), Maximum likelihood estimation for the beta-binomial distribution, Biometrics 29.
    .. [2] Deely and Lindley (1981), Bayes empirical Bayes, Journal of the American Statistical Association 76.
    .. [3] Bühlmann and Straub (1970), Glaubwürdigkeit für Schadensätze, Mitteilungen der Vereinigung schweizerischer
       Versicherungsmathematiker 70.

    Examples
    --------
    >>> from ilk.gaps import whitespace
    >>> bought = {
    ...     "account": ["a", "a", "b", "c"],
    ...     "product": ["desk", "lamp", "desk", "lamp"],
    ...     "price": [200.0, 40.0, 300.0, 60.0],
    ... }
    >>> found = whitespace(bought, value="price")
    >>> found.opportunities()["product"]
    ['desk', 'lamp']
    >>> found.to_dict()["spend"].tolist()
    [250.0, 50.0]
    """
    named = [
        column_name("account", account),
        column_name("product", product),
        *columns(value=value),
    ]
    confidence = real("confidence", confidence)
    within = by if isinstance(by, str) else None
    frame = Frame.of(
        purchases, name="purchases", columns=[*named, *([within] if within is not None else [])]
    )
    settings = {
        "account": account,
        "product": product,
        "by": within if within is not None or by is None else "given",
        "value": value,
        "confidence": confidence,
        "kinds": {"account": frame.core.kind(account), "product": frame.core.kind(product)},
    }
    accounts = None if within is not None or by is None else _accounts(by, account)
    with progress_bar(progress, "white space") as report:
        core = _core.find_whitespace(
            frame.core,
            account,
            product,
            value,
            within,
            accounts,
            confidence,
            json.dumps(settings),
            report,
        )
    return Whitespace(core, frame.native)


def _numbers(names: list[str]) -> Any:
    """Names of numbers as the numbers that they were."""
    try:
        return np.array([int(name) for name in names], dtype=np.int64)
    except (ValueError, OverflowError):
        return np.array([float(name) for name in names])


def _accounts(by: Any, account: str) -> tuple[_core.Table, str, str]:
    """Accounts with their segments as a table, and the names of both columns."""
    segment = free_name("segment", account)
    if isinstance(by, tuple) and len(by) == 2:
        ids, labels = by
        if hasattr(labels, "codes") and hasattr(labels, "names"):  # a Segmentation
            codes = np.asarray(labels.codes, dtype=np.int32)
            labels_column: Any = (codes, list(labels.names), True)
            core = Frame.of({account: ids}, name="by").core
            if len(core) != len(codes):
                raise DataError(
                    f"by: found {len(core)} accounts and {len(codes)} segments, but one for each is needed"
                )
            both = [(account, core.column(account)), (segment, labels_column)]
            return _core.Table.from_columns(both), account, segment
        return Frame.of({account: ids, segment: labels}, name="by").core, account, segment
    if isinstance(by, Mapping) and not any(
        isinstance(value, (list, tuple, np.ndarray)) for value in by.values()
    ):
        columns = {account: list(by), segment: list(by.values())}
        return Frame.of(columns, name="by").core, account, segment
    if hasattr(by, "codes") and hasattr(by, "names") and hasattr(by, "drivers"):
        raise TypeError(
            "by: found segments without their accounts, but both are needed; "
            f'try: by=(customers["{account}"], segmentation)'
        )
    if type(by).__module__.partition(".")[0] == "pandas":
        if not hasattr(by, "columns"):
            by = by.rename_axis(account).to_frame(segment).reset_index()
        elif account not in by.columns and account in by.index.names:
            by = by.reset_index()
    frame = Frame.of(by, name="by")
    others = [name for name in frame.columns if name != account]
    if account not in frame.columns or len(others) != 1:
        raise DataError(
            f"by: found the columns {frame.columns}, but {account!r} and one with the segments are needed"
        )
    return frame.core, account, others[0]

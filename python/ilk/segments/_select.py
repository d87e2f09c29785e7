"""Customers picked and sorted by rules over the account and the contact."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ilk import _core
from ilk._frame import Frame, to_dict
from ilk.exceptions import DataError
from ilk.segments._where import conditions_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ilk.segments._where import Where

__all__ = ["matches", "select_customers"]


def matches(
    df: Any,
    where: Where,
    *,
    accounts: Any = None,
    account_where: Where | None = None,
    on: str | None = None,
) -> NDArray[np.bool_]:
    """Whether each customer meets all conditions, of the person and of the account.

    Parameters
    ----------
    df : frame
        One row per customer or contact.
    where : mapping
        Conditions as :func:`from_rules` takes them.
    accounts : frame, optional
        One row per account.
    account_where : mapping, optional
        Conditions on the account.
    on : str, optional
        Column of the account, in both frames.

    Returns
    -------
    array of bool, shape (n_customers,)

    Raises
    ------
    MissingColumnError
        If a column is not there.
    DataError
        If a category is not there, or an account stands twice.

    Notes
    -----
    S4-PERS-01: firm traits and job position together pick whom to speak to.

    Examples
    --------
    >>> from ilk.segments import matches
    >>> people = {"firm": ["x", "x", "y"], "job": ["buyer", "cto", "cto"]}
    >>> firms = {"firm": ["x", "y"], "employees": [500, 20]}
    >>> matches(
    ...     people,
    ...     {"job": "cto"},
    ...     accounts=firms,
    ...     account_where={"employees": {"at_least": 250}},
    ...     on="firm",
    ... ).tolist()
    [False, True, False]
    """
    frame = Frame.of(df)
    found: NDArray[np.bool_] = _core.rows_where(frame.core, conditions_json(where), True)
    if accounts is None:
        if account_where is not None:
            raise DataError(
                'accounts: found none, but account_where asks for them; try: accounts=firms, on="firm"'
            )
        return found
    if on is None:
        raise DataError('on: found none, but accounts are found by a column; try: on="firm"')
    firms = Frame.of(accounts, name="accounts")
    kept = _core.rows_where(firms.core, conditions_json(account_where or {}, "account_where"), True)
    codes, names, _ = firms.core.codes(on)
    known = codes[codes >= 0]
    if len(set(known.tolist())) < len(known):
        row = int(np.argmax([codes[row] in codes[:row] for row in range(len(codes))]))
        raise DataError(
            f"column {on!r}, row {row}: found {names[codes[row]]!r} a second time, but each account is one row"
        )
    good = {
        names[code]
        for code, keep in zip(codes.tolist(), kept.tolist(), strict=True)
        if keep and code >= 0
    }
    own, own_names, _ = frame.core.codes(on)
    allowed = np.array([*(name in good for name in own_names), False])
    both: NDArray[np.bool_] = found & allowed[own]
    return both


def select_customers(
    df: Any,
    where: Where | None = None,
    *,
    accounts: Any = None,
    account_where: Where | None = None,
    on: str | None = None,
    sort: str | Sequence[str] = (),
) -> Any:
    """The customers who meet all conditions, in the order wanted.

    Parameters
    ----------
    df : frame
        One row per customer or contact.
    where, accounts, account_where, on
        As for :func:`matches`.
    sort : str or sequence of str
        Columns to sort by, the first first; with a minus before the name from the largest down. Missing values come last,
        and equal customers keep their order.

    Returns
    -------
    frame
        Their rows, in the kind of frame that came in.

    Examples
    --------
    >>> from ilk.segments import select_customers
    >>> people = {"age": [30, 50, 40], "spend": [5.0, 9.0, 7.0]}
    >>> select_customers(people, {"age": {"above": 30}}, sort="-spend")["age"].tolist()
    [50, 40]
    """
    frame = Frame.of(df)
    meets = matches(frame, where or {}, accounts=accounts, account_where=account_where, on=on)
    rows = np.flatnonzero(meets)
    names = [sort] if isinstance(sort, str) else list(sort)
    keys = [key for name in names for key in _keys(frame, name)]
    if keys:
        rows = rows[np.lexsort([key[rows] for key in reversed(keys)])]
    return _rows(df, frame, rows)


def _keys(frame: Frame, name: str) -> list[NDArray[np.float64]]:
    """What to sort by: missing values last, then the values."""
    descending = name.startswith("-") and name not in frame.columns
    column = name[1:] if descending else name
    kind = frame.core.kind(column)
    if kind == "number":
        values = frame.core.numeric(column)
    elif kind == "date":
        values = frame.core.days(column)
    else:
        codes = frame.core.codes(column)[0]
        values = np.where(codes < 0, np.nan, codes).astype(float)
    missing = np.isnan(values)
    return [missing.astype(float), np.where(missing, 0.0, -values if descending else values)]


def _rows(df: Any, frame: Frame, rows: NDArray[np.int64]) -> Any:
    if frame.native == "pandas" and hasattr(df, "iloc"):
        return df.iloc[rows]
    if frame.native == "polars":
        df = df.collect() if hasattr(df, "collect") else df
        return df[rows.tolist()]
    if frame.native == "pyarrow":
        return df.take(rows)
    if frame.native == "duckdb":
        import duckdb

        return duckdb.from_arrow(df.to_arrow_table().take(rows))
    if frame.native == "dict" and hasattr(df, "items"):
        return {name: np.asarray(values)[rows] for name, values in df.items()}
    return {name: np.asarray(values)[rows] for name, values in to_dict(frame.core).items()}

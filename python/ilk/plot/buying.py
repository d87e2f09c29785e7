"""Pictures of repeat buying: who buys how often, and whether a model foresees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ilk._html import format_value
from ilk.plot._style import CATEGORIES, describe, literal, new_axes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

__all__ = ["counts", "frequencies", "holdout", "rfm_segments", "tracking"]

_ACTUAL, _EXPECTED = CATEGORIES[0], CATEGORIES[1]

#: Bars of counts, the last of them for all that are higher.
_MOST = 10


def frequencies(values: ArrayLike, label: str, ax: Axes | None = None) -> Axes:
    """How many customers bought how often.

    Parameters
    ----------
    values : array-like
        Frequency of each customer.
    label : str
        What is counted.
    ax : Axes, optional
        Where to draw; a new figure if there is none.

    Returns
    -------
    Axes
        Each bar carries its number.
    """
    import numpy as np

    given = np.asarray(values, dtype=np.float64)
    known = given[~np.isnan(given)]
    low = int(known.min()) if known.size else 0
    bins = np.minimum(known - low, _MOST).astype(int)
    numbers = np.bincount(bins, minlength=1)
    names = [str(low + at) for at in range(len(numbers))]
    if len(names) > _MOST:
        names[-1] += "+"
    ax = new_axes(ax, 1.2 + 0.55 * max(len(names), 5), 3.2)
    ax.bar(range(len(numbers)), numbers, color=_ACTUAL, width=0.8)
    for at, number in enumerate(numbers):
        _letter(ax, at, number, f"{number:,}")
    ax.set_xticks(range(len(names)), names)
    ax.set_xlabel(label)
    ax.set_ylabel("customers")
    _plain(ax)
    told = ", ".join(f"{name}: {number:,}" for name, number in zip(names, numbers, strict=True))
    return describe(ax, f"Customers by number of {label}: {told}")


def rfm_segments(columns: Mapping[str, Any], ax: Axes | None = None) -> Axes:
    """Share of customers and share of money of each named segment.

    Parameters
    ----------
    columns : mapping
        Of the table of segments.
    ax : Axes, optional
        Where to draw; a new figure if there is none.

    Returns
    -------
    Axes
        Two bars for each segment, the segment with the most money on top.
    """
    import numpy as np

    shares = {"customers": np.asarray(columns["share"])}
    money = np.asarray(columns["monetary_share"])
    if not np.isnan(money).all():
        shares["money"] = money
    order = np.argsort(-list(shares.values())[-1], kind="stable")
    names = [literal(columns["segment"][at]) for at in order]
    height = 0.8 / len(shares)
    ax = new_axes(ax, 6.4, 1.2 + 0.42 * len(names))
    widest = max(float(share.max()) for share in shares.values())
    for number, (what, share) in enumerate(shares.items()):
        places = np.arange(len(names)) + (number - (len(shares) - 1) / 2) * height
        ax.barh(
            places, 100 * share[order], height, color=CATEGORIES[number], label=f"share of {what}"
        )
        for place, value in zip(places, share[order], strict=True):
            ax.text(
                100 * max(value, 0) + 100 * widest * 0.01,
                place,
                format_value(float(value), "share"),
                va="center",
                fontsize="x-small",
            )
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.set_xlim(right=100 * widest * 1.12)
    ax.set_xlabel("%")
    if len(shares) > 1:
        ax.legend(loc="lower right", frameon=False)
    else:
        ax.set_xlabel("% of customers")
    _plain(ax, axis="x")
    told = "; ".join(
        f"{columns['segment'][at]} "
        + ", ".join(
            f"{format_value(float(share[at]), 'share')} of {what}" for what, share in shares.items()
        )
        for at in order
    )
    return describe(ax, f"Segments by recency and frequency: {told}")


def holdout(columns: Mapping[str, Any], ax: Axes | None = None) -> Axes:
    """Mean purchases in the holdout by those in the calibration: actual beside expected.

    Parameters
    ----------
    columns : mapping
        Of the report.
    ax : Axes, optional
        Where to draw; a new figure if there is none.

    Returns
    -------
    Axes
        A bin without customers has no point.
    """
    import numpy as np

    ax = new_axes(ax, 6.0, 3.6)
    places = np.arange(len(columns["frequency"]))
    actual, expected = (np.asarray(columns[name], dtype=float) for name in ("actual", "expected"))
    ax.plot(places, actual, marker="o", color=_ACTUAL, label="actual")
    ax.plot(places, expected, marker="s", ls="--", color=_EXPECTED, label="expected by the model")
    names = [
        f"{name}\nn = {int(n):,}"
        for name, n in zip(columns["frequency"], columns["n"], strict=True)
    ]
    ax.set_xticks(places, names, fontsize="small")
    ax.set_ylim(bottom=0)
    ax.set_xlabel("repeat purchases in the calibration")
    ax.set_ylabel("purchases in the holdout\nper customer")
    ax.legend(loc="upper left", frameon=False)
    _plain(ax)
    told = _pairs(columns["frequency"], actual, expected)
    return describe(ax, f"Mean purchases in the holdout by those in the calibration: {told}")


def counts(columns: Mapping[str, Any], ax: Axes | None = None) -> Axes:
    """Customers by their repeat purchases in the calibration: actual beside expected.

    Parameters
    ----------
    columns : mapping
        Of the report.
    ax : Axes, optional
        Where to draw; a new figure if there is none.

    Returns
    -------
    Axes
        Each bar carries its number.
    """
    import numpy as np

    ax = new_axes(ax, 8.0, 3.6)
    places = np.arange(len(columns["frequency"]))
    actual, expected = (np.asarray(columns[name], dtype=float) for name in ("n", "n_expected"))
    ax.bar(places - 0.2, actual, 0.4, color=_ACTUAL, label="actual")
    ax.bar(places + 0.2, expected, 0.4, color=_EXPECTED, hatch="//", label="expected by the model")
    for place, value in zip([*(places - 0.2), *(places + 0.2)], [*actual, *expected], strict=True):
        _letter(ax, place, value, f"{value:,.0f}")
    ax.set_xticks(places, list(columns["frequency"]))
    ax.set_xlabel("repeat purchases in the calibration")
    ax.set_ylabel("customers")
    ax.legend(frameon=False)
    _plain(ax)
    told = _pairs(columns["frequency"], actual, expected)
    return describe(ax, f"Customers by repeat purchases in the calibration: {told}")


def tracking(
    columns: Mapping[str, Any], units: tuple[float, float], unit: str, ax: Axes | None = None
) -> Axes:
    """Repeat purchases of all customers up to each time: actual beside expected.

    Parameters
    ----------
    columns : mapping
        Time, actual, expected.
    units : (float, float)
        Length of the calibration and of the holdout.
    unit : str
        What time is counted in.
    ax : Axes, optional
        Where to draw; a new figure if there is none.

    Returns
    -------
    Axes
        A line marks the end of the calibration.
    """
    import numpy as np

    ax = new_axes(ax, 6.4, 3.8)
    time, actual, expected = (np.r_[0.0, columns[name]] for name in ("time", "actual", "expected"))
    ax.plot(time, actual, color=_ACTUAL, label="actual")
    ax.plot(time, expected, color=_EXPECTED, ls="--", label="expected by the model")
    ax.axvline(units[0], color="0.4", lw=1)
    ax.annotate(
        "end of the calibration ",
        (units[0], 0.02),
        xycoords=("data", "axes fraction"),
        ha="right",
        fontsize="small",
        color="0.3",
    )
    ax.set_xlim(0, sum(units))
    ax.set_ylim(bottom=0)
    ax.set_xlabel(f"{unit} since the first purchase of all")
    ax.set_ylabel("repeat purchases so far")
    ax.legend(loc="upper left", frameon=False)
    _plain(ax)
    return describe(
        ax,
        f"Repeat purchases up to each time: at the end {actual[-1]:,.0f} actual, {expected[-1]:,.0f} expected",
    )


def _letter(ax: Axes, place: float, height: float, text: str) -> None:
    """A number above a bar."""
    ax.annotate(
        text,
        (place, height),
        xytext=(0, 2),
        textcoords="offset points",
        ha="center",
        fontsize="x-small",
    )


def _plain(ax: Axes, axis: str = "y") -> None:
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(axis=axis, color="0.9", lw=0.8)  # type: ignore[arg-type]
    ax.set_axisbelow(True)
    (ax.yaxis if axis == "y" else ax.xaxis).set_major_formatter(lambda tick, _: f"{tick:,.10g}")


def _pairs(names: Sequence[str], actual: ArrayLike, expected: ArrayLike) -> str:
    import numpy as np

    return "; ".join(
        f"{name}: {one:,.3g} actual, {other:,.3g} expected"
        for name, one, other in zip(names, np.asarray(actual), np.asarray(expected), strict=True)
    )

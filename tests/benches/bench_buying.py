"""Models of repeat buying against lifetimes, and the table they start from against polars and DuckDB."""

from __future__ import annotations

import os

THREADS = "2"
os.environ.setdefault("POLARS_MAX_THREADS", THREADS)
os.environ.setdefault("ILK_NUM_THREADS", THREADS)

import importlib.metadata  # noqa: E402
import subprocess  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
import warnings  # noqa: E402
from typing import TYPE_CHECKING, Any  # noqa: E402

import duckdb  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import polars as pl  # noqa: E402

import ilk  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

N_CUSTOMERS = 100_000
N_LINES = 10_000_000
N_BUYERS = 500_000
REPEATS = 3
YEAR = 52
#: Resident memory that a million customers may take, in bytes.
MEMORY = 2_000_000_000


def customers(n: int, seed: int = 20240611) -> pd.DataFrame:
    """Customers of a BG/NBD and gamma-gamma market, in weeks to the day: frequency, recency, T and mean spend."""
    rng = np.random.default_rng(seed)
    rate = rng.gamma(0.5, 1 / 6.0, size=n)
    leaves = rng.beta(0.8, 2.5, size=n)
    age = rng.integers(7 * 20, 7 * 78, size=n) / 7
    frequency, recency, now = np.zeros(n), np.zeros(n), np.zeros(n)
    here = np.arange(n)
    while len(here):
        now[here] += np.maximum(np.round(7 * rng.exponential(1 / rate[here])), 1) / 7
        here = here[now[here] <= age[here]]
        frequency[here] += 1
        recency[here] = now[here]
        here = here[rng.random(len(here)) > leaves[here]]
    purchases = np.maximum(frequency, 1)
    total = rng.gamma(6.0 * purchases) / rng.gamma(4.0, 1 / 16.0, size=n)
    monetary = np.where(frequency > 0, total / purchases, np.nan)
    return pd.DataFrame(
        {"frequency": frequency, "recency": recency, "T": age, "monetary": monetary}
    )


def by_ilk(frame: pd.DataFrame) -> dict[str, Any]:
    """Both models, and what each customer will buy in a year and spend at a time."""
    model = ilk.economics.BetaGeo().fit(frame)
    spend = ilk.economics.GammaGamma().fit(frame)
    return {
        "likelihood": model.log_likelihood_,
        "parameters": [model.r_, model.alpha_, model.a_, model.b_],
        "spend": [spend.p_, spend.q_, spend.v_],
        "expected": model.expected_purchases(frame, YEAR),
        "per_purchase": spend.expected_spend(frame),
    }


def by_lifetimes(frame: pd.DataFrame) -> dict[str, Any]:
    """The same."""
    from lifetimes import BetaGeoFitter, GammaGammaFitter

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = BetaGeoFitter().fit(frame["frequency"], frame["recency"], frame["T"])
        again = frame[frame["frequency"] > 0]
        spend = GammaGammaFitter().fit(again["frequency"], again["monetary"])
        expected = model.conditional_expected_number_of_purchases_up_to_time(
            YEAR, frame["frequency"], frame["recency"], frame["T"]
        )
        per_purchase = spend.conditional_expected_average_profit(
            frame["frequency"], frame["monetary"].fillna(0)
        )
    return {
        "parameters": [float(model.params_[name]) for name in ("r", "alpha", "a", "b")],
        "spend": list(spend.params_),
        "expected": np.asarray(expected),
        "per_purchase": np.asarray(per_purchase),
    }


def likelihood(frame: pd.DataFrame, parameters: list[float]) -> float:
    """Log-likelihood of BG/NBD as its paper has it (Fader, Hardie and Lee 2005, equation 6)."""
    from scipy.special import betaln, gammaln

    r, alpha, a, b = parameters
    x, recency, age = (frame[name].to_numpy() for name in ("frequency", "recency", "T"))
    left = np.where(x > 0, np.log(a) - np.log(b + np.maximum(x, 1) - 1), -np.inf)
    ages = np.logaddexp(-(r + x) * np.log(alpha + age), left - (r + x) * np.log(alpha + recency))
    rates = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
    return float(np.sum(rates + betaln(a, b + x) - betaln(a, b) + ages))


def equal_models(frame: pd.DataFrame, ours: dict[str, Any], theirs: dict[str, Any]) -> str:
    """Refuse answers that differ, and say how near they are."""
    told = likelihood(frame, ours["parameters"])
    if not abs(told - ours["likelihood"]) < 1e-9 * abs(told):
        raise SystemExit("ilk's log-likelihood is not that of its parameters")
    behind = likelihood(frame, theirs["parameters"]) - told
    if not -0.1 < -behind < 1e-3 * abs(told) or behind > 1e-6 * abs(told):
        raise SystemExit(f"the log-likelihoods differ: {told}, {told + behind}")
    for name in ("expected", "per_purchase"):
        apart = np.max(np.abs(ours[name] / theirs[name] - 1))
        if not apart < 1e-3:
            raise SystemExit(f"{name}: the forecasts differ by {apart:.1%}")
    return f"log-likelihood {told:,.2f}, lifetimes' {behind:+.4f}"


def published() -> None:
    """Hold gamma-gamma and BG/BB against their papers, on the customers of these that lifetimes ships."""
    from lifetimes.datasets import load_cdnow_summary_data_with_monetary_value, load_donations

    again = load_cdnow_summary_data_with_monetary_value().query("frequency > 0")
    model = ilk.economics.GammaGamma().fit(again.reset_index(), monetary="monetary_value")
    found = [model.p_, model.q_, model.v_, model.mean_spend_]
    if len(again) != 946 or not np.allclose(found, [6.2488, 3.7446, 15.4478, 35.17], rtol=5e-4):
        raise SystemExit(f"gamma-gamma: {found}")
    donors = ilk.economics.BetaGeoBetaBinomial().fit(
        load_donations(), T="periods", weights="weights"
    )
    found = [donors.alpha_, donors.beta_, donors.gamma_, donors.delta_, donors.log_likelihood_]
    if not np.allclose(found, [1.204, 0.750, 0.657, 2.783, -33225.6], rtol=1e-3):
        raise SystemExit(f"BG/BB: {found}")


def orders(n_lines: int, n_customers: int) -> pl.DataFrame:
    """Order lines over two years; one in thirty is a return."""
    rng = np.random.default_rng(20240612)
    identifiers = rng.permutation(np.arange(10_000_000, 10_000_000 + 3 * n_customers, 3))
    sign = np.where(rng.random(n_lines) < 1 / 30, -1.0, 1.0)
    return pl.DataFrame(
        {
            "customer": identifiers[rng.integers(n_customers, size=n_lines)],
            "date": pl.Series(rng.integers(19_000, 19_730, size=n_lines).astype(np.int32)).cast(
                pl.Date
            ),
            "amount": sign * np.round(rng.lognormal(3.0, 1.0, size=n_lines), 2),
        }
    )


def rfm_by_polars(lines: pl.DataFrame) -> pl.DataFrame:
    """Days with a purchase, then customers."""
    first = pl.col("amount").sort_by("date").first()
    n = pl.len().cast(pl.Float64)
    end = lines["date"].max()
    return (
        lines.lazy()
        .group_by("customer", "date")
        .agg(pl.col("amount").sum())
        .filter(pl.col("amount") > 0)
        .group_by("customer")
        .agg(
            (n - 1).alias("frequency"),
            (pl.col("date").max() - pl.col("date").min()).dt.total_days().alias("recency"),
            (pl.lit(end) - pl.col("date").min()).dt.total_days().alias("T"),
            ((pl.col("amount").sum() - first) / (n - 1)).alias("monetary"),
        )
        .sort("customer")
        .collect()
    )


def rfm_by_duckdb(lines: pl.DataFrame) -> pl.DataFrame:
    """The same in SQL."""
    return duckdb.sql(
        """
        WITH days AS (
            SELECT customer, date, sum(amount) AS amount FROM lines GROUP BY ALL HAVING sum(amount) > 0
        )
        SELECT customer, count(*) - 1.0 AS frequency, max(date) - min(date) AS recency,
            (SELECT max(date) FROM lines) - min(date) AS T,
            (sum(amount) - arg_min(amount, date)) / (count(*) - 1) AS monetary
        FROM days GROUP BY customer ORDER BY customer
        """
    ).pl()


def rfm_by_ilk(lines: pl.DataFrame) -> pl.DataFrame:
    """The same."""
    found = ilk.economics.rfm(lines, customer="customer", date="date", value="amount")
    return found.to_polars()


def same_table(ours: pl.DataFrame, theirs: pl.DataFrame) -> bool:
    """Whether two tables of customers agree, to rounding."""
    return ours["customer"].to_list() == theirs["customer"].to_list() and all(
        np.allclose(
            ours[name].fill_null(-1).to_numpy(),
            theirs[name].cast(pl.Float64).fill_nan(None).fill_null(-1).to_numpy(),
            rtol=1e-9,
        )
        for name in ("frequency", "recency", "T", "monetary")
    )


#: What a process does with a million customers, with its peak of resident memory at the end.
_MILLION = """
import resource
import bench_buying
frame = bench_buying.customers(1_000_000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
found = bench_buying.by_ilk(frame)
import ilk
model, spend = ilk.economics.BetaGeo(time_unit="week").fit(frame), ilk.economics.GammaGamma().fit(frame)
value = model.clv(frame, spend, 52)
assert value.min() > 0
print(1024 * before, 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def peak_memory() -> int:
    """Peak of resident memory of a process that fits, forecasts and values a million customers."""
    done = subprocess.run(
        [sys.executable, "-c", _MILLION],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    _, peak = map(int, done.stdout.split())
    if peak > MEMORY:
        raise SystemExit(f"a million customers take {peak:,} bytes of memory")
    return peak


def _time(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def run(
    n_customers: int = N_CUSTOMERS,
    n_lines: int = N_LINES,
    n_buyers: int = N_BUYERS,
    repeats: int = REPEATS,
) -> list[dict[str, Any]]:
    """Time every case; the ratio is the peer's best time over ilk's."""
    published()
    results = []

    def compare(
        name: str,
        peer: str,
        ilk_work: Callable[[], Any],
        peer_work: Callable[[], Any],
        equal: Callable[[Any, Any], Any],
    ) -> None:
        ours, theirs = [], []
        for _ in range(repeats):
            seconds, found = _time(ilk_work)
            ours.append(seconds)
            seconds, expected = _time(peer_work)
            theirs.append(seconds)
        results.append(
            {
                "name": name,
                "peer": f"{peer} {importlib.metadata.version(peer)}",
                "ilk_seconds": min(ours),
                "peer_seconds": min(theirs),
                "ratio": min(theirs) / min(ours),
                "equal": equal(found, expected),
            }
        )

    frame = customers(n_customers)
    compare(
        f"BG/NBD, purchases of a year and gamma-gamma, {n_customers:,} customers",
        "lifetimes",
        lambda: by_ilk(frame),
        lambda: by_lifetimes(frame),
        lambda ours, theirs: equal_models(frame, ours, theirs),
    )
    lines = orders(n_lines, n_buyers)
    for peer, work in (("polars", rfm_by_polars), ("duckdb", rfm_by_duckdb)):
        compare(
            f"recency, frequency, money, {n_lines:,} lines of {n_buyers:,} customers",
            peer,
            lambda: rfm_by_ilk(lines),
            lambda work=work: work(lines),
            same_table,
        )
    peak_memory()
    return results


if __name__ == "__main__":
    for result in run():
        print(
            f"{result['name']}: ilk {result['ilk_seconds']:.3f} s, {result['peer']} "
            f"{result['peer_seconds']:.3f} s, ratio {result['ratio']:.2f}, equal {result['equal']}"
        )
    print(f"a million customers: {peak_memory() / 1e6:,.0f} MB at the peak")

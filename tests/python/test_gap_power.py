"""Planted gaps are found and little else is; `make power` counts the same over 400 seeds of each kind."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom

sys.path.append(str(Path(__file__).parents[1] / "benches"))
import power_gaps

SEEDS = range(10_000, 10_030)
#: A count as far from its mean as this has happened by chance once in a thousand.
RARE = 1e-3


def test_planted_tables_keep_their_totals_and_all_other_cells() -> None:
    for n_gaps in (1, 3):
        _, index = power_gaps.planted_table(0, n_gaps)
        assert np.isclose(index, power_gaps.INDEX).sum() == n_gaps
        assert (np.abs(index - 1) < 1e-12).sum() == 120 - 4 * n_gaps


@pytest.mark.parametrize("market", [power_gaps.ORDERS, power_gaps.LINES], ids=["orders", "lines"])
def test_true_index_is_that_of_a_large_market(market: power_gaps.MarketTable) -> None:
    factor = market.factor()
    index = market.true_index(factor)
    assert index[market.cell()] == pytest.approx(power_gaps.INDEX)
    np.testing.assert_allclose(market.true_index(1.0), 1, rtol=1e-12)
    orders = power_gaps.make_market(
        30_000, 5, gaps=[power_gaps.Gap(*market.planted[:2], factor, market.planted[2])],
        as_frame="dict",
    ).orders  # fmt: skip
    contexts = market.contexts()
    if market.planted[2] is None:
        kept, context = orders["line"] == 1, orders["daypart"]
    else:
        kept, context = orders["line"] > 0, orders["daypart"] + ", " + orders["department"]
    counts = np.zeros(index.shape)
    at = {name: k for k, name in enumerate(contexts)}
    i = [power_gaps._market.HOUSEHOLDS.index(name) for name in orders["household"][kept]]
    np.add.at(counts, (i, [at[name] for name in context[kept]]), 1)
    found = counts / power_gaps.explained(counts)
    # Standard errors of independent records; those of one order go together.
    error = 1 / np.sqrt(power_gaps.explained(counts))
    assert (np.abs(found - index) < 5 * 1.5 * error).all()


@pytest.mark.parametrize("name", power_gaps.studies())
def test_planted_gaps_are_found_and_little_else(name: str) -> None:
    run, planted = power_gaps.studies()[name]
    found = power_gaps.tally(run, SEEDS)
    if planted:
        # As many as a power of 90 % gives, but for one case in a thousand.
        assert found.gaps_found >= binom.ppf(RARE, found.gaps, power_gaps.LEAST_POWER)
        # Of a share in each table, which varies no more than finding something false or not.
        least = binom.ppf(1 - RARE, found.tables, power_gaps.MOST_FALSE)
        assert found.rate * found.tables <= least
    else:
        tables = round(found.rate * found.tables)
        assert tables <= binom.ppf(1 - RARE, found.tables, 1 - 0.95)


def test_a_matrix_that_finds_too_much_or_too_little_would_be_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gap_matrix = power_gaps.ilk.gap_matrix
    run, _ = power_gaps.studies()["12 by 10 cells, no gap"]
    monkeypatch.setattr(
        power_gaps.ilk, "gap_matrix", lambda *args, **named: gap_matrix(*args, **named, confidence=0.6)
    )  # fmt: skip
    assert power_gaps.tally(run, SEEDS).rate * len(SEEDS) > binom.ppf(1 - RARE, len(SEEDS), 0.05)
    run, _ = power_gaps.studies()["12 by 10 cells, three gaps"]
    monkeypatch.setattr(
        power_gaps.ilk,
        "gap_matrix",
        lambda *args, **named: gap_matrix(*args, **named, confidence=1 - 1e-6),
    )
    found = power_gaps.tally(run, SEEDS)
    assert found.gaps_found < binom.ppf(RARE, found.gaps, power_gaps.LEAST_POWER)

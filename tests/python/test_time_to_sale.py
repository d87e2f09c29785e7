"""Days to sale: curves, medians, restricted means, intervals."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest

import ilk
from ilk.economics import TimeToSale
from ilk.exceptions import DataError

START = np.datetime64("2024-01-01")


def card_of(time, event, segment=None, **arguments):
    """A scorecard of leads with these times; events 0 open, 1 won, 2 lost."""
    time, event = np.asarray(time), np.asarray(event)
    # All spells end on one day, so that open ones are open until then.
    end = START + np.timedelta64(1000, "D")
    data = pd.DataFrame(
        {
            "segment": ["A"] * len(time) if segment is None else segment,
            "revenue": np.where(event == 1, 1.0, np.nan),
            "contact": end - time.astype("timedelta64[D]"),
        }
    )
    data["sale"] = pd.Series(np.full(len(time), end)).where(event == 1)
    data["lost"] = pd.Series(np.full(len(time), end)).where(event == 2)
    return ilk.segment_scorecard(
        data,
        segment="segment",
        revenue="revenue",
        first_contact="contact",
        first_sale="sale",
        lost="lost",
        **{"n_boot": 0, **arguments},
    )


def random_spells(n=80, seed=0, events=3):
    rng = np.random.default_rng(seed)
    return rng.integers(1, 60, n), rng.integers(0, events, n)


def slow_curve(time, event):
    """Incidence of event 1 at each distinct time, by the definition."""
    grid = np.unique(time)
    survival, share, shares = 1.0, 0.0, []
    for t in grid:
        n = np.sum(time >= t)
        share += survival * np.sum((time == t) & (event == 1)) / n
        survival *= 1 - np.sum((time == t) & (event > 0)) / n
        shares.append(share)
    return grid, np.array(shares)


def test_ties_of_competing_risks_meet_the_reference():
    time = [1, 5, 3, 6, 1, 3, 2, 5, 2, 3, 6]
    event = [0, 1, 1, 1, 2, 1, 0, 1, 0, 2, 2]
    curve = card_of(time, event).time_to_sale().curve.query("segment == 'A'").set_index("days")
    np.testing.assert_allclose(
        curve["sold"].loc[[3, 5, 6]], [0.259740, 0.519481, 0.649351], atol=5e-7
    )
    np.testing.assert_allclose(
        curve["lost"].loc[[1, 3, 6]], [0.090909, 0.220779, 0.350649], atol=5e-7
    )
    assert card_of(time, event).to_dict()["days_to_sale"][0] == 5


def test_the_curve_is_that_of_the_definition():
    for seed in range(5):
        time, event = random_spells(seed=seed)
        curve = card_of(time, event).time_to_sale().curve.query("segment == 'A'")
        grid, shares = slow_curve(time, event)
        np.testing.assert_array_equal(curve["days"], grid)
        np.testing.assert_allclose(curve["sold"], shares, rtol=1e-12)
        np.testing.assert_array_equal(curve["n_at_risk"], [(time >= t).sum() for t in grid])


def test_standard_errors_are_those_of_resampling():
    time, event = random_spells(200, seed=3)
    card = card_of(time, event)
    found = card.time_to_sale(horizon=40).to_dict()
    rng = np.random.default_rng(1)
    drawn, means = [], []
    for _ in range(3000):
        rows = rng.integers(0, len(time), len(time))
        grid, shares = slow_curve(time[rows], event[rows])
        drawn.append(shares[grid <= 40][-1])
        inside = grid < 40
        steps = np.diff(np.concatenate([[0], grid[inside], [40]]))
        means.append(40 - np.sum(steps * np.concatenate([[0], shares[inside]])))
    half = (found["restricted_mean_hi"][0] - found["restricted_mean_lo"][0]) / 2 / 1.959964
    # 3,000 replicates know a standard deviation to 1.3 %; 200 spells a variance to some per cent.
    assert half == pytest.approx(np.std(means), rel=0.06)
    assert found["restricted_mean"][0] == pytest.approx(np.mean(means), abs=0.1)
    share, low = found["share_sold"][0], found["share_sold_lo"][0]
    rest = 1 - share
    error = np.log(np.log(1 - low) / np.log(rest)) / -1.959964 * rest * -np.log(rest)
    assert error == pytest.approx(np.std(drawn), rel=0.06)


def test_lifelines_agrees():
    lifelines = pytest.importorskip("lifelines")
    from lifelines.utils import restricted_mean_survival_time

    time, event = random_spells(120, seed=4, events=2)
    fitted = lifelines.KaplanMeierFitter().fit(time, event == 1)
    result = card_of(time, event).time_to_sale(horizon=30)
    curve = result.curve.query("segment == 'A'").set_index("days")
    expected = fitted.confidence_interval_survival_function_.loc[curve.index]
    table = result.to_dict()
    np.testing.assert_allclose(1 - curve["sold"], fitted.survival_function_at_times(curve.index))
    inner = curve["sold"].between(1e-9, 1 - 1e-9).to_numpy()
    np.testing.assert_allclose(1 - curve["sold_hi"][inner], expected.iloc[inner, 0], rtol=1e-8)
    np.testing.assert_allclose(1 - curve["sold_lo"][inner], expected.iloc[inner, 1], rtol=1e-8)
    assert table["median"][0] == fitted.median_survival_time_
    assert table["restricted_mean"][0] == pytest.approx(
        restricted_mean_survival_time(fitted, t=30), rel=1e-9
    )
    # Without ties, where lifelines does not jitter.
    rng = np.random.default_rng(5)
    time, event = rng.permutation(np.arange(1, 151)), rng.integers(0, 3, 150)
    fitted = lifelines.AalenJohansenFitter(calculate_variance=False).fit(
        time, event, event_of_interest=1
    )
    curve = card_of(time, event).time_to_sale().curve.query("segment == 'A'").set_index("days")
    np.testing.assert_allclose(
        curve["sold"], fitted.cumulative_density_.loc[curve.index].iloc[:, 0], rtol=1e-10
    )


def test_medians_that_are_not_reached_are_infinite():
    result = card_of([1, 2, 3, 4], [1, 0, 0, 2]).time_to_sale().to_dict()
    assert np.isposinf(result["median"][0])
    assert (
        "fewer than half of the leads buy" in card_of([1, 2, 3], [1, 0, 0]).time_to_sale().explain()
    )


def test_a_horizon_beyond_the_observation_is_missing():
    card = card_of([5, 9, 30, 40], [1, 0, 1, 0], segment=["A", "A", "B", "B"])
    assert card.time_to_sale().horizon == 9
    table = card.time_to_sale(horizon=35).to_dict()
    assert np.isnan(table["restricted_mean"][0])
    assert table["restricted_mean"][1] == pytest.approx(0.5 * 30 + 0.5 * 35)
    with pytest.raises(DataError, match="horizon: found 0"):
        card.time_to_sale(0)


def test_without_dates_there_is_no_curve():
    card = ilk.segment_scorecard({"s": ["A"], "x": [1.0]}, segment="s", revenue="x", n_boot=0)
    with pytest.raises(DataError, match="days to sale need first_contact and first_sale"):
        card.time_to_sale()


def test_medians_are_those_of_the_scorecard_and_survive_saving(tmp_path):
    time, event = random_spells(90, seed=7)
    segment = np.array(["A", "B", "C"])[np.arange(90) % 3]
    card = card_of(time, event, segment)
    result = card.time_to_sale()
    np.testing.assert_array_equal(result.table["median"][:-1], card.table["days_to_sale"])
    assert result.table["median"].iloc[-1] == card.total["days_to_sale"][0]
    result.to_json(tmp_path / "time.json")
    for back in (TimeToSale.from_json(tmp_path / "time.json"), pickle.loads(pickle.dumps(result))):
        pd.testing.assert_frame_equal(back.to_pandas(), result.table, check_exact=True)
    again = ilk.Scorecard.from_json(card.to_json()).time_to_sale()
    pd.testing.assert_frame_equal(again.to_pandas(), result.table, check_exact=True)


def test_the_plot_has_a_curve_and_a_name_for_each_segment():
    time, event = random_spells(90, seed=7)
    result = card_of(time, event, np.array(["A", "B", "$C$"])[np.arange(90) % 3]).time_to_sale()
    ax = result.plot().axes[0]
    assert sorted(text.get_text() for text in ax.texts) == ["A", "B", r"\$C\$"]
    assert ax.get_label().startswith("Share of leads that have bought: ")
    drawn = ax.lines[0].get_ydata()
    assert drawn[0] == 0
    assert np.all(np.diff(drawn) >= 0)
    with pytest.raises(DataError, match="kind: found 'pie'"):
        result.plot("pie")

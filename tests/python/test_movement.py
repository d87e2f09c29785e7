"""Why revenue moved, where effort pays, and what deciding is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats

import ilk
from ilk.economics import (
    EffortIndex,
    FitAgainstActivity,
    MixRateValue,
    NeedDrift,
    TargetingValue,
    ValueOfSegmentation,
    effort_index,
    fit_against_activity,
    mix_rate_value,
    need_drift,
    targeting_value,
    value_of_segmentation,
)
from ilk.exceptions import DataError, MissingColumnError

if TYPE_CHECKING:
    from pathlib import Path

PARTS = ("mix", "rate", "value", "cross")


def figure(result: Any, name: str) -> tuple[float, float, float]:
    """A figure of `.figures` and the ends of its interval."""
    sheet = ilk._frame.to_dict(result._core.sheet("figures"))
    row = sheet["figure"].index(name)
    return tuple(float(sheet[f"value{end}"][row]) for end in ("", "_lo", "_hi"))


# Mix, rate, value


def period(seed: int, n: int = 300, more: float = 1.0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    orders = rng.poisson(3, n) + 1
    return {
        "id": np.arange(n) + 100 * seed,
        "segment": rng.choice(["a", "b", "c"], n, p=[0.5, 0.3, 0.2]),
        "orders": orders,
        "revenue": np.round(orders * rng.gamma(4, 5 * more, n), 2),
    }


@given(
    st.lists(
        st.tuples(
            *[st.integers(0, 10**6)] * 2,
            *[st.integers(0, 10**4)] * 2,
            *[st.floats(0, 1e9)] * 2,
        ),
        min_size=1,
        max_size=8,
    ),
    st.sampled_from(["shapley", "lmdi", "cross"]),
)
def test_parts_add_up_exactly(rows: list[tuple[float, ...]], method: str) -> None:
    frames = []
    for side in (0, 1):
        n = [row[side] for row in rows]
        orders = [row[2 + side] if row[side] else 0 for row in rows]
        revenue = [
            row[4 + side] if orders and row[side] and o else 0.0
            for row, o in zip(rows, orders, strict=True)
        ]
        segment = [f"s{place}" for place in range(len(rows))]
        frames.append({"segment": segment, "n": n, "orders": orders, "revenue": revenue})
    found = mix_rate_value(
        *frames, revenue="revenue", customers="n", orders="orders", method=method, n_boot=0
    )
    table, total = found.to_dict(), ilk._frame.to_dict(found._core.sheet("total"))
    size = sum(abs(table[part]) for part in PARTS) + table["revenue_before"] + 1e-300
    assert (abs(sum(table[part] for part in PARTS) - table["change"]) <= 1e-12 * size).all()
    for name in (*PARTS, "change", "volume", "composition"):
        assert total[name][0] == pytest.approx(table[name].sum(), abs=1e-9 * size.sum())
    before, after = (sum(frame["revenue"]) for frame in frames)
    assert total["change"][0] == pytest.approx(after - before, abs=1e-9 * size.sum())


def test_tree_multiplies_to_revenue() -> None:
    found = mix_rate_value(period(1), period(2), revenue="revenue", orders="orders", n_boot=0)
    tree = found.tree
    product = tree["customers"] * tree["orders_per_customer"] * tree["value_per_order"]
    assert np.allclose(product, tree["revenue"])
    assert tree["segment"][-1] == "all"
    assert tree["customers"][-1] == 300


def test_rows_of_customers_and_their_totals_agree() -> None:
    pd = pytest.importorskip("pandas")
    frames = [pd.DataFrame(period(seed)) for seed in (1, 2)]
    rows = mix_rate_value(*frames, revenue="revenue", orders="orders", n_boot=0)
    sums = [
        frame.groupby("segment", as_index=False).agg(
            n=("id", "size"), orders=("orders", "sum"), revenue=("revenue", "sum")
        )
        for frame in frames
    ]
    totals = mix_rate_value(*sums, revenue="revenue", orders="orders", customers="n")
    for name in PARTS:
        assert np.allclose(rows.table[name], totals.table[name])
    assert totals.table["mix_lo"].isna().all()
    assert "no intervals: the rows are totals" in totals.manifest["notes"][0]
    # Order lines: each order by its number.
    lines = [
        frame.loc[frame.index.repeat(frame["orders"])].assign(
            revenue=lambda f: f["revenue"] / f["orders"], number=lambda f: np.arange(len(f))
        )
        for frame in frames
    ]
    for how in ({}, {"order": "number"}):
        by_line = mix_rate_value(*lines, revenue="revenue", customer="id", n_boot=0, **how)
        for name in PARTS:
            assert np.allclose(rows.table[name], by_line.table[name])


def test_lines_of_one_order_count_once_and_returns_are_no_orders() -> None:
    before = {
        "segment": ["a"] * 5,
        "who": ["x", "x", "x", "y", "y"],
        "bill": ["1", "1", "2", "3", "4"],
        "money": [5.0, 5.0, 20.0, 10.0, -10.0],
    }
    found = mix_rate_value(before, before, revenue="money", customer="who", order="bill", n_boot=0)
    tree = found.tree
    assert (tree["customers"][0], tree["orders"][0], tree["revenue"][0]) == (2, 3, 30)


def test_new_and_vanished_segments_are_all_mix() -> None:
    before = {"segment": ["old", "kept"], "n": [10, 20], "revenue": [100.0, 400.0]}
    after = {"segment": ["kept", "new"], "n": [20, 5], "revenue": [500.0, 75.0]}
    for method in ("shapley", "lmdi", "cross"):
        found = mix_rate_value(before, after, revenue="revenue", customers="n", method=method)
        table = found.to_dict()
        assert table["segment"] == ["kept", "old", "new"]
        assert table["status"] == ["both", "vanished", "new"]
        assert np.allclose(table["mix"], [0, -100, 75])
        assert np.allclose(table["value"], [100, 0, 0])
        assert "orders not given" in found.manifest["notes"][1]


def test_intervals_of_the_parts_cover_the_truth() -> None:
    # Segment a: 4 orders at 10 before; 4 at 12 after. Revenue of 100 customers moves by 800, all of it value.
    rng = np.random.default_rng(5)

    def draw(value: float) -> dict[str, Any]:
        orders = rng.poisson(3, 100) + 1
        return {
            "segment": ["a"] * 100,
            "orders": orders,
            "revenue": orders * value * rng.gamma(5, 0.2, 100),
        }

    covered = dict.fromkeys(("change", "rate", "value"), 0)
    truth = {"change": 800, "rate": 0, "value": 800}
    for _ in range(200):
        found = mix_rate_value(
            draw(10), draw(12), revenue="revenue", orders="orders", n_boot=200, random_state=1
        ).to_dict()
        for name in covered:
            covered[name] += found[f"{name}_lo"][0] <= truth[name] <= found[f"{name}_hi"][0]
    assert all(176 <= count <= 200 for count in covered.values()), covered


def test_customers_of_both_periods_are_resampled_with_both() -> None:
    # The same customers spend exactly twice as much: given who they are, the ratio is certain.
    before = period(1)
    after = before | {"revenue": 2 * before["revenue"]}
    apart = mix_rate_value(
        before, after, revenue="revenue", orders="orders", n_boot=300, random_state=1
    )
    joint = mix_rate_value(
        before,
        after,
        revenue="revenue",
        orders="orders",
        customer="id",
        n_boot=300,
        random_state=1,
    )
    wide, narrow = (
        float(result.total["change_hi"][0] - result.total["change_lo"][0])
        for result in (apart, joint)
    )
    assert narrow < 0.6 * wide
    assert joint.to_dict()["rate_hi"] == pytest.approx(0, abs=1e-6)


def test_bad_periods_are_named() -> None:
    good = {"segment": ["a", "b"], "n": [1, 2], "orders": [1, 2], "revenue": [1.0, 2.0]}
    ask = {"revenue": "revenue", "customers": "n", "orders": "orders"}
    with pytest.raises(DataError, match=r'"n", row 1: found -2'):
        mix_rate_value(good, good | {"n": [1, -2]}, **ask)
    with pytest.raises(DataError, match=r'"n", row 1: found 0, but revenue and orders need'):
        mix_rate_value(good, good | {"n": [1, 0]}, **ask)
    with pytest.raises(DataError, match=r'after: found "revenue" 2 in segment "b".*no orders'):
        mix_rate_value(good, good | {"orders": [1, 0]}, **ask)
    with pytest.raises(DataError, match="method: found"):
        mix_rate_value(good, good, method="magic", **ask)
    with pytest.raises(DataError, match='method: found "lmdi" and a negative revenue'):
        mix_rate_value(good, good | {"revenue": [1.0, -2.0]}, method="lmdi", **ask)
    with pytest.raises(DataError, match="customers: found both"):
        mix_rate_value(good, good, customer="segment", **ask)
    with pytest.raises(DataError, match="order: found order without customer"):
        mix_rate_value(good, good, revenue="revenue", order="n")
    with pytest.raises(MissingColumnError, match="segment"):
        mix_rate_value({"revenue": [1.0]}, good, revenue="revenue")
    with pytest.raises(TypeError, match="has type text"):
        mix_rate_value(good, good | {"revenue": ["1", "2"]}, **ask)
    with pytest.raises(DataError, match="after: found 2 rows, all left out"):
        mix_rate_value(good, good | {"revenue": [np.nan, np.nan]}, **ask)
    with pytest.raises(DataError, match="after: found no rows"):
        mix_rate_value(good, {name: [] for name in good} | {"segment": np.array([], str)}, **ask)
    twice = {"segment": ["a", "b"], "who": ["x", "x"], "revenue": [1.0, 2.0]}
    with pytest.raises(DataError, match=r'"segment", row 1: found "b", but customer "x"'):
        mix_rate_value(twice, twice, revenue="revenue", customer="who")


# Needs


def test_ratings_are_compared_by_welch() -> None:
    rng = np.random.default_rng(2)
    before = {"a": rng.integers(1, 6, 80), "b": rng.normal(3, 1, 80), "s": ["x", "y"] * 40}
    after = {"a": rng.integers(1, 5, 50), "b": rng.normal(3.4, 2, 50), "s": ["x", "y"] * 25}
    found = need_drift(before, after, needs=["a", "b"], segment="s").to_dict()
    assert found["segment"] == ["x", "x", "y", "y", "all", "all"]
    for row, (segment, need) in enumerate(zip(found["segment"], found["need"], strict=True)):
        one, other = (
            np.asarray(wave[need])[[segment in ("all", s) for s in wave["s"]]]
            for wave in (before, after)
        )
        test = stats.ttest_ind(other, one, equal_var=False)
        ends = test.confidence_interval()
        assert found["p"][row] == pytest.approx(test.pvalue)
        assert found["change"][row] == pytest.approx(other.mean() - one.mean())
        assert (found["change_lo"][row], found["change_hi"][row]) == pytest.approx(ends)
        pooled = np.sqrt((one.var(ddof=1) + other.var(ddof=1)) / 2)
        assert found["effect"][row] == pytest.approx((other.mean() - one.mean()) / pooled)
    for family in (slice(0, 4), slice(4, 6)):
        q = stats.false_discovery_control(found["p"][family])
        assert found["q"][family] == pytest.approx(q)


def test_equal_weights_change_nothing_and_weights_move_the_mean() -> None:
    rng = np.random.default_rng(3)
    waves = [{"a": rng.normal(3, 1, 60), "w": np.full(60, 2.5)} for _ in range(2)]
    plain = need_drift(*waves, needs=["a"]).to_dict()
    weighted = need_drift(*waves, needs=["a"], weights="w").to_dict()
    for name in ("change", "change_lo", "change_hi", "p"):
        assert plain[name][0] == pytest.approx(weighted[name][0])
    waves[1]["w"] = np.where(waves[1]["a"] > 3, 5.0, 1.0)
    moved = need_drift(*waves, needs=["a"], weights="w").to_dict()
    assert moved["after"][0] == pytest.approx(np.average(waves[1]["a"], weights=waves[1]["w"]))


def test_problem_became_nice_to_have_only_where_it_is_sure() -> None:
    before = {"price": [1] * 60 + [0] * 40, "few": [1] * 51 + [0] * 49}
    after = {"price": [1] * 30 + [0] * 70, "few": [1] * 49 + [0] * 51}
    found = need_drift(before, after, needs=["price", "few"])
    assert found.to_dict()["status"] == ["became nice-to-have", "unclear"]
    back = need_drift(after, before, needs=["price", "few"])
    assert back.to_dict()["status"] == ["became a problem", "unclear"]
    assert found.to_dict()["threshold"].tolist() == [0.5, 0.5]
    assert "became nice-to-have" in found.explain()
    low = need_drift(before, after, needs=["price"], threshold=0.2)
    assert low.to_dict()["status"] == ["problem"]


def test_missing_answers_are_missing_for_their_need_alone() -> None:
    before = {"a": [1.0, np.nan, 3.0, 4.0], "b": [2.0, 2.5, 3.0, 1.0]}
    found = need_drift(before, before, needs=["a", "b"]).to_dict()
    assert found["n_before"].tolist() == [3, 4]
    assert found["threshold"].tolist() == [2.5, 2.5]


def test_stability_index_and_its_noise() -> None:
    before = {"s": ["x"] * 60 + ["y"] * 40, "a": np.tile([1.0, 2], 50)}
    after = {"s": ["x"] * 30 + ["y"] * 70, "a": np.tile([1.0, 2], 50)}
    found = need_drift(before, after, needs=["a"], segment="s")
    expected = (0.3 - 0.6) * np.log(0.5) + (0.7 - 0.4) * np.log(7 / 4)
    assert found.stability["psi"][0] == pytest.approx(expected)
    assert found.stability["noise"][0] == pytest.approx(0.02)
    assert found.stability["noise_limit"][0] == pytest.approx(0.02 * stats.chi2.ppf(0.95, 1))
    assert found.stability["verdict"][0] == "large shift"
    assert found.composition["psi"].sum() == pytest.approx(expected)
    # Without a change the index is about 1 / n + 1 / m times chi-squared.
    rng = np.random.default_rng(1)
    inside = 0
    for _ in range(300):
        waves = [{"s": rng.choice(list("abcde"), 200), "a": np.ones(200)} for _ in range(2)]
        inside += need_drift(*waves, needs=["a"], segment="s").stability["p"][0] > 0.05
    assert 265 <= inside <= 300


def test_new_segments_are_not_compared() -> None:
    found = need_drift(
        {"s": ["x", "x"], "a": [1.0, 2.0]},
        {"s": ["x", "z"], "a": [1.0, 2.0]},
        needs=["a"],
        segment="s",
    )
    table = found.to_dict()
    assert table["segment"] == ["x", "z", "all"]
    assert table["status"][1] == "no comparison"
    assert np.isnan(table["change"][1])
    assert np.isfinite(found.stability["psi"][0])


def test_bad_needs_are_named() -> None:
    data = {"a": [1.0, 2.0], "w": [1.0, -1.0], "t": ["x", "y"]}
    with pytest.raises(TypeError, match=r"needs is a str.*needs=\['a'\]"):
        need_drift(data, data, needs="a")
    with pytest.raises(DataError, match="needs: found no column"):
        need_drift(data, data, needs=[])
    with pytest.raises(DataError, match=r'"w", row 1: found -1'):
        need_drift(data, data, needs=["a"], weights="w")
    with pytest.raises(TypeError, match='"t" has type text'):
        need_drift(data, data, needs=["t"])
    empty = data | {"a": [np.nan, np.nan]}
    with pytest.raises(DataError, match='column "a": found no answer'):
        need_drift(empty, empty, needs=["a"])
    with pytest.raises(TypeError, match="segment is a list"):
        need_drift(data, data, needs=["a"], segment=["x"])


# Effort


def test_effort_index_by_hand() -> None:
    data = {
        "segment": ["A", "A", "B", "B", "C"],
        "hours": [10.0, 10, 30, 40, 10],
        "won": [100.0, 50, 50, 0, 0],
    }
    found = effort_index(data, segment="segment", effort="hours", outcome="won", n_boot=0)
    table = found.to_dict()
    assert table["segment"] == ["A", "B", "C"]
    assert table["index"].tolist() == pytest.approx([3.75, 0.25 / 0.7, 0])
    assert table["wasted_share"].tolist() == pytest.approx([0, 40 / 70, 1])
    assert found.total["wasted"][0] == 50
    assert table["effort_share"].sum() == pytest.approx(1)
    assert table["outcome_share"].sum() == pytest.approx(1)
    moves = found.reallocation
    assert moves["move"].sum() == pytest.approx(0, abs=1e-9)
    assert moves["proportional_effort"].sum() == pytest.approx(100)


def test_interval_of_the_effort_index_covers_the_truth() -> None:
    # Equal effort; segment a wins at 0.5, b at 0.25: indices 4 / 3 and 2 / 3.
    rng = np.random.default_rng(8)
    covered = 0
    for _ in range(200):
        data = {
            "s": np.repeat(["a", "b"], 150),
            "e": rng.gamma(4, 1, 300),
            "o": rng.random(300) < np.repeat([0.5, 0.25], 150),
        }
        table = effort_index(
            data, segment="s", effort="e", outcome="o", n_boot=200, random_state=1
        ).to_dict()
        covered += table["index_lo"][0] <= 4 / 3 <= table["index_hi"][0]
    assert 176 <= covered <= 200


def test_effort_of_totals_has_no_intervals_and_bad_effort_is_named() -> None:
    data = {"s": ["a", "b"], "e": [1.0, 0.0], "o": [1.0, 2.0]}
    found = effort_index(data, segment="s", effort="e", outcome="o")
    assert found.to_dict()["index"].tolist() == [np.inf, pytest.approx(1 / 3)]
    assert "no intervals: one row per segment" in found.manifest["notes"][0]
    assert found.to_dict()["status"] == ["under-invested", "over-invested"]
    with pytest.raises(DataError, match=r'"e", row 1: found -3'):
        effort_index(data | {"e": [1.0, -3.0]}, segment="s", effort="e", outcome="o")
    with pytest.raises(DataError, match='column "o": found the sum 0'):
        effort_index(data | {"o": [0.0, 0.0]}, segment="s", effort="e", outcome="o")
    with pytest.raises(DataError, match="segment: found None"):
        effort_index(data, segment=None, effort="e", outcome="o")


# Fit against activity


def deals(n: int = 600, seed: int = 1, beta: tuple[float, float] = (1.0, 0.2)) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    fit, touches = rng.normal(60, 15, n), rng.poisson(8, n).astype(float)
    eta = beta[0] * (fit - 60) / 15 + beta[1] * (touches - 8) / np.sqrt(8) - 0.3
    won = rng.random(n) < 1 / (1 + np.exp(-eta))
    return {"fit": fit, "touches": touches, "won": won, "s": rng.choice(["a", "b"], n)}


def test_coefficients_are_those_of_an_optimiser() -> None:
    data = deals()
    found = fit_against_activity(data, fit="fit", activity="touches", won="won")
    x = np.column_stack(
        [np.ones(600)]
        + [(data[name] - data[name].mean()) / data[name].std(ddof=1) for name in ("fit", "touches")]
    )
    y = np.asarray(data["won"], dtype=float)

    def negative(beta: np.ndarray) -> float:
        eta = x @ beta
        return float(np.logaddexp(0, eta).sum() - y @ eta)

    best = optimize.minimize(negative, np.zeros(3), method="BFGS", options={"gtol": 1e-9})
    table = found.to_dict()
    assert table["log_odds"] == pytest.approx(best.x[1:], abs=1e-6)
    assert found.models["log_likelihood"][0] == pytest.approx(-best.fun)
    assert found.models["intercept"][0] == pytest.approx(best.x[0], abs=1e-6)
    for index in (0, 1):
        held = np.delete(x, index + 1, axis=1)
        less = optimize.minimize(
            lambda b, held=held: float(np.logaddexp(0, held @ b).sum() - y @ (held @ b)),
            np.zeros(2),
            method="BFGS",
        )
        p = stats.chi2.sf(2 * (less.fun - best.fun), 1)
        assert table["p"][index] == pytest.approx(p, rel=1e-4)
    probability = 1 / (1 + np.exp(-x @ best.x))
    effect = (probability * (1 - probability)).mean() * best.x[1:]
    assert table["effect"] == pytest.approx(effect, abs=1e-6)
    assert found.models["verdict"][0] == "fit"
    other = deals(beta=(0.1, -1.2))
    turned = fit_against_activity(other, fit="fit", activity="touches", won="won", by="s")
    assert turned.models["verdict"] == ["activity"] * 3


def test_separated_deals_are_said_to_be_and_fitted_by_firth() -> None:
    data = {
        "fit": np.arange(20.0),
        "touches": np.tile([1.0, 4, 2, 3], 5),
        "won": np.arange(20) >= 10,
    }
    found = fit_against_activity(data, fit="fit", activity="touches", won="won")
    assert found.models["method"] == ["Firth"]
    assert np.isfinite(found.to_dict()["log_odds"]).all()
    assert found.to_dict()["p"][0] < 0.001
    assert "Firth's penalised likelihood" in found.explain()


def test_segment_of_won_deals_alone_tells_nothing() -> None:
    data = deals(100) | {"s": ["all won"] * 50 + ["rest"] * 50}
    data["won"] = np.append(np.ones(50), data["won"][50:])
    found = fit_against_activity(data, fit="fit", activity="touches", won="won", by="s")
    assert np.isnan(found.to_dict()["log_odds"][:2]).all()
    assert found.models["verdict"][0] == "no comparison"


def test_bad_deals_are_named() -> None:
    data = {"f": [1.0, 2.0, 3.0], "a": [3.0, 1.0, 2.0], "w": [0, 1, 2]}
    ask = {"fit": "f", "activity": "a", "won": "w"}
    with pytest.raises(DataError, match=r'"w", row 2: found 2, but true or false'):
        fit_against_activity(data, **ask)
    data["w"] = [1, 1, 1]
    with pytest.raises(DataError, match='column "w": found won deals alone'):
        fit_against_activity(data, **ask)
    data["w"] = [0, 1, 1]
    with pytest.raises(DataError, match='column "a": found the same value'):
        fit_against_activity(data | {"a": [2.0] * 3}, **ask)
    with pytest.raises(DataError, match=r"activity: found .*which say the same"):
        fit_against_activity(data | {"a": [2.0, 4.0, 6.0]}, **ask)
    with pytest.raises(TypeError, match='"f" has type text'):
        fit_against_activity(data | {"f": ["x", "y", "z"]}, **ask)


# Targeting


def campaign(n: int = 500, seed: int = 1, hazard: float = 2.0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    target = rng.random(n) < 0.4
    time = rng.exponential(60 / np.where(target, hazard, 1.0))
    end = rng.uniform(20, 60, n)
    return {
        "target": target,
        "converted": time <= end,
        "days": np.ceil(np.minimum(time, end)),
        "cost": rng.gamma(3, 4, n),
    }


def test_targeting_by_hand() -> None:
    data = campaign()
    found = targeting_value(
        data, target="target", converted="converted", cost="cost", days="days", random_state=1
    )
    table, inside = found.to_dict(), data["target"]
    rate = data["converted"][inside].mean()
    assert table["conversion"][0] == pytest.approx(rate)
    assert figure(found, "lift")[0] == pytest.approx(rate / data["converted"].mean())
    saved = data["cost"][~inside].sum()
    assert figure(found, "spend_saved")[0] == pytest.approx(saved)
    assert figure(found, "spend_saved_share")[0] == pytest.approx(saved / data["cost"].sum())
    assert figure(found, "conversions_forgone")[0] == data["converted"][~inside].sum()
    assert table["cac"][1] == pytest.approx(saved / data["converted"][~inside].sum())
    for name in ("lift", "spend_saved", "cac_ratio", "hazard_ratio"):
        value, low, high = figure(found, name)
        assert low < value < high


def test_hazard_ratio_maximises_the_partial_likelihood_of_efron() -> None:
    data = campaign(120)
    found = targeting_value(data, target="target", converted="converted", days="days", n_boot=0)

    def negative(beta: float) -> float:
        total = 0.0
        risk = np.exp(beta * data["target"])
        for day in np.unique(data["days"][data["converted"]]):
            events = data["converted"] & (data["days"] == day)
            at_risk = risk[data["days"] >= day].sum()
            tied = risk[events].sum()
            total += beta * data["target"][events].sum()
            for place in range(events.sum()):
                total -= np.log(at_risk - place / events.sum() * tied)
        return -total

    best = optimize.minimize_scalar(
        negative, bounds=(-5, 5), method="bounded", options={"xatol": 1e-9}
    )
    ratio, low, high = figure(found, "hazard_ratio")
    assert ratio == pytest.approx(np.exp(best.x), rel=1e-5)
    limit = best.fun + stats.chi2.ppf(0.95, 1) / 2
    for end in (low, high):
        assert negative(np.log(end)) == pytest.approx(limit, abs=1e-6)
    sheet = ilk._frame.to_dict(found._core.sheet("figures"))
    p = stats.chi2.sf(2 * (negative(0.0) - best.fun), 1)
    assert sheet["p"][-1] == pytest.approx(p)


def test_intervals_of_targeting_cover_the_truth() -> None:
    # Conversion 0.3 in target (two fifths of all), 0.1 off target: lift 0.3 / 0.18; hazards 2 to 1.
    covered = {"lift": 0, "hazard_ratio": 0}
    rng = np.random.default_rng(4)
    for seed in range(200):
        data = campaign(300, seed)
        target = np.arange(300) < 120
        flags = {"target": target, "converted": rng.random(300) < np.where(target, 0.3, 0.1)}
        found = targeting_value(
            flags, target="target", converted="converted", n_boot=200, random_state=1
        )
        _, low, high = figure(found, "lift")
        covered["lift"] += low <= 0.3 / 0.18 <= high
        found = targeting_value(data, target="target", converted="converted", days="days", n_boot=0)
        _, low, high = figure(found, "hazard_ratio")
        covered["hazard_ratio"] += low <= 2 <= high
    assert all(176 <= count <= 200 for count in covered.values()), covered


def test_bad_campaigns_are_named() -> None:
    data = {"t": [1, 0, 1], "c": [1, 0, 0], "m": [1.0, 2.0, -3.0], "d": [1.0, 2.0, -1.0]}
    ask = {"target": "t", "converted": "c"}
    with pytest.raises(DataError, match=r'"m", row 2: found -3'):
        targeting_value(data, cost="m", **ask)
    with pytest.raises(DataError, match=r'"d", row 2: found -1'):
        targeting_value(data, days="d", **ask)
    with pytest.raises(DataError, match='column "t": found every row in the target'):
        targeting_value(data | {"t": [1, 1, 1]}, **ask)
    with pytest.raises(DataError, match='column "c": found no conversion'):
        targeting_value(data | {"c": [0, 0, 0]}, **ask)
    with pytest.raises(DataError, match=r'"t", row 1: found 3'):
        targeting_value(data | {"t": [1, 3, 0]}, **ask)
    missing = targeting_value(data | {"d": [1.0, np.nan, 2.0]}, days="d", n_boot=0, **ask)
    assert "2 of 3 rows" in missing.manifest["notes"][0]


# The value of segmentation


def test_known_payoffs_by_hand() -> None:
    data = {
        "s": ["x", "x", "y", "y", "z", "z"],
        "a": ["p", "q"] * 3,
        "v": [5.0, 1, 2, 4, 3, 3],
        "n": [10, 10, 20, 20, 30, 30],
    }
    found = value_of_segmentation(data, segment="s", action="a", value="v", n="n")
    # By segment 50 + 80 + 90; all p: 50 + 40 + 90; all q: 10 + 80 + 90.
    assert found.one_size == "p"
    assert figure(found, "value_of_segmentation")[0] == 40
    table = found.to_dict()
    assert table["best_action"] == ["p", "q", "p"]
    assert table["gain"].tolist() == [0, 40, 0]
    assert table["margin"].tolist() == [4, 2, 0]
    assert table["runner_up"] == ["q", "p", "q"]
    order = np.random.default_rng(1).permutation(6)
    turned = {name: [column[i] for i in order] for name, column in data.items()}
    again = value_of_segmentation(turned, segment="s", action="a", value="v", n="n")
    assert again.to_dict()["gain"].tolist() == [0, 40, 0]


def experiment(seed: int, effect: float, n: int = 240) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    s, a = rng.integers(0, 4, n), rng.integers(0, 2, n)
    value = rng.normal(10, 3, n) + effect * (s % 2 == a)
    return {"s": s.astype(str), "a": a.astype(str), "v": value}


def test_pure_noise_is_worth_nothing_and_says_so() -> None:
    ask = {"segment": "s", "action": "a", "value": "v", "n_boot": 0, "random_state": 1}
    naive, honest, reaches = [], [], 0
    for seed in range(100):
        found = value_of_segmentation(experiment(seed, 0.0), **ask)
        naive.append(figure(found, "naive_value")[0])
        value, low, _ = figure(found, "value_of_segmentation")
        honest.append(value)
        reaches += low <= 0
    assert min(naive) >= 0
    assert np.mean(naive) > 20
    assert abs(np.mean(honest)) < 3 * np.std(honest) / 10 + 5
    assert reaches >= 93


def test_true_differences_are_found() -> None:
    found = value_of_segmentation(
        experiment(1, 6.0, 800), segment="s", action="a", value="v", n_boot=200, random_state=1
    )
    _, low, high = figure(found, "value_of_segmentation")
    assert low > 0
    # Half of the customers gain 6 by being told apart.
    assert low < 2400 < high
    assert (found.to_dict()["p_best"] > 0.99).all()


def test_bad_payoffs_are_named() -> None:
    data = {"s": ["x", "x", "y"], "a": ["p", "q", "p"], "v": [1.0, 2, 3], "n": [5, 5, 6]}
    ask = {"segment": "s", "action": "a", "value": "v"}
    with pytest.raises(DataError, match=r'n: found None.*n="customers"'):
        value_of_segmentation(data, **ask)
    with pytest.raises(DataError, match=r'"n", row 1: found 4, but an earlier row says 5'):
        value_of_segmentation(data | {"n": [5, 4, 6]}, n="n", **ask)
    with pytest.raises(DataError, match=r'"n", row 2: found -6'):
        value_of_segmentation(data | {"n": [5, 5, -6]}, n="n", **ask)
    with pytest.raises(DataError, match='column "a": found no action with enough rows'):
        value_of_segmentation(data | {"a": ["p", "q", "r"]}, n="n", **ask)
    one = value_of_segmentation(data, n="n", **ask)
    assert (one.one_size, one.to_dict()["best_action"]) == ("p", ["q", "p"])
    single = {"s": ["x", "x"], "a": ["p", "q"], "v": [1.0, 2.0], "n": [5, 5]}
    only = value_of_segmentation(single, n="n", **ask)
    assert figure(only, "value_of_segmentation")[0] == 0


# What every result can do


def results() -> list[Any]:
    waves = [
        {"s": ["x", "y"] * 30, "a": np.tile([1.0, 4, 5], 20) - k, "b": np.tile([0, 1], 30)}
        for k in (0, 0.5)
    ]
    ask = {"n_boot": 40, "random_state": 1}
    return [
        mix_rate_value(period(1), period(2, more=1.3), revenue="revenue", orders="orders", **ask),
        need_drift(*waves, needs=["a", "b"], segment="s"),
        effort_index(deals(), segment="s", effort="touches", outcome="won", **ask),
        fit_against_activity(deals(), fit="fit", activity="touches", won="won", by="s"),
        targeting_value(
            campaign(), target="target", converted="converted", cost="cost", days="days", **ask
        ),
        value_of_segmentation(experiment(1, 4.0), segment="s", action="a", value="v", **ask),
    ]


@pytest.mark.parametrize("place", range(6))
def test_results_are_saved_shown_and_drawn(place: int) -> None:
    result = results()[place]
    cls = [
        MixRateValue,
        NeedDrift,
        EffortIndex,
        FitAgainstActivity,
        TargetingValue,
        ValueOfSegmentation,
    ][place]
    assert type(result) is cls
    again = cls.from_json(result.to_json())
    assert again.to_json() == result.to_json()
    assert str(again.explain()) == str(result.explain())
    assert len(result.explain()) > 100
    assert "<table>" in result._repr_html_()
    assert result._title in repr(result)
    assert result.plot().get_label()
    broken = result.to_json().replace('"table"', '"tables"')
    with pytest.raises(ilk.exceptions.ModelFileError):
        cls.from_json(broken)
    # The same seed gives the same bits for any number of threads.
    for threads in (1, 2, 8):
        ilk.set_num_threads(threads)
        assert results()[place].to_json() == result.to_json()


def test_other_pictures_are_drawn() -> None:
    moved, drift = results()[:2]
    assert "Change of revenue by segment" in moved.plot("segments").get_label()
    with pytest.raises(DataError, match="kind: found 'pie'"):
        moved.plot("pie")
    assert "Needs of x" in drift.plot(segment="x").get_label()
    with pytest.raises(DataError, match="segment: found 'q'"):
        drift.plot(segment="q")


def test_halves_of_online_retail_add_up(realdata: Path) -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.read_csv(realdata / "online_retail.csv.gz", parse_dates=["InvoiceDate"])
    frame["revenue"] = frame["Quantity"] * frame["UnitPrice"]
    frame["home"] = np.where(frame["Country"] == "United Kingdom", "UK", "abroad")
    known = frame.dropna(subset=["CustomerID"])
    # A customer who moved between the two counts where the first invoice of the half went.
    halves = []
    for part in (
        known[known["InvoiceDate"] < "2011-06-10"],
        known[known["InvoiceDate"] >= "2011-06-10"],
    ):
        home = part.groupby("CustomerID")["home"].transform("first")
        halves.append(part.assign(home=home))
    found = mix_rate_value(
        *halves,
        by="home",
        revenue="revenue",
        customer="CustomerID",
        order="InvoiceNo",
        n_boot=100,
        random_state=1,
    )
    total = found.total.iloc[0]
    before, after = (half["revenue"].sum() for half in halves)
    assert total["change"] == pytest.approx(after - before)
    assert total[["mix", "rate", "value", "cross"]].sum() == pytest.approx(total["change"])
    tree = found.tree
    assert tree["customers"].iloc[-2] == halves[0]["CustomerID"].nunique()
    bills = halves[0].groupby("InvoiceNo")["revenue"].sum()
    assert tree["orders"].iloc[-2] == (bills >= 0).sum()
    assert total["change_lo"] < total["change"] < total["change_hi"]

"""Why revenue moved, and whether needs did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import stats

import ilk
from ilk.economics import MixRateValue, NeedDrift, mix_rate_value, need_drift
from ilk.exceptions import DataError, MissingColumnError

if TYPE_CHECKING:
    from pathlib import Path

PARTS = ("mix", "rate", "value", "cross")


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
@example([(1, 1, 1, 2, 1.0, 5e-324)], "lmdi")
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


@pytest.mark.parametrize(
    "change",
    [
        # Value per order beyond all numbers, in all rows or only where the others are drawn.
        {"revenue": [3.0, 2.5], "orders": [2.2e-308, 2.2e-308]},
        {"revenue": [3.0, 2.5], "orders": [1e15, 2.2e-308]},
        {"revenue": [1e300, 2.5]},
        {"revenue": [1e308, 1e308]},
    ],
)
def test_amounts_beyond_all_measure_are_refused(change) -> None:
    good = {"segment": ["a", "a"], "revenue": [1.0, 2.0], "orders": [1.0, 3.0]}
    ask = {"revenue": "revenue", "orders": "orders", "n_boot": 50, "random_state": 0}
    for frames in ((good, good | change), (good | change, good)):
        with pytest.raises(DataError, match=r"revenue: found amounts beyond all measure.*1e150"):
            mix_rate_value(*frames, **ask)


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
    ]


@pytest.mark.parametrize("place", range(2))
def test_results_are_saved_shown_and_drawn(place: int, check_result: Any) -> None:
    check_result(lambda: results()[place], [MixRateValue, NeedDrift][place])


def test_other_pictures_are_drawn() -> None:
    moved, drift = results()
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

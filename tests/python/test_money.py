"""Who stays, and how unequally money is spread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ilk.economics import Cohorts, Concentration, cohorts, concentration
from ilk.exceptions import DataError, MissingColumnError

if TYPE_CHECKING:
    from pathlib import Path


def days(*texts: str) -> np.ndarray:
    return np.array(texts, dtype="datetime64[D]")


def orders(seed: int = 1, n: int = 4_000) -> dict[str, Any]:
    """Orders of 400 customers over a year and a half."""
    rng = np.random.default_rng(seed)
    customer = rng.integers(0, 400, n)
    return {
        "customer": customer,
        "day": np.datetime64("2023-01-01") + rng.integers(0, 540, n).astype("timedelta64[D]"),
        "value": np.round(rng.gamma(2, 20, n) - 8, 2),
        "country": np.array(["DE", "FR", "US"])[customer % 3],
    }


# Cohorts


def test_triangle_is_that_of_pandas() -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(orders())
    found = cohorts(frame, customer="customer", date="day", value="value", observed_to="2024-06-30")
    frame["period"] = frame["day"].dt.to_period("M")
    bought = frame[frame["value"] >= 0]
    first = bought.groupby("customer")["period"].min()
    frame["cohort"] = frame["customer"].map(first)
    frame["age"] = (frame["period"] - frame["cohort"]).map(lambda step: step.n)
    bought = frame[frame["value"] >= 0]
    size = first.value_counts()
    active = bought.groupby(["cohort", "age"])["customer"].nunique()
    money = frame.groupby(["cohort", "age"])["value"].sum()
    table = found.to_pandas()
    last = pd.Period("2024-06", "M")
    assert (table["mature"] == (pd.PeriodIndex(table["period"], freq="M") <= last)).all()
    assert len(table) > 100
    for row in table.itertuples():
        cohort = pd.Period(row.cohort, "M")
        assert row.n_cohort == size[cohort]
        assert row.n_active == active.get((cohort, row.age), 0)
        assert row.retention == row.n_active / row.n_cohort
        assert row.revenue == pytest.approx(money.get((cohort, row.age), 0.0))
        assert row.revenue_per_customer == pytest.approx(row.revenue / row.n_cohort)
    last_of_first = table[table["cohort"] == "2023-01"].iloc[-1]
    total = frame[(frame["cohort"] == "2023-01") & (frame["age"] >= 0)]["value"].sum()
    assert last_of_first["cumulative_per_customer"] == pytest.approx(total / size["2023-01"])


def test_period_in_progress_is_missing_and_not_zero() -> None:
    data = {
        "who": ["a", "b", "c", "a"],
        "day": days("2024-01-05", "2024-01-06", "2024-02-10", "2024-02-11"),
    }
    found = cohorts(data, customer="who", date="day")
    assert found.to_dict()["mature"].tolist() == [True, False, False]
    assert np.isnan(found.to_dict()["retention"][1:]).all()
    assert found.to_dict()["n_cohort"].tolist() == [2, 2, 1]
    assert "2024-02 was not observed to its end" in found.explain()
    whole = cohorts(data, customer="who", date="day", observed_to="2024-02-29")
    assert whole.to_dict()["retention"].tolist() == [1.0, 0.5, 1.0]
    short = cohorts(data, customer="who", date="day", observed_to="2024-02-28")
    assert short.to_dict()["mature"].tolist() == [True, False, False]
    # The last day of the data is taken to have been observed to its end.
    to_end = {"who": ["a", "a"], "day": days("2024-01-05", "2024-02-29")}
    assert cohorts(to_end, customer="who", date="day").to_dict()["mature"].all()


def test_returns_lower_revenue_and_are_no_sign_of_life() -> None:
    data = {
        "who": ["a", "a", "b", "c", "c"],
        "day": days("2024-01-05", "2024-02-06", "2024-01-10", "2024-01-02", "2024-02-29"),
        "value": [100.0, -30.0, -5.0, -1.0, 10.0],
    }
    found = cohorts(data, customer="who", date="day", value="value")
    table = found.to_dict()
    assert list(table["cohort"]) == ["2024-01", "2024-01", "2024-02"]
    assert table["n_active"].tolist() == [1, 0, 1]
    assert table["revenue"].tolist() == [100.0, -30.0, 10.0]
    notes = found.manifest["notes"]
    assert "1 customers with returns but no order are in no cohort" in notes
    assert "returns of 1.00 before a customer's first order are not counted" in notes


def test_segments_add_up_to_everybody() -> None:
    found = cohorts(
        orders(), customer="customer", date="day", value="value", by="country", period="quarter"
    )
    table = found.to_pandas()
    assert list(table["segment"].unique()) == ["DE", "FR", "US", "all"]
    mature = table[table["mature"]]
    parts = mature[mature["segment"] != "all"].groupby(["cohort", "age"])[
        ["n_active", "n_cohort", "revenue"]
    ]
    whole = mature[mature["segment"] == "all"].set_index(["cohort", "age"])
    for name, total in parts.sum().items():
        assert np.allclose(total, whole.loc[total.index, name])
    curve = found.curve
    assert (np.asarray(curve["retention"])[np.asarray(curve["age"]) == 0] == 1).all()


@pytest.mark.parametrize("period", ["week", "month", "quarter", "year"])
def test_rows_in_any_order_and_any_container_give_the_same(period: str) -> None:
    pl = pytest.importorskip("polars")
    data = orders()
    expected = cohorts(data, customer="customer", date="day", period=period).to_dict()
    turned = {name: column[::-1] for name, column in data.items()}
    found = cohorts(pl.DataFrame(turned), customer="customer", date="day", period=period)
    for name, column in expected.items():
        assert np.array_equal(found.to_dict()[name], column, equal_nan=False) or np.allclose(
            np.asarray(found.to_dict()[name], dtype=float), column, equal_nan=True
        )


def test_wilson_intervals_are_those_of_scipy() -> None:
    table = cohorts(orders(), customer="customer", date="day", observed_to="2024-06-30").to_pandas()
    table = table[table["mature"]]
    for row in table.head(40).itertuples():
        ends = stats.binomtest(int(row.n_active), int(row.n_cohort)).proportion_ci(method="wilson")
        assert (row.retention_lo, row.retention_hi) == pytest.approx((ends.low, ends.high))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"day": ["2024-01-01", "2024-01-02"]}, r'"day" has type text.*pd.to_datetime'),
        ({"day": [19970101, 19970112]}, r'"day", row 0: found 19970101.*astype\(str\)'),
        ({"who": [None, None]}, r"orders: found 2 rows, all left out: .who. is missing"),
        ({"value": [np.nan, np.nan]}, r"all left out: .value. is missing"),
        ({"value": [-1.0, -2.0]}, r'column "value": found returns alone'),
        ({"value": [np.inf, 1.0]}, r'"value", row 0: found inf'),
    ],
)
def test_bad_orders_are_named(change: dict[str, Any], message: str) -> None:
    data = {"who": ["a", "b"], "day": days("2024-01-01", "2024-01-02"), "value": [1.0, 2.0]}
    with pytest.raises((DataError, TypeError), match=message):
        cohorts(data | change, customer="who", date="day", value="value")


def test_bad_arguments_of_cohorts_are_named() -> None:
    data = {"who": ["a", "b", "a"], "day": days(*["2024-01-01"] * 3), "seg": ["x", "y", "y"]}
    with pytest.raises(DataError, match=r'"seg", row 2: found "y", but who "a" stands under "x"'):
        cohorts(data, customer="who", date="day", by="seg")
    with pytest.raises(DataError, match='period: found "decade"'):
        cohorts(data, customer="who", date="day", period="decade")
    for beyond in (1e300, float("nan"), -1e9):
        with pytest.raises(DataError, match="observed_to: found"):
            cohorts(data, customer="who", date="day", observed_to=beyond)
    with pytest.raises(DataError, match="observed_to: found 'soon'"):
        cohorts(data, customer="who", date="day", observed_to="soon")
    with pytest.raises(DataError, match=r"all left out: .day. is after observed_to"):
        cohorts(data, customer="who", date="day", observed_to="2023-12-31")
    with pytest.raises(MissingColumnError, match="did you mean"):
        cohorts(data, customer="whom", date="day")
    far = {"who": ["a", "b"], "day": days("0100-01-01", "2024-01-01")}
    with pytest.raises(DataError, match=r"period: found 1.* periods.*a longer period"):
        cohorts(far, customer="who", date="day", period="week")
    found = cohorts(data, customer="who", date="day")
    with pytest.raises(DataError, match=r"figure: found 'revenue'.*money needs value="):
        found.matrix("revenue")
    with pytest.raises(DataError, match="segment: found 'z'"):
        found.matrix(segment="z")


# Concentration


def test_gini_and_pareto_share_of_known_lists() -> None:
    table = concentration([1, 1, 1, 1], n_boot=0).to_dict()
    found = [float(table[name][0]) for name in ("gini", "top_share", "holders")]
    assert found == pytest.approx([0, 0.2, 0.8])
    table = concentration([0, 0, 0, 0, 10], n_boot=0).to_dict()
    assert table["gini"][0] == 0.8
    assert table["gini_corrected"][0] == 1.0
    assert (table["n_zero"][0], table["total"][0], table["mean"][0]) == (4, 10, 2)


@given(
    st.lists(st.floats(0, 1e6), min_size=1, max_size=40).filter(lambda values: sum(values) > 1),
    st.integers(0, 2**31),
)
def test_order_of_rows_does_not_matter(values: list[float], seed: int) -> None:
    shuffled = np.random.default_rng(seed).permutation(values)
    one = concentration(values, n_boot=20, random_state=0).to_dict()
    other = concentration(shuffled, n_boot=20, random_state=0).to_dict()
    for name, column in one.items():
        if name != "segment":
            assert np.array_equal(column, other[name], equal_nan=True), name


def test_negative_values_follow_the_policy() -> None:
    values = {"spend": [5.0, -2.0, np.nan, 15.0]}
    with pytest.raises(DataError, match=r'"spend", row 1: found -2.*negative="zero"'):
        concentration(values)
    zero = concentration(values, negative="zero", n_boot=0)
    assert zero.to_dict()["n"][0] == 3
    assert zero.to_dict()["n_negative"][0] == 1
    assert "1 negative values" in zero.manifest["notes"][0]
    out = concentration(values, negative="leave_out", n_boot=0)
    assert out.to_dict()["n"][0] == 2
    assert {left["reason"] for left in out.manifest["left_out"]} == {
        '"spend" is missing',
        '"spend" is negative',
    }


def test_interval_of_gini_covers_the_truth() -> None:
    # The Gini coefficient of the exponential distribution is 1 / 2; its largest fifth holds 0.2 (1 + ln 5).
    rng = np.random.default_rng(7)
    covered = np.zeros(2)
    for _ in range(200):
        table = concentration(rng.exponential(10, 300), n_boot=200, random_state=1).to_dict()
        truth = {"gini": 0.5, "top_share": 0.2 * (1 + np.log(5))}
        for place, (name, value) in enumerate(truth.items()):
            covered[place] += table[f"{name}_lo"][0] <= value <= table[f"{name}_hi"][0]
    # 95 % of 200 within four standard deviations, less what percentiles lack at n = 300.
    assert (covered >= 174).all(), covered


def test_segments_stand_before_everybody() -> None:
    data = {"spend": [1.0, 2, 3, 4, 0, 0], "segment": ["a", "a", "b", "b", "all", "all"]}
    found = concentration(data, value="spend", by="segment", n_boot=50, random_state=1)
    assert list(found.to_dict()["segment"]) == ["a", "all", "b", "all_"]
    assert found.to_dict()["n"].tolist() == [2, 2, 2, 6]
    assert np.isnan(found.to_dict()["gini"][1])
    assert "all: the total is 0" in found.explain()
    one = concentration(data, value="spend", n_boot=50, random_state=1)
    assert found.to_dict()["gini"][3] == one.to_dict()["gini"][0]
    labels = concentration(data["spend"], by=data["segment"], n_boot=0)
    assert list(labels.to_dict()["segment"]) == ["a", "all", "b", "all_"]


def test_bad_arguments_of_concentration_are_named() -> None:
    with pytest.raises(DataError, match="top: found 20"):
        concentration([1, 2], top=20)
    with pytest.raises(DataError, match="n_boot: found 1000000, but at most"):
        concentration([1, 2], n_boot=10**6)
    with pytest.raises(DataError, match='negative: found "drop"'):
        concentration([1, 2], negative="drop")
    with pytest.raises(DataError, match=r"value: found None.*value='a'"):
        concentration({"a": [1.0], "b": [2.0]})
    with pytest.raises(DataError, match="values: found"):
        concentration([])
    with pytest.raises(DataError, match="by: found 1 labels"):
        concentration([1.0, 2.0], by=["a"])
    with pytest.raises(DataError, match=r'"w", row 1: found -1'):
        concentration({"v": [1.0, 2.0], "w": [1.0, -1.0]}, value="v", weights="w")
    with pytest.raises(TypeError, match="value is a int"):
        concentration({"v": [1.0]}, value=3)  # type: ignore[arg-type]


# What every result can do


def results() -> list[Any]:
    data = orders()
    return [
        cohorts(data, customer="customer", date="day", value="value", by="country"),
        concentration(
            data, value="value", by="country", negative="zero", n_boot=30, random_state=1
        ),
    ]


@pytest.mark.parametrize("place", range(2))
def test_results_are_saved_shown_and_drawn(place: int, check_result: Any) -> None:
    check_result(lambda: results()[place], [Cohorts, Concentration][place])


def test_other_pictures_are_drawn() -> None:
    found = results()[0]
    assert "DE" in found.plot("curve").get_label()
    assert found.plot(figure="cumulative_per_customer", segment="FR").get_label()
    with pytest.raises(DataError, match="kind: found 'pie'"):
        found.plot("pie")


# Real data


def test_cohorts_of_cdnow_are_the_published_ones(realdata: Path) -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.read_csv(realdata / "cdnow_master.csv.gz")
    frame["date"] = pd.to_datetime(frame["date"].astype(str))
    found = cohorts(
        frame, customer="customer_id", date="date", value="value_usd", observed_to="1998-06-30"
    )
    sizes = dict(zip(found.sizes["cohort"], found.sizes["n_cohort"], strict=True))
    # Everybody in the file first bought in the first quarter of 1997 (Fader and Hardie 2001): 23,570 customers.
    assert set(sizes) == {"1997-01", "1997-02", "1997-03"}
    assert sum(sizes.values()) == 23_570
    assert len(frame) == 69_659
    table = found.to_pandas()
    assert table["revenue"].sum() == pytest.approx(frame["value_usd"].sum())
    spend = frame.groupby("customer_id")["value_usd"].sum()
    spread = concentration(spend, n_boot=50, random_state=1).to_dict()
    sorted_spend = np.sort(spend.to_numpy())[::-1]
    n_top = 0.2 * len(spend)
    assert n_top == 4714
    assert spread["top_share"][0] == pytest.approx(sorted_spend[:4714].sum() / spend.sum())
    assert spread["top_share_lo"][0] < spread["top_share"][0] < spread["top_share_hi"][0]

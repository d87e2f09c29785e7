"""Segments by rules, labels, scores and nesting are one kind of object: they save, predict, explain and refuse alike."""

from __future__ import annotations

import json
import pickle
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import ilk
from ilk.exceptions import DataError, DataWarning, MissingColumnError, ModelFileError
from ilk.segments import (
    check_activities,
    criteria_segment,
    firm_segment,
    from_labels,
    from_rules,
    grid_segment,
    life_stage_rules,
    life_stage_segment,
    matches,
    motives,
    nested,
    rfm_segment,
    select_customers,
)

HOSTILE = "<script>alert(1)</script> \u202e=1+1|`$x$\n" + "x" * 50


@pytest.fixture(scope="module")
def market() -> Any:
    return ilk.datasets.make_market(1500, random_state=3, as_frame="pandas")


@pytest.fixture(scope="module")
def customers(market: Any) -> pd.DataFrame:
    frame: pd.DataFrame = market.customers
    return frame


RULES: dict[str, Any] = {
    "young": {"age": (None, 30)},
    "web": {"channel": "web", "income": {"missing": False}},
}


def every(customers: pd.DataFrame, truth: Any) -> dict[str, ilk.Segmentation]:
    ratings = customers.assign(a=customers["age"], b=customers["visits_per_month"] * 4)
    return {
        "rules": from_rules(customers, RULES, default="others"),
        "given": from_labels(customers, truth),
        "nested": nested(customers, "channel", 2, ["age", "basket_value"], random_state=0),
        "scores": motives(ratings, {"a": "functional", "b": "social"}, scale="standard"),
    }


@pytest.fixture(scope="module")
def origins(customers: pd.DataFrame, market: Any) -> dict[str, ilk.Segmentation]:
    return every(customers, market.truth.segment)


@pytest.mark.parametrize("origin", ["rules", "given", "nested", "scores"])
def test_every_origin_can_do_what_a_segmentation_can(origins: Any, origin: str) -> None:
    found = origins[origin]
    assert found.origin == origin
    assert sum(found.sizes.values()) == found.manifest["rows_used"]
    again = ilk.Segmentation.from_json(found.to_json())
    assert again.to_json() == found.to_json()
    assert pickle.loads(pickle.dumps(found)).codes.tolist() == found.codes.tolist()
    renamed = found.rename({found.names[0]: HOSTILE})
    assert renamed.names[0] == HOSTILE
    for shown in (renamed._repr_html_(), renamed.explain()._repr_html_()):
        assert "<script" not in shown
    assert HOSTILE in ilk.Segmentation.from_json(renamed.to_json()).names
    assert found.names[1] in found.explain()
    assert found.plot().get_label()
    assert found.plot("sizes").get_label()
    assert found.limit(2).k == 2
    assert set(found.profile().to_dict()["segment"]) == set(found.names)
    card = ilk.segment_scorecard(
        found.frame, segment=found, revenue="revenue", cost="cost", n_boot=20, random_state=0
    )
    assert list(card.to_dict()["segment"]) == found.names
    widths = ilk.quality.silhouette(found.frame, found, features=["age", "basket_value"])
    assert list(widths.to_dict()["segment"]) == found.names


@pytest.mark.parametrize("origin", ["rules", "nested", "scores"])
def test_customers_are_predicted_into_their_segments(origins: Any, origin: str) -> None:
    found = origins[origin]
    again = ilk.Segmentation.from_json(found.to_json())
    assert found.predict(found.frame).tolist() == list(found.labels)
    assert again.predict(found.frame).tolist() == list(found.labels)


@pytest.mark.parametrize("what", ["evidence", "drivers", "preparation"])
@pytest.mark.parametrize("origin", ["rules", "given", "nested", "scores"])
def test_what_needs_a_clustering_says_so(origins: Any, origin: str, what: str) -> None:
    with pytest.raises(DataError, match="this needs segments that a clustering found"):
        getattr(origins[origin], what)
    with pytest.raises(DataError, match="number of segments was not chosen"):
        origins[origin].plot("evidence")


def test_given_labels_do_not_predict(origins: Any, customers: Any) -> None:
    with pytest.raises(DataError, match=r"given as labels.*from_labels"):
        origins["given"].predict(customers)
    with pytest.raises(DataError, match="only rules can be listed"):
        origins["given"].rule_table  # noqa: B018


def test_rules_decide_in_their_order(customers: Any) -> None:
    found = from_rules(customers, RULES, default="others")
    young = customers["age"] < 30
    web = ~young & (customers["channel"] == "web") & customers["income"].notna()
    expected = np.select([young, web], ["young", "web"], "others")
    assert list(found.labels) == expected.tolist()
    assert found.rule_table["n"].tolist() == [(expected == name).sum() for name in found.names]
    assert found.rule_table["rule"][0] == "age below 30"
    swapped = from_rules(customers, dict(reversed(RULES.items())), default="others")
    assert swapped.sizes["web"] > found.sizes["web"]


def test_every_form_of_a_condition_means_what_it_says() -> None:
    frame = pd.DataFrame(
        {
            "x": [1.0, 2.0, 3.0, np.nan],
            "c": ["a", "b", None, "a"],
            "d": pd.to_datetime(["2024-01-01", "2024-06-01", None, "2025-01-01"]),
            "f": [True, False, True, False],
        }
    )
    for where, rows in [
        ({"x": (1, 3)}, [0, 1]),
        ({"x": {"above": 1, "at_most": 3}}, [1, 2]),
        ({"x": 2}, [1]),
        ({"x": [1, 3]}, [0, 2]),
        ({"x": None}, [3]),
        ({"x": {"missing": False}}, [0, 1, 2]),
        ({"x": {"not_in": [1]}}, [1, 2]),
        ({"x": pd.Interval(1, 3, closed="right")}, [1, 2]),
        ({"c": "a"}, [0, 3]),
        ({"c": {"a", "b"}}, [0, 1, 3]),
        ({"c": {"not_in": "a"}}, [1]),
        ({"c": "a", "x": {"missing": True}}, [3]),
        ({"d": ("2024-02-01", None)}, [1, 3]),
        ({"d": {"at_most": pd.Timestamp("2024-06-01")}}, [0, 1]),
        ({"f": True}, [0, 2]),
        ({}, [0, 1, 2, 3]),
    ]:
        assert np.flatnonzero(matches(frame, where)).tolist() == rows, where


def test_several_sets_of_conditions_are_alternatives() -> None:
    found = from_rules({"x": [1, 5, 9]}, {"ends": [{"x": (0, 2)}, {"x": (8, None)}]}, default="in")
    assert list(found.labels) == ["ends", "in", "ends"]


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"a": {"agee": (0, 30)}}, "did you mean"),
        ({"a": {"channel": "fax"}}, '"fax", but the categories are'),
        ({"a": {"channel": (0, 30)}}, "the column holds categories"),
        ({"a": {"age": "old"}}, "the column holds numbers"),
        ({"a": {"age": (30, 20)}}, "its lower bound comes first"),
        ({"a": {"age": (30, 30)}}, "its lower bound comes first"),
        ({"a": {"age": (1, 2, 3)}}, "an interval is"),
        ({"a": {"age": {"over": 3}}}, "found 'over'"),
        ({"a": {"age": {"above": 3, "at_least": 4}}}, "one bound is needed"),
        ({"a": {"age": {"above": "2024-01-01"}}}, "the column holds numbers"),
        ({"a": {"first_contact": (1, 2)}}, "the column holds dates"),
        ({"a": {"channel": []}}, "at least one is needed"),
        ({"a": {"channel": ["web", None]}}, "a missing value is asked for by"),
        ({}, "found no rule"),
        ({"a": {"age": (900, None)}}, "all left out: no rule holds"),
    ],
)
def test_rule_that_cannot_be_is_refused(customers: Any, rules: Any, message: str) -> None:
    with pytest.raises((DataError, MissingColumnError), match=message):
        from_rules(customers, rules)


def test_empty_segment_is_kept_and_told(customers: Any) -> None:
    with pytest.warns(DataWarning, match='"nobody" has no customer'):
        found = from_rules(customers, {"nobody": {"age": (900, None)}, "all": {}}, features=["age"])
    assert found.sizes == {"nobody": 0, "all": 1500}
    assert "nobody" in found.explain()


def test_customers_that_meet_no_rule_are_counted(customers: Any) -> None:
    found = from_rules(customers, RULES)
    left = found.manifest["left_out"]
    assert left == [{"reason": "no rule holds", "rows": int((found.codes < 0).sum())}]


def test_labels_keep_their_names_and_gaps() -> None:
    frame = {"x": [1.0, 2.0, 3.0, 4.0], "seg": ["b", None, "a", "b"]}
    found = from_labels(frame, "seg")
    assert found.sizes == {"a": 1, "b": 2}
    assert found.features == ["x"]
    numbers = from_labels(frame, [7, -1, 7, 9], names=["seven", "nine"])
    assert numbers.sizes == {"seven": 2, "nine": 1}
    with pytest.raises(DataError, match="found 2 labels, but df has 4 rows"):
        from_labels(frame, [1, 2])
    with pytest.raises(DataError, match="names: found 'c', but the labels are"):
        from_labels(frame, "seg", names={"c": "x"})


@pytest.mark.parametrize(
    "tamper",
    [
        lambda content: content["origin"]["rules"]["rules"][0].update(segment=99),
        lambda content: content["origin"]["rules"].update(default=7),
        lambda content: content.update(base=99),
        lambda content: content["steps"].append({"move": {"all": [], "to": 40}}),
        lambda content: content["history"].append({"action": "magic"}),
        lambda content: content["weights"].__setitem__(0, -1.0),
        lambda content: content["checks"]["rules"]["columns"].pop(),
        lambda content: content["texts"].pop(),
    ],
)
def test_tampered_file_is_refused_or_harmless(origins: Any, tamper: Any) -> None:
    document = json.loads(origins["rules"].to_json())
    tamper(document["content"])
    try:
        read = ilk.Segmentation.from_json(json.dumps(document))
    except ModelFileError:
        return
    read.explain()


def test_a_million_customers_are_all_in_a_segment() -> None:
    n = 1_000_000
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({"age": rng.integers(18, 90, n), "spend": rng.exponential(50, n)})
    rules: dict[str, Any] = {
        f"{low}": {"age": (low, low + 12), "spend": {"at_least": 1}} for low in range(18, 90, 12)
    }
    found = from_rules(frame, rules, default="rest")
    assert sum(found.sizes.values()) == n
    assert found.predict(frame).equals(found.labels)


def test_labels_are_names_in_every_kind_of_frame() -> None:
    rules: dict[str, Any] = {"low": {"x": (0, 2)}, "high": {"x": (5, None)}}
    for make in (pd.DataFrame, pl.DataFrame, dict):
        found = from_rules(make({"x": [1, 9, 3, 6]}), rules)
        names = [None if name != name else name for name in list(found.labels)]
        assert names == ["low", "high", None, "high"]


def test_money_by_effort_has_four_behaviours() -> None:
    """S3-B2C-02: quadrants of money by ease of earning, their behaviours, cut points and ties."""
    frame = pd.DataFrame(
        {"income": [90, 80, 20, 10, np.nan, 80], "hours": [10, 60, 20, 70, 30, 60]}
    )
    found = grid_segment(frame, money="income", effort="hours", cuts=[80, 60])
    assert list(found.labels.astype(object).fillna("none")) == [
        "Much money, easily earned",
        "Much money, hard earned",
        "Little money, can earn",
        "Little money, cannot earn",
        "none",
        "Much money, hard earned",
    ]
    assert "cost justified" in found.texts["Much money, hard earned"]
    cuts = found.check("cuts")
    assert cuts["at_cut"].tolist() == [2, 2]
    assert cuts["cut"].tolist() == ["80", "60"]
    assert found.manifest["left_out"] == [{"reason": "no rule holds", "rows": 1}]
    table = found.check("grid").set_index(["money", "ease"])
    assert table.loc[("high", "low"), "n"] == 2
    # By hand: of 5, three are rich and three earn hard, so that 1.8 of both are expected.
    assert table.loc[("high", "low"), "expected"] == pytest.approx(1.8)
    assert found.check("association")["n"].tolist() == [5]
    picture = found.plot("grid").get_label()
    for name in found.names:
        assert name in picture
    easier = grid_segment(
        frame.assign(ease=-frame["hours"]), money="income", ease="ease", cuts=[80, -59]
    )
    assert easier.labels.astype(object).equals(found.labels.astype(object))


def test_default_cuts_are_weighted_medians_and_ordered_categories_have_a_side() -> None:
    frame = pd.DataFrame({"money": [1.0, 2.0, 3.0, 9.0], "w": [1, 1, 1, 9]})
    frame["ease"] = pd.Categorical(
        ["low", "mid", "high", "mid"], ["low", "mid", "high"], ordered=True
    )
    with pytest.warns(DataWarning, match='"Much money, hard earned" has no customer'):
        plain = grid_segment(frame, money="money", ease="ease", features=["money"])
    assert plain.check("cuts")["cut"].tolist() == ["2.5", "mid"]
    with pytest.warns(DataWarning, match='"Much money, hard earned" has no customer'):
        weighted = grid_segment(frame, money="money", ease="ease", weights="w", features=["money"])
    assert weighted.check("cuts")["cut"].tolist() == ["9", "mid"]
    with pytest.raises(DataError, match="nobody below low"):
        grid_segment(frame, money="money", ease="ease", cuts={"ease": "low"})
    with pytest.raises(DataError, match="found both"):
        grid_segment(frame, money="money", ease="ease", effort="w")
    with pytest.raises(DataError, match="found nominal values"):
        grid_segment(frame.assign(c=["a", "b", "a", "b"]), money="money", ease="c")


def test_life_stages_have_expected_drivers() -> None:
    """S3-LIFE-01: students, young professionals, families, pensioners, with what drives them."""
    frame = pd.DataFrame(
        {
            "age": [20, 30, 41, 70, 50, 67],
            "household": ["single", "single", "with children", "couple", "couple", "no children"],
            "employment": ["student", "employed", "employed", "retired", "employed", None],
        }
    )
    columns = {"age": "age", "household": "household", "employment": "employment"}
    found = life_stage_segment(frame, **columns)
    names = ["Students", "Young professionals", "Families", "Pensioners", "none", "Pensioners"]
    assert list(found.labels.astype(object).fillna("none")) == names
    assert found.texts["Students"] == "affordable price"
    assert found.texts["Pensioners"] == "simplicity and support"
    assert life_stage_rules(frame, **columns)["family"] == [{"household": ["with children"]}]
    own = life_stage_segment(
        frame, rules={"family": {"age": (40, 60)}, "pensioner": {"age": (60, None)}}
    )
    assert own.sizes == {"Families": 2, "Pensioners": 2}
    with pytest.raises(DataError, match="none says student or retired"):
        life_stage_segment(frame.assign(employment="x"), **columns)
    with pytest.raises(DataError, match="did you mean 'family'"):
        life_stage_segment(frame, rules={"famly": {"age": (40, 60)}})


def test_driver_by_stage_is_tested() -> None:
    """S3-LIFE-01: test of driver by stage with adjusted residuals."""
    n = 60
    frame = pd.DataFrame({"age": [20] * n + [30] * n + [70] * n})
    likely = ["affordable price"] * n + ["convenience and functionality"] * n
    frame["driver"] = likely + ["simplicity and support"] * n
    found = life_stage_segment(frame, age="age", driver="driver")
    drivers = found.check("drivers")
    expected = drivers[drivers["is_expected"]]
    assert len(expected) == 3
    assert (expected["share"] == 1).all()
    assert (expected["residual"] > 2).all()
    assert found.check("driver_test")["p"][0] < 1e-6
    assert found.check("driver_test")["cramer_v"][0] == pytest.approx(1)


def test_motives_are_scored_and_ties_are_stated() -> None:
    """S3-MOT-01: functional, emotional, social; extensible to the five of Sheth, Newman and Gross."""
    frame = pd.DataFrame(
        {
            "works": [5, 1, 1, 3, np.nan],
            "lasts": [4, 1, 2, 3, np.nan],
            "looks": [1, 5, 1, 3, 5],
            "shows": [1, 1, 5, 1, 1],
            "brand": ["pixel", "nothing", "iphone", "pixel", "nothing"],
        }
    )
    items = {"works": "functional", "lasts": "Functional", "looks": "emotional", "shows": "social"}
    found = motives(frame, items, by="brand")
    assert list(found.labels[:4]) == ["Functional", "Emotional", "Social", "Mixed"]
    assert found.codes[4] == -1
    assert found.manifest["left_out"] == [{"reason": "a score has no item with a value", "rows": 1}]
    assert found.scores["Functional"][:4].tolist() == [4.5, 1, 1.5, 3]
    by = found.check("by").set_index(["group", "motive"])
    assert by.loc[("iphone", "Social"), "share"] == 1
    assert by.loc[("pixel", "Functional"), "share"] == 0.5
    none = motives(frame, items, ties="none")
    assert none.k == 3
    assert none.manifest["left_out"][1] == {
        "reason": "the two highest scores are equal",
        "rows": 1,
    }
    five = motives(frame, {"works": "functional", "looks": "epistemic"})
    assert "Epistemic" in five.names
    with pytest.raises(DataError, match=r"(?i)did you mean 'social'"):
        motives(frame, {"works": "functional", "shows": "socail"})
    with pytest.raises(DataError, match="items of 1 motive"):
        motives(frame, {"works": "functional"})
    with pytest.warns(DataWarning, match="different scales"):
        motives(frame.assign(shows=frame["shows"] * 20), items)


def test_firms_are_sized_as_the_commission_says() -> None:
    """Staff and turnover decide together; where the turnover is missing the staff does."""
    frame = pd.DataFrame(
        {
            "staff": [5, 5, 5, 120, 300, np.nan],
            "turnover": [1e6, 5e6, np.nan, 60e6, 1e6, 1e6],
            "level": [1, 2, 1, 3, 5, 1],
        }
    )
    found = firm_segment(frame, employees="staff", revenue="turnover")
    names = ["Micro", "Small", "Micro", "Large", "Large", "none"]
    assert list(found.labels.astype(object).fillna("none")) == names
    assert "bureaucracy" in found.texts["Large"]
    both = firm_segment(frame, employees="staff", maturity="level")
    assert "Micro, Initial" in both.names
    assert set(both.sizes.values()) <= {1, 2}
    assert both.check("association")["n"].tolist() == [5]
    with pytest.raises(DataError, match="row 0: found -1"):
        firm_segment({"staff": [-1, 4]}, employees="staff")
    with pytest.raises(DataError, match="found 9, but the levels are"):
        firm_segment({"staff": [1, 4], "level": [1, 9]}, employees="staff", maturity="level")


def test_rfm_segments_are_those_of_the_result() -> None:
    rng = np.random.default_rng(0)
    orders = pd.DataFrame(
        {
            "who": rng.integers(0, 300, 3000),
            "when": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 360, 3000), "D"),
            "paid": rng.exponential(20, 3000),
        }
    )
    result = ilk.rfm(orders, customer="who", date="when", value="paid", definition="marketing")
    found = rfm_segment(result)
    labels = found.labels.astype(object)
    assert labels.tolist() == result.table["segment"].tolist()
    assert found.predict(result.table).tolist() == labels.tolist()
    with pytest.raises(DataError, match="which has no scores"):
        rfm_segment(ilk.rfm(orders, customer="who", date="when"))
    with pytest.raises(DataError, match="found no name for the scores"):
        rfm_segment(result, {"best": ((5, 5), (5, 5))})


def test_three_to_five_criteria_make_cells(customers: Any) -> None:
    """S5-CRIT-01, S5-FRAME-01: cells of three to five criteria, sparse ones reported."""
    found = criteria_segment(
        customers, {"region": None, "visits_per_month": 8, "income": [30_000, 60_000]}, min_cell=20
    )
    cells = found.check("cells")
    assert cells["n"].sum() == sum(found.sizes.values())
    assert found.k == (cells["n"] > 0).sum()
    assert (cells["sparse"] == ((cells["n"] > 0) & (cells["n"] < 20))).all()
    one = customers[
        (customers["region"] == customers["region"].iloc[0])
        & (customers["visits_per_month"] < 8)
        & (customers["income"] >= 60_000)
    ]
    region = customers["region"].iloc[0]
    name = f"region {region} · visits_per_month below 8 · income from 60000"
    assert found.sizes.get(name, 0) == len(one)
    assert len(found.check("redundancy")) == 3
    assert (found.check("inflation")["inflation"] >= 1).all()
    assert found.predict(customers).tolist() == found.labels.tolist()


@pytest.mark.parametrize("n", [2, 6])
def test_two_or_six_criteria_are_refused(customers: Any, n: int) -> None:
    """S5-CRIT-01: three to five."""
    columns = ["age", "income", "channel", "region", "household", "basket_value"][:n]
    with pytest.raises(DataError, match=f"criteria: found {n}, but 3 to 5 are needed"):
        criteria_segment(customers, columns)


def test_redundant_criteria_are_refused(customers: Any) -> None:
    """S5-CRIT-01: unique criteria."""
    twice = customers.assign(
        age_months=customers["age"] * 12, land=customers["region"].astype(str) + "!"
    )
    with pytest.raises(
        DataError, match=r"'age' and 'age_months', which say nearly the same: Cramér's V is 1.00"
    ):
        criteria_segment(twice, ["age", "age_months", "channel"])
    with pytest.raises(DataError, match="'age', which the others give away"):
        criteria_segment(twice, ["age", "age_months", "channel"], max_association=None)
    with pytest.raises(DataError, match="'region' and 'land'"):
        criteria_segment(twice, ["region", "land", "age"])
    kept = criteria_segment(
        twice, ["region", "land", "age"], max_association=None, max_inflation=None, min_cell=1
    )
    assert kept.check("redundancy")["cramer_v"][0] == pytest.approx(1)
    with pytest.raises(DataError, match="must tell customers apart"):
        criteria_segment(customers.assign(one=1), {"one": 0, "age": None, "channel": None})
    with pytest.raises(DataError, match="ascending numbers"):
        criteria_segment(customers, {"age": [50, 20], "income": None, "channel": None})
    with pytest.raises(DataError, match="'fax' in 'far'"):
        criteria_segment(customers, {"channel": {"far": ["fax"]}, "income": None, "age": None})


def test_every_activity_has_segments_of_its_own(customers: Any) -> None:
    """S2-SEG-03, S2-SEG-04: finer segments inside each macro segment, labels macro/segment."""
    found = nested(
        customers,
        "channel",
        {"web": 3, "store": 2, "post": 1, "referral": 1},
        ["age", "basket_value"],
        random_state=0,
    )
    assert [name.split("/")[0] for name in found.names] == [
        "post",
        "referral",
        "store",
        "store",
        "web",
        "web",
        "web",
    ]
    channel = found.labels.astype(str).str.split("/").str[0]
    assert (channel == customers["channel"].astype(str)).all()
    # Each part is what segmenting its customers alone gives.
    web = customers[customers["channel"] == "web"]
    alone = ilk.segment(web, ["age", "basket_value"], k=3, random_state=0)
    assert found.parts["web"].codes.tolist() == alone.codes.tolist()
    covered = check_activities(found, "channel")
    assert {name: len(names) for name, names in covered.items()} == {
        "post": 1,
        "referral": 1,
        "store": 2,
        "web": 3,
    }
    with pytest.raises(DataError, match='no number for "referral", but every activity'):
        nested(customers, "channel", {"web": 3, "store": 2, "post": 1}, ["age"])
    with pytest.raises(DataError, match='a number for "fax"'):
        nested(customers, "channel", {"fax": 3}, ["age"])
    with pytest.raises(DataError, match='k=5 in "post"'):
        nested(customers.groupby("channel", observed=True).head(3), "channel", 5, ["age"])


def test_unknown_macro_segment_is_warned_of_and_has_no_segment(customers: Any) -> None:
    found = nested(customers, "channel", 2, ["age"], random_state=0)
    new = customers.head(4).assign(channel=["web", "fax", None, "store"])
    with pytest.warns(DataWarning, match="'channel': 1 rows hold a category"):
        labels = found.predict(new)
    assert labels.isna().tolist() == [False, True, True, False]


def test_few_customers_of_an_activity_are_one_segment() -> None:
    frame = pd.DataFrame({"x": np.arange(43.0), "activity": ["read"] * 40 + ["advertise"] * 3})
    with pytest.warns(DataWarning, match='in "advertise": one segment, since there are only 3'):
        found = nested(frame, "activity", features=["x"], random_state=0, k_max=3)
    assert found.names[0] == "advertise/segment 1"
    assert found.sizes["advertise/segment 1"] == 3


def test_activity_without_a_segment_is_named() -> None:
    """S2-SEG-03: the error names the activity without a segment."""
    frame = {
        "activity": ["read", "read", "advertise"],
        "one": ["a", "a", "a"],
        "two": ["a", "b", "b"],
    }
    with pytest.raises(DataError, match="found 1 segments of 2 activities"):
        check_activities("one", "activity", frame)
    frame["two"] = ["a", "b", "c"]
    with pytest.raises(DataError, match="the activity 'print'"):
        check_activities("two", "activity", frame, activities=["read", "print"])


def test_rules_over_account_and_contact_pick_customers() -> None:
    """S4-PERS-01: a conjunction over firm traits and job position."""
    people = pd.DataFrame(
        {
            "firm": ["x", "x", "y", None],
            "job": ["buyer", "cto", "cto", "cto"],
            "age": [30, 40, 50, 60],
        }
    )
    firms = pl.DataFrame({"firm": ["x", "y"], "employees": [500, 20], "land": ["de", "fr"]})
    rule: dict[str, Any] = {
        "accounts": firms,
        "account_where": {"employees": {"at_least": 250}, "land": "de"},
        "on": "firm",
    }
    assert matches(people, {"job": "cto"}, **rule).tolist() == [False, True, False, False]
    picked = select_customers(people, sort=["-job", "age"])
    assert picked["age"].tolist() == [40, 50, 60, 30]
    assert isinstance(
        select_customers(pl.from_pandas(people), {"job": "cto"}, **rule), pl.DataFrame
    )
    with pytest.raises(DataError, match="each account is one row"):
        matches(people, {}, accounts={"firm": ["x", "x"]}, on="firm")
    with pytest.raises(DataError, match="accounts: found none"):
        matches(people, {}, account_where={"employees": 1})
    with pytest.raises(MissingColumnError, match="salary"):
        select_customers(people, sort="salary")


def test_same_rules_give_the_same_file_for_any_number_of_threads(customers: Any) -> None:
    texts = []
    for threads in (1, 2, 8):
        ilk.set_num_threads(threads)
        texts.append(from_rules(customers, RULES, default="others").to_json())
    assert texts[0] == texts[1] == texts[2]


@pytest.mark.parametrize("ages", [[], [np.nan, np.nan]])
def test_a_grid_without_values_says_so(ages: list[float]) -> None:
    frame = {"age": np.array(ages, dtype=float), "effort": np.arange(len(ages), dtype=float)}
    with pytest.raises(DataError, match=f"'age'.*found no value in {len(ages)} rows"):
        grid_segment(frame, money="age", effort="effort")

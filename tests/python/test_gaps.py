"""Behaviour of the gap matrix."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import ilk
from ilk.exceptions import DataError, MissingColumnError, ModelFileError
from meals import MEALS, records


@pytest.fixture
def meals():
    return ilk.gap_matrix(records(), rows="household", cols="meal")


def test_every_figure_of_the_meal_table_is_reproduced(meals):
    table = meals.table
    assert isinstance(table, pd.DataFrame)
    assert list(table["household"][:4]) == ["single", "single", "single", "couple"]
    assert list(table["observed"]) == list(MEALS.values())
    np.testing.assert_allclose(table["expected"], [20, 20, 40, 25, 25, 50, 30, 30, 60], rtol=1e-12)
    residuals = [
        6.030227,
        -3.015113,
        -2.611165,
        -1.414214,
        1.414214,
        0,
        -4.082483,
        1.360828,
        2.357023,
    ]
    np.testing.assert_allclose(table["residual"], residuals, atol=1e-6)
    np.testing.assert_allclose(
        table["index"], [2, 0.5, 0.75, 0.8, 1.2, 1, 0.5, 7 / 6, 7 / 6], rtol=1e-12
    )
    assert meals.chi2 == pytest.approx(39.5, abs=1e-12)
    assert meals.dof == 4
    assert meals.p_value == pytest.approx(np.exp(-19.75) * 20.75, rel=1e-10)


def test_p_and_chi2_agree_with_scipy(meals):
    stats = pytest.importorskip("scipy.stats")
    table = meals.table
    np.testing.assert_allclose(table["p"], 2 * stats.norm.sf(np.abs(table["residual"])), rtol=1e-10)
    np.testing.assert_allclose(table["q"], stats.false_discovery_control(table["p"]), rtol=1e-12)
    wide = meals.matrix("observed").to_numpy()
    assert meals.chi2 == pytest.approx(stats.chi2_contingency(wide, correction=False).statistic)


def test_status_follows_q_and_the_side(meals):
    table = meals.table
    for _, cell in table.iterrows():
        if cell["q"] > 0.05:
            assert cell["status"] == "served"
        else:
            assert cell["status"] == ("gap" if cell["observed"] < cell["expected"] else "saturated")
        assert cell["index_lo"] < cell["index"] < cell["index_hi"]
        assert cell["gap_value_lo"] < cell["gap_value"] < cell["gap_value_hi"]
        assert cell["gap_value"] == pytest.approx(cell["expected"] - cell["observed"])


def test_gaps_are_ranked_by_worth_and_worded(meals):
    gaps = meals.gaps()
    assert list(gaps["gap_value"]) == sorted(gaps["gap_value"], reverse=True)
    assert list(gaps["rank"]) == [1, 2, 3]
    assert gaps["sentence"][0] == (
        "household family, meal breakfast: the number of records is 15 instead of the 30 expected "
        "from the totals of family and breakfast, 50 % less (95 % interval: 24 % to 67 % less). "
        "It counts as a gap because q = 0.0002 (at most 0.05 is needed); closing it is worth 15 records."
    )
    assert len(meals.gaps(1)) == 1
    assert len(meals.gaps(0)) == 0
    with pytest.raises(DataError, match="top: found -1"):
        meals.gaps(-1)


def test_no_gap_gives_an_empty_list():
    flat = {(row, col): 20 for row in "ab" for col in "xy"}
    gaps = ilk.gap_matrix(records(flat), rows="household", cols="meal")
    assert len(gaps.gaps()) == 0
    assert "does not depart" in gaps.explain()


def test_explanation_states_every_threshold(meals):
    text = meals.explain()
    for part in (
        "q is at most 0.05",
        "fewer than 5 records",
        "chi-squared 39.5",
        "300 of 300 rows",
    ):
        assert part in text


def test_wide_view_has_the_shape_of_the_matrix(meals):
    wide = meals.matrix("index")
    assert list(wide.index) == ["single", "couple", "family"]
    assert list(wide.columns) == ["breakfast", "lunch", "dinner"]
    assert wide.loc["family", "breakfast"] == 0.5
    assert meals.matrix("status").loc["single", "lunch"] == "gap"
    assert meals.matrix("n").to_numpy().sum() == 300
    with pytest.raises(DataError, match='what: found "nonsense", but one of n, observed'):
        meals.matrix("nonsense")


def test_every_container_gives_the_same_matrix():
    frame = records()
    frame["spend"] = np.random.default_rng(0).exponential(size=len(frame))
    text = frame.astype({"household": str, "meal": str})
    arguments = {"rows": "household", "cols": "meal", "values": "spend"}
    first = ilk.gap_matrix(text, **arguments)
    polars = ilk.gap_matrix(pl.DataFrame(text), **arguments)
    assert isinstance(polars.table, pl.DataFrame)
    assert isinstance(polars.gaps(), pl.DataFrame)
    assert polars.matrix().columns[0] == "household"
    plain = ilk.gap_matrix({name: text[name].to_list() for name in text}, **arguments)
    lazy = ilk.gap_matrix(pl.DataFrame(text).lazy(), **arguments)
    for other in (polars, plain, lazy):
        assert other.to_json() == first.to_json()


def test_unit_values_give_what_counting_gives(meals):
    frame = records().assign(one=1)
    weighed = ilk.gap_matrix(frame, rows="household", cols="meal", values="one")
    for column in ("expected", "residual", "index_lo", "index_hi", "p", "q", "gap_value_hi"):
        np.testing.assert_allclose(
            weighed.table[column], meals.table[column], rtol=1e-11, atol=1e-12
        )
    assert weighed.chi2 == pytest.approx(meals.chi2, rel=1e-12)


def test_unequal_values_widen_the_interval(meals):
    rng = np.random.default_rng(1)
    frame = records().assign(spend=rng.lognormal(sigma=1.5, size=300))
    weighed = ilk.gap_matrix(frame, rows="household", cols="meal", values="spend")
    width = np.log(weighed.table["index_hi"] / weighed.table["index_lo"])
    assert (width > np.log(meals.table["index_hi"] / meals.table["index_lo"])).all()
    assert "worth" in weighed.explain()
    assert "discount" in weighed.explain()


def test_missing_entries_are_left_out_and_counted():
    frame = records().assign(spend=1.0)
    frame.loc[0, "household"] = None
    frame.loc[[1, 2], "meal"] = None
    frame.loc[[3, 4, 5], "spend"] = np.nan
    gaps = ilk.gap_matrix(frame, rows="household", cols="meal", values="spend")
    assert gaps.manifest["rows_used"] == 294
    assert gaps.manifest["left_out"] == [
        {"reason": '"household" is missing', "rows": 1},
        {"reason": '"meal" is missing', "rows": 2},
        {"reason": '"spend" is missing', "rows": 3},
    ]
    assert gaps.table["n"].sum() == 294
    assert "3 left out" in repr(gaps)


@pytest.mark.parametrize("n_others", [0, 20, 900, 3_000])
@pytest.mark.parametrize("words", [["lunch", "breakfast"], ["é" * 5, "", "x" * 13, "x" * 30]])
@pytest.mark.parametrize("null", [0.0, 0.1])
def test_categories_of_polars_count_as_their_names_do_whoever_shares_their_table(
    n_others, words, null
):
    rng = np.random.default_rng(n_others)
    n = 200_000
    shared = pl.Categories(f"shared by {n_others} and {len(words)} {null}")
    drawn = pl.Series("meal", words)[rng.integers(len(words), size=n)].to_list()
    text = pl.DataFrame(
        {
            "meal": [
                None if gone else word
                for word, gone in zip(drawn, rng.random(n) < null, strict=True)
            ],
            "kind": rng.integers(4, size=n).astype(str),
            "money": rng.lognormal(size=n),
        }
    )
    others = pl.Series([f"other {k}" for k in range(n_others)], dtype=pl.Categorical(shared))
    coded = text.with_columns(pl.col("meal", "kind").cast(pl.Categorical(shared)))
    coded = pl.concat([coded[: n // 3], coded[n // 3 :]], rechunk=False)
    for values in (None, "money"):
        by_name, by_code = (
            ilk.gap_matrix(frame, rows="meal", cols="kind", values=values).to_polars()
            for frame in (text, coded)
        )
        assert_frame_equal(by_code, by_name)
    nothing = coded.with_columns(meal=pl.lit(None, dtype=pl.Categorical(shared)))
    with pytest.raises(DataError, match='"meal" is missing'):
        ilk.gap_matrix(nothing, rows="meal", cols="kind")
    assert len(others) == n_others


def test_unused_ordered_categories_stay_and_are_empty():
    counts = {**MEALS, ("widowed", "breakfast"): 0}
    table = ilk.gap_matrix(records(counts), rows="household", cols="meal").table
    widowed = table[table["household"] == "widowed"]
    assert set(widowed["status"]) == {"empty"}
    assert widowed["index"].isna().all()
    text = records(counts).astype(str)
    assert "widowed" not in set(
        ilk.gap_matrix(text, rows="household", cols="meal").table["household"]
    )


def test_structural_zeros_are_not_applicable_and_totals_hold():
    counts = {**MEALS, ("single", "lunch"): 0}
    gaps = ilk.gap_matrix(
        records(counts), rows="household", cols="meal", structural_zeros=[("single", "lunch")]
    )
    table = gaps.table
    assert gaps.dof == 3
    assert table["status"][1] == "not applicable"
    assert table.loc[1, ["expected", "index", "p", "gap_value"]].isna().all()
    totals = table.groupby("household")[["observed", "expected"]].sum()
    np.testing.assert_allclose(totals["observed"], totals["expected"], rtol=1e-10)


def test_structural_zeros_have_the_names_of_the_categories():
    frame = pd.DataFrame(
        {"size": [1, 1, 2, 2, 3] * 30, "weekend": [True, False, True, False, False] * 30}
    )
    gaps = ilk.gap_matrix(frame, rows="size", cols="weekend", structural_zeros=[(3, True)])
    assert gaps.table["status"].to_list()[-1] == "not applicable"


@pytest.mark.parametrize(
    "supply",
    [
        {"breakfast": 2, "lunch": 1, "dinner": 1},
        pd.Series({"breakfast": 2, "lunch": 1, "dinner": 1}),
        pd.DataFrame({"meal": ["breakfast", "lunch", "dinner"], "products": [2, 1, 1]}),
        pl.DataFrame({"products": [20, 10, 10], "meal": ["breakfast", "lunch", "dinner"]}),
        {
            (household, meal): amount
            for household in ("single", "couple", "family")
            for meal, amount in (("breakfast", 200), ("lunch", 100), ("dinner", 100))
        },
    ],
)
def test_supply_turns_unmet_demand_into_the_gap(supply):
    gaps = ilk.gap_matrix(records(), rows="household", cols="meal", supply=supply)
    table = gaps.table
    np.testing.assert_allclose(table["expected"], [40, 20, 20, 50, 25, 25, 60, 30, 30], rtol=1e-12)
    np.testing.assert_allclose(
        table["gap_value"], table["observed"] - table["expected"], atol=1e-12
    )
    assert table["status"].to_list()[8] == "gap"
    assert gaps.gaps(1)["sentence"][0].startswith(
        "household family, meal dinner: the number of records is 70 instead of the 30 expected from "
        "dinner's share of the supply for family, 133 % more"
    )
    assert "demand is above the share of supply" in gaps.explain()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rows": "houshold"}, 'column "houshold" not found.*did you mean "household"'),
        ({"cols": "household"}, "must be different columns"),
        ({"values": "meal"}, "must be different columns|a number is needed"),
        ({"confidence": 1.5}, "confidence: found 1.5.*try: confidence=0.95"),
        ({"min_count": -1}, "min_count: found -1"),
        ({"structural_zeros": [("single", "brunch")]}, 'structural_zeros: found "brunch"'),
        ({"structural_zeros": [("single", "lunch")]}, "which has 10 records"),
        ({"structural_zeros": ["ab"]}, "structural_zeros: found 'ab'"),
        ({"structural_zeros": [3]}, "structural_zeros: found 3, but pairs"),
        ({"supply": {"breakfast": -1}}, 'supply: found -1 for "breakfast"'),
        ({"supply": {}}, "supply: found no rows"),
        ({"supply": pd.DataFrame({"meal": ["dinner"]})}, "one column of amounts"),
        ({"supply": {("single", "lunch"): 1}}, 'nothing for the row "couple"'),
    ],
)
def test_bad_arguments_are_refused(change, message):
    arguments = {"rows": "household", "cols": "meal", **change}
    with pytest.raises((DataError, MissingColumnError, TypeError), match=message):
        ilk.gap_matrix(records(), **arguments)


def test_a_negative_value_names_column_row_and_mend():
    frame = records().assign(spend=1.0)
    frame.loc[[17, 40], "spend"] = -3.5
    with pytest.raises(
        DataError, match=r'column "spend", row 17: found -3.5.*df\[df\["spend"\] >= 0\]'
    ):
        ilk.gap_matrix(frame, rows="household", cols="meal", values="spend")


def test_too_little_data_is_refused():
    with pytest.raises(DataError, match="needs at least 1 rows, but there are 0"):
        ilk.gap_matrix(records()[:0], rows="household", cols="meal")
    with pytest.raises(DataError, match="cols: found 1 category with records"):
        ilk.gap_matrix(records()[:80], rows="meal", cols="household")


def test_a_column_named_like_a_figure_is_refused():
    with pytest.raises(DataError, match=r'rename\(columns=\{"status": "status_"\}\)'):
        ilk.gap_matrix(records(rows="status"), rows="status", cols="meal")


def test_saving_and_pickling_bring_everything_back(meals, tmp_path):
    path = tmp_path / "gaps.json"
    meals.to_json(path)
    for back in (ilk.GapMatrix.from_json(path), pickle.loads(pickle.dumps(meals))):
        assert back.to_json() == meals.to_json()
        pd.testing.assert_frame_equal(back.table, meals.table)
    with pytest.raises(ModelFileError):
        ilk.GapMatrix.from_json(meals.to_json().replace('"lunch",', ""))


def test_text_from_data_stays_text():
    script = "<script>alert(1)</script>"
    counts = {(row if row != "family" else script, col): n for (row, col), n in MEALS.items()}
    html = ilk.gap_matrix(
        records(counts, cols="<b>meal"), rows="household", cols="<b>meal"
    )._repr_html_()
    assert "<script>" not in html
    assert "<b>" not in html
    assert "&lt;script&gt;" in html


def test_hostile_names_survive_the_plot():
    pytest.importorskip("matplotlib").use("Agg")
    counts = {(f"{row}$_{{", col): n for (row, col), n in MEALS.items()}
    axes = ilk.gap_matrix(records(counts), rows="household", cols="meal").plot()
    axes.get_figure().canvas.draw()


def test_heatmap_shows_the_signed_number_in_every_cell(meals):
    pytest.importorskip("matplotlib").use("Agg")
    from matplotlib import pyplot as plt

    axes = meals.plot()
    texts = [text.get_text() for text in axes.texts]
    assert texts == ["+6.0", "−3.0", "−2.6", "−1.4", "+1.4", "0.0", "−4.1", "+1.4", "+2.4"]
    weights = [text.get_fontweight() for text in axes.texts]
    assert [weight == "bold" for weight in weights] == list(meals.table["status"] != "served")
    description = axes.get_label()
    assert "family: breakfast −4.1 (gap)" in description
    assert meals.plot(what="difference").texts[0].get_text() == "+100 %"
    assert meals.plot(what="gap_value").texts[0].get_text() == "−20"
    _, own = plt.subplots()
    assert meals.plot(ax=own) is own
    with pytest.raises(DataError, match="what: found 'colour'"):
        meals.plot(what="colour")
    with pytest.raises(DataError, match="kind: found 'pie'"):
        meals.plot("pie")
    plt.close("all")


@pytest.mark.realdata
def test_households_by_department_of_real_purchases(realdata):
    lines = pd.read_csv(realdata / "cj_transactions_250hh.csv.gz")
    lines = lines[lines["sales_value"] >= 0]
    people = pd.read_csv(realdata / "cj_demographics.csv")
    products = pd.read_csv(realdata / "cj_products.csv.gz")
    merged = lines.merge(people, on="household_id").merge(products, on="product_id")
    gaps = ilk.gap_matrix(merged, rows="household_comp", cols="department", values="sales_value")
    table = gaps.table
    np.testing.assert_allclose(
        table["observed"].sum(),
        merged.dropna(subset=["department"])["sales_value"].sum(),
        rtol=1e-12,
    )
    np.testing.assert_allclose(table["expected"].sum(), table["observed"].sum(), rtol=1e-12)
    assert {"gap", "saturated", "served", "too few"} <= set(table["status"])
    assert len(gaps.gaps(5)) == 5


def test_rows_of_one_customer_are_not_taken_for_independent():
    once = records().assign(customer=np.arange(300))
    twice = pd.concat([once, once], ignore_index=True)
    arguments = {"rows": "household", "cols": "meal"}
    single = ilk.gap_matrix(once, **arguments)
    naive = ilk.gap_matrix(twice, **arguments)
    honest = ilk.gap_matrix(twice, customer="customer", **arguments)
    np.testing.assert_allclose(naive.table["residual"], np.sqrt(2) * single.table["residual"])
    np.testing.assert_allclose(honest.table["residual"], single.table["residual"], rtol=0.005)
    assert honest.chi2 == pytest.approx(single.chi2, rel=0.01)
    assert "Records of one customer go together" in honest.explain()
    assert honest.manifest["settings"]["customer"] == "customer"
    back = ilk.GapMatrix.from_json(honest.to_json())
    assert back.explain() == honest.explain()


def test_records_that_all_lack_a_category_are_said_to() -> None:
    frame = {"household": ["single", "couple"], "daypart": [None, None]}
    with pytest.raises(
        DataError, match='found 2 rows, all left out: "daypart" is missing'
    ) as error:
        ilk.gap_matrix(frame, rows="household", cols="daypart")
    assert "at least one complete row is needed" in str(error.value)

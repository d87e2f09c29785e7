"""Behaviour of the scorecard."""

from __future__ import annotations

import pickle

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pytest

import ilk
from ilk.exceptions import DataError, DataWarning, MissingColumnError, ModelFileError

TOTALS = {
    "segment": ["A", "B", "C", "D"],
    "revenue": [500_000, 300_000, 150_000, 50_000],
    "cost": [200_000, 180_000, 30_000, 40_000],
    "spend": [80_000, 60_000, 15_000, 20_000],
    "manage": [60_000, 40_000, 15_000, 15_000],
    "churn": [0.2, 0.1, 0.3, 0.5],
    "customers": [200, 60, 150, 10],
    "new": [40, 20, 30, 4],
}
TOTAL_ROLES = {
    "segment": "segment",
    "revenue": "revenue",
    "cost": "cost",
    "acquisition_cost": "spend",
    "management_cost": "manage",
    "churn": "churn",
    "n_customers": "customers",
    "n_new": "new",
}
ROLES = {
    "segment": "segment",
    "revenue": "revenue",
    "cost": "cost",
    "acquisition_cost": "spend",
    "management_cost": "manage",
    "first_contact": "contact",
    "first_sale": "sale",
    "lost": "lost",
    "churn": "left",
}
FIGURES = [
    "revenue_share",
    "gross_margin",
    "days_to_sale",
    "cac",
    "cost_to_manage",
    "contribution",
    "payback_months",
    "ltv",
    "ltv_cac",
]


def customers(n=400, seed=0):
    """Customers and leads with every column."""
    rng = np.random.default_rng(seed)
    contact = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, n), "D")
    end = contact + pd.to_timedelta(rng.exponential(60, n).astype(int), "D")
    is_won = (rng.random(n) < 0.6) & (end <= "2024-12-31")
    is_lost = ~is_won & (end <= "2024-12-31")
    revenue = rng.lognormal(6, 1, n).round(2)
    return pd.DataFrame(
        {
            "customer": [f"c{row}" for row in range(n)],
            "segment": rng.choice(["A", "B", "C"], n, p=[0.5, 0.3, 0.2]),
            "revenue": np.where(is_won, revenue, np.nan),
            "cost": np.where(is_won, revenue * 0.6, np.nan),
            "spend": rng.exponential(60, n).round(2),
            "manage": np.where(is_won, 20.0, np.nan),
            "contact": contact,
            "sale": pd.Series(end).where(is_won),
            "lost": pd.Series(end).where(is_lost),
            "left": rng.random(n) < 0.2,
        }
    )


@pytest.fixture
def totals():
    return ilk.segment_scorecard(TOTALS, **TOTAL_ROLES)


@pytest.fixture(scope="module")
def card():
    return ilk.segment_scorecard(customers(), **ROLES, n_boot=200, random_state=1)


def test_every_figure_of_the_reference_is_reproduced(totals):
    table = totals.to_dict()
    expected = {
        "n": [200, 60, 150, 10],
        "revenue_share": [0.5, 0.3, 0.15, 0.05],
        "gross_margin": [0.6, 0.4, 0.8, 0.2],
        "cac": [2000, 3000, 500, 5000],
        "cost_to_manage": [300, 666.67, 100, 1500],
        "contribution": [1200, 1333.33, 700, -500],
        "payback_months": [20, 27, 8.5714, np.inf],
        "ltv": [6000, 13333.33, 2333.33, -1000],
        "ltv_cac": [3, 4.44444, 4.66667, -0.2],
        "profit": [160_000, 20_000, 90_000, -25_000],
        "cumulative_share": [0.5, 0.8, 0.95, 1],
    }
    for name, figures in expected.items():
        np.testing.assert_allclose(table[name], figures, rtol=1e-5, err_msg=name)
    np.testing.assert_allclose(table["ltv_advance"][:3], [4400, 7333.33, 1925], rtol=1e-6)
    np.testing.assert_allclose(table["ltv_arrears"][:3], [3200, 6000, 1225], rtol=1e-6)
    assert totals.hhi[0] == pytest.approx(0.365)
    assert totals.total["gross_margin"][0] == pytest.approx(0.55)
    assert totals.total["cac"][0] == pytest.approx(1861.70, abs=0.005)


@pytest.mark.parametrize(
    ("by", "order"), [("revenue", "ABC"), ("profit", "ACB"), ("ltv_cac", "CBA")]
)
def test_the_first_three_of_the_reference(totals, by, order):
    assert "".join(totals.rank(top=3, by=by).to_dict()["segment"][:3]) == order


def test_totals_have_no_intervals_and_say_why(totals):
    assert np.isnan(totals.to_dict()["cac_lo"]).all()
    assert "customers cannot be resampled from totals" in totals.manifest["notes"][0]
    assert np.isnan(totals.rank().to_dict()["p_top"]).all()


def test_the_columns_and_their_intervals(card):
    names = list(card.table.columns)
    assert names[:2] == ["segment", "n"]
    for at, name in enumerate(FIGURES):
        assert names[2 + 3 * at : 5 + 3 * at] == [name, f"{name}_lo", f"{name}_hi"]
    table = card.table
    for name in FIGURES:
        assert (table[f"{name}_lo"] <= table[name]).all(), name
        assert (table[name] <= table[f"{name}_hi"]).all(), name


def test_figures_are_those_of_pandas(card):
    data = customers()
    sums = data[data["sale"].notna()].groupby("segment").sum(numeric_only=True)
    n = data[data["sale"].notna()].groupby("segment").size()
    spend = data.groupby("segment")["spend"].sum()  # of leads too
    table = card.table.set_index("segment")
    np.testing.assert_allclose(table["cac"], spend / n)
    np.testing.assert_allclose(table["gross_margin"], 0.4)
    contribution = (sums["revenue"] - sums["cost"] - sums["manage"]) / n
    np.testing.assert_allclose(table["contribution"], contribution)
    np.testing.assert_allclose(table["payback_months"], (spend / n) / (contribution / 12))
    np.testing.assert_allclose(table["ltv"], contribution / (sums["left"] / n))
    assert (table["n_open"] + table["n_lost"] + table["n"]).sum() == len(data)


@pytest.mark.parametrize(
    "container",
    [
        pl.from_pandas,
        lambda df: pl.from_pandas(df).lazy(),
        lambda df: pl.from_pandas(df).to_arrow(),
        lambda df: df.convert_dtypes(),
        lambda df: df.astype({"segment": "category"}),
        lambda df: duckdb.from_arrow(pl.from_pandas(df).to_arrow()),
        lambda df: {name: df[name].to_numpy() for name in df},
    ],
    ids=["polars", "lazy", "arrow", "nullable", "category", "duckdb", "dict"],
)
def test_every_container_gives_the_same_bits(card, container):
    data = customers()
    expected = card.to_dict()
    got = ilk.segment_scorecard(container(data), **ROLES, n_boot=200, random_state=1).to_dict()
    assert got["segment"] == expected["segment"]
    for name in list(expected)[1:]:
        assert got[name].tobytes() == expected[name].tobytes(), name


@pytest.mark.parametrize("threads", [1, 2, 8])
def test_any_number_of_threads_gives_the_same_bits(card, threads):
    ilk.set_num_threads(threads)
    again = ilk.segment_scorecard(customers(), **ROLES, n_boot=200, random_state=1)
    pd.testing.assert_frame_equal(again.table, card.table, check_exact=True)


def test_segments_in_another_order_give_the_same_rows(card):
    data = customers()
    data["segment"] = pd.Categorical(data["segment"], categories=["C", "A", "B"], ordered=True)
    other = ilk.segment_scorecard(data, **ROLES, n_boot=0).table
    assert list(other["segment"]) == ["C", "A", "B"]
    # Only the intervals depend on the order, since customers are drawn segment by segment.
    expected = card.table.set_index("segment").loc[["C", "A", "B"]]
    for name in FIGURES:
        np.testing.assert_array_equal(other[name], expected[name])


def test_order_lines_give_what_their_sums_give():
    data = customers()
    buyers = data[data["revenue"].notna()]
    lines = pd.concat(
        [
            buyers.assign(revenue=buyers["revenue"] * part, cost=buyers["cost"] * part)
            for part in (0.25, 0.75)
        ]
    ).sample(frac=1, random_state=0)[["customer", "revenue", "cost"]]
    roles = {**ROLES, "customer": "customer"}
    got = ilk.segment_scorecard(
        data.drop(columns=["revenue", "cost"]), orders=lines, **roles, n_boot=200, random_state=1
    )
    expected = ilk.segment_scorecard(data, **ROLES, n_boot=200, random_state=1).table
    for name in expected.columns[1:]:
        np.testing.assert_allclose(got.table[name], expected[name], rtol=1e-12, err_msg=name)


def test_lines_that_cannot_be_used_are_left_out_with_a_warning():
    people = {"id": [1, 2], "segment": ["A", "B"]}
    lines = {"id": [1, 1, 2, 9], "money": [10.0, np.nan, 5.0, 100.0]}
    with pytest.warns(DataWarning) as caught:
        card = ilk.segment_scorecard(
            people, segment="segment", revenue="money", orders=lines, customer="id", n_boot=0
        )
    texts = [str(warning.message) for warning in caught]
    assert texts == [
        '1 of 4 order lines are left out, the first in row 3: "id" is not among the customers',
        '1 of 4 order lines are left out, the first in row 1: "money" is missing',
    ]
    assert card.manifest["notes"][:2] == texts
    assert card.to_dict()["revenue"].tolist() == [10.0, 5.0]


def test_rows_without_a_segment_or_an_amount_are_left_out_and_counted():
    data = {"segment": ["A", None, "B", "B"], "money": [1.0, 2.0, np.nan, 4.0]}
    card = ilk.segment_scorecard(data, segment="segment", revenue="money", n_boot=0)
    assert card.manifest["rows"] == 4
    assert card.manifest["rows_used"] == 2
    assert card.manifest["left_out"] == [
        {"reason": '"segment" is missing', "rows": 1},
        {"reason": '"money" is missing', "rows": 1},
    ]
    assert card.to_dict()["revenue"].tolist() == [1.0, 4.0]


def test_without_cost_the_margin_is_missing_not_one():
    data = {"segment": ["A", "B"], "money": [1.0, 2.0]}
    card = ilk.segment_scorecard(data, segment="segment", revenue="money", n_boot=0)
    assert np.isnan(card.to_dict()["gross_margin"]).all()
    with pytest.raises(DataError, match='by: found "profit", but this scorecard has no values'):
        card.rank()
    assert "cost not given" in " ".join(card.manifest["notes"])


def test_labels_may_stand_beside_the_frame():
    data = customers()
    by_name = ilk.segment_scorecard(data, **ROLES, n_boot=0).table
    roles = {name: column for name, column in ROLES.items() if name != "segment"}
    for labels in (data["segment"], data["segment"].to_numpy(), list(data["segment"])):
        beside = ilk.segment_scorecard(data, segment=labels, **roles, n_boot=0).table
        pd.testing.assert_frame_equal(beside, by_name)
    with pytest.raises(DataError, match="segment: found 2 labels, but one for each of the 400"):
        ilk.segment_scorecard(data, segment=["A", "B"], **roles)


def test_customers_from_before_the_records_are_not_new():
    data = {
        "segment": ["A", "A", "A"],
        "money": [10.0, 20.0, np.nan],
        "spend": [6.0, np.nan, 4.0],
        "contact": [100.0, np.nan, 105.0],
        "sale": [110.0, np.nan, np.nan],
    }
    card = ilk.segment_scorecard(
        data,
        segment="segment",
        revenue="money",
        acquisition_cost="spend",
        first_contact="contact",
        first_sale="sale",
        n_boot=0,
    )
    table = card.to_dict()
    assert (table["n"][0], table["n_new"][0], table["n_open"][0]) == (2, 1, 1)
    assert table["cac"][0] == 10.0
    assert card.manifest["rows_used"] == 3


def test_nobody_churns_and_nobody_is_won():
    data = {"segment": ["A", "B"], "money": [9.0, 9.0], "cost": [1.0, 1.0], "spend": [1.0, 0.0]}
    card = ilk.segment_scorecard(
        {**data, "n": [2, 2], "new": [0, 0], "churn": [0.0, 0.0]},
        segment="segment",
        revenue="money",
        cost="cost",
        acquisition_cost="spend",
        churn="churn",
        n_customers="n",
        n_new="new",
    )
    table = card.to_dict()
    assert np.isposinf(table["ltv"]).all()
    assert np.isfinite(table["ltv_advance"]).all()
    assert np.isposinf(table["cac"][0])
    assert np.isnan(table["cac"][1])


def test_a_rate_per_year_is_compounded_to_the_period():
    monthly = ilk.segment_scorecard(
        {"s": ["A"], "money": [10.0], "cost": [4.0], "churn": [0.05]},
        segment="s",
        revenue="money",
        cost="cost",
        churn="churn",
        period_months=1,
        n_boot=0,
    ).to_dict()
    d, r = 1.1 ** (1 / 12) - 1, 0.95
    assert monthly["ltv_advance"][0] == pytest.approx(6 * (1 + d) / (1 + d - r))
    assert monthly["ltv_arrears"][0] == pytest.approx(6 * r / (1 + d - r))


@pytest.mark.parametrize(
    ("change", "arguments", "error", "message"),
    [
        ({}, {"revenue": "revenu"}, MissingColumnError, 'did you mean "revenue"'),
        ({"cost": ["x"] * 400}, {}, TypeError, 'column "cost" has type .*a number is needed'),
        ({"spend": -1.0}, {}, DataError, 'column "spend", row 0: found -1, but a cost is 0 or more'),
        ({"left": 1.5}, {}, DataError, "a churn rate lies between 0 and 1; try:"),
        ({"sale": pd.Timestamp("2020-02-29")}, {"lost": None}, DataError,
         'column "sale", row 0: found 2020-02-29, but it must not lie before "contact"'),
        ({"lost": True}, {}, DataError, "a lost lead has no sale"),
        ({"segment": None}, {}, DataError, 'all left out: "segment" is missing'),
        ({}, {"period_months": 0}, DataError, "period_months: found 0"),
        ({}, {"confidence": 95}, DataError, "confidence: found 95, .* between 0 and 1"),
        ({}, {"first_sale": None}, DataError, "first_sale: found None"),
        ({}, {"n_boot": -1}, DataError, "n_boot: found -1"),
        ({}, {"n_boot": 1.5}, TypeError, "n_boot: found 1.5, but a whole number"),
        ({}, {"n_new": "spend"}, DataError, "n_new without n_customers"),
        ({}, {"cost": 3}, TypeError, "cost is a int, but the name of a column is needed"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_by_name(change, arguments, error, message):
    data = customers().assign(**change)
    with pytest.raises(error, match=message):
        ilk.segment_scorecard(data, **{**ROLES, **arguments})


def test_frames_and_arguments_that_do_not_go_together_are_refused():
    people = pd.DataFrame({"id": [1, 1], "s": ["A", "B"], "n": [1, 1], "money": [1.0, 2.0]})
    with pytest.raises(DataError, match="needs at least 1 rows, but there are 0"):
        ilk.segment_scorecard(people.iloc[:0], segment="s", revenue="money")
    with pytest.raises(DataError, match=r'"id", row 1: found 1, .* already stands in row 0'):
        ilk.segment_scorecard(people, segment="s", revenue="money", orders=people, customer="id")
    with pytest.raises(DataError, match=r'customer: found None, .*customer="customer_id"'):
        ilk.segment_scorecard(people, segment="s", revenue="money", orders=people)
    people["id"] = [1, 2]
    with pytest.raises(DataError, match="both n_customers and orders"):
        ilk.segment_scorecard(
            people, segment="s", revenue="money", orders=people, customer="id", n_customers="n"
        )


def test_ranks_follow_direction_and_weights(totals):
    def order(**arguments):
        return "".join(totals.rank(**arguments).to_dict()["segment"])

    # Less is better, and never is the worst.
    assert order(by="payback_months") == "CABD"
    assert order(by="cac") == "CABD"
    both = ["profit", "ltv"]
    assert order(by=both, weights=[1, 0]) == order(by="profit")
    assert order(by=both, weights={"ltv": 1, "profit": 0}) == order(by="ltv")
    with pytest.raises(DataError, match="one number for each of the 2 figures"):
        totals.rank(by=both, weights=[1, 2, 3])
    with pytest.raises(DataError, match="weights: found 'equal', but numbers"):
        totals.rank(by=both, weights="equal")
    with pytest.raises(DataError, match="top: found 0"):
        totals.rank(top=0)


def test_probabilities_of_the_first_places(card):
    ranks = card.rank(top=2, by="revenue").to_dict()
    assert ranks["p_top"].sum() == pytest.approx(2.0)
    assert (ranks["rank_lo"] <= ranks["rank"]).all()
    assert (ranks["rank"] <= ranks["rank_hi"]).all()
    drawn = card.rank(top=1, by=["revenue", "cac"], weights="dirichlet")
    assert drawn.to_dict()["p_top"].sum() == pytest.approx(1.0)
    assert "revenue (more is better, weight 50%) and cac (less is better" in drawn.explain()


def test_a_fresh_seed_is_kept_so_that_it_can_be_repeated():
    first = ilk.segment_scorecard(customers(), **ROLES, n_boot=50)
    again = ilk.segment_scorecard(
        customers(), **ROLES, n_boot=50, random_state=first.manifest["random_state"]
    )
    pd.testing.assert_frame_equal(first.table, again.table, check_exact=True)


def test_saving_keeps_every_bit(card, tmp_path):
    card.to_json(tmp_path / "card.json")
    for back in (ilk.Scorecard.from_json(tmp_path / "card.json"), pickle.loads(pickle.dumps(card))):
        pd.testing.assert_frame_equal(back.to_pandas(), card.table, check_exact=True)
        pd.testing.assert_frame_equal(back.rank().to_pandas(), card.rank().table, check_exact=True)
        assert back.manifest == card.manifest
    with pytest.raises(ModelFileError):
        ilk.Scorecard.from_json(card.rank().to_json())


def test_sentences_say_the_figures_and_what_they_rest_on(totals, card):
    text = totals.explain()
    assert (
        "420 customers in 4 segments brought 1,000,000 in 12 months, at a gross margin of 55%"
        in text
    )
    assert "D (10 customers): 5% of revenue, gross margin 20%." in text
    assert "Winning a customer costs 5,000, which is never paid back." in text
    assert "By profit the first are A (160,000), C (90,000) and B (20,000)." in text
    assert "In brackets: the central 95% of 200 bootstrap replicates" in card.explain()


def test_names_from_data_stay_text():
    name = "<script>alert('$x$ & y')</script>"
    data = {"segment": [name, "B"], "money": [1.0, 2.0], "cost": [0.5, 0.5]}
    card = ilk.segment_scorecard(data, segment="segment", revenue="money", cost="cost", n_boot=10)
    html = card._repr_html_() + card.explain()._repr_html_() + card.rank()._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    labels = card.plot().axes[0].get_yticklabels()
    assert labels[0].get_text() == name.replace("$", r"\$")


def test_the_plot_shows_every_figure_and_says_never(totals, card):
    figure = totals.plot()
    titles = [ax.get_title(loc="left") for ax in figure.axes if ax.axison]
    assert titles == [
        "Share of revenue",
        "Gross margin",
        "Cost to win a customer",
        "Cost to manage",
        "Contribution",
        "Payback",
        "Lifetime value",
        "Lifetime value / cost to win",
        "Profit",
    ]
    payback = figure.axes[5]
    assert [text.get_text() for text in payback.texts] == ["never"]
    assert payback.get_label() == "Payback: A 20.0, B 27.0, C 8.6, D never"
    figure = card.plot(figures=["cac"])
    lines = [line for line in figure.axes[0].lines if len(line.get_xdata()) == 2]
    intervals = card.table[["cac_lo", "cac_hi"]].to_numpy()
    np.testing.assert_allclose([line.get_xdata() for line in lines[:3]], intervals)
    with pytest.raises(DataError, match="figures: found 'cacs'"):
        card.plot(figures=["cacs"])
    with pytest.raises(DataError, match="kind: found 'pie'"):
        card.plot("pie")


def test_progress_counts_up_and_never_beyond_the_end():
    seen = []
    ilk.segment_scorecard(
        customers(40_000), **ROLES, n_boot=2000, progress=lambda *units: seen.append(units)
    )
    assert len(seen) > 0
    assert seen == sorted(seen)
    assert all(done <= total for done, total in seen)


def test_a_segmentation_keeps_its_order():
    market = ilk.datasets.make_market(600, random_state=1)
    features = ["age", "household", "visits_per_month", "basket_value", "discount_share"]
    found = ilk.segment(market.customers, features, k=3, random_state=0)
    card = ilk.segment_scorecard(market.customers, segment=found, revenue="revenue", n_boot=0)
    assert card.to_dict()["segment"] == found.names
    expected = market.customers.groupby(found.labels, observed=True)["revenue"].sum()
    np.testing.assert_allclose(card.to_dict()["revenue"], expected.loc[found.names])


@pytest.mark.realdata
def test_revenue_of_real_purchases_is_conserved(realdata):
    lines = pd.read_csv(realdata / "cj_transactions_250hh.csv.gz")
    people = pd.read_csv(realdata / "cj_demographics.csv")
    card = ilk.segment_scorecard(
        people,
        segment="age",
        revenue="sales_value",
        orders=lines,
        customer="household_id",
        n_boot=100,
        random_state=0,
    )
    kept = lines.merge(people, on="household_id")
    expected = kept.groupby("age")["sales_value"].sum()
    table = card.table.set_index("segment")
    np.testing.assert_allclose(table["revenue"], expected.loc[table.index], rtol=1e-12)
    assert table["revenue_share"].sum() == pytest.approx(1.0)

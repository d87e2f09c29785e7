"""What accounts do not buy though those like them do."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import special, stats

import ilk
from ilk.exceptions import DataError, MissingColumnError
from ilk.gaps import Whitespace, whitespace

#: Products that the accounts of each of three segments buy, with which probability.
LIKES = np.array(
    [[0.8, 0.5, 0.1, 0.3, 0.02], [0.2, 0.5, 0.6, 0.3, 0.02], [0.1, 0.5, 0.1, 0.3, 0.4]]
)
PRODUCTS = ["desk", "lamp", "sofa", "rug", "crane"]


def purchases(n: int = 300, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    segment = rng.integers(0, 3, n)
    bought = rng.uniform(size=(n, 5)) < LIKES[segment]
    accounts, products = np.nonzero(bought)
    table = pd.DataFrame(
        {
            "account": [f"a{account:04}" for account in accounts],
            "product": np.array(PRODUCTS)[products],
            "segment": np.array(["shop", "home", "works"])[segment[accounts]],
            "money": np.round(rng.gamma(4, 25, len(accounts)), 2),
        }
    )
    return pd.concat([table, table.sample(frac=0.3, random_state=seed)], ignore_index=True)


def row(found: Whitespace, segment: str, product: str) -> pd.Series:
    table = found.to_pandas()
    return table[(table["segment"] == segment) & (table["product"] == product)].iloc[0]


def test_buyers_are_counted_once_and_their_money_added_up() -> None:
    data = purchases()
    found = whitespace(data, by="segment", value="money")
    each = data.groupby(["segment", "account", "product"])["money"].sum().reset_index()
    for (segment, product), group in each.groupby(["segment", "product"]):
        one = row(found, segment, product)
        accounts = data.loc[data["segment"] == segment, "account"].nunique()
        assert (one["accounts"], one["buyers"]) == (accounts, len(group))
        assert one["open"] == accounts - len(group)
        assert one["penetration"] == pytest.approx(len(group) / accounts)
        assert one["potential"] == pytest.approx(one["open"] * one["expected_value"])
        assert one["expected_value"] == pytest.approx(one["p_buy"] * one["spend"])


def test_the_likelihood_is_empirical_bayes_and_its_interval_that_of_the_beta() -> None:
    data = purchases()
    found = whitespace(data, by="segment").to_pandas()
    n = data.groupby("segment")["account"].nunique()
    for product, cells in found.groupby("product"):
        k, sizes = cells["buyers"].to_numpy(), n[cells["segment"]].to_numpy()
        mean = k.sum() / sizes.sum()

        # The average over concentrations from 1 to all accounts, by their likelihood.
        grid = np.exp(np.linspace(0, np.log(sizes.sum()), 16))[:, None]
        a, b = mean * grid, (1 - mean) * grid
        likelihood = (special.betaln(a + k, b + sizes - k) - special.betaln(a, b)).sum(axis=1)
        weight = np.exp(likelihood - likelihood.max())[:, None]
        weight /= weight.sum()
        prior = np.clip(grid, 1, sizes.sum() - sizes)
        law = stats.beta(mean * prior + k, (1 - mean) * prior + sizes - k)
        first = (weight * law.mean()).sum(axis=0)
        variance = (weight * (law.var() + law.mean() ** 2)).sum(axis=0) - first**2
        size = first * (1 - first) / variance - 1
        law = stats.beta(first * size, (1 - first) * size)
        np.testing.assert_allclose(cells["p_buy"], first, rtol=1e-9, err_msg=product)
        np.testing.assert_allclose(cells["p_buy_lo"], law.ppf(0.025), rtol=1e-6)
        np.testing.assert_allclose(cells["p_buy_hi"], law.ppf(0.975), rtol=1e-6)


def test_without_segments_the_likelihood_is_the_share_of_all() -> None:
    data = purchases()
    found = whitespace(data).to_pandas()
    share = data.groupby("product")["account"].nunique() / data["account"].nunique()
    np.testing.assert_allclose(found.set_index("product")["p_buy"], share)
    assert (found["lift"].round(9) == 1).all()


def test_small_segments_are_drawn_towards_all_and_large_ones_are_not() -> None:
    many = pd.DataFrame(
        {"account": range(1000), "product": np.where(np.arange(1000) < 300, "x", "y")}
    )
    many["segment"] = np.where(many["account"] % 2 == 0, "even", "odd")
    few = pd.DataFrame({"account": [5000, 5001], "product": ["x", "x"], "segment": "new"})
    found = whitespace(pd.concat([many, few]), by="segment")
    new = row(found, "new", "x")
    assert new["penetration"] == 1
    assert new["p_buy"] < 0.6
    assert new["p_buy_lo"] < new["p_buy"] < new["p_buy_hi"]
    assert row(found, "even", "x")["p_buy"] == pytest.approx(0.3, abs=0.01)


@pytest.mark.slow
def test_intervals_cover_the_rates_that_made_the_purchases() -> None:
    hits, cells = 0, 0
    for seed in range(150):
        found = whitespace(purchases(300, seed), by="segment").to_pandas()
        truth = found.apply(
            lambda one: LIKES[["shop", "home", "works"].index(one["segment"]), PRODUCTS.index(one["product"])],
            axis=1,
        )  # fmt: skip
        # Accounts that bought nothing are not in the data, which raises all rates a little.
        seen = 1 - (1 - LIKES).prod(axis=1)
        truth /= found["segment"].map(dict(zip(["shop", "home", "works"], seen, strict=True)))
        hits += ((found["p_buy_lo"] <= truth) & (truth <= found["p_buy_hi"])).sum()
        cells += len(found)
    assert 0.93 <= hits / cells <= 0.98


def test_the_list_is_of_pairs_that_were_not_bought_the_most_worth_first() -> None:
    data = purchases()
    found = whitespace(data, by="segment", value="money")
    listed = found.opportunities(10_000)
    had = set(zip(data["account"], data["product"], strict=True))
    assert not had & set(zip(listed["account"], listed["product"], strict=True))
    assert listed["expected_value"].is_monotonic_decreasing
    assert len(listed) == 5 * data["account"].nunique() - len(had)
    assert listed["rank"].tolist() == list(range(1, len(listed) + 1))
    first = listed.iloc[0]
    spent = data[data["segment"] == first["segment"]].groupby("account")["money"].sum()
    open_ones = listed.loc[
        (listed["segment"] == first["segment"]) & (listed["product"] == first["product"]), "account"
    ]
    assert first["account"] == spent[open_ones].idxmax()
    one_each = found.opportunities(10_000, per_account=1)
    assert one_each["account"].is_unique
    best = listed.drop_duplicates("account").reset_index(drop=True)
    pd.testing.assert_frame_equal(one_each.drop(columns="rank"), best.drop(columns="rank"))
    of_one = found.opportunities(account=first["account"])
    assert set(of_one["account"]) == {first["account"]}
    assert set(found.opportunities(product="crane")["product"]) == {"crane"}


def test_what_nobody_of_the_segment_buys_is_listed_on_demand() -> None:
    data = {"account": [1, 1, 2, 3], "product": ["a", "b", "a", "c"], "kind": ["x", "x", "x", "y"]}
    found = whitespace(data, by="kind")
    assert found.opportunities()["product"] == ["b"]
    assert sorted(found.opportunities(min_buyers=0)["product"]) == ["a", "b", "b", "c", "c"][
        :0
    ] + sorted(["b", "c", "c", "a", "b"])


def test_segments_come_in_every_form() -> None:
    data = purchases()
    accounts = data[["account", "segment"]].drop_duplicates().reset_index(drop=True)
    expected = whitespace(data, by="segment").to_pandas()
    labels = accounts.set_index("account")["segment"]
    forms = [
        accounts, labels.to_dict(), labels, pl.from_pandas(accounts), pa.Table.from_pandas(accounts),
        (accounts["account"], accounts["segment"]), accounts.set_index("account"),
    ]  # fmt: skip
    for form in forms:
        pd.testing.assert_frame_equal(whitespace(data, by=form).to_pandas(), expected)
    market = ilk.datasets.make_market(300, random_state=1)
    customers = market.customers
    segments = ilk.segment(customers, ["age", "household", "basket_value"], k=2, random_state=0)
    ids = [f"c{at}" for at in range(len(customers))]
    bought = {"account": ["c0", "c1", "c2"], "product": ["x", "y", "x"]}
    found = whitespace(bought, by=(ids, segments))
    assert found.to_dict()["segment"] == [name for name in segments.names for _ in "xy"]
    assert found.to_dict()["accounts"].tolist() == [
        n for n in segments.sizes.values() for _ in "xy"
    ]
    with pytest.raises(TypeError, match="by: found segments without their accounts"):
        whitespace(bought, by=segments)


def test_rows_that_lack_something_are_left_out_and_counted() -> None:
    data = {
        "account": ["a", None, "b", "c", "d"],
        "product": ["x", "x", None, "x", "y"],
        "money": [1.0, 1.0, 1.0, None, 2.0],
    }
    found = whitespace(data, value="money", by={"a": "s", "b": "s", "c": "s"})
    assert found.manifest["rows_used"] == 1
    assert {left["reason"] for left in found.manifest["left_out"]} == {
        '"account" is missing', '"product" is missing', '"money" is missing',
        "the account has no segment",
    }  # fmt: skip
    # Accounts of the mapping count, with or without a purchase.
    assert found.to_dict()["accounts"].tolist() == [3]
    assert whitespace(data, value="money").to_dict()["accounts"].tolist() == [2, 2]


@pytest.mark.parametrize(
    ("changes", "options", "error", "message"),
    [
        ({"segment": ["s", "t", "s"]}, {"by": "segment"}, DataError,
         r'column "segment", row 1: found "t", but the account "a" stands in "s" in row 0, and each has one'),
        ({}, {"by": pd.DataFrame({"account": ["a", "a"], "kind": [1, 2]})}, DataError,
         r'column "kind", row 1: found "2", but the account "a" stands in "1" in row 0'),
        ({"money": [1, -5, 1]}, {"value": "money"}, DataError, r'column "money", row 1: found -5'),
        ({"money": ["1", "2", "3"]}, {"value": "money"}, TypeError, r'column "money" has type text'),
        ({"money": [1, np.inf, 1]}, {"value": "money"}, DataError, r'column "money", row 1: found inf'),
        ({"money": [1e308] * 3}, {"value": "money"}, DataError, "value: found more than a number holds"),
        ({}, {"product": "item"}, MissingColumnError, "item"),
        ({}, {"by": {"z": "s"}}, DataError,
         "purchases: found 3 rows, all left out: the account has no segment"),
        ({}, {"by": {"a": None}}, DataError, "by: found no segment"),
        ({}, {"by": pd.DataFrame({"who": ["a"], "kind": ["s"]})}, DataError,
         "by: found the columns .* but 'account' and one with the segments are needed"),
        ({}, {"by": 7}, TypeError, "by: found a int"),
        ({"account": [], "product": [], "segment": []}, {}, DataError, "purchases: found no rows"),
        ({}, {"confidence": 2}, DataError, "confidence: found 2"),
    ],
)  # fmt: skip
def test_purchases_that_cannot_be_used_are_refused(changes, options, error, message) -> None:
    data = {"account": ["a", "a", "b"], "product": ["x", "y", "x"], "segment": ["s", "s", "t"]}
    with pytest.raises(error, match=message):
        whitespace({**data, **changes}, **options)


def test_questions_that_have_no_answer_are_refused() -> None:
    found = whitespace(purchases(), by="segment")
    with pytest.raises(DataError, match=r'product: found "dsek", .*did you mean "desk"'):
        found.opportunities(product="dsek")
    with pytest.raises(DataError, match='account: found "nobody"'):
        found.opportunities(account="nobody")
    with pytest.raises(DataError, match="top: found -1"):
        found.opportunities(-1)
    with pytest.raises(DataError, match="what: found 'love'"):
        found.matrix("love")
    with pytest.raises(DataError, match="products: found 0"):
        found.plot(products=0)


def test_degenerate_purchases_end_in_figures() -> None:
    # One account and product; everything bought; money of nothing, of tiny and of huge amounts.
    alone = whitespace({"account": ["a"], "product": ["x"], "money": [0.0]}, value="money")
    assert len(alone.opportunities()["rank"]) == 0
    assert "Every account has bought every product" in alone.explain()
    assert alone.to_dict()["p_buy"].tolist() == [1]
    for money in (0.0, 5e-324, 1e-200, 1e150, 1e300):
        data = {
            "account": [1, 1, 2, 3, 4],
            "product": ["x", "y", "x", "y", "x"],
            "money": [money, 1.0, 2 * money, 0.0, money],
            "kind": ["s", "s", "s", "t", "t"],
        }
        found = whitespace(data, by="kind", value="money")
        table = found.to_pandas()
        assert np.isfinite(
            table[["p_buy", "p_buy_lo", "p_buy_hi", "spend", "expected_value", "potential"]]
        ).all(axis=None)
        assert found.plot().get_label()


def test_saved_pictured_and_told(check_result) -> None:
    def make() -> Whitespace:
        return whitespace(purchases(), by="segment", value="money")

    check_result(make, Whitespace)
    found = make()
    assert "likelihood" in found.explain()
    texts = " ".join(text.get_text() for text in found.plot(products=3).texts)
    assert "%" in texts
    assert "2 products with less potential are not shown" in found.plot(products=3).get_title(
        loc="left"
    )
    assert "cells of the largest potential" not in repr(found)
    data = purchases()
    many = whitespace(data.assign(product=data["product"] + data["account"].str[-1]), by="segment")
    cells = len(many.to_dict()["rank"])
    assert f"the 30 cells of the largest potential are shown, of {cells}" in repr(many)
    matrix = found.matrix("buyers")
    assert (matrix.index.name, list(matrix.columns)) == ("segment", sorted(PRODUCTS))
    assert type(whitespace(pl.from_pandas(purchases())).opportunities()) is pl.DataFrame
    odd = whitespace({"account": ["<b>", "$x$"], "product": ["<i>", "$y$"]})
    assert "<i>" not in odd._repr_html_()
    assert odd.plot().get_label()


def test_dates_and_numbers_are_accounts_too() -> None:
    days = [dt.date(2026, 1, 1), dt.date(2026, 1, 2)]
    found = whitespace({"account": days, "product": [1, 2]}, by={days[0]: "s", days[1]: "s"})
    assert sorted(found.opportunities()["account"]) == ["2026-01-01", "2026-01-02"]
    assert found.opportunities(account=days[0], product=2)["rank"].tolist() == [1]
    # Numbers come back as numbers, so that the list can be joined.
    assert found.opportunities(account=days[0])["product"].tolist() == [2]


def test_departments_of_real_households(realdata) -> None:
    """Whether a household bought from a department later is told by those like it, better than by chance."""
    folder = realdata
    transactions = pd.read_csv(folder / "cj_transactions_250hh.csv.gz")
    products = pd.read_csv(folder / "cj_products.csv.gz", usecols=["product_id", "department"])
    people = pd.read_csv(folder / "cj_demographics.csv")
    data = transactions.merge(products, on="product_id").merge(
        people[["household_id", "household_comp"]], on="household_id"
    )
    data["when"] = pd.to_datetime(data["transaction_timestamp"])
    early, late = data[data["when"] < "2017-07-01"], data[data["when"] >= "2017-07-01"]
    found = whitespace(
        early,
        account="household_id",
        product="department",
        by="household_comp",
        value="sales_value",
    )
    listed = found.opportunities(100_000, min_buyers=0)
    later = set(zip(late["household_id"], late["department"], strict=True))
    pairs = zip(listed["account"], listed["product"], strict=True)
    came = np.array([pair in later for pair in pairs])
    likely = listed["p_buy"].to_numpy()
    test = stats.mannwhitneyu(likely[came], likely[~came], alternative="greater")
    assert test.pvalue < 1e-6
    buyers = early.groupby(["household_comp", "department"])["household_id"].nunique()
    table = found.to_pandas().set_index(["segment", "product"])
    assert (table.loc[buyers.index, "buyers"].to_numpy() == buyers.to_numpy()).all()

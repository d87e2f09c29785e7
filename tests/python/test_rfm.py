"""Recency, frequency and monetary value: definitions, frames, scores, and orders that cannot be."""

from __future__ import annotations

import datetime
import pickle
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ilk
from ilk.economics import RFM_SEGMENTS, Rfm, rfm
from ilk.exceptions import DataError, DataWarning, MissingColumnError

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS = {"customer": "who", "date": "when", "value": "paid"}


def orders() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "who": ["b", "a", "a", "b", "a", "c"],
            "when": pd.to_datetime(
                [
                    "2024-01-03 23:59",
                    "2024-01-01",
                    "2024-01-01 18:00",
                    "2024-01-20",
                    "2024-02-10",
                    "2024-02-01",
                ],
                format="mixed",
            ),
            "paid": [10.0, 5.0, 7.0, 30.0, 8.0, -4.0],
        }
    )


def test_the_published_example_has_its_figures() -> None:
    days = pd.to_datetime(["2018-04-24", "2018-04-24", "2018-05-24"])
    frame = pd.DataFrame({"who": 1, "when": days})
    found = rfm(frame, customer="who", date="when", observed_to="2019-01-31").table
    assert found[["frequency", "recency", "T"]].iloc[0].tolist() == [1.0, 30.0, 282.0]
    assert found["monetary"].isna().all()


def test_both_definitions_say_what_they_mean() -> None:
    models = rfm(orders(), **COLUMNS, observed_to=datetime.date(2024, 2, 20)).table.set_index("who")
    assert models.loc["a", ["frequency", "recency", "T", "monetary"]].tolist() == [1, 40, 50, 8]
    assert models.loc["b", ["frequency", "recency", "T", "monetary"]].tolist() == [1, 17, 48, 30]
    assert "c" not in models.index
    marketing = rfm(
        orders(), **COLUMNS, observed_to=datetime.date(2024, 2, 20), definition="marketing"
    ).table.set_index("who")
    assert marketing.loc["a", ["frequency", "recency", "T", "monetary"]].tolist() == [2, 10, 50, 20]
    assert marketing.loc["b", ["frequency", "recency", "T", "monetary"]].tolist() == [2, 31, 48, 40]


@pytest.mark.parametrize(
    ("unit", "days"), [("week", 7), ("month", 30.4375), ("year", 365.25), (10, 10)]
)
def test_time_is_in_the_unit_asked_for(unit: str | float, days: float) -> None:
    by_day = rfm(orders(), **COLUMNS).to_dict()
    found = rfm(orders(), **COLUMNS, time_unit=unit)
    assert found.unit_days == days
    np.testing.assert_allclose(found.to_dict()["T"], by_day["T"] / days)


@pytest.mark.parametrize(
    "convert",
    [
        lambda frame: frame,
        pl.from_pandas,
        pa.Table.from_pandas,
        lambda frame: frame.to_dict("list"),
        lambda frame: frame.assign(when=frame["when"].dt.tz_localize("UTC")),
        lambda frame: frame.assign(who=frame["who"].astype("category")),
    ],
    ids=["pandas", "polars", "pyarrow", "dict", "UTC", "categories"],
)
def test_every_frame_gives_the_same(convert: object) -> None:
    expected = rfm(orders(), **COLUMNS).to_pandas()
    found = rfm(convert(orders()), **COLUMNS).to_pandas()
    pd.testing.assert_frame_equal(
        found.sort_values("who", ignore_index=True), expected.sort_values("who", ignore_index=True)
    )


def test_the_frame_that_came_in_comes_back() -> None:
    assert isinstance(rfm(pl.from_pandas(orders()), **COLUMNS).table, pl.DataFrame)


@pytest.mark.parametrize(
    "day",
    [
        datetime.date(2024, 2, 20),
        datetime.datetime(2024, 2, 20, 13),
        np.datetime64("2024-02-20"),
        pd.Timestamp("2024-02-20"),
        "2024-02-20",
        19773,
    ],
)
def test_the_end_of_observation_is_any_date(day: object) -> None:
    found = rfm(orders(), **COLUMNS, observed_to=day)
    assert found.observed_to == datetime.date(2024, 2, 20)


@pytest.mark.parametrize(
    ("day", "error"),
    [
        ("20.2.2024", DataError),
        (pd.NaT, DataError),
        (np.nan, DataError),
        (True, TypeError),
        ([], TypeError),
    ],
)
def test_what_is_no_date_is_refused(day: object, error: type[Exception]) -> None:
    with pytest.raises(error, match="observed_to: found"):
        rfm(orders(), **COLUMNS, observed_to=day)


def test_later_lines_do_not_count() -> None:
    found = rfm(orders(), **COLUMNS, observed_to="2024-01-25")
    assert found.table.set_index("who").loc["a", "frequency"] == 0
    reasons = {item["reason"]: item["rows"] for item in found.manifest["left_out"]}
    assert reasons == {"the line is later than observed_to, first in row 4": 2}


def test_missing_customers_days_and_amounts_are_counted_with_their_first_row() -> None:
    frame = orders()
    frame.loc[1, "who"] = None
    frame.loc[2, "paid"] = np.nan
    frame.loc[3, "when"] = pd.NaT
    with pytest.warns(DataWarning) as told:
        found = rfm(frame, **COLUMNS)
    assert [str(warning.message) for warning in told] == [
        '1 of 6 order lines are left out: "who" is missing, first in row 1',
        '1 of 6 order lines are left out: "when" is missing, first in row 3',
        '1 of 6 order lines are left out: "paid" is missing, first in row 2',
    ]
    assert found.manifest["rows_used"] == 3
    assert found.manifest["notes"] == [
        "no row for 1 customers without a purchase: no day of theirs sums to more than 0"
    ]


def test_dates_as_text_are_refused_with_the_line_that_mends_them() -> None:
    frame = orders().assign(when="2024-01-01")
    with pytest.raises(TypeError, match=r'column "when" has type text.*pd\.to_datetime'):
        rfm(frame, **COLUMNS)


def test_days_of_another_time_zone_are_refused() -> None:
    frame = orders()
    frame["when"] = frame["when"].dt.tz_localize("America/New_York")
    with pytest.raises(TypeError, match=r"time zone America/New_York.*tz_localize\(None\)"):
        rfm(frame, **COLUMNS)
    frame["when"] = frame["when"].dt.tz_localize(None)
    assert len(rfm(frame, **COLUMNS).table) == 2


def test_moments_of_several_time_zones_are_refused() -> None:
    mixed = [pd.Timestamp("2024-01-01", tz=zone) for zone in ("+01:00", "-05:00")] * 3
    frame = orders().assign(when=pd.Series(mixed, dtype=object))
    with pytest.raises((TypeError, DataError), match="when"):
        rfm(frame, **COLUMNS)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"customer": "whom"}, MissingColumnError, 'did you mean "who"'),
        ({"definition": "other"}, DataError, '"btyd" or "marketing" is needed'),
        ({"time_unit": "fortnight"}, DataError, "time_unit: found 'fortnight'"),
        ({"time_unit": 0}, DataError, "a positive number of days"),
        ({"n_scores": 0}, DataError, "n_scores: found 0"),
        ({"customer": 3}, TypeError, "customer is a int"),
        (
            {"observed_to": "1999-01-01"},
            DataError,
            "6 rows, all left out: the line is later than observed_to",
        ),
        (
            {"segments": {"all": ((1, 5), (1, 4))}},
            DataError,
            "no name for recency 1 and frequency 5",
        ),
        ({"segments": {"all": 3}}, TypeError, "segments: found 3 for 'all'"),
    ],
)
def test_arguments_that_cannot_be_are_refused(
    change: dict[str, object], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        rfm(orders(), **{**COLUMNS, "definition": "marketing", **change})


def test_scores_and_names_are_those_of_the_tables() -> None:
    n = 100
    frame = pd.DataFrame(
        {
            "who": np.repeat(np.arange(n), 1 + np.arange(n) % 5),
            "when": np.concatenate([np.arange(1 + i % 5) + i for i in range(n)]),
            "paid": 1.0,
        }
    )
    found = rfm(frame, **COLUMNS, definition="marketing").table
    lower = (found["frequency"].to_numpy()[:, None] > found["frequency"].to_numpy()).sum(axis=1)
    assert (found["f_score"] == 1 + lower * 5 // n).all()
    fresher = (found["recency"].to_numpy()[:, None] < found["recency"].to_numpy()).sum(axis=1)
    assert (found["r_score"] == 1 + fresher * 5 // n).all()
    for r, f, name in zip(found["r_score"], found["f_score"], found["segment"], strict=True):
        (r_low, r_high), (f_low, f_high) = RFM_SEGMENTS[name]
        assert r_low <= r <= r_high
        assert f_low <= f <= f_high


def test_names_can_be_replaced_and_left_out() -> None:
    names = {"gone": ((1, 1), (1, 2)), "here": ((2, 2), (1, 2))}
    found = rfm(orders(), **COLUMNS, definition="marketing", n_scores=2, segments=names)
    assert set(found.table["segment"]) <= set(names)
    assert found.segments["n"].sum() == 2
    assert found.segments["monetary_share"].sum() == pytest.approx(1)
    bare = rfm(orders(), **COLUMNS, definition="marketing", segments={})
    assert "segment" not in bare.table
    with pytest.raises(DataError, match="segments are named under"):
        bare.segments  # noqa: B018


@given(
    lines=st.lists(
        st.tuples(st.integers(0, 4), st.integers(0, 30), st.integers(-5, 20)),
        min_size=1,
        max_size=60,
    ),
    cut=st.integers(0, 60),
    factor=st.sampled_from([0.5, 2.0, 1024.0]),
)
def test_orders_may_come_in_any_order_and_currency(
    lines: list[tuple[int, int, int]], cut: int, factor: float
) -> None:
    frame = pd.DataFrame(lines, columns=["who", "when", "paid"]).astype({"paid": float})
    try:
        expected = rfm(frame, **COLUMNS, observed_to=40).table
    except DataError:
        return
    turned = pd.concat([frame.iloc[cut:], frame.iloc[:cut]])
    pd.testing.assert_frame_equal(rfm(turned, **COLUMNS, observed_to=40).table, expected)
    dear = frame.assign(paid=frame["paid"] * factor)
    expected["monetary"] *= factor
    pd.testing.assert_frame_equal(rfm(dear, **COLUMNS, observed_to=40).table, expected)


def test_results_are_saved_and_shown() -> None:
    found = rfm(orders(), **COLUMNS, definition="marketing")
    for back in (Rfm.from_json(found.to_json()), pickle.loads(pickle.dumps(found))):
        pd.testing.assert_frame_equal(back.to_pandas(), found.to_pandas())
    assert "of the money" in found.explain()
    assert "bought again" in rfm(orders(), **COLUMNS).explain()
    assert "monetary" in found._repr_html_()
    assert "share of money" in [text.get_text() for text in found.plot().get_legend().get_texts()]
    assert rfm(orders(), **COLUMNS).plot().get_label().startswith("Customers by number of repeat")
    with pytest.raises(DataError, match="kind: found"):
        found.plot("pie")


def test_returns_and_missing_customers_of_a_shop_are_told(realdata: Path) -> None:
    lines = pd.read_csv(realdata / "online_retail.csv.gz", parse_dates=["InvoiceDate"])
    lines["amount"] = lines["Quantity"] * lines["UnitPrice"]
    with pytest.warns(
        DataWarning, match='135,080 of 541,909 order lines are left out: "CustomerID"'
    ):
        found = rfm(lines, customer="CustomerID", date="InvoiceDate", value="amount")
    known = lines.dropna(subset=["CustomerID"]).assign(
        day=lambda df: df["InvoiceDate"].dt.floor("D")
    )
    days = known.groupby(["CustomerID", "day"])["amount"].sum().reset_index()
    days = days[days["amount"] > 1e-6]
    expected = days.groupby("CustomerID").agg(
        frequency=("day", lambda day: len(day) - 1),
        recency=("day", lambda day: (day.max() - day.min()).days),
    )
    table = found.table.set_index("CustomerID")
    assert table.index.tolist() == expected.index.tolist()
    assert (table[["frequency", "recency"]] == expected).all(axis=None)
    assert (table.loc[table["frequency"] > 0, "monetary"] > 0).all()
    # Twice 74,215 pieces, bought and brought back within a quarter of an hour, are no purchase.
    assert 12346 not in table.index
    assert found.manifest["notes"]


def test_names_are_public() -> None:
    assert ilk.economics.rfm is rfm


def test_orders_without_any_purchase_say_why() -> None:
    orders = {"who": [1, 2], "day": [3, 4], "paid": [None, None]}
    names = {"customer": "who", "date": "day", "value": "paid"}
    with pytest.raises(DataError, match='orders: found 2 rows, all left out: "paid" is missing'):
        rfm(orders, **names)
    with pytest.raises(DataError, match="orders: found no purchase of 2 customers"):
        rfm({**orders, "paid": [-1.0, 0.0]}, **names)
    with pytest.raises(DataError, match="orders: found no rows"):
        rfm({"who": [], "day": [], "paid": []}, **names)

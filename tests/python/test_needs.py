"""Opportunities and reach."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ilk.exceptions import DataError, MissingColumnError
from ilk.gaps import Opportunities, Turf, opportunity, turf

RATINGS = {
    "need": ["deliver in time"] * 10,
    "importance": [5, 5, 4, 3, 5, 4, 2, 5, 4, 5],
    "satisfaction": [2, 3, 4, 2, 1, 5, 3, 2, 3, 4],
}


@pytest.mark.parametrize(
    ("importance", "satisfaction", "score"),
    [(9, 3, 15), (9, 9, 9), (9.1, 4.2, 14.0), (7.8, 6.1, 9.5)],
)
def test_the_score_is_ulwicks(importance, satisfaction, score) -> None:
    data = {"need": ["a"], "importance": [importance], "satisfaction": [satisfaction]}
    found = opportunity(data, measure="given").to_dict()
    assert found["score"][0] == pytest.approx(score)


def test_top_two_boxes_make_importance_and_satisfaction() -> None:
    found = opportunity(RATINGS, scale=(1, 5), random_state=0).to_dict()
    assert (found["importance"][0], found["satisfaction"][0]) == (8, 3)
    assert found["score"][0] == 13
    assert found["band"] == ["high"]


@settings(max_examples=60)
@given(st.floats(0, 10), st.floats(0, 10))
def test_every_formula_keeps_its_bounds(importance: float, satisfaction: float) -> None:
    data = {"need": ["a"], "importance": [importance], "satisfaction": [satisfaction]}
    bounds = {"ulwick": (0, 20), "unbounded": (-10, 20), "olsen": (0, 10)}
    formulas = {
        "ulwick": importance + max(importance - satisfaction, 0),
        "unbounded": 2 * importance - satisfaction,
        "olsen": importance * (1 - satisfaction / 10),
    }
    for method, (low, high) in bounds.items():
        found = opportunity(data, method=method, measure="given").to_dict()
        assert low <= found["score"][0] <= high
        assert found["score"][0] == pytest.approx(formulas[method], abs=1e-12)
        assert found["overserved"][0] == (satisfaction > importance)


def answers(n: int = 3000) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "who": rng.choice(["new", "old"], n),
            "need": rng.choice(["price", "speed", "look"], n),
            "importance": rng.integers(1, 6, n),
            "satisfaction": rng.integers(1, 6, n),
            "w": rng.integers(1, 4, n),
        }
    )


def test_segments_are_scored_by_themselves() -> None:
    data = answers()
    found = opportunity(data, segment="who", random_state=0).table
    for (who, need), group in data.groupby(["who", "need"]):
        row = found[(found["who"] == who) & (found["need"] == need)].iloc[0]
        importance = 10 * (group["importance"] >= 4).mean()
        satisfaction = 10 * (group["satisfaction"] >= 4).mean()
        assert row["importance"] == pytest.approx(importance)
        assert row["score"] == pytest.approx(importance + max(importance - satisfaction, 0))
        assert row["score_lo"] < row["score"] < row["score_hi"]
        assert row["n"] == len(group)
    assert found.groupby("who")["rank"].apply(list).tolist() == [[1, 2, 3]] * 2


def test_means_are_rescaled_and_weights_are_repeats() -> None:
    data = answers(300)
    options = {"measure": "mean", "n_boot": 0, "scale": (1, 5)}
    found = opportunity(data, weights="w", **options).table.set_index("need")
    again = opportunity(data.loc[data.index.repeat(data["w"])], **options).table.set_index("need")
    np.testing.assert_allclose(found["score"], again.loc[found.index, "score"])
    price = data[data["need"] == "price"]
    mean = np.average(price["importance"], weights=price["w"])
    assert found.loc["price", "importance"] == pytest.approx(10 * (mean - 1) / 4)


@pytest.mark.slow
def test_intervals_cover_the_truth() -> None:
    truth = 8 + (8 - 3)
    hits = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        data = {
            "need": ["a"] * 150,
            "importance": np.where(rng.uniform(size=150) < 0.8, 5, 1),
            "satisfaction": np.where(rng.uniform(size=150) < 0.3, 5, 1),
        }
        found = opportunity(data, scale=(1, 5), n_boot=300, random_state=seed).to_dict()
        hits += found["score_lo"][0] <= truth <= found["score_hi"][0]
    assert 0.90 <= hits / 200 <= 0.99


@pytest.mark.parametrize("threads", [1, 2, 8])
def test_scores_have_the_same_bits_for_any_number_of_threads(threads: int) -> None:
    import ilk

    before = ilk.num_threads()
    expected = opportunity(answers(), segment="who", random_state=1).to_dict()
    ilk.set_num_threads(threads)
    try:
        found = opportunity(answers(), segment="who", random_state=1).to_dict()
    finally:
        ilk.set_num_threads(before)
    for name in ("score", "score_lo", "score_hi"):
        assert found[name].tobytes() == expected[name].tobytes()


@pytest.mark.parametrize(
    ("change", "options", "error", "message"),
    [
        ({"importance": [9] + [5] * 9}, {"scale": (1, 5)}, DataError,
         r'column "importance", row 0: found 9, but ratings lie between 1 and 5'),
        ({}, {"scale": (1, 2)}, DataError, "the two highest boxes need a scale of at least three"),
        ({}, {"method": "kano"}, DataError, "method: found 'kano'"),
        ({}, {"measure": "given"}, DataError, "each need has one row"),
        ({}, {"importance": "imp"}, MissingColumnError, "importance"),
        ({}, {"need": None}, TypeError, "need: found a NoneType, but the name of a column"),
        ({}, {"n_boot": 1}, DataError, "n_boot: found 1, but 0 or at least 20"),
        ({}, {"n_boot": 19}, DataError, "n_boot: found 19, but 0 or at least 20"),
        ({}, {"scale": "15"}, DataError, r"scale: found '15', but two numbers .* scale=\(1, 5\)"),
        ({}, {"scale": (1, float("inf"))}, DataError, "scale: found .*inf.*, but two numbers"),
        ({}, {"scale": 5}, DataError, "scale: found 5, but two numbers"),
        ({"rank": list("abcdefghij")}, {"need": "rank"}, DataError,
         r"need: found the column 'rank', but the result .*rename\(columns=.\"rank\": \"rank_\""),
        ({"n": list("abcdefghij")}, {"segment": "n"}, DataError, "segment: found the column 'n'"),
        ({}, {"segment": "need"}, DataError, "segment: found the column 'need'"),
        ({}, {"confidence": 1.0}, DataError, "confidence"),
        ({"importance": [None] * 10}, {}, DataError,
         'df: found 10 rows, all left out: "importance" is missing'),
        ({"w": [-1.0] * 10}, {"weights": "w", "scale": (1, 5)}, DataError, 'column "w", row 0'),
    ],
)  # fmt: skip
def test_ratings_that_cannot_be_scored_are_refused(change, options, error, message) -> None:
    with pytest.raises(error, match=message):
        opportunity({**RATINGS, **change}, **options)


def test_equal_scores_share_the_better_rank_within_their_segment() -> None:
    scores = {
        "need": list("abcd") + list("abc"),
        "who": ["x"] * 4 + ["y"] * 3,
        "importance": [5.0, 9.0, 9.0, 7.0, 3.0, 3.0, 8.0],
        "satisfaction": [5.0, 2.0, 2.0, 7.0, 3.0, 3.0, 8.0],
    }
    found = opportunity(scores, measure="given", segment="who").to_dict()
    assert list(zip(found["who"], found["need"], found["rank"].tolist(), strict=True)) == [
        ("x", "b", 1),
        ("x", "c", 1),
        ("x", "d", 3),
        ("x", "a", 4),
        ("y", "c", 1),
        ("y", "a", 2),
        ("y", "b", 2),
    ]


def test_missing_ratings_are_left_out_and_counted() -> None:
    data = pd.DataFrame(RATINGS)
    data.loc[0, "satisfaction"] = np.nan
    found = opportunity(data, scale=(1, 5), random_state=0)
    assert found.manifest["left_out"] == [{"reason": '"satisfaction" is missing', "rows": 1}]
    assert found.to_dict()["n"][0] == 9


def test_opportunities_are_saved_pictured_and_told() -> None:
    found = opportunity(answers(), segment="who", scale=(1, 5), random_state=0)
    assert Opportunities.from_json(found.to_json()).to_json() == found.to_json()
    ax = found.plot()
    assert {"price", "speed", "look", "extreme"} <= {text.get_text() for text in ax.texts}
    assert "new: the largest opportunity is" in found.explain()
    assert "(Ulwick)" in found.explain()
    assert isinstance(opportunity(pl.from_pandas(answers())).table, pl.DataFrame)


# --- reach ---


def likes(n: int, m: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        (rng.uniform(size=(n, m)) < rng.uniform(0.05, 0.6, m)).astype(int),
        columns=[f"i{j}" for j in range(m)],
    )


@settings(max_examples=40)
@given(st.integers(1, 60), st.integers(1, 7), st.integers(0, 10_000))
def test_the_best_sets_are_those_of_trying_every_set(n: int, m: int, seed: int) -> None:
    data = likes(n, m, seed)
    found = turf(data, k=range(1, m + 1)).to_dict()
    for k in range(1, m + 1):
        reach = {names: int(data[list(names)].any(axis=1).sum()) for names in combinations(data, k)}
        most = max(reach.values())
        best = {" + ".join(names) for names, reached in reach.items() if reached == most}
        rows = [row for row, size in enumerate(found["k"]) if size == k]
        assert {found["reached"][row] for row in rows} == {most}
        assert {found["items"][row] for row in rows} <= best
        assert len(rows) == min(len(best), 20)
        frequency = [found["frequency"][row] for row in rows]
        assert frequency == sorted(frequency, reverse=True)


def test_twenty_items_are_tried_for_certain() -> None:
    data = likes(2000, 20, 1)
    found = turf(data, k=[3, 10])
    table = found.to_dict()
    assert all(table["certain"])
    best = max(combinations(data, 3), key=lambda names: data[list(names)].any(axis=1).sum())
    assert table["reached"][0] == data[list(best)].any(axis=1).sum()
    assert len(found.best(10)) == 10


def test_more_items_are_searched_and_said_to_be_uncertain() -> None:
    data = likes(500, 30, 2)
    found = turf(data, k=2)
    best = max(data[list(names)].any(axis=1).sum() for names in combinations(data, 2))
    assert found.to_dict()["reached"][0] >= 0.98 * best
    assert not found.to_dict()["certain"][0]
    assert "Not every set was tried" in found.explain()


def test_ties_are_stated_with_their_frequency() -> None:
    data = {"a": [1, 1, 0, 0], "b": [1, 1, 0, 0], "c": [0, 0, 1, 0], "d": [0, 0, 1, 1]}
    found = turf(data, k=2)
    assert found.to_dict()["items"] == ["a + d", "b + d"]
    assert "2 sets reach as many" in found.explain()
    assert "(1.00)" in found.explain()


def test_weights_ratings_and_missing_values() -> None:
    data = likes(50, 4, 3)
    weights = np.random.default_rng(0).integers(0, 4, 50)
    one = turf(data.assign(w=weights), weights="w").to_dict()
    other = turf(data.loc[data.index.repeat(weights)]).to_dict()
    assert one["items"] == other["items"]
    np.testing.assert_allclose(one["reach"], other["reach"])
    rated = turf(data * 3 + 2, at_least=4).to_dict()
    assert rated["items"] == turf(data).to_dict()["items"]
    holed = data.astype(float)
    holed.iloc[0, 0] = np.nan
    assert turf(holed).manifest["rows_used"] == 49


@pytest.mark.parametrize(
    ("data", "options", "error", "message"),
    [
        ({"a": [1, 2]}, {}, DataError, r'column "a", row 1: found 2.*at_least=4'),
        ({"a": [1, 0]}, {"k": 2}, DataError, "k: found 2, but a number from 1 to the 1 items"),
        ({"a": [1, 0]}, {"k": 0}, DataError, "k: found 0"),
        ({"a": [1, 0]}, {"items": ["b"]}, MissingColumnError, "b"),
        ({"a": [None, None]}, {}, DataError, "df: found 2 rows, all left out: an item is missing"),
        ({"a": ["x", "y"]}, {}, TypeError, 'column "a"'),
    ],
)
def test_what_cannot_be_reached_is_refused(data, options, error, message) -> None:
    with pytest.raises(error, match=message):
        turf(data, **options)


def test_reach_is_saved_and_pictured() -> None:
    found = turf(likes(300, 6, 4))
    assert Turf.from_json(found.to_json()).to_json() == found.to_json()
    ax = found.plot()
    assert "Reach of the best sets" in ax.get_label()
    with pytest.raises(DataError, match="k: found 9"):
        found.best(9)

"""Where the money sits along the market, and what a niche shares with the mass."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

import ilk
from ilk.economics import MarketMass, MassNeighbours, market_mass, mass_neighbours
from ilk.exceptions import DataError

# The mass of the market


def market(n: int = 3_000, seed: int = 4) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    price = rng.normal(50, 12, n)
    return {
        "price": price,
        "spend": rng.gamma(2, 1, n) * np.exp((price - 50) / 30),
        "kind": rng.choice(["a", "b"], n),
    }


def test_shares_by_band_are_those_of_numpy() -> None:
    data = market()
    found = market_mass(data, score="price", money="spend", by="kind", n_boot=0)
    z = (data["price"] - data["price"].mean()) / data["price"].std(ddof=1)
    table = found.to_dict()
    for row, segment in enumerate(table["segment"]):
        here = np.ones(len(z), bool) if segment == "all" else data["kind"] == segment
        band = here & (abs(z) <= table["sigma"][row])
        assert table["n"][row] == band.sum()
        assert table["customers"][row] == pytest.approx(band.sum() / here.sum())
        money = data["spend"][band].sum() / data["spend"][here].sum()
        assert table["money"][row] == pytest.approx(money)
        assert table["excess"][row] == pytest.approx(money - band.sum() / here.sum())
    expected = [0.382925, 0.682689, 0.954500, 0.997300]
    assert table["normal"][:4] == pytest.approx(expected, abs=5e-7)
    sides = ilk._frame.to_dict(found._core.sheet("sides"))
    for what in ("customers", "money"):
        assert np.allclose(sides[what].reshape(3, 3).sum(axis=1), 1)
    histogram = found.histogram
    for what in ("customers", "money", "normal"):
        assert np.allclose(np.reshape(histogram[what], (3, 32)).sum(axis=1), 1)


@pytest.mark.parametrize("draw", ["normal", "exponential", "uniform", "standard_t"])
@pytest.mark.parametrize("n", [20, 57, 2_000])
def test_test_of_normality_is_that_of_scipy(draw: str, n: int) -> None:
    rng = np.random.default_rng(n)
    score = rng.standard_t(5, n) if draw == "standard_t" else getattr(rng, draw)(size=n)
    found = market_mass({"x": score, "m": np.ones(n)}, score="x", money="m", n_boot=0)
    shape = found.normality
    expected = stats.normaltest(score)
    assert shape["statistic"][0] == pytest.approx(expected.statistic)
    assert shape["p"][0] == pytest.approx(expected.pvalue, abs=1e-12)
    assert shape["skewness"][0] == pytest.approx(stats.skew(score))
    assert shape["excess_kurtosis"][0] == pytest.approx(stats.kurtosis(score))
    distance = stats.kstest(score, "norm", args=(score.mean(), score.std())).statistic
    assert shape["distance"][0] == pytest.approx(distance)
    # Everybody pays the same, so money changes nothing.
    assert shape["distance"][1] == pytest.approx(distance)


def test_interval_of_money_in_the_middle_covers_the_truth() -> None:
    # A normal score with spend that does not depend on it: 68.27 % of the money.
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(200):
        data = {"x": rng.normal(size=300), "m": rng.gamma(2, 1, 300)}
        table = market_mass(data, score="x", money="m", n_boot=200, random_state=1).to_dict()
        covered += table["money_lo"][1] <= 0.682689 <= table["money_hi"][1]
    assert 176 <= covered <= 200


def test_currency_and_scale_of_the_score_do_not_matter() -> None:
    data = market(500)
    one = market_mass(data, score="price", money="spend", n_boot=40, random_state=2).to_dict()
    other = market_mass(
        {"price": data["price"] * 4 + 1, "spend": data["spend"] * 8},
        score="price",
        money="spend",
        n_boot=40,
        random_state=2,
    ).to_dict()
    for name, column in one.items():
        if name != "segment":
            assert np.allclose(column, other[name]), name


def test_bad_markets_are_named() -> None:
    data = {"x": [1.0, 2.0, 3.0], "m": [1.0, -1.0, 2.0]}
    with pytest.raises(DataError, match=r'"m", row 1: found -1'):
        market_mass(data, score="x", money="m")
    with pytest.raises(DataError, match=r'column "x": found the same value'):
        market_mass({"x": [2.0, 2.0], "m": [1.0, 2.0]}, score="x", money="m")
    with pytest.raises(DataError, match=r'column "x": found a single value'):
        market_mass({"x": [2.0], "m": [1.0]}, score="x", money="m")
    with pytest.raises(DataError, match=r'column "m": found the sum 0'):
        market_mass({"x": [1.0, 2.0], "m": [0.0, 0.0]}, score="x", money="m")
    with pytest.raises(DataError, match="bands: found"):
        market_mass(data | {"m": [1.0, 1, 1]}, score="x", money="m", bands=(2, 1))
    with pytest.raises(DataError, match="mass: found 0"):
        market_mass(data | {"m": [1.0, 1, 1]}, score="x", money="m", mass=0)
    with pytest.raises(TypeError, match="has type text"):
        market_mass({"x": ["a", "b"], "m": [1.0, 2.0]}, score="x", money="m")


# Neighbours of a niche


def baskets() -> dict[str, Any]:
    rng = np.random.default_rng(11)
    who, what, paid = [], [], []
    for customer in range(500):
        sporty = rng.random() < 0.1
        chances = {"sport": 0.9 if sporty else 0.01, "health": 0.7 if sporty else 0.2}
        chances |= {"bread": 0.8, "rare": 0.02}
        for item, chance in chances.items():
            if rng.random() < chance:
                for _ in range(rng.integers(1, 3)):
                    who.append(customer)
                    what.append(item)
                    paid.append(float(rng.integers(1, 9)))
    return {"who": who, "what": what, "paid": paid}


def test_neighbours_are_those_of_the_incidence_table() -> None:
    pd = pytest.importorskip("pandas")
    data = baskets()
    found = mass_neighbours(
        data, customer="who", item="what", value="paid", niche="sport"
    ).to_pandas()
    frame = pd.DataFrame(data)
    incidence = pd.crosstab(frame["who"], frame["what"]) > 0
    money = frame.groupby("what")["paid"].sum()
    assert sorted(found["neighbour"]) == ["bread", "health"]
    profile = incidence / incidence.sum()
    mass = incidence.sum(axis=1) / incidence.to_numpy().sum()
    for row in found.itertuples():
        both = (incidence["sport"] & incidence[row.neighbour]).sum()
        either = (incidence["sport"] | incidence[row.neighbour]).sum()
        n, n_niche = incidence[row.neighbour].sum(), incidence["sport"].sum()
        assert (row.n_both, row.n, row.reach) == (both, n, n - both)
        assert row.jaccard == pytest.approx(both / either)
        assert row.lift == pytest.approx(both * len(incidence) / n / n_niche)
        assert row.lift_lo < row.lift < row.lift_hi
        assert row.value_per_customer == pytest.approx(money[row.neighbour] / n)
        assert row.score == pytest.approx(both / either * money[row.neighbour])
        distance = np.sqrt((((profile[row.neighbour] - mass) ** 2) / mass).sum())
        assert row.centroid_distance == pytest.approx(distance)
    assert (np.diff(found["score"]) <= 0).all()
    assert found.set_index("neighbour").loc["health", "lift_lo"] > 1
    everything = mass_neighbours(data, customer="who", item="what", niche="sport", min_size=1)
    assert len(everything.to_pandas()) == 3


def test_bad_niches_are_named() -> None:
    data = baskets()
    with pytest.raises(DataError, match='niche: found "golf", but the items of "what" are bread'):
        mass_neighbours(data, customer="who", item="what", niche="golf")
    with pytest.raises(DataError, match='column "what": found 1 item'):
        mass_neighbours({"who": [1], "what": ["a"]}, customer="who", item="what", niche="a")
    with pytest.raises(DataError, match=r'"paid", row 0: found -1'):
        mass_neighbours(
            {"who": [1], "what": ["a"], "paid": [-1.0]},
            customer="who",
            item="what",
            value="paid",
            niche="a",
        )


# What every result can do


def results() -> list[Any]:
    return [
        market_mass(
            market(300), score="price", money="spend", by="kind", n_boot=30, random_state=1
        ),
        mass_neighbours(baskets(), customer="who", item="what", value="paid", niche="sport"),
    ]


@pytest.mark.parametrize("place", range(2))
def test_results_are_saved_shown_and_drawn(place: int, check_result: Any) -> None:
    check_result(lambda: results()[place], [MarketMass, MassNeighbours][place])


def test_pictures_are_of_one_segment() -> None:
    assert "of a sits" in results()[0].plot(segment="a").get_label()
    with pytest.raises(DataError, match="segment: found 'c'"):
        results()[0].plot(segment="c")

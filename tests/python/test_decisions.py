"""Where effort pays, what goes with winning, and what targeting and deciding by segment are worth."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import optimize, stats

import ilk
from ilk.economics import (
    EffortIndex,
    FitAgainstActivity,
    TargetingValue,
    ValueOfSegmentation,
    effort_index,
    fit_against_activity,
    targeting_value,
    value_of_segmentation,
)
from ilk.exceptions import DataError, MemoryLimitError


def figure(result: Any, name: str) -> tuple[float, float, float]:
    """A figure of `.figures` and the ends of its interval."""
    sheet = ilk._frame.to_dict(result._core.sheet("figures"))
    row = sheet["figure"].index(name)
    return tuple(float(sheet[f"value{end}"][row]) for end in ("", "_lo", "_hi"))


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
    rows = np.arange(400_000)
    wide = {"s": (rows // 2).astype(str), "e": np.ones(len(rows)), "o": np.ones(len(rows))}
    with pytest.raises(MemoryLimitError, match=r"100000 replicates needs .*n_boot=200"):
        effort_index(wide, segment="s", effort="e", outcome="o", n_boot=100_000)
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


def test_penalised_profile_ends_where_the_likelihood_has_fallen() -> None:
    # One deal of nine is won, and no other deal has its fit: nearly nothing is known.
    x, y = np.eye(9)[8], np.eye(9)[7]
    deals = {"fit": x, "touches": y, "won": x}
    found = fit_against_activity(deals, fit="fit", activity="touches", won="won").to_dict()
    design = np.column_stack([np.ones(9)] + [(v - v.mean()) / v.std(ddof=1) for v in (x, y)])

    def negative(beta: np.ndarray) -> float:
        eta = design @ beta
        p = 1 / (1 + np.exp(-eta))
        _, log = np.linalg.slogdet((design * (p * (1 - p))[:, None]).T @ design)
        return float(np.logaddexp(0, eta).sum() - x @ eta - log / 2)

    ask = {"method": "Nelder-Mead", "options": {"xatol": 1e-9, "fatol": 1e-12, "maxiter": 9_999}}
    best = optimize.minimize(negative, np.zeros(3), **ask)
    assert found["log_odds"] == pytest.approx(best.x[1:], abs=1e-5)
    for index in (0, 1):
        for end in ("_lo", "_hi"):
            held = found[f"log_odds{end}"][index]
            others = optimize.minimize(
                lambda b, i=index, v=held: negative(np.insert(b, i + 1, v)),
                np.delete(best.x, index + 1),
                **ask,
            )
            assert 2 * (others.fun - best.fun) == pytest.approx(stats.chi2.ppf(0.95, 1), abs=1e-4)


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
    names = [str(place) for place in range(1_100)]
    with pytest.raises(DataError, match="1100 actions for 1100 segments, but at most"):
        value_of_segmentation({"s": names, "a": names, "v": np.ones(1_100)}, **ask)
    one = value_of_segmentation(data, n="n", **ask)
    assert (one.one_size, one.to_dict()["best_action"]) == ("p", ["q", "p"])
    single = {"s": ["x", "x"], "a": ["p", "q"], "v": [1.0, 2.0], "n": [5, 5]}
    only = value_of_segmentation(single, n="n", **ask)
    assert figure(only, "value_of_segmentation")[0] == 0


# What every result can do


def results() -> list[Any]:
    ask = {"n_boot": 40, "random_state": 1}
    return [
        effort_index(deals(), segment="s", effort="touches", outcome="won", **ask),
        fit_against_activity(deals(), fit="fit", activity="touches", won="won", by="s"),
        targeting_value(
            campaign(), target="target", converted="converted", cost="cost", days="days", **ask
        ),
        value_of_segmentation(experiment(1, 4.0), segment="s", action="a", value="v", **ask),
    ]


@pytest.mark.parametrize("place", range(4))
def test_results_are_saved_shown_and_drawn(place: int, check_result: Any) -> None:
    check_result(
        lambda: results()[place],
        [EffortIndex, FitAgainstActivity, TargetingValue, ValueOfSegmentation][place],
    )

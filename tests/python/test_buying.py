"""Models of repeat buying, spend and contracts: published figures, groups, forecasts, and what is refused."""

from __future__ import annotations

import importlib.util
import itertools
import math
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from ilk.economics import (
    BetaGeo,
    BetaGeoBetaBinomial,
    GammaGamma,
    ModifiedBetaGeo,
    ParetoNBD,
    ShiftedBetaGeometric,
    UnidentifiedWarning,
    rfm,
)
from ilk.exceptions import DataError, MissingColumnError, ModelFileError

HIGH_END = {"period": list(range(8)), "alive": [1000, 869, 743, 653, 593, 551, 517, 491]}
PURCHASES = [BetaGeo, ModifiedBetaGeo, ParetoNBD]


@pytest.fixture(scope="session")
def cdnow(realdata: Path) -> pd.DataFrame:
    return pd.read_csv(realdata / "cdnow_customers_summary.csv.gz")


def market(n: int = 2000, seed: int = 1) -> pd.DataFrame:
    """Draw customers of two groups from BG/NBD and gamma-gamma."""
    rng = np.random.default_rng(seed)
    group = np.where(rng.random(n) < 0.3, "fast", "slow")
    rate = rng.gamma(1.0, 1 / np.where(group == "fast", 4.0, 12.0))
    leaves = rng.beta(1.0, 3.0, size=n)
    age = rng.integers(150, 400, size=n) / 7
    rows = []
    for i in range(n):
        frequency, recency, now = 0, 0.0, 0.0
        while True:
            now += max(round(7 * rng.exponential(1 / rate[i])), 1) / 7
            if now > age[i]:
                break
            frequency, recency = frequency + 1, now
            if rng.random() < leaves[i]:
                break
        rows.append((frequency, recency))
    frame = pd.DataFrame(rows, columns=["frequency", "recency"]).assign(T=age, group=group)
    purchases = frame["frequency"].clip(lower=1)
    spend = rng.gamma(6.0 * purchases) / rng.gamma(4.0, 1 / 15.0, size=n) / purchases
    return frame.assign(
        monetary=spend.where(frame["frequency"] > 0), frequency=frame["frequency"].astype(float)
    )


@pytest.fixture(scope="module")
def customers() -> pd.DataFrame:
    return market()


def test_bg_nbd_of_cdnow_has_its_published_figures(cdnow: pd.DataFrame) -> None:
    model = BetaGeo(time_unit="week").fit(cdnow)
    found = [model.r_, model.alpha_, model.a_, model.b_]
    np.testing.assert_allclose(found, [0.242593, 4.413532, 0.792886, 2.425753], rtol=3e-6)
    assert model.log_likelihood_ == pytest.approx(-9582.4256, abs=5e-5)
    one = {"frequency": [2], "recency": [30.43], "T": [38.86]}
    assert model.expected_purchases(one, 39)[0] == pytest.approx(1.2259, abs=5e-5)
    assert model.p_alive(one)[0] == pytest.approx(0.726609, abs=1e-6)
    assert model.expected_new(39) == pytest.approx(1.195017, abs=2e-6)


def test_pareto_nbd_of_cdnow_has_its_published_figures(cdnow: pd.DataFrame) -> None:
    model = ParetoNBD().fit(cdnow)
    found = [model.r_, model.alpha_, model.s_, model.beta_]
    # Published to six places, but found by a search that ended a little earlier: the top is flat.
    np.testing.assert_allclose(found, [0.553275, 10.577612, 0.606214, 11.667912], rtol=2e-3)
    assert model.log_likelihood_ == pytest.approx(-9594.974, abs=5e-3)


def published() -> Path:
    """The data that the package lifetimes ships."""
    found = importlib.util.find_spec("lifetimes")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "datasets"


def test_gamma_gamma_of_cdnow_has_its_published_figures() -> None:
    folder = published()
    again = pd.read_csv(folder / "cdnow_customers_summary_with_transactions.csv").set_axis(
        ["id", "frequency", "recency", "T", "monetary"], axis=1
    )
    model = GammaGamma().fit(again)
    assert model.summary["n"].iloc[0] == 946
    np.testing.assert_allclose([model.p_, model.q_, model.v_], [6.2488, 3.7446, 15.4478], rtol=2e-5)
    assert model.mean_spend_ == pytest.approx(35.17, abs=5e-3)


def test_bg_bb_of_donors_has_its_published_figures() -> None:
    folder = published()
    donors = pd.read_csv(folder / "donations.csv")
    model = BetaGeoBetaBinomial().fit(donors, T="periods", weights="weights")
    found = [model.alpha_, model.beta_, model.gamma_, model.delta_]
    np.testing.assert_allclose(found, [1.204, 0.750, 0.657, 2.783], atol=1e-3)
    assert model.log_likelihood_ == pytest.approx(-33225.6, abs=0.05)


def test_gamma_gamma_has_the_likelihood_of_its_note(customers: pd.DataFrame) -> None:
    model = GammaGamma().fit(customers)
    again = customers[customers["frequency"] > 0]

    def told(p: float, q: float, v: float) -> float:
        return sum(
            math.lgamma(p * x + q) - math.lgamma(p * x) - math.lgamma(q)
            + q * math.log(v) + (p * x - 1) * math.log(z) + p * x * math.log(x)
            - (p * x + q) * math.log(v + x * z)
            for x, z in zip(again["frequency"], again["monetary"], strict=True)
        )  # fmt: skip

    top = np.array([model.p_, model.q_, model.v_])
    assert told(*top) == pytest.approx(model.log_likelihood_, rel=1e-10)
    for at, step in itertools.product(range(3), (0.999, 1.001)):
        moved = top.copy()
        moved[at] *= step
        assert told(*moved) < model.log_likelihood_
    errors = model.standard_errors_
    for name, truth in {"p": 6, "q": 4, "v": 15}.items():
        assert abs(getattr(model, f"{name}_") - truth) < 4 * errors[name]


def test_spend_is_drawn_to_the_mean_of_all(customers: pd.DataFrame) -> None:
    model = GammaGamma().fit(customers)
    found = model.expected_spend(customers)
    again = customers["frequency"] > 0
    np.testing.assert_array_equal(found[~again], model.mean_spend_)
    own = model.p_ * customers["frequency"] / (model.p_ * customers["frequency"] + model.q_ - 1)
    expected = own * customers["monetary"] + (1 - own) * model.mean_spend_
    np.testing.assert_allclose(found[again], expected[again], rtol=1e-12)


def test_shifted_beta_geometric_has_its_published_figures() -> None:
    model = ShiftedBetaGeometric().fit(HIGH_END)
    assert (model.alpha_, model.beta_) == (
        pytest.approx(0.668088, abs=1e-5),
        pytest.approx(3.806096, abs=5e-5),
    )
    assert model.log_likelihood_ == pytest.approx(-1611.158, abs=5e-4)
    assert model.survival(12) == pytest.approx(0.3780, abs=5e-5)
    np.testing.assert_allclose(
        model.retention([1, 2, 3, 4]), [0.85068, 0.87796, 0.89681, 0.91061], atol=5e-6
    )
    assert model.discounted_lifetime(0.10) == pytest.approx(5.9223, abs=5e-5)


def test_lifetime_in_advance_is_one_payment_more_than_what_renewals_bring() -> None:
    model = ShiftedBetaGeometric().fit(HIGH_END)
    for renewals, rate in itertools.product((0, 3), (0.02, 0.1, 1.0)):
        now = model.discounted_lifetime(rate, renewals=renewals)
        next_time = model.discounted_lifetime(rate, renewals=renewals, timing="arrears")
        assert now == pytest.approx(1 + next_time / (1 + rate), rel=1e-12)
        shares = np.asarray(model.survival(range(renewals, 2500))) / model.survival(renewals)
        slow = np.sum(shares * (1 + rate) ** -np.arange(len(shares), dtype=float))
        assert now == pytest.approx(slow, rel=1e-4)
    assert model.discounted_lifetime(0.0) == math.inf


@pytest.mark.filterwarnings("ignore:the data do not tell")
@pytest.mark.parametrize("kind", [*PURCHASES, BetaGeoBetaBinomial])
def test_weights_are_repeated_rows(kind: type, customers: pd.DataFrame) -> None:
    frame = customers.copy()
    if kind is BetaGeoBetaBinomial:
        rng = np.random.default_rng(0)
        there = rng.geometric(rng.beta(0.7, 3.0, size=len(frame))) - 1
        buys = rng.random((len(frame), 6)) < rng.beta(1.2, 0.8, size=len(frame))[:, None]
        buys &= np.arange(6) < there[:, None]
        last = np.where(buys, np.arange(1, 7), 0).max(axis=1)
        frame = pd.DataFrame({"frequency": buys.sum(axis=1), "recency": last, "T": 6})
    frame["times"] = np.arange(len(frame)) % 3
    weighted = kind().fit(frame, weights="times")
    repeated = kind().fit(frame.loc[frame.index.repeat(frame["times"])])
    assert weighted.log_likelihood_ == pytest.approx(repeated.log_likelihood_, rel=1e-12)
    np.testing.assert_allclose(
        weighted.summary["estimate"], repeated.summary["estimate"], rtol=1e-6
    )


@pytest.mark.parametrize("kind", PURCHASES)
def test_time_scales(kind: type, customers: pd.DataFrame) -> None:
    days = customers.assign(recency=customers["recency"] * 7, T=customers["T"] * 7)
    one, other = kind().fit(customers), kind().fit(days)
    assert other.alpha_ == pytest.approx(7 * one.alpha_, rel=1e-5)
    assert other.r_ == pytest.approx(one.r_, rel=1e-5)
    np.testing.assert_allclose(
        other.expected_purchases(days, 70), one.expected_purchases(customers, 10), rtol=1e-5
    )


def test_planted_parameters_are_recovered(customers: pd.DataFrame) -> None:
    model = BetaGeo().fit(customers, by="group")
    for name, truth in {"r": (1, 1), "a": (1, 1), "b": (3, 3), "alpha": (4, 12)}.items():
        for group, planted in zip(("fast", "slow"), truth, strict=True):
            found, error = getattr(model, f"{name}_")[group], model.standard_errors_[name][group]
            assert abs(found - planted) < 4 * error


def test_groups_have_the_models_of_their_own_customers(customers: pd.DataFrame) -> None:
    model = BetaGeo().fit(customers, by="group")
    fast = customers[customers["group"] == "fast"]
    alone = BetaGeo().fit(fast)
    assert model.r_["fast"] == alone.r_
    np.testing.assert_array_equal(
        model.expected_purchases(fast, 8), alone.expected_purchases(fast, 8)
    )
    assert model.expected_new(8)["fast"] == alone.expected_new(8)
    assert set(model.summary["group"]) == {"fast", "slow"}
    unknown = fast.assign(group="other").head(2)
    assert np.isnan(model.expected_purchases(unknown, 8)).all()


def test_pooled_groups_lie_between_their_own_and_the_common() -> None:
    frame = market(9000, seed=4)
    frame["region"] = [f"r{i % 9}" for i in range(len(frame))]
    own, pooled = (
        BetaGeo().fit(frame, by="region"),
        BetaGeo().fit(frame, by="region", pooling="partial"),
    )
    common = pooled.common_
    typical = {name: value for name, (value, _) in common.items()}
    assert set(typical) == {"r", "alpha", "a", "b"}
    spread = {name: np.std(np.log(list(getattr(own, f"{name}_").values()))) for name in typical}
    shrunk = {name: np.std(np.log(list(getattr(pooled, f"{name}_").values()))) for name in typical}
    assert all(shrunk[name] < spread[name] for name in typical)
    # What is asked of a model lies between, group by group.
    all_customers = BetaGeo().fit(frame).expected_new(26)
    for region, before in own.expected_new(26).items():
        after = pooled.expected_new(26)[region]
        low, high = sorted((before, all_customers))
        assert low * 0.97 <= after <= high * 1.03
    assert own.common_ is None
    assert "pooled" in pooled.explain()


@pytest.mark.parametrize("kind", PURCHASES)
def test_customers_who_never_leave_are_reported(kind: type) -> None:
    rng = np.random.default_rng(0)
    age = rng.uniform(30, 50, size=500)
    frame = pd.DataFrame({"frequency": 30.0, "recency": age - rng.random(500), "T": age})
    with pytest.warns(UnidentifiedWarning, match="the data do not tell"):
        model = kind().fit(frame)
    assert model.identified_ is False
    assert model.summary["estimate"].isna().all()
    assert np.isnan(model.r_)
    assert "do not tell" in model.explain()
    # What is to come is told all the same: they go on as they did, all alike.
    rate = frame["frequency"].sum() / frame["T"].sum()
    np.testing.assert_allclose(model.expected_purchases(frame, 10), 10 * rate, rtol=0.01)
    assert (model.p_alive(frame) > 0.99).all()
    assert "–" in repr(model)


def test_one_unidentified_group_does_not_hide_the_others(customers: pd.DataFrame) -> None:
    idle = pd.DataFrame({"frequency": [0.0] * 20, "recency": 0.0, "T": 5.0, "group": "idle"})
    with pytest.warns(UnidentifiedWarning, match="group 'idle'"):
        model = BetaGeo().fit(pd.concat([customers, idle]), by="group")
    assert model.identified_ == {"fast": True, "idle": False, "slow": True}
    pooled = BetaGeo().fit(pd.concat([customers, idle]), by="group", pooling="partial")
    assert all(pooled.identified_.values())


def test_equal_amounts_and_steady_cohorts_are_reported() -> None:
    with pytest.warns(UnidentifiedWarning):
        model = GammaGamma().fit({"frequency": [1, 2, 3, 4] * 50, "monetary": [10.0] * 200})
    assert not model.identified_
    with pytest.warns(UnidentifiedWarning):
        cohort = ShiftedBetaGeometric().fit({"period": [0, 1, 2, 3], "alive": [100, 100, 100, 100]})
    assert math.isnan(cohort.alpha_)
    assert cohort.survival(3) == pytest.approx(1, abs=1e-3)
    np.testing.assert_allclose(
        model.expected_spend({"frequency": [0, 5], "monetary": [None, 10.0]}), 10, rtol=1e-3
    )
    assert "leaves no trace" in cohort.explain()


def test_value_is_discounted_per_year_in_the_unit_of_the_figures(customers: pd.DataFrame) -> None:
    model, spend = BetaGeo(time_unit="week").fit(customers), GammaGamma().fit(customers)
    plain = model.clv(customers, spend, 52, discount_rate=0)
    expected = model.expected_purchases(customers, 52) * spend.expected_spend(customers)
    np.testing.assert_allclose(plain, expected, rtol=1e-12)
    assert model.clv(customers, spend, 52, discount_rate=0, margin=0.3) == pytest.approx(
        0.3 * plain
    )
    arrears = model.clv(customers, spend, 52)
    advance = model.clv(customers, spend, 52, timing="advance")
    week = 1.10 ** (7 / 365.25)
    np.testing.assert_allclose(advance / arrears, week, rtol=1e-9)
    steps = [model.expected_purchases(customers, time) for time in range(53)]
    slow = sum((steps[t] - steps[t - 1]) / week**t for t in range(1, 53))
    np.testing.assert_allclose(arrears, slow * spend.expected_spend(customers), rtol=1e-8)
    with pytest.raises(
        DataError, match=r'unit of T is not known; try: BetaGeo\(time_unit="week"\)'
    ):
        BetaGeo().fit(customers).clv(customers, spend, 52)
    with pytest.raises(DataError, match="timing: found 'middle'"):
        model.clv(customers, spend, 52, timing="middle")


def test_forecasts_of_many_frames_agree(customers: pd.DataFrame) -> None:
    model = BetaGeo().fit(customers)
    expected = model.expected_purchases(customers, 12)
    for frame in (pl.from_pandas(customers), customers.to_dict("list"), customers.iloc[:, ::-1]):
        np.testing.assert_array_equal(model.expected_purchases(frame, 12), expected)
    renamed = customers.rename(columns={"frequency": "x", "recency": "last", "T": "age"})
    other = BetaGeo().fit(renamed, frequency="x", recency="last", T="age")
    np.testing.assert_array_equal(other.expected_purchases(renamed, 12), expected)


def test_a_missing_value_is_left_out_and_gives_a_missing_forecast(customers: pd.DataFrame) -> None:
    frame = customers.head(300).copy()
    frame.loc[7, "T"] = np.nan
    model = BetaGeo().fit(frame)
    assert model.manifest_["left_out"] == [{"reason": '"T" is missing, first in row 7', "rows": 1}]
    assert np.isnan(model.expected_purchases(frame, 5)).tolist() == [row == 7 for row in range(300)]
    spend = GammaGamma().fit(frame)
    reasons = [item["reason"] for item in spend.manifest_["left_out"]]
    assert reasons == ['"frequency" is 0: spend is that of repeat purchases']


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"frequency": 1.5}, 'column "frequency", row 3: found 1.5, but a whole number'),
        ({"frequency": -1.0}, 'column "frequency", row 3'),
        ({"recency": 1e6}, 'column "recency", row 3: found 1000000, but a number from 0 up to T'),
        (
            {"frequency": 0.0, "recency": 3.0},
            "recency is 0 for customers without a repeat purchase",
        ),
        ({"T": -1.0}, 'column "T", row 3'),
    ],
)
@pytest.mark.parametrize("kind", PURCHASES)
def test_impossible_customers_are_named(
    kind: type, change: dict[str, float], words: str, customers: pd.DataFrame
) -> None:
    frame = customers.head(50).copy()
    good = kind().fit(customers)
    for column, value in change.items():
        frame.loc[3, column] = value
    with pytest.raises(DataError, match=words):
        kind().fit(frame)
    with pytest.raises(DataError, match=words):
        good.p_alive(frame)


def test_arguments_that_cannot_be_are_refused(customers: pd.DataFrame) -> None:
    with pytest.raises(MissingColumnError, match='column "T" not found'):
        BetaGeo().fit(customers.drop(columns="T"))
    with pytest.raises(DataError, match="there are no groups to pool"):
        BetaGeo().fit(customers, pooling="partial")
    with pytest.raises(DataError, match="pooling: found 'all'"):
        BetaGeo().fit(customers, by="group", pooling="all")
    with pytest.raises(TypeError, match="by is a Series"):
        BetaGeo().fit(customers, by=customers["group"])
    with pytest.raises(DataError, match='column "w", row 0: found -1'):
        BetaGeo().fit(customers.assign(w=-1.0), weights="w")
    with pytest.raises(DataError, match="time: found -1"):
        BetaGeo().fit(customers).expected_purchases(customers, -1)
    with pytest.raises(TypeError, match="time: found 'year'"):
        BetaGeo().fit(customers).expected_purchases(customers, "year")
    with pytest.raises(NotFittedError):
        BetaGeo().p_alive(customers)
    with pytest.raises(DataError, match='column "monetary", row 1: found -3'):
        GammaGamma().fit({"frequency": [1, 2], "monetary": [5.0, -3.0]})
    with pytest.raises(DataError, match="at least 1 rows, but there are 0"):
        GammaGamma().fit({"frequency": [0, 0], "monetary": [None, None]})


@pytest.mark.parametrize(
    ("cohort", "words"),
    [
        ({"period": [0, 1, 2], "alive": [10, 12, 9]}, 'column "alive", row 1: found 12'),
        ({"period": [0, 2, 3], "alive": [10, 8, 7]}, 'column "period", row 1: found 2'),
        ({"period": [0, 1, 1], "alive": [10, 8, 7]}, 'column "period", row 2: found 1'),
        ({"period": [0, 1], "alive": [10, 8]}, "at least 3 rows"),
    ],
)
def test_impossible_cohorts_are_named(cohort: dict[str, list[int]], words: str) -> None:
    with pytest.raises(DataError, match=words):
        ShiftedBetaGeometric().fit(cohort)


def test_cohorts_may_be_shuffled_and_many() -> None:
    frame = pd.concat(
        [
            pd.DataFrame(HIGH_END).assign(plan="high end"),
            pd.DataFrame(
                {
                    "period": range(8),
                    "alive": [1000, 631, 468, 382, 326, 289, 262, 241],
                    "plan": "regular",
                }
            ),
        ]
    ).sample(frac=1, random_state=0)
    model = ShiftedBetaGeometric().fit(frame, by="plan")
    assert model.alpha_["high end"] == pytest.approx(0.668088, abs=1e-5)
    # Published for "Regular" in the same paper.
    assert (model.alpha_["regular"], model.beta_["regular"]) == (
        pytest.approx(0.704, abs=1e-3),
        pytest.approx(1.182, abs=1e-3),
    )
    assert model.survival([0, 12])["regular"].shape == (2,)


@pytest.mark.parametrize("kind", [*PURCHASES, GammaGamma])
@pytest.mark.parametrize("by", [None, "group"])
def test_models_are_saved_and_cloned(kind: type, by: str | None, customers: pd.DataFrame) -> None:
    model = kind().fit(customers, by=by)
    for back in (kind.from_json(model.to_json()), pickle.loads(pickle.dumps(model))):
        pd.testing.assert_frame_equal(back.summary, model.summary)
        assert back.log_likelihood_ == model.log_likelihood_
        assert repr(back) == repr(model)
    assert not hasattr(clone(model), "fitted_")
    other = ParetoNBD if kind is not ParetoNBD else BetaGeo
    with pytest.raises(ModelFileError, match=f"holds a {kind.__name__}"):
        other.from_json(model.to_json())
    assert "log-likelihood" in model._repr_mimebundle_()["text/html"]


def test_units_of_time_go_with_the_model(customers: pd.DataFrame) -> None:
    model = BetaGeo(time_unit="week").fit(customers)
    back = BetaGeo.from_json(model.to_json())
    spend = GammaGamma().fit(customers)
    np.testing.assert_array_equal(back.clv(customers, spend, 10), model.clv(customers, spend, 10))
    orders = {"who": [1, 1, 2, 2, 3], "when": [0, 30, 5, 40, 9], "paid": [5.0, 6.0, 7.0, 8.0, 9.0]}
    names = {"customer": "who", "date": "when", "value": "paid"}
    with pytest.raises(
        DataError, match="figures in days, but the model was fitted to figures in weeks"
    ):
        model.p_alive(rfm(orders, **names))
    assert len(model.p_alive(rfm(orders, **names, time_unit="week"))) == 3
    with pytest.raises(DataError, match="time_unit: found 'week', but the figures are in days"):
        BetaGeo(time_unit="week").fit(rfm(orders, **names))
    with pytest.raises(DataError, match='definition="btyd"'):
        BetaGeo().fit(rfm(orders, **names, definition="marketing"))


def test_every_model_explains_itself(customers: pd.DataFrame) -> None:
    words = {
        BetaGeo: "after each repeat purchase",
        ModifiedBetaGeo: "the first included",
        ParetoNBD: "leave for good in the first week",
        GammaGamma: "is worth",
    }
    for kind, told in words.items():
        model = kind() if kind is GammaGamma else kind(time_unit="week")
        assert told in model.fit(customers).explain()
    assert "renew the first time" in ShiftedBetaGeometric().fit(HIGH_END).explain()


def test_numbers_of_purchases_are_those_of_customers_drawn_from_the_model(
    customers: pd.DataFrame,
) -> None:
    rng = np.random.default_rng(3)
    n, age = 40_000, 30.0
    rate, leaves = rng.gamma(0.8, 1 / 6.0, size=n), rng.beta(0.9, 2.5, size=n)
    counts = np.zeros(n, dtype=int)
    for i in range(n):
        now = rng.exponential(1 / rate[i])
        while now <= age:
            counts[i] += 1
            now = now + rng.exponential(1 / rate[i]) if rng.random() > leaves[i] else np.inf
    model = BetaGeo().fit(customers)
    text = model.to_json()
    for name, value in {"r": 0.8, "alpha": 6.0, "a": 0.9, "b": 2.5}.items():
        text = text.replace(repr(getattr(model, f"{name}_")), repr(value))
    found = BetaGeo.from_json(text)
    shares = found.fitted_._core.counts_of_new(age, 7)[0]
    actual = np.bincount(np.minimum(counts, 7)) / n
    assert np.all(np.abs(actual - shares) < 5 * np.sqrt(np.array(shares) / n))

"""Traits of segments: figures worked out elsewhere, planted traits, pictures and messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import stats
from sklearn.datasets import load_iris

import ilk
from ilk.exceptions import DataError, MissingColumnError
from ilk.profile import SegmentProfile, profile, ranked

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(scope="module")
def market() -> Any:
    return ilk.datasets.make_market(1500, random_state=3)


@pytest.fixture(scope="module")
def iris() -> pd.DataFrame:
    data = load_iris(as_frame=True)
    return data.data.assign(species=data.target_names[data.target])


def row(found: SegmentProfile, **wanted: str) -> Any:
    table = found.to_pandas()
    for column, value in wanted.items():
        table = table[table[column] == value]
    assert len(table) == 1
    return table.iloc[0]


def answers(n: int = 600, seed: int = 5) -> pd.DataFrame:
    """Two segments with one planted need, one planted number and one of neither."""
    rng = np.random.default_rng(seed)
    group = np.where(rng.random(n) < 0.4, "x", "y")
    return pd.DataFrame(
        {
            "group": group,
            "fast": np.where(rng.random(n) < np.where(group == "x", 0.8, 0.3), "Yes", "No"),
            "rare": (rng.random(n) < np.where(group == "x", 0.4, 0.01)).astype(int),
            "spend": rng.gamma(2, 10, n) + np.where(group == "x", 20, 0),
            "region": rng.choice(["north", "south", "east"], n),
        }
    )


def test_v_tests_and_eta_squared_of_iris_are_those_of_catdes(iris: pd.DataFrame) -> None:
    """S5-PAT-01, S5-CHAR-01: figures of FactoMineR's catdes."""
    found = profile("species", iris)
    printed = {
        "sepal width (cm)": 7.3647988,
        "sepal length (cm)": -8.7571743,
        "petal width (cm)": -10.8314102,
        "petal length (cm)": -11.2637870,
    }
    for feature, value in printed.items():
        v_test = row(found, feature=feature, segment="setosa")["v_test"]
        assert v_test == pytest.approx(value, abs=5e-8)
    effects = found.effects.set_index("feature")["effect"]
    for feature, value in {
        "petal length (cm)": 0.94137172,
        "petal width (cm)": 0.92888293,
        "sepal length (cm)": 0.61870573,
        "sepal width (cm)": 0.40078285,
    }.items():
        assert effects[feature] == pytest.approx(value, abs=5e-9)
    assert list(effects.index) == list(effects.sort_values(ascending=False).index)


def test_every_figure_of_a_number_is_that_of_scipy(iris: pd.DataFrame) -> None:
    found = profile("species", iris)
    name = "sepal width (cm)"
    inside, rest = (
        iris.loc[iris["species"].eq("virginica") == side, name] for side in (True, False)
    )
    cell = row(found, feature=name, segment="virginica")
    interval = stats.t.interval(0.95, len(inside) - 1, inside.mean(), stats.sem(inside))
    assert (cell["value_lo"], cell["value_hi"]) == pytest.approx(interval, rel=1e-10)
    u = stats.mannwhitneyu(inside, rest).statistic
    assert cell["auc"] == pytest.approx(u / len(inside) / len(rest), rel=1e-12)
    pooled = np.sqrt((49 * inside.var() + 99 * rest.var()) / 148)
    assert cell["effect"] == pytest.approx((inside.mean() - rest.mean()) / pooled, rel=1e-10)
    assert cell["others"] == pytest.approx(rest.mean())
    assert cell["spread"] == pytest.approx(iris[name].std(ddof=0))
    effect = found.effects.set_index("feature").loc[name]
    classic = stats.f_oneway(*(part[name] for _, part in iris.groupby("species")))
    assert (effect["statistic"], effect["p"]) == pytest.approx(tuple(classic), rel=1e-9)


def test_every_figure_of_a_share_is_that_of_scipy() -> None:
    data = answers()
    found = profile("group", data)
    inside, rest = (
        data.loc[data["group"].eq("x") == side, "fast"].eq("Yes") for side in (True, False)
    )
    cell = row(found, feature="fast", level="Yes", segment="x")
    k, n, m = int(inside.sum()), len(inside), int(inside.sum() + rest.sum())
    wilson = stats.binomtest(k, n).proportion_ci(method="wilson")
    assert (cell["value_lo"], cell["value_hi"]) == pytest.approx(
        (wilson.low, wilson.high), rel=1e-9
    )
    law = stats.hypergeom(len(data), m, n)
    mid = 2 * min(law.cdf(k - 1), law.sf(k)) + law.pmf(k)
    assert cell["p"] == pytest.approx(mid, rel=1e-7)
    assert cell["v_test"] == pytest.approx(stats.norm.isf(mid / 2), rel=1e-8)
    assert cell["lift"] == pytest.approx(inside.mean() / data["fast"].eq("Yes").mean())
    assert cell["index"] == cell["lift"]
    assert cell["lift_lo"] < cell["lift"] < cell["lift_hi"]
    h = 2 * np.arcsin(np.sqrt(inside.mean())) - 2 * np.arcsin(np.sqrt(rest.mean()))
    assert cell["effect"] == pytest.approx(h, rel=1e-10)
    area = stats.mannwhitneyu(inside, rest).statistic / len(inside) / len(rest)
    assert cell["auc"] == pytest.approx(area)
    effect = found.effects.set_index("feature").loc["fast"]
    table = pd.crosstab(data["fast"], data["group"])
    chi2 = stats.chi2_contingency(table, correction=False)
    assert (effect["statistic"], effect["p"]) == pytest.approx(
        (chi2.statistic, chi2.pvalue), rel=1e-9
    )
    v = stats.contingency.association(table, method="cramer", correction=False)
    assert effect["effect"] == pytest.approx(v, rel=1e-9)


def test_adjusted_p_values_are_those_of_scipy() -> None:
    table = profile("group", answers()).to_pandas()
    assert table["q"].to_numpy() == pytest.approx(stats.false_discovery_control(table["p"]))


def test_huge_counts_keep_their_v_test() -> None:
    n = 400_000
    data = pd.DataFrame(
        {
            "group": np.repeat(["x", "y"], n),
            "has": np.r_[np.arange(n) < 300_000, np.arange(n) < 100_000],
        }
    )
    cell = row(profile("group", data), feature="has", level="True", segment="x")
    # Far below the smallest float the tail is that of the hypergeometric law, whose logarithm scipy knows.
    law = stats.hypergeom(2 * n, n, n)
    tail = law.logpmf(300_000)
    assert cell["p"] == 0
    assert -stats.norm.logsf(cell["v_test"]) == pytest.approx(-tail, rel=1e-4)
    assert np.isfinite(cell["v_test"])
    assert cell["v_test"] > 400


def test_columns_of_zero_and_one_are_shares() -> None:
    cell = row(profile("group", answers()), feature="rare", segment="x")
    assert (cell["measure"], cell["level"]) == ("share", "")
    text = profile("group", answers().assign(rare=lambda f: np.where(f["rare"] == 1, "a", "b")))
    same = row(text, feature="rare", level="a", segment="x")
    for name in ("value", "value_lo", "lift_hi", "v_test", "p", "effect", "auc"):
        assert cell[name] == pytest.approx(same[name])


def test_common_and_unique_traits_are_told_by_their_bars() -> None:
    """S5-PAT-01: what members share, and what nobody else has."""
    found = profile("group", answers())
    assert found.unique()["x"][0].startswith("rare ")
    assert found.unique()["x"][0].endswith("of all others")
    assert found.unique()["y"] == []
    assert any(told.startswith("fast = Yes") for told in found.common()["x"])
    assert not any(told.startswith("rare") for told in found.common()["x"])
    assert any(told.startswith("rare") for told in found.common(at_least=0.3)["x"])
    assert found.unique(at_most=0.0)["x"] == []
    table = found.to_pandas()
    shares = table[table["measure"] == "share"]
    assert (shares["common"] == (shares["value"] >= 0.5)).all()
    assert list(shares.loc[shares["unique"], "feature"]) == ["rare"]


def test_markers_are_the_planted_traits() -> None:
    found = profile("group", answers())
    told = {text.split(" ")[0] for text in found.markers()["x"]}
    assert told == {"fast", "rare", "spend"}
    assert "spend" in found.explain()


def test_ratio_to_the_mean_marks_no_number_with_two_signs() -> None:
    rng = np.random.default_rng(1)
    group = rng.random(4000) < 0.5
    data = pd.DataFrame({"group": group, "score": rng.normal(0, 1, 4000) + 0.2 * group - 0.1})
    found = profile("group", data)
    assert row(found, feature="score", segment="True")["q"] < 1e-4
    assert not found.to_pandas()["marker"].any()


@pytest.mark.realdata
def test_segments_of_mcdonalds_are_evaluated_as_in_the_book(realdata: Any) -> None:
    """Segment evaluation of Dolnicar, Grün and Leisch (2018): mean visits and liking, share of women, mean age."""
    data = pd.read_csv(realdata / "mcdonalds_msa.csv.gz")
    numbers = (data.iloc[:, :11] == "Yes").astype(float)
    found = ilk.segment(numbers, k=4, scale="none", n_init=2000, random_state=0)
    visits = [
        "Never",
        "Once a year",
        "Every three months",
        "Once a month",
        "Once a week",
        "More than once a week",
    ]
    like = {f"{value:+d}".replace("+0", "0"): value for value in range(-5, 6)}
    like |= {"I hate it!-5": -5, "I love it!+5": 5}
    descriptors = pd.DataFrame(
        {
            "visit": data["VisitFrequency"].map({name: at + 1 for at, name in enumerate(visits)}),
            "like": data["Like"].map(
                lambda text: like[text if text in like else f"{int(text):+d}".replace("+0", "0")]
            ),
            "Gender": data["Gender"],
            "Age": data["Age"],
        }
    )
    values = found.profile(descriptors, features=["visit", "like", "Gender", "Age"]).values
    women = "Gender = Female" if "Gender = Female" in values else None
    printed = np.array(
        [
            [3.94655, 2.66552, 0.60172, 43.4707],
            [3.86164, 2.15409, 0.47799, 39.7516],
            [2.60952, -1.46032, 0.59048, 48.9460],
            [2.40417, -2.67500, 0.42083, 48.0792],
        ]
    )
    share = values[women] if women else 1 - values["Gender = Male"]
    ours = np.column_stack([values["visit"], values["like"], share, values["Age"]])
    assert ours == pytest.approx(printed, abs=6e-5)


def test_problems_needs_and_habits_are_ranked_with_prevalence_lift_and_interval() -> None:
    """S2-PERS-02."""
    data = answers().assign(cheap=lambda f: f["rare"] == 0)
    lists = {"needs": ["fast", "cheap"], "problems": ["rare"], "habits": ["region"]}
    found = ranked("group", data, items=lists)
    assert list(dict.fromkeys(found["kind"])) == ["needs", "problems", "habits"]
    needs = found[(found["kind"] == "needs") & (found["segment"] == "x")]
    assert list(needs["item"]) == ["fast", "cheap"]
    assert list(needs["rank"]) == [1, 2]
    first = needs.iloc[0]
    share = data.loc[data["group"] == "x", "fast"].eq("Yes").mean()
    assert first["prevalence"] == pytest.approx(share)
    assert first["prevalence_lo"] < share < first["prevalence_hi"]
    assert first["lift_lo"] < first["lift"] < first["lift_hi"]
    habits = found[(found["kind"] == "habits") & (found["segment"] == "y")]
    assert set(habits["item"]) == {"region = north", "region = south", "region = east"}
    by_share = ranked("group", data, items=["fast", "rare", "cheap"], by="prevalence", top=1)
    assert list(by_share["item"]) == ["fast", "cheap"]
    with pytest.raises(DataError, match=r"items: found 'spend' among 'item', but it is a number"):
        ranked("group", data, items=["spend"])
    with pytest.raises(DataError, match="by: found 'size'"):
        ranked("group", data, items=["fast"], by="size")
    with pytest.raises(TypeError, match="items: found one text"):
        ranked("group", data, items="fast")
    with pytest.raises(MissingColumnError, match="did you mean"):
        ranked("group", data, items=["fasd"])


def planted(seed: int, n: int = 1500) -> tuple[set[str], SegmentProfile]:
    """Give a market with columns that differ in one segment and many that differ in nothing, and its profile."""
    market = ilk.datasets.make_market(n, random_state=seed)
    rng = np.random.default_rng(seed + 1000)
    segment = np.asarray(market.truth.segment)
    names = sorted(set(segment))
    columns: dict[str, Any] = {}
    for at, name in enumerate(names):
        inside = segment == name
        columns[f"planted share {at}"] = rng.random(n) < np.where(inside, 0.6, 0.3)
        columns[f"planted number {at}"] = rng.normal(0, 1, n) + np.where(inside, 0.9, 0)
    for at in range(10):
        columns[f"null number {at}"] = rng.gamma(1, 10, n)
        columns[f"null share {at}"] = rng.random(n) < rng.choice([0.05, 0.3, 0.5])
        columns[f"null category {at}"] = rng.choice(list("abcde"), n)
    found = profile(pd.Series(segment), pd.DataFrame(columns))
    return {
        f"{kind} {at}" for kind in ("planted share", "planted number") for at in range(len(names))
    }, found


def test_planted_traits_are_found_and_hardly_any_other() -> None:
    """S5-CHAR-01: at most 5 % of what is flagged differs in nothing; tests/benches/power_profile.py tries 400 markets."""
    false, power = [], []
    for seed in range(25):
        wanted, found = planted(seed)
        table = found.to_pandas()
        flagged = table.loc[table["marker"], "feature"]
        false.append((~flagged.isin(wanted)).mean() if len(flagged) else 0.0)
        strongest = (
            table[table["marker"] & (table["v_test"] > 0)].groupby("feature")["segment"].first()
        )
        names = sorted(set(table["segment"]))
        hits = [strongest.get(name) == names[int(name.split()[-1])] for name in wanted]
        power.append(np.mean(hits))
    assert np.mean(false) <= 0.05
    assert np.mean(power) > 0.9


def test_whole_weights_are_as_good_as_rows() -> None:
    data = answers(200).assign(weight=lambda f: 1 + (f["spend"] > 30))
    weighted = profile("group", data, weights="weight").to_pandas()
    repeated = data.loc[data.index.repeat(data["weight"])].drop(columns="weight")
    plain = profile("group", repeated).to_pandas()
    numbers = [name for name in plain.select_dtypes("number") if name != "n"]
    for name in numbers:
        assert weighted[name].to_numpy() == pytest.approx(plain[name].to_numpy(), nan_ok=True), name


def test_survey_weights_count_for_fewer_customers() -> None:
    data = answers(300)
    rng = np.random.default_rng(0)
    data["weight"] = rng.gamma(2, 100, 300)
    found = profile("group", data, weights="weight")
    assert any("(Kish)" in note for note in found.manifest["notes"])
    cell = row(found, feature="spend", segment="x")
    inside = data[data["group"] == "x"]
    assert cell["value"] == pytest.approx(np.average(inside["spend"], weights=inside["weight"]))
    tenfold = profile("group", data.assign(weight=lambda f: 10 * f["weight"]), weights="weight")
    assert row(tenfold, feature="spend", segment="x")["v_test"] == pytest.approx(cell["v_test"])
    plain = row(profile("group", data, ["spend"]), feature="spend", segment="x")
    assert cell["value_hi"] - cell["value_lo"] > plain["value_hi"] - plain["value_lo"]


def test_missing_values_leave_their_column_alone() -> None:
    data = answers(100)
    data.loc[:19, "spend"] = np.nan
    data.loc[95:, "group"] = None
    found = profile("group", data)
    assert (
        row(found, feature="spend", segment="x")["n"]
        + row(found, feature="spend", segment="y")["n"]
        == 75
    )
    assert found.manifest["rows_used"] == 95
    assert found.manifest["left_out"] == [{"reason": "no segment", "rows": 5}]


def test_columns_that_say_nothing_are_left_out_with_the_reason() -> None:
    data = answers(100).assign(
        customer_id=range(100), note=[f"text {at}" for at in range(100)], nothing=None, one=1.5
    )
    found = profile("group", data)
    assert set(found.to_dict()["feature"]) == {"fast", "rare", "spend", "region", "one"}
    assert np.isnan(row(found, feature="one", segment="x")["v_test"])
    notes = " ".join(found.manifest["notes"])
    for name in ("customer_id", "note", "nothing"):
        assert f'column "{name}" was not used' in notes
    with pytest.raises(DataError, match='column "nothing": found no value at all'):
        profile("group", data, ["nothing"])


def test_segment_without_customers_and_a_single_segment_have_no_tests() -> None:
    data = answers(60).assign(
        group=lambda f: pd.Categorical(f["group"], ["x", "y", "z"], ordered=True)
    )
    found = profile("group", data)
    empty = row(found, feature="spend", segment="z")
    assert empty["n"] == 0
    assert np.isnan(empty[["value", "value_lo", "v_test", "q", "auc"]].astype(float)).all()
    assert 'segment "z" has no customer' in found.manifest["notes"]
    single = profile(np.zeros(60, dtype=int), data[["spend", "fast"]])
    assert np.isnan(single.to_pandas()["v_test"]).all()
    assert not single.to_pandas()["marker"].any()
    assert single.plot() is not None


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda d: profile("group", d, ["spent"]), MissingColumnError, "did you mean"),
        (lambda d: profile("groups", d), MissingColumnError, "did you mean"),
        (lambda d: profile("group", d, "spend"), TypeError, "features: found one text"),
        (lambda d: profile("group", d, ["spend", "spend"]), DataError, "found 'spend' twice"),
        (lambda d: profile("group", d, []), DataError, "features: found no column"),
        (
            lambda d: profile("group", d, confidence=95),
            DataError,
            r"confidence: found 95.*try: confidence=0.95",
        ),
        (
            lambda d: profile("group", d.assign(w=-1.0), weights="w"),
            DataError,
            'column "w", row 0: found -1',
        ),
        (lambda d: profile([0, 1], d), DataError, "found 2 labels, but df has 600 rows"),
        (lambda d: profile(np.full(600, -1), d), DataError, "600 rows, all left out: no segment"),
        (
            lambda d: profile(np.zeros(600, dtype=int)),
            DataError,
            r"df: found none.*try: df=customers",
        ),
        (lambda d: profile("group", d).plot("bars"), DataError, "kind: found 'bars'"),
        (lambda d: profile("group", d).plot(top=0), DataError, "top: found 0"),
        (lambda d: profile("group", d).common(at_least=50), DataError, "at_least: found 50"),
    ],
)
def test_bad_input_is_named(
    call: Callable[[Any], Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        call(answers())


def test_segmentation_profiles_any_columns(market: Any) -> None:
    found = ilk.segment(market.customers, ["age", "basket_value"], k=3, random_state=0)
    assert set(found.profile().to_dict()["feature"]) == {"age", "basket_value"}
    own = found.profile(features=["age", "region"])
    assert set(own.to_dict()["feature"]) == {"age", "region"}
    kept = row(found.profile(), feature="age", segment="segment 1")
    again = row(own, feature="age", segment="segment 1")
    for name in ("value", "value_lo", "auc", "effect", "v_test"):
        assert kept[name] == pytest.approx(again[name], rel=1e-12)
    fewer = found.limit(2)
    merged = row(fewer.profile(), feature="age", segment=fewer.names[0])
    direct = row(fewer.profile(features=["age"]), feature="age", segment=fewer.names[0])
    for name in ("value", "value_hi", "auc", "effect", "v_test"):
        assert merged[name] == pytest.approx(direct[name], rel=1e-10)
    # The column of the labels is no trait of the segments.
    data = market.customers.assign(segment=found.labels)
    assert "segment" not in profile(data["segment"], data).to_dict()["feature"]
    assert "segment" not in profile("segment", data).to_dict()["feature"]
    assert "segment" not in found.profile(data).to_dict()["feature"]
    other = data.assign(segment=market.truth.segment)
    assert "segment" in found.profile(other).to_dict()["feature"]


def test_frames_come_back_as_they_went_in() -> None:
    data = answers()
    found = profile("group", pl.from_pandas(data))
    assert isinstance(found.table, pl.DataFrame)
    assert isinstance(found.values, pl.DataFrame)
    assert isinstance(found.effects, pl.DataFrame)
    assert isinstance(found.ranked(), pl.DataFrame)
    pandas = profile("group", data)
    assert found.to_pandas().equals(pandas.to_pandas())


def test_profile_is_saved_shown_and_drawn() -> None:
    plt = pytest.importorskip("matplotlib.pyplot")
    found = profile("group", answers())
    again = SegmentProfile.from_json(found.to_json())
    assert again.to_json() == found.to_json()
    assert str(again.explain()) == str(found.explain())
    assert again.to_pandas().equals(found.to_pandas())
    assert "<table>" in found._repr_html_()
    assert "x: " in found.plot().get_label()
    assert "eta2" in found.plot("effects", top=3).get_label()
    only_shares = profile("group", answers(), ["fast", "rare"])
    assert "share of the customers" in only_shares.plot().get_xlabel()
    broken = found.to_json().replace('"confidence":0.95', '"confidence":95')
    with pytest.raises(ilk.exceptions.ModelFileError, match="confidence"):
        SegmentProfile.from_json(broken)
    plt.close("all")


def test_yes_is_shown_whatever_its_place() -> None:
    data = answers().assign(fast=lambda f: f["fast"].map({"Yes": "ja", "No": "nein"}))
    text = repr(profile("group", data))
    assert "fast = ja" in text
    assert "fast = nein" not in text


def test_dates_are_told_as_dates() -> None:
    days = pd.to_datetime(["2024-01-01", "2024-01-03"] * 10 + ["2024-03-01", "2024-03-03"] * 10)
    found = profile("g", pd.DataFrame({"g": ["p"] * 20 + ["q"] * 20, "since": days}), ["since"])
    table = found.to_pandas().set_index("segment")
    assert table["measure"].tolist() == ["date", "date"]
    assert table.loc["p", "value"] == (pd.Timestamp("2024-01-02") - pd.Timestamp(0)).days
    for told in (str(found.explain()), found._repr_html_(), repr(found)):
        assert "2024-01-02" in told
        assert "19,7" not in told
    assert type(found).from_json(found.to_json()).to_json() == found.to_json()

"""Descriptors over segments: tests by name against scipy, pairs, pictures and messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.datasets import load_iris

import ilk
from ilk.exceptions import DataError, MissingColumnError
from ilk.profile import SegmentDescription, describe

if TYPE_CHECKING:
    from collections.abc import Callable


def people(n: int = 240, seed: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    group = rng.choice(["x", "y", "z"], n)
    shift = pd.Series(group).map({"x": 0.0, "y": 0.0, "z": 1.0}).to_numpy()
    return pd.DataFrame(
        {
            "group": group,
            "age": 40 + 10 * (rng.normal(0, 1, n) + shift),
            "visits": rng.poisson(2 + 2 * shift),
            "city": np.where(rng.random(n) < 0.3 + 0.4 * shift, "york", "hull"),
            "noise": rng.normal(0, 1, n),
            "owner": (rng.random(n) < 0.5).astype(int),
        }
    )


def of_column(found: SegmentDescription, name: str) -> pd.DataFrame:
    table = found.to_pandas()
    return table[table["descriptor"] == name].set_index("test")


def test_tests_of_numbers_are_those_of_scipy() -> None:
    data = people()
    found = describe("group", df=data)
    for name in ("age", "visits", "noise"):
        parts = [part[name].to_numpy() for _, part in data.groupby("group")]
        table = of_column(found, name)
        classic = stats.f_oneway(*parts)
        assert table.loc["ANOVA", ["statistic", "p"]].tolist() == pytest.approx(
            list(classic), rel=1e-9
        )
        ranked = stats.kruskal(*parts)
        assert table.loc["Kruskal-Wallis", ["statistic", "p"]].tolist() == pytest.approx(
            list(ranked), rel=1e-9
        )
        assert table.loc["Kruskal-Wallis", "effect"] == pytest.approx(
            ranked.statistic / (len(data) - 1)
        )
        between = sum(len(p) * (p.mean() - data[name].mean()) ** 2 for p in parts)
        eta2 = between / ((data[name] - data[name].mean()) ** 2).sum()
        assert table.loc["ANOVA", "effect"] == pytest.approx(eta2)
        assert table.loc["Welch ANOVA", "effect"] == pytest.approx(eta2)


def test_welch_is_that_of_statsmodels_and_of_two_samples() -> None:
    iris = load_iris(as_frame=True)
    data = iris.data.assign(species=iris.target_names[iris.target])
    table = of_column(describe("species", df=data), "sepal length (cm)")
    # statsmodels.stats.oneway.anova_oneway(use_var="unequal"), and oneway.test of R.
    assert table.loc["Welch ANOVA", "statistic"] == pytest.approx(138.9083, abs=5e-5)
    assert table.loc["Welch ANOVA", "df2"] == pytest.approx(92.21115, abs=5e-6)
    two = people().query("group != 'x'")
    welch = stats.ttest_ind(*(part["age"] for _, part in two.groupby("group")), equal_var=False)
    found = of_column(describe("group", ["age"], two), "age").loc["Welch ANOVA"]
    assert (found["statistic"], found["p"]) == pytest.approx(
        (welch.statistic**2, welch.pvalue), rel=1e-9
    )


def test_tests_of_categories_are_those_of_scipy() -> None:
    data = people()
    found = describe("group", df=data)
    for name in ("city", "owner"):
        table = pd.crosstab(data[name], data["group"])
        wanted = stats.chi2_contingency(table, correction=False)
        cell = of_column(found, name).loc["chi-squared"]
        assert (cell["statistic"], cell["p"], cell["df1"]) == pytest.approx(
            (wanted.statistic, wanted.pvalue, wanted.dof), rel=1e-9
        )
        v = stats.contingency.association(table, correction=False)
        assert cell["effect"] == pytest.approx(v, rel=1e-9)


def test_thin_tables_are_tested_exactly() -> None:
    data = pd.DataFrame({"group": list("aaaabbbbb"), "city": list("yyyyhhhhy")})
    found = of_column(describe("group", df=data), "city")
    wanted = stats.fisher_exact(pd.crosstab(data["city"], data["group"]))
    assert found.loc["Fisher's exact", "p"] == pytest.approx(wanted.pvalue, rel=1e-9)


def test_random_tables_have_the_p_of_all_permutations() -> None:
    data = pd.DataFrame({"group": list("aaabbbcc"), "city": list("uuvvvwww")})
    found = describe("group", df=data, random_state=1, n_resamples=50_000)
    cell = of_column(found, "city").loc["chi-squared (Monte Carlo)"]
    codes = data["city"].astype("category").cat.codes.to_numpy()
    groups = data["group"].astype("category").cat.codes.to_numpy()
    rng = np.random.default_rng(0)

    def statistic(order: Any) -> float:
        table = np.zeros((3, 3))
        np.add.at(table, (codes[order], groups), 1)
        expected = table.sum(1, keepdims=True) * table.sum(0) / 8
        return float(((table - expected) ** 2 / expected).sum())

    seen = statistic(np.arange(8)) - 1e-9
    share = np.mean([statistic(rng.permutation(8)) >= seen for _ in range(20_000)])
    assert cell["statistic"] == pytest.approx(seen)
    assert cell["p"] == pytest.approx(share, abs=0.012)
    again = describe("group", df=data, random_state=1, n_resamples=50_000)
    assert again.to_json() == found.to_json()


def test_adjusted_over_the_tests_that_decide() -> None:
    found = describe("group", df=people())
    table = found.to_pandas()
    decides = table[table["decides"]]
    assert list(decides["descriptor"]) == ["age", "visits", "city", "noise", "owner"]
    assert set(decides["test"]) == {"Welch ANOVA", "chi-squared"}
    assert decides["q"].to_numpy() == pytest.approx(stats.false_discovery_control(decides["p"]))
    ranks = table[table["test"].isin(["Kruskal-Wallis", "chi-squared"])]
    family = stats.false_discovery_control(ranks["p"])
    assert ranks["q"].to_numpy()[ranks["test"] == "Kruskal-Wallis"] == pytest.approx(
        family[ranks["test"] == "Kruskal-Wallis"]
    )
    by_rank = describe("group", df=people(), numbers="kruskal").to_pandas()
    assert set(by_rank.loc[by_rank["decides"], "test"]) == {"Kruskal-Wallis", "chi-squared"}


def test_holm_is_never_below_benjamini_and_hochberg() -> None:
    plain, strict = (
        describe("group", df=people(), adjust=by).to_pandas()["q"] for by in ("bh", "holm")
    )
    assert (strict >= plain - 1e-15).all()
    decided = describe("group", df=people(), adjust="holm").to_pandas().query("decides")
    p = np.sort(decided["p"].to_numpy())
    wanted = np.minimum(1, np.maximum.accumulate(p * np.arange(len(p), 0, -1)))
    assert np.sort(decided["q"].to_numpy()) == pytest.approx(wanted)


def test_pairs_are_told_of_descriptors_that_differ() -> None:
    data = people()
    found = describe("group", df=data)
    pairs = found.pairs
    assert set(pairs["descriptor"]) == {"age", "visits", "city"}
    age = pairs[pairs["descriptor"] == "age"].set_index(["segment", "other"])
    parts = {name: part["age"] for name, part in data.groupby("group")}
    for (one, other), pair in age.iterrows():
        wanted = stats.ttest_ind(parts[one], parts[other], equal_var=False)
        assert (pair["statistic"], pair["p"]) == pytest.approx(
            (wanted.statistic, wanted.pvalue), rel=1e-9
        )
    apart = {pair for pair, cell in age.iterrows() if cell["q"] < 0.05}
    assert apart == {("x", "z"), ("y", "z")}
    assert found.pairs.query("descriptor == 'city'")["measure"].eq("Cramer's V").all()


def test_dunn_is_worked_out_from_the_ranks() -> None:
    data = people()
    pairs = describe("group", ["visits"], data, numbers="kruskal").pairs
    ranks = stats.rankdata(data["visits"])
    n = len(data)
    ties = sum(t**3 - t for t in data["visits"].value_counts())
    means = pd.Series(ranks).groupby(data["group"]).agg(["mean", "size"])
    first = pairs.iloc[0]
    one, other = means.loc[first["segment"]], means.loc[first["other"]]
    spread = (n * (n + 1) - ties / (n - 1)) / 12 * (1 / one["size"] + 1 / other["size"])
    z = (one["mean"] - other["mean"]) / np.sqrt(spread)
    assert first["test"] == "Dunn"
    assert (first["statistic"], first["p"]) == pytest.approx(
        (z, 2 * stats.norm.sf(abs(z))), rel=1e-9
    )


def test_five_numbers_and_counts_are_those_of_the_segment() -> None:
    data = people()
    found = describe("group", df=data)
    amounts = found.amounts.set_index(["descriptor", "segment"])
    for name, part in data.groupby("group"):
        cell = amounts.loc[("age", name)]
        assert cell["median"] == pytest.approx(part["age"].median())
        quartile = np.quantile(part["age"], [0, 0.25, 0.75, 1], method="averaged_inverted_cdf")
        assert cell[["least", "quarter", "three_quarters", "most"]].tolist() == pytest.approx(
            list(quartile)
        )
        assert cell["deviation"] == pytest.approx(part["age"].std())
    counts = found.counts
    city = counts[counts["descriptor"] == "city"].pivot(
        index="level", columns="segment", values="count"
    )
    assert (city == pd.crosstab(data["city"], data["group"])).all().all()
    assert set(counts.loc[counts["descriptor"] == "owner", "level"]) == {"0", "1"}


def test_constant_segment_leaves_the_decision_to_the_ordinary_anova() -> None:
    data = people(90).assign(flat=lambda f: np.where(f["group"] == "x", 1.0, f["age"]))
    found = describe("group", ["flat", "city"], data)
    table = of_column(found, "flat")
    assert np.isnan(table.loc["Welch ANOVA", "p"])
    assert table.loc["ANOVA", "decides"]
    assert any("in place of Welch's" in note for note in found.manifest["notes"])


def test_segmentation_describes_itself() -> None:
    market = ilk.datasets.make_market(500, random_state=1)
    found = ilk.segment(market.customers, ["age", "basket_value"], k=3, random_state=0)
    told = found.describe(["household", "income"], random_state=0)
    assert list(told.to_pandas().query("decides")["descriptor"]) == ["household", "income"]
    assert "household" in told.explain()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda d: describe("group", ["agee"], d), MissingColumnError, "did you mean"),
        (lambda d: describe("group", "age", d), TypeError, "descriptors: found one text"),
        (lambda d: describe("group", df=d, numbers="t"), DataError, "numbers: found 't'"),
        (lambda d: describe("group", df=d, adjust="none"), DataError, "adjust: found 'none'"),
        (lambda d: describe("group", df=d, n_resamples=5), DataError, "n_resamples: found 5"),
        (
            lambda d: describe("group", df=d.assign(group="x")),
            DataError,
            "segments: found one, but two or more",
        ),
        (
            lambda d: describe("group", ["void"], d.assign(void=np.nan)),
            DataError,
            "no value at all",
        ),
        (lambda d: describe("group", df=d).plot("agee"), MissingColumnError, "did you mean"),
    ],
)
def test_bad_input_is_named(
    call: Callable[[Any], Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        call(people())


def test_constant_and_single_descriptors_have_no_p() -> None:
    found = describe("group", df=people().assign(one=1.5, same="a"))
    for name in ("one", "same"):
        assert of_column(found, name)["p"].isna().all()
    assert "Nothing was found for" in found.explain()


def test_description_is_saved_shown_and_drawn() -> None:
    plt = pytest.importorskip("matplotlib.pyplot")
    found = describe("group", df=people(), random_state=0)
    again = SegmentDescription.from_json(found.to_json())
    assert again.to_json() == found.to_json()
    assert str(again.explain()) == str(found.explain())
    assert "<table>" in found._repr_html_()
    assert "city Cramer's V" in found.plot().get_label()
    assert found.plot("age").get_label().startswith("age by segment: x mean")
    assert found.plot("city").get_label().startswith("Mosaic of customers by segment and city")
    assert "Mosaic" in found.plot("owner").get_label()
    with pytest.raises(ilk.exceptions.ModelFileError):
        SegmentDescription.from_json(found.to_json().replace('"descriptor":1,', '"descriptor":99,'))
    plt.close("all")

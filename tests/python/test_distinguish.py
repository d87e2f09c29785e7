"""Traits that tell segments apart."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ilk
from ilk.exceptions import DataError, MissingColumnError
from ilk.profile import Distinction, distinguish


@pytest.fixture(scope="module")
def market():
    return ilk.datasets.make_market(2000, random_state=3)


def holds(df: pd.DataFrame, conditions) -> np.ndarray:
    """Evaluate plain data on a frame."""
    found = np.full(len(df), True)
    for condition in conditions:
        values = df[condition["column"]]
        known = values.notna().to_numpy()
        here = np.full(len(df), True)
        if "in" in condition:
            here &= values.astype(str).isin(condition["in"]).to_numpy()
        if "at_least" in condition:
            here &= (values >= condition["at_least"]).to_numpy()
        if "below" in condition:
            here &= (values < condition["below"]).to_numpy()
        found &= np.where(known, here, condition["missing"])
    return found


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 255)), min_size=8, max_size=40), st.booleans()
)
def test_sets_are_minimal(people, jointly) -> None:
    """S5-CHAR-01: no smaller set of traits tells a segment apart, checked by trying them all."""
    inside = np.array([here for here, _ in people])
    if inside.all() or not inside.any():
        return
    # Traits of yes and no, with a likeness within the segment so that some sets exist.
    bits = np.array(
        [[(traits | (5 if here else 0)) >> at & 1 for at in range(8)] for here, traits in people]
    )
    if (bits == bits[0]).all():
        return
    df = {f"t{at}": bits[:, at] for at in range(8)}
    found = distinguish(
        np.where(inside, "in", "out"), df, coverage=0.5, leak=0.2, jointly=jointly, max_traits=4
    )
    columns = found.to_dict()
    at = columns["segment"].index("in")
    traits = [
        bits[:, t] == side for t in range(8) for side in (0, 1) if 0 < bits[:, t].sum() < len(bits)
    ]

    def fits(chosen) -> bool:
        both = np.logical_and.reduce(chosen)
        common = [both] if jointly else chosen
        return bool(
            all((one & inside).sum() >= max(0.5 * inside.sum(), 1) for one in common)
            and (both & ~inside).sum() <= 0.2 * (~inside).sum() + 1e-9
        )

    sizes = [k for k in range(1, 5) if any(fits(c) for c in itertools.combinations(traits, k))]
    assert bool(columns["separates"][at]) == bool(sizes)
    if sizes:
        assert columns["n_traits"][at] == sizes[0] == columns["at_least"][at]
        assert columns["certain"][at]


def test_planted_traits_are_found_and_noise_is_not() -> None:
    """S5-CHAR-01: the set names the planted traits and nothing else."""
    rng = np.random.default_rng(0)
    n = 4000
    segment = rng.choice(["a", "b", "c"], n)
    df = pd.DataFrame({f"noise{at}": rng.choice(list("uvw"), n) for at in range(20)})
    df["pet"] = np.where((segment == "a") == (rng.random(n) < 0.9), "dog", "cat")
    df["age"] = np.where(segment == "c", 60.0, 30.0) + rng.normal(0, 5, n)
    found = distinguish(segment, df, leak=0.15)
    named = {c["column"] for conditions in found.sets.values() for c in conditions}
    assert named == {"pet", "age"}
    best = distinguish(segment, df, method="subgroup", top=1, max_traits=2)
    assert {c["column"] for conditions in best.sets.values() for c in conditions} == {"pet", "age"}


def test_figures_are_those_of_the_customers_who_hold_the_set(market) -> None:
    df = market.customers
    truth = np.asarray(market.truth.segment)
    for method in ("cover", "subgroup"):
        found = distinguish(truth, df, market.features, method=method)
        for row, given_set in zip(found.table.itertuples(), found.all_sets(), strict=True):
            held = holds(df, given_set["conditions"])
            of = truth == row.segment
            assert row.n == held.sum()
            assert row.covered == pytest.approx((held & of).sum() / of.sum())
            assert row.leak == pytest.approx((held & ~of).sum() / (~of).sum())
            assert row.precision == pytest.approx((held & of).sum() / held.sum())
            assert row.precision_lo < row.precision < row.precision_hi or row.precision in (0, 1)
            assert row.lift == pytest.approx(row.precision / of.mean())
            assert row.wracc == pytest.approx(held.mean() * (row.precision - of.mean()))


def test_p_is_fishers_and_q_allows_for_the_search() -> None:
    # The lady tasting tea: all four of eight cups.
    found = distinguish(
        "segment", {"segment": list("aaaabbbb"), "said": list("xxxxyyyy")}, method="subgroup", top=1
    )
    columns = found.to_dict()
    assert columns["p"] == pytest.approx([1 / 70] * 2)
    # Two traits give three sets (the clash of both included), for two segments.
    assert columns["q"] == pytest.approx([6 / 70] * 2)


def test_steps_lead_to_the_set(market) -> None:
    found = distinguish(market.truth.segment, market.customers, market.features, leak=0.01)
    steps, table = found.steps, found.table
    for row in table.itertuples():
        own = steps[steps["segment"] == row.segment]
        assert len(own) == row.n_traits
        assert own["segment_so_far"].iloc[-1] == pytest.approx(row.covered)
        assert own["others_so_far"].iloc[-1] == pytest.approx(row.leak)
        assert own["others_so_far"].is_monotonic_decreasing


def test_a_segment_that_nothing_tells_apart_says_so() -> None:
    rng = np.random.default_rng(1)
    df = {"x": rng.random(500), "y": rng.choice(["p", "q"], 500)}
    found = distinguish(rng.choice(["a", "b"], 500), df)
    assert not found.to_dict()["separates"].any()
    assert found.to_dict()["certain"].all()
    assert "No set of so many traits" in str(found.explain()) or "no trait is held" in str(
        found.explain()
    )


def test_missing_values_have_no_trait() -> None:
    df = pd.DataFrame({"x": [1.0, 1.0, None, None, 2.0, 2.0]})
    found = distinguish(list("aaaabb"), df)
    a = found.table[found.table["segment"] == "a"].iloc[0]
    assert (a["traits"], a["n"], a["covered"]) == ("x below 2", 2, 0.5)


def test_a_column_names_the_segments_and_is_no_trait() -> None:
    df = pd.DataFrame(
        {"seg": ["a", "a", "b", "b"], "pet": ["dog", "cat", "dog", "cat"], "age": [1, 2, 8, 9]}
    )
    found = distinguish("seg", df)
    assert {c["column"] for conditions in found.sets.values() for c in conditions} == {"age"}


def test_a_segmentation_knows_its_customers(market) -> None:
    segmentation = ilk.segment(market.customers, market.features, k=3, random_state=0)
    found = segmentation.distinguish(max_traits=2)
    assert set(found.sets) == set(segmentation.names)


def test_dates_and_ordered_categories_are_named() -> None:
    sizes = pd.Categorical(["S", "M", "L", "L"] * 3, categories=["S", "M", "L"], ordered=True)
    df = pd.DataFrame(
        {
            "size": sizes,
            "since": pd.to_datetime(["2024-01-01", "2024-02-01", "2024-03-01", "2024-03-01"] * 3),
        }
    )
    found = distinguish(["small", "small", "big", "big"] * 3, df, ["size"])
    assert found.sets["big"] == [{"column": "size", "at_least": "L", "missing": False}]
    found = distinguish(["old", "old", "new", "new"] * 3, df, ["since"])
    assert (
        "since on or after 2024-0"
        in found.to_dict()["traits"][found.to_dict()["segment"].index("new")]
    )


def test_results_are_saved_shown_and_drawn(market, check_result) -> None:
    for method in ("cover", "subgroup"):
        check_result(
            lambda m=method: distinguish(
                market.truth.segment, market.customers, market.features, method=m
            ),
            Distinction,
        )


def test_same_answer_from_every_frame(market) -> None:
    pl = pytest.importorskip("polars")
    first = distinguish(market.truth.segment, market.customers, market.features)
    other = distinguish(market.truth.segment, pl.from_pandas(market.customers), market.features)
    assert isinstance(other.table, pl.DataFrame)
    assert other.to_dict()["traits"] == first.to_dict()["traits"]


GOOD = {"x": [1.0, 2.0, 3.0, 4.0], "s": list("aabb")}


@pytest.mark.parametrize(
    ("segments", "df", "options", "error", "message"),
    [
        (
            list("aaaa"),
            GOOD,
            {},
            DataError,
            "segments: found one segment with customers, but at least two",
        ),
        ([None] * 4, GOOD, {}, DataError, "segments: found"),
        (list("aab"), GOOD, {}, DataError, "found 3 labels, but df has 4 rows"),
        (list("aabb"), GOOD, {"traits": ["y"]}, MissingColumnError, '"y" not found'),
        (list("aabb"), GOOD, {"traits": []}, DataError, "traits: found no column"),
        (list("aabb"), {"x": [1, 1, 1, 1]}, {}, DataError, 'traits: found "x" is constant'),
        (list("aabb"), {"x": [None] * 4}, {}, DataError, 'traits: found "x" has no value'),
        (
            ["a", "a", "b", None],
            {"x": [1, 1, 1, 2]},
            {},
            DataError,
            "traits: found no column that varies",
        ),
        (
            list("aabb"),
            GOOD,
            {"method": "magic"},
            DataError,
            "method: found 'magic', but 'cover' or 'subgroup'",
        ),
        (list("aabb"), GOOD, {"max_traits": 0}, DataError, "max_traits: found 0"),
        (
            list("aabb"),
            GOOD,
            {"max_traits": 13},
            DataError,
            "max_traits: found 13, but a number from 1 to 12",
        ),
        (
            list("aabb"),
            GOOD,
            {"coverage": 1.5},
            DataError,
            "coverage: found 1.5, but a share from 0 to 1",
        ),
        (list("aabb"), GOOD, {"leak": -0.1}, DataError, "leak: found -0.1"),
        (list("aabb"), GOOD, {"quantiles": [0.5, 2]}, DataError, "quantiles: found 2"),
        (list("aabb"), GOOD, {"confidence": 1}, DataError, "confidence: found 1"),
        (list("aabb"), GOOD, {"traits": "x"}, TypeError, "traits: found one text"),
        (list("aabb"), GOOD, {"traits": ["x", "x"]}, DataError, 'traits: found "x" twice'),
        (
            list("aabb"),
            GOOD,
            {"quantiles": np.linspace(0.1, 0.9, 9000)},
            DataError,
            "traits: found up to 18002 traits",
        ),
        (
            [str(at) for at in range(300)],
            {"x": range(300)},
            {},
            DataError,
            "found 300 segments, but at most 200",
        ),
        (list("aabb"), {"x": [1.0, float("inf"), 2.0, 3.0]}, {}, DataError, "row 1: found inf"),
    ],
)
def test_bad_input_is_refused(segments, df, options, error, message) -> None:
    with pytest.raises(error, match=message.replace("(", r"\(")):
        distinguish(segments, {name: list(values) for name, values in df.items()}, **options)


def test_an_empty_segment_is_noted() -> None:
    df = pd.DataFrame(
        {"x": [1, 2, 3, 4], "s": pd.Categorical(list("aabb"), categories=["a", "b", "c"])}
    )
    found = distinguish("s", df)
    assert set(found.table["segment"]) == {"a", "b"}
    if any("no customers" in note for note in found.manifest["notes"]):
        assert any('"c"' in note for note in found.manifest["notes"])


def test_random_labels_are_not_significant() -> None:
    """S5-PAT-01: of planted nothing at most a few subgroups seem to be something."""
    rng = np.random.default_rng(5)
    df = pd.DataFrame(rng.choice(list("abcd"), (1000, 10)), columns=[f"c{at}" for at in range(10)])
    seen = 0
    for _ in range(20):
        found = distinguish(
            rng.choice(["u", "v"], 1000), df, method="subgroup", top=1, max_traits=2
        )
        seen += int((found.table["q"] < 0.05).any())
    assert seen <= 3


def test_traits_that_a_segment_has_less_often_are_not_significant() -> None:
    n = 60_000
    held = np.zeros(2 * n, dtype=int)
    held[:600] = 1
    held[n : n + 6000] = 1
    frame = pd.DataFrame({"seg": ["p"] * n + ["q"] * n, "t": np.where(held == 1, "yes", "no")})
    found = distinguish("seg", frame, ["t"], max_traits=1, coverage=0.005, leak=0.2).table
    (row,) = found[found["segment"] == "p"].to_dict("records")
    assert row["traits"] == "t is yes"
    assert row["lift"] < 0.2
    assert row["p"] > 0.999

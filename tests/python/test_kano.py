"""Kinds of needs."""

from __future__ import annotations

import json
from itertools import permutations, product

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ilk
from ilk.exceptions import DataError, MissingColumnError, ModelFileError
from ilk.gaps import KanoNeeds, need_kano, opportunity

WORDS = ("like", "expect", "neutral", "live with", "dislike")
#: Rows are answers to "if you have it", columns to "if you do not".
TABLE = ("QAAAO", "RIIIM", "RIIIM", "RIIIM", "RRRRQ")
KINDS = {
    "M": "must_be",
    "O": "one_dimensional",
    "A": "attractive",
    "I": "indifferent",
    "R": "reverse",
    "Q": "questionable",
}


def survey(n: int = 200, seed: int = 0) -> pd.DataFrame:
    """Two kinds of households, to whom the same three needs are not the same."""
    rng = np.random.default_rng(seed)
    pairs = {
        ("old", "brakes"): [(2, 5), (3, 5), (1, 5)],
        ("old", "radio"): [(3, 3), (2, 3), (1, 3)],
        ("old", "colour"): [(1, 3), (1, 4), (3, 3)],
        ("new", "brakes"): [(1, 5), (1, 5), (2, 5)],
        ("new", "radio"): [(1, 2), (1, 3), (3, 4)],
        ("new", "colour"): [(3, 1), (5, 2), (3, 3)],
    }
    rows = [
        (who, need, *said[rng.choice(3, p=[0.5, 0.3, 0.2])])
        for (who, need), said in pairs.items()
        for _ in range(n)
    ]
    return pd.DataFrame(rows, columns=["who", "need", "functional", "dysfunctional"])


def by_counting(data: pd.DataFrame) -> dict[str, dict[str, float]]:
    """The share of each kind of each need, row by row."""
    found: dict[str, dict[str, float]] = {}
    for row in data.itertuples():
        shares = found.setdefault(row.need, dict.fromkeys(KINDS.values(), 0.0))
        shares[KINDS[TABLE[int(row.functional) - 1][int(row.dysfunctional) - 1]]] += 1
    return {
        need: {kind: count / sum(shares.values()) for kind, count in shares.items()}
        for need, shares in found.items()
    }


@pytest.mark.parametrize(("has", "lacks"), list(product(range(5), range(5))))
def test_every_pair_of_answers_is_of_its_kind_as_numbers_and_as_words(has, lacks) -> None:
    numbers = {"need": ["a"], "functional": [has + 1], "dysfunctional": [lacks + 1]}
    words = {"need": ["a"], "functional": [WORDS[has]], "dysfunctional": [WORDS[lacks]]}
    backwards = {"need": ["a"], "functional": [5 - has], "dysfunctional": [5.0 - lacks]}
    for data, answers in (
        (numbers, (1, 2, 3, 4, 5)),
        (words, WORDS),
        (backwards, (5, 4, 3, 2, 1)),
    ):
        found = need_kano(data, answers=answers).to_dict()
        assert found["category"] == [KINDS[TABLE[has][lacks]]]
        assert found[found["category"][0]].tolist() == [1.0]
        assert found["runner_up"] == [None]
        assert found["p"].tolist() == pytest.approx([1.0])


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 5), st.integers(1, 5)), min_size=1)
)
def test_shares_kinds_and_coefficients_are_those_of_counting(rows) -> None:
    data = pd.DataFrame(rows, columns=["need", "functional", "dysfunctional"])
    table = need_kano(data).table.set_index("need")
    for need, shares in by_counting(data).items():
        found = table.loc[need]
        np.testing.assert_allclose([found[kind] for kind in shares], list(shares.values()))
        # Of kinds that are equally frequent the first is taken: shares stand in that order.
        assert found["category"] == max(shares, key=shares.__getitem__)
        base = sum(shares[kind] for kind in list(KINDS.values())[:4])
        if base == 0:
            assert np.isnan(found[["better", "worse", "better_lo", "worse_hi"]].astype(float)).all()
            continue
        assert found["better"] == pytest.approx(
            (shares["attractive"] + shares["one_dimensional"]) / base
        )
        assert found["worse"] == pytest.approx(
            -(shares["must_be"] + shares["one_dimensional"]) / base
        )
        for name in ("better", "worse"):
            assert found[f"{name}_lo"] <= found[name] <= found[f"{name}_hi"]


def test_intervals_and_p_agree_with_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    data = survey(57).query("who == 'old'")
    for _, row in need_kano(data, confidence=0.9).table.iterrows():
        counts = {kind: round(row["n"] * row[kind]) for kind in KINDS.values()}
        base = sum(list(counts.values())[:4])
        satisfied = counts["attractive"] + counts["one_dimensional"]
        wilson = stats.binomtest(satisfied, base).proportion_ci(0.9, method="wilson")
        assert (row["better_lo"], row["better_hi"]) == pytest.approx(tuple(wilson))
        first, second = counts[row["category"]], counts[row["runner_up"]]
        assert row["p"] == pytest.approx(stats.binomtest(first, first + second).pvalue)


def test_segments_are_told_apart_and_never_pooled() -> None:
    data = survey()
    found = need_kano(data, segment="who").table
    assert list(found.columns[:2]) == ["who", "need"]
    for who, part in data.groupby("who"):
        alone = need_kano(part).table
        within = found[found["who"] == who].drop(columns="who").reset_index(drop=True)
        pd.testing.assert_frame_equal(within, alone)
    kinds = found.set_index(["who", "need"])["category"]
    assert kinds["old", "brakes"] == "must_be"
    assert kinds["new", "brakes"] == "one_dimensional"
    assert kinds["old", "colour"] == "attractive"
    assert kinds["new", "colour"] == "reverse"


def test_weights_count_and_cost_certainty() -> None:
    data = survey(60).assign(w=2.0)
    even = need_kano(data, weights="w").table
    pd.testing.assert_frame_equal(even, need_kano(data).table)
    data["w"] = np.random.default_rng(1).integers(0, 4, len(data)).astype(float)
    some = need_kano(data, weights="w").table.set_index("need")
    repeated = need_kano(data.loc[data.index.repeat(data["w"].astype(int))]).table.set_index("need")
    shares = [*KINDS.values(), "better", "worse"]
    pd.testing.assert_frame_equal(some[shares], repeated.loc[some.index, shares])
    width = some["better_hi"] - some["better_lo"]
    assert (width > (repeated["better_hi"] - repeated["better_lo"])[some.index]).all()
    # Answers that a figure does not rest on do not tell how sure it is.
    mixed = {
        "need": ["a"] * 22,
        "functional": [1, 1, *[3] * 20],
        "dysfunctional": [3, 4, *[1] * 20],
        "w": [1.0, 1.0, *[50.0] * 20],
    }
    alone = {name: values[:2] for name, values in mixed.items()}
    for name in ("better", "better_lo", "better_hi", "worse_lo"):
        assert need_kano(mixed, weights="w").to_dict()[name] == pytest.approx(
            need_kano(alone, weights="w").to_dict()[name]
        )


def test_ties_of_weights_do_not_hang_on_the_order_of_rows() -> None:
    data = pd.DataFrame(
        {"need": "a", "functional": [2, 1, 1, 1], "dysfunctional": 5, "w": [0.6, 0.1, 0.2, 0.3]}
    )
    for order in permutations(range(4)):
        found = need_kano(data.iloc[list(order)], weights="w").to_dict()
        assert (found["category"], found["runner_up"]) == (["must_be"], ["one_dimensional"])


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_figures_have_the_same_bits_for_any_number_of_threads(threads: int) -> None:
    data = survey(20_000)
    data["w"] = np.random.default_rng(2).uniform(0.1, 3, len(data))
    before = ilk.num_threads()
    expected = need_kano(data, segment="who", weights="w").to_json()
    ilk.set_num_threads(threads)
    try:
        found = need_kano(data, segment="who", weights="w").to_json()
    finally:
        ilk.set_num_threads(before)
    assert found == expected


def test_rows_without_weight_are_left_out_and_counted() -> None:
    data = {**CLOCK, "need": ["clock", "clock", "horn"], "w": [1.0, 2.0, 0.0]}
    found = need_kano(data, weights="w")
    assert (found.to_dict()["need"], found.to_dict()["n"].tolist()) == (["clock"], [2])
    assert found.manifest["left_out"] == [{"reason": "weight 0", "rows": 1}]


def test_as_many_segments_as_customers_cost_no_more_than_the_pairs_there_are() -> None:
    n = 60_000
    who = np.arange(n)
    data = {"need": who, "who": who, "functional": np.ones(n), "dysfunctional": np.full(n, 5.0)}
    assert len(need_kano(data, segment="who").table["need"]) == n
    rated = {"need": who, "who": who, "importance": who % 5 + 1.0, "satisfaction": who % 3 + 1.0}
    scored = opportunity(rated, segment="who", scale=(1, 5), n_boot=0)
    assert len(scored.table["need"]) == n


def test_answers_come_as_numbers_in_any_column() -> None:
    expected = need_kano(CLOCK).to_dict()["category"]
    for ordered in (False, True):
        data = {
            name: pd.Categorical(values, range(1, 6), ordered=ordered) if name != "need" else values
            for name, values in CLOCK.items()
        }
        assert need_kano(pd.DataFrame(data)).to_dict()["category"] == expected
    for answers in (np.arange(1, 6), range(1, 6), pd.Series(range(1, 6)), [1.0, 2, 3, 4, 5]):
        assert need_kano(CLOCK, answers=answers).to_dict()["category"] == expected
    nothing = {"need": ["a", "b"], "functional": [None, None], "dysfunctional": [1, 2]}
    for frame in (nothing, pl.DataFrame(nothing, schema_overrides={"functional": pl.String})):
        with pytest.raises(DataError, match="all left out"):
            need_kano(frame)


def test_order_of_rows_and_kind_of_frame_do_not_matter() -> None:
    data = survey(40)
    expected = need_kano(data, segment="who").to_dict()
    for other in (data.sample(frac=1, random_state=1), pl.from_pandas(data), data.to_dict("list")):
        found = need_kano(other, segment="who").to_dict()
        assert {name: list(values) for name, values in found.items()} == {
            name: list(values) for name, values in expected.items()
        }
    assert isinstance(need_kano(pl.from_pandas(data)).table, pl.DataFrame)


def test_what_is_missing_is_left_out_and_counted() -> None:
    data = survey(10).astype({"functional": float})
    data.loc[:2, "functional"] = np.nan
    data.loc[3, "need"] = None
    found = need_kano(data)
    assert found.manifest["rows_used"] == len(data) - 4
    assert {(left["reason"], left["rows"]) for left in found.manifest["left_out"]} == {
        ('"need" is missing', 1),
        ('"functional" is missing', 3),
    }


def test_open_kinds_and_puzzled_answers_are_told() -> None:
    data = {
        "need": ["clock"] * 9 + ["horn"] * 4,
        "functional": [1, 1, 1, 1, 2, 2, 2, 2, 2, 1, 1, 2, 2],
        "dysfunctional": [5, 5, 5, 5, 5, 5, 5, 5, 5, 1, 1, 5, 5],
    }
    told = need_kano(data).explain()
    assert 'taken for granted (must-be) "clock" and "horn".' in told
    assert (
        'the kind of "clock" is open: must-be 56 % against one-dimensional 44 % of 9 answers (p = 1.00).'
        in told
    )
    assert '50 % of the answers to "horn" like, or dislike, both having it and not' in told
    few = need_kano({"need": ["a"] * 3, "functional": [1] * 3, "dysfunctional": [3] * 3}).explain()
    assert (
        'the kind of "a" is open: attractive 100 % against nothing else of 3 answers (p = 0.25).'
        in few
    )
    sure = {"need": ["a"] * 20, "functional": [1] * 20, "dysfunctional": [3] * 20}
    assert "is open" not in need_kano(sure).explain()


CLOCK = {"need": ["clock"] * 3, "functional": [1, 2, 3], "dysfunctional": [5, 5, 5]}


@pytest.mark.parametrize(
    ("change", "options", "error", "message"),
    [
        ({"functional": [1, 2, 6]}, {}, DataError,
         'column "functional", row 2: found 6, but answers are 1, 2, 3, 4, 5, from like to dislike'),
        ({"dysfunctional": ["like"] * 3}, {}, DataError,
         'answers: found numbers, while "dysfunctional" holds text.*answers='),
        ({"dysfunctional": [True] * 3}, {}, DataError,
         'answers: found numbers, while "dysfunctional" holds true and false'),
        ({}, {"functional": "dysfunctional"}, DataError,
         'dysfunctional: found "dysfunctional", but this column is functional already'),
        ({}, {"weights": "functional"}, DataError, 'weights: found "functional", but this column'),
        ({"w": [1.0, 1.0, 1e-170]}, {"weights": "w"}, DataError,
         'column "w", row 2: found .*, but weights must be 0 or lie between 1e-150 and 1e150'),
        ({"functional": ["like", "LIKE", "like"], "dysfunctional": ["like"] * 3}, {"answers": WORDS},
         DataError, 'column "functional", row 1: found "LIKE", but answers are "like", "expect"'),
        ({}, {"answers": (1, 2, 3)}, DataError, r"answers: found \(1, 2, 3\), but five different"),
        ({}, {"answers": (1, 1, 2, 3, 4)}, DataError, "answers: found"),
        ({}, {"answers": ("a", "b", "c", "d", 5)}, DataError, "answers: found"),
        ({}, {"answers": "abcde"}, DataError, "answers: found 'abcde'"),
        ({}, {"answers": set("abcde")}, DataError, "answers: found"),
        ({}, {"answers": (1, 2, 3, 4, float("nan"))}, DataError, "answers: found"),
        ({}, {"answers": (1, 1.0, 2, 3, 4)}, DataError, "answers: found"),
        ({}, {"answers": (2**53, 2**53 + 1, 1, 2, 3)}, DataError, "answers: found"),
        ({}, {"answers": (1, 2, 3, 4, 10**400)}, DataError, "answers: found"),
        ({}, {"answers": ("a", "b", "c", "d", "\ud800")}, DataError, "answers: found"),
        ({}, {"answers": frozenset("abcde")}, DataError, "answers: found"),
        ({}, {"answers": dict.fromkeys("abcde")}, DataError, "answers: found"),
        ({}, {"answers": b"abcde"}, DataError, "answers: found"),
        ({}, {"answers": np.array(5)}, DataError, "answers: found"),
        ({}, {"need": "feature"}, MissingColumnError, "feature"),
        ({}, {"functional": 3}, TypeError, "functional: found a int, but the name of a column"),
        ({}, {"segment": ["need"]}, TypeError, "segment: found a list"),
        ({}, {"confidence": 1.0}, DataError, "confidence: found 1, but a number between"),
        ({}, {"confidence": "a"}, TypeError, "confidence: found 'a', but a number"),
        ({"better": list("abc")}, {"need": "better"}, DataError, r'rename\(columns=.*"better_"'),
        ({}, {"segment": "need"}, DataError, 'segment: found "need", but this column is need already'),
        ({"functional": [None] * 3}, {}, DataError,
         'df: found 3 rows, all left out: "functional" is missing'),
        ({"w": [1.0, -1.0, 1.0]}, {"weights": "w"}, DataError,
         'column "w", row 1: found -1, but weights must be numbers from 0 up'),
        ({"w": [0.0] * 3}, {"weights": "w"}, DataError, "weights: found no weight above 0"),
    ],
)  # fmt: skip
def test_answers_that_tell_nothing_are_refused(change, options, error, message) -> None:
    with pytest.raises(error, match=message):
        need_kano({**CLOCK, **change}, **options)


def test_kinds_are_saved_and_pictured() -> None:
    found = need_kano(survey(), segment="who")
    assert KanoNeeds.from_json(found.to_json()).to_json() == found.to_json()
    ax = found.plot()
    texts = {text.get_text() for text in ax.texts}
    assert {"must-be", "one-dimensional", "attractive", "indifferent"} <= texts
    assert {"brakes (M)", "brakes (O)", "colour (R)"} <= texts
    assert {text.get_text() for text in ax.get_legend().get_texts()} == {"old", "new"}
    assert ax.get_label().startswith("Kinds of needs.")
    with pytest.raises(TypeError, match="ax: found a str, but axes of matplotlib"):
        found.plot(ax="a")
    # A need that nobody takes seriously has no place in the picture, which is said.
    odd = need_kano({"need": ["a", "b"], "functional": [1, 1], "dysfunctional": [1, 3]})
    ax = odd.plot()
    assert "b (A)" in {text.get_text() for text in ax.texts}
    assert "1 need has no place" in ax.get_label()


def test_segments_are_in_the_legend_whatever_their_names() -> None:
    data = survey(20)
    data["who"] = data["who"].map({"old": "_old", "new": "$new$"})
    legend = need_kano(data, segment="who").plot().get_legend()
    names = [text.get_text().replace("\u200b", "") for text in legend.get_texts()]
    assert sorted(names) == [r"\$new\$", "_old"]


@pytest.mark.parametrize(
    "change",
    [
        {"quality": "reverse"},
        {"runner_up": "questionable"},
        {"p": 7.0},
        {"n": 0},
        {"shares": [0.5] * 6},
        {"coefficients": [{"value": 17.0, "interval": None}] * 2},
    ],
)
def test_a_file_that_contradicts_itself_is_refused(change) -> None:
    saved = json.loads(need_kano(survey(20)).to_json())
    saved["content"]["needs"][0] |= change
    with pytest.raises(ModelFileError):
        KanoNeeds.from_json(json.dumps(saved))

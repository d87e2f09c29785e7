"""Gower's dissimilarity: references, kinds of columns, messages."""

from __future__ import annotations

import datetime
import re
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ilk
from ilk.exceptions import DataError, DataWarning, MemoryLimitError, MissingColumnError

UPPER = np.triu_indices(4, 1)


def customers() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "income": [10.0, 20.0, 40.0, None],
            "channel": ["a", "b", "a", "b"],
            "size": pd.Categorical(list("smlm"), categories=list("sml"), ordered=True),
        }
    )


def test_figures_are_those_of_daisy() -> None:
    found = ilk.gower_distances(customers())
    expected = [0.611111, 0.666667, 0.75, 0.722222, 0, 0.75]
    np.testing.assert_allclose(found[UPPER], expected, atol=5e-7)
    assert (found == found.T).all()
    assert (np.diag(found) == 0).all()


def test_asymmetric_flag_is_that_of_daisy() -> None:
    expected = [0.708333, 0.5, 0.5, 0.791667, 0.333333, 0.5]
    for flag in ([1, 0, 1, 1], [True, False, True, True], ["yes", "no", "yes", "yes"]):
        found = ilk.gower_distances(customers().assign(vip=flag), asymmetric=["vip"])
        np.testing.assert_allclose(found[UPPER], expected, atol=5e-7)


def test_two_rows_that_lack_a_flag_do_not_share_it() -> None:
    frame = {"spend": [0.0, 1.0, 2.0], "vip": [False, False, True]}
    np.testing.assert_allclose(
        ilk.gower_distances(frame, asymmetric=["vip"])[np.triu_indices(3, 1)], [0.5, 1.0, 0.75]
    )
    np.testing.assert_allclose(ilk.gower_distances(frame)[0, 1], 0.25)


def test_every_kind_of_frame_gives_the_same_bits() -> None:
    frame = customers()
    expected = ilk.gower_distances(frame)
    for same in (
        pl.from_pandas(frame.astype({"size": object})),
        pa.Table.from_pandas(frame.astype({"size": object})),
        {name: list(frame[name].astype(object)) for name in frame},
    ):
        found = ilk.gower_distances(same, ordinal={"size": ["s", "m", "l"]})
        assert found.tobytes() == expected.tobytes()


def test_columns_can_be_treated_otherwise_than_by_type() -> None:
    frame = {"rating": [1, 2, 10], "code": [1, 2, 10]}
    ranks = ilk.gower_distances(frame, ordinal=["rating"], categorical=["code"])
    np.testing.assert_allclose(ranks[0], [0, 0.75, 1])
    numbers = ilk.gower_distances(frame, numeric=[0], categorical=[-1])
    np.testing.assert_allclose(numbers[0], [0, (1 / 9 + 1) / 2, 1])


def test_dates_differ_by_days_over_their_range() -> None:
    days = [datetime.date(2024, 1, 1), datetime.date(2024, 1, 2), datetime.date(2024, 1, 11)]
    np.testing.assert_allclose(ilk.gower_distances({"first": days})[0], [0, 0.1, 1])


def test_weights_by_name_or_position() -> None:
    frame = {"a": [0.0, 1.0, 2.0], "b": ["x", "y", "x"]}
    by_name = ilk.gower_distances(frame, weights={"a": 3})
    np.testing.assert_allclose(by_name[0], [0, (3 * 0.5 + 1) / 4, 3 / 4])
    assert (ilk.gower_distances(frame, weights=[3, 1]) == by_name).all()
    alone = ilk.gower_distances(frame, weights={"b": 0})
    assert (alone == ilk.gower_distances({"a": frame["a"]})).all()


def test_other_rows_share_the_ranges_of_both() -> None:
    left, right = {"a": [0.0, 1.0], "b": ["x", "y"]}, {"b": ["z", "x"], "a": [2.0, 0.0]}
    found = ilk.gower_distances(left, right)
    np.testing.assert_allclose(found, [[1, 0], [0.75, 0.75]])
    both = {"a": [0.0, 1.0, 2.0, 0.0], "b": ["x", "y", "z", "x"]}
    assert (ilk.gower_distances(both)[:2, 2:] == found).all()


def test_float32_is_the_rounded_float64() -> None:
    rows = np.random.default_rng(0).normal(size=(70, 5))
    narrow = ilk.gower_distances(rows, dtype="float32")
    assert narrow.dtype == np.float32
    assert (narrow == ilk.gower_distances(rows).astype(np.float32)).all()


def test_incomparable_rows_are_nan_and_told() -> None:
    frame = {"a": [1.0, None, 2.0], "b": [None, 1.0, 2.0]}
    with pytest.warns(DataWarning, match="1 pairs of rows have no column .* rows 0 and 1 first"):
        found = ilk.gower_distances(frame)
    assert np.isnan(found[0, 1])
    assert found[0, 0] == 0
    with pytest.warns(DataWarning, match="row 0 of X and row 0 of Y first"):
        ilk.gower_distances({"a": [1.0], "b": [None]}, {"a": [None], "b": [1.0]})


def test_column_without_a_value_is_left_out_and_told() -> None:
    with pytest.warns(DataWarning, match="column 'b' has no value"):
        found = ilk.gower_distances({"a": [1.0, 2.0], "b": [None, None]})
    assert found[0, 1] == 1


def test_memory_is_checked_before_it_is_taken() -> None:
    frame = {"a": np.arange(1000.0)}
    with pytest.raises(MemoryLimitError, match=r"1000 rows to 1000 needs 8000000 bytes.*clara"):
        ilk.gower_distances(frame, max_memory=1_000_000)
    with pytest.raises(MemoryLimitError, match="KMedoids"):
        ilk.gower_distances({"a": np.zeros(3_000_000)})


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"numeric": ["nothing"]}, MissingColumnError, "nothing"),
        ({"weights": {"incom": 1}}, MissingColumnError, 'did you mean "income"'),
        ({"numeric": ["income"], "ordinal": ["income"]}, DataError, "named as number already"),
        ({"numeric": "income"}, DataError, re.escape("try: numeric=['income']")),
        ({"categorical": [7]}, DataError, "position 7, but there are 3 columns"),
        ({"weights": [1, 2]}, DataError, "one for each of the 3 columns"),
        ({"weights": [0, 0, 0]}, DataError, "one must be positive"),
        ({"weights": {"income": -1}}, DataError, r"weights\['income'\]: found -1"),
        ({"weights": {"income": np.nan}}, DataError, r"weights\['income'\]: found nan"),
        ({"ordinal": ["channel"]}, DataError, 'ordinal={"channel": '),
        ({"ordinal": {"size": ["s", "m"]}}, DataError, 'row 2: found "l", but .* s < m'),
        ({"ordinal": {"size": ["s", "m", "s"]}}, DataError, "twice"),
        ({"asymmetric": ["income"]}, DataError, r'"income", row 0: found 10.*0 or 1'),
        ({"asymmetric": ["size"]}, DataError, "3 categories, but a flag has two"),
        ({"asymmetric": ["channel"], "numeric": ["channel"]}, DataError, "a flag is neither"),
        ({"numeric": ["channel"]}, TypeError, "a number is needed"),
        ({"dtype": "int64"}, DataError, "float64 or float32"),
        ({"max_memory": "1 GB"}, TypeError, "a number of bytes"),
    ],
)
def test_refusals_say_what_is_wrong(options: dict, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        ilk.gower_distances(customers(), **options)


def test_infinite_numbers_and_empty_frames_are_refused() -> None:
    with pytest.raises(DataError, match='column "a", row 1: found inf'):
        ilk.gower_distances({"a": [1.0, np.inf]})
    with pytest.raises(DataError, match="no value in any column"):
        ilk.gower_distances({"a": [None, None]})
    assert ilk.gower_distances({"a": [3.0]}).tolist() == [[0.0]]


values = st.one_of(st.none(), st.sampled_from([0.0, -0.0, 1.0, -1e308, 1e308, 5e-324, 1e300]))
words = st.one_of(st.none(), st.sampled_from(["", "a", "b", "\N{SNOWMAN}" * 40]))


@given(st.lists(st.tuples(values, words, st.one_of(st.none(), st.booleans())), min_size=1))
def test_hostile_columns_give_numbers_from_0_to_1(rows: list) -> None:
    number, word, flag = (list(column) for column in zip(*rows, strict=True))
    frame = {"number": number, "word": word, "flag": flag}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        try:
            found = ilk.gower_distances(frame)
        except DataError:
            assert all(value is None for row in rows for value in row)
            return
    known = ~np.isnan(found)
    assert ((found[known] >= 0) & (found[known] <= 1)).all()
    empty = [a is None and b is None and c is None for a, b, c in rows]
    assert known[~np.array(empty)][:, ~np.array(empty)].diagonal().all()
    assert (found[known] == found.T[known]).all()

"""The door in: the same table gives the same answer to the last bit from every container, or a refusal by name."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import textwrap
import uuid
from decimal import Decimal
from fractions import Fraction

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ilk
from ilk import _core
from ilk._frame import Frame, to_native

UTC = dt.UTC
DAY = dt.date(1970, 1, 1)
#: One table in plain Python; every container below is made from it, and every answer is checked against it.
ROWS = {
    "amount": [1.5, None, -0.0, 1e300, 5e-324, 0.1, -2.75, None, 1e-3, 7.0],
    "price": [
        Decimal("12.34"),
        None,
        Decimal("-0.05"),
        *map(Decimal, ["0.10", "7.00", "99999.99"]),
        *[Decimal("1.00")] * 4,
    ],
    "count": [3, None, -2, 10, 2, 2, 100, None, 0, 3],
    "id": [2**53 + 1, 2**53, -(2**62), 0, 5, 2**53 + 1, 7, 8, 9, 2**63 - 1],
    "flag": [True, None, False, True, True, False, None, False, True, True],
    "kind": ["café", None, "a", "", "Zoë", "a", "b", "a longer word than fits", "a", "日本"],
    "size": [
        "small",
        "large",
        None,
        "small",
        "medium",
        "large",
        "large",
        "small",
        "small",
        "small",
    ],
    "day": [
        dt.date(2024, 2, 29),
        None,
        DAY,
        dt.date(1969, 12, 31),
        dt.date(9999, 12, 31),
        *[dt.date(2024, 1, 1)] * 5,
    ],
    "moment": [
        dt.datetime(2024, 2, 29, 12, 30, 0, 1),
        None,
        dt.datetime(1969, 12, 31, 23, 59, 59, 999_999),
        dt.datetime(1970, 1, 1),
        *[dt.datetime(2024, 1, 1, 6) + k * dt.timedelta(seconds=77_777.123457) for k in range(6)],
    ],
}
N = len(ROWS["amount"])
SIZES = ["small", "medium", "large", "huge"]


def micros(moment):
    return (moment - dt.datetime(1970, 1, 1)) // dt.timedelta(microseconds=1)


def expected_numbers(name):
    return np.array([np.nan if value is None else float(value) for value in ROWS[name]])


def expected_days(name):
    def days(value):
        if value is None:
            return np.nan
        if isinstance(value, dt.datetime):
            return float(Fraction(micros(value), 86_400_000_000))
        return float((value - DAY).days)

    return np.array([days(value) for value in ROWS[name]])


def expected_codes(name, written=str):
    values = sorted(
        {value for value in ROWS[name] if value is not None},
        key=lambda v: v.encode() if isinstance(v, str) else v,
    )
    place = {value: code for code, value in enumerate(values)}
    return [-1 if value is None else place[value] for value in ROWS[name]], [
        written(value) for value in values
    ]


def same_bits(found, expected):
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.dtype == expected.dtype == np.float64
    missing = np.isnan(expected)
    assert np.array_equal(np.isnan(found), missing)
    assert found[~missing].tobytes() == expected[~missing].tobytes()


def pandas_numpy():
    return pd.DataFrame(
        {
            "amount": np.array([np.nan if v is None else v for v in ROWS["amount"]]),
            "price": [np.nan if v is None else float(v) for v in ROWS["price"]],
            "count": [np.nan if v is None else v for v in ROWS["count"]],
            "id": np.array(ROWS["id"], np.int64),
            "flag": pd.Series(ROWS["flag"], dtype=object),
            "kind": pd.Series(ROWS["kind"], dtype=object),
            "size": pd.Categorical(ROWS["size"], SIZES),
            "day": pd.Series(ROWS["day"], dtype=object),
            "moment": pd.Series(np.array(ROWS["moment"], "datetime64[us]")),
        }
    ).set_index(pd.RangeIndex(50, 50 - N, -1))


def pandas_nullable():
    return pd.DataFrame(
        {
            "amount": pd.array(ROWS["amount"], "Float64"),
            "price": pd.Series(ROWS["price"], dtype=object),
            "count": pd.array(ROWS["count"], "Int64"),
            "id": pd.array(ROWS["id"], "Int64"),
            "flag": pd.array(ROWS["flag"], "boolean"),
            "kind": pd.array(ROWS["kind"], "string"),
            "size": pd.Series(ROWS["size"], dtype="str"),
            "day": pd.Series(ROWS["day"], dtype=object),
            "moment": pd.Series(np.array(ROWS["moment"], "datetime64[us]")).dt.tz_localize(UTC),
        }
    )


def pandas_small_ints():
    return pandas_nullable().assign(
        count=pd.array(ROWS["count"], "Int8"),
        kind=pd.array(ROWS["kind"], "str"),
        size=pd.Categorical(ROWS["size"]),
    )


def arrow():
    return pa.table(
        {
            "amount": pa.array(ROWS["amount"], pa.float64()),
            "price": pa.array(ROWS["price"], pa.decimal128(10, 2)),
            "count": pa.array(ROWS["count"], pa.int64()),
            "id": pa.array(ROWS["id"], pa.int64()),
            "flag": pa.array(ROWS["flag"], pa.bool_()),
            "kind": pa.array(ROWS["kind"], pa.string()),
            "size": pa.array(ROWS["size"]).dictionary_encode(),
            "day": pa.array(ROWS["day"], pa.date32()),
            "moment": pa.array(ROWS["moment"], pa.timestamp("us")),
        }
    )


def arrow_chunked():
    table = arrow()
    pieces = [table.slice(0, 3), table.slice(3, 0), table.slice(3, 1), table.slice(4)]
    # Each piece gets a dictionary of its own.
    return pa.concat_tables(
        [
            piece.set_column(
                piece.schema.get_field_index("size"),
                "size",
                piece["size"].cast(pa.string()).dictionary_encode(),
            )
            for piece in pieces
        ]
    )


def arrow_other_layouts():
    table = arrow()
    types = {
        "amount": pa.float64(),
        "price": pa.decimal128(38, 6),
        "count": pa.int16(),
        "kind": pa.string_view(),
        "size": pa.dictionary(pa.int64(), pa.large_string()),
        "day": pa.date64(),
        "moment": pa.timestamp("us", tz="America/New_York"),
    }
    for name, kind in types.items():
        table = table.set_column(table.schema.get_field_index(name), name, table[name].cast(kind))
    return table


def arrow_large():
    table = arrow()
    types = {
        "kind": pa.large_string(),
        "count": pa.float32(),
        "size": pa.large_string(),
        "price": pa.decimal256(40, 2),
    }
    del types["price"]
    for name, kind in types.items():
        table = table.set_column(table.schema.get_field_index(name), name, table[name].cast(kind))
    return table


def arrow_sliced():
    table = arrow()
    return (
        pa.concat_tables([table.slice(4), table, table.slice(0, 3)])
        .combine_chunks()
        .slice(N - 4, N)
    )


def polars_frame():
    return pl.DataFrame(ROWS, schema_overrides={"price": pl.Decimal(12, 2)}, strict=False)


def polars_categorical():
    return polars_frame().with_columns(
        pl.col("size", "kind").cast(pl.Categorical),
        pl.col("moment").dt.replace_time_zone("UTC"),
        pl.col("count").cast(pl.Int32),
    )


def polars_chunked():
    frame = polars_frame()
    return pl.concat([frame[:2], frame[2:7], frame[7:]], rechunk=False)


def polars_lazy():
    return polars_frame().lazy().filter(pl.col("id").is_not_null())


def duckdb_relation():
    table = arrow()
    connection = duckdb.connect()
    connection.register("given", table)
    relation = connection.sql(
        "select * replace (price::DECIMAL(10,2) as price, count::TINYINT as count, "
        "size::ENUM('small', 'medium', 'large', 'huge') as size) from given"
    )
    return relation


def dict_of_lists():
    return dict(ROWS)


def dict_of_series():
    frame, table = pandas_nullable(), arrow_chunked()
    return {
        "amount": np.array([np.nan if v is None else v for v in ROWS["amount"]]),
        "price": polars_frame()["price"],
        "count": frame["count"].array,
        "id": tuple(ROWS["id"]),
        "flag": frame["flag"],
        "kind": table["kind"],
        "size": table["size"],
        "day": pl.Series(ROWS["day"]),
        "moment": pd.DatetimeIndex(ROWS["moment"]),
    }


CONTAINERS = [
    pandas_numpy,
    pandas_nullable,
    pandas_small_ints,
    arrow,
    arrow_chunked,
    arrow_other_layouts,
    arrow_large,
    arrow_sliced,
    polars_frame,
    polars_categorical,
    polars_chunked,
    polars_lazy,
    duckdb_relation,
    dict_of_lists,
    dict_of_series,
    lambda: arrow().to_reader(max_chunksize=3),
    lambda: pd.DataFrame(
        {name: arrow_chunked()[name].to_pandas(types_mapper=pd.ArrowDtype) for name in ROWS}
    ),
]
IDS = [make.__name__ for make in CONTAINERS[:-2]] + ["arrow_reader", "pandas_arrow_dtype"]


@pytest.mark.parametrize("make", CONTAINERS, ids=IDS)
def test_every_container_gives_the_same_answer_to_the_last_bit(make):
    frame = Frame.of(make())
    core = frame.core
    assert frame.columns == list(ROWS)
    assert len(frame) == N
    for name in ("amount", "price", "count", "id", "flag"):
        same_bits(core.numeric(name), expected_numbers(name))
    for name in ("day", "moment"):
        same_bits(core.days(name), expected_days(name))
    for name in ("count", "id", "flag", "kind", "size"):
        codes, categories, ordered = core.codes(name)
        assert (codes.tolist(), categories) == expected_codes(name), name
        assert not ordered
    codes, categories, _ = core.codes("amount")
    values = sorted({float(v) + 0.0 for v in ROWS["amount"] if v is not None})
    assert [float(text) for text in categories] == values
    assert codes.tolist() == [-1 if v is None else values.index(v + 0.0) for v in ROWS["amount"]]
    for name in ("day", "moment"):
        assert core.codes(name)[0].tolist() == expected_codes(name)[0]


@pytest.mark.parametrize("make", CONTAINERS, ids=IDS)
def test_only_the_wanted_columns_are_converted(make):
    frame = Frame.of(make(), columns=["size", "amount", "size"])
    if frame.columns != list(ROWS):  # a stream cannot be narrowed
        assert frame.columns == ["size", "amount"]
    same_bits(frame.core.numeric("amount"), expected_numbers("amount"))
    with pytest.raises(
        ilk.exceptions.MissingColumnError, match=r'column "amuont" not found.*did you mean "amount"'
    ):
        Frame.of(make(), columns=["amuont"])


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "Asia/Kolkata"])
def test_a_moment_gives_the_same_day_in_every_unit_and_zone(unit, zone):
    seconds = [0, -1, 1_709_209_800, -86_401, 4_000_000_000]
    per = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    array = pa.array([value * per for value in seconds], pa.int64()).cast(
        pa.timestamp(unit, tz=zone)
    )
    expected = [float(Fraction(value, 86_400)) for value in seconds]
    naive = np.array(seconds, "datetime64[s]").astype(f"datetime64[{unit}]")
    for data in [
        pa.table({"x": array}),
        pd.DataFrame({"x": array.to_pandas()}),
        pl.DataFrame({"x": array}),
        {"x": naive},
    ]:
        same_bits(Frame.of(data).core.days("x"), np.array(expected))
        assert Frame.of(data).core.kind("x") == "date"


@pytest.mark.parametrize(
    "make",
    [
        lambda: pd.DataFrame(
            {"x": pd.Categorical(["b", None, "a"], ["b", "a", "z"], ordered=True)}
        ),
        lambda: pl.DataFrame({"x": pl.Series(["b", None, "a"], dtype=pl.Enum(["b", "a", "z"]))}),
        lambda: pa.table(
            {
                "x": pa.DictionaryArray.from_arrays(
                    pa.array([0, None, 1]), ["b", "a", "z"], ordered=True
                )
            }
        ),
        lambda: {"x": pd.Categorical(["b", None, "a"], ["b", "a", "z"], ordered=True)},
        lambda: {"x": pl.Series(["b", None, "a"], dtype=pl.Enum(["b", "a", "z"]))},
    ],
    ids=["pandas", "polars", "pyarrow", "dict of pandas", "dict of polars"],
)
def test_ordered_categories_keep_their_order_and_the_unused(make):
    core = Frame.of(make()).core
    codes, categories, ordered = core.codes("x")
    assert (codes.tolist(), categories, ordered) == ([0, -1, 1], ["b", "a", "z"], True)
    assert core.kind("x") == "ordinal"


@pytest.mark.parametrize("n_others", [0, 5_000])
@pytest.mark.parametrize("n_chunks", [1, 2])
def test_polars_categories_are_those_of_the_column_whoever_shares_the_table(n_others, n_chunks):
    others = pl.Series([f"other {k}" for k in range(n_others)], dtype=pl.Categorical)
    words = ["pear", None, "fig", "pear", "apple"]
    part = pl.DataFrame({"x": pl.Series(words, dtype=pl.Categorical), "y": range(5)})
    core = Frame.of(pl.concat([part] * n_chunks, rechunk=False)).core
    codes, categories, ordered = core.codes("x")
    assert (codes.tolist(), categories) == ([2, -1, 1, 2, 0] * n_chunks, ["apple", "fig", "pear"])
    assert not ordered
    assert core.kind("x") == "nominal"
    assert core.numeric("y").tolist() == [0, 1, 2, 3, 4] * n_chunks
    assert len(others) == n_others


def test_bands_and_periods_of_pandas_are_read_as_pandas_shows_them():
    ages = pd.cut(pd.Series([5, 70, 30, None]), [0, 18, 65, 99])
    codes, categories, ordered = Frame.of(pd.DataFrame({"age": ages})).core.codes("age")
    assert (codes.tolist(), categories, ordered) == (
        [0, 2, 1, -1],
        ["(0, 18]", "(18, 65]", "(65, 99]"],
        True,
    )
    months = pd.DataFrame({"month": pd.period_range("2024-01", periods=2, freq="M")})
    assert Frame.of(months).core.days("month").tolist() == [19_723.0, 19_754.0]


NUMBERS = np.array([3.0, -1.0, 2.5, 0.0, 7.0, 100.0])


@pytest.mark.parametrize(
    "array",
    [
        NUMBERS,
        NUMBERS.astype(">f8"),
        NUMBERS.astype(np.float16),
        NUMBERS.astype(np.longdouble),
        np.repeat(NUMBERS, 3)[::3],
        NUMBERS[::-1].copy()[::-1],
        np.frombuffer(b"\0" + NUMBERS.tobytes(), np.uint8)[1:].view(np.float64),
        np.asfortranarray(np.column_stack([NUMBERS, NUMBERS]))[:, 1],
        np.ma.masked_array(NUMBERS, mask=False),
        NUMBERS.astype(object),
    ],
    ids=[
        "plain",
        "big-endian",
        "float16",
        "longdouble",
        "strided",
        "negative stride",
        "misaligned",
        "fortran",
        "masked",
        "object",
    ],
)
def test_numpy_arrays_of_every_layout_are_read(array):
    array = array.view()
    array.flags.writeable = False
    for data in ({"x0": array}, array, pd.DataFrame({"x0": np.asarray(array)})):
        same_bits(Frame.of(data).core.numeric("x0"), NUMBERS)


@pytest.mark.parametrize(
    "dtype", ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", ">i4", ">u2", "?"]
)
def test_numpy_integers_of_every_width_are_read(dtype):
    array = np.array([0, 1, 1, 0, 1], dtype)
    core = Frame.of({"x": array}).core
    same_bits(core.numeric("x"), np.array([0.0, 1, 1, 0, 1]))
    assert core.codes("x")[0].tolist() == [0, 1, 1, 0, 1]


def test_masked_values_of_numpy_are_missing():
    for values, names in (
        (np.array([1, 2, 3]), ["1", "3"]),
        (np.array(["p", "q", "r"]), ["p", "r"]),
    ):
        core = Frame.of({"x": np.ma.masked_array(values, mask=[False, True, False])}).core
        assert core.codes("x")[0].tolist() == [0, -1, 1]
        assert core.codes("x")[1] == names


@pytest.mark.filterwarnings("ignore:the matrix subclass")
def test_two_dimensional_arrays_get_numbered_columns():
    for data in (
        np.arange(6).reshape(3, 2),
        np.asmatrix(np.arange(6).reshape(3, 2)),
        [[0, 1], [2, 3], [4, 5]],
    ):
        frame = Frame.of(data)
        assert frame.columns == ["x0", "x1"]
        assert frame.core.numeric("x1").tolist() == [1.0, 3.0, 5.0]
    assert Frame.of(pd.DataFrame(np.zeros((2, 2)))).columns == ["x0", "x1"]
    assert Frame.of(np.arange(6).reshape(3, 2), columns=["x1"]).columns == ["x1"]


def test_whole_numbers_keep_all_their_digits_beside_missing_values():
    large = [2**53 + 1, None, 2**64 - 1]
    for data in (
        {"x": large},
        pd.DataFrame({"x": pd.array(large, "UInt64")}),
        pl.DataFrame({"x": pl.Series(large, dtype=pl.UInt64)}),
        pa.table({"x": pa.array(large, pa.uint64())}),
    ):
        codes, categories, _ = Frame.of(data).core.codes("x")
        assert (codes.tolist(), categories) == (
            [0, -1, 1],
            ["9007199254740993", "18446744073709551615"],
        )


def test_null_and_nan_are_both_missing():
    frame = pl.DataFrame({"x": [1.0, None, float("nan")]})
    for data in (frame, frame.to_arrow(), frame.to_pandas(), {"x": [1.0, None, float("nan")]}):
        core = Frame.of(data).core
        same_bits(core.numeric("x"), np.array([1.0, np.nan, np.nan]))
        assert core.codes("x")[0].tolist() == [0, -1, -1]


@pytest.mark.parametrize(
    "make",
    [
        lambda: pd.DataFrame({"x": [None, None]}),
        lambda: pd.DataFrame({"x": pd.Series([None, None], dtype="str")}),
        lambda: pd.DataFrame({"x": pd.Series([pd.NaT, pd.NaT])}),
        lambda: pd.DataFrame({"x": pd.array([None, None], "Int64")}),
        lambda: pd.DataFrame({"x": pd.Categorical([None, None])}),
        lambda: pl.DataFrame({"x": [None, None]}),
        lambda: pl.DataFrame({"x": [None, None]}).lazy(),
        lambda: pl.DataFrame({"x": pl.Series([None, None], dtype=pl.String)}),
        lambda: pa.table({"x": pa.nulls(2)}),
        lambda: pa.table({"x": pa.nulls(2, pa.dictionary(pa.int8(), pa.string()))}),
        lambda: duckdb.sql("select NULL as x union all select NULL"),
        lambda: {"x": [None, float("nan")]},
        lambda: {"x": [None, None]},
        lambda: {"x": np.array([np.nan, np.nan], np.float32)},
        lambda: pl.DataFrame({"x": [float("nan"), None]}),
        lambda: {"x": pl.Series([None, None])},
    ],
)
def test_a_column_without_any_value_is_empty_not_an_error(make):
    core = Frame.of(make()).core
    assert core.kind("x") == "empty"
    assert core.codes("x")[0].tolist() == [-1, -1]
    assert core.codes("x")[1] == []


@pytest.mark.parametrize(
    "make",
    [
        lambda: pandas_numpy().iloc[:0],
        lambda: polars_categorical().clear(),
        lambda: arrow().slice(0, 0),
        lambda: arrow().schema.empty_table(),
        lambda: {name: [] for name in ROWS},
        lambda: duckdb_relation().limit(0),
    ],
)
def test_a_frame_without_rows_is_read(make):
    frame = Frame.of(make())
    assert frame.columns == list(ROWS)
    assert len(frame) == 0
    for name in ROWS:
        assert frame.core.codes(name)[0].tolist() == []
        assert frame.core.kind(name) == "empty"
    assert frame.core.numeric("amount").tolist() == []


def test_a_frame_without_columns_has_no_rows():
    for data in (pd.DataFrame(), pl.DataFrame(), pa.table({}), {}):
        assert Frame.of(data).columns == []
        assert len(Frame.of(data)) == 0


def test_series_and_single_arrays_are_frames_of_one_column():
    assert Frame.of(pd.Series([1], name="x")).columns == ["x"]
    assert Frame.of(pd.Series([1])).columns == ["x0"]
    assert Frame.of(pl.Series("x", [1])).columns == ["x"]
    assert Frame.of(pl.Series([1])).columns == ["x0"]
    assert Frame.of(pa.chunked_array([[1], [2]])).core.numeric("x0").tolist() == [1.0, 2.0]
    assert Frame.of(pa.array([1])).columns == ["x0"]
    assert Frame.of(np.array([1.0])).columns == ["x0"]


#: Column, the type's name in the message, and where it is refused: at the door, or when it is read.
REFUSED = {
    "pandas list": (lambda: pd.DataFrame({"x": [[1], [2]]}), "List"),
    "pandas dict": (lambda: pd.DataFrame({"x": [{"a": 1}]}), "Struct"),
    "pandas bytes": (lambda: pd.DataFrame({"x": [b"a"]}), "Binary"),
    "pandas complex": (lambda: pd.DataFrame({"x": [1j]}), "complex128"),
    "pandas timedelta": (
        lambda: pd.DataFrame({"x": pd.to_timedelta([1], unit="D")}),
        "timedelta64",
    ),
    "pandas mixed": (
        lambda: pd.DataFrame({"x": [1, "a", "b"]}, dtype=object),
        r"mixes types \(2 str, 1 int\)",
    ),
    "pandas uuid": (lambda: pd.DataFrame({"x": [uuid.uuid4()]}), "FixedSizeBinary|UUID"),
    "polars list": (lambda: pl.DataFrame({"x": [[1]]}), "List"),
    "polars array": (
        lambda: pl.DataFrame({"x": pl.Series([[1, 2]], dtype=pl.Array(pl.Int8, 2))}),
        "FixedSizeList",
    ),
    "polars struct": (lambda: pl.DataFrame({"x": [{"a": 1}]}), "Struct"),
    "polars binary": (lambda: pl.DataFrame({"x": [b"a"]}), "Binary"),
    "polars duration": (lambda: pl.DataFrame({"x": [dt.timedelta(1)]}), "Duration"),
    "polars time": (lambda: pl.DataFrame({"x": [dt.time(1)]}), "Time64"),
    "polars object": (
        lambda: pl.DataFrame({"x": pl.Series([object()], dtype=pl.Object)}),
        "Object",
    ),
    "polars int128": (lambda: pl.DataFrame({"x": pl.Series([1], dtype=pl.Int128)}), "Int128"),
    "pyarrow map": (
        lambda: pa.table({"x": pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int8()))}),
        "Map",
    ),
    "pyarrow interval": (
        lambda: pa.table({"x": pa.array([(1, 2, 3)], pa.month_day_nano_interval())}),
        "Interval",
    ),
    "pyarrow decimal256": (
        lambda: pa.table({"x": pa.array([1], pa.decimal256(50, 2))}),
        "Decimal256",
    ),
    "pyarrow run-end": (
        lambda: pa.table({"x": pa.RunEndEncodedArray.from_arrays([2], ["a"])}),
        "RunEndEncoded",
    ),
    "duckdb list": (lambda: duckdb.sql("select [1, 2] as x"), "List"),
    "duckdb blob": (lambda: duckdb.sql("select 'a'::BLOB as x"), "Binary"),
    "duckdb interval": (lambda: duckdb.sql("select INTERVAL 1 DAY as x"), "Interval"),
    "numpy complex": (lambda: {"x": np.array([1j])}, "complex128"),
    "numpy bytes": (lambda: {"x": np.array([b"a"])}, "S1"),
    "numpy timedelta": (lambda: {"x": np.array([1], "m8[D]")}, "timedelta64"),
    "numpy structured": (lambda: {"x": np.zeros(1, [("a", "f8")])}, "structured array"),
    "dict of lists of lists": (lambda: {"x": [[1], [2]]}, r"holds Python objects \(2 list\)"),
    "dict mixed": (lambda: {"x": [1, "a"]}, r"mixes types \(1 int, 1 str\)"),
    "dict boolean and text": (lambda: {"x": [True, "a"]}, r"mixes types \(1 bool, 1 str\)"),
    "dict of one value": (lambda: {"x": 3}, "single int"),
}


@pytest.mark.parametrize("role", ["numeric", "codes", "days"])
@pytest.mark.parametrize("case", REFUSED)
def test_a_refused_type_is_named_with_its_column_and_a_way_out(case, role):
    make, found = REFUSED[case]
    with pytest.raises(TypeError, match=rf"""column ["']x["'].*({found})""") as refusal:
        getattr(Frame.of(make()).core, role)("x")
    message = str(refusal.value)
    assert "needed" in message
    assert "; try: " in message or case == "dict of one value"
    assert "\n" not in message


@pytest.mark.parametrize("role", ["numeric", "days"])
def test_text_where_numbers_are_needed_is_refused_by_name(role):
    for make in CONTAINERS:
        with pytest.raises(
            TypeError, match=r'column "kind" has type (category of )?text, but .* needed; try: '
        ):
            getattr(Frame.of(make()).core, role)("kind")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "df: found two columns named 'a'.*try: df = "),
        (pa.table([[1], [2]], names=["a", "a"]), 'found two columns named "a"'),
        (
            pd.DataFrame([[1]], columns=[1.5]),
            r"found the column name 1\.5, but names must be text; try: df\.columns",
        ),
        (
            pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "b"), ("a", "c")])),
            r"name \('a', 'b'\)",
        ),
        ({1: [1], "1": [2]}, "found the column name 1, but names must be text"),
        ({"a": [1], "b": [1, 2]}, 'column "b": found 2 values, but the first column has 1'),
        (
            {"a": np.zeros((2, 2))},
            r"column 'a': found 2 dimensions, but one is needed; try: df\['a'\]",
        ),
        (np.array(1.0), "found an array of 0 dimensions"),
        (np.zeros((2, 2, 2)), r"found an array of 3 dimensions.*try: df\.reshape\(-1, 2\)"),
        ({"a": [2**70, 1]}, "column 'a': found an integer of more than 64 bits"),
        (
            pd.DataFrame({"a": [2**70, 1]}, dtype=object),
            "column 'a': found an integer of more than 64 bits",
        ),
        ({"a": ["x", "\ud800"]}, "column 'a', row 1: found half of a surrogate pair"),
        (
            pd.DataFrame({"a": ["x", "\ud800"]}, dtype=object),
            "column 'a', row 1: found half of a surrogate pair",
        ),
    ],
)
def test_a_frame_that_cannot_be_read_says_why(data, message):
    with pytest.raises(ilk.exceptions.DataError, match=message):
        Frame.of(data)


@pytest.mark.parametrize("data", ["text", b"bytes", 3, None, object()])
def test_what_is_no_frame_is_refused_with_what_would_be(data):
    with pytest.raises(
        TypeError, match=r"customers: found a .*, but a pandas, polars, pyarrow or DuckDB frame"
    ):
        Frame.of(data, name="customers")


def test_columns_that_are_not_wanted_may_be_anything():
    odd = pd.DataFrame({"x": [1.0], "y": [object()], 3: [1]})
    assert Frame.of(odd, columns=["x"]).columns == ["x"]
    twice = pd.DataFrame([[1, 2, 3]], columns=["a", "a", "b"])
    assert Frame.of(twice, columns=["b"]).columns == ["b"]
    assert Frame.of(
        pl.DataFrame({"x": [1], "y": pl.Series([1], dtype=pl.Int128)}), columns=["x"]
    ).columns == ["x"]
    assert Frame.of({"x": [1], "y": [1, "a"]}, columns=["x"]).columns == ["x"]


def test_duckdb_selects_names_that_need_quotes():
    relation = duckdb.sql('select 1 as "a b", 2 as "say ""hi""", 3 as "c"')
    frame = Frame.of(relation, columns=['say "hi"', "a b"])
    assert frame.columns == ['say "hi"', "a b"]
    assert frame.core.numeric('say "hi"').tolist() == [2.0]


def address_in_core(core, name):
    return pa.table(core)[name].chunk(0).buffers()[1].address


@pytest.mark.parametrize(
    "kind", ["numpy", "fortran", "pandas", "mixed pandas", "polars", "pyarrow", "dict of polars"]
)
def test_a_contiguous_f64_column_is_not_copied(kind):
    array = np.arange(10_000.0)
    address, name = array.__array_interface__["data"][0], "x"
    if kind == "numpy":
        data = {"x": array}
    elif kind == "fortran":
        data, name = np.asfortranarray(np.column_stack([array, array])), "x0"
        address = data.__array_interface__["data"][0]
    elif kind in ("pandas", "mixed pandas"):
        data = pd.DataFrame({"x": array, "y": array})
        if kind == "mixed pandas":
            data["kind"] = "a"
        address = data["x"].to_numpy().__array_interface__["data"][0]
    elif kind == "polars":
        data = pl.DataFrame({"x": array})
        address = data["x"].to_numpy(allow_copy=False).__array_interface__["data"][0]
    elif kind == "dict of polars":
        series = pl.Series(array)
        data, address = (
            {"x": series},
            series.to_numpy(allow_copy=False).__array_interface__["data"][0],
        )
    else:
        data = pa.table({"x": array})
        address = data["x"].chunk(0).buffers()[1].address
    assert address_in_core(Frame.of(data).core, name) == address


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (pandas_numpy, pd.DataFrame),
        (pandas_nullable, pd.DataFrame),
        (polars_frame, pl.DataFrame),
        (polars_lazy, pl.DataFrame),
        (arrow, pa.Table),
        (duckdb_relation, duckdb.DuckDBPyRelation),
        (dict_of_lists, dict),
        (lambda: np.zeros((2, 2)), pd.DataFrame),
    ],
)
def test_results_come_back_in_the_kind_that_came_in(make, kind):
    result = _core.Table.from_columns(
        [
            ("segment", ["a", "b"]),
            ("share", np.array([0.25, np.nan])),
            ("n", np.array([1, 2])),
            ("core", np.array([True, False])),
        ]
    )
    given = to_native(result, Frame.of(make()).native)
    assert isinstance(given, kind)
    names = (
        list(given)
        if isinstance(given, dict)
        else list(getattr(given, "column_names", given.columns))
    )
    assert names == ["segment", "share", "n", "core"]
    if isinstance(given, duckdb.DuckDBPyRelation):
        assert given.fetchall()[0] == ("a", 0.25, 1, True)
    elif isinstance(given, pa.Table):
        assert given.to_pylist()[0] == {"segment": "a", "share": 0.25, "n": 1, "core": True}
    else:
        assert [column[0] for column in (given[name] for name in names)] == ["a", 0.25, 1, True]


TEXTS = st.lists(st.none() | st.text(max_size=20), max_size=60)


@given(TEXTS)
def test_any_text_gets_the_codes_of_a_plain_sort(texts):
    words = sorted({text for text in texts if text is not None}, key=str.encode)
    expected = [-1 if text is None else words.index(text) for text in texts]
    array = pa.array(texts, pa.string())
    half = len(texts) // 2
    for data in (
        {"x": texts},
        pl.DataFrame({"x": pl.Series(texts, dtype=pl.String)}),
        pa.table({"x": array}),
        pa.table({"x": pa.chunked_array([array[:half], array[half:]])}),
        pa.table({"x": array.cast(pa.large_string()).dictionary_encode()}),
    ):
        codes, categories, _ = Frame.of(data).core.codes("x")
        assert (codes.tolist(), categories) == (expected, words)


@given(st.lists(st.none() | st.integers(-(2**63), 2**63 - 1) | st.integers(-3, 3), max_size=60))
def test_any_whole_numbers_get_ascending_codes(numbers):
    values = sorted({number for number in numbers if number is not None})
    expected = [-1 if number is None else values.index(number) for number in numbers]
    for data in (
        {"x": numbers},
        pd.DataFrame({"x": pd.array(numbers, "Int64")}),
        pl.DataFrame({"x": pl.Series(numbers, dtype=pl.Int64)}),
        pa.table({"x": pa.array(numbers, pa.int64()).dictionary_encode()}),
    ):
        codes, categories, _ = Frame.of(data).core.codes("x")
        assert (codes.tolist(), categories) == (expected, [str(value) for value in values])


@pytest.mark.parametrize("threads", [1, 2, 8])
def test_the_number_of_threads_leaves_no_trace_in_codes(threads):
    rng = np.random.default_rng(3)
    ids = rng.integers(0, 60_000, 200_000)
    frame = pl.DataFrame(
        {"id": ids, "far": ids * 2_654_435_761_000_003, "text": [f"customer {i}" for i in ids]}
    )
    ilk.set_num_threads(threads)
    core = Frame.of(frame).core
    for name in ("id", "far"):
        distinct, expected = np.unique(frame[name].to_numpy(), return_inverse=True)
        codes, categories, _ = core.codes(name)
        assert np.array_equal(codes, expected)
        assert categories == [str(value) for value in distinct]
    distinct, expected = np.unique(frame["text"].to_numpy().astype(str), return_inverse=True)
    codes, categories, _ = core.codes("text")
    assert np.array_equal(codes, expected)
    assert categories == distinct.tolist()


WITHOUT = """
import importlib.util, sys
BLOCKED = {blocked!r}
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in BLOCKED:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Block())
real = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name.partition(".")[0] in BLOCKED else real(name, *rest)
import datetime as dt
import numpy as np
from ilk._frame import Frame, default_native
{body}
assert not BLOCKED & {{name.partition(".")[0] for name in sys.modules}}
"""


def run_without(blocked, body):
    code = WITHOUT.format(blocked=set(blocked), body=textwrap.dedent(body))
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr[-3000:]


def test_pandas_is_read_without_pyarrow_as_with_it():
    body = """
    import pandas as pd
    moments = [dt.datetime(2024, 2, 29, 12, 30), None, dt.datetime(1969, 12, 31, 23)]
    df = pd.DataFrame({
        "float": [1.5, None, 3.0],
        "masked": pd.array([1, None, 2**53 + 1], "Int64"),
        "flag": pd.array([True, None, False], "boolean"),
        "text": ["b", None, "a"],
        "string": pd.array(["b", None, "a"], "string"),
        "object": pd.Series(["b", None, "a"], dtype=object),
        "category": pd.Categorical(["b", None, "a"], ["b", "a", "unused"]),
        "ordered": pd.Categorical(["b", None, "a"], ["b", "a", "unused"], ordered=True),
        "numbers": pd.Categorical([10, None, 2]),
        "bands": pd.cut(pd.Series([5, None, 1]), [0, 2, 9]),
        "moment": pd.Series(moments),
        "zoned": pd.Series(moments).dt.tz_localize("America/New_York"),
        "days": pd.Series([dt.date(2024, 1, 1), None, dt.date(1970, 1, 2)], dtype=object),
    })
    core = Frame.of(df).core
    read = {name: core.codes(name)[:2] for name in df}
    assert read["float"][1] == ["1.5", "3"]
    assert read["masked"][1] == ["1", str(2**53 + 1)]
    for name in ("text", "string", "object", "category"):
        assert read[name][0].tolist() == [1, -1, 0] and read[name][1] == ["a", "b"], name
    assert read["flag"][0].tolist() == [1, -1, 0] and core.kind("flag") == "boolean"
    assert read["ordered"][1] == ["b", "a", "unused"] and core.codes("ordered")[2]
    assert read["numbers"][1] == ["2", "10"]
    assert read["bands"][1] == ["(0, 2]", "(2, 9]"]
    assert core.days("moment")[0] == 19782 + 12.5 / 24 and np.isnan(core.days("moment")[1])
    assert core.days("zoned")[0] == 19782 + 17.5 / 24
    assert core.days("days")[2] == 1.0
    try:
        Frame.of(pd.DataFrame({"x": [1, "a"]}, dtype=object))
    except TypeError as error:
        assert "column 'x' mixes types" in str(error)
    else:
        raise AssertionError
    """
    run_without({"pyarrow"}, body)


def test_polars_is_read_without_pandas_and_pyarrow():
    body = """
    import polars as pl
    assert default_native() == "polars"
    df = pl.DataFrame({"x": [1.0, None], "kind": ["b", "a"]})
    for frame in (df, df.lazy(), {"x": df["x"], "kind": df["kind"]}):
        assert Frame.of(frame).core.codes("kind")[0].tolist() == [1, 0]
        assert Frame.of(frame).core.numeric("x")[0] == 1.0
    """
    run_without({"pandas", "pyarrow", "duckdb"}, body)


def test_arrays_and_dicts_are_read_with_numpy_alone():
    body = """
    assert default_native() == "dict"
    data = {"x": np.array([1.0, 2.0]), "kind": ["b", None], "day": [dt.date(1970, 1, 2), None]}
    core = Frame.of(data).core
    assert core.codes("kind")[0].tolist() == [0, -1]
    assert core.days("day")[0] == 1.0
    assert Frame.of(np.zeros((2, 3))).columns == ["x0", "x1", "x2"]
    """
    run_without({"pandas", "polars", "pyarrow", "duckdb"}, body)

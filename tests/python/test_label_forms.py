"""Labels in every container that holds one column, and the column that they came from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import ilk
from ilk.exceptions import DataError
from ilk.profile import describe, distinguish, profile, rules, typing_tool
from ilk.segments import from_labels

if TYPE_CHECKING:
    from collections.abc import Callable

TEXT = ["b", "a", "b", "c"] * 15
COUNTS = {"a": 15, "b": 30, "c": 15}
HALF = [True, False, True, False] * 15

FORMS: dict[str, Any] = {
    "list": TEXT,
    "tuple": tuple(TEXT),
    "numpy text": np.array(TEXT),
    "numpy objects": np.array(TEXT, dtype=object),
    "numpy column": np.array(TEXT).reshape(-1, 1),
    "pandas Series": pd.Series(TEXT, name="s"),
    "pandas text": pd.array(TEXT, dtype="string"),
    "pandas text of pyarrow": pd.array(TEXT, dtype="string[pyarrow]"),
    "pandas Categorical": pd.Categorical(TEXT),
    "pandas Index": pd.Index(TEXT),
    "pandas frame": pd.DataFrame({"s": TEXT}),
    "pandas frame without a name": pd.DataFrame(TEXT),
    "pandas frame with a number for a name": pd.DataFrame({5: TEXT}),
    "polars Series": pl.Series("s", TEXT),
    "polars frame": pl.DataFrame({"s": TEXT}),
    "polars lazy frame": pl.LazyFrame({"s": TEXT}),
    "pyarrow array": pa.array(TEXT),
    "pyarrow table": pa.table({"s": TEXT}),
    "dict": {"s": TEXT},
}


@pytest.fixture(scope="module")
def df() -> pd.DataFrame:
    return pd.DataFrame({"age": np.arange(60) % 13, "city": ["x", "y", "z"] * 20})


@pytest.mark.parametrize("form", FORMS)
def test_text_labels_come_in_any_container(form: str, df: pd.DataFrame) -> None:
    found = from_labels(df, FORMS[form])
    assert dict(sorted(found.sizes.items())) == COUNTS
    wanted = profile(TEXT, df, ["age"]).to_dict()["value"].tolist()
    assert profile(FORMS[form], df, ["age"]).to_dict()["value"].tolist() == wanted


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (pd.array(HALF, dtype="boolean"), ["False", "True"]),
        (pd.array([1, 0] * 30, dtype="Int64"), ["0", "1"]),
        (pd.array([1, None] * 30, dtype="Int64"), ["1"]),
        (pd.DataFrame({"s": [1, 0] * 30}), ["0", "1"]),
        (pl.DataFrame({"s": [1, 0] * 30}), ["0", "1"]),
    ],
)
def test_numbers_and_truth_values_are_labels(labels: Any, names: list[str], df: Any) -> None:
    assert sorted(from_labels(df, labels).names) == names


def test_frame_of_several_columns_is_refused(df: pd.DataFrame) -> None:
    for several in (df, pl.DataFrame({"age": [1] * 60, "city": ["x"] * 60})):
        with pytest.raises(
            DataError, match=r"found 2 columns, but one is needed; try: .*\['age'\]"
        ):
            profile(several, df)
    with pytest.raises(DataError, match="segments: found no column"):
        profile(pd.DataFrame(index=range(60)), df)


FUNCTIONS: dict[str, Callable[..., set[str]]] = {
    "profile": lambda s, df: set(profile(s, df).to_dict()["feature"]),
    "describe": lambda s, df: set(describe(s, df=df, random_state=0).to_dict()["descriptor"]),
    "rules": lambda s, df: set(rules(s, df, random_state=0).columns),
    "distinguish": lambda s, df: {
        trait["column"] for traits in distinguish(s, df).sets.values() for trait in traits
    },
    "typing_tool": lambda s, df: set(typing_tool(s, df, random_state=0).questions),
}


@pytest.fixture(scope="module")
def grouped() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"age": rng.integers(20, 80, 400), "city": rng.choice(list("xyz"), 400)})
    return frame.assign(group=np.where(frame["age"] + rng.normal(0, 8, 400) < 45, "young", "old"))


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize(
    "labels",
    [
        lambda d: "group",
        lambda d: d["group"],
        lambda d: d["group"].astype("category"),
        lambda d: from_labels(d, "group"),
        lambda d: from_labels(d, d["group"]),
        lambda d: from_labels(d, "group").rename({"old": "others"}),
        lambda d: from_labels(d, "group", names={"old": "others"}),
        lambda d: from_labels(d, "group").reassign(range(20), to="old"),
        lambda d: ilk.Segmentation.from_json(from_labels(d, "group").to_json()),
    ],
)
def test_the_column_of_the_segments_is_no_trait(
    name: str, labels: Callable[[Any], Any], grouped: pd.DataFrame
) -> None:
    used = FUNCTIONS[name](labels(grouped), grouped)
    assert used
    assert "group" not in used


@pytest.mark.parametrize("name", FUNCTIONS)
def test_labels_of_a_clustering_are_no_trait(name: str, grouped: pd.DataFrame) -> None:
    found = ilk.segment(grouped, ["age"], k=2, base={"age": "lifestyle"}, random_state=0)
    beside = grouped.assign(segment=found.labels)
    for segments in (found, found.labels, found.rename(["x", "y"])):
        assert "segment" not in FUNCTIONS[name](segments, beside)


def test_numbers_as_labels_are_no_trait(grouped: pd.DataFrame) -> None:
    frame = grouped.assign(group=np.where(grouped["group"] == "old", 10, 9))
    for function in FUNCTIONS.values():
        assert "group" not in function(frame["group"], frame)


def test_the_column_of_the_segments_is_used_where_it_is_named(grouped: pd.DataFrame) -> None:
    found = from_labels(grouped, "group")
    assert rules(found, grouped, ["group", "age"], random_state=0).columns == ["group"]
    assert typing_tool(found, None, ["group"], random_state=0).questions == ["group"]
    assert describe(found, ["group"], random_state=0).to_dict()["descriptor"] == ["group"]
    assert set(profile(found, None, ["group"]).to_dict()["feature"]) == {"group"}


def test_a_column_of_the_same_name_but_other_values_is_a_trait(grouped: pd.DataFrame) -> None:
    labels = pd.Series(np.arange(400) % 2, name="city")
    assert "city" in set(profile(labels, grouped).to_dict()["feature"])

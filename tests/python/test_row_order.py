"""Which row a label belongs to: by the index of pandas where there is one, else by position."""

from __future__ import annotations

import copy
import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import ilk
from ilk.exceptions import DataError
from ilk.personas import personas
from ilk.profile import describe, distinguish, homogeneity, profile, ranked, rules, typing_tool
from ilk.segments import check_activities, compare_segmentations, from_labels, from_rules

if TYPE_CHECKING:
    from collections.abc import Callable

FEATURES = ["age", "visits_per_month", "channel", "household"]


@pytest.fixture(scope="module")
def customers() -> pd.DataFrame:
    frame: pd.DataFrame = ilk.datasets.make_market(300, random_state=1, as_frame="pandas").customers
    return frame.set_axis([f"c{row}" for row in range(300)])


@pytest.fixture(scope="module")
def found(customers: pd.DataFrame) -> ilk.Segmentation:
    return ilk.segment(customers, FEATURES, k=3, random_state=0)


def shuffled(frame: Any) -> Any:
    return frame.sample(frac=1, random_state=3)


FUNCTIONS: dict[str, Callable[[Any, Any], Any]] = {
    "profile": lambda s, df: profile(s, df, ["age", "region"]).table,
    "ranked": lambda s, df: ranked(s, df, items=["region"]),
    "rules": lambda s, df: rules(s, df, FEATURES, random_state=0).to_text(),
    "describe": lambda s, df: describe(s, ["age", "region"], df, random_state=0).table,
    "distinguish": lambda s, df: distinguish(s, df, FEATURES).table,
    "typing_tool": lambda s, df: typing_tool(s, df, FEATURES, random_state=0).questions,
    "homogeneity": lambda s, df: homogeneity(s, {"all": ["age", "income"]}, df).table,
    "check_activities": lambda s, df: check_activities(s, "wide", df.assign(wide="all")),
    "compare_segmentations": lambda s, df: (
        compare_segmentations(
            {"found": s, "region": "region"}, df, value="basket_value", n_boot=0, random_state=0
        ).table
    ),
    "silhouette": lambda s, df: round(
        ilk.quality.silhouette(df, s, features=["age", "income"]).mean, 12
    ),
    "segment_scorecard": lambda s, df: (
        ilk.segment_scorecard(df, segment=s, revenue="basket_value", n_boot=0).table
    ),
    "personas": lambda s, df: personas(s, df, ["age", "region"]).table,
    "from_labels": lambda s, df: from_labels(df, s, ["age", "region"]).profile().table,
}


def alike(left: Any, right: Any) -> None:
    """The same, but for the last bits of sums in another order."""
    if isinstance(left, pd.DataFrame):
        pd.testing.assert_frame_equal(left, right, rtol=1e-9)
    else:
        assert left == right


#: The folds of a cross-validation go by position, so that measures that rest on them differ a little.
FOLDED = ("rules", "typing_tool")


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("form", ["segmentation", "series", "frame"])
def test_rows_in_another_order_pair_by_index(
    name: str, form: str, customers: pd.DataFrame, found: ilk.Segmentation
) -> None:
    """Permuting the customers changes no figure: labels go where their customers go."""
    function = FUNCTIONS[name]
    labels = {
        "segmentation": found,
        "series": found.labels,
        "frame": found.labels.to_frame(),
    }[form]
    mixed = shuffled(customers)
    in_order = found.labels.loc[mixed.index].to_numpy()
    alike(function(labels, mixed), function(np.asarray(in_order, dtype=object), mixed))
    if name not in FOLDED:
        alike(function(labels, mixed), function(labels, customers))


def test_means_of_sorted_customers_are_theirs(
    customers: pd.DataFrame, found: ilk.Segmentation
) -> None:
    by_hand = customers["age"].groupby(found.labels, observed=True).mean()
    table = found.profile(customers.sort_values("age"), ["age"]).table
    assert table["value"].tolist() == pytest.approx(by_hand[found.names].tolist())


def test_other_labels_of_rows_pair_by_position(
    customers: pd.DataFrame, found: ilk.Segmentation
) -> None:
    """An index that was set anew, one that holds a label twice, and frames without one."""
    wanted = profile(found, customers, ["age"]).to_dict()["value"].tolist()
    twice = customers.set_axis(["a", "a", *customers.index[2:]])
    for df in (
        customers.reset_index(drop=True),
        customers.set_axis(range(7, 307)),
        twice,
        pl.from_pandas(customers),
        customers.set_axis(pd.MultiIndex.from_product([["x"], customers.index])),
        customers.set_axis(pd.interval_range(0, 300)),
        customers.set_axis(pd.IntervalIndex.from_arrays(range(300), range(2, 302))),
    ):
        assert profile(found, df, ["age"]).to_dict()["value"].tolist() == wanted
        assert profile(found.labels.to_numpy(), df, ["age"]).to_dict()["value"].tolist() == wanted
    labels = found.labels.set_axis(twice.index)
    mixed = shuffled(twice)
    in_order = profile(labels.to_numpy(), mixed, ["age"]).to_dict()["value"]
    assert profile(labels, mixed, ["age"]).to_dict()["value"].tolist() == in_order.tolist()


def test_whole_numbers_of_two_types_are_the_same_labels(customers: pd.DataFrame) -> None:
    frame = customers.set_axis(pd.Index(range(300), dtype="Int64"))
    labels = pd.Series(np.where(frame["age"] < 40, "young", "old"), index=range(300))
    table = profile(labels[::-1], frame, ["age"]).to_pandas().set_index("segment")
    assert table.loc["young", "value"] == pytest.approx(frame["age"][frame["age"] < 40].mean())


@pytest.mark.parametrize(
    "index",
    [
        pd.RangeIndex(300),
        pd.IntervalIndex.from_arrays(range(300), range(2, 302)),
        pd.date_range("2024-01-01", periods=300),
        pd.MultiIndex.from_product([["x", "y"], range(150)]),
        pd.interval_range(0, 300),
        pd.CategoricalIndex([f"c{row}" for row in range(300)]),
    ],
    ids=lambda index: type(index).__name__,
)
def test_every_kind_of_index_pairs(index: pd.Index, customers: pd.DataFrame) -> None:
    frame = customers.set_axis(index)
    labels = pd.Series(np.where(frame["age"] < 40, "young", "old"), index=index)
    table = profile(labels, shuffled(frame), ["age"]).to_pandas().set_index("segment")
    assert table.loc["young", "value"] == pytest.approx(frame["age"][frame["age"] < 40].mean())


def test_marks_move_the_customers_they_belong_to(
    customers: pd.DataFrame, found: ilk.Segmentation
) -> None:
    old = (customers["age"] > 60) & (customers["region"] == "north")
    wanted = found.reassign(old.to_numpy(), to=found.names[0]).codes
    assert found.reassign(shuffled(old), to=found.names[0]).codes.tolist() == wanted.tolist()
    nullable = shuffled(old).astype("boolean")
    assert found.reassign(nullable, to=found.names[0]).codes.tolist() == wanted.tolist()


def test_edits_read_given_customers_by_index(
    customers: pd.DataFrame, found: ilk.Segmentation
) -> None:
    mixed, name = shuffled(customers), found.names[0]
    edits: list[Callable[[Any], ilk.Segmentation]] = [
        lambda df: found.split(name, "channel", df=df),
        lambda df: found.reassign({"age": {"above": 60}, "region": "north"}, to=name, df=df),
        lambda df: found.limit(2, "value", value="basket_value", df=df),
    ]
    for edit in edits:
        assert edit(mixed).labels.equals(edit(None).labels)


def test_drift_pairs_customers_and_labels_by_index(customers: pd.DataFrame) -> None:
    before = from_rules(customers, {"young": {"age": (0, 40)}}, default="old")
    wanted = before.drift(customers, id="customer_id").migration
    mixed = shuffled(customers)
    assert before.drift(customers, df=mixed, id="customer_id").migration.equals(wanted)
    labels = before.labels
    assert before.drift(mixed, labels=labels, id="customer_id").migration.equals(wanted)


def test_copies_keep_all_and_pickles_the_index(
    customers: pd.DataFrame, found: ilk.Segmentation
) -> None:
    for kept in (copy.copy(found), copy.deepcopy(found), copy.deepcopy({"a": found})["a"]):
        assert kept.frame is found.frame
        assert kept.rules(random_state=0).to_text() == found.rules(random_state=0).to_text()
    again = pickle.loads(pickle.dumps(found))
    assert again.labels.equals(found.labels)
    alike(
        again.profile(shuffled(customers), ["age"]).table, found.profile(customers, ["age"]).table
    )
    with pytest.raises(
        DataError, match=r"from a file or a pickle knows no customers.*df=customers"
    ):
        again.rules()
    with pytest.raises(
        DataError, match=r"from a file or a pickle knows no customers.*df=customers"
    ):
        again.split(again.names[0], "channel")
    with pytest.raises(
        DataError, match=r"from a file or a pickle knows no customers.*id needs them"
    ):
        again.drift(customers, id="customer_id")

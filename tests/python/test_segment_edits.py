"""Edits by hand: what they do to customers, old and new, and the record that they leave."""

from __future__ import annotations

import json
import pickle
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import ilk
from ilk.exceptions import DataError
from ilk.segments import from_labels, from_rules


@pytest.fixture(scope="module")
def customers() -> pd.DataFrame:
    frame: pd.DataFrame = ilk.datasets.make_market(900, random_state=5, as_frame="pandas").customers
    return frame


@pytest.fixture(scope="module")
def clustered(customers: pd.DataFrame) -> ilk.Segmentation:
    return ilk.segment(
        customers, ["visits_per_month", "basket_value", "channel"], k=5, random_state=0
    )


@pytest.fixture(scope="module")
def ruled(customers: pd.DataFrame) -> ilk.Segmentation:
    rules: dict[str, Any] = {f"from {low}": {"age": (low, low + 10)} for low in range(10, 100, 10)}
    rules = {
        name: where
        for name, where in rules.items()
        if customers["age"].between(where["age"][0], where["age"][1] - 1).any()
    }
    return from_rules(customers, rules)


def partition(found: ilk.Segmentation) -> list[int]:
    """The segments without their names and numbers."""
    return pd.factorize(found.codes)[0].tolist()


def test_every_edit_leaves_a_record(clustered: Any, customers: Any) -> None:
    """S5-FRAME-02, S2-PERS-03: what was assumed by hand is written down."""
    names = clustered.names
    found = (
        clustered.rename({names[0]: "many"}, reason="they are")
        .merge([names[1], names[2]], name="two", reason="alike")
        .split("two", "channel", reason="reached apart")
        .reassign({"visits_per_month": (12, 13)}, to="many", reason="they come often")
    )
    history = found.history
    assert history["action"].tolist() == ["rename", "merge", "split", "reassign"]
    assert history["reason"].tolist() == ["they are", "alike", "reached apart", "they come often"]
    assert set(history["evidence"]) == {"assumed"}
    assert history["customers"][1] == clustered.sizes[names[1]] + clustered.sizes[names[2]]
    assert history["into"][1] == "two"
    assert history["how"][2] == "by channel"
    assert history["how"][3] == "visits_per_month at least 12 and below 13"
    text = found.explain()
    for reason in history["reason"]:
        assert reason in text
    again = ilk.Segmentation.from_json(found.to_json())
    assert again.history.equals(history)
    assert pickle.loads(pickle.dumps(found)).history.equals(history)
    assert len(clustered.history) == 0


def test_edited_segments_predict_old_and_new_customers_alike(
    clustered: Any, customers: Any
) -> None:
    names = clustered.names
    found = (
        clustered.split(names[0], 3, random_state=1)
        .split(names[1], {"age": {"above": 50}}, names=["big", "small"])
        .merge(["big", names[2]])
        .reassign({"channel": "web", "age": (None, 40)}, to="small")
        .limit(4, "share")
    )
    assert found.predict(customers).tolist() == found.labels.tolist()
    again = ilk.Segmentation.from_json(found.to_json())
    assert again.predict(customers.tail(50)).tolist() == found.labels.tail(50).tolist()


def test_split_and_merge_undo_each_other(clustered: Any, ruled: Any) -> None:
    for found in (clustered, ruled):
        parts = found.split(found.names[1], "channel")
        added = [name for name in parts.names if name not in found.names]
        assert len(added) == parts.k - found.k + 1
        assert partition(parts.merge(added)) == partition(found)
        assert parts.merge(added).profile().to_dict()["value"] == pytest.approx(
            found.profile().to_dict()["value"], nan_ok=True
        )


def test_rules_keep_their_order_and_clusters_go_by_size(clustered: Any, ruled: Any) -> None:
    a, b = ruled.names[0], ruled.names[2]
    assert ruled.merge([a, b]).names[:2] == [f"{a} + {b}", ruled.names[1]]
    sizes = list(clustered.merge([clustered.names[3], clustered.names[4]]).sizes.values())
    assert sizes == sorted(sizes, reverse=True)


def test_moved_rows_stay_an_exception(clustered: Any, customers: Any) -> None:
    rows = np.flatnonzero(clustered.codes == 1)[:5]
    marks = np.zeros(len(customers), dtype=bool)
    marks[rows] = True
    target = clustered.names[0]
    for who in (rows, marks, pd.Series(marks, index=customers.index)):
        found = clustered.reassign(who, to=target, reason="a talk with them")
        assert (found.codes[rows] == 0).all()
        assert found.history["customers"].tolist() == [5]
        assert "new ones go where they went before" in found.history["how"][0]
        assert found.predict(customers).tolist() == clustered.labels.tolist()


def test_seven_segments_at_most_with_the_share_lost(ruled: Any, customers: Any) -> None:
    """S2-PERS-03: at most seven, by a stated criterion, with the share of people and money lost or merged."""
    assert ruled.limit(20) is not None
    assert ruled.limit(20).k == ruled.k
    for by in ("value", "share"):
        few = ruled.limit(3, by, value="revenue")
        money = customers.groupby(ruled.labels.astype(str))["revenue"].sum()
        people = pd.Series(ruled.sizes)
        order = (money if by == "value" else people).sort_values(ascending=False)
        assert set(few.names) == set(order.index[:3])
        edit = few.history.iloc[0]
        assert edit["customers"] == people[order.index[3:]].sum()
        assert edit["share"] == pytest.approx(people[order.index[3:]].sum() / people.sum())
        assert edit["value_share"] == pytest.approx(money[order.index[3:]].sum() / money.sum())
        assert edit["evidence"] == "inferred"
        assert few.manifest["rows_used"] == few.to_dict()["n"].sum()
    near = ruled.limit(3, value=dict.fromkeys(ruled.names, 1.0))
    assert sum(near.sizes.values()) == len(customers)
    assert near.history["value_share"][0] > 0


def test_ward_puts_the_nearest_together_whatever_the_origin() -> None:
    frame = pd.DataFrame(
        {"x": [0.0, 0.1, 10.0, 10.1, 30.0, 30.1], "s": ["a", "a", "b", "b", "c", "c"]}
    )
    found = from_labels(frame, "s").limit(2)
    assert found.names == ["a + b", "c"]
    with pytest.raises(DataError, match="no column that tells the segments apart"):
        from_labels(frame, "s", features=[]).limit(2)


def test_limit_by_value_agrees_with_weights() -> None:
    frame = pd.DataFrame({"x": [1.0, 2, 3, 4], "s": ["a", "a", "a", "b"], "w": [1, 1, 1, 9]})
    assert from_labels(frame, "s", weights="w").limit(1, "share").names == ["b"]
    assert from_labels(frame, "s").limit(1, "share").names == ["a"]


def test_weights_count_in_every_edit() -> None:
    frame = pd.DataFrame({"x": [1.0, 2, 3, 4], "s": ["a", "a", "b", "b"], "w": [1.0, 3, 2, 2]})
    found = from_labels(frame, "s", features=["x"], weights="w")
    assert found.split("a", {"x": {"below": 2}}).to_dict()["share"].tolist() == [
        1 / 8,
        3 / 8,
        1 / 2,
    ]
    moved = found.reassign({"x": 2}, to="b")
    assert moved.to_dict()["share"].tolist() == [1 / 8, 7 / 8]
    assert moved.history["share"].tolist() == [3 / 8]


def test_edits_of_a_read_file_need_the_customers(ruled: Any, customers: Any) -> None:
    read = ilk.Segmentation.from_json(ruled.to_json())
    name = ruled.names[1]
    for edit in (
        lambda **df: read.split(name, "channel", **df),
        lambda **df: read.reassign({"age": (60, 65)}, to=name, **df),
        lambda **df: read.limit(2, "share", **df),
        lambda **df: read.limit(2, "value", value="revenue", **df),
    ):
        with pytest.raises(DataError, match="try: df=customers"):
            edit()
        with pytest.raises(DataError, match="900 customers that were segmented are needed"):
            edit(df=customers.head(3))
        assert edit(df=customers).k >= 2
    assert read.limit(2).k == 2


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda s: s.split("nobody", 2), "split: found 'nobody', but the segments are"),
        (lambda s: s.split(s.names[0], 1), "split into 2 parts or more"),
        (lambda s: s.split(s.names[0], {"basket_value": {"above": 1e9}}), "no part may be empty"),
        (lambda s: s.split(s.names[0], {"channel": "fax"}), "the categories are"),
        (lambda s: s.split(s.names[0], "age"), "which holds amounts"),
        (lambda s: s.split(s.names[0], "channel", names=["one"]), "found 1 names, but there are"),
        (
            lambda s: s.split(s.names[0], "channel", names=["a", "a", "b", "c"]),
            "names must be different|parts",
        ),
        (
            lambda s: s.reassign({"age": {"above": 900}}, to=s.names[0]),
            "at least one is to be moved",
        ),
        (lambda s: s.reassign({}, to=s.names[0]), r"a segment must keep some; try: \.merge"),
        (lambda s: s.reassign([4000], to=s.names[0]), "found position 4000"),
        (lambda s: s.reassign([True], to=s.names[0]), "found 1 marks"),
        (lambda s: s.reassign({"age": 30}, to="nobody"), "to: found 'nobody'"),
        (lambda s: s.merge([s.names[0]], [s.names[1]], name="x"), "there are 2 groups"),
        (lambda s: s.merge([s.names[0], s.names[0]]), "merge: found 'segment 1' twice"),
        (lambda s: s.merge(s.names[:2], s.names[1:3]), "merge: found 'segment 2' twice"),
        (lambda s: s.reassign([], to=s.names[0]), "who: found no customer"),
        (
            lambda s: s.reassign(pd.array([True, None] * 450, dtype="boolean"), to=s.names[0]),
            r"who, row 1: found <NA>, but each mark is true or false; try: who=mask\.fillna",
        ),
        (
            lambda s: s.reassign(pl.Series([True, None] * 450), to=s.names[0]),
            r"who, row 1: found None.*try: who=mask\.fill_null",
        ),
        (lambda s: s.merge([]), "name its segments"),
        (lambda s: s.merge(s.names[:2], name=s.names[2]), "names must be different"),
        (lambda s: s.limit(0), "n: found 0"),
        (lambda s: s.limit(2, "size"), "by: found 'size'"),
        (lambda s: s.limit(2, "value"), "needs the money of each segment"),
        (lambda s: s.limit(2, "value", value={s.names[0]: 1.0}), "value: found none for"),
        (lambda s: s.rename({s.names[0]: ""}), "an empty name"),
    ],
)
def test_edit_that_cannot_be_is_refused(clustered: Any, edit: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        edit(clustered)


def test_wrong_types_are_type_errors(clustered: Any) -> None:
    for edit in (
        lambda: clustered.merge("segment 1"),
        lambda: clustered.rename("segment 1"),
        lambda: clustered.split("segment 1", 2.5),
        lambda: clustered.reassign("web", to="segment 1"),
        lambda: clustered.rename({"segment 1": "x"}, reason=3),
    ):
        with pytest.raises((TypeError, DataError)):
            edit()


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda s: s.rename({s.names[0]: None}), "names: found None among the names"),
        (lambda s: s.rename(["a", None, "c", "d", "e"]), "names: found None among the names"),
        (lambda s: s.rename(set("abcde")), "names: found a set, which has no order"),
        (lambda s: s.rename(5), "names: found 5, but a mapping or one name per segment"),
        (lambda s: s.rename(None), "names: found None, but a mapping or one name per segment"),
        (lambda s: s.split(s.names[0], 2, names=[None, "z"]), "names: found None among the names"),
        (lambda s: s.split(s.names[0], 2, names="ab"), "names: found one text"),
        (lambda s: s.split(s.names[0], 2, features=3), "features: found 3"),
        (lambda s: s.merge(3), r"merge: found 3, but each group is a list of names; try: \.merge"),
        (lambda s: s.merge(s.names[:2], name=5), "name: found 5, but a name is text"),
        (lambda s: s.reassign("age>3", to=s.names[0]), "who: found 'age>3', but conditions"),
        (lambda s: s.reassign(lambda d: d, to=s.names[0]), "who: found a function, but conditions"),
        (lambda s: s.reassign(3, to=s.names[0]), "who: found 3, but conditions"),
        (lambda s: s.reassign([1.5], to=s.names[0]), "who: found 1.5, but conditions"),
    ],
)
def test_names_and_customers_of_the_wrong_kind_are_named(
    clustered: Any, edit: Any, message: str
) -> None:
    with pytest.raises(TypeError, match=message):
        edit(clustered)


def test_names_that_look_like_code_stay_names(clustered: Any) -> None:
    name = '"; DROP TABLE segments; -- <b>'
    found = clustered.rename({clustered.names[0]: name}).split(
        name, "channel", reason="</td><script>"
    )
    assert all(part.startswith(name) for part in found.names if "segment" not in part[:8])
    assert "<b>" not in found._repr_html_()
    assert "<script>" not in found.explain()._repr_html_()
    assert json.loads(found.to_json())["content"]["history"][1]["reason"] == "</td><script>"


def test_refit_says_what_it_needs(customers: Any, clustered: Any, ruled: Any) -> None:
    columns = {"revenue": "revenue", "cost": "cost", "n_boot": 10, "random_state": 0}
    merged = clustered.merge(clustered.names[:2])
    card = ilk.segment_scorecard(customers, segment=merged, refit=True, n_refits=5, **columns)
    assert list(card.to_dict()["segment"]) == merged.names
    with pytest.raises(DataError, match="that a clustering found"):
        ilk.segment_scorecard(customers, segment=ruled, refit=True, n_refits=5, **columns)
    with pytest.raises(DataError, match="split or moved by hand"):
        ilk.segment_scorecard(
            customers,
            segment=merged.split(merged.names[0], "channel"),
            refit=True,
            n_refits=5,
            **columns,
        )


def test_unions_are_those_of_ward_beyond_the_first() -> None:
    linkage = pytest.importorskip("scipy.cluster.hierarchy")
    for seed, places in enumerate(([0, 2, 4.05, 20, 23.6], None, None, None)):
        rng = np.random.default_rng(seed)
        centres = np.asarray(places if places else rng.uniform(0, 50, 7))
        sizes = np.full(len(centres), 20) if places else rng.integers(5, 40, len(centres))
        # Constant segments: Ward's loss of the rows is that of the centres.
        frame = pd.DataFrame(
            {
                "x": np.repeat(centres, sizes),
                "s": np.repeat([f"s{at}" for at in range(len(centres))], sizes),
            }
        )
        tree = linkage.linkage(frame[["x"]], "ward")
        for most in range(2, len(centres)):
            wanted = linkage.fcluster(tree, most, "maxclust")
            found = from_labels(frame, "s", features=["x"]).limit(most, by="ward").codes
            assert len(set(zip(wanted, found, strict=True))) == most, (seed, most)

"""Arguments of another type than the functions of the room take."""

from __future__ import annotations

import numpy as np
import pytest

import ilk
from ilk.exceptions import DataError
from ilk.gaps import (
    Positioning,
    ValueProposition,
    communication_gaps,
    content_coverage,
    correspondence,
    fit_matrix,
    message_matrix,
    opportunity,
    positioning_table,
    propositions_table,
    turf,
    value_map,
    whitespace,
)
from ilk.journeys import life_path

RECORDS = {
    "who": ["a", "b", "c"] * 20,
    "when": ["x", "y", "y", "x", "y", "x", "x"] * 8 + ["x"] * 4,
    "where": ["n", "s"] * 30,
    "v": np.arange(60.0),
}
ANSWERS = {
    "need": ["a"] * 4 + ["b"] * 4,
    "importance": [5, 5, 4, 5, 2, 3, 4, 2],
    "satisfaction": [2, 3, 2, 4, 4, 5, 4, 3],
}
LIKES = {"a": [1, 1, 1, 0, 0], "b": [1, 1, 0, 0, 0], "c": [0, 0, 0, 1, 0]}
SCORES = {"scores": [[1, 1, 0], [1, 0, 0], [0, 0, 1]]}
NEEDS = {"fam": {"speed": 3, "price": 1}, "sin": {"speed": 1, "price": 1}}
DELIVERY = {"box": {"speed": 1, "price": 0.2}}
LIBRARY = {
    "persona": ["owner", "owner", "buyer"],
    "stage": ["problem", "solution", "problem"],
    "kind": ["inbound", "outbound", "inbound"],
    "stars": [1, 3, 5],
}
SAID = {"role": ["CFO", "CFO"], "message": ["budget savings", "convenience"]}
BOUGHT = {"account": ["a", "a", "b"], "product": ["desk", "lamp", "desk"]}
PANEL = {"who": ["Ann", "Ann"], "year": [2021, 2022], "stage": ["student", "family"]}


def matrix(**options):
    return ilk.gap_matrix(RECORDS, rows="who", cols="when", **options)


def path(**options):
    return life_path(PANEL, customer="who", time="year", stage="stage", **options)


def refused(call, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        call()


@pytest.mark.parametrize("argument", ["values", "weights", "counts", "customer", "by"])
@pytest.mark.parametrize("value", [3, np.ones(60), ["where"]])
def test_columns_of_a_gap_matrix_are_named(argument, value) -> None:
    refused(lambda: matrix(**{argument: value}), rf"{argument}: found a \w+, but the name of a col")


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda: opportunity(ANSWERS, weights=3), "weights"),
        (lambda: opportunity(ANSWERS, segment=["need"]), "segment"),
        (lambda: opportunity(ANSWERS, satisfaction=None), "satisfaction"),
        (lambda: turf(LIKES, weights=3), "weights"),
        (lambda: correspondence(RECORDS, ["who", "when"], weights=3), "weights"),
        (lambda: value_map(**SCORES, persona=3), "persona"),
        (lambda: value_map(NEEDS, DELIVERY, customer=3), "customer"),
        (lambda: fit_matrix(NEEDS, DELIVERY, need=None), "need"),
        (lambda: content_coverage(LIBRARY, persona=None), "persona"),
        (lambda: message_matrix(SAID, role=3), "role"),
        (lambda: whitespace(BOUGHT, product=None), "product"),
        (lambda: communication_gaps({"a": ["b"]}, segment=3), "segment"),
    ],
)
def test_columns_are_named(call, argument) -> None:
    refused(call, rf"{argument}: found a \w+, but the name of a column is needed; try: {argument}=")


@pytest.mark.parametrize("value", ["a", None, True, [0.5]])
@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (matrix, "confidence"),
        (lambda **options: opportunity(ANSWERS, **options), "confidence"),
        (lambda **options: value_map(**SCORES, **options), "threshold"),
        (lambda **options: value_map(**SCORES, **options), "confidence"),
        (lambda **options: fit_matrix(NEEDS, DELIVERY, **options), "matched"),
        (lambda **options: content_coverage(LIBRARY, **options), "half_life"),
        (lambda **options: content_coverage(LIBRARY, **options), "thin"),
        (lambda **options: message_matrix(SAID, **options), "confidence"),
        (lambda **options: whitespace(BOUGHT, **options), "confidence"),
    ],
)
def test_numbers_are_numbers(call, argument, value) -> None:
    refused(lambda: call(**{argument: value}), rf"{argument}: found .*, but a number is needed")


@pytest.mark.parametrize("value", ["a", True, [0.5]])
@pytest.mark.parametrize(
    ("call", "argument"),
    [(matrix, "min_count"), (lambda **options: turf(LIKES, **options), "at_least")],
)
def test_numbers_that_may_be_left_out_are_numbers(call, argument, value) -> None:
    refused(lambda: call(**{argument: value}), rf"{argument}: found .*, but a number is needed")


def test_infinite_numbers_are_refused() -> None:
    with pytest.raises(DataError, match="over: found inf, but a finite number"):
        content_coverage(LIBRARY, over=float("inf"))


@pytest.mark.parametrize("top", ["a", None, 2.5, True])
@pytest.mark.parametrize(
    "call",
    [
        lambda top: matrix().gaps(top),
        lambda top: matrix(by="where").differences(top),
        lambda top: matrix().plot("bars", top=top),
        lambda top: content_coverage(LIBRARY).gaps(top),
        lambda top: message_matrix(SAID).gaps(top),
        lambda top: whitespace(BOUGHT).opportunities(top),
    ],
)
def test_how_many_is_a_whole_number(call, top) -> None:
    refused(lambda: call(top), "top: found .*, but a whole number from 0 up is needed")


@pytest.mark.parametrize(
    "scale", ["15", 5, (1, float("inf")), ("1", "5"), (1, 2, 3), (True, 5), {1: 5}]
)
@pytest.mark.parametrize(
    "call",
    [
        lambda scale: opportunity(ANSWERS, scale=scale),
        lambda scale: value_map(**SCORES, scale=scale),
        lambda scale: fit_matrix(NEEDS, DELIVERY, delivery_scale=scale),
        lambda scale: content_coverage(LIBRARY, quality="stars", scale=scale),
    ],
)
def test_a_scale_has_two_finite_ends(call, scale) -> None:
    with pytest.raises(DataError, match=r"scale: found .*, but two numbers .*scale=\(1, 5\)"):
        call(scale)


@pytest.mark.parametrize("n_boot", [1, 19])
@pytest.mark.parametrize("call", [matrix, lambda n_boot: value_map(**SCORES, n_boot=n_boot), path])
def test_percentiles_take_at_least_20_replicates(call, n_boot) -> None:
    with pytest.raises(DataError, match=f"n_boot: found {n_boot}, but 0 or at least 20"):
        call(n_boot=n_boot)


@pytest.mark.parametrize(
    "call",
    [
        lambda ax: matrix().plot(ax=ax),
        lambda ax: matrix().plot("mosaic", ax=ax),
        lambda ax: matrix().map().plot(ax=ax),
        lambda ax: opportunity(ANSWERS).plot(ax=ax),
        lambda ax: turf(LIKES).plot(ax=ax),
        lambda ax: value_map(**SCORES).plot(ax=ax),
        lambda ax: fit_matrix(NEEDS, DELIVERY).plot(ax=ax),
        lambda ax: content_coverage(LIBRARY).plot(ax=ax),
        lambda ax: message_matrix(SAID).plot(ax=ax),
        lambda ax: whitespace(BOUGHT).plot(ax=ax),
        lambda ax: path().plot(ax=ax),
    ],
)
def test_pictures_are_drawn_on_axes(call) -> None:
    refused(
        lambda: call("a"), "ax: found a str, but axes of matplotlib are needed; try: ax=plt.gca"
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: positioning_table(3), r"records: found a int, but a Positioning .* try: Pos"),
        (lambda: positioning_table(None), "records: found a NoneType"),
        (lambda: propositions_table(3), "propositions: found a int, but a ValueProposition"),
        (lambda: turf(LIKES, items=3), "items: found 3, but a list of names of columns"),
        (lambda: turf(LIKES, items="ab"), r"items: found one text, .* try: items=\['ab'\]"),
        (lambda: turf(LIKES, k=2.5), "k: found 2.5, but a whole number from 1 up"),
        (lambda: turf(LIKES).best([]), r"k: found \[\], but a whole number"),
        (lambda: value_map(**SCORES).turf(k="a"), "k: found 'a', but a whole number"),
        (lambda: value_map(**SCORES).canvas(3), "roles: found 3, but lists of names"),
        (lambda: correspondence(RECORDS, 3), "columns: found 3, but a list of names"),
        (lambda: matrix().map().plot(dims=3), r"dims: found 3, .* try: dims=\(1, 2\)"),
        (lambda: matrix().matrix(3), "what: found 3, but the name of a figure"),
        (lambda: message_matrix(SAID, roles={"CFO": None}), "roles.'CFO'.: found None"),
        (lambda: message_matrix(SAID, separator=3), "separator: found 3, but a text or None"),
        (lambda: content_coverage(LIBRARY, everyone=3), "everyone: found 3, but a text or None"),
        (lambda: content_coverage(LIBRARY, scale=None), "scale: found None"),
        (lambda: path(stages=3), "stages: found 3, but a list of stages"),
    ],
)
def test_other_types_are_refused(call, message) -> None:
    refused(call, message)


@pytest.mark.parametrize("zeros", [3, "a", ["a"]])
def test_structural_zeros_are_pairs(zeros) -> None:
    with pytest.raises(DataError, match=r"structural_zeros: found .*, but pairs of a row"):
        matrix(structural_zeros=zeros)


@pytest.mark.parametrize("test", ["fisher", None, 3])
def test_options_are_listed(test) -> None:
    with pytest.raises(DataError, match='but one of "normal", "exact", "monte_carlo" is needed'):
        matrix(test=test)


def test_one_record_counts_as_one() -> None:
    one = Positioning("families", key_value="time")
    assert list(positioning_table(one)["segment"]) == ["families"]
    box = ValueProposition("Box", benefit="dinner in fifteen minutes")
    assert list(propositions_table(box)["proposition"]) == ["Box"]


def test_sizes_of_numpy_are_sizes() -> None:
    assert turf(LIKES, k=np.int64(2)).best() == turf(LIKES, k=2).best()


def test_nothing_has_no_sign() -> None:
    found = turf({"a": [0, 0], "b": [1, 0], "w": [0.5, 0.25]}, ["a"], weights="w")
    assert "-0" not in repr(found)

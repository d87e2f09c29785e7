"""Value propositions and positioning as records."""

from __future__ import annotations

import copy
import pickle

import polars as pl
import pytest

from ilk.exceptions import DataError, MissingColumnError, ModelFileError
from ilk.gaps import (
    Positioning,
    ValueProposition,
    communication_gaps,
    positioning_table,
    propositions_table,
    value_map,
)


def box(**change) -> ValueProposition:
    fields = {
        "name": "Dinner box",
        "benefit": "a warm dinner in fifteen minutes",
        "offer": "a box with the ingredients of three dinners",
        "problems": ["no time", "no idea", "waste"],
        "path": {"no time": "cut vegetables", "no idea": "recipes"},
        "proof": {"4.8 of 5 in 2,000 reviews": "https://example.org/reviews", "ten years": ""},
    }
    return ValueProposition(**{**fields, **change})


@pytest.mark.parametrize(
    ("change", "completeness", "missing"),
    [
        ({}, 4, ()),
        ({"proof": []}, 3, ("proof",)),
        ({"offer": "  "}, 3, ("offer",)),
        ({"problems": [], "path": {}}, 2, ("problems", "path")),
        ({"path": {"no time": ""}}, 3, ("path",)),
        ({"offer": "", "problems": [], "path": {}, "proof": ()}, 0, ("offer", "problems", "path", "proof")),
    ],
)  # fmt: skip
def test_completeness_counts_the_four_elements(change, completeness, missing) -> None:
    """S2-VP-01, S1-VP-01: a benefit and three more elements make a proposition whole."""
    made = box(**change)
    assert (made.completeness, made.missing) == (completeness, missing)


def test_problems_without_a_feature_are_uncovered() -> None:
    assert box().uncovered == ("waste",)
    assert box(path={"no time": None, "waste": "a list"}).uncovered == ("no time", "no idea")
    assert box().unsupported == ("ten years",)


def test_a_proposition_is_saved_copied_and_shown() -> None:
    made = box()
    assert ValueProposition.from_json(made.to_json()) == made
    assert ValueProposition.from_dict(made.to_dict()) == made
    assert pickle.loads(pickle.dumps(made)) == made
    assert copy.deepcopy(made) == made
    assert len({made, box()}) == 1
    assert made != box(name="Other")
    assert "problems no feature solves  waste" in repr(made)
    hostile = box(name="<script>x</script>", benefit="<img src=x>", offer="\x1b[2J")
    assert "<script" not in hostile._repr_html_()
    assert "<img" not in hostile._repr_html_()
    assert "\x1b" not in repr(hostile)
    with pytest.raises(AttributeError):
        made.name = "other"
    with pytest.raises(TypeError):
        made.path["waste"] = "a list"


def test_a_proposition_is_written_to_a_file(tmp_path) -> None:
    path = tmp_path / "box.json"
    box().to_json(path)
    assert ValueProposition.from_json(path) == box()


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"benefit": " "}, DataError, "benefit: found nothing.*in the customer's words; try: benefit="),
        ({"benefit": "A box with the ingredients of three dinners"}, DataError, "benefit: found the offer itself"),
        ({"benefit": None}, TypeError, "benefit: found a NoneType, but text is needed"),
        ({"name": ""}, DataError, "name: found nothing"),
        ({"path": {"hunger": "food"}}, DataError, r"path: found the problem 'hunger'.*try: problems=\[..., 'hunger'\]"),
        ({"path": ["cut vegetables"]}, TypeError, "path: found a list, but a dict of problem to feature"),
        ({"problems": ["a", "a"]}, DataError, "problems: found 'a' twice"),
        ({"problems": ["a", ""]}, DataError, "problems: found an empty text at place 1"),
        ({"problems": 3}, TypeError, "problems: found a int, but a list of texts is needed"),
        ({"proof": [1]}, TypeError, "proof: found a int"),
    ],
)  # fmt: skip
def test_a_proposition_without_sense_is_refused(change, error, message) -> None:
    with pytest.raises(error, match=message):
        box(**change)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "[" * 100_000,
        '{"schema": "other"}',
        '{"schema": "ilk", "schema_version": 9, "kind": "value_proposition"}',
        '{"schema": "ilk", "schema_version": 1, "kind": "turf", "content": {}}',
        '{"schema": "ilk", "schema_version": 1, "kind": "value_proposition", "content": 3}',
        '{"schema": "ilk", "schema_version": 1, "kind": "value_proposition", "content": {"name": "a"}}',
        '{"schema": "ilk", "schema_version": 1, "kind": "value_proposition", "content": {"name": "a", "benefit": "b", "x": 1}}',
    ],
)
def test_a_broken_file_of_a_proposition_is_refused(text: str) -> None:
    with pytest.raises(ModelFileError, match="not a usable ilk file"):
        ValueProposition.from_json(text)


def test_propositions_are_listed_the_least_complete_first() -> None:
    table = propositions_table([box(), box(name="Bare", proof=[], offer="")])
    assert table["proposition"].tolist() == ["Bare", "Dinner box"]
    assert table["completeness"].tolist() == [2, 4]
    assert table["missing"].tolist() == ["offer, proof", ""]
    assert table["uncovered"].tolist() == ["waste", "waste"]
    with pytest.raises(DataError, match="found two named 'Dinner box'"):
        propositions_table([box(), box()])
    with pytest.raises(DataError, match="propositions: found none"):
        propositions_table([])
    with pytest.raises(TypeError, match="propositions: found a str"):
        propositions_table(["Dinner box"])


def test_propositions_deliver_the_problems_that_they_solve() -> None:
    needs = {"families": {"no time": 3, "no idea": 1, "waste": 1, "money": 5}}
    found = value_map(
        needs, [box(), box(name="Shop", problems=["money"], path={"money": "low prices"})]
    )
    assert found.matrix("fit").loc["families"].tolist() == pytest.approx([0.4, 0.5])
    with pytest.raises(
        DataError, match='delivery: found the need "waste", but the needs are "no time"'
    ):
        value_map({"families": {"no time": 3, "no idea": 1}}, [box()])
    with pytest.raises(DataError, match="delivery: found no problems of 'Dinner box'"):
        value_map(needs, [box(problems=[], path={})])


# --- positioning ---


def test_positioning_answers_three_questions() -> None:
    """S3-POS-01."""
    made = Positioning("families", key_value="dinner without a thought", style=" warm ")
    assert (made.completeness, made.missing, made.style) == (2, ("delivery",), "warm")
    assert Positioning.from_json(made.to_json()) == made
    assert "delivery      missing" in repr(made)
    assert "<table>" in made._repr_html_()
    assert "<b>" not in Positioning("<b>x</b>")._repr_html_()
    with pytest.raises(DataError, match="segment: found nothing"):
        Positioning("")
    with pytest.raises(TypeError, match="style: found a int"):
        Positioning("families", style=3)
    with pytest.raises(ModelFileError, match="it holds a 'positioning', not a 'value_proposition'"):
        ValueProposition.from_json(made.to_json())


def test_segments_without_positioning_stand_in_the_table() -> None:
    full = Positioning("families", key_value="a", delivery="b", style="c")
    table = positioning_table([full], segments=["families", "singles"])
    assert table["segment"].tolist() == ["singles", "families"]
    assert table["completeness"].tolist() == [0, 3]
    assert table["missing"].tolist() == ["key_value, delivery, style", ""]
    with pytest.raises(
        DataError, match="found the segment 'families', but the segments are 'singles'"
    ):
        positioning_table([full], segments=["singles"])
    with pytest.raises(DataError, match="records: found two of 'families'"):
        positioning_table([full, full])
    with pytest.raises(DataError, match="records: found none"):
        positioning_table([])
    with pytest.raises(TypeError, match="records: found a str"):
        positioning_table(["families"])


def test_segments_with_one_of_marketing_and_communication_are_found() -> None:
    """S3-POS-02."""
    plan = pl.DataFrame(
        {
            "who": ["a", "a", "b", "c", "c", "c"],
            "kind": [
                "marketing",
                "communication",
                "marketing",
                "communication",
                "communication",
                "marketing",
            ],
        }
    )
    found = communication_gaps(plan, segment="who", segments=["a", "b", "c", "d"])
    assert isinstance(found, pl.DataFrame)
    assert found.rows() == [
        ("d", 0, 0, "both"),
        ("b", 1, 0, "communication"),
        ("a", 1, 1, ""),
        ("c", 1, 2, ""),
    ]
    only = communication_gaps({"segment": ["x"], "kind": ["communication"]})
    assert only["missing"] == ["marketing"]


@pytest.mark.parametrize(
    ("plan", "options", "error", "message"),
    [
        ({"segment": ["a", "b"], "kind": ["marketing", "sales"]}, {}, DataError,
         "column \"kind\", row 1: found 'sales', but \"marketing\" or \"communication\" is needed"),
        ({"segment": ["a", None], "kind": ["marketing"] * 2}, {}, DataError,
         'column "segment", row 1: found nothing'),
        ({"segment": ["a"]}, {}, MissingColumnError, "kind"),
        ({"segment": [], "kind": []}, {}, DataError, "plan: found no rows"),
        ({"segment": ["a"], "kind": ["marketing"]}, {"segments": ["b"]}, DataError,
         "plan: found the segment 'a', but the segments are 'b'"),
    ],
)  # fmt: skip
def test_a_plan_that_cannot_be_checked_is_refused(plan, options, error, message) -> None:
    with pytest.raises(error, match=message):
        communication_gaps(plan, **options)

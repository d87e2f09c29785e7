"""Lists of categories, stages, motives and roles: what is in them, and how they are changed with a record."""

from __future__ import annotations

import copy
import json
import pickle

import pytest

from ilk import taxonomy
from ilk.exceptions import DataError, ModelFileError
from ilk.taxonomy import Item, Taxonomy

ALL = [taxonomy.get(name) for name in taxonomy.available()]


@pytest.mark.parametrize("listed", ALL, ids=taxonomy.available())
def test_each_list_has_descriptions_and_a_source(listed: Taxonomy) -> None:
    assert listed.description
    assert listed.source
    assert listed.version == "1"
    assert listed.record == ()
    for item in listed:
        assert item.description.endswith((".", "?"))
        assert item.name == item.name.strip()
        assert item.key.isidentifier()
        assert listed[item.key] is item
        assert listed.find(item.name.upper()) is item


@pytest.mark.parametrize("listed", ALL, ids=taxonomy.available())
def test_each_list_comes_back_from_json_and_pickle(listed: Taxonomy, tmp_path) -> None:
    assert Taxonomy.from_json(listed.to_json()) == listed
    assert pickle.loads(pickle.dumps(listed)) == listed
    assert copy.deepcopy(listed) == listed
    listed.to_json(tmp_path / "list.json")
    assert Taxonomy.from_json(tmp_path / "list.json") == listed


def test_scenarios_are_six() -> None:
    """S5-FRAME-02: use cases, pain points, buying triggers, jobs, life stages, value proposition."""
    assert taxonomy.SCENARIOS.keys == [
        "use_cases",
        "pain_points",
        "journey_maps",
        "jobs_to_be_done",
        "life_stages",
        "value_proposition",
    ]


def test_characteristics_are_eleven_with_examples() -> None:
    """S5-CHAR-02."""
    assert len(taxonomy.CHARACTERISTICS) == 11
    assert taxonomy.CHARACTERISTICS.names == [
        "Needs and wants",
        "Drives and motivations",
        "Life stage",
        "Achievements and milestones",
        "Lifestyle choices",
        "Household income",
        "Education",
        "Class",
        "Location",
        "Occupation",
        "Personality traits",
    ]
    for item in taxonomy.CHARACTERISTICS:
        assert len(item["examples"]) >= 3
        assert len(item["words"]) >= 5
    assert {"innovative", "thrifty", "social", "conscious", "conscientious"} == set(
        taxonomy.CHARACTERISTICS["personality"]["examples"]
    )


def test_life_stages_have_their_drivers() -> None:
    """S3-LIFE-01."""
    assert {item.key: item["driver"] for item in taxonomy.LIFE_STAGES} == {
        "student": "affordable price",
        "young_professional": "convenience and functionality",
        "family": "quality and reliability",
        "pensioner": "simplicity and support",
    }


def test_quadrants_cover_money_by_ease() -> None:
    """S3-B2C-02: four quadrants, each with a behaviour."""
    cells = {(item["money"], item["ease"]): item["behaviour"] for item in taxonomy.MONEY_EFFORT}
    assert len(cells) == 4
    assert "discounts" in cells["low", "low"]
    assert "status" in cells["low", "high"]
    assert "justified" in cells["high", "low"]
    assert "convenience" in cells["high", "high"]


def test_motives_are_three_of_the_five_values() -> None:
    """S3-MOT-01: Sheth, Newman and Gross extend the three."""
    assert taxonomy.MOTIVES.keys == ["functional", "emotional", "social"]
    assert taxonomy.CONSUMPTION_VALUES.keys[:3] == taxonomy.MOTIVES.keys
    assert taxonomy.CONSUMPTION_VALUES.keys[3:] == ["epistemic", "conditional"]


def test_firm_sizes_are_those_of_the_european_union() -> None:
    """S3-B2B-04: micro below 10, small below 50, medium below 250."""
    assert "2003/361/EC" in taxonomy.FIRM_SIZES.source
    bounds = [(item["from_employees"], item["below_employees"]) for item in taxonomy.FIRM_SIZES]
    assert bounds == [(0, 10), (10, 50), (50, 250), (250, None)]


def test_maturity_levels_are_in_order() -> None:
    """S3-B2B-05."""
    assert [item["level"] for item in taxonomy.MATURITY_LEVELS] == [1, 2, 3, 4, 5]
    assert "CRM" in taxonomy.MATURITY_LEVELS["managed"]["next_step"]


def test_blocker_is_a_stance_and_only_one_role_says_yes() -> None:
    """S1-BUY-02."""
    assert "blocker" in taxonomy.STANCES
    assert "blocker" not in taxonomy.BUYER_ROLES
    assert [item.key for item in taxonomy.BUYER_ROLES if item["can_say_yes"]] == ["economic"]
    assert [item.key for item in taxonomy.BUYER_ROLES if item["can_say_no"]] == [
        "economic",
        "technical",
    ]


def test_firms_add_two_stages_to_the_journey_of_consumers() -> None:
    """S4-JRN-02, S4-JRN-03."""
    assert len(taxonomy.CONSUMER_JOURNEY) == 4
    assert taxonomy.B2B_JOURNEY.keys[:4] == taxonomy.CONSUMER_JOURNEY.keys
    assert taxonomy.B2B_JOURNEY.keys[4:] == ["validation", "consensus"]
    assert taxonomy.B2B_JOURNEY.index("consensus") == 5


def test_funnel_says_which_letters_are_inferred() -> None:
    """S4-FUN-03: A, D and E are given."""
    letters = [item["letter"] for item in taxonomy.FUNNEL]
    assert letters == list("ABCDEF")
    assert [item["letter"] for item in taxonomy.FUNNEL if item["given"]] == ["A", "D", "E"]
    assert [
        taxonomy.FUNNEL.find(name)["letter"] for name in ("awareness", "intent", "evaluation")
    ] == [
        "A",
        "D",
        "E",
    ]


def test_approval_chain_and_questions() -> None:
    """S3-B2B-02, S3-B2B-07, S3-POS-01, S3-B2C-01, S2-SEG-02, S3-B2B-06."""
    chain = taxonomy.APPROVAL_CHAIN
    assert chain.keys == ["manager", "department_head", "cfo", "managing_director"]
    assert chain["cfo"]["priority"] == "budget savings"
    assert len(taxonomy.POSITIONING) == 3
    assert taxonomy.BASES.keys == ["demographic", "lifestyle", "behaviour", "financial"]
    assert taxonomy.BLOCKS.keys == ["expectations", "needs", "preferences", "budget"]
    assert len(taxonomy.OUTCOMES) == 3


def test_changes_give_a_new_version_with_a_record() -> None:
    stages = taxonomy.LIFE_STAGES
    first = stages.replace("family", driver="safety", reason="interviews")
    second = first.extend({"empty_nest": {"name": "Empty nest", "driver": "comfort"}})
    third = second.remove("student", reason="we sell to none")
    assert [found.version for found in (stages, first, second, third)] == ["1", "1+1", "1+2", "1+3"]
    assert stages["family"]["driver"] == "quality and reliability"
    assert first["family"]["driver"] == "safety"
    assert first["family"].description == stages["family"].description
    assert third.keys == ["young_professional", "family", "pensioner", "empty_nest"]
    assert [(change.what, change.keys, change.reason) for change in third.record] == [
        ("replaced", ("family",), "interviews"),
        ("extended", ("empty_nest",), ""),
        ("removed", ("student",), "we sell to none"),
    ]
    assert Taxonomy.from_json(third.to_json()) == third
    assert "interviews" in str(third.explain())


def test_own_list_takes_names_descriptions_and_fields() -> None:
    own = Taxonomy.of("tiers", ["bronze", "silver"])
    assert own.names == ["Bronze", "Silver"]
    own = Taxonomy.of("tiers", {"bronze": "the first", "gold": {"name": "Gold!", "from": 3.5}})
    assert own["bronze"].description == "the first"
    assert own["gold"]["from"] == 3.5
    own = Taxonomy.of("tiers", [Item("gold", "Gold", attributes={"words": ["shiny"]})])
    assert own["gold"]["words"] == ("shiny",)


def test_nothing_can_be_changed_in_place() -> None:
    stages = taxonomy.LIFE_STAGES
    with pytest.raises(AttributeError):
        stages.version = "2"  # type: ignore[misc]
    with pytest.raises(AttributeError):
        stages["family"].name = "x"  # type: ignore[misc]
    with pytest.raises(TypeError):
        stages["family"].attributes["driver"] = "x"  # type: ignore[index]


def test_table_has_a_row_per_item_and_missing_bounds_are_nan() -> None:
    table = taxonomy.FIRM_SIZES.table
    assert list(table["key"]) == ["micro", "small", "medium", "large"]
    assert table["below_employees"].tolist()[:3] == [10, 50, 250]
    assert table["below_employees"].isna().tolist() == [False, False, False, True]
    assert taxonomy.CHARACTERISTICS.table["words"][10].startswith("personality; ")


def test_lists_are_shown_as_text_and_html() -> None:
    assert "quality and reliability" in repr(taxonomy.LIFE_STAGES)
    assert "quality and reliability" in taxonomy.LIFE_STAGES._repr_html_()
    hostile = Taxonomy.of(
        "x", {"a": {"name": "<script>alert(1)</script>", "description": "\x1b[2J"}}
    )
    assert "<script>" not in hostile._repr_html_()
    assert "\x1b" not in repr(hostile)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: taxonomy.LIFE_STAGES["famly"],
            "found 'famly', but the keys are .*did you mean 'family'",
        ),
        (lambda: taxonomy.LIFE_STAGES.find("Pensionner"), "did you mean 'pensioner'"),
        (lambda: taxonomy.LIFE_STAGES["family"]["drivr"], "did you mean 'driver'"),
        (lambda: taxonomy.get("motifs"), "did you mean 'motives'"),
        (lambda: taxonomy.MOTIVES.extend(["social"]), "'social', which is there already"),
        (lambda: taxonomy.MOTIVES.extend([]), "found no item"),
        (lambda: taxonomy.MOTIVES.remove(*taxonomy.MOTIVES.keys), "found 0, but 1 to"),
        (lambda: taxonomy.MOTIVES.replace("social"), "nothing to replace"),
        (lambda: taxonomy.MOTIVES.replace("social", name=" "), "a name is needed"),
        (lambda: taxonomy.MOTIVES.replace("social", nme="a"), "'nme'.* did you mean 'name'"),
        (lambda: taxonomy.LIFE_STAGES.replace("family", drivr="a"), "did you mean 'driver'"),
        (
            lambda: taxonomy.MATURITY_LEVELS.replace("initial", level=float("nan")),
            "a finite number is needed",
        ),
        (lambda: Taxonomy.of("x", {"a": "", "b": {"source": "b" * 200_000}}), "200,000 characters"),
        (lambda: Taxonomy.of("x", ["a", "a"]), "'a' twice"),
        (lambda: Taxonomy.of("x", ["\x00"]), "printable"),
        (lambda: Taxonomy.of("x", []), "found 0"),
    ],
)
def test_refusals_name_what_was_found(call, message: str) -> None:
    with pytest.raises(DataError, match=message):
        call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Taxonomy.of("x", "abc"), "one text"),
        (lambda: Taxonomy.of("x", {"a": 3}), "a: found a int"),
        (lambda: Taxonomy.of("x", {"a": {"b": object()}}), "a.b: found a object"),
        (lambda: Taxonomy.of("x", {1: "a"}), "found a int"),
        (lambda: Taxonomy.of("x", {"a": {"source": 1}}), "a.source: found a int"),
        (lambda: Taxonomy("x", ("a",)), "but Item is needed"),  # type: ignore[arg-type]
    ],
)
def test_wrong_types_are_type_errors(call, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        call()


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.pop("kind"),
        lambda data: data.update(kind="turf"),
        lambda data: data.update(schema_version=2),
        lambda data: data.update(schema_version=True),
        lambda data: data.update(content=[]),
        lambda data: data["content"].pop("items"),
        lambda data: data["content"].update(more=1),
        lambda data: data["content"].update(items={}),
        lambda data: data["content"].update(items=[]),
        lambda data: data["content"].update(items=[3]),
        lambda data: data["content"].update(version=3),
        lambda data: data["content"]["items"][0].update(name=3),
        lambda data: data["content"]["items"][0].update(attributes={"a": {"b": 1}}),
        lambda data: data["content"]["items"][0].update(attributes=[]),
        lambda data: data["content"]["items"].append(data["content"]["items"][0]),
        lambda data: data["content"]["record"].append({"what": "x"}),
        lambda data: data["content"]["record"].append(
            {"what": "burnt", "version": "1", "keys": [], "reason": ""}
        ),
    ],
)
def test_broken_files_are_refused(change) -> None:
    data = json.loads(taxonomy.MOTIVES.to_json())
    change(data)
    with pytest.raises(ModelFileError, match="not a usable ilk file"):
        Taxonomy.from_json(json.dumps(data))


def test_files_that_are_no_json_are_refused() -> None:
    text = taxonomy.MATURITY_LEVELS.replace("initial", level=1.5).to_json()
    for bad in ("", "[" * 100_000, text[:-2], text.replace("1.5", "NaN"), "[1]"):
        with pytest.raises(ModelFileError):
            Taxonomy.from_json(bad)


@pytest.mark.parametrize("name", [None, 3, []])
def test_names_of_taxonomies_are_text(name) -> None:
    with pytest.raises(TypeError, match=r"name: found .* try: name='scenarios'"):
        taxonomy.get(name)


@pytest.mark.parametrize("items", [None, 3])
def test_items_are_several(items) -> None:
    for call in (taxonomy.MOTIVES.extend, lambda items: Taxonomy.of("a", items)):
        with pytest.raises(TypeError, match=r"items: found .*, but a mapping or several names"):
            call(items)
    with pytest.raises(TypeError, match=r"items: found .* try: Taxonomy.of"):
        Taxonomy("a", items)


def test_attributes_of_the_list_can_be_replaced_where_an_item_has_none() -> None:
    own = taxonomy.MOTIVES.extend({"price": {"rank": 1}}).replace("social", rank=2)
    assert own["social"]["rank"] == 2

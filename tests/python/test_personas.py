"""Cards of personas: what they state, and where it comes from."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest

import ilk
import people
from ilk import taxonomy
from ilk.exceptions import DataError, DataWarning, MissingColumnError, ModelFileError
from ilk.gaps import Positioning, value_map
from ilk.personas import Personas, personas, schema
from people import FEATURES, lines_of, small


@pytest.fixture
def market():
    return people.market()


@pytest.fixture
def segmentation():
    return people.segmentation()


@pytest.fixture
def found() -> Personas:
    return people.cards()


def test_each_segment_gets_a_card(found: Personas, segmentation) -> None:
    """S2-PERS-01, S5-PERS-01: main segments become personas, with size and share."""
    assert found.names == segmentation.names
    for card, n in zip(found.cards, segmentation.sizes.values(), strict=True):
        assert card["n"] == n
        assert card["share"] == pytest.approx(n / 900, abs=5e-4)


def test_lines_are_counts_of_the_customers(found: Personas, segmentation, market) -> None:
    """S5-PAT-01, S5-CHAR-03: share within and over all, lift, interval, n, all counted again here."""
    customers = market.customers.assign(segment=np.asarray(segmentation.labels))
    table = found.table
    assert set(table["provenance"]) == {"observed"}
    for card in found.cards:
        rule = found.rule(card["name"])
        for line in card["lines"]:
            value = rule[line["attribute"]]
            column = customers[line["attribute"]]
            if isinstance(value, tuple):
                low, high = (value[0] or -np.inf), (np.inf if value[1] is None else value[1])
                meets = (column >= low) & (column < high)
            else:
                meets = column.astype(str) == value
            inside = customers["segment"] == card["segment"]
            known = column.notna()
            assert line["count"] == int((meets & inside & known).sum())
            assert line["n"] == int((inside & known).sum())
            share = line["figures"][0]
            p_in = line["count"] / line["n"]
            p_all = (meets & known).sum() / known.sum()
            assert share["value"] == pytest.approx(p_in, rel=5e-3)
            assert share["overall"] == pytest.approx(p_all, rel=5e-3)
            assert share["lift"] == pytest.approx(p_in / p_all, rel=5e-3)
            assert share["lo"] <= share["value"] <= share["hi"]


def test_stated_bin_is_the_one_that_most_of_the_segment_are_in(found: Personas) -> None:
    for card in found.cards:
        household = lines_of(found, card["name"], "life_stage")
        assert all(line["figures"][0]["value"] >= 1 / 3 for line in household)


def test_shares_and_means_are_those_of_the_profile(found: Personas, segmentation) -> None:
    """The card and the profile of the segments tell the same."""
    profile = segmentation.profile().to_pandas()
    for card in found.cards:
        for line in card["lines"]:
            rows = profile[
                (profile["segment"] == card["segment"]) & (profile["feature"] == line["attribute"])
            ]
            figures = {figure["name"]: figure for figure in line["figures"]}
            if line["condition"]["level"] is not None:
                row = rows[rows["level"] == line["condition"]["level"]].iloc[0]
                assert figures["share"]["value"] == pytest.approx(row["value"], rel=5e-3)
                assert figures["share"]["overall"] == pytest.approx(row["overall"], rel=5e-3)
            elif "mean" in figures:
                assert figures["mean"]["value"] == pytest.approx(rows.iloc[0]["value"], rel=5e-4)
                assert figures["mean"]["overall"] == pytest.approx(
                    rows.iloc[0]["overall"], rel=5e-4
                )


def test_mean_has_the_interval_of_student() -> None:
    cards = personas("segment", small(), ["income"])
    mean = cards.card("little")["lines"][0]["figures"][1]
    values = small()["income"][30:]
    # The 0.975 quantile of Student's t with 9 degrees of freedom.
    half = 2.262157162740992 * values.std() / np.sqrt(10)
    assert mean["lo"] == pytest.approx(values.mean() - half, rel=5e-4)
    assert mean["hi"] == pytest.approx(values.mean() + half, rel=5e-4)


def test_planted_traits_are_distinctive_and_noise_is_not() -> None:
    rng = np.random.default_rng(5)
    n = 3000
    segment = np.repeat(["a", "b", "c"], n // 3)
    noise = {f"noise{i}": rng.integers(0, 2, n) for i in range(60)}
    planted = {"planted": (segment == "a") & (rng.random(n) < 0.8) | (rng.random(n) < 0.1)}
    cards = personas("segment", pd.DataFrame({"segment": segment, **planted, **noise}))
    table = cards.table
    marked = table[table["distinctive"]]
    assert ("a", "planted") in set(zip(marked["persona"], marked["attribute"], strict=True))
    assert (marked["attribute"] != "planted").sum() <= 0.05 * 180


def test_problems_needs_and_habits_are_ranked_with_prevalence_and_interval() -> None:
    """S2-PERS-02: three ranked lists with prevalence, lift and interval."""
    cards = personas(
        "segment",
        small(),
        ["town"],
        problems=["dear", "late"],
        needs="driver",
        habits=["rating"],
        at_least=4,
    )
    problems = lines_of(cards, "big", "problems")
    assert [line["attribute"] for line in problems] == ["late", "dear"]
    assert [(line["count"], line["n"]) for line in problems] == [(20, 30), (10, 30)]
    assert problems[0]["figures"][0]["lift"] == pytest.approx((20 / 30) / (20 / 40), rel=5e-3)
    assert problems[0]["figures"][0]["lo"] < 0.667 < problems[0]["figures"][0]["hi"]
    needs = lines_of(cards, "big", "needs")
    assert [line["statement"] for line in needs] == ["price", "fun", "status"]
    assert needs[0]["count"] == 15
    rated = lines_of(cards, "big", "habits")[0]
    assert (rated["count"], rated["n"]) == (12, 30)
    assert rated["condition"]["at_least"] == 4


def test_lists_keep_their_first_entries() -> None:
    cards = personas("segment", small(), ["town"], needs="driver", top=2)
    assert [line["statement"] for line in lines_of(cards, "big", "needs")] == ["price", "fun"]


def test_people_say_what_no_column_holds() -> None:
    """S5-CHAR-03: what is said is assumed, and has no n."""
    cards = personas(
        "segment",
        small(),
        ["town"],
        goals={"big": ["a garden", "quiet"], "little": "a car"},
        role={"big": "user"},
    )
    goals = lines_of(cards, "big", "goals")
    assert [line["statement"] for line in goals] == ["a garden", "quiet"]
    assert {line["provenance"] for line in goals} == {"assumed"}
    assert {line["n"] for line in goals} == {None}


def test_expected_driver_follows_from_the_most_common_life_stage() -> None:
    """S3-LIFE-01, S3-MOT-01: stage and motive bring what is expected of them, as inferred."""
    customers = small().assign(stage=["family"] * 30 + ["pensioner"] * 10, why=["social"] * 40)
    cards = personas(
        "segment", customers, ["town"], life_stage="stage", motive="why", inferred=["stage"]
    )
    stage, driver = lines_of(cards, "big", "stage")
    assert (stage["statement"], stage["provenance"]) == ("family", "inferred")
    assert driver["statement"] == "Expected driver: quality and reliability"
    assert driver["provenance"] == "inferred"
    assert "Families" in driver["reason"]
    assert lines_of(cards, "little", "stage")[1]["statement"].endswith("simplicity and support")
    motive, meaning = lines_of(cards, "big", "motive")
    assert (motive["provenance"], meaning["provenance"]) == ("observed", "inferred")
    assert "Status" in meaning["statement"]


def test_attributes_go_into_eleven_categories(found: Personas) -> None:
    """S5-CHAR-02: attributes are placed by words of their names, coverage and empty slots are told."""
    placed = found.attributes.set_index("attribute")["category"].to_dict()
    assert placed["age"] == "life_stage"
    assert placed["visits_per_month"] == "lifestyle"
    coverage = found.coverage
    assert len(coverage) == 33
    assert set(coverage["category"]) == set(taxonomy.CHARACTERISTICS.keys)
    for name, empty in found.empty.items():
        assert "life_stage" not in empty
        assert {"education", "occupation", "location"} <= set(empty)
        assert "Education" in found.to_markdown().split(f"## {name}")[1]


def test_sections_cover_categories() -> None:
    cards = personas("segment", small(), ["town"], problems=["late"], motive={"big": "status"})
    assert "needs_and_wants" not in cards.empty["big"]
    assert "drives_and_motivations" not in cards.empty["big"]
    assert "drives_and_motivations" in cards.empty["little"]


@pytest.mark.parametrize(
    ("name", "category"),
    [
        ("Year_Birth", "life_stage"),
        ("household_income", "household_income"),
        ("MntWineProducts", "lifestyle"),
        ("Education", "education"),
        ("jobTitle", "occupation"),
        ("social_class", "social_class"),
        ("home.city", "location"),
        ("is_thrifty", "personality"),
        ("pain_points", "needs_and_wants"),
        ("qwertz", "other"),
    ],
)
def test_names_tell_categories(name: str, category: str) -> None:
    customers = small().rename(columns={"town": name})
    placed = personas("segment", customers, [name]).attributes.iloc[0]
    assert placed["category"] == category
    assert ("no word" in placed["by"]) == (category == "other")


@pytest.mark.parametrize(
    "categories",
    [
        {"town": "education"},
        {"education": ["town"]},
        {"Education": "town"},
        {"town": "Education"},
    ],
)
def test_categories_are_given_by_attribute_or_by_category(categories) -> None:
    placed = personas("segment", small(), ["town", "income"], categories=categories).attributes
    assert placed["category"].tolist() == ["education", "household_income"]
    assert placed["by"].tolist()[0] == "given"


def test_own_categories_replace_the_eleven() -> None:
    own = taxonomy.Taxonomy.of("own", {"place": {"name": "Place", "words": ["town"]}})
    cards = personas("segment", small(), ["town", "income"], characteristics=own)
    assert cards.attributes["category"].tolist() == ["place", "other"]
    assert cards.coverage["category"].unique().tolist() == ["place"]


def test_accounts_and_contacts_are_told_apart() -> None:
    """S4-PERS-01: traits of the firm and of the person, as one rule over both."""
    customers = small().assign(employees=range(40))
    cards = personas(
        "segment", customers, ["town", "income"], firm=["employees"], accounts=["income"]
    )
    levels = cards.attributes.set_index("attribute")["level"].to_dict()
    assert levels == {"town": "contact", "income": "account", "employees": "account"}
    assert lines_of(cards, "big", "firm")[0]["attribute"] == "employees"
    assert set(cards.rule("big")) == {"town", "income", "employees"}


def test_rules_filter_customers(found: Personas, market) -> None:
    """S4-PERS-01."""
    matching = found.matching()
    assert len(matching) == 900
    audit = found.prevalence().table
    last = audit[audit["attributes"] == 5].set_index("persona")["matched"]
    complete = market.customers[FEATURES].notna().all(axis=1).to_numpy()
    for name in found.names:
        assert matching[name].to_numpy()[complete].sum() == last[name]
        some = found.matching(market.customers.head(50), at_least=3)[name]
        assert some.sum() >= matching[name].head(50).sum()


def test_worth_comes_from_the_scorecard(segmentation, market) -> None:
    """S5-PERS-01: what each segment is worth, with its interval."""
    card = ilk.segment_scorecard(
        market.customers, segment=segmentation, revenue="revenue", cost="cost", random_state=0
    )
    cards = personas(segmentation, attributes=FEATURES, economics=card)
    table = card.to_pandas().set_index("segment")
    for name in cards.names:
        worth = {line["attribute"]: line for line in lines_of(cards, name, "worth")}
        share = worth["revenue_share"]["figures"][0]
        assert share["value"] == pytest.approx(table.loc[name, "revenue_share"], rel=5e-3)
        assert share["lo"] == pytest.approx(table.loc[name, "revenue_share_lo"], rel=5e-3)
        assert worth["revenue_share"]["n"] == table.loc[name, "n"]


def test_infinite_worth_is_told_in_words() -> None:
    economics = {
        "segment": ["big", "little"],
        "payback_months": [np.inf, 12.0],
        "revenue_share": [0.9, 0.1],
    }
    cards = personas("segment", small(), ["town"], economics=economics)
    line = lines_of(cards, "big", "worth")[1]
    assert line["statement"].endswith("never")
    assert line["figures"][0]["value"] is None


def test_sensitivities_come_from_the_value_map() -> None:
    """S2-VP-05: the sentence of the map, and each proposition with its score."""
    scores = {"big": {"1": 1, "2": 1, "3": 0}, "little": {"1": 1, "2": 0, "3": 0}}
    found = value_map(scores=scores)
    cards = personas("segment", small(), ["town"], value_map=found)
    told = [line["statement"] for line in lines_of(cards, "big", "sensitivity")]
    assert told == [found.sentences[1], "1", "2"]
    assert {line["provenance"] for line in lines_of(cards, "big", "sensitivity")} == {"inferred"}


def test_positioning_journey_and_committee_are_told() -> None:
    """S3-POS-01, S4-PERS-02: three answers, stages of the journey, roles and stances."""
    cards = personas(
        "segment",
        small(),
        ["town"],
        positioning=[Positioning("big", key_value="time", style="brief")],
        journey=pd.DataFrame(
            {"persona": ["big", "big"], "stage": ["problem", "suppliers"], "share": [0.4, 0.6]}
        ),
        committee={"big": {"economic": "sceptic", "user": "supporter"}},
    )
    answers = {
        line["attribute"]: line["statement"] for line in lines_of(cards, "big", "positioning")
    }
    assert answers == {"key_value": "time", "style": "brief"}
    journey = lines_of(cards, "big", "journey")
    assert [(line["statement"], line["figures"][0]["value"]) for line in journey] == [
        ("problem", 0.4),
        ("suppliers", 0.6),
    ]
    committee = {
        line["attribute"]: line["statement"] for line in lines_of(cards, "big", "committee")
    }
    assert committee == {"economic": "sceptic", "user": "supporter"}


def test_scenario_is_one_of_six(segmentation) -> None:
    """S5-FRAME-02."""
    cards = personas(segmentation, attributes=FEATURES, scenario="Jobs to be done")
    assert json.loads(cards.to_json())["content"]["scenario"] == "jobs_to_be_done"
    with pytest.raises(DataError, match="did you mean 'jobs_to_be_done'"):
        personas(segmentation, attributes=FEATURES, scenario="job to be done")


def test_exemplar_is_a_row_and_its_values_only_where_asked(segmentation, market) -> None:
    cards = personas(segmentation, attributes=FEATURES)
    for card in cards.cards:
        assert np.asarray(segmentation.labels)[card["exemplar"]["row"]] == card["segment"]
        assert card["exemplar"]["values"] == []
        assert card["exemplar"]["id"] is None
    told = personas(segmentation, attributes=FEATURES, sensitive=True).cards[0]["exemplar"]
    assert dict(told["values"])["household"] == market.customers["household"].iloc[told["row"]]


def test_exemplar_is_named_by_the_identifier(market, segmentation) -> None:
    named = market.customers.assign(who=[f"c{i}" for i in range(900)])
    cards = personas(segmentation, named, FEATURES, customer="who")
    exemplar = cards.cards[0]["exemplar"]
    assert exemplar["id"] == f"c{exemplar['row']}"


def test_free_text_and_identifiers_do_not_go_on_cards() -> None:
    """No text of customers on a card."""
    customers = small(120).assign(
        note=[f"my secret {i}" for i in range(120)], customer_id=range(120)
    )
    cards = personas("segment", customers)
    assert "secret" not in cards.to_json()
    assert "customer_id" not in set(cards.table["attribute"])
    assert any("identifier" in note for note in cards.manifest["notes"])
    with pytest.warns(DataWarning, match="free text"):
        personas("segment", customers, ["town", "note"])


def test_small_cells_are_hidden() -> None:
    customers = small(40)
    customers.loc[36:, "segment"] = "tiny"
    cards = personas("segment", customers, ["town", "income"], min_count=5)
    tiny = cards.card("tiny")
    assert tiny["n"] is None
    assert tiny["share"] is None
    assert tiny["exemplar"] is None
    assert tiny["lines"] == []
    assert tiny["hidden"] == 2
    assert personas("segment", customers, ["town", "income"], min_count=4).card("tiny")["n"] == 4
    assert "fewer than 5 customers" in str(cards.explain())


@pytest.mark.parametrize("frame", ["pandas", "polars", "dict"])
def test_any_frame_gives_the_same_cards(frame: str) -> None:
    data = small()
    made = {
        "pandas": data,
        "polars": pl.from_pandas(data),
        "dict": {k: v.tolist() for k, v in data.items()},
    }
    reference = personas("segment", data, ["town", "income"])
    cards = personas("segment", made[frame], ["town", "income"])
    assert cards.cards == reference.cards
    assert type(cards.table).__module__.partition(".")[0] == {"dict": "builtins"}.get(frame, frame)


def test_cards_are_the_same_for_any_number_of_threads(segmentation) -> None:
    texts = set()
    for threads in (1, 2, 8):
        ilk.set_num_threads(threads)
        texts.add(personas(segmentation, attributes=FEATURES).to_json())
    assert len(texts) == 1


def test_files_hold_no_customers_and_say_so(found: Personas, market, tmp_path) -> None:
    found.to_json(tmp_path / "personas.json")
    read = Personas.from_json(tmp_path / "personas.json")
    assert read.cards == found.cards
    assert str(read.explain()) == str(found.explain())
    with pytest.raises(DataError, match="know no customers; try: df=customers"):
        read.prevalence()
    again = read.prevalence(df=market.customers).table
    assert again["matched"].tolist() == found.prevalence().table["matched"].tolist()
    assert pickle.loads(pickle.dumps(found)).to_json() == found.to_json()


def test_cards_are_drawn_and_described(found: Personas) -> None:
    assert "3 personas" in found.plot().get_label()
    assert "customers match all 5" in found.plot("prevalence").get_label()
    assert found.names[0] in repr(found)
    assert 'class="ilk-card"' in found._repr_html_()


def test_schema_describes_itself_and_every_card(found: Personas) -> None:
    import jsonschema

    jsonschema.Draft202012Validator.check_schema(schema())
    validator = jsonschema.Draft202012Validator(schema())
    full = personas(
        "segment",
        small(),
        problems=["late"],
        journey={"big": {"problem": 0.4}},
        economics={"segment": ["big", "little"], "revenue_share": [0.9, 0.1], "ltv": [np.inf, 3.0]},
        sensitive=True,
        firm=["income"],
        scenario="use_cases",
    ).revise("big", name="Bea", goals=["a garden"], reason="said so")
    for cards in (found, full):
        document = json.loads(cards.to_json())
        validator.validate(document)
        for card in document["content"]["cards"]:
            validator.evolve(
                schema={"$ref": "#/$defs/card", **schema()} | {"type": "object"}
            ).is_valid(card)
            one = {
                "$schema": schema()["$schema"],
                "$defs": schema()["$defs"],
                "$ref": "#/$defs/card",
            }
            jsonschema.validate(card, one)
            for part in card:
                with pytest.raises(jsonschema.ValidationError):
                    jsonschema.validate({k: v for k, v in card.items() if k != part}, one)
            with pytest.raises(jsonschema.ValidationError):
                jsonschema.validate(card | {"more": 1}, one)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"categories": {"town": "edcation"}}, DataError, "did you mean 'education'"),
        (
            {"categories": {"lifestyle": ["town"], "education": ["town"]}},
            DataError,
            "'town' in 'lifestyle' and in 'education'",
        ),
        ({"categories": {"education": ["twn"]}}, MissingColumnError, "did you mean .town."),
        ({"categories": ["town"]}, TypeError, "a mapping is needed"),
        ({"attributes": ["twn"]}, MissingColumnError, "did you mean .town."),
        ({"attributes": ["town", "town"]}, DataError, "'town' twice"),
        ({"attributes": []}, DataError, "at least one that can be told"),
        ({"problems": ["lat"]}, MissingColumnError, "did you mean .late."),
        ({"problems": ["rating", "late"]}, DataError, "at_least=4"),
        ({"problems": ["driver", "late"]}, DataError, "yes and no are needed"),
        ({"problems": []}, DataError, "at least one"),
        ({"goals": {"bg": "x"}}, DataError, "did you mean 'big'"),
        ({"goals": {"big": ""}}, DataError, "empty text"),
        ({"goals": {"big": "x" * 20_000}}, DataError, "20,000 characters"),
        ({"goals": {"big": 3}}, TypeError, "a text, several or a mapping"),
        ({"goals": {"big": [3]}}, TypeError, "found a int"),
        ({"journey": {"big": {"problem": 4}}}, DataError, "a share from 0 to 1"),
        ({"journey": pd.DataFrame({"x": ["a"]})}, DataError, '"persona" or "segment"'),
        ({"economics": {"segment": ["big", "other"]}}, DataError, "'other', but the segments are"),
        ({"economics": {"segment": ["big"]}}, DataError, "found no segment 'little'"),
        ({"economics": {"x": ["big"]}}, DataError, 'no column "segment"'),
        ({"value_map": 3}, TypeError, "ilk.gaps.value_map"),
        (
            {"value_map": value_map(scores={"bigg": {"1": 1}, "little": {"1": 0}})},
            DataError,
            "did you mean 'big'",
        ),
        ({"positioning": {"big": {"key": "x"}}}, DataError, "positioning: found 'key'"),
        ({"positioning": {"big": "x"}}, TypeError, "a mapping is needed"),
        ({"customer": "who"}, MissingColumnError, "who"),
        ({"max_personas": 0}, DataError, "max_personas: found 0, but a whole number from 1 up"),
        ({"max_personas": True}, TypeError, "a whole number"),
        ({"confidence": 2}, DataError, "between 0 and 1"),
        ({"min_count": -1}, DataError, "from 0 up"),
    ],
)
def test_refusals(arguments, error, message: str) -> None:
    arguments = {"attributes": ["town"]} | arguments
    with pytest.raises(error, match=message):
        personas("segment", small(), **arguments)


def test_results_are_frozen_and_broken_files_refused(found: Personas) -> None:
    with pytest.raises(AttributeError, match="frozen"):
        found.version = 2
    text = found.to_json()
    for bad in (
        text[:-3],
        text.replace('"personas"', '"turf"'),
        text.replace('"cards"', '"cads"'),
        "[]",
    ):
        with pytest.raises(ModelFileError):
            Personas.from_json(bad)


def test_names_that_differ_in_spaces_only_are_refused() -> None:
    customers = small().replace({"segment": {"little": "big "}})
    with pytest.raises(DataError, match='"big" and "big "'):
        personas("segment", customers, ["town"])

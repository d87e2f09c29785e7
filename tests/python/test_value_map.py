"""Value maps and fit matrices."""

from __future__ import annotations

import pickle
from itertools import combinations

import numpy as np
import pandas as pd
import polars as pl
import pytest

import ilk
from ilk.exceptions import DataError, MissingColumnError, ModelFileError
from ilk.gaps import (
    FitMatrix,
    ValueMap,
    fit_matrix,
    opportunity,
    turf,
    value_map,
)

NEEDS = {
    "families": {"speed": 5, "price": 3, "taste": 4},
    "singles": {"speed": 3, "price": 5, "taste": 2},
    "retired": {"speed": 1, "price": 4, "taste": 5},
}
DELIVERY = {
    "Dinner box": {"speed": 0.9, "price": 0.3, "taste": 0.8},
    "Corner shop": {"speed": 0.6, "price": 0.8, "taste": 0.4},
}
RIVALS = {
    "Market": {"speed": 0.2, "price": 0.9, "taste": 0.8},
    "App": {"speed": 0.95, "price": 0.2, "taste": 0.6},
}


def tidy(data, row, col, value):
    rows = [
        (first, second, number) for first, inner in data.items() for second, number in inner.items()
    ]
    return pd.DataFrame(rows, columns=[row, col, value])


def wide(data, row):
    return pd.DataFrame(data).T.rename_axis(row).reset_index()


@pytest.fixture
def found() -> ValueMap:
    return value_map(NEEDS, DELIVERY, competitors=RIVALS)


def customers(n: int = 300, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rates = {"families": [0.4, 0.1], "singles": [0.1, 0.3], "retired": [0.15, 0.15]}
    persona = np.repeat(list(rates), n)
    drawn = {
        name: [int(rng.random() < rates[who][at]) for who in persona]
        for at, name in enumerate(DELIVERY)
    }
    return pd.DataFrame({"persona": persona, **drawn})


# --- the words of the requirement ---


def test_the_persona_sentences_are_word_for_word() -> None:
    """S2-VP-05."""
    found = value_map(scores=[[1, 1, 0], [1, 0, 0], [0, 0, 1]])
    assert found.reach["personas"].tolist() == [2, 1, 1]
    assert found.sensitivity.to_numpy().tolist() == [
        [True, True, False],
        [True, False, False],
        [False, False, True],
    ]
    assert found.sentence() == (
        "We have 3 personas. Persona 1 is sensitive to value propositions 1 and 2. Persona 2 is sensitive only to value "
        "proposition 1. Persona 3 is sensitive only to value proposition 3."
    )
    assert found.sentence() == " ".join(found.sentences)


def test_names_of_their_own_are_told() -> None:
    scores = {
        "Young families": {"Fresh daily": 0.9, "Cheap": 0.7, "Near": 0.5},
        "Nobody": {"Fresh daily": 0.1, "Cheap": 0.0, "Near": 0.49},
    }
    assert value_map(scores=scores).sentences == [
        "We have 2 personas.",
        'Young families is sensitive to value propositions "Fresh daily", Cheap and Near.',
        "Nobody is sensitive to no value proposition.",
    ]
    one = value_map(scores={"Me": {"This": 1}})
    assert one.sentence() == "We have 1 persona. Me is sensitive only to value proposition This."


# --- fit ---


def test_every_form_gives_the_same_map(found) -> None:
    forms = [
        (
            tidy(NEEDS, "persona", "need", "importance"),
            tidy(DELIVERY, "proposition", "need", "delivery"),
        ),
        (wide(NEEDS, "persona"), wide(DELIVERY, "proposition")),
        (pl.from_pandas(wide(NEEDS, "persona")), wide(DELIVERY, "proposition").to_dict("list")),
    ]
    for needs, delivery in forms:
        other = value_map(needs, delivery, competitors=RIVALS)
        assert other.to_dict()["fit"].tobytes() == found.to_dict()["fit"].tobytes()
        assert other.sentences == found.sentences
    assert isinstance(value_map(forms[2][0], DELIVERY).priority, pl.DataFrame)
    assert value_map(forms[2][0], DELIVERY).sensitivity.columns == ["persona", *DELIVERY]


def test_fit_is_the_weighted_mean_of_delivery(found) -> None:
    fit = found.matrix("fit")
    for persona, weights in NEEDS.items():
        for proposition, delivered in DELIVERY.items():
            above = sum(weight * delivered[need] for need, weight in weights.items())
            assert fit.loc[persona, proposition] == pytest.approx(above / sum(weights.values()))
    assert found.matrix("unmatched").loc["families"].tolist() == ["price", "taste"]
    share = found.matrix("unmatched_share").loc["families"]
    np.testing.assert_allclose(share, [3 / 12, 4 / 12])


def test_a_threshold_is_reached_by_what_equals_it() -> None:
    needs = {"a": {"x": 0.1, "y": 0.1, "z": 0.1}}
    delivery = {"one": {"x": 1, "y": 0, "z": 0}, "two": {"x": 1, "y": 1, "z": 0}}
    found = value_map(needs, delivery, threshold=1 / 3)
    assert found.sensitivity.loc["a"].tolist() == [True, True]
    assert "fit of at least 0.3333333333333333" in found.explain()


def test_ratings_become_shares_of_their_scale() -> None:
    rated = {
        name: {need: 1 + 4 * d for need, d in inner.items()} for name, inner in DELIVERY.items()
    }
    found = value_map(NEEDS, rated, delivery_scale=(1, 5))
    np.testing.assert_allclose(found.to_dict()["fit"], value_map(NEEDS, DELIVERY).to_dict()["fit"])


def test_pairs_that_are_not_given_count_zero_where_asked() -> None:
    holed = {"a": {"x": 1, "y": 1}, "b": {"x": 1}}
    found = value_map(holed, {"v": {"y": 1}}, missing="zero")
    assert found.to_dict()["fit"].tolist() == [0.5, 0.0]


def test_segments_are_matched_with_products() -> None:
    found = fit_matrix(NEEDS, DELIVERY, matched=0.85)
    assert isinstance(found, FitMatrix)
    np.testing.assert_allclose(found.to_dict()["fit"], value_map(NEEDS, DELIVERY).to_dict()["fit"])
    unmatched = found.unmatched
    assert unmatched["need"].tolist()[:2] == ["taste", "price"]
    assert unmatched["best"].tolist()[:2] == ["Dinner box", "Corner shop"]
    assert FitMatrix.from_json(found.to_json()).to_json() == found.to_json()
    assert "Dinner box" in found.explain()
    assert "<table>" in found._repr_html_()
    assert "Fit of products" in found.plot().get_label()
    assert list(fit_matrix(wide(NEEDS, "who"), DELIVERY, segment="who").table)[:2] == [
        "who",
        "product",
    ]


# --- competitors ---


def test_differentiation_counts_what_is_important_and_better(found) -> None:
    """S2-VP-04."""
    table = found.differentiation.set_index(["persona", "proposition"])
    for (persona, proposition), row in table.iterrows():
        weights, own = NEEDS[persona], DELIVERY[proposition]
        best = {need: max(rival[need] for rival in RIVALS.values()) for need in own}
        total = sum(weights.values())
        ahead = sum(w * max(own[need] - best[need], 0) for need, w in weights.items()) / total
        behind = sum(w * max(best[need] - own[need], 0) for need, w in weights.items()) / total
        assert row["differentiation"] == pytest.approx(ahead)
        assert row["lag"] == pytest.approx(behind)
    box = table.loc[("families", "Dinner box")]
    # Price is less important to families than their average need.
    assert (box["points_of_parity"], box["points_of_lag"]) == ("speed and taste", "")
    assert table.loc[("retired", "Dinner box"), "points_of_lag"] == "price"


def test_needs_stand_beside_the_best_competitor(found) -> None:
    needs = found.needs.set_index(["persona", "need"])
    speed = needs.loc[("families", "speed")]
    assert (speed["best"], speed["competitor"]) == ("Dinner box", "App")
    assert speed["gap"] == pytest.approx(-0.05)
    assert speed["position"] == "at par"
    assert needs.groupby("persona")["share"].sum().tolist() == pytest.approx([1, 1, 1])
    with pytest.raises(DataError, match=r"competitors: found none.*competitors=competitors"):
        value_map(NEEDS, DELIVERY).differentiation  # noqa: B018
    with pytest.raises(DataError, match="needs: found none"):
        value_map(scores=[[1]]).needs  # noqa: B018


# --- responses ---


def test_lift_is_held_against_all_other_customers() -> None:
    data = customers()
    found = value_map(responses=data, random_state=0)
    assert found.evidence == "responses"
    table = found.table.set_index(["persona", "proposition"])
    for persona, proposition in table.index:
        own = data.loc[data["persona"] == persona, proposition].mean()
        rest = data.loc[data["persona"] != persona, proposition].mean()
        row = table.loc[(persona, proposition)]
        assert row["lift"] == pytest.approx(own / rest)
        assert row["lift_lo"] < row["lift"] < row["lift_hi"]
        assert row["sensitive"] == (row["lift_lo"] > 1 and row["q"] <= 0.05)
    assert found.matrix().loc["families"].tolist() == [True, False]
    assert "95 % interval of its lift" in found.explain()
    assert "q of at most 0.05" in found.explain()


def test_p_and_q_are_those_of_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    data = customers(40)
    table = value_map(responses=data, n_boot=0).table
    for _, row in table.iterrows():
        member = data["persona"] == row["persona"]
        yes = data[row["proposition"]] == 1
        cells = [
            [(member & yes).sum(), (member & ~yes).sum()],
            [(~member & yes).sum(), (~member & ~yes).sum()],
        ]
        assert row["p"] == pytest.approx(stats.fisher_exact(cells)[1], rel=1e-6)
    np.testing.assert_allclose(table["q"], stats.false_discovery_control(table["p"]), rtol=1e-9)


def test_responses_stand_beside_the_fit(found) -> None:
    both = value_map(NEEDS, DELIVERY, responses=customers(), random_state=0)
    np.testing.assert_array_equal(both.to_dict()["fit"], found.to_dict()["fit"])
    alone = value_map(responses=customers(), random_state=0)
    np.testing.assert_array_equal(both.to_dict()["lift"], alone.to_dict()["lift"])
    assert both.sentences == alone.sentences
    assert both.priority["score"].tolist() == pytest.approx(alone.priority["score"].tolist())


def test_priority_is_by_response_and_says_how_sure_it_is() -> None:
    """S2-VP-03."""
    data = customers()
    found = value_map(responses=data, random_state=0).priority
    rates = data[list(DELIVERY)].mean()
    for _, row in found.iterrows():
        assert row["score"] == pytest.approx(rates[row["proposition"]])
        assert row["score_lo"] < row["score"] < row["score_hi"]
    assert found["p_first"].sum() == pytest.approx(1)
    worth = {"families": 0, "singles": 1, "retired": 0}
    singles = value_map(responses=data, value=worth, random_state=0).priority
    assert singles["proposition"].tolist() == ["Corner shop", "Dinner box"]
    own = data.loc[data["persona"] == "singles", "Corner shop"].mean()
    assert singles["score"][0] == pytest.approx(own)


def test_missing_responses_are_left_out_and_counted() -> None:
    data = customers(50).astype({"Dinner box": float})
    data.loc[3, "Dinner box"] = np.nan
    data.loc[4, "persona"] = None
    found = value_map(responses=data, n_boot=0)
    assert found.manifest["rows_used"] == 148
    assert {left["reason"] for left in found.manifest["left_out"]} == {
        '"persona" is missing',
        "a response is missing",
    }


def test_one_persona_has_no_lift_and_the_map_says_so() -> None:
    data = customers().query("persona == 'families'")
    found = value_map(responses=data, n_boot=0)
    assert np.isnan(found.to_dict()["lift"]).all()
    assert "nobody to hold it against" in repr(found)
    assert found.sentences[1] == "families is sensitive to no value proposition."


# --- what is uncertain ---


def ratings(n: int = 60, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = [
        (who, list(NEEDS)[who % 3], need, rng.integers(1, 6), rng.integers(1, 6))
        for who in range(3 * n)
        for need in ("speed", "price", "taste")
    ]
    return pd.DataFrame(rows, columns=["id", "persona", "need", "importance", "satisfaction"])


def test_ratings_of_customers_are_averaged_and_drawn_again() -> None:
    data = ratings()
    options = {"customer": "id", "scale": (1, 5), "random_state": 0}
    found = value_map(data, DELIVERY, **options)
    means = data.groupby(["persona", "need"])["importance"].mean().unstack().subtract(1)
    again = value_map(means.reset_index(), DELIVERY)
    np.testing.assert_allclose(
        found.matrix("fit").loc[means.index], again.matrix("fit").loc[means.index]
    )
    table = found.table
    assert (table["fit_lo"] < table["fit"]).all()
    assert (table["fit"] < table["fit_hi"]).all()
    assert table["p_sensitive"].between(0, 1).all()
    laid = data.pivot(index=["id", "persona"], columns="need", values="importance").reset_index()
    other = value_map(laid[["id", "persona", "speed", "price", "taste"]], DELIVERY, **options)
    assert other.to_dict()["fit_lo"].tobytes() == found.to_dict()["fit_lo"].tobytes()


def test_satisfaction_moves_weight_to_what_is_badly_served() -> None:
    needs = tidy({"a": {"x": 8, "y": 8}}, "persona", "need", "importance").assign(
        satisfaction=[2, 9]
    )
    delivery = {"one": {"x": 1, "y": 0}, "two": {"x": 0, "y": 1}}
    found = value_map(needs, delivery, satisfaction="satisfaction")
    # Opportunities are 8 + 6 and 8 + 0.
    np.testing.assert_allclose(found.priority["score"], [14 / 22, 8 / 22])
    np.testing.assert_allclose(found.needs["opportunity_share"], [14 / 22, 8 / 22])
    assert found.matrix("fit").loc["a"].tolist() == [0.5, 0.5]
    same = value_map({"a": {"x": 8, "y": 8}}, delivery, satisfaction={"a": {"y": 9, "x": 2}})
    np.testing.assert_allclose(same.priority["score"], found.priority["score"])
    assert "importance - satisfaction" in found.explain()


def test_opportunities_go_into_a_value_map() -> None:
    data = ratings()
    scored = opportunity(data, segment="persona", scale=(1, 5), n_boot=0)
    found = value_map(scored.table, DELIVERY, satisfaction="satisfaction")
    assert found.propositions == list(DELIVERY)
    assert "opportunity_share" in found.needs


def test_standard_errors_make_intervals_and_their_absence_is_told() -> None:
    needs = tidy(NEEDS, "persona", "need", "importance").assign(se=0.3)
    found = value_map(needs, DELIVERY, standard_error="se", random_state=0)
    table = found.table
    assert (table["fit_lo"] < table["fit"]).all()
    exact = value_map(needs.assign(se=0.0), DELIVERY, standard_error="se", random_state=0).table
    np.testing.assert_allclose(exact["fit_lo"], exact["fit"])
    # The delta method, for a fit sum(w d) / sum(w) with independent errors.
    weights, offer = np.array([5, 3, 4]), np.array([0.9, 0.3, 0.8])
    fit = weights @ offer / 12
    spread = 0.3 * np.sqrt(((offer - fit) ** 2).sum()) / 12
    row = table.iloc[0]
    assert row["fit_hi"] - row["fit_lo"] == pytest.approx(2 * 1.96 * spread, rel=0.1)
    plain = value_map(NEEDS, DELIVERY)
    assert "fit_lo" not in plain.table
    assert plain.manifest["notes"] == [
        "no intervals: the figures are given, without answers of customers or standard errors"
    ]
    assert plain.manifest["random_state"] is None


def test_incomplete_customers_are_left_out_and_counted() -> None:
    data = ratings().drop(index=[0])
    found = value_map(data, DELIVERY, customer="id", scale=(1, 5), n_boot=0)
    assert found.manifest["left_out"] == [
        {"reason": "the customer did not rate every need", "rows": 2}
    ]


@pytest.mark.parametrize("make", [
    lambda: value_map(responses=customers(100), n_boot=200, random_state=3),
    lambda: value_map(ratings(), DELIVERY, customer="id", scale=(1, 5), n_boot=200, random_state=3),
    lambda: value_map(NEEDS, DELIVERY, competitors=RIVALS),
])  # fmt: skip
def test_a_map_is_saved_shown_and_equal_for_any_number_of_threads(make) -> None:
    found = make()
    assert ValueMap.from_json(found.to_json()).to_json() == found.to_json()
    assert pickle.loads(pickle.dumps(found)).to_json() == found.to_json()
    assert "<table>" in found._repr_html_()
    assert found._title in repr(found)
    for threads in (1, 2, 8):
        ilk.set_num_threads(threads)
        assert make().to_json() == found.to_json()
    with pytest.raises(ModelFileError):
        ValueMap.from_json(found.to_json().replace('"sensitive":[', '"sensitive":[false,'))
    with pytest.raises(ModelFileError):
        FitMatrix.from_json(found.to_json())


# --- sets, canvas, pictures ---


def test_sets_reach_the_customers_who_responded() -> None:
    data = customers()
    found = value_map(responses=data, n_boot=0).turf(k=[1, 2])
    direct = turf(data[list(DELIVERY)], k=[1, 2])
    assert found.to_dict()["items"] == direct.to_dict()["items"]
    np.testing.assert_array_equal(found.to_dict()["reached"], direct.to_dict()["reached"])
    assert found.manifest["rows"] == len(data)


def test_sets_reach_personas_by_their_value() -> None:
    scores = {
        "a": {"x": 1, "y": 0, "z": 0},
        "b": {"x": 0, "y": 1, "z": 0},
        "c": {"x": 0, "y": 1, "z": 1},
    }
    worth = {"a": 5, "b": 1, "c": 2}
    found = value_map(scores=scores, value=worth)
    for k in (1, 2):
        reach = {
            names: sum(worth[p] for p in scores if any(scores[p][n] for n in names))
            for names in combinations("xyz", k)
        }
        best = max(reach, key=reach.get)
        assert found.turf(k=k).best() == list(best)
        assert found.turf(k=k).to_dict()["reached"][0] == reach[best]
    with pytest.raises(DataError, match="k: found 0"):
        found.turf(k=0)


def test_the_canvas_says_what_to_do_next(found) -> None:
    canvas = found.canvas(["user", "economic buyer"])
    assert len(canvas) == 3 * 2 * 2
    assert list(canvas)[:3] == ["persona", "role", "proposition"]
    first = canvas.iloc[0]
    assert first["proposition"] == "Dinner box"
    assert first["next_action"].startswith("find a reason to choose it")
    alone = value_map(NEEDS, DELIVERY).canvas()
    assert alone["next_action"][0] == "lead with it"
    ahead = value_map(
        NEEDS, DELIVERY, competitors={"one": dict.fromkeys(["speed", "price", "taste"], 0.2)}
    )
    assert ahead.canvas()["next_action"][0] == "lead with speed"
    left = value_map(NEEDS, DELIVERY, threshold=0.99).canvas()
    assert left["next_action"][0] == "leave out, or deliver price"
    assert "role" not in alone
    with pytest.raises(DataError, match='roles: found the persona "family"'):
        found.canvas({"family": ["user"]})


def test_pictures_tell_what_they_show(found) -> None:
    ax = found.plot()
    assert "Value map." in ax.get_label()
    cells = [text.get_text() for text in ax.texts]
    assert cells[0] == "\N{BLACK CIRCLE} 0.72"
    assert sum(text.startswith("\N{BLACK CIRCLE}") for text in cells) == int(
        sum(found.to_dict()["sensitive"])
    )
    ax = found.plot("competitors")
    assert "need by need" in ax.get_label()
    assert {text.get_text() for text in ax.texts} <= {"ahead", "at par", "behind"}
    labels = [
        text.get_text() for text in found.plot("competitors", persona="retired").get_yticklabels()
    ]
    assert [text.split()[0] for text in labels] == ["taste", "price", "speed"]
    lifts = value_map(responses=customers(), n_boot=0).plot()
    assert "\N{MULTIPLICATION SIGN}" in lifts.texts[0].get_text()
    with pytest.raises(DataError, match="persona: found 'nobody', but the personas are"):
        found.plot("competitors", persona="nobody")
    with pytest.raises(DataError, match="competitors: found none"):
        value_map(NEEDS, DELIVERY).plot("competitors")
    with pytest.raises(DataError, match="kind: found 'pie'"):
        found.plot("pie")


@pytest.mark.parametrize(
    "payload", ["<script>alert(1)</script>", "$x$ & <b>", "\x1b[2J", "שלום 👪"]
)
def test_hostile_names_stay_text(payload: str) -> None:
    scores = {payload: {payload: 1, "b": 0}, "c": {payload: 0, "b": 1}}
    found = value_map(scores=scores)
    for page in (found._repr_html_(), found.explain()._repr_html_()):
        assert "<script" not in page
        assert "<b>" not in page
        assert "\x1b" not in page
    assert "\x1b" not in repr(found)
    ax = found.plot()
    if payload.isascii() and payload.isprintable():
        ax.get_figure().canvas.draw()


# --- refusals ---


def changed(data, name, need, number):
    return {**data, name: {**data[name], need: number}}


@pytest.mark.parametrize(
    ("needs", "delivery", "options", "error", "message"),
    [
        (NEEDS, changed(DELIVERY, "Dinner box", "sped", 1), {}, DataError,
         r'delivery: found no number for "Corner shop" and "sped"'),
        (NEEDS, {"Box": {"speed": 1, "price": 1, "taste": 1, "tast": 1}}, {}, DataError,
         r'delivery: found the need "tast", but the needs are "speed", "price", "taste"; try: "taste"'),
        (NEEDS, {"Box": {"speed": 1, "price": 1}}, {}, DataError,
         r'delivery: found nothing for the need "taste", but every need needs a number; try: missing="zero"'),
        (NEEDS, DELIVERY, {"competitors": {"Market": {"speed": 1}}}, DataError,
         r'competitors: found nothing for the need "price"'),
        (changed(NEEDS, "singles", "price", -1), DELIVERY, {}, DataError,
         r'column "importance", row 4: found -1, but a weight is a number from 0 up \("singles", "price"\)'),
        (changed(NEEDS, "singles", "price", None), DELIVERY, {}, DataError,
         r'needs: found no number for "singles" and "price", but one is needed for each pair; try: missing="zero"'),
        (changed(NEEDS, "singles", "price", "5"), DELIVERY, {}, TypeError,
         r"needs: found '5' for 'singles' and 'price', but a number is needed"),
        (wide(NEEDS, "persona").astype({"price": str}), DELIVERY, {}, TypeError,
         r'column "price" has type text, but a number is needed'),
        (pd.concat([wide(NEEDS, "persona")] * 2), DELIVERY, {}, DataError,
         r'needs: found two rows for "families", but names must be different; try: customer="customer_id"'),
        (NEEDS, pd.concat([wide(DELIVERY, "proposition")] * 2), {}, DataError,
         r'delivery: found two rows for "Dinner box", but names must be different$'),
        (pd.concat([tidy(NEEDS, "persona", "need", "importance")] * 2), DELIVERY, {}, DataError,
         r'needs: found two rows for "families" and "speed"'),
        ({}, DELIVERY, {}, DataError, r"needs: found nothing, but a number for each pair is needed"),
        (wide(NEEDS, "persona").iloc[:0], DELIVERY, {}, DataError, "needs: found no rows"),
        (wide(NEEDS, "persona")[["persona"]], DELIVERY, {}, DataError,
         "needs: found no columns of numbers, but a column for each need is needed"),
        (wide(NEEDS, "who"), DELIVERY, {}, MissingColumnError, 'column "persona" not found'),
        (tidy(NEEDS, "persona", "need", "weight"), DELIVERY, {}, MissingColumnError,
         'column "importance" not found'),
        (NEEDS, changed(DELIVERY, "Dinner box", "price", 4), {}, DataError,
         r'column "delivery", row 1: found 4, but a number from 0 to 1 is needed .* try: delivery_scale=\(1, 5\)'),
        (NEEDS, DELIVERY, {"delivery_scale": (1, 5)}, DataError, "ratings lie between 1 and 5"),
        (NEEDS, DELIVERY, {"scale": (5, 1)}, DataError, r"scale: found \(5, 1\)"),
        (NEEDS, DELIVERY, {"scale": 5}, DataError, "scale: found 5, but two numbers are needed"),
        ({**NEEDS, "nobody": dict.fromkeys(["speed", "price", "taste"], 0)}, DELIVERY, {}, DataError,
         r'needs: found no weight above 0 for "nobody"'),
        (NEEDS, None, {}, DataError, "delivery: found none"),
        (None, DELIVERY, {}, DataError, "needs: found none"),
        (None, None, {}, DataError, "needs: found no evidence"),
        (None, None, {"competitors": RIVALS}, DataError, "competitors: found a frame"),
        (NEEDS, DELIVERY, {"scores": [[1]]}, DataError, "scores: found scores beside other evidence"),
        (None, None, {"scores": [[1, 0], [1]]}, DataError, "scores: found rows of different lengths"),
        (None, None, {"scores": [[2]]}, DataError, r'found 2, but a number from 0 to 1 is needed'),
        (None, None, {"scores": []}, DataError, "scores: found nothing"),
        (NEEDS, DELIVERY, {"threshold": 0}, DataError, "threshold: found 0"),
        (NEEDS, DELIVERY, {"parity": 1}, DataError, "parity: found 1"),
        (NEEDS, DELIVERY, {"min_lift": 0}, DataError, "min_lift: found 0"),
        (NEEDS, DELIVERY, {"confidence": 1}, DataError, "confidence: found 1"),
        (NEEDS, DELIVERY, {"top": 0}, DataError, "top: found 0"),
        (NEEDS, DELIVERY, {"n_boot": -1}, DataError, "n_boot: found -1"),
        (NEEDS, DELIVERY, {"n_boot": 10**6}, DataError, "n_boot: found 1000000"),
        (NEEDS, DELIVERY, {"missing": "drop"}, DataError, "missing: found 'drop'"),
        (NEEDS, DELIVERY, {"value": {"families": 1}}, DataError,
         r'value: found nothing for the persona "singles"'),
        (NEEDS, DELIVERY, {"value": {"family": 1}}, DataError, r'value: found the persona "family"'),
        (NEEDS, DELIVERY, {"value": dict.fromkeys(NEEDS, -1)}, DataError, r"value: found -1"),
        (NEEDS, DELIVERY, {"value": dict.fromkeys(NEEDS, 0)}, DataError, "value: found no value above 0"),
        (NEEDS, DELIVERY, {"value": dict.fromkeys(NEEDS, "1")}, TypeError, "value: found '1'"),
        (NEEDS, DELIVERY, {"value": 3}, TypeError, "value: found a int"),
        (NEEDS, DELIVERY, {"standard_error": "se"}, MissingColumnError, "se"),
        (wide(NEEDS, "persona").assign(se=1), DELIVERY, {"standard_error": "se"}, DataError,
         'standard_error: found the column "se", but it stands beside importance'),
        (NEEDS, DELIVERY, {"satisfaction": {"families": {"speed": 1, "price": 1, "taste": 1}}}, DataError,
         r'satisfaction: found nothing for the persona "singles"'),
        (NEEDS, DELIVERY, {"customer": "id"}, MissingColumnError, 'column "id" not found'),
    ],
)  # fmt: skip
def test_what_cannot_be_mapped_is_refused(needs, delivery, options, error, message) -> None:
    with pytest.raises(error, match=message):
        value_map(needs, delivery, **options)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"Dinner box": 2}, DataError, r'column "Dinner box", row 0: found 2.*responses\["Dinner box"\] > 0'),
        ({"Dinner box": "yes"}, TypeError, 'column "Dinner box" has type text'),
        ({"persona": None}, DataError, 'all left out: "persona" is missing'),
        ({"persona": "family"}, DataError, 'responses: found the persona "family", but the personas are'),
        ({"persona": "families"}, DataError, 'responses: found no customer of "singles"'),
    ],
)  # fmt: skip
def test_responses_that_cannot_be_read_are_refused(change, error, message) -> None:
    with pytest.raises(error, match=message):
        value_map(NEEDS, DELIVERY, responses=customers(5).assign(**change))


def test_responses_lack_no_proposition() -> None:
    with pytest.raises(MissingColumnError, match="Corner shop"):
        value_map(NEEDS, DELIVERY, responses=customers(5).drop(columns="Corner shop"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.assign(persona=["a", "b"] * (len(d) // 2)), r"id: found customer \"0\" in \"a\" and \"b\""),
        (lambda d: pd.concat([d, d.head(1)]), r'id: found two ratings of "speed" by customer "0"'),
        (lambda d: d.assign(importance=9), r'column "importance", row 0: found 9, but ratings lie between 1 and 5'),
        (lambda d: d[d["need"] != "taste"].assign(need=["x", "y"] * (len(d) // 3)), 'delivery: found the need "speed"'),
        (lambda d: d.assign(importance=None).astype({"importance": float}),
         "needs: found 12 rows, all left out: the customer did not rate every need"),
        (lambda d: d.drop(index=0)[lambda x: x["persona"] != "singles"], None),
        (lambda d: d[~((d["persona"] == "families") & (d["need"] == "taste"))],
         'needs: found no customer of "families" who rated every need'),
    ],
)  # fmt: skip
def test_ratings_that_cannot_be_used_are_refused(change, message) -> None:
    data = ratings(n=2)[lambda d: d["id"] < 4]
    options = {"customer": "id", "scale": (1, 5), "n_boot": 20, "random_state": 0}
    if message is None:
        assert value_map(ratings(4).pipe(change), DELIVERY, **options).personas == [
            "families",
            "retired",
        ]
        return
    with pytest.raises(DataError, match=message):
        value_map(change(data), DELIVERY, **options)

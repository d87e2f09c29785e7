"""Content by persona and stage."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import stats

from ilk.exceptions import DataError, MissingColumnError
from ilk.gaps import (
    ContentComparison,
    ContentCoverage,
    content_coverage,
)

STAGES = ["problem", "solutions", "requirements", "suppliers"]

LIBRARY = {
    "persona": ["owner", "owner", "owner", "buyer", "buyer", "user"],
    "stage": ["problem", "problem", "solutions", "problem", "suppliers", "requirements"],
    "kind": ["inbound", "outbound", "inbound", "inbound", "outbound", "inbound"],
    "stars": [5, 3, 4, 2, 5, 1],
    "made": pd.to_datetime(
        ["2026-10-01", "2026-06-01", "2025-10-01", "2024-10-01", "2026-10-01", "2026-09-01"]
    ),
    "channel": ["search", "mail", "search", "blog", "mail", "search"],
}

PEOPLE = {
    "owner": {"problem": 120, "solutions": 60, "requirements": 20, "suppliers": 10},
    "buyer": {"problem": 40, "solutions": 50, "requirements": 30, "suppliers": 40},
    "user": {"problem": 10, "solutions": 10, "requirements": 5, "suppliers": 0},
}


def audit(**changes):
    options = {
        "kind": "kind",
        "quality": "stars",
        "scale": (1, 5),
        "date": "made",
        "occupancy": PEOPLE,
        "value": {"owner": 100, "buyer": 300, "user": 10},
    }
    return content_coverage(LIBRARY, **{**options, **changes})


def cell(found, persona, stage) -> pd.Series:
    table = found.to_pandas()
    return table[(table["persona"] == persona) & (table["stage"] == stage)].iloc[0]


def test_coverage_is_quality_times_freshness_and_gap_is_need_less_its_share() -> None:
    found = audit(as_of="2026-10-01", half_life=122)
    one = cell(found, "owner", "problem")
    # Five stars made today, and three stars of one half-life ago.
    assert one["coverage"] == pytest.approx(1 + 0.5 * 0.5)
    assert (one["quality"], one["freshness"]) == pytest.approx((0.75, 0.75))
    table = found.to_pandas()
    np.testing.assert_allclose(table["coverage_share"], table["coverage"] / table["coverage"].sum())
    np.testing.assert_allclose(table["gap"], table["need"] - table["coverage_share"])
    assert one["need"] == pytest.approx(120 / 395)
    assert one["worth"] == 12_000


def test_statuses_are_those_of_the_limits() -> None:
    # Coverage: owner 1.397 and 0.375, buyer 0.0625 and 1, user 0; 2.834 in all.
    statuses = {
        ("owner", "problem"): "covered",  # 49 % for 30 % of the need
        ("owner", "solutions"): "one-sided",
        ("owner", "requirements"): "empty",
        ("buyer", "problem"): "stale",
        ("buyer", "suppliers"): "one-sided",
        ("user", "suppliers"): "no demand",
        ("user", "requirements"): "thin",
    }
    found = audit(stale=0.3)
    for (persona, stage), status in statuses.items():
        assert cell(found, persona, stage)["status"] == status, (persona, stage)
    assert cell(found, "buyer", "suppliers")["missing"] == "no inbound"
    without = audit(kind=None, stale=0.3)
    assert cell(without, "buyer", "suppliers")["status"] == "over-covered"
    assert "inbound" not in without.to_dict()
    assert cell(audit(least=1.1), "owner", "solutions")["status"] == "thin"


def test_gaps_are_ranked_by_value_times_traffic_with_a_sentence_each() -> None:
    gaps = audit(stale=0.3).gaps(4)
    table = pd.DataFrame(gaps)
    assert table["rank"].tolist() == [1, 2, 3, 4]
    assert table["worth"].is_monotonic_decreasing
    first = table.iloc[0]
    assert (first["persona"], first["stage"], first["worth"]) == ("buyer", "solutions", 15_000)
    assert first["sentence"] == (
        "buyer at solutions: no content, though 12.7 % of the customers (50) stand there."
    )
    of = dict(zip(table["status"], table["sentence"], strict=True))
    assert "of full freshness on average" in of["stale"]
    assert "no inbound content" in of["one-sided"]
    assert len(audit().gaps(2)["rank"]) == 2


def test_stages_keep_the_order_that_is_given() -> None:
    given = ["suppliers", "problem", "solutions", "requirements"]
    assert audit(stages=given).stages == given
    assert audit().stages == STAGES  # that of the occupancy
    frame = pd.DataFrame(LIBRARY)
    frame["stage"] = pd.Categorical(frame["stage"], categories=given, ordered=True)
    assert content_coverage(frame, occupancy=PEOPLE).stages == given
    pieces = content_coverage(frame).matrix("pieces")
    assert (pieces.index.name, list(pieces.columns)) == ("persona", given)
    alone = content_coverage(LIBRARY)
    assert alone.stages == sorted(STAGES)
    assert "alphabetical order" in alone.manifest["notes"][0]


def test_people_come_as_cells_wide_tables_customers_or_traffic() -> None:
    wide = pd.DataFrame(PEOPLE).T.rename_axis("persona")
    tidy = wide.stack().rename("n").rename_axis(["persona", "stage"])
    customers = tidy.reset_index().loc[lambda t: t.index.repeat(t["n"])].drop(columns="n")
    crosstab = pd.crosstab(customers["persona"], customers["stage"])
    pairs = {(persona, stage): n for persona, row in PEOPLE.items() for stage, n in row.items()}
    expected = audit(stages=STAGES).to_pandas().set_index(["persona", "stage"])["need"]
    forms = [
        wide, wide.reset_index(), tidy, tidy.reset_index(), customers, crosstab, pairs,
        pl.from_pandas(wide.reset_index()), pa.Table.from_pandas(tidy.reset_index()),
        customers.groupby(["persona", "stage"]).size(),
    ]  # fmt: skip
    for form in forms:
        found = audit(stages=STAGES, occupancy=form).to_pandas().set_index(["persona", "stage"])
        np.testing.assert_allclose(found["need"].loc[expected.index], expected)
    traffic = {"problem": 50, "solutions": 30, "requirements": 15, "suppliers": 5}
    found = audit(occupancy=traffic, persona_share={"owner": 3, "buyer": 1, "user": 0})
    assert cell(found, "owner", "solutions")["need"] == pytest.approx(0.75 * 0.3)
    assert cell(found, "user", "problem")["status"] == "no demand"
    equal = audit(occupancy=traffic)
    assert cell(equal, "user", "problem")["need"] == pytest.approx(0.5 / 3)


def test_shares_do_as_well_as_numbers() -> None:
    shares = {
        persona: {stage: n / 395 for stage, n in row.items()} for persona, row in PEOPLE.items()
    }
    one, other = audit().to_pandas(), audit(occupancy=shares).to_pandas()
    assert one["rank"].tolist() == other["rank"].tolist()
    assert one["status"].tolist() == other["status"].tolist()
    np.testing.assert_allclose(one["gap"], other["gap"])
    assert "(0)" not in " ".join(audit(occupancy=shares).gaps()["sentence"])


@pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame, dict])
def test_a_piece_serves_several_by_lists_texts_or_everyone(kind) -> None:
    texts = {
        "persona": ["owner; buyer", "user", "all"],
        "stage": ["problem", "problem; solutions", "all"],
    }
    lists = {"persona": [["owner", "buyer"], ["user"], ["all"]],
             "stage": [["problem"], ["problem", "solutions", "problem"], ["all"]]}  # fmt: skip
    options = {"stages": ["problem", "solutions"], "personas": ["owner", "buyer", "user"]}
    full = content_coverage(kind(texts), separator=";", **options)
    assert type(content_coverage(kind(lists)).table) is kind
    assert full.to_dict()["pieces"].tolist() == [2, 1, 2, 1, 2, 2]
    assert content_coverage(kind(lists), **options).to_dict()["pieces"].tolist() == [
        2,
        1,
        2,
        1,
        2,
        2,
    ]
    split = content_coverage(kind(lists), several="split", **options).to_dict()
    np.testing.assert_allclose(split["pieces"], [2 / 3, 1 / 6, 2 / 3, 1 / 6, 2 / 3, 2 / 3])
    assert sum(split["pieces"]) == pytest.approx(3)


def test_kinds_and_channels_are_told() -> None:
    library = {**LIBRARY, "kind": ["Blog", "ad", "Inbound", "Blog", "ad", "OUTBOUND"]}
    found = content_coverage(
        library, kind="kind", kinds={"Blog": "inbound", "ad": "outbound"}, channel="channel"
    )
    one = cell(found, "owner", "problem")
    assert (one["inbound"], one["outbound"], one["channels"]) == (1, 1, "mail, search")
    assert cell(found, "user", "requirements")["missing"] == "no inbound"
    assert cell(found, "owner", "suppliers")["missing"] == "no inbound, no outbound"


def test_names_that_only_one_side_knows_are_told() -> None:
    found = audit(occupancy={**PEOPLE, "ownr": {"problem": 1}}, value=None)
    notes = " ".join(found.manifest["notes"])
    assert 'no content serves the persona "ownr"' in notes
    lacking = {name: row for name, row in PEOPLE.items() if name != "user"}
    notes = " ".join(audit(occupancy=lacking, value=None).manifest["notes"])
    assert 'there is nobody of the persona "user", which content serves' in notes


def test_pieces_that_lack_something_are_left_out_and_counted() -> None:
    frame = pd.DataFrame(LIBRARY)
    frame.loc[0, "persona"] = None
    frame.loc[1, "made"] = pd.NaT
    found = content_coverage(frame, date="made")
    assert found.manifest["rows_used"] == 4
    assert {"reason": '"persona" is missing', "rows": 1} in found.manifest["left_out"]
    assert {"reason": '"made" is missing', "rows": 1} in found.manifest["left_out"]


def test_the_day_of_the_audit_is_the_newest_date_unless_it_is_given() -> None:
    assert audit().manifest["settings"]["as_of"] == "2026-10-01"
    later = audit(as_of=dt.date(2027, 10, 1))
    assert later.manifest["settings"]["as_of"] == "2027-10-01"
    assert cell(later, "buyer", "suppliers")["freshness"] == pytest.approx(0.5)


CONVERSIONS = pd.DataFrame(
    {
        "persona": ["owner", "owner", "buyer"],
        "stage": ["problem", "solutions", "problem"],
        "n": [200, 50, 80],
        "converted": [30, 5, 40],
    }
)


def test_conversion_of_each_cell_carries_its_wilson_interval() -> None:
    one = cell(audit(conversions=CONVERSIONS), "owner", "problem")
    wilson = stats.binomtest(30, 200).proportion_ci(method="wilson")
    assert (one["conversion"], one["conversion_lo"], one["conversion_hi"]) == pytest.approx(
        (0.15, wilson.low, wilson.high)
    )
    customers = CONVERSIONS.loc[CONVERSIONS.index.repeat(CONVERSIONS["n"])].drop(columns="n")
    place = customers.groupby(["persona", "stage"]).cumcount()
    customers["converted"] = place < customers["converted"]
    again = audit(conversions=customers).to_pandas()
    pd.testing.assert_frame_equal(again, audit(conversions=CONVERSIONS).to_pandas())


def test_two_audits_are_compared_cell_by_cell() -> None:
    before = audit(conversions=CONVERSIONS, stale=0.3)
    library = pd.concat(
        [
            pd.DataFrame(LIBRARY),
            pd.DataFrame(
                {
                    "persona": ["buyer", "buyer"],
                    "stage": ["solutions", "solutions"],
                    "kind": ["inbound", "outbound"],
                    "stars": [5, 5],
                    "made": pd.to_datetime(["2026-10-01"] * 2),
                }
            ),
        ]
    )
    after = content_coverage(
        library, kind="kind", quality="stars", scale=(1, 5), date="made", occupancy=PEOPLE, stale=0.3,
        conversions=CONVERSIONS.assign(converted=[70, 6, 41]),
    )  # fmt: skip
    found = before.compare(after)
    assert cell(found, "buyer", "solutions")["change"] == "closed"
    assert cell(found, "owner", "requirements")["change"] == "still a gap"
    one = cell(found, "owner", "problem")
    low, high = stats.binomtest(70, 200), stats.binomtest(30, 200)
    a, b = low.proportion_ci(method="wilson"), high.proportion_ci(method="wilson")
    assert one["difference"] == pytest.approx(0.2)
    assert one["difference_lo"] == pytest.approx(0.2 - np.hypot(0.35 - a.low, b.high - 0.15))
    assert one["difference_hi"] == pytest.approx(0.2 + np.hypot(a.high - 0.35, 0.15 - b.low))
    assert one["q"] < 0.001
    table = np.array([[70, 130], [30, 170]])
    assert one["p"] == pytest.approx(stats.chi2_contingency(table, correction=False).pvalue)
    assert "Closed (1): buyer at solutions." in found.explain()
    assert "owner at problem went from 15.0 % to 35.0 %" in found.explain()
    assert "not compared" in audit().compare(after).explain()
    with pytest.raises(TypeError, match="later is a dict"):
        before.compare({})


@pytest.mark.parametrize(
    ("changes", "options", "error", "message"),
    [
        ({"kind": ["podcast"] * 6}, {}, DataError,
         r'column "kind", row 0: found "podcast", but "inbound" or "outbound" is needed; try: kinds='),
        ({}, {"kinds": {"ad": "outward"}}, DataError, "kinds: found 'outward' for 'ad'"),
        ({}, {"kind": None, "kinds": {"ad": "outbound"}}, DataError, "kinds: found names of kinds, but no"),
        ({}, {"stages": STAGES[:3]}, DataError, r'occupancy: found "suppliers", but the stages are'),
        ({"stage": ["solutoins"] * 6}, {"stages": STAGES}, DataError,
         r'column "stage", row 0: found "solutoins", but the stages are "problem", "solutions"'),
        ({}, {"personas": ["owner", "buyer", "user"], "occupancy": {"onwer": {"problem": 1}}}, DataError,
         r'occupancy: found "onwer", but the personas are'),
        ({}, {"stages": ["problem", "problem"]}, DataError, r'stages: found "problem" twice'),
        ({"stars": [5, 3, 4, 2, 7, 1]}, {}, DataError,
         r'column "stars", row 4: found 7, but quality lies between 1 and 5'),
        ({}, {"scale": (5, 1)}, DataError, "scale: found \\(5, 1\\)"),
        ({"made": ["2026-10-01"] * 6}, {}, TypeError, r'column "made" has type text, but a date'),
        ({}, {"as_of": "2026-09-15"}, DataError,
         r'column "made", row 0: found 2026-10-01, but the audit is of 2026-09-15.*try: as_of="2026-10-01"'),
        ({}, {"date": None, "as_of": "2026-09-15"}, DataError, "as_of: found a day, but pieces have no date"),
        ({}, {"half_life": 0}, DataError, "half_life: found 0, but a number above 0"),
        ({}, {"occupancy": {"owner": {"problem": -1}}}, DataError,
         r"occupancy: found -1 for \('owner', 'problem'\), but a number, 0 or more"),
        ({}, {"occupancy": {"owner": {"problem": 0}}}, DataError, "occupancy: found 0 customers in all"),
        ({}, {"occupancy": pd.DataFrame({"persona": ["owner"], "stage": ["problem"], "n": [-2]})}, DataError,
         r'column "n", row 0: found -2'),
        ({}, {"occupancy": {"problem": 3, "solutions": -1}}, DataError, "occupancy: found -1 for 'solutions'"),
        ({}, {"occupancy": pd.DataFrame({"who": ["owner"]})}, DataError, r'the column "persona" is needed'),
        ({}, {"occupancy": {"owner": 3, "buyer": 2}}, DataError,
         r'occupancy: found the stages "owner", "buyer", but the stages of the inventory are "problem"'),
        ({}, {"persona_share": {"owner": 1}}, DataError, "persona_share: it shares out the traffic"),
        ({}, {"value": {"owner": 1}}, DataError, r'value: found no value of "buyer"'),
        ({}, {"value": {"owner": 1, "x": 2}}, DataError, r'value: found "x", but the personas are'),
        ({}, {"value": {"owner": -1}}, DataError, "value: found -1 for 'owner'"),
        ({}, {"weights": "stars", "quality": None, "conversions": CONVERSIONS.assign(converted=300)},
         DataError, r'column "converted", row 0: found 300, but at most the 200'),
        ({}, {"conversions": CONVERSIONS.drop(columns="converted")}, MissingColumnError, "converted"),
        ({"stars": [-1.0] * 6}, {"weights": "stars", "quality": None}, DataError, r'column "stars", row 0'),
        ({}, {"channel": "place"}, MissingColumnError, "place"),
        ({}, {"over": 0.4}, DataError, "over: found 0.4, but a number above thin"),
        ({}, {"several": "half"}, DataError, "several: found 'half'"),
        ({}, {"confidence": 1}, DataError, "confidence: found 1"),
        ({name: [] for name in LIBRARY}, {}, DataError, "inventory: found no rows"),
        ({"persona": [None] * 6}, {}, DataError,
         r'inventory: found 6 rows, all left out: "persona" is missing'),
        ({"persona": ["all"] * 6}, {"occupancy": None, "value": None}, DataError, "personas: found none"),
    ],
)  # fmt: skip
def test_audits_that_cannot_be_made_are_refused(changes, options, error, message) -> None:
    base = {
        "kind": "kind",
        "quality": "stars",
        "scale": (1, 5),
        "date": "made",
        "occupancy": PEOPLE,
    }
    with pytest.raises(error, match=message):
        content_coverage({**LIBRARY, **changes}, **{**base, **options})


def test_hostile_names_and_numbers_end_in_figures() -> None:
    library = {"persona": ["<script>", "$a$", ""], "stage": ["persona", "b", "b"], "q": [0, 0, 0]}
    found = content_coverage(library, quality="q", occupancy={"persona": 1e300, "b": 1})
    assert "<script>" not in found._repr_html_()
    assert set(found.to_dict()["status"]) <= {"thin", "empty", "covered"}
    assert "persona_" in found.matrix()
    assert found.plot().get_label()
    assert np.isfinite(found.to_dict()["gap"]).all()


def test_audits_are_saved_pictured_and_told(check_result) -> None:
    check_result(lambda: audit(conversions=CONVERSIONS), ContentCoverage)
    check_result(lambda: audit().compare(audit(stale=0.2)), ContentComparison)
    found = audit(channel="channel")
    assert (
        "Gaps are ranked by the customers in the cell times the value of the persona"
        in found.explain()
    )
    assert "Freshness halves every 365 days and is as of 2026-10-01" in found.explain()
    texts = " ".join(text.get_text() for text in found.plot().texts)
    assert "no outbound" in texts
    assert "empty" in texts
    for what in ("coverage", "need"):
        assert found.plot(what).get_title(loc="left")
    with pytest.raises(DataError, match="what: found 'love'"):
        found.plot("love")
    with pytest.raises(DataError, match="what: found 'love'"):
        found.matrix("love")


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.table])
def test_tables_come_back_in_the_frame_that_went_in(make) -> None:
    frame = make({name: list(values) for name, values in LIBRARY.items()})
    found = content_coverage(frame, kind="kind", occupancy=PEOPLE)
    for table in (found.table, found.gaps(), found.matrix()):
        assert type(table) is type(frame)

"""What a gap matrix can be held against, and cubes."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

import ilk
from ilk.exceptions import DataError, DataWarning
from ilk.gaps import GapCube, GapMatrix
from ilk.plot._style import GAPS
from meals import MEALS, SIDES, counted, records


def people(n: int = 4000, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "region": rng.choice(["north", "south"], n),
            "stage": rng.choice(["young", "old"], n),
            "household": rng.choice(["single", "couple", "family"], n),
            "meal": rng.choice(["breakfast", "lunch", "dinner"], n),
            "w": rng.uniform(0.5, 1.5, n),
        }
    )
    gone = (
        (frame["region"] == "south") & (frame["household"] == "family") & (frame["meal"] == "lunch")
    )
    return frame[~gone | (rng.random(n) < 0.4)].reset_index(drop=True)


def test_a_table_of_counts_is_the_table_of_its_records() -> None:
    few = ilk.gap_matrix(counted(), **SIDES, counts="n").to_dict()
    many = ilk.gap_matrix(records().astype(str), **SIDES).to_dict()
    assert few.keys() == many.keys()
    for name, column in many.items():
        if name in ("household", "meal", "status"):
            assert list(few[name]) == list(column)
        else:
            np.testing.assert_allclose(few[name], column, rtol=1e-12)


@pytest.mark.parametrize("n", [[1.5] * 9, [-1] * 9, [np.nan] * 9])
def test_counts_are_whole(n: list[float]) -> None:
    with pytest.raises(DataError, match=r'column "n", row 0: found .* a whole number from 0 up'):
        ilk.gap_matrix(counted() | {"n": n}, **SIDES, counts="n")


def test_exact_p_values_agree_with_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    sparse = {
        "household": list("aaabbbcc"),
        "meal": list("xyzxyzxz"),
        "n": [5, 0, 1, 1, 4, 1, 0, 3],
    }
    found = ilk.gap_matrix(sparse, **SIDES, counts="n", test="exact", min_count=0)
    wide = found.matrix("observed")
    total = np.array([wide[name] for name in wide if name != "household"]).T
    for i, j in np.ndindex(total.shape):
        own = total[i, j]
        row, col = total[i].sum() - own, total[:, j].sum() - own
        table = [[own, row], [col, total.sum() - own - row - col]]
        p = found.to_dict()["p"].reshape(total.shape)[i, j]
        assert p == pytest.approx(stats.fisher_exact(table).pvalue, rel=1e-9)
    need = ilk.gap_matrix(
        sparse, **SIDES, counts="n", test="exact", min_count=0, need={"x": 2, "y": 1, "z": 1}
    )
    p = stats.binomtest(5, 6, 0.5).pvalue
    assert need.to_dict()["p"][0] == pytest.approx(p, rel=1e-9)


def test_exact_tests_judge_thin_cells_by_default() -> None:
    sparse = {"household": list("aabb"), "meal": list("xyxy"), "n": [4, 1, 1, 4]}
    assert set(ilk.gap_matrix(sparse, **SIDES, counts="n").to_dict()["status"]) == {"too few"}
    exact = ilk.gap_matrix(sparse, **SIDES, counts="n", test="exact")
    assert set(exact.to_dict()["status"]) == {"served"}


def test_random_tables_are_reproducible_and_near_the_exact_law() -> None:
    args: dict[str, Any] = {**SIDES, "counts": "n", "test": "monte_carlo", "random_state": 1}
    found = ilk.gap_matrix(counted(), **args, n_resamples=4999)
    assert found.to_json() == ilk.gap_matrix(counted(), **args, n_resamples=4999).to_json()
    exact = ilk.gap_matrix(counted(), **SIDES, counts="n", test="exact").to_dict()["p"]
    np.testing.assert_allclose(found.to_dict()["p"], exact, atol=0.05)
    assert found.p_value == pytest.approx(1 / 5000)


def test_need_reference_and_value() -> None:
    need = ilk.gap_matrix(
        counted(), **SIDES, counts="n", need={"breakfast": 1, "lunch": 1, "dinner": 2}
    )
    table = need.to_pandas().set_index(["household", "meal"])
    assert table.loc[("single", "lunch"), "expected"] == 20
    assert table.loc[("single", "lunch"), "status"] == "gap"
    assert "share of the need of family" in need.gaps()["sentence"][0]
    then = counted() | {"n": [20, 20, 40, 20, 30, 50, 15, 35, 70]}
    moved = ilk.gap_matrix(counted(), **SIDES, counts="n", reference=then)
    table = moved.to_pandas().set_index(["household", "meal"])
    assert table.loc[("single", "breakfast"), "status"] == "saturated"
    assert abs(table.loc[("couple", "lunch"), "residual"]) < 1e-12
    plain = ilk.gap_matrix(counted(), **SIDES, counts="n").to_dict()["gap_value"]
    for value, factor in (
        (2.5, [2.5] * 9),
        ({"breakfast": 1, "lunch": 2, "dinner": 3}, [1, 3, 2] * 3),
        (
            pd.DataFrame({"household": ["single", "couple", "family"], "w": [1, 2, 3]}),
            [2] * 3 + [3] * 3 + [1] * 3,
        ),
        ({pair: 4.0 for pair in MEALS}, [4] * 9),
    ):
        valued = ilk.gap_matrix(counted(), **SIDES, counts="n", value=value)
        np.testing.assert_allclose(valued.to_dict()["gap_value"], plain * factor)


def test_several_columns_make_a_side() -> None:
    frame = people()
    found = ilk.gap_matrix(frame, rows=["stage", "household"], cols="meal")
    assert list(found.table.columns[:3]) == ["stage", "household", "meal"]
    assert found.rows == "stage · household"
    assert found.row_categories[0] == "old · couple"
    wide = found.matrix("n")
    assert list(wide.index.names) == ["stage", "household"]
    expected = pd.crosstab([frame["stage"], frame["household"]], frame["meal"])
    pd.testing.assert_frame_equal(wide, expected, check_names=False, check_dtype=False)
    assert found.plot().get_label()
    assert found.map().plot().get_label()
    need = {(("old", "single"), meal): 1 for meal in ("breakfast", "lunch", "dinner")}
    with pytest.raises(DataError, match='need: found nothing for the row "old · couple"'):
        ilk.gap_matrix(frame, rows=["stage", "household"], cols="meal", need=need)
    with pytest.raises(
        DataError, match="need: found 'single', but a tuple with a category of each"
    ):
        ilk.gap_matrix(
            frame, rows=["stage", "household"], cols="meal", need={("single", "lunch"): 1}
        )
    with pytest.raises(DataError, match=r"structural_zeros: found .* which has"):
        ilk.gap_matrix(
            frame,
            rows=["stage", "household"],
            cols="meal",
            structural_zeros=[(("old", "single"), "lunch")],
        )


def test_weights_of_a_survey_weigh() -> None:
    frame = people()
    found = ilk.gap_matrix(frame, **SIDES, weights="w")
    expected = frame.groupby(["household", "meal"])["w"].sum()
    table = found.to_pandas().set_index(["household", "meal"])
    np.testing.assert_allclose(table["observed"], expected[table.index])
    plain = ilk.gap_matrix(frame, **SIDES).to_dict()
    assert (table["n"].to_numpy() == plain["n"]).all()
    assert (table["index_hi"] / table["index_lo"] > (plain["index_hi"] / plain["index_lo"])).all()
    assert "weighted by w" in str(
        ilk.gap_matrix(frame.assign(m=1.0), **SIDES, weights="w", values="m").explain()
    )
    with pytest.raises(DataError, match='column "w", row 0: found -1'):
        ilk.gap_matrix(frame.assign(w=-1.0), **SIDES, weights="w")


def test_drawn_intervals_are_near_the_linearised_ones() -> None:
    frame = people()
    linear = ilk.gap_matrix(frame, **SIDES).to_dict()
    drawn = ilk.gap_matrix(frame, **SIDES, n_boot=500, random_state=0)
    np.testing.assert_allclose(drawn.to_dict()["index_lo"], linear["index_lo"], atol=0.03)
    np.testing.assert_allclose(drawn.to_dict()["index_hi"], linear["index_hi"], atol=0.03)
    assert "500 tables drawn anew" in str(drawn.explain())
    again = ilk.gap_matrix(frame, **SIDES, n_boot=500, random_state=0)
    assert again.to_json() == drawn.to_json()


def test_a_cube_tells_where_segments_differ() -> None:
    cube = ilk.gap_matrix(people(), **SIDES, by="region")
    assert isinstance(cube, GapCube)
    assert cube.segments == list(cube) == ["north", "south"]
    assert len(cube) == 2
    assert isinstance(cube["south"], GapMatrix)
    assert list(cube.table.columns[:3]) == ["region", "household", "meal"]
    first = cube.differences().iloc[0]
    assert (first["household"], first["meal"]) == ("family", "lunch")
    assert (first["lowest"], first["highest"]) == ("south", "north")
    assert first["q"] < 0.01
    assert "The segments differ" in first["sentence"]
    alone = ilk.gap_matrix(people().query("region == 'south'"), **SIDES)
    assert cube["south"].to_dict()["residual"] == pytest.approx(alone.to_dict()["residual"])
    n_differ = (cube.differences(9)["q"] <= 0.05).sum()
    assert f"In {n_differ} of 9 cells the segments differ" in str(cube.explain())
    again = GapCube.from_json(cube.to_json())
    assert again.to_json() == cube.to_json()
    assert "<table>" in cube._repr_html_()
    axes = cube.plot()
    assert [ax.get_label().split(".")[0] for ax in axes] == ["region north", "region south"]
    with pytest.raises(DataError, match='segment: found "west", but the segments are'):
        cube["west"]
    with pytest.raises(DataError, match="top: found -1"):
        cube.differences(-1)
    with pytest.raises(DataError, match="axes: found 1, but one for each of the 2"):
        cube.plot(axes=axes[:1])


def test_one_colour_means_the_same_in_every_matrix_of_a_cube():
    cube = ilk.gap_matrix(people(), **SIDES, by="region")
    drawn = {}
    for segment, ax in zip(cube.segments, cube.plot(), strict=True):
        residuals = cube[segment].to_dict()["residual"]
        colours = ax.images[0].get_array().reshape(-1, 4)
        drawn.update(zip(residuals, map(tuple, colours), strict=True))
        assert len(set(map(tuple, colours))) > 2
    strongest = max(map(abs, drawn))
    assert 4 < strongest < 12
    spread = mpl.colormaps[GAPS]
    for residual, colour in drawn.items():
        assert colour == pytest.approx(spread(0.5 + 0.5 * residual / strongest))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"test": "magic"}, 'test: found \'magic\', but one of "normal", "exact", "monte_carlo"'),
        ({"test": "exact", "values": "v"}, 'test: found "exact" with records of unequal value'),
        (
            {"test": "exact", "structural_zeros": [("single", "brunch")]},
            'structural_zeros: found "brunch"',
        ),
        (
            {"test": "monte_carlo", "need": {"lunch": 1, "dinner": 1}},
            'monte_carlo" with another comparison',
        ),
        ({"test": "monte_carlo", "n_resamples": 10}, "n_resamples: found 10, but at least 99"),
        ({"n_boot": 3}, "n_boot: found 3, but 0 or at least 20"),
        ({"n_boot": -1}, "n_boot: found -1"),
        ({"suppress": 1}, "suppress: found 1"),
        ({"suppress": 5, "by": "v"}, "suppress: found suppress together with by"),
        ({"need": {"lunch": 1}, "supply": {"lunch": 1}}, "need: found supply and need"),
        ({"need": {"lunch": -1}}, 'need: found -1 for "lunch"'),
        ({"need": {("single", "lunch"): 1, "dinner": 1}}, "need: found 'dinner' among pairs"),
        ({"value": {"lunch": 1}}, "value: found nothing for"),
        ({"weights": "none"}, "weights: found nothing but zeros"),
        ({"counts": "none"}, "counts: found nothing but zeros"),
        ({"values": "none"}, "values: found nothing but zeros"),
        ({"value": float("nan")}, "value: found nan, but a finite number"),
        ({"value": -2}, "value: found -2, but a finite number"),
        ({"value": {"brunch": 1}}, 'value: found "brunch", but the categories of "meal" are'),
        ({"by": "household"}, "by and rows|rows and by must be different"),
        ({"rows": ["household", "meal"]}, "rows and cols must be different"),
        ({"rows": []}, "rows: found no column"),
        (
            {"reference": {"household": [None], "meal": ["lunch"]}},
            "reference: found 1 rows, none of them complete",
        ),
    ],
)
def test_what_cannot_be_asked_is_refused(change: dict[str, Any], message: str) -> None:
    frame = records().assign(v=1.5, none=0)
    with pytest.raises(DataError, match=message):
        ilk.gap_matrix(frame, **(SIDES | change))


@pytest.mark.parametrize("rows", [None, 3, ["household", 3]])
def test_sides_are_names_of_columns(rows: Any) -> None:
    with pytest.raises(TypeError, match=r"rows: found (None|3), but names of columns are needed"):
        ilk.gap_matrix(records(), rows=rows, cols="meal")


def test_names_without_records_are_told() -> None:
    with pytest.warns(
        DataWarning, match="supply: no record at all of what the comparison names: brunch"
    ):
        found = ilk.gap_matrix(
            records().astype(str),
            **SIDES,
            supply={"breakfast": 1, "lunch": 1, "dinner": 1, "brunch": 1},
        )
    assert "brunch" in found.col_categories
    assert any("brunch" in note for note in found.manifest["notes"])


def test_a_row_of_cells_that_cannot_occur() -> None:
    frame = records().assign(
        household=lambda df: pd.Categorical(
            df["household"], ["single", "couple", "family", "robot"], ordered=True
        )
    )
    zeros = [("robot", meal) for meal in ("breakfast", "lunch", "dinner")]
    found = ilk.gap_matrix(frame, **SIDES, structural_zeros=zeros)
    assert set(found.table["status"][9:]) == {"not applicable"}
    assert found.chi2 == pytest.approx(39.5)
    with pytest.raises(DataError, match=r"structural_zeros: found .* which has 40 records"):
        ilk.gap_matrix(frame, **SIDES, structural_zeros=[("single", "breakfast")])


def test_one_segment_is_no_cube() -> None:
    with pytest.raises(DataError, match="by: found 1 segment with records"):
        ilk.gap_matrix(records().assign(region="north"), **SIDES, by="region")

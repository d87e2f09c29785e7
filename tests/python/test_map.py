"""The map of a gap table, and of several columns."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ilk
from ilk.exceptions import DataError, MissingColumnError, ModelFileError
from ilk.gaps import CorrespondenceMap, correspondence

SMOKE = pd.DataFrame(
    [[4, 2, 3, 2], [4, 3, 7, 4], [25, 10, 12, 4], [18, 24, 33, 13], [10, 6, 7, 2]],
    index=["SM", "JM", "SE", "JE", "SC"],
    columns=["none", "light", "medium", "heavy"],
)


def matrix_of(table: pd.DataFrame, **options) -> ilk.GapMatrix:
    long = table.stack().rename("n").reset_index()
    long.columns = ["row", "col", "n"]
    for name, order in (("row", table.index), ("col", table.columns)):
        long[name] = pd.Categorical(long[name], list(order), ordered=True)
    return ilk.gap_matrix(long, rows="row", cols="col", values="n", **options)


def test_smoking_staff_lie_where_published() -> None:
    found = matrix_of(SMOKE).map(3)
    inertias = found.inertias
    assert inertias["inertia"].tolist() == pytest.approx(
        [0.0747591059, 0.0100171805, 0.0004135741], abs=1e-9
    )
    assert inertias["cumulative"].iloc[-1] == pytest.approx(1)
    assert found.total_inertia == pytest.approx(0.0851898605, abs=1e-9)
    assert found.total_inertia * 193 == pytest.approx(16.441643, abs=1e-5)
    rows = found.row_coordinates.set_index("category")
    sign = np.sign(rows.loc["SE", "dim_1"]) * -1
    assert (sign * rows["dim_1"]).tolist() == pytest.approx(
        [-0.0657684, 0.2589584, -0.3805949, 0.2329519, -0.2010891], abs=1e-6
    )
    columns = found.col_coordinates.set_index("category")
    assert (sign * columns["dim_1"]).tolist() == pytest.approx(
        [-0.3933084, 0.0994559, 0.1963210, 0.2937760], abs=1e-6
    )


def test_the_picture_depends_neither_on_the_order_of_categories_nor_of_records() -> None:
    found = matrix_of(SMOKE).map().row_coordinates.set_index("category")
    other = matrix_of(SMOKE.iloc[::-1, ::-1]).map().row_coordinates.set_index("category")
    pd.testing.assert_frame_equal(found.sort_index(), other.sort_index(), atol=1e-9)


def test_rows_of_the_table_are_projected_onto_themselves() -> None:
    found = matrix_of(SMOKE).map()
    placed = found.project(SMOKE.rename_axis("row").reset_index())
    assert placed["row"].tolist() == list(SMOKE.index)
    np.testing.assert_allclose(
        placed[["dim_1", "dim_2"]], found.row_coordinates[["dim_1", "dim_2"]], atol=1e-9
    )
    columns = found.project(SMOKE.T.rename_axis("col").reset_index(), side="columns")
    np.testing.assert_allclose(columns["dim_1"], found.col_coordinates["dim_1"], atol=1e-9)
    nowhere = found.project({name: [0] for name in SMOKE})
    assert np.isnan(nowhere["dim_1"]).all()


@pytest.mark.parametrize(
    ("points", "options", "error", "message"),
    [
        ({"none": [1], "light": [1], "medium": [1]}, {}, MissingColumnError, "heavy"),
        ({"none": [1, -1], "light": [1, 1], "medium": [1, 1], "heavy": [1, 1]}, {}, DataError,
         r'column "none", row 1: found -1'),
        ({"none": [1]}, {"side": "left"}, DataError, 'side: found \'left\', but "rows" or "columns"'),
    ],
)  # fmt: skip
def test_points_that_cannot_be_placed_are_refused(points, options, error, message) -> None:
    with pytest.raises(error, match=message):
        matrix_of(SMOKE).map().project(points, **options)


def people(n: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    kind = rng.integers(0, 2, n)
    return pd.DataFrame(
        {
            "home": np.where(rng.uniform(size=n) < 0.2 + 0.6 * kind, "house", "flat"),
            "pet": rng.choice(["cat", "dog", "fish"], n),
            "car": np.where(rng.uniform(size=n) < 0.1 + 0.8 * kind, "yes", "no"),
        }
    )


def test_several_columns_have_the_eigenvalues_of_their_indicators() -> None:
    data = people()
    found = correspondence(data, dims=4)
    indicators = pd.get_dummies(data).astype(float)
    shares = indicators.to_numpy() / indicators.to_numpy().sum()
    row, col = shares.sum(axis=1), shares.sum(axis=0)
    residual = (shares - np.outer(row, col)) / np.sqrt(np.outer(row, col))
    singular = np.linalg.svd(residual, compute_uv=False)
    assert found.inertias["inertia"].tolist() == pytest.approx(
        (singular[:4] ** 2).tolist(), abs=1e-10
    )
    assert found.total_inertia == pytest.approx(7 / 3 - 1)
    corrected = found.inertias
    assert corrected["benzecri_share"].sum() == pytest.approx(1)
    assert corrected["greenacre_share"].sum() <= 1
    assert corrected["greenacre_share"].iloc[0] > corrected["share"].iloc[0]


def test_customers_lie_at_the_average_of_their_categories() -> None:
    data = people()
    found = correspondence(data)
    placed = found.project(data)
    categories = found.col_coordinates.set_index(["variable", "category"])["dim_1"]
    stretch = np.sqrt(found.inertias["inertia"].iloc[0])
    first = np.mean([categories[(name, data[name].iloc[0])] for name in data]) / stretch
    assert placed["dim_1"].iloc[0] == pytest.approx(first)
    # Over all customers the average is the origin and the variance the inertia.
    assert placed["dim_1"].mean() == pytest.approx(0, abs=1e-9)
    assert placed["dim_1"].var(ddof=0) == pytest.approx(found.inertias["inertia"].iloc[0])
    unknown = found.project(data.assign(pet="snake"))
    assert np.isfinite(unknown["dim_1"]).all()


@settings(max_examples=15)
@given(st.integers(0, 1000))
def test_weights_are_repeated_customers(seed: int) -> None:
    data = people(80)
    weights = np.random.default_rng(seed).integers(1, 4, len(data))
    one = correspondence(data.assign(w=weights), weights="w").inertias["inertia"]
    other = correspondence(data.loc[data.index.repeat(weights)]).inertias["inertia"]
    np.testing.assert_allclose(one, other, atol=1e-12)


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        ({"a": ["x", "y"]}, {}, "columns: found 1 columns, but at least 2 are needed"),
        ({"a": ["x", "y"], "b": ["u", "u"]}, {}, 'column "b": found 1 category'),
        (
            {"a": ["x", None], "b": [None, "u"]},
            {},
            "df: found 2 rows, all left out: a category is missing",
        ),
        ({"a": ["x", "y"], "b": ["u", "v"]}, {"dims": 0}, "dims: found 0"),
        ({"a": ["x", "y"], "b": ["u", "v"], "w": [1, -1]}, {"weights": "w"}, 'column "w", row 1'),
    ],
)
def test_what_cannot_be_mapped_is_refused(data, options, message) -> None:
    with pytest.raises(DataError, match=message):
        correspondence(data, **options)


def test_a_table_without_dependence_is_refused() -> None:
    with pytest.raises(DataError, match="do not depend on each other"):
        matrix_of(pd.DataFrame([[10, 20], [20, 40]], index=["a", "b"], columns=["u", "v"])).map()


def test_rows_left_out_are_counted() -> None:
    data = people()
    data.loc[:9, "pet"] = None
    assert correspondence(data).manifest["rows_used"] == 390


@pytest.mark.parametrize("found", [matrix_of(SMOKE).map(), correspondence(people())])
def test_maps_are_saved_and_pictured(found: CorrespondenceMap) -> None:
    again = CorrespondenceMap.from_json(found.to_json())
    assert again.to_json() == found.to_json()
    assert pickle.loads(pickle.dumps(found)).to_json() == found.to_json()
    ax = found.plot()
    assert "Dimension 1" in ax.get_label()
    assert len({text.get_text() for text in ax.texts} - {""}) >= 7
    with pytest.raises(DataError, match="dims: found"):
        found.plot(dims=(1, 9))
    with pytest.raises(ModelFileError):
        CorrespondenceMap.from_json(found.to_json().replace("inertias", "x"))


def test_frames_come_back_in_their_kind() -> None:
    found = correspondence(pl.from_pandas(people()))
    assert isinstance(found.table, pl.DataFrame)
    assert isinstance(found.project(pl.from_pandas(people())), pl.DataFrame)


@pytest.mark.filterwarnings("ignore:Glyph")
def test_a_large_table_has_labels_that_do_not_overlap() -> None:
    rng = np.random.default_rng(0)
    names = [f"a rather long name {i} 🍕" if i % 5 == 0 else f"اسم {i}" for i in range(60)]
    signal = np.exp(0.5 * rng.normal(size=(60, 2)) @ rng.normal(size=(2, 40)))
    table = pd.DataFrame(
        rng.poisson(20 * signal), index=names, columns=[f"c{j}" for j in range(40)]
    )
    ax = matrix_of(table).map().plot()
    boxes = [text.get_window_extent() for text in ax.texts if text.get_text()]
    for at, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:at])
    assert "are not named for want of room" in ax.get_label()

"""Archetypes: what users see, and exact answers on data whose corners are known."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import nnls

import ilk
from ilk.cluster import Archetypes, FewClustersWarning
from ilk.exceptions import DataError, ModelFileError

CORNERS = np.array([[0.0, 0.0, 5.0], [9.0, 1.0, 0.0], [2.0, 8.0, 1.0]])


def mixed(n: int = 200, seed: int = 0, noise: float = 0.0):
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet(np.full(len(CORNERS), 0.7), size=n)
    rows = np.vstack([CORNERS, shares @ CORNERS])
    return rows + rng.normal(scale=noise, size=rows.shape) if noise else rows


def test_the_corners_of_a_triangle_are_found() -> None:
    model = Archetypes(3, random_state=0).fit(mixed())
    found = model.archetypes_[np.argsort(model.archetypes_[:, 0])]
    np.testing.assert_allclose(found, CORNERS[np.argsort(CORNERS[:, 0])], atol=1e-4)
    assert model.explained_ > 1 - 1e-9


def test_shares_are_those_of_a_quadratic_program() -> None:
    rows = mixed(noise=0.7)
    model = Archetypes(3, random_state=0).fit(rows)
    # Non-negative least squares, with the sum of the shares held by a heavy line of its own.
    heavy = 1e4
    matrix = np.vstack([model.archetypes_.T, np.full(3, heavy)])
    slow = np.array([nnls(matrix, np.append(row, heavy))[0] for row in rows])
    np.testing.assert_allclose(model.alphas_, slow, atol=1e-5)
    residual = rows - slow @ model.archetypes_
    assert model.rss_ == pytest.approx((residual**2).sum(), rel=1e-6)
    assert model.explained_ == pytest.approx(
        1 - model.rss_ / ((rows - rows.mean(axis=0)) ** 2).sum(), rel=1e-9
    )


def test_archetypes_are_mixtures_of_rows() -> None:
    rows = mixed(noise=0.7)
    model = Archetypes(4, random_state=0).fit(rows)
    np.testing.assert_allclose(model.betas_ @ rows, model.archetypes_, atol=1e-9)
    np.testing.assert_allclose(model.betas_.sum(axis=1), 1.0)
    np.testing.assert_allclose(model.alphas_.sum(axis=1), 1.0)
    assert (model.betas_ >= 0).all()
    assert (model.alphas_ >= 0).all()
    with pytest.raises(AttributeError, match="after fit"):
        Archetypes().betas_  # noqa: B018


def test_squares_never_rise() -> None:
    history = Archetypes(4, random_state=0).fit(mixed(noise=1.0)).rss_history_
    assert len(history) > 2
    assert (np.diff(history) <= 1e-12 * history[0]).all()


def test_more_archetypes_explain_more() -> None:
    rows = mixed(300, noise=1.0)
    explained = [Archetypes(k, random_state=0).fit(rows).explained_ for k in (1, 2, 3, 4, 6)]
    assert explained[0] == pytest.approx(0.0, abs=1e-6)
    assert (np.diff(explained) > 0).all()


def test_order_is_by_total_share_and_labels_name_the_nearest() -> None:
    rows = mixed(noise=0.3)
    model = Archetypes(3, random_state=0).fit(rows)
    assert (np.diff(model.alphas_.sum(axis=0)) <= 0).all()
    distances = np.linalg.norm(rows[:, None] - model.archetypes_, axis=2)
    assert (model.labels_ == distances.argmin(axis=1)).all()
    assert (model.predict(rows) == model.labels_).all()
    assert (model.transform(rows) == model.alphas_).all()
    assert model.score(rows) == pytest.approx(-model.rss_)


def test_rows_of_weight_0_are_not_there() -> None:
    rows = mixed(100, noise=0.5)
    far = np.vstack([rows, [[500.0, 500.0, 500.0]]])
    weights = np.append(np.ones(len(rows)), 0.0)
    weighted = Archetypes(3, random_state=0, n_init=10).fit(far, sample_weight=weights)
    plain = Archetypes(3, random_state=0, n_init=10).fit(rows)
    assert weighted.rss_ == pytest.approx(plain.rss_, rel=1e-3)
    assert weighted.betas_[:, -1].sum() == 0


def test_frames_of_every_kind_give_the_same_model() -> None:
    rows, names = mixed(noise=0.5), ["a", "b", "c"]
    plain = Archetypes(random_state=0).fit(rows)
    pandas = Archetypes(random_state=0).fit(pd.DataFrame(rows, columns=names))
    polars = Archetypes(random_state=0).fit(pl.DataFrame(rows, schema=names))
    assert list(pandas.feature_names_in_) == list(polars.feature_names_in_) == names
    assert (pandas.alphas_ == plain.alphas_).all()
    assert (polars.alphas_ == plain.alphas_).all()
    named = pandas.set_output(transform="pandas").transform(pd.DataFrame(rows, columns=names))
    assert list(named.columns) == ["archetypes0", "archetypes1", "archetypes2"]


def test_saved_and_loaded_it_transforms_the_same() -> None:
    frame = pd.DataFrame(mixed(noise=0.5), columns=["a", "b", "c"])
    model = Archetypes(random_state=0).fit(frame)
    for back in (pickle.loads(pickle.dumps(model)), Archetypes.from_json(model.to_json())):
        assert (back.transform(frame) == model.alphas_).all()
        assert (back.betas_ == model.betas_).all()
        assert list(back.feature_names_in_) == ["a", "b", "c"]
    text = json.loads(model.to_json())
    for field, value in [("archetypes", [1.0]), ("mixtures", [[[10**6, 1.0]]] * 3), ("rss", -1.0)]:
        broken = {**text, "content": {**text["content"], field: value}}
        with pytest.raises(ModelFileError):
            Archetypes.from_json(json.dumps(broken))


def test_any_number_of_threads_gives_the_same_bits() -> None:
    rows = mixed(9_000, noise=0.5)
    found = []
    for threads in (1, 2, 8):
        ilk.set_num_threads(threads)
        found.append(Archetypes(4, n_init=2, max_iter=10, random_state=0).fit(rows).to_json())
    ilk.set_num_threads(0)
    assert found[0] == found[1] == found[2]


def test_equal_rows_are_a_warning() -> None:
    with pytest.warns(FewClustersWarning, match="found 1 archetypes, not n_archetypes=3"):
        model = Archetypes(3).fit(np.ones((10, 2)))
    assert (model.archetypes_ == 1).all()
    assert model.rss_ == 0
    assert model.explained_ == 1


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (Archetypes(0), "n_archetypes: found 0"),
        (Archetypes(101), "n_archetypes=101 needs at least 101 rows"),
        (Archetypes(n_init=0), "n_init"),
        (Archetypes(max_iter=0), "max_iter"),
        (Archetypes(tol=-1.0), "tol"),
    ],
)
def test_parameters_out_of_range_are_named(estimator: Archetypes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        estimator.fit(mixed(97))


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
def test_values_that_are_not_finite_or_too_large_are_named(value: float) -> None:
    frame = pd.DataFrame(mixed(50), columns=["a", "b", "c"])
    frame.loc[7, "b"] = value
    with pytest.raises(DataError, match='column "b", row 7'):
        Archetypes().fit(frame)


@given(
    rows=st.integers(1, 30),
    columns=st.integers(1, 3),
    values=st.lists(st.sampled_from([0.0, 1.0, -1.0, 1e-200, 1e100, 3.5]), min_size=1),
    archetypes=st.integers(1, 5),
)
@pytest.mark.filterwarnings("ignore::ilk.cluster.FewClustersWarning")
def test_hostile_rows_end_in_shares(rows, columns, values, archetypes) -> None:
    data = np.resize(np.array(values), (rows, columns))
    model = Archetypes(min(archetypes, rows), n_init=2, random_state=0).fit(data)
    np.testing.assert_allclose(model.alphas_.sum(axis=1), 1.0)
    np.testing.assert_allclose(model.betas_.sum(axis=1), 1.0)
    assert np.isfinite(model.archetypes_).all()
    assert model.rss_ >= 0

"""Gaussian mixtures: scikit-learn's figures, laws, and what bad or degenerate data is told."""

from __future__ import annotations

import pickle
import warnings
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.mixture import GaussianMixture as SklearnGaussianMixture

import ilk
from ilk.cluster import CollapsedComponentWarning, FewClustersWarning, GaussianMixture
from ilk.exceptions import ConvergenceWarning, DataError, DataWarning, ModelFileError

KINDS = ["full", "tied", "diag", "spherical"]
IRIS = load_iris().data


def rows(n: int = 400, d: int = 3, k: int = 3, seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    centres = rng.normal(scale=3.0, size=(k, d))
    shapes = rng.normal(scale=0.5, size=(k, d, d)) + np.eye(d)
    group = rng.integers(k, size=n)
    return centres[group] + np.einsum("nj,nji->ni", rng.normal(size=(n, d)), shapes[group])


def same_start(data: Any, k: int, kind: str) -> dict[str, Any]:
    d = data.shape[1]
    precisions = {
        "full": np.repeat(np.eye(d)[None] * 0.7, k, axis=0),
        "tied": np.eye(d) * 0.7,
        "diag": np.full((k, d), 0.7),
        "spherical": np.full(k, 0.7),
    }
    return {
        "covariance_type": kind,
        "weights_init": np.arange(1.0, k + 1) / np.arange(1.0, k + 1).sum(),
        "means_init": data[:k].copy(),
        "precisions_init": precisions[kind],
        "tol": 0.0,
    }


def quiet(model: Any, data: Any, **more: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(data, **more)


# Scikit-learn's figures


@pytest.mark.parametrize("kind", KINDS)
@given(
    seed=st.integers(0, 10_000), k=st.integers(1, 5), d=st.integers(1, 7), steps=st.integers(1, 12)
)
def test_same_start_gives_scikit_learns_parameters(
    kind: str, seed: int, k: int, d: int, steps: int
) -> None:
    data = rows(300, d, 3, seed)
    same = same_start(data, k, kind) | {"max_iter": steps, "reg_covar": 1e-4}
    ours = quiet(GaussianMixture(k, **same), data)
    theirs = quiet(SklearnGaussianMixture(k, **same), data)
    assert ours.lower_bound_ == pytest.approx(theirs.lower_bound_, rel=1e-9)
    assert ours.n_iter_ == theirs.n_iter_
    for name in ("weights_", "means_", "covariances_", "precisions_", "precisions_cholesky_"):
        found, wanted = getattr(ours, name), getattr(theirs, name)
        assert found.shape == wanted.shape
        assert_allclose(found, wanted, rtol=1e-5, atol=1e-6 * np.abs(wanted).max())
    assert_allclose(ours.score_samples(data), theirs.score_samples(data), rtol=1e-6, atol=1e-6)
    assert_allclose(ours.predict_proba(data), theirs.predict_proba(data), atol=1e-6)
    assert ours.score(data) == pytest.approx(theirs.score(data), rel=1e-8)
    assert ours.bic(data) == pytest.approx(theirs.bic(data), rel=1e-8)
    assert ours.aic(data) == pytest.approx(theirs.aic(data), rel=1e-8)


@pytest.mark.parametrize("kind", KINDS)
def test_iris_is_at_least_as_likely_as_with_scikit_learn(kind: str) -> None:
    same: dict[str, Any] = {
        "covariance_type": kind, "n_init": 5, "random_state": 0, "tol": 1e-6, "max_iter": 1000,
    }  # fmt: skip
    ours = GaussianMixture(3, **same).fit(IRIS)
    theirs = SklearnGaussianMixture(3, **same).fit(IRIS)
    assert ours.converged_
    assert ours.lower_bound_ >= theirs.lower_bound_ - 1e-4


def test_bic_counts_two_components_of_old_faithful_shape() -> None:
    data = rows(600, 2, 2, 3)
    found = [GaussianMixture(k, n_init=3, random_state=0).fit(data).bic(data) for k in (1, 2, 3)]
    assert np.argmin(found) == 1


def test_icl_is_bic_and_twice_the_entropy() -> None:
    data = rows(seed=5)
    model = GaussianMixture(3, random_state=0).fit(data)
    shares = model.predict_proba(data)
    entropy = -(shares * np.log(np.where(shares > 0, shares, 1.0))).sum()
    assert model.icl(data) == pytest.approx(model.bic(data) + 2 * entropy, rel=1e-12)


# Laws


@pytest.mark.parametrize("kind", KINDS)
@given(seed=st.integers(0, 10_000))
def test_weights_are_repeated_rows(kind: str, seed: int) -> None:
    data = rows(60, 2, 2, seed)
    weights = np.random.default_rng(seed).integers(0, 4, size=len(data))
    weights[:10] = 1
    model = GaussianMixture(2, random_state=seed, reg_covar=1e-2, **{"covariance_type": kind})
    weighted = quiet(clone(model), data, sample_weight=weights)
    repeated = data.repeat(weights, axis=0)
    other = quiet(clone(model), repeated)
    assert weighted.lower_bound_ == pytest.approx(other.lower_bound_, rel=1e-6)
    assert_allclose(weighted.means_, other.means_, rtol=1e-5, atol=1e-6)
    for criterion in ("score", "aic", "bic", "icl"):
        one = getattr(weighted, criterion)(data, sample_weight=weights)
        assert one == pytest.approx(getattr(other, criterion)(repeated), rel=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_order_of_rows_and_columns_does_not_matter(kind: str) -> None:
    data = rows(200, 3, 3, 1)
    order = np.random.default_rng(0).permutation(len(data))
    model = GaussianMixture(3, covariance_type=kind, random_state=0)
    one, other = clone(model).fit(data), clone(model).fit(data[order])
    assert_allclose(one.predict_proba(data)[order], other.predict_proba(data[order]), atol=1e-9)
    start = data[:3]
    one = quiet(clone(model).set_params(means_init=start), data)
    turned = quiet(clone(model).set_params(means_init=start[:, ::-1]), data[:, ::-1])
    assert turned.lower_bound_ == pytest.approx(one.lower_bound_, rel=1e-9)
    assert_allclose(turned.means_, one.means_[:, ::-1], rtol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_a_large_common_part_costs_no_digits(kind: str) -> None:
    # Scikit-learn on the rows themselves, ilk on the same rows 10^8 away.
    data = np.round(rows(500, 3, 2, 2) * 1024) / 1024
    far = data + 2.0**27
    same = same_start(data, 2, kind) | {"max_iter": 15}
    theirs = quiet(SklearnGaussianMixture(2, **same), data)
    ours = quiet(GaussianMixture(2, **same | {"means_init": far[:2]}), far)
    assert ours.lower_bound_ == pytest.approx(theirs.lower_bound_, rel=1e-9)
    assert_allclose(ours.covariances_, theirs.covariances_, rtol=1e-6, atol=1e-9)
    assert_allclose(ours.predict_proba(far), theirs.predict_proba(data), atol=1e-7)


@pytest.mark.parametrize("kind", KINDS)
def test_likelihood_never_falls(kind: str) -> None:
    data = rows(300, 3, 4, 7)
    same = same_start(data, 4, kind) | {"reg_covar": 0.0}
    bounds = [
        quiet(GaussianMixture(4, max_iter=steps, **same), data).lower_bound_
        for steps in range(1, 15)
    ]
    assert (np.diff(bounds) >= -1e-12 * np.abs(bounds[1:])).all()


def test_threads_do_not_change_a_bit() -> None:
    data = rows(30_000, 4)
    found = []
    for threads in (1, 2, 8):
        ilk.set_num_threads(threads)
        model = quiet(GaussianMixture(4, random_state=0, max_iter=10), data)
        found.append((model.to_json(), model.predict_proba(data).tobytes(), model.bic(data)))
    ilk.set_num_threads(0)
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("init", ["kmeans", "k-means++", "random", "random_from_data"])
def test_every_start_finds_separate_groups(init: Any) -> None:
    rng = np.random.default_rng(0)
    data = rng.normal(size=(600, 2)) + np.repeat(
        [[0, 0], [12, 0], [0, 12]], [300, 200, 100], axis=0
    )
    model = GaussianMixture(
        3, init_params=init, n_init=8, random_state=0, max_iter=500, tol=1e-5
    ).fit(data)
    assert_allclose(model.weights_, [1 / 2, 1 / 3, 1 / 6], atol=1e-6)
    assert_array_equal(np.bincount(model.predict(data)), [300, 200, 100])


def test_component_0_is_the_largest_but_given_means_keep_their_order() -> None:
    data = rows(seed=9)
    model = GaussianMixture(3, random_state=0).fit(data)
    assert (np.diff(model.weights_) <= 0).all()
    again = GaussianMixture(3, means_init=model.means_[::-1]).fit(data)
    assert_allclose(again.means_, model.means_[::-1], atol=0.05)


def test_rows_of_predict_proba_sum_to_one_however_far() -> None:
    data = rows()
    model = GaussianMixture(3, random_state=0).fit(data)
    far = np.array([[1e3] * 3, [-1e100] * 3, [1e140, 0, 0]])
    for given_rows in (data, far):
        shares = model.predict_proba(given_rows)
        assert_allclose(shares.sum(axis=1), 1.0, rtol=1e-14)
        assert_array_equal(shares.argmax(axis=1), model.predict(given_rows))
        assert np.isfinite(model.score_samples(given_rows)).all()


def test_sample_has_the_moments_of_the_mixture() -> None:
    for kind in KINDS:
        model = GaussianMixture(2, covariance_type=kind, random_state=0).fit(rows(k=2))  # type: ignore[arg-type]
        drawn, labels = model.sample(40_000)
        assert drawn.shape == (40_000, 3)
        assert_allclose(np.bincount(labels) / 40_000, model.weights_, atol=0.01)
        for component in range(2):
            members = drawn[labels == component]
            wanted = model.covariances_ if kind == "tied" else model.covariances_[component]
            if kind in ("diag", "spherical"):
                wanted = wanted * np.eye(3)
            scale = np.abs(wanted).max()
            assert_allclose(members.mean(axis=0), model.means_[component], atol=0.05 * scale)
            assert_allclose(np.cov(members.T), wanted, atol=0.05 * scale)
    with pytest.raises(DataError, match="n_samples"):
        model.sample(0)


def test_float32_is_read_as_it_is() -> None:
    data = rows().astype(np.float32)
    narrow = GaussianMixture(3, random_state=0).fit(data)
    wide = GaussianMixture(3, means_init=narrow.means_).fit(data.astype(np.float64))
    assert_allclose(narrow.means_, wide.means_, atol=0.05)
    assert narrow.score(data) == pytest.approx(narrow.score(data.astype(float)), rel=1e-12)


# Frames and files


def test_frames_give_names_and_the_same_bits() -> None:
    data = rows()
    frame = pd.DataFrame(data, columns=["a", "b", "c"])
    expected = GaussianMixture(3, random_state=0).fit(data)
    for kind in (frame, pl.from_pandas(frame)):
        model = GaussianMixture(3, random_state=0).fit(kind)
        assert_array_equal(model.means_, expected.means_)
        assert model.feature_names_in_.tolist() == ["a", "b", "c"]
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame[["c", "b", "a"]])
    frame.loc[7, "b"] = np.nan
    with pytest.raises(DataError, match='column "b", row 7: found NaN'):
        GaussianMixture(2).fit(frame)


@pytest.mark.parametrize("kind", KINDS)
def test_pickle_and_json_give_the_same_answers(kind: Any) -> None:
    data = rows()
    model = GaussianMixture(3, covariance_type=kind, random_state=0).fit(data)
    for back in (pickle.loads(pickle.dumps(model)), GaussianMixture.from_json(model.to_json())):
        assert_array_equal(back.predict_proba(data), model.predict_proba(data))
        assert_array_equal(back.covariances_, model.covariances_)
        assert back.covariance_type == kind
        assert back.to_json() == model.to_json()
    with pytest.raises(ModelFileError):
        GaussianMixture.from_json(model.to_json()[:-9])
    with pytest.raises(NotFittedError):
        GaussianMixture().to_json()


def test_progress_counts_iterations() -> None:
    seen: list[tuple[int, int]] = []
    GaussianMixture(2, random_state=0, progress=lambda *pair: seen.append(pair)).fit(rows())
    assert seen[-1][0] == seen[-1][1] > 0


# Degenerate data


def test_components_on_copies_of_one_row_are_reported() -> None:
    data = np.vstack([rows(200, 2, 1), np.full((40, 2), 30.0)])
    with pytest.warns(CollapsedComponentWarning, match=r"components \[1\] shrank.*reg_covar=1e-06"):
        model = GaussianMixture(2, random_state=0).fit(data)
    assert np.isfinite(model.lower_bound_)
    assert_allclose(model.covariances_[1], 1e-6 * np.eye(2), atol=1e-12)


def test_a_start_that_does_not_collapse_is_preferred() -> None:
    # One far copy pair: a component on it has a huge likelihood that means nothing.
    data = np.vstack([rows(300, 2, 2, 4), [[0.5, 0.5]] * 2])
    with warnings.catch_warnings():
        warnings.simplefilter("error", CollapsedComponentWarning)
        GaussianMixture(2, n_init=10, init_params="random_from_data", random_state=0).fit(data)


def test_fewer_different_rows_than_components_are_reported() -> None:
    data = np.repeat([[0.0, 0.0], [1.0, 2.0]], 20, axis=0)
    with pytest.warns(FewClustersWarning, match="found 2 components, not n_components=4"):
        model = GaussianMixture(4, random_state=0).fit(data)
    assert model.weights_.tolist() == [0.5, 0.5, 0.0, 0.0]
    assert_array_equal(model.predict_proba(data).max(axis=1), 1.0)


def test_columns_that_do_not_vary_are_named() -> None:
    frame = pd.DataFrame(rows(), columns=["a", "b", "c"]).assign(b=1e8)
    with pytest.warns(DataWarning, match=r"columns \['b'\] do not vary"):
        model = GaussianMixture(2, random_state=0).fit(frame)
    assert_allclose(model.covariances_[:, 1, 1], 1e-6)
    with pytest.raises(DataError, match=r'reg_covar.*"b" does not vary.*try: reg_covar=1e-6'):
        GaussianMixture(2, reg_covar=0).fit(frame)


def test_copies_of_a_column_are_widened_without_a_ridge() -> None:
    data = rows(seed=2)
    data = np.column_stack([data, data[:, 0] * 1e6])
    with pytest.warns(CollapsedComponentWarning):
        model = GaussianMixture(2, reg_covar=0.0, random_state=0).fit(data)
    assert np.isfinite(model.precisions_).all()


def test_an_unsettled_fit_is_reported() -> None:
    with pytest.warns(ConvergenceWarning, match="max_iter=2 iterations; try: max_iter=20"):
        model = GaussianMixture(3, max_iter=2, tol=0.0, random_state=0).fit(rows())
    assert not model.converged_


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_components": 0}, "n_components: found 0"),
        ({"n_components": 500}, "needs at least 500 rows, but n_samples=400; try: n_components=400"),
        ({"covariance_type": "round"}, 'covariance_type: found "round", but "full"'),
        ({"init_params": "best"}, 'init_params: found "best", but "kmeans"'),
        ({"reg_covar": -1}, "reg_covar: found -1"),
        ({"tol": np.nan}, "tol: found nan"),
        ({"n_init": 0}, "n_init: found 0"),
        ({"max_iter": 0}, "max_iter: found 0"),
        ({"weights_init": [0.5, 0.2]}, r"weights_init: found \[0.5, 0.2\].* sum to 1"),
        ({"weights_init": [1.0]}, r"weights_init: found shape \[1\], but \[2\] is needed"),
        ({"means_init": np.zeros((3, 3))}, r"means_init: found shape \[3, 3\]"),
        ({"means_init": np.zeros(3)}, "means_init: found an array of 1 dimensions, but 2"),
        ({"precisions_init": np.eye(3)}, r"precisions_init: found shape \[3, 3\]"),
        ({"precisions_init": -np.ones((2, 3, 3))}, "positive definite"),
    ],
)  # fmt: skip
def test_bad_parameters_are_named(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        GaussianMixture(**({"n_components": 2} | parameters)).fit(rows())


def test_bad_rows_are_named() -> None:
    data = rows()
    data[3, 1] = 1e300
    with pytest.raises(DataError, match='column "x1", row 3: found 1e300'):
        GaussianMixture(2).fit(data)
    with pytest.raises(ValueError, match="minimum of 2"):
        GaussianMixture(1).fit(data[:1])
    with pytest.raises(TypeError, match="covariance_type: found 3"):
        GaussianMixture(2, covariance_type=3).fit(rows())  # type: ignore[arg-type]
    with pytest.raises(DataError, match="sample_weight"):
        GaussianMixture(2).fit(rows(), sample_weight=np.full(400, -1.0))

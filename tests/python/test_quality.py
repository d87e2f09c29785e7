"""The quality room against scikit-learn, published figures, laws and hostile data."""

from __future__ import annotations

import json
import pickle
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from sklearn import datasets, metrics
from sklearn.cluster import KMeans as SklearnKMeans
from sklearn.mixture import GaussianMixture as SklearnMixture

import ilk
from ilk import quality
from ilk.cluster import GaussianMixture, LatentClass
from ilk.exceptions import DataError, MissingColumnError, ModelFileError

IRIS = datasets.load_iris().data


def groups(n=300, d=3, k=3, apart=6.0, seed=0):
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % k
    return rng.normal(size=(n, d)) + apart * rng.normal(size=(k, d))[labels], labels


@st.composite
def labelled(draw):
    """Rows of few different values, so that there are ties and duplicates, with labels from 0 on."""
    n, d = draw(st.integers(3, 60)), draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    data = rng.integers(0, draw(st.integers(2, 50)), size=(n, d)) / 3 + rng.normal(size=d)
    labels = rng.integers(0, draw(st.integers(2, 6)), size=n)
    return data, labels


# --- silhouettes ---


@given(labelled())
def test_silhouette_is_that_of_scikit_learn(case):
    data, labels = case
    k = len(np.unique(labels))
    if k < 2 or k >= len(data) or np.any(np.ptp(data, axis=0) == 0):
        return
    ours = quality.silhouette(data, labels, scale="none")
    # Its own distances come from products and lose half of the digits.
    exact = metrics.silhouette_samples(cdist(data, data), labels, metric="precomputed")
    np.testing.assert_allclose(ours.widths, exact, atol=1e-12)
    assert ours.mean == pytest.approx(exact.mean(), abs=1e-12)


def test_iris_has_the_published_separation():
    labels = ilk.KMeans(3, random_state=0, n_init=20).fit(IRIS).labels_
    assert quality.silhouette(IRIS, labels, scale="none").mean == pytest.approx(0.552819, abs=1e-6)
    table = quality.select_k(IRIS, k=[3], scale="none", random_state=0, n_references=0).to_dict()
    assert table["calinski_harabasz"][0] == pytest.approx(561.627758, rel=1e-8)
    assert table["within_ss"][0] == pytest.approx(78.851441, rel=1e-6)
    assert table["davies_bouldin"][0] == pytest.approx(
        metrics.davies_bouldin_score(IRIS, labels), rel=1e-9
    )
    assert table["silhouette"][0] == pytest.approx(0.552819, abs=1e-6)


def test_silhouette_of_a_customer_alone_is_zero_and_of_one_segment_refused():
    found = quality.silhouette({"x": [0.0, 1.0, 10.0]}, [0, 0, 1], scale="none")
    assert found.widths.tolist() == pytest.approx([0.9, 8 / 9, 0.0])
    for method in ("exact", "simplified"):
        with pytest.raises(DataError, match=r"segments: found 1 segment.*at least 2 are needed"):
            quality.silhouette({"x": [0.0, 1.0, 10.0]}, [4, 4, 4], method=method)


def test_silhouette_weights_are_repeated_customers():
    data, labels = groups(40)
    weights = np.random.default_rng(1).integers(1, 4, 40)
    weighted = quality.silhouette(data, labels, weights=weights, scale="none")
    repeated = quality.silhouette(
        np.repeat(data, weights, axis=0), np.repeat(labels, weights), scale="none"
    )
    np.testing.assert_allclose(np.repeat(weighted.widths, weights), repeated.widths, atol=1e-12)
    assert weighted.mean == pytest.approx(repeated.mean, abs=1e-12)


def test_silhouette_follows_a_permutation_of_customers():
    data, labels = groups(80)
    order = np.random.default_rng(2).permutation(80)
    one = quality.silhouette(data, labels, scale="none").widths[order]
    other = quality.silhouette(data[order], labels[order], scale="none").widths
    np.testing.assert_allclose(one, other, atol=1e-12)


def test_silhouette_has_the_same_bits_for_any_number_of_threads():
    data, labels = groups(500)
    found = []
    for threads in (1, 2, 8):
        ilk.set_num_threads(threads)
        found.append(quality.silhouette(data, labels).widths.tobytes())
    assert len(set(found)) == 1


def test_simplified_silhouette_takes_distances_to_centres():
    found = quality.silhouette(
        {"x": [0.0, 2.0, 9.0, 11.0]}, [0, 0, 1, 1], method="simplified", scale="none"
    )
    assert found.widths.tolist() == pytest.approx([0.9, 7 / 8, 7 / 8, 0.9])
    assert "simplified" in found.explain()


def test_silhouette_on_mixed_data_scales_what_is_missing():
    frame = pd.DataFrame({"x": [0.0, np.nan, 3.0, 3.0], "c": ["a", "b", None, "b"]})
    found = quality.silhouette(frame, [0, 0, 1, 1], scale="none")
    # gamma is half the standard deviation of x (sqrt 2): distances by hand, scaled up to both features
    gamma = np.std([0, 3, 3]) / 2
    d01, d02, d03 = np.sqrt(2 * gamma), np.sqrt(18), np.sqrt(9 + gamma)
    outside = (d02 + d03) / 2
    assert found.widths[0] == pytest.approx((outside - d01) / outside)


def test_nearly_all_in_one_segment_is_said():
    data = np.r_[np.random.default_rng(0).normal(size=99), 1000.0].reshape(-1, 1)
    found = quality.silhouette(data, [0] * 99 + [1], scale="none")
    assert found.mean > 0.9
    assert "99% of the customers" in found.explain()


# --- labels ---


def test_labels_come_from_anything():
    data, labels = groups(60)
    frame = pd.DataFrame(data, columns=list("abc"))
    fitted = SklearnKMeans(3, n_init=1, random_state=0).fit(data)
    expected = quality.compare(fitted.labels_, labels).adjusted_rand
    names = np.array(["x", "y", "z"])[fitted.labels_]
    series = pd.Series(names, name="segment")
    for same in (fitted, series, series.astype("category"), pl.Series("s", names), list(names)):
        assert quality.compare(same, labels).adjusted_rand == expected
    by_name = quality.silhouette(frame.assign(segment=names), "segment", scale="none")
    np.testing.assert_array_equal(
        by_name.widths, quality.silhouette(frame, fitted, scale="none").widths
    )


def test_a_segmentation_brings_its_features_along():
    market = ilk.datasets.make_market(300, random_state=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = ilk.segment(market.customers, ["age", "income"], k=3, random_state=0)
    silhouettes = quality.silhouette(market.customers, found)
    assert silhouettes.manifest["settings"]["features"] == ["age", "income"]
    assert list(silhouettes.to_dict()["segment"]) == found.names


def test_a_fitted_estimator_is_judged_on_the_numbers_it_was_fitted_on():
    data, _ = groups(60)
    frame = pd.DataFrame(data * [1, 100, 1], columns=list("abc")).assign(other=1.0)
    fitted = ilk.KMeans(3, random_state=0).fit(frame[["a", "b", "c"]])
    found = quality.silhouette(frame, fitted)
    assert found.manifest["settings"]["features"] == ["a", "b", "c"]
    exact = metrics.silhouette_score(frame[["a", "b", "c"]], fitted.labels_)
    assert found.mean == pytest.approx(exact, abs=1e-6)


def test_missing_labels_are_left_out_and_counted():
    data, labels = groups(30)
    labels = labels.astype(float)
    labels[:4] = np.nan
    found = quality.silhouette(data, labels)
    assert found.manifest["left_out"] == [{"reason": "in no segment", "rows": 4}]
    assert len(found.values) == 26
    assert quality.compare([0, 1, -1], [0, 1, 1]).manifest["rows_used"] == 2


@pytest.mark.parametrize(
    ("segments", "message"),
    [
        ([0, 1], "found 2 labels, but data has 30 rows"),
        ([-1] * 30, "found no segment"),
        (ilk.KMeans(2), "not fitted"),
        (np.linspace(0, 1, 30), "label is a whole number or a name"),
    ],
)
def test_labels_that_cannot_be_are_refused(segments, message):
    with pytest.raises(DataError, match=message):
        quality.silhouette(groups(30)[0], segments)
    with pytest.raises(MissingColumnError, match="nothere"):
        quality.silhouette({"x": [1.0, 2.0]}, "nothere")


# --- agreement ---


@given(st.integers(1, 60), st.integers(1, 6), st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_agreement_is_that_of_scikit_learn(n, k1, k2, seed):
    rng = np.random.default_rng(seed)
    a, b = rng.integers(k1, size=n), rng.integers(k2, size=n)
    found = quality.compare(a, b)
    assert found.adjusted_rand == pytest.approx(metrics.adjusted_rand_score(a, b), abs=1e-12)
    if n > 1:
        assert found.rand == pytest.approx(metrics.rand_score(a, b), abs=1e-12)
    assert found.nmi == pytest.approx(metrics.normalized_mutual_info_score(a, b), abs=1e-9)
    pairs = metrics.pair_confusion_matrix(a, b)
    either = pairs[1, 1] + pairs[0, 1] + pairs[1, 0]
    assert found.jaccard == pytest.approx(pairs[1, 1] / either if either else 1.0)
    counts = metrics.cluster.contingency_matrix(a, b)
    np.testing.assert_array_equal(found.counts, counts)
    rows, cols = linear_sum_assignment(-counts)
    matched = [(at, to) for at, to in enumerate(found._core.matching()) if to is not None]
    assert sum(counts[at, to] for at, to in matched) == counts[rows, cols].sum()
    assert len({to for _, to in matched}) == len(matched)


def test_agreement_of_the_published_case():
    found = quality.compare([1, 1, 1, 2, 2, 2, 3, 3, 3, 3], [1, 1, 2, 2, 2, 3, 3, 3, 3, 1])
    assert found.rand == pytest.approx(0.688889, abs=1e-6)
    assert found.adjusted_rand == pytest.approx(0.204545, abs=1e-6)


def test_too_many_labels_and_unequal_lengths_are_refused():
    with pytest.raises(ilk.exceptions.MemoryLimitError, match="cross-table"):
        quality.compare(np.arange(20_000), np.arange(20_000))
    with pytest.raises(DataError, match="one label per customer"):
        quality.compare([0, 1], [0, 1, 1])
    with pytest.raises(DataError, match="weights: found 2 weights"):
        quality.compare([0, 1, 1], [0, 1, 1], weights=[1, 2])


# --- shadow values ---


def test_shadow_values_and_similarities_follow_the_definition():
    found = quality.shadow({"x": [0.0, 2.0, 10.0]}, [0, 0, 1], scale="none")
    d = np.abs(np.array([[0.0], [2.0], [10.0]]) - [[1.0, 10.0]])
    near = np.sort(d, axis=1)
    np.testing.assert_allclose(found.values["shadow"], 2 * near[:, 0] / near.sum(axis=1))
    similar = np.sqrt(np.exp(-d) / np.exp(-d).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(found.similarities, similar)


def test_a_customer_on_two_middles_at_once_is_between_them():
    found = quality.shadow({"x": [0.0, 2.0, 1.0, 1.0]}, [0, 0, 1, 1], scale="none")
    assert found.to_dict()["shadow"].tolist()[1] == 1.0


# --- choosing the number ---


def test_the_true_number_is_chosen_and_every_criterion_said():
    data, _ = groups(400, d=4, k=4, apart=8)
    found = quality.select_k(data, k=range(1, 7), random_state=0)
    assert (found.k, found.repeats) == (4, True)
    table = found.table
    assert list(table["k"]) == [1, 2, 3, 4, 5, 6]
    assert table["silhouette"].isna().tolist() == [True] + [False] * 5
    assert table["within_ss"].is_monotonic_decreasing
    assert table["gap_se"].min() > 0
    assert set(found.votes) == {
        "silhouette",
        "Calinski-Harabasz",
        "Davies-Bouldin",
        "gap statistic",
        "prediction strength",
    }
    assert "Each criterion by itself" in found.explain()


def test_select_k_and_segment_agree_on_the_choice():
    data, _ = groups(300, k=3)
    assert (
        quality.select_k(data, random_state=3, n_references=0).k
        == ilk.segment(data, random_state=3).k
    )


def test_criteria_are_those_of_scikit_learn():
    data, _ = groups(200, k=5, apart=2)
    found = quality.select_k(
        data, k=[2, 5], scale="none", random_state=0, n_references=0, n_splits=0
    )
    table = found.table
    assert table["gap"].isna().all()
    assert table["prediction_strength"].isna().all()
    assert "was not measured" in found.reason
    for row, k in enumerate((2, 5)):
        labels = ilk.KMeans(k, random_state=found.manifest["random_state"]).fit(data).labels_
        for name, score in (
            ("silhouette", metrics.silhouette_score),
            ("calinski_harabasz", metrics.calinski_harabasz_score),
            ("davies_bouldin", metrics.davies_bouldin_score),
        ):
            assert table[name][row] == pytest.approx(score(data, labels), rel=1e-9)


def test_noise_has_one_segment_by_the_gap_statistic():
    data = np.random.default_rng(0).uniform(size=(300, 2))
    found = quality.select_k(data, k=range(2, 6), random_state=0)
    assert found.votes["gap statistic"] == 1
    assert "no more grouped than structureless data" in found.explain()


def test_starts_are_screened_on_large_data_without_loss():
    data, _ = groups(40_000, d=4, k=5, apart=3)
    found = quality.select_k(
        data, k=[5, 7], scale="none", n_init=5, n_splits=0, n_references=0, random_state=0
    )
    for row, k in enumerate((5, 7)):
        peer = SklearnKMeans(k, n_init=5, random_state=0).fit(data)
        assert found.to_dict()["within_ss"][row] <= peer.inertia_ * 1.001
    assert "random sample of 10000" in found.explain()


def test_weights_count_customers_so_many_times():
    data, _ = groups(60, k=3)
    weights = np.random.default_rng(0).integers(1, 4, 60)
    options = {"k": [3], "scale": "none", "n_splits": 0, "n_references": 0, "random_state": 0}
    one = quality.select_k(data, weights=weights.astype(float), **options).to_dict()
    other = quality.select_k(np.repeat(data, weights, axis=0), **options).to_dict()
    for name in ("within_ss", "silhouette", "calinski_harabasz", "davies_bouldin"):
        assert one[name][0] == pytest.approx(other[name][0], rel=1e-9)


def test_one_segment_of_nearly_all_customers_is_a_warning():
    """Unscaled spend of a few big customers: a high silhouette that says nothing."""
    rng = np.random.default_rng(0)
    spend = np.r_[rng.exponential(100, size=395), rng.normal(90_000, 100, size=5)]
    frame = pd.DataFrame({"visits": rng.poisson(5, 400), "spend": spend})
    with pytest.warns(ilk.exceptions.DataWarning, match=r"holds 99 % .* scale="):
        found = quality.select_k(frame, k=(2, 3), scale="none", random_state=0)
    assert found.to_dict()["silhouette"][0] > 0.9
    assert found.to_dict()["largest_share"][0] > 0.98


@pytest.mark.parametrize("k", [[], [0], [True], "abc", [2.5], None])
def test_numbers_of_segments_that_cannot_be_are_refused(k):
    with pytest.raises(DataError, match=r"^k: found"):
        quality.select_k(IRIS, k=k)


def test_more_segments_than_different_customers_is_said():
    data = np.repeat([[0.0], [1.0], [5.0]], 20, axis=0)
    with pytest.warns(ilk.exceptions.DataWarning, match="only 3 customers differ"):
        found = quality.select_k(data, k=range(2, 6), random_state=0)
    table = found.table.set_index("k")
    assert table.loc[3, "within_ss"] == pytest.approx(0, abs=1e-20)
    assert np.isnan(table.loc[3, "calinski_harabasz"])
    assert np.isnan(table.loc[3, "gap"])
    assert np.isnan(table.loc[4, "silhouette"])
    with pytest.raises(DataError, match=r"k=61 needs at least 61 rows, .*try: k=60$"):
        quality.select_k(data, k=[61], random_state=0)


def ellipses():
    """Three groups of different shape, which k-means cuts across."""
    rng = np.random.default_rng(0)
    shapes = [
        ((0, 0), [[1, 0.9], [0.9, 1]], 300),
        ((3, 0), [[1, -0.9], [-0.9, 1]], 200),
        ((0, 6), [[0.2, 0], [0, 3]], 150),
    ]
    rows = [rng.multivariate_normal(mean, spread, size=n) for mean, spread, n in shapes]
    return pd.DataFrame(np.vstack(rows), columns=["a", "b"])


def test_a_mixture_is_chosen_by_the_lowest_bic_with_the_criteria_of_scikit_learn():
    data = ellipses()
    found = quality.select_k(
        data, method="gaussian_mixture", k=range(1, 6), scale="none", n_references=0, random_state=0
    )
    table = found.to_dict()
    assert found.k == 3
    assert found.repeats
    assert "3 has the lowest BIC" in found.explain()
    assert {found.votes["BIC"], found.votes["ICL"]} == {3}
    for row, k in enumerate(table["k"][:3]):
        peer = SklearnMixture(k, n_init=10, tol=1e-6, max_iter=1000, random_state=0).fit(data)
        assert table["bic"][row] == pytest.approx(peer.bic(data), abs=0.5)
        own = GaussianMixture(k, n_init=10, random_state=0).fit(data)
        assert table["icl"][row] == pytest.approx(own.icl(data), rel=1e-6)


def answers(n=900, missing=True):
    """Yes and no to eight questions, from three classes of customers."""
    rng = np.random.default_rng(1)
    classes = rng.choice(3, size=n, p=[0.5, 0.3, 0.2])
    yes = np.array([[0.9] * 4 + [0.1] * 4, [0.1] * 8, [0.9] * 8])
    frame = pd.DataFrame(
        (rng.uniform(size=(n, 8)) < yes[classes]).astype(float), columns=[f"q{i}" for i in range(8)]
    )
    if missing:
        frame.loc[::7, "q3"] = np.nan
    return frame, classes


def test_latent_classes_are_chosen_by_the_lowest_bic_with_answers_missing():
    frame, classes = answers()
    found = quality.select_k(
        frame, method="latent_class", k=range(1, 6), n_references=3, random_state=0
    )
    assert found.k == 3
    own = LatentClass(3, random_state=0).fit(frame.astype("category"))
    bic = found.to_dict()["bic"][2]
    assert bic == pytest.approx(own.bic_, abs=0.05)
    unsure = (1 - own.relative_entropy_) * len(frame) * np.log(3)
    assert found.to_dict()["icl"][2] == pytest.approx(bic + 2 * unsure, abs=0.5)
    segments = ilk.segment(frame, method="latent_class", k=3, random_state=0)
    assert metrics.adjusted_rand_score(classes, segments.codes) > 0.8
    stable = quality.segment_stability(frame, segments, n_boot=20, random_state=0).to_dict()
    assert (stable["jaccard"] > 0.8).all()


def test_criteria_without_a_likelihood_are_missing():
    found = quality.select_k(IRIS, k=(2, 3), n_references=0, random_state=0)
    assert np.isnan(found.to_dict()["bic"]).all()
    assert "BIC" not in found.votes
    assert "bic" not in repr(found)


# --- results ---


def results():
    data, labels = groups(90, k=3)
    return [
        quality.select_k(data, k=(2, 3), random_state=0, n_references=3),
        quality.stability(data, k=(2, 3), n_boot=5, random_state=0),
        quality.segment_stability(data, labels, n_boot=5, across=(2, 3, 4), random_state=0),
        quality.noise_test(data, k=3, n_simulated=5, random_state=0),
        quality.silhouette(data, labels),
        quality.shadow(data, labels),
        quality.compare(labels, labels % 2),
    ]


@pytest.mark.parametrize("found", results(), ids=lambda found: type(found).__name__)
def test_results_come_back_from_json_and_pickle(found, tmp_path):
    path = tmp_path / "result.json"
    text = found.to_json(path)
    for back in (type(found).from_json(path), pickle.loads(pickle.dumps(found))):
        assert back.to_json() == text
        pd.testing.assert_frame_equal(back.to_pandas(), found.to_pandas())
        assert back.explain() == found.explain()
    assert found.manifest["function"] in dir(quality)
    assert "<table" in found._repr_html_()
    broken = json.loads(text)
    broken["content"]["manifest"] = None
    with pytest.raises(ModelFileError):
        type(found).from_json(json.dumps(broken))


@pytest.mark.parametrize("found", results(), ids=lambda found: type(found).__name__)
def test_results_take_the_frame_that_came_in(found):
    assert isinstance(found.table, pd.DataFrame)
    assert isinstance(found.to_polars(), pl.DataFrame)


def test_tables_come_back_in_the_frame_that_came_in():
    data, labels = groups(60)
    frame = pl.DataFrame(data, schema=list("abc"))
    assert isinstance(quality.silhouette(frame, labels).values, pl.DataFrame)


@pytest.mark.parametrize("style", ["default", "dark_background"])
@pytest.mark.parametrize("found", results(), ids=lambda found: type(found).__name__)
def test_every_plot_is_described(found, style):
    import matplotlib.pyplot as plt

    kinds = {"SegmentStability": ["within", "across"], "Shadows": ["gorge", "shadow"]}
    with plt.style.context(style):
        for kind in kinds.get(type(found).__name__, [None]):
            drawn = found.plot() if kind is None else found.plot(kind)
            for ax in np.ravel(drawn):
                assert len(ax.get_label()) > 20
            ax.figure.canvas.draw()
    if type(found).__name__ in kinds:
        with pytest.raises(DataError, match="kind: found 'other'"):
            found.plot("other")


def test_the_gorge_plot_shows_all_customers_of_every_segment():
    data, labels = groups(90, k=3)
    panels = quality.shadow(data, labels).plot()
    assert len(panels) == 3
    for ax in panels:
        assert sum(patch.get_height() for patch in ax.patches) >= 90

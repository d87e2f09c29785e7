"""Stability of segments, and segments of noise."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score

import ilk
from ilk import quality
from ilk.exceptions import DataError


def groups(n=300, d=3, k=3, apart=6.0, seed=0):
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % k
    return rng.normal(size=(n, d)) + apart * rng.normal(size=(k, d))[labels], labels


def test_natural_segments_repeat_and_other_numbers_do_not():
    data, _ = groups(k=4, apart=8)
    found = quality.stability(data, k=range(2, 7), n_boot=30, random_state=0)
    assert found.k == 4
    table = found.table.set_index("k")
    assert table.loc[4, "median"] == pytest.approx(1.0, abs=0.01)
    assert table.loc[6, "median"] < 0.95
    assert (table["q25"] <= table["median"]).all()
    assert "they are in the data" in found.explain()


def test_noise_does_not_repeat():
    data = np.random.default_rng(0).normal(size=(300, 5))
    found = quality.stability(data, k=(3, 4, 5), n_boot=30, random_state=0)
    assert found.table["median"].max() < 0.7
    assert "not groups that exist" in found.explain()


def test_values_hold_every_pair_and_the_table_sums_them_up():
    data, _ = groups(90)
    found = quality.stability(data, k=(2, 3), n_boot=8, random_state=0)
    values = found.values
    assert values.groupby("k").size().tolist() == [8, 8]
    means = values.groupby("k")["adjusted_rand"].mean().to_numpy()
    np.testing.assert_allclose(means, found.table["adjusted_rand"])


def test_same_seed_same_answer_for_any_number_of_threads():
    data, labels = groups(200)
    found = []
    for threads in (1, 2, 8):
        ilk.set_num_threads(threads)
        found.append(
            (
                quality.stability(data, k=(2, 3), n_boot=6, random_state=5).to_json(),
                quality.segment_stability(data, labels, n_boot=6, random_state=5).to_json(),
                quality.noise_test(data, k=3, n_simulated=4, random_state=5).to_json(),
                quality.select_k(data, k=(2, 3), n_references=3, random_state=5).to_json(),
            )
        )
    assert found[0] == found[1] == found[2]


def test_repeated_customers_are_weights_on_different_rows():
    """On whole numbers many rows are equal: the index counts every customer."""
    rng = np.random.default_rng(0)
    data = rng.integers(0, 3, size=(400, 2)).astype(float)
    found = quality.stability(data, k=(9,), n_boot=5, scale="none", random_state=0)
    assert found.table["median"][0] == pytest.approx(1.0)


def test_each_segment_has_a_verdict_by_hennigs_bars():
    data, labels = groups(300, k=3, apart=8)
    cut = np.where((labels == 2) & (data[:, 0] > np.median(data[labels == 2, 0])), 3, labels)
    found = quality.segment_stability(data, cut, n_boot=60, random_state=0)
    table = found.table.set_index("segment")
    assert (table.loc[["0", "1"], "verdict"] == "highly stable").all()
    assert (table.loc[["2", "3"], "jaccard"] < 0.85).all()
    for row in table.itertuples():
        bars = [(0.85, "highly stable"), (0.75, "stable"), (0.6, "pattern"), (0, "dissolved")]
        assert row.verdict == next(word for bar, word in bars if row.jaccard >= bar)
    assert found.explain().count("mean Jaccard index") == 4


def test_entropy_of_origin_follows_from_the_flows():
    data, labels = groups(240, k=4, apart=3)
    found = quality.segment_stability(data, labels, n_boot=3, across=range(2, 6), random_state=0)
    across, flows = found.across, found.flows
    assert across.loc[across["k"] == 2, "stability"].isna().all()
    for k, segment, stability in across[["k", "segment", "stability"]].itertuples(index=False):
        if k == 2:
            continue
        shares = flows[(flows["k"] == k) & (flows["segment"] == segment)]["share"].to_numpy()
        shares = shares[shares > 0] / shares.sum()
        entropy = -(shares * np.log(shares)).sum()
        assert stability == pytest.approx(1 - entropy / np.log(k - 1) if k > 2 else 1.0)
    assert across.groupby("k")["share"].sum().to_numpy() == pytest.approx(np.ones(4))


def test_segments_are_made_where_only_their_number_is_given():
    data, labels = groups(150, k=3, apart=8)
    found = quality.segment_stability(data, k=3, n_boot=5, across=(), random_state=0)
    assert list(found.table["segment"]) == ["segment 1", "segment 2", "segment 3"]
    assert len(found.across) == 0
    with pytest.raises(DataError, match="no other number was tried"):
        found.plot("across")
    with pytest.raises(DataError, match="leave one of the two out"):
        quality.segment_stability(data, labels, k=3)
    with pytest.raises(DataError, match="try: k=4"):
        quality.segment_stability(data)


def test_groups_are_told_from_noise():
    data, _ = groups(200, k=3)
    real = quality.noise_test(data, k=3, n_simulated=39, random_state=0)
    assert real.real
    assert real.p == pytest.approx(1 / 40)
    assert set(real.table["structureless"]) == {"box", "shuffled"}
    noise = np.random.default_rng(3).uniform(size=(200, 3))
    flat = quality.noise_test(noise, k=3, n_simulated=39, random_state=0)
    assert not flat.real
    assert "cut the market" in flat.explain()


def test_p_is_uniform_where_there_is_no_structure():
    """Shuffled columns against independent columns: p below 0.2 in about a fifth of the cases."""
    small = 0
    for seed in range(60):
        data = np.random.default_rng(seed).normal(size=(60, 3))
        found = quality.noise_test(
            data, k=2, n_simulated=19, n_init=2, n_splits=0, random_state=seed
        ).table
        row = found[(found["structureless"] == "shuffled") & (found["measure"] == "silhouette")]
        small += float(row["p"].iloc[0]) <= 0.2
    assert 3 <= small <= 24


def test_columns_of_few_values_are_only_shuffled():
    data = np.random.default_rng(0).integers(0, 2, size=(100, 4)).astype(float)
    found = quality.noise_test(data, k=2, n_simulated=5, random_state=0)
    assert set(found.table["structureless"]) == {"shuffled"}


def mixed(n=120, seed=0):
    rng = np.random.default_rng(seed)
    group = rng.integers(3, size=n)
    frame = pd.DataFrame(
        {
            "spend": group * 5 + rng.normal(size=n),
            "channel": np.array(["shop", "web", "phone"])[(group + (rng.random(n) < 0.1)) % 3],
            "visits": rng.poisson(3 + group),
        }
    )
    frame.loc[::17, "spend"] = np.nan
    return frame


def test_mixed_data_with_holes_goes_through_everything():
    frame = mixed()
    found = ilk.segment(frame, k=3, random_state=0)
    selection = quality.select_k(frame, k=(2, 3, 4), random_state=0, n_references=3)
    assert not selection.table["silhouette"].isna().any()
    assert (selection.table["davies_bouldin"] > 0).all()
    assert (
        quality.stability(frame, k=(3,), n_boot=5, random_state=0).values["k"].tolist() == [3] * 5
    )
    assert (
        quality.segment_stability(frame, found, n_boot=5, random_state=0).to_dict()["jaccard"].min()
        > 0
    )
    assert set(
        quality.noise_test(frame, found, n_simulated=3, random_state=0).table["structureless"]
    ) <= {"box", "shuffled"}
    assert quality.silhouette(frame, found).mean > 0
    assert 0 < quality.shadow(frame, found).to_dict()["shadow"].max() < 1


def test_weighted_customers_are_drawn_more_often():
    data, _ = groups(100)
    weights = np.r_[np.ones(50), np.full(50, 1e-9)]
    found = quality.stability(data, k=(2,), n_boot=3, weights=weights, random_state=0)
    assert len(found.values) == 3


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (np.ones((20, 2)), "is constant"),
        (np.full((20, 2), np.nan), "has no value"),
        (np.array([[1.0, np.inf]] * 10), "finite|inf"),
        (np.arange(2.0).reshape(-1, 1), "at least|rows"),
        (np.empty((0, 2)), "column that varies|at least"),
    ],
)
def test_data_that_cannot_be_segmented_is_refused(data, message):
    for function in (
        lambda: quality.select_k(data, k=(2, 3), random_state=0),
        lambda: quality.stability(data, k=(2, 3), n_boot=2, random_state=0),
        lambda: quality.noise_test(data, k=3, n_simulated=2, random_state=0),
    ):
        with pytest.raises(DataError, match=message):
            function()


def test_huge_values_end_in_an_error_or_a_finite_answer():
    data = np.array([[1e300, 1.0], [-1e300, 2.0], [0.0, 3.0], [1.0, 4.0]])
    with pytest.raises(DataError, match=r"1e150|squared"):
        quality.stability(data, k=(2,), n_boot=2, scale="none", random_state=0)
    data[:2, 0] = [1e140, -1e140]
    found = quality.silhouette(data, [0, 1, 1, 1], scale="none")
    assert np.isfinite(found.widths).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_boot": 0}, "n_boot: found 0"),
        ({"k": [1, 2]}, "one is always the same"),
        ({"method": "ward"}, "method: found 'ward'"),
        ({"scale": "log"}, "scale: found 'log'"),
        ({"weights": [1.0, 2.0]}, "2 weights"),
        ({"weights": np.full(90, np.nan)}, "missing value"),
        ({"weights": -np.ones(90)}, "numbers from 0 up"),
        ({"random_state": -1}, "random_state"),
        ({"features": ["nothere"]}, "nothere"),
    ],
)
def test_options_that_cannot_be_are_refused(options, message):
    with pytest.raises((DataError, ilk.exceptions.MissingColumnError), match=message):
        quality.stability(groups(90)[0], **options)


def test_interrupting_by_progress_stops_the_work():
    class StopError(Exception):
        pass

    def stop(done, total):
        raise StopError

    data, _ = groups(5000, d=8)
    with pytest.raises(StopError):
        quality.stability(data, n_boot=2000, random_state=0, progress=stop)


def test_mcdonalds_four_segments_are_the_last_stable_number(realdata):
    frame = pd.read_csv(realdata / "mcdonalds_msa.csv.gz")
    attributes = (frame.iloc[:, :11] == "Yes").astype(float)
    found = quality.stability(attributes, scale="none", n_boot=100, random_state=1234)
    median = found.table.set_index("k")["median"]
    assert median[2] > 0.9
    assert median[3] > 0.8
    assert median[4] > 0.75
    assert median[[6, 7, 8]].max() < 0.75
    assert found.manifest["rows_used"] == 1453


def test_mcdonalds_segments_are_not_noise_and_were_together_before(realdata):
    frame = pd.read_csv(realdata / "mcdonalds_msa.csv.gz")
    attributes = (frame.iloc[:, :11] == "Yes").astype(float)
    four = ilk.segment(attributes, k=4, scale="none", random_state=1, n_init=50)
    assert quality.noise_test(attributes, four, n_simulated=39, random_state=0).real
    found = quality.segment_stability(attributes, four, random_state=0)
    assert (found.table["jaccard"] > 0.6).all()
    across = found.across
    assert across.loc[across["k"] == 4, "stability"].between(0, 1).all()


def test_adjusted_rand_of_unequal_solutions_is_scikit_learns():
    data, labels = groups(120, apart=1)
    other = ilk.KMeans(4, random_state=0).fit(data).labels_
    assert quality.compare(labels, other).adjusted_rand == pytest.approx(
        adjusted_rand_score(labels, other), abs=1e-12
    )

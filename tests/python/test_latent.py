"""Latent class analysis: published figures, laws, messages."""

from __future__ import annotations

import pickle
import warnings
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import ilk
from ilk.cluster import LatentClass, NotIdentifiedWarning, UnknownCategoryWarning
from ilk.exceptions import ConvergenceWarning, DataError, DataWarning, MissingColumnError

# Ratings of 118 slides by seven pathologists (Agresti 2002, table 13.1): 1 is no, 2 is yes.
CARCINOMA = (
    "1111111 34, 2222222 16, 2221212 13, 2222212 10, 2211212 7, 1211111 6, 1211212 5, 2221222 5, 1211211 4, 2212222 3, "
    "2111111 2, 2211111 2, 1111211 2, 2211211 2, 2212212 2, 1211112 1, 2211112 1, 2212112 1, 2121212 1, 2211222 1"
)
# Four role conflicts of 216 respondents (Goodman 2002, table 4).
VALUES = (
    "2222 42, 2111 38, 2211 25, 2121 24, 2221 23, 1111 20, 1121 9, 2112 7, 1211 6, 2212 6, 2122 6, 1221 4, 1112 2, "
    "1122 2, 1212 1, 1222 1"
)


def patterns(text: str) -> tuple[pd.DataFrame, np.ndarray]:
    """Give the patterns as rows and how often each occurs."""
    pairs = [pair.split() for pair in text.split(", ")]
    columns = "ABCDEFG"[: len(pairs[0][0])]
    rows = [[int(answer) for answer in pattern] for pattern, _ in pairs]
    return pd.DataFrame(rows, columns=list(columns)), np.array([int(n) for _, n in pairs])


def repeated(text: str) -> pd.DataFrame:
    frame, counts = patterns(text)
    return frame.loc[frame.index.repeat(counts)].reset_index(drop=True)


def settled(k: int, **parameters: Any) -> LatentClass:
    return LatentClass(k, tol=1e-14, max_iter=20_000, n_init=20, random_state=1, **parameters)


@pytest.mark.parametrize(
    ("text", "k", "log_likelihood", "aic", "bic", "g2", "n_parameters", "df", "shares"),
    [
        (CARCINOMA, 1, -524.464818, 1062.929636, 1082.324428, 476.781391, 7, 111, [1]),
        (
            CARCINOMA,
            2,
            -317.256837,
            664.513675,
            706.073944,
            62.365429,
            15,
            103,
            [0.501212, 0.498788],
        ),
        (
            *(CARCINOMA, 3, -293.704979, 633.409958, 697.135704, 15.261712, 23, 95),
            [0.444728, 0.373564, 0.181708],
        ),
        (VALUES, 1, -543.649825, 1095.299650, 1108.800763, 81.084231, 4, 11, [1]),
        (VALUES, 2, -504.467670, 1026.935340, 1057.312846, 2.719922, 9, 6, [0.720754, 0.279246]),
    ],
)
@pytest.mark.parametrize("weighted", [False, True])
def test_published_fits(
    text: str,
    k: int,
    log_likelihood: float,
    aic: float,
    bic: float,
    g2: float,
    n_parameters: int,
    df: int,
    shares: list[float],
    weighted: bool,
) -> None:
    if weighted:
        frame, counts = patterns(text)
        model = settled(k).fit(frame, sample_weight=counts)
    else:
        model = settled(k).fit(repeated(text))
    found = (model.log_likelihood_, model.aic_, model.bic_, model.g2_)
    np.testing.assert_allclose(found, (log_likelihood, aic, bic, g2), atol=2e-6)
    assert (model.n_parameters_, model.df_) == (n_parameters, df)
    np.testing.assert_allclose(model.class_shares_, shares, atol=2e-5)


def test_carcinoma_three_classes_in_full() -> None:
    model = settled(3).fit(repeated(CARCINOMA))
    table = model.item_probabilities_
    yes = table[table["category"] == "2"].pivot(index="item", columns="class", values="probability")
    published = [
        [1, 0.0573, 0.5128],
        [0.9809, 0.1379, 1],
        [0.8575, 0, 0],
        [0.5862, 0, 0.0576],
        [1, 0.0551, 0.7506],
        [0.4764, 0, 0],
        [1, 0, 0.6307],
    ]
    np.testing.assert_allclose(yes.to_numpy(), published, atol=6e-5)
    indices = (
        model.relative_entropy_,
        model.entropy_r2_,
        model.classification_error_,
        model.caic_,
        model.sabic_,
        model.aic3_,
    )
    published_indices = (0.925665, 0.921330, 0.031774, 720.135704, 624.427030, 656.409958)
    np.testing.assert_allclose(indices, published_indices, atol=2e-6)
    np.testing.assert_allclose(model.average_posterior_, [0.995392, 0.980445, 0.884613], atol=2e-6)
    assert model.modal_sizes_.tolist() == [51, 44, 23]
    assert np.bincount(model.labels_).tolist() == [51, 44, 23]


def test_three_classes_of_the_values_are_not_identified() -> None:
    with pytest.warns(NotIdentifiedWarning, match="n_classes=3 is not identified"):
        model = settled(3).fit(repeated(VALUES))
    assert abs(model.log_likelihood_ + 503.301137) < 2e-6


@pytest.mark.parametrize(("text", "k"), [(CARCINOMA, 2), (CARCINOMA, 3), (VALUES, 2)])
def test_identified_models_are_not_doubted(text: str, k: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", NotIdentifiedWarning)
        settled(k).fit(repeated(text))


def test_pearson_is_summed_over_all_possible_patterns() -> None:
    frame, counts = patterns(VALUES)
    model = settled(2).fit(frame, sample_weight=counts)
    expected = 216 * np.exp(model.score_samples(frame))
    assert model.chi2_ == pytest.approx(((counts - expected) ** 2 / expected).sum(), rel=1e-9)


def market(n: int = 3000, seed: int = 0, missing: float = 0.0) -> tuple[pd.DataFrame, np.ndarray]:
    """Answers of two kinds of customers; an older customer is more often of the second kind."""
    rng = np.random.default_rng(seed)
    age = rng.normal(50, 15, size=n).round()
    second = rng.random(n) < 1 / (1 + np.exp(-(-0.5 + 0.06 * (age - 50))))
    columns: dict[str, Any] = {"age": age}
    for j in range(4):
        p = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]])[second.astype(int)]
        draw = (rng.random(n)[:, None] > p.cumsum(axis=1)).sum(axis=1)
        answers = np.array(["low", "mid", "high"], dtype=object)[draw.clip(0, 2)]
        answers[rng.random(n) < missing] = None
        columns[f"q{j}"] = answers
    return pd.DataFrame(columns), second


def test_missing_answers_are_marginalised() -> None:
    frame, _ = market(missing=0.2)
    frame = frame.dropna(thresh=2).reset_index(drop=True)
    model = LatentClass(2, items=["q0", "q1", "q2", "q3"], random_state=0).fit(frame)
    probabilities = model.item_probabilities_.set_index(["item", "category", "class"])[
        "probability"
    ]
    # By hand: only what was answered enters the product.
    row = next(i for i in range(len(frame)) if frame.iloc[i, 1:].isna().sum() == 2)
    joint = model.class_shares_.copy()
    for name in ("q0", "q1", "q2", "q3"):
        answer = frame[name].iloc[row]
        if isinstance(answer, str):
            joint *= [probabilities[(name, answer, k)] for k in range(2)]
    np.testing.assert_allclose(model.predict_proba(frame)[row], joint / joint.sum(), rtol=1e-9)
    np.testing.assert_allclose(model.score_samples(frame)[row], np.log(joint.sum()), rtol=1e-9)
    assert np.isnan(model.g2_)


def test_covariates_are_recovered_with_their_errors() -> None:
    frame, second = market(n=6000)
    model = LatentClass(2, covariates=["age"], random_state=0).fit(frame)
    table = model.coefficients_.set_index("term")
    slope, error = table.loc["age", ["coefficient", "standard_error"]]
    share_of_second = second.mean()
    # Class 1 is the smaller one, which turns the sign where that is the first kind.
    truth = 0.06 if share_of_second < 0.5 else -0.06
    assert abs(slope - truth) < 4 * error
    assert 0.001 < error < 0.01
    assert table.loc["age", "p_value"] < 1e-6
    plain = LatentClass(2, items=["q0", "q1", "q2", "q3"], random_state=0).fit(frame)
    assert model.log_likelihood_ > plain.log_likelihood_ + 100
    assert model.n_parameters_ == plain.n_parameters_ + 1
    right = model.predict(frame) == (second if truth > 0 else ~second)
    assert right.mean() > 0.9


def test_a_covariate_without_effect_changes_little() -> None:
    frame, _ = market(n=2000)
    frame["noise"] = np.random.default_rng(5).choice(["a", "b", "c"], size=2000)
    items = ["q0", "q1", "q2", "q3"]
    model = LatentClass(2, items=items, covariates=["noise"], random_state=0).fit(frame)
    plain = LatentClass(2, items=items, random_state=0).fit(frame)
    gain = 2 * (model.log_likelihood_ - plain.log_likelihood_)
    assert 0 <= gain < 14  # chi-squared with two degrees of freedom
    assert model.coefficients_["term"].tolist() == ["(intercept)", "noise=b", "noise=c"]


def test_ordinal_items_of_two_categories_are_nominal() -> None:
    frame = repeated(CARCINOMA)
    free = settled(2).fit(frame)
    scored = settled(2, ordinal=list(frame.columns)).fit(frame)
    assert scored.n_parameters_ == free.n_parameters_
    assert scored.log_likelihood_ == pytest.approx(free.log_likelihood_, abs=1e-4)


def test_ordinal_items_have_linear_log_odds() -> None:
    frame, _ = market(n=3000)
    for name in ("q0", "q1", "q2", "q3"):
        frame[name] = pd.Categorical(frame[name], ["low", "mid", "high"], ordered=True)
    items = ["q0", "q1", "q2", "q3"]
    scored = LatentClass(3, items=items, tol=1e-7, random_state=0).fit(frame)
    free = LatentClass(3, items=items, ordinal=(), tol=1e-7, random_state=0).fit(frame)
    assert (scored.n_parameters_, free.n_parameters_) == (2 + 4 * (2 + 2), 2 + 4 * 6)
    assert scored.log_likelihood_ <= free.log_likelihood_ + 1e-6
    table = scored.item_probabilities_
    for _, item in table.groupby("item", sort=False):
        log_p = np.log(item["probability"].to_numpy().reshape(3, 3))  # category, class
        steps = np.diff(log_p - log_p[:, :1], axis=0)
        np.testing.assert_allclose(steps[0], steps[1], atol=1e-9)


@pytest.mark.parametrize("made", [dict, pl.DataFrame, pd.DataFrame])
def test_results_come_back_in_the_kind_of_frame_that_came_in(made: Any) -> None:
    columns = {"a": ["x", "y", "x", "y", "x"], "b": [1, 2, 1, 2, 2]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotIdentifiedWarning)
        model = LatentClass(2, random_state=0).fit(made(columns))
    for table in (model.fit_statistics_, model.summary(), model.item_probabilities_):
        assert type(table) is made
    summary = model.summary()
    names = list(getattr(summary, "columns", summary))
    assert names == ["class", "share", "modal_size", "average_posterior"]


def test_every_index_is_in_the_table_by_its_name() -> None:
    model = LatentClass(2, random_state=0).fit(repeated(CARCINOMA))
    for name in model.fit_statistics_.columns:
        if name not in ("n", "n_classes"):
            assert model.fit_statistics_[name][0] == getattr(model, f"{name}_")


def test_order_of_rows_columns_and_names_of_categories_do_not_matter() -> None:
    frame = repeated(CARCINOMA)
    model = settled(3).fit(frame)
    order = np.random.default_rng(0).permutation(len(frame))
    shuffled = settled(3).fit(frame.iloc[order])
    assert shuffled.log_likelihood_ == model.log_likelihood_
    assert (shuffled.labels_ == model.labels_[order]).all()
    turned = settled(3).fit(frame[frame.columns[::-1]].replace({1: "z", 2: "a"}))
    assert turned.log_likelihood_ == pytest.approx(model.log_likelihood_, abs=1e-7)
    assert (turned.labels_ == model.labels_).all()


def test_threads_do_not_change_a_bit() -> None:
    frame, _ = market(n=9000, missing=0.1)
    frame = frame.dropna(thresh=2)
    found = []
    for threads in (1, 2, 8):
        ilk.set_num_threads(threads)
        model = LatentClass(3, covariates=["age"], n_init=3, max_iter=30, random_state=0)
        with pytest.warns(ConvergenceWarning, match="max_iter=300"):
            model.fit(frame)
        found.append(model.to_json())
    assert found[0] == found[1] == found[2]


def test_predict_of_training_rows_is_labels() -> None:
    frame, _ = market(missing=0.3)
    with pytest.warns(DataWarning, match="no answer at all"):
        model = LatentClass(2, covariates=["age"], random_state=0).fit(frame)
    with pytest.warns(DataWarning, match="no answer at all"):
        posteriors = model.predict_proba(frame)
    np.testing.assert_allclose(posteriors.sum(axis=1), 1, rtol=1e-12)
    assert (posteriors.argmax(axis=1) == model.labels_).all()


def test_rows_without_any_answer_are_told_and_get_the_shares() -> None:
    frame = repeated(CARCINOMA).astype(float)
    model = settled(2).fit(frame)
    longer = pd.concat([frame, frame.iloc[:3] * np.nan])
    with pytest.warns(DataWarning, match="3 rows have no answer at all; they take no part"):
        same = settled(2).fit(longer)
    assert same.log_likelihood_ == model.log_likelihood_
    assert same.bic_ == model.bic_
    with pytest.warns(DataWarning, match="3 rows have no answer"):
        posteriors = same.predict_proba(longer)
    np.testing.assert_allclose(posteriors[-3:], np.tile(same.class_shares_, (3, 1)), rtol=1e-12)


def test_unknown_categories_count_as_missing() -> None:
    frame = repeated(CARCINOMA)
    model = settled(2).fit(frame)
    new = frame.iloc[:2].assign(B=3)
    with pytest.warns(UnknownCategoryWarning, match=r"column 'B', row 0: category '3'.*\(2 such"):
        found = model.predict_proba(new)
    known = model.predict_proba(frame.iloc[:2].astype(float).assign(B=np.nan))
    np.testing.assert_allclose(found, known, rtol=1e-12)
    model.unknown = "error"
    with pytest.raises(DataError, match="unknown='warn'"):
        model.predict(new)


@pytest.mark.parametrize("saved", ["pickle", "json"])
def test_saved_models_predict_the_same(saved: str) -> None:
    frame, _ = market()
    model = LatentClass(2, covariates=["age"], random_state=0).fit(frame)
    if saved == "pickle":
        back = pickle.loads(pickle.dumps(model))
    else:
        back = LatentClass.from_json(model.to_json())
    assert (back.predict_proba(frame) == model.predict_proba(frame)).all()
    assert back.bic_ == model.bic_
    pd.testing.assert_frame_equal(back.coefficients_, model.coefficients_)


def test_drawn_customers_look_like_the_model() -> None:
    frame = repeated(CARCINOMA)
    model = settled(2).fit(frame)
    answers, labels = model.sample(20_000, random_state=0)
    np.testing.assert_allclose(np.bincount(labels) / 20_000, model.class_shares_, atol=0.02)
    table = model.item_probabilities_.set_index(["item", "category", "class"])["probability"]
    for name in frame.columns:
        for k in range(2):
            share = (answers[name][labels == k] == "2").mean()
            assert share == pytest.approx(table[(name, "2", k)], abs=0.02)
    again, _ = model.sample(20_000, random_state=0)
    pd.testing.assert_frame_equal(again, answers)


def test_drawn_customers_follow_their_covariates() -> None:
    frame, _ = market()
    model = LatentClass(2, covariates=["age"], random_state=0).fit(frame)
    ages = pd.DataFrame({"age": [20.0] * 2000 + [90.0] * 2000})
    _, labels = model.sample(covariates=ages, random_state=0)
    assert len(labels) == 4000
    assert abs(labels[:2000].mean() - labels[2000:].mean()) > 0.5


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_classes": 0}, "n_classes: found 0, but a whole number from 1 up"),
        ({"n_classes": 65}, "at most 64"),
        ({"n_init": 0}, "n_init: found 0"),
        ({"max_iter": 0}, "max_iter: found 0"),
        ({"tol": -1.0}, "tol: found -1.0"),
        ({"unknown": "keep"}, "unknown: found 'keep'"),
        ({"items": "a"}, r"try: items=\['a'\]"),
        ({"items": ["a"], "ordinal": ["b"]}, "ordinal: found 'b', but the items are"),
        ({"items": ["a", "b"], "covariates": ["b"]}, "covariates: found 'b', but it is an item"),
        ({"covariates": ["a", "b"]}, "at least one is needed"),
        ({"items": [7]}, "items: found position 7"),
    ],
)
def test_parameters_out_of_range_are_refused(parameters: dict[str, Any], message: str) -> None:
    frame = {"a": ["x", "y"] * 50, "b": [1, 2] * 50}
    with pytest.raises(DataError, match=message):
        LatentClass(**parameters).fit(frame)


def test_errors_name_the_column() -> None:
    frame = {"a": ["x", "y", "x"], "b": [1.0, 2.0, np.nan], "c": [np.nan] * 3}
    with pytest.raises(MissingColumnError, match="did you mean"):
        LatentClass(items=["aa"]).fit(frame)
    with pytest.raises(DataError, match=r'column "c": found no value.*drop\(columns=\["c"\]\)'):
        LatentClass().fit(frame)
    with pytest.raises(DataError, match=r'column "b", row 2: found a missing value.*dropna'):
        LatentClass(items=["a"], covariates=["b"]).fit(frame)
    constant = {"a": ["x", "y", "x"], "b": [1, 1, 1]}
    with pytest.raises(DataError, match='"b" is constant'):
        LatentClass(items=["a"], covariates=["b"]).fit(constant)
    with pytest.raises(DataError, match="n_classes=3 needs at least 3 rows"):
        LatentClass(3).fit({"a": ["x", "y"]})
    with pytest.raises(TypeError, match=r"n_classes: found 2\.5"):
        LatentClass(2.5).fit({"a": ["x", "y"]})


def test_many_categories_are_told() -> None:
    frame = {"amount": np.arange(200) * 1.5, "b": [1, 2] * 100}
    with pytest.warns() as told:
        LatentClass(2, n_init=1, random_state=0).fit(frame)
    texts = [str(one.message) for one in told]
    assert any("column 'amount' has 200 different values" in text for text in texts)
    assert any("is not identified" in text for text in texts)


def test_data_may_be_degenerate() -> None:
    """Constant columns, equal rows, as many classes as rows: finite figures, whatever the warnings."""
    frames = [
        {"a": ["x"] * 5, "b": [1] * 5},
        {"a": list("abcde"), "b": list("vwxyz")},
        {"a": ["x", "y", "x", None, "x"], "b": [None, None, "p", "p", "p"]},
        {"a": [1e300, -1e300, 0.0, 1e300, 0.0], "b": [True, False, True, True, True]},
    ]
    for frame in frames:
        for k in (1, 2, 5):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    model = LatentClass(k, n_init=2, random_state=0).fit(frame)
                except DataError as error:
                    assert "rows" in str(error)  # noqa: PT017
                    continue
                posteriors = model.predict_proba(frame)
            assert np.isfinite(posteriors).all()
            assert np.isfinite([model.log_likelihood_, model.bic_, *model.class_shares_]).all()


def test_progress_is_reported() -> None:
    seen: list[tuple[int, int]] = []
    frame = repeated(CARCINOMA)
    LatentClass(2, random_state=0, progress=lambda done, total: seen.append((done, total))).fit(
        frame
    )
    assert seen[-1] == (10_000, 10_000)


def test_bootstrap_tells_the_number_of_classes() -> None:
    frame, counts = patterns(CARCINOMA)
    quick: dict[str, Any] = {"n_init": 5, "tol": 1e-7}
    two = LatentClass(2, **quick).bootstrap_lr_test(
        frame, n_boot=39, sample_weight=counts, random_state=0
    )
    assert two.p_value == 1 / 40
    assert two.statistic == pytest.approx(2 * (524.464818 - 317.256837), abs=1e-3)
    assert len(two.replicates) == 39
    same = LatentClass(2, **quick).bootstrap_lr_test(repeated(CARCINOMA), n_boot=39, random_state=0)
    assert (same.replicates == two.replicates).all()
    assert "2 classes against 1: likelihood ratio 414.4, p = 0.025 (39 draws)" in repr(two)
    frame, counts = patterns(VALUES)
    three = LatentClass(3, **quick).bootstrap_lr_test(
        frame, n_boot=39, sample_weight=counts, random_state=0
    )
    assert three.p_value > 0.05


def test_bootstrap_refuses_what_it_cannot_draw() -> None:
    frame, counts = patterns(VALUES)
    with pytest.raises(DataError, match=r"row 0: found 42\.5.*whole numbers"):
        LatentClass(2).bootstrap_lr_test(frame, sample_weight=counts + 0.5)
    with pytest.raises(DataError, match="at least 2 are tested"):
        LatentClass(1).bootstrap_lr_test(frame)


@pytest.mark.parametrize("seed", range(4))
def test_log_likelihood_is_not_below_that_of_stepmix(seed: int) -> None:
    from stepmix import StepMix

    rng = np.random.default_rng(seed)
    kind = rng.integers(3, size=400)
    preferred = rng.integers(3, size=(3, 6))
    noise = rng.integers(3, size=(400, 6))
    answers = np.where(rng.random((400, 6)) < 0.6, preferred[kind], noise)
    ours = settled(3).fit(answers)
    peer = StepMix(
        3,
        measurement="categorical",
        n_init=20,
        max_iter=1000,
        abs_tol=1e-10,
        rel_tol=0.0,
        random_state=seed,
        progress_bar=0,
        verbose=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer.fit(answers)
    assert ours.score(answers) >= peer.score(answers) - 1e-8

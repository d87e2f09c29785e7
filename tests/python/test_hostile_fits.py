"""Whatever comes in, a fit ends in finite numbers, a clear refusal or a warning: no panic, no hang, no silent NaN.

`HYPOTHESIS_PROFILE=hostile` fits more than 100,000 tables.
"""

from __future__ import annotations

import inspect
import math
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

import ilk
from ilk import cluster
from ilk._methods import METHODS
from ilk.exceptions import DataWarning, IlkError, InternalError

ESTIMATORS = [
    found
    for name in cluster.__all__
    if inspect.isclass(found := getattr(cluster, name)) and hasattr(found, "fit")
]
MIXED = [found for found in ESTIMATORS if found().__sklearn_tags__().input_tags.categorical]
HOW_MANY = ("n_clusters", "n_components", "n_classes", "n_archetypes")
SPECIAL = (0.0, -0.0, 1.0, -1.0, 5e-324, 1e-300, 1e16, 1e150, 1e300, -1e300, 1.7e308, 0.1, 1 / 3)
#: Figures that do not exist for one class, or with answers missing, as their documentation says; and rows as they came.
MAY_BE_NAN = {"relative_entropy_", "entropy_r2_", "g2_", "chi2_", "medoids_"}
#: Equal rows stay together at any density.
MAY_BE_INFINITE = {"cluster_persistence_"}
NOT_FINITE = (math.nan, math.inf, -math.inf)


@st.composite
def columns(draw: st.DrawFn, n_rows: int) -> np.ndarray:
    """One column of numbers: constant, few values, a grid, noise, or extremes."""
    kinds = (
        "constant",
        "few",
        "few",
        "grid",
        "grid",
        "noise",
        "noise",
        "noise",
        "extreme",
        "broken",
    )
    kind = draw(st.sampled_from(kinds))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    if kind == "constant":
        return np.full(n_rows, draw(st.sampled_from(SPECIAL)))
    if kind == "few":
        return rng.choice(draw(st.lists(st.sampled_from(SPECIAL), min_size=1, max_size=3)), n_rows)
    if kind == "grid":
        return rng.integers(0, draw(st.integers(1, 4)), n_rows).astype(float)
    if kind == "noise":
        scale = 10.0 ** draw(st.integers(-300, 300))
        return rng.normal(size=n_rows) * scale
    if kind == "extreme":
        return rng.choice(SPECIAL, n_rows)
    values = rng.normal(size=n_rows)
    values[rng.random(n_rows) < 0.3] = draw(st.sampled_from(NOT_FINITE))
    return values


@st.composite
def matrices(draw: st.DrawFn) -> np.ndarray:
    """Rows of numbers, often repeated, of either width, in any layout."""
    n_rows = draw(st.sampled_from((1, 2, 3, 5, 8, 20, 60)))
    n_columns = draw(st.integers(1, 4))
    rows = np.stack([draw(columns(n_rows)) for _ in range(n_columns)], axis=1)
    if draw(st.booleans()):
        rows = (
            rows[np.zeros(n_rows, dtype=int)]
            if draw(st.booleans())
            else rows[np.arange(n_rows) // 2]
        )
    with np.errstate(over="ignore"):
        rows = rows.astype(draw(st.sampled_from((np.float64, np.float32))))
    return np.asfortranarray(rows) if draw(st.booleans()) else rows


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    """Numbers, text, categories, ordered categories and flags, with values missing, or all of them."""
    n_rows = draw(st.sampled_from((1, 2, 4, 9, 30)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    found: dict[str, Any] = {}
    for j in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(("number", "text", "category", "ordered", "flag", "nothing")))
        values: Any = draw(columns(n_rows)) if kind == "number" else None
        if kind in {"text", "category", "ordered"}:
            names = draw(st.lists(st.text(max_size=4), min_size=1, max_size=5, unique=True))
            picked = [names[i] for i in rng.integers(0, len(names), n_rows)]
            values = np.array(picked, dtype=object)
            values[rng.random(n_rows) < 0.2] = None
            if kind != "text":
                values = pd.Categorical(values, categories=names, ordered=kind == "ordered")
        elif kind == "flag":
            values = rng.random(n_rows) < 0.5
        elif kind == "nothing":
            values = np.full(n_rows, math.nan)
        found[f"c{j}"] = values
    return pd.DataFrame(found)


def of(estimator: type, how_many: int, seed: int) -> Any:
    parameters = inspect.signature(estimator).parameters
    chosen: dict[str, Any] = {name: how_many for name in HOW_MANY if name in parameters}
    if "n_init" in parameters:
        chosen["n_init"] = 1 + seed % 2
    if "max_iter" in parameters:
        chosen["max_iter"] = 20
    if "random_state" in parameters:
        chosen["random_state"] = seed
    if "progress" in parameters:
        chosen["progress"] = False
    return estimator(**chosen)


def check(model: Any, X: Any, weights: np.ndarray | None) -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            if weights is None:
                model.fit(X)
            else:
                model.fit(X, sample_weight=weights)
        except InternalError:
            raise
        except (IlkError, ValueError, TypeError, MemoryError) as refusal:
            refused(refusal)
            return
    # NumPy's own complaints would say that something was computed from nonsense.
    assert not [w for w in told if "numpy" in str(w.filename) and "invalid value" in str(w.message)]
    event("fitted, with a warning" if told else "fitted")
    labels = (
        np.asarray(model.labels_) if hasattr(model, "labels_") else np.asarray(model.predict(X))
    )
    assert labels.shape == (len(X),)
    assert labels.min() >= -1
    for name, value in vars(model).items():
        if name.endswith("_") and not name.startswith("_") and name not in MAY_BE_NAN:
            numbers = np.asarray(value) if isinstance(value, (float, int, np.ndarray)) else None
            if numbers is not None and numbers.dtype.kind == "f":
                assert not np.isnan(numbers).any() or told, name
                assert not np.isinf(numbers).any() or told or name in MAY_BE_INFINITE, name
    if hasattr(model, "predict_proba"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            shares = model.predict_proba(X)
        assert np.isfinite(shares).all()
        np.testing.assert_allclose(np.asarray(shares).sum(axis=1), 1, atol=1e-6)


def refused(refusal: Exception) -> None:
    assert str(refusal).strip()
    event(f"refused: {type(refusal).__name__}")


def weights_of(n_rows: int, kind: str, seed: int) -> np.ndarray | None:
    rng = np.random.default_rng(seed)
    return {
        "none": None,
        "whole": rng.integers(0, 3, n_rows).astype(float),
        "zero": np.zeros(n_rows),
        "tiny": np.full(n_rows, 1e-300),
        "huge": np.full(n_rows, 1e300),
        "one": np.eye(1, n_rows)[0],
        "broken": np.full(n_rows, math.nan),
    }[kind]


WEIGHTS = st.sampled_from(
    ("none", "none", "none", "whole", "whole", "zero", "tiny", "huge", "one", "broken")
)


def takes_weights(estimator: type) -> bool:
    return "sample_weight" in inspect.signature(estimator.fit).parameters


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda found: found.__name__)
@settings(suppress_health_check=list(HealthCheck))
@given(matrices(), st.integers(1, 9), st.integers(0, 1000), WEIGHTS)
def test_rows_of_numbers(
    estimator: type, X: np.ndarray, how_many: int, seed: int, kind: str
) -> None:
    weights = weights_of(len(X), kind, seed) if takes_weights(estimator) else None
    check(of(estimator, how_many, seed), X, weights)


@pytest.mark.parametrize("estimator", MIXED, ids=lambda found: found.__name__)
@settings(suppress_health_check=list(HealthCheck))
@given(frames(), st.integers(1, 9), st.integers(0, 1000), WEIGHTS)
def test_frames(estimator: type, X: pd.DataFrame, how_many: int, seed: int, kind: str) -> None:
    weights = weights_of(len(X), kind, seed) if takes_weights(estimator) else None
    check(of(estimator, how_many, seed), X, weights)


@settings(suppress_health_check=list(HealthCheck))
@given(
    frames(),
    st.sampled_from(("auto", 1, 2, 3, 7)),
    st.sampled_from(METHODS),
    st.sampled_from(("ignore", "drop")),
    st.integers(0, 1000),
)
def test_segments(df: pd.DataFrame, k: Any, method: Any, missing: Any, seed: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = ilk.segment(df, k=k, method=method, missing=missing, random_state=seed)
        except InternalError:
            raise
        except (IlkError, ValueError, TypeError) as refusal:
            refused(refusal)
            return
    event("segmented")
    assert len(found.labels) == len(df)
    back = ilk.Segmentation.from_json(found.to_json())
    assert back.codes.tolist() == found.codes.tolist()
    assert found.explain()
    if method in ("kprototypes", "latent_class"):
        with warnings.catch_warnings():
            # Customers who were left out may hold categories that no segment was found on.
            warnings.simplefilter("ignore", DataWarning)
            assert len(found.predict(df)) == len(df)

"""scikit-learn's own checks of what an estimator must do, all of them."""

from __future__ import annotations

import inspect
import warnings
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator

from ilk import cluster
from ilk.cluster import KMeans, KMedoids, KModes, KPrototypes

ESTIMATORS = [
    found
    for name in cluster.__all__
    if inspect.isclass(found := getattr(cluster, name)) and hasattr(found, "fit")
]


class RoundedKModes(KModes):
    """K-modes of the nearest whole numbers."""

    def _take(self, X: Any, *, reset: bool) -> Any:
        return super()._take(np.round(np.asarray(X)), reset=reset)


def _checks() -> list[Any]:
    found = []
    for estimator in (*(estimator() for estimator in ESTIMATORS), RoundedKModes()):
        for one, check in estimator_checks_generator(estimator, legacy=True):
            name = getattr(check, "func", check).__name__
            # Its rows are continuous: no two share a category, so that simple matching finds every two equally far apart
            # and no clusters can follow from it. K-modes takes it with the rows rounded.
            wanted = {KModes: name != "check_clustering", RoundedKModes: name == "check_clustering"}
            if not wanted.get(type(estimator), True):
                continue
            found.append(pytest.param(one, check, id=f"{type(estimator).__name__}-{name}"))
    return found


@pytest.mark.parametrize(("estimator", "check"), _checks())
def test_scikit_learn_accepts_it(estimator: Any, check: Any) -> None:
    with warnings.catch_warnings():
        # The checks fit data that they know to be degenerate.
        warnings.simplefilter("ignore")
        check(estimator)


def test_the_number_of_checks_is_that_of_a_clusterer() -> None:
    assert len(_checks()) > 80


@pytest.mark.parametrize(
    "estimator", [KMeans(3, random_state=0), KMedoids(3), KPrototypes(3, random_state=0)]
)
def test_it_works_in_a_pipeline_with_named_output(estimator: Any) -> None:
    rows = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 3)), columns=["a", "b", "c"])
    pipeline = make_pipeline(StandardScaler(), clone(estimator))
    distances = pipeline.set_output(transform="pandas").fit(rows).transform(rows)
    name = type(estimator).__name__.lower()
    assert list(distances.columns) == [f"{name}0", f"{name}1", f"{name}2"]
    labels = pipeline[-1].labels_
    assert (distances.to_numpy().argmin(axis=1) == labels).all()
    polars = pipeline.set_output(transform="polars").transform(rows)
    assert isinstance(polars, pl.DataFrame)

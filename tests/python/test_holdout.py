"""A model held against a time that it has not seen."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from ilk.economics import (
    BetaGeo,
    Holdout,
    HoldoutReport,
    ShiftedBetaGeometric,
    calibration_holdout,
)
from ilk.exceptions import DataError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def cdnow_cut(realdata: Path) -> Holdout:
    orders = pd.read_csv(
        realdata / "cdnow_master.csv.gz", parse_dates=["date"], date_format="%Y%m%d"
    )
    return calibration_holdout(
        orders,
        customer="customer_id",
        date="date",
        calibration_end="1997-09-30",
        observed_to="1998-06-30",
        time_unit="week",
    )


def test_holdout_of_cdnow_is_foreseen(cdnow_cut: Holdout) -> None:
    assert len(cdnow_cut.table) == 23_570
    assert cdnow_cut.duration == pytest.approx(39)
    model = BetaGeo().fit(cdnow_cut)
    report = cdnow_cut.report(model)
    actual, expected = report.totals
    assert actual == cdnow_cut.table["frequency_holdout"].sum()
    assert expected == pytest.approx(model.expected_purchases(cdnow_cut, cdnow_cut.duration).sum())
    # The model is known to be low in this holdout, by a sixth of it and so by some per cent of all purchases so far.
    assert 0.8 < expected / actual < 1
    bins = report.table
    assert bins["n"].sum() == 23_570
    assert bins["n_expected"].sum() == pytest.approx(23_570)
    assert (abs(bins["n_expected"] / bins["n"] - 1) < 0.1).all()
    tracking = report.tracking
    ratio = tracking.set_index("time").eval("expected / actual")
    assert abs(ratio[39.0] - 1) < 0.02
    assert abs(ratio[77.0] - 1) < 0.08
    assert tracking["actual"].is_monotonic_increasing
    assert tracking["expected"].is_monotonic_increasing


def test_holdouts_are_saved_and_drawn(cdnow_cut: Holdout) -> None:
    small = calibration_holdout(
        {
            "who": [n % 90 for n in range(900)],
            "day": [(n * n) % 97 for n in range(900)],
            "paid": [1.0] * 900,
        },
        customer="who",
        date="day",
        value="paid",
        calibration_end=50,
    )
    for back in (Holdout.from_json(small.to_json()), pickle.loads(pickle.dumps(small))):
        pd.testing.assert_frame_equal(back.to_pandas(), small.to_pandas())
    assert "end of the calibration" in small.explain()
    report = cdnow_cut.report(BetaGeo().fit(cdnow_cut))
    again = HoldoutReport.from_json(report.to_json())
    pd.testing.assert_frame_equal(again.to_pandas(), report.to_pandas())
    assert "BetaGeo expected" in report.explain()
    for kind in ("holdout", "tracking", "frequency"):
        assert "actual" in report.plot(kind).get_label()
    with pytest.raises(DataError, match="kind: found"):
        report.plot("pie")
    with pytest.raises(DataError, match="purchases is needed"):
        cdnow_cut.report(ShiftedBetaGeometric().fit({"period": [0, 1, 2], "alive": [100, 70, 55]}))
    grouped = cdnow_cut.table.head(2000).assign(group="all")
    with pytest.raises(DataError, match="one for all customers is needed"):
        cdnow_cut.report(BetaGeo().fit(grouped, by="group"))
    with pytest.raises(DataError, match=r"a unit of time of 1 days, but here it is 7"):
        cdnow_cut.report(BetaGeo(time_unit="day").fit(grouped))


def test_a_holdout_needs_time() -> None:
    orders = {"who": [1, 1, 2], "day": [0, 5, 9]}
    names = {"customer": "who", "date": "day"}
    with pytest.raises(
        DataError, match="calibration_end: found 1970-01-10, but a day before 1970-01-10"
    ):
        calibration_holdout(orders, **names, calibration_end=9)
    with pytest.raises(TypeError, match="calibration_end: found None"):
        calibration_holdout(orders, **names, calibration_end=None)
    with pytest.raises(DataError, match="a calibration needs at least 1 rows"):
        calibration_holdout(orders, **names, calibration_end=-5)

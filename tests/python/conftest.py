"""What the tests share: the real data, the amount of property testing, and settings put back."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import matplotlib
import pytest

import ilk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ilk._result import Result

REPOSITORY = Path(__file__).resolve().parents[2]
# Real data sets are not part of this repository; they lie beside it, or where ILK_REALDATA says.
REALDATA = Path(os.environ.get("ILK_REALDATA") or REPOSITORY.parent / "shared" / "data")
ON_CI = os.environ.get("CI", "").lower() in {"1", "true"}

# The same examples on every CI run, so that a failure there is never a matter of luck; other runs explore.
hypothesis.settings.register_profile("fast", max_examples=30, deadline=None, derandomize=ON_CI)
hypothesis.settings.register_profile("slow", max_examples=1000, deadline=None)
hypothesis.settings.register_profile("hostile", max_examples=7_000, deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fast"))

# Not through the environment: the kernels that run the notebooks draw into the notebook.
matplotlib.use("Agg")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test that takes the real data, so that `-m "not realdata"` leaves none behind."""
    for item in items:
        if "realdata" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.realdata)


@pytest.fixture(scope="session")
def repository() -> Path:
    """Give the root of this repository."""
    return REPOSITORY


@pytest.fixture(scope="session")
def realdata() -> Path:
    """Give the folder of the real data; without it tests are skipped, but not on CI."""
    if REALDATA.is_dir():
        return REALDATA
    reason = f"the real data are not at {REALDATA} (ILK_REALDATA names another folder)"
    if ON_CI:
        pytest.fail(f"{reason}; CI must not skip these tests")
    pytest.skip(reason)


@pytest.fixture(autouse=True)
def _put_back() -> Iterator[None]:
    """Undo what a test did with `ilk.set_num_threads`, and close the figures that it opened."""
    before = ilk.num_threads()
    yield
    if ilk.num_threads() != before:
        ilk.set_num_threads(before)
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.fixture
def check_result() -> Callable[[Callable[[], Result], type[Result]], None]:
    """Give a check of what every result of the economics can do: it is made anew, saved, shown and drawn."""

    def check(make: Callable[[], Result], cls: type[Result]) -> None:
        result = make()
        assert type(result) is cls
        again = cls.from_json(result.to_json())
        assert again.to_json() == result.to_json()
        assert str(again.explain()) == str(result.explain())
        assert len(result.explain()) > 100
        assert "<table>" in result._repr_html_()
        assert result._title in repr(result)
        assert result.plot().get_label()
        broken = result.to_json().replace('"table"', '"tables"')
        with pytest.raises(ilk.exceptions.ModelFileError):
            cls.from_json(broken)
        # The same seed gives the same bits for any number of threads.
        for threads in (1, 2, 8):
            ilk.set_num_threads(threads)
            assert make().to_json() == result.to_json()

    return check

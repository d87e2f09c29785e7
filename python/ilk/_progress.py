"""Progress bars for long calls: tqdm where it is installed, else nothing."""

from __future__ import annotations

import importlib
import importlib.util
import time
from collections.abc import Callable
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from ilk.exceptions import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Progress", "progress_bar"]

#: Whether to show a bar ("auto": where tqdm is installed and the work takes long), or what to call with
#: (units done, units in all).
Progress = bool | Literal["auto"] | Callable[[int, int], object]

#: Seconds before a bar is shown, so that short calls stay quiet.
_PATIENCE = 1.0


@cache
def _is_installed(module: str) -> bool:
    """Looking through all folders of the import path takes longer than a short call."""
    return importlib.util.find_spec(module) is not None


@contextmanager
def progress_bar(progress: Progress, what: str) -> Iterator[Callable[[int, int], object] | None]:
    """A function to be called with (units done, units in all), or None where no bar is wanted."""
    if callable(progress):
        yield progress
        return
    if progress not in (True, False, "auto"):
        raise DataError(
            f'progress: found {progress!r}, but True, False, "auto" or a function is needed'
        )
    if progress is False or not _is_installed("tqdm"):
        yield None
        return
    started = time.monotonic()
    bar: Any = None

    def report(done: int, total: int) -> None:
        nonlocal bar
        if bar is None:
            if progress == "auto" and time.monotonic() - started < _PATIENCE:
                return
            # Without ipywidgets the notebook's bar would only warn that it is not to be had.
            module = "tqdm.auto" if _is_installed("ipywidgets") else "tqdm"
            tqdm = importlib.import_module(module).tqdm
            bar = tqdm(total=total, desc=what, leave=False)
        bar.total = total
        bar.update(max(0, min(done, total) - bar.n))

    try:
        yield report
    finally:
        if bar is not None:
            bar.close()

"""`import ilk` is quick and brings in NumPy and the core alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import ilk

TRIES = 5
# Run apart from the tests, whose process has imported everything already.
MEASURE = """
import json, sys, time
before = set(sys.modules)
start = time.perf_counter()
import {module}
seconds = time.perf_counter() - start
loaded = {{name.partition(".")[0] for name in set(sys.modules) - before}}
print(json.dumps([seconds, sorted(loaded - sys.stdlib_module_names)]))
"""


def import_in_fresh_process(module: str) -> tuple[float, set[str]]:
    """Give the shortest of several import times, and the third-party packages that came in."""
    environment = os.environ | {"PYTHONPATH": str(Path(ilk.__file__).parents[1])}
    measured = [
        json.loads(
            subprocess.run(
                [sys.executable, "-c", MEASURE.format(module=module)],
                check=True,
                capture_output=True,
                env=environment,
                text=True,
            ).stdout
        )
        for _ in range(TRIES)
    ]
    return min(seconds for seconds, _ in measured), set(measured[0][1])


def test_import_takes_less_than_300_milliseconds() -> None:
    seconds, _ = import_in_fresh_process("ilk")
    assert seconds < 0.3


def test_import_adds_less_than_100_milliseconds_to_numpy() -> None:
    with_numpy, _ = import_in_fresh_process("numpy")
    with_ilk, _ = import_in_fresh_process("ilk")
    assert with_ilk - with_numpy < 0.1


def test_import_brings_in_numpy_and_nothing_else() -> None:
    _, packages = import_in_fresh_process("ilk")
    assert "ilk" in packages
    assert packages <= {"ilk", "numpy"}

"""Try out what is about to be published: `python tests/packages.py DIST WORK`.

DIST holds one wheel and one source distribution. Both must hold what they need and nothing else, and the wheel
must work in a fresh environment under WORK, far from the sources.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import time
import venv
import zipfile
from pathlib import Path

IN_WHEEL = {
    r"ilk/__init__\.py",
    r"ilk/_core\.pyi",
    r"ilk/_core\.(abi3\.so|pyd)",
    r"ilk/py\.typed",
    r"ilk-[^/]+\.dist-info/METADATA",
    r"ilk-[^/]+\.dist-info/licenses/LICENSE-APACHE",
    r"ilk-[^/]+\.dist-info/licenses/LICENSE-MIT",
}
IN_SDIST = {
    r"Cargo\.lock",
    r"Cargo\.toml",
    r"LICENSE-APACHE",
    r"LICENSE-MIT",
    r"PKG-INFO",
    r"README\.md",
    r"pyproject\.toml",
    r"python/ilk/__init__\.py",
    r"python/ilk/_core\.pyi",
    r"python/ilk/py\.typed",
    r"src/lib\.rs",
    r"src/python/mod\.rs",
}
NOT_IN_SDIST = r"(^|/)(__pycache__|target|build|dist|\.venv)/|\.(so|pyd|pyc|csv|gz|parquet)$"
SMOKE_TEST = """
import sys

import numpy as np

import ilk

assert not ilk._core.debug_build
rng = np.random.default_rng(0)
centres = np.repeat([[0.0, 0.0], [10.0, 10.0]], 200, axis=0)
rows = centres + rng.normal(size=centres.shape)
model = ilk.KMeans(n_clusters=2, random_state=0).fit(rows)
assert sorted(np.bincount(model.labels_)) == [200, 200], np.bincount(model.labels_)
gaps = ilk.gap_matrix(
    {
        "household": ["single", "single", "family", "family"] * 50,
        "time": ["lunch", "dinner", "lunch", "dinner"] * 50,
        "spend": [9.0, 1.0, 1.0, 9.0] * 50,
    },
    rows="household",
    cols="time",
    values="spend",
)
assert len(gaps.to_dict()["residual"]) == 4, gaps
assert "household" in gaps._repr_html_() and str(gaps.explain())
print("ilk", ilk.__version__, "on Python", sys.version.split()[0])
"""


def only(folder: Path, pattern: str) -> Path:
    """Give the one file of this pattern."""
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        sys.exit(f"{folder} should hold one {pattern}, not {[path.name for path in found]}")
    return found[0]


def check_names(package: Path, names: list[str], wanted: set[str], unwanted: str) -> None:
    """Stop when a wanted file is not there or an unwanted one is."""
    missing = [name for name in sorted(wanted) if not any(re.fullmatch(name, n) for n in names)]
    stray = [name for name in names if re.search(unwanted, name)]
    if missing or stray:
        sys.exit(f"{package.name}: missing {missing}, does not belong there {stray}")
    print(f"{package.name}: {len(names)} files, {package.stat().st_size / 1e6:.1f} MB")


def main() -> None:
    """Look into both packages, then install and use the wheel."""
    dist, work = (Path(argument).resolve() for argument in sys.argv[1:])

    wheel = only(dist, "*.whl")
    if sys.platform == "linux" and not re.search(r"-cp311-abi3-.*manylinux_2_17", wheel.name):
        sys.exit(f"{wheel.name} is not a manylinux2014 wheel for every Python from 3.11")
    with zipfile.ZipFile(wheel) as archive:
        check_names(wheel, archive.namelist(), IN_WHEEL, r"(^|/)(__pycache__|tests)/|\.rs$")

    sdist = only(dist, "*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = [member.name.partition("/")[2] for member in archive if member.isfile()]
        check_names(sdist, names, IN_SDIST, NOT_IN_SDIST)

    venv.create(work, clear=True, with_pip=True)
    python = work / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    start = time.monotonic()
    subprocess.run([python, "-m", "pip", "install", "--quiet", wheel], check=True)
    print(f"installed in {time.monotonic() - start:.0f} s")
    subprocess.run([python, "-I", "-W", "error", "-c", SMOKE_TEST], check=True, cwd=work)


if __name__ == "__main__":
    main()

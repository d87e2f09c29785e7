"""Compare ilk with its peers on this machine and print ratios.

Every `bench_*.py` beside this file has a function `run() -> list[dict]`: it makes its data, gives the same work to
ilk and to a peer in turn, and returns for each pair `name`, `peer`, `ilk_seconds`, `peer_seconds` (the shortest of
several runs each), `ratio` (how many times as fast ilk is) and `equal` (whether both found the same, and to what
tolerance or cost). Each file runs in a process of its own, with two threads for everybody.

    python tests/benches/compare.py [--markdown FILE] [--json FILE] [kmeans ...]
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
THREADS = 2
THREAD_VARIABLES = (
    "ILK_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "POLARS_MAX_THREADS",
    "NUMBA_NUM_THREADS",
)
# Such settings hold a peer's kernels to another processor than the one here.
PEER_HANDICAPS = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
FIELDS = ("name", "peer", "ilk_seconds", "peer_seconds", "ratio", "equal")
PEERS = (
    "scikit-learn",
    "scikit-learn-intelex",
    "fast_hdbscan",
    "gower",
    "hdbscan",
    "kmedoids",
    "kmodes",
    "lifetimes",
    "stepmix",
    "polars",
    "duckdb",
    "pandas",
    "scipy",
    "numpy",
)


def environment() -> dict[str, str]:
    """Give the environment in which every comparison runs."""
    kept = {name: value for name, value in os.environ.items() if name not in PEER_HANDICAPS}
    return kept | dict.fromkeys(THREAD_VARIABLES, str(THREADS))


def run_apart(bench: Path) -> list[dict[str, Any]]:
    """Run one file in a process of its own and give its rows."""
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "rows.json"
        subprocess.run(
            [sys.executable, __file__, "--run", bench.stem, "--json", str(answer)],
            check=True,
            env=environment(),
        )
        return json.loads(answer.read_text(encoding="utf-8"))


def run_here(module: str) -> list[dict[str, Any]]:
    """Import one file and run it, and see that its rows say what they should."""
    sys.path.insert(0, str(FOLDER))
    rows = importlib.import_module(module).run()
    for row in rows:
        missing = [field for field in FIELDS if field not in row]
        if missing:
            raise SystemExit(f"{module}: the row {row.get('name')!r} lacks {missing}")
        if not abs(row["ratio"] * row["ilk_seconds"] / row["peer_seconds"] - 1) < 0.01:
            raise SystemExit(f"{module}: the ratio of {row['name']!r} is not that of its times")
    return [{field: row[field] for field in FIELDS} for row in rows]


def processor() -> str:
    """Name the processor as its maker does, where the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def version(package: str) -> str | None:
    """Give the version of a package, if it is here."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def setting() -> str:
    """Say in one sentence what the figures were measured on."""
    import ilk

    peers = ", ".join(f"{package} {found}" for package in PEERS if (found := version(package)))
    return (
        f"{processor()}, {os.cpu_count()} cores, {THREADS} threads for everybody, "
        f"{platform.system()}, Python {platform.python_version()}, ilk {ilk.__version__}; {peers}."
    )


def as_markdown(rows: list[dict[str, Any]]) -> str:
    """Lay the rows out as a Markdown table with the setting below."""
    head = "| task | peer | ilk | peer's time | times as fast | same answer |"
    lines = [
        f"| {row['name']} | {row['peer']} | {row['ilk_seconds']:.3g} s | {row['peer_seconds']:.3g} s "
        f"| {row['ratio']:.3g} | {shown(row['equal'])} |"
        for row in rows
    ]
    return "\n".join([head, "| --- | --- | ---: | ---: | ---: | --- |", *lines, "", setting(), ""])


def shown(equal: object) -> str:
    """Word what a comparison says of the two answers."""
    return ("yes" if equal else "NO") if isinstance(equal, bool) else str(equal)


def main() -> None:
    """Run the comparisons asked for, print them, and fail when an answer differs."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "benches", nargs="*", help="parts of the files' names; all when none is given"
    )
    parser.add_argument("--markdown", type=Path, help="also write the table to this file")
    parser.add_argument("--json", type=Path, help="also write the rows to this file")
    parser.add_argument("--run", help=argparse.SUPPRESS)
    options = parser.parse_args()

    import ilk

    if ilk._core.debug_build:
        raise SystemExit("this build of ilk has debug assertions: run `make bench`")
    if options.run:
        options.json.write_text(json.dumps(run_here(options.run)), encoding="utf-8")
        return

    rows = []
    for bench in sorted(FOLDER.glob("bench_*.py")):
        if options.benches and not any(part in bench.stem for part in options.benches):
            continue
        start = time.monotonic()
        rows += run_apart(bench)
        print(f"{bench.stem}: {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
    if not rows:
        raise SystemExit("no comparison of that name")

    table = as_markdown(rows)
    print(table)
    if options.markdown:
        options.markdown.write_text(table, encoding="utf-8")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2), encoding="utf-8")
    if any(row["equal"] is False for row in rows):
        raise SystemExit("some answers differ")


if __name__ == "__main__":
    main()

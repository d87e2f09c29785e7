"""How many planted traits a profile marks, and how many of the traits it marks differ in nothing.

Markets of `ilk.datasets.make_market` of 1500 customers with their true segments. In each segment one share is planted (60 %
against 30 % elsewhere) and one number (0.9 standard deviations more); 30 columns are drawn without regard to the segments.
A flag is false if its column differs in nothing. The false discovery rate is the mean over markets of the share of flags
that are false, 0 where there is none; power is the share of planted traits whose own segment is flagged for having more.

Run: python tests/benches/power_profile.py [--seeds 400]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "python"))
from test_profile import planted

MOST_FALSE, LEAST_POWER = 0.05, 0.90


def study(seeds: int) -> tuple[float, float, float]:
    """Give the false discovery rate, the share of markets with any false flag, and the power."""
    false, some, power = [], [], []
    for seed in range(seeds):
        wanted, found = planted(seed)
        table = found.to_pandas()
        flags = table[table["marker"]]
        wrong = ~flags["feature"].isin(wanted)
        false.append(wrong.mean() if len(flags) else 0.0)
        some.append(wrong.any())
        names = sorted(set(table["segment"]))
        more = set(zip(flags["feature"], flags["segment"], flags["v_test"] > 0, strict=True))
        hits = [(name, names[int(name.split()[-1])], True) in more for name in wanted]
        power.append(np.mean(hits))
    return float(np.mean(false)), float(np.mean(some)), float(np.mean(power))


def main() -> int:
    """Run the study and print what it found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=400)
    seeds = parser.parse_args().seeds
    false, some, power = study(seeds)
    print(
        f"{seeds} markets: false discovery rate {false:.4f}, any false flag {some:.3f}, power {power:.3f}"
    )
    return int(false > MOST_FALSE or power < LEAST_POWER)


if __name__ == "__main__":
    raise SystemExit(main())

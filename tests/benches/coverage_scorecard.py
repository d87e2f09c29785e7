"""How often the intervals of a scorecard hold the truth, and whether P(first three) means what it says.

Markets are drawn by `ilk.datasets.make_market`, whose truth is known exactly. For each figure the share of intervals is
counted that hold the truth, over all segments and seeds; 95 % intervals should hold it in 93 to 97 %. Days to sale are
whole days: an interval of whole days holds the truth at least as often as it says. For the ranks, segments of many markets
are sorted by the probability that a scorecard gives them of being among the first three by contribution, in bins, and
compared with the share that truly are.

Run: python tests/benches/coverage_scorecard.py [picture.png] [--seeds 400]
"""

from __future__ import annotations

import argparse
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import ilk

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Figures with a planted truth.
FIGURES = (
    "revenue_share",
    "gross_margin",
    "cac",
    "cost_to_manage",
    "contribution",
    "days_to_sale",
    "ltv",
    "ltv_cac",
    "ltv_advance",
    "ltv_arrears",
    "churn",
)
#: Sizes of the markets: below and above the number of customers from which random groups are resampled.
SIZES = (500, 2000, 12_000)
LOW, HIGH = 0.93, 0.97
#: Customers of the markets whose ranks are judged: few, so that the third place is open.
RANKED = 300
#: Standard deviation of the true contributions. Where segments differ by less than the error of estimation, resampling is too
#: sure of high and low probabilities, since nothing shrinks the differences found towards each other.
SPREAD = 60
TOP = 3
BINS = 10


def card_of(market: ilk.datasets.Market, seed: int, n_boot: int = 1000) -> ilk.Scorecard:
    """The scorecard of a market by its planted segments."""
    return ilk.segment_scorecard(
        market.customers,
        segment=market.truth.segment,
        revenue="revenue",
        cost="cost",
        acquisition_cost="acquisition_cost",
        management_cost="management_cost",
        first_contact="first_contact",
        first_sale="first_sale",
        lost="lost",
        churn="churned",
        n_boot=n_boot,
        random_state=seed,
        progress=False,
    )


def truth_of(market: ilk.datasets.Market, names: list[str], figure: str) -> NDArray[np.float64]:
    """The planted values of segments in the order of their names."""
    planted = list(market.truth.segments["segment"])
    values = np.asarray(market.truth.segments[figure], dtype=float)
    return values[[planted.index(name) for name in names]]


def coverage(n_customers: int, seeds: int, first: int = 0) -> dict[str, float]:
    """The share of intervals that hold the truth, by figure."""
    hits: dict[str, list[NDArray[np.bool_]]] = {name: [] for name in FIGURES}
    for seed in range(first, first + seeds):
        market = ilk.datasets.make_market(n_customers, seed, as_frame="dict")
        columns = card_of(market, seed).to_dict()
        for name in FIGURES:
            truth = truth_of(market, columns["segment"], name)
            hits[name].append((columns[f"{name}_lo"] <= truth) & (truth <= columns[f"{name}_hi"]))
    return {name: float(np.concatenate(found).mean()) for name, found in hits.items()}


def reliability(seeds: int, first: int = 0) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Stated probabilities of a place among the first, and whether the truth has the segment there."""
    stated, true = [], []
    for seed in range(first, first + seeds):
        rng = np.random.default_rng(seed)
        market = ilk.datasets.make_market(RANKED, seed, n_segments=6, as_frame="dict")
        # Planted contributions lie far apart. Adding known amounts makes any order as likely as any other.
        names = np.asarray(market.truth.segment)
        planted = list(market.truth.segments["segment"])
        truth = np.asarray(market.truth.segments["contribution"], dtype=float)
        shift = rng.normal(200, SPREAD, len(planted)) - truth
        where = np.array([planted.index(name) for name in names])
        bought = ~np.isnat(market.customers["first_sale"])
        market.customers["revenue"] = market.customers["revenue"] + np.where(
            bought, shift[where], 0
        )
        card = card_of(market, seed, n_boot=500)
        ranking = card.rank(top=TOP, by="contribution").to_dict()
        order = {planted[row] for row in np.argsort(-(truth + shift))[:TOP]}
        stated.append(ranking["p_top"])
        true.append(np.array([name in order for name in ranking["segment"]]))
    return np.concatenate(stated), np.concatenate(true)


def binned(stated: NDArray[Any], true: NDArray[Any]) -> list[tuple[float, float, int]]:
    """Mean stated probability, share true, and number, by bin of the stated probability."""
    at = np.minimum((stated * BINS).astype(int), BINS - 1)
    bins = [at == index for index in range(BINS) if (at == index).any()]
    return [(stated[own].mean(), true[own].mean(), int(own.sum())) for own in bins]


def draw(bins: list[tuple[float, float, int]], target: Path) -> None:
    """Stated probability against the share that came true."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(4.6, 4.4), layout="constrained")
    stated, true, n = (np.array(column) for column in zip(*bins, strict=True))
    error = 1.96 * np.sqrt(np.maximum(true * (1 - true), 0.25 / n) / n)
    ax.plot([0, 1], [0, 1], color="0.6", lw=1, ls=(0, (4, 3)))
    ax.errorbar(stated, true, yerr=error, fmt="o", color="#0072B2", ms=5, lw=1.4)
    ax.set_xlabel(f"stated probability of a place among the first {TOP}")
    ax.set_ylabel("share of segments that truly are")
    ax.set_title(f"{n.sum():,} segments of {n.sum() // 6:,} markets", fontsize="medium", loc="left")
    ax.set_aspect("equal")
    ax.spines[["top", "right"]].set_visible(False)
    figure.savefig(target, dpi=120)


def main() -> None:
    """Count, print, draw, and fail where an interval does not keep its word."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("target", nargs="?", type=Path, help="where to draw the reliability")
    parser.add_argument("--seeds", type=int, default=400)
    options = parser.parse_args()
    warnings.simplefilter("ignore", ilk.exceptions.DataWarning)
    wrong = []
    for n in SIZES:
        found = coverage(n, options.seeds)
        for name, share in found.items():
            # Whole days make intervals wider than they say, never narrower.
            high = 1.0 if name == "days_to_sale" else HIGH
            mark = "" if LOW <= share <= high else "  <- outside"
            wrong += [f"{name} of {n} customers"] * bool(mark)
            print(f"{n:>7,} customers  {name:<15} {100 * share:5.1f} %{mark}")
    stated, true = reliability(options.seeds)
    bins = binned(stated, true)
    for mean, share, count in bins:
        print(f"P(first {TOP}) {mean:5.2f}: {share:5.2f} of {count}")
    miss = float(np.sum([count * abs(mean - share) for mean, share, count in bins]) / len(stated))
    print(f"expected calibration error {miss:.3f}")
    if options.target:
        draw(bins, options.target)
    if miss > 0.03:
        wrong.append("P(first three)")
    if wrong:
        sys.exit(f"not calibrated: {', '.join(wrong)}")


if __name__ == "__main__":
    main()

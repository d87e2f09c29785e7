"""Which figure ranks thin cells best: the index, the residual, or the index drawn towards 1? Against a planted truth."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

import ilk

N_SEEDS = 400
SHAPE = (12, 10)
#: Mean records of a cell: all of them thin, most, some.
SIZES = (3, 6, 12, 50)
#: Standard deviation of the logarithm of a true index.
SPREAD = 0.4
FIGURES = ("index_shrunk", "residual", "index")


def truth(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Shares of a table, and the true index of each cell against what its margins explain."""
    row, col = rng.dirichlet(np.full(SHAPE[0], 2.0)), rng.dirichlet(np.full(SHAPE[1], 2.0))
    shares = np.outer(row, col) * np.exp(rng.normal(0, SPREAD, SHAPE))
    shares /= shares.sum()
    expected = shares.sum(1, keepdims=True) * shares.sum(0, keepdims=True)
    return shares, shares / expected


def ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 0, those that are equal in any order."""
    return np.argsort(np.argsort(values))


def agreement(seed: int, size: int) -> dict[str, float]:
    """Spearman's correlation of each figure with the true index."""
    rng = np.random.default_rng([seed, size])
    shares, index = truth(rng)
    counts = rng.multinomial(size * shares.size, shares.ravel())
    cells = np.indices(SHAPE).reshape(2, -1)
    table = ilk.gap_matrix(
        {"row": cells[0] + 100, "col": cells[1] + 100, "n": counts},
        rows="row",
        cols="col",
        counts="n",
    ).to_dict()
    shown = (np.array(table["row"], int) - 100) * SHAPE[1] + np.array(table["col"], int) - 100
    true = index.ravel()[shown]
    return {
        figure: float(np.corrcoef(ranks(table[figure]), ranks(true))[0, 1]) for figure in FIGURES
    }


def run(n_seeds: int = N_SEEDS) -> dict[int, dict[str, np.ndarray]]:
    """The correlations of all seeds, by size and figure."""
    found = {}
    for size in SIZES:
        drawn = [agreement(seed, size) for seed in range(n_seeds)]
        found[size] = {figure: np.array([one[figure] for one in drawn]) for figure in FIGURES}
    return found


def draw(found: dict[int, dict[str, np.ndarray]], path: Path) -> None:
    """The mean correlation by size, a line for each figure."""
    import matplotlib.pyplot as plt

    _, ax = plt.subplots(figsize=(6, 3.6), layout="constrained")
    for figure, colour in zip(FIGURES, ("#0072B2", "#D55E00", "#777777"), strict=True):
        means = [found[size][figure].mean() for size in SIZES]
        errors = [
            1.96 * found[size][figure].std() / len(found[size][figure]) ** 0.5 for size in SIZES
        ]
        ax.errorbar(SIZES, means, errors, color=colour, marker="o", capsize=2, label=figure)
    ax.set_xscale("log", base=2)
    ax.set_xticks(SIZES, [str(size) for size in SIZES])
    ax.set(xlabel="mean records of a cell", ylabel="rank correlation with the true index")
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False)
    plt.savefig(path, dpi=110)


def main() -> None:
    """Print the table, draw it, and fail where the shrunken index is not the best of the three for thin cells."""
    found = run()
    for size, figures in found.items():
        means = ", ".join(f"{figure} {values.mean():.3f}" for figure, values in figures.items())
        gain = figures["index_shrunk"] - figures["residual"]
        print(
            f"{size:3} records a cell: {means}; gain over the residual {gain.mean():.3f} "
            f"(standard error {gain.std() / len(gain) ** 0.5:.4f})"
        )
    if len(sys.argv) > 1:
        draw(found, Path(sys.argv[1]))
    for size in (3, 6):
        best = found[size]["index_shrunk"].mean()
        for figure in ("residual", "index"):
            if best <= found[size][figure].mean():
                raise SystemExit(f"{size} records a cell: {figure} ranks better than index_shrunk")


if __name__ == "__main__":
    main()

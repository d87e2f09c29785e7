"""Nobody who knows the totals and the shown cells can work out a hidden cell: an attacker with integer programs tries."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

import ilk
from ilk.exceptions import DataError

LIMIT = 10
#: Everything in the table from which a hidden count could be worked out.
SECRET = [
    "n", "observed", "expected", "index", "index_lo", "index_hi", "residual", "p", "q",
    "gap_value", "gap_value_lo", "gap_value_hi",
]  # fmt: skip


def records(counts: np.ndarray) -> pd.DataFrame:
    """One row per record, in shuffled order."""
    rows, cols = (np.repeat(at.ravel(), counts.ravel()) for at in np.indices(counts.shape))
    frame = pd.DataFrame({"who": [f"r{i:02}" for i in rows], "what": [f"c{j:02}" for j in cols]})
    return frame.sample(frac=1, random_state=0, ignore_index=True)


def drawn(shape: tuple[int, int], mean: float, seed: int) -> np.ndarray:
    """Counts of a table in which some cells are small, no row or column is empty."""
    rng = np.random.default_rng(seed)
    share = np.outer(rng.gamma(1.5, size=shape[0]), rng.gamma(1.5, size=shape[1]))
    counts = rng.poisson(mean * share / share.mean())
    counts[np.arange(shape[0]), rng.integers(shape[1], size=shape[0])] += 12
    counts[rng.integers(shape[0], size=shape[1]), np.arange(shape[1])] += 12
    return counts


def published(counts: np.ndarray, **options: object) -> tuple[np.ndarray, np.ndarray]:
    """What is shown of the counts, NaN where hidden, and where it is hidden; rows and columns in their order."""
    table = ilk.gap_matrix(
        records(counts), rows="who", cols="what", suppress=LIMIT, **options
    ).table
    hidden = (table["status"] == "hidden").to_numpy()
    for name in SECRET:
        assert table[name][hidden].isna().all(), name
    shown = table["n"].astype("Float64").to_numpy(dtype=float, na_value=np.nan)
    return shown.reshape(counts.shape), hidden.reshape(counts.shape)


class Attacker:
    """Knows the totals of rows and columns and the shown cells, and that counts are whole and not negative."""

    def __init__(self, shown: np.ndarray, rows: np.ndarray, cols: np.ndarray) -> None:
        self.cells = np.argwhere(np.isnan(shown))
        known = np.nan_to_num(shown)
        sides = [
            self.cells[:, side][None, :] == np.arange(shown.shape[side])[:, None] for side in (0, 1)
        ]
        left = np.concatenate([rows - known.sum(axis=1), cols - known.sum(axis=0)])
        self.rules = LinearConstraint(np.concatenate(sides).astype(float), left, left)

    def extreme(self, goal: np.ndarray) -> int:
        """The least value that the goal can have in any table that fits what is known."""
        found = milp(
            goal, integrality=np.ones(len(goal)), bounds=Bounds(0, np.inf), constraints=self.rules
        )
        assert found.status == 0, found.message
        return round(found.fun)

    def intervals(self) -> np.ndarray:
        """Least and greatest count of each hidden cell, by two integer programs each."""
        goals = np.eye(len(self.cells))
        return np.array([[self.extreme(goal), -self.extreme(-goal)] for goal in goals])


def attack(counts: np.ndarray, shown: np.ndarray) -> tuple[Attacker, np.ndarray]:
    attacker = Attacker(shown, counts.sum(axis=1), counts.sum(axis=0))
    return attacker, attacker.intervals()


def widest(counts: np.ndarray) -> np.ndarray:
    """Width of each cell's interval if nothing but the totals is known (Fréchet's bounds)."""
    rows, cols = counts.sum(axis=1, keepdims=True), counts.sum(axis=0, keepdims=True)
    return np.minimum(rows, cols) - np.maximum(rows + cols - counts.sum(), 0)


SHAPES = [((3, 3), 25.0), ((6, 4), 30.0), ((12, 10), 60.0), ((12, 10), 8.0)]


@pytest.mark.parametrize(("shape", "mean"), SHAPES)
@pytest.mark.parametrize("seed", range(3))
def test_hidden_cells_cannot_be_solved(shape: tuple[int, int], mean: float, seed: int) -> None:
    counts = drawn(shape, mean, seed)
    shown, hidden = published(counts)
    small = (counts > 0) & (counts < LIMIT)
    assert hidden[small].all()
    np.testing.assert_array_equal(shown[~hidden], counts[~hidden])
    attacker, ends = attack(counts, shown)
    true = counts[tuple(attacker.cells.T)]
    assert ((ends[:, 0] <= true) & (true <= ends[:, 1])).all()
    width = ends[:, 1] - ends[:, 0]
    assert (width > 0).all()
    of_small = small[tuple(attacker.cells.T)]
    enough = np.minimum(widest(counts)[tuple(attacker.cells.T)], LIMIT)
    assert (width >= enough)[of_small].all()


def test_the_attacker_solves_what_is_hidden_carelessly() -> None:
    counts = np.array([[3, 50, 90], [70, 20, 60], [95, 30, 40]])
    shown = counts.astype(float)
    shown[0, 0] = np.nan
    _, ends = attack(counts, shown)
    np.testing.assert_array_equal(ends, [[3, 3]])


def test_one_small_cell_takes_the_cheapest_rectangle_with_it() -> None:
    counts = np.array([[3, 50, 90, 80], [70, 20, 60, 75], [95, 30, 40, 85]])
    shown, hidden = published(counts)
    assert np.argwhere(hidden).tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    _, ends = attack(counts, shown)
    assert ends[0].tolist() == [0, 53]


def test_no_other_choice_of_one_rectangle_gives_up_fewer_records() -> None:
    counts = np.array([[3, 50, 90, 80], [70, 20, 60, 75], [95, 30, 40, 85]])
    _, hidden = published(counts)
    given_up = counts[hidden].sum() - 3
    rectangles = itertools.product(range(1, 3), range(1, 4))
    assert given_up == min(counts[0, j] + counts[i, 0] + counts[i, j] for i, j in rectangles)


def test_tables_without_small_cells_are_shown_as_they_are() -> None:
    counts = np.array([[30, 50], [70, 10]])
    _, hidden = published(counts)
    assert not hidden.any()


def test_cells_that_cannot_occur_hide_nothing() -> None:
    counts = drawn((5, 4), 30.0, 1)
    counts[0, 0] = counts[3, 2] = 0
    zeros = [("r00", "c00"), ("r03", "c02")]
    shown, hidden = published(counts, structural_zeros=zeros)
    assert not hidden[0, 0]
    assert not hidden[3, 2]
    shown[0, 0] = shown[3, 2] = 0
    _, ends = attack(counts, shown)
    assert (ends[:, 0] < ends[:, 1]).all()


def test_a_small_cell_alone_in_its_row_is_refused_by_name() -> None:
    counts = np.array([[3, 0, 0], [40, 50, 60]])
    zeros = [("r00", "c01"), ("r00", "c02")]
    with pytest.raises(DataError, match=r"r00.*c00.*follows from the totals"):
        published(counts, structural_zeros=zeros)


@pytest.mark.parametrize("limit", [1, 0, -3])
def test_limits_below_two_are_refused(limit: int) -> None:
    with pytest.raises(DataError, match="suppress: found"):
        ilk.gap_matrix(records(np.full((2, 2), 5)), rows="who", cols="what", suppress=limit)

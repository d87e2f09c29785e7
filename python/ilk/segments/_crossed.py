"""Two groupings of customers crossed, as tables that a segmentation keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ilk import _core
from ilk._frame import Frame

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from ilk.segments._segmentation import Segmentation

__all__ = ["Crossed", "with_checks"]


@dataclass(frozen=True)
class Crossed:
    """Cells, what they would hold if the groupings were independent, residuals, and figures of the whole."""

    cells: NDArray[np.float64]
    expected: NDArray[np.float64]
    residual: NDArray[np.float64]
    n: int
    chi2: float
    df: int
    p: float
    cramer_v: float
    nmi: float

    @classmethod
    def of(
        cls,
        rows: NDArray[np.int64],
        n_rows: int,
        cols: NDArray[np.int64],
        n_cols: int,
        weights: NDArray[np.float64] | None = None,
    ) -> Crossed:
        """Cross two groupings, given as numbers below 0 where there is none."""
        cells, figures = _core.crossed_groups(
            np.ascontiguousarray(rows, dtype=np.int64),
            n_rows,
            np.ascontiguousarray(cols, dtype=np.int64),
            n_cols,
            None if weights is None else weights.tolist(),
        )
        shaped = [np.asarray(values).reshape(n_rows, n_cols) for values in cells]
        return cls(shaped[0], shaped[1], shaped[2], *figures)

    def table(self, row: str, rows: Sequence[str], col: str, cols: Sequence[str]) -> dict[str, Any]:
        """One row per cell: its share of the row and of all, what is expected, and the adjusted residual."""
        totals = self.cells.sum(axis=1, keepdims=True)
        overall = self.cells.sum(axis=0) / max(self.cells.sum(), np.finfo(float).tiny)
        with np.errstate(invalid="ignore", divide="ignore"):
            share = np.where(totals > 0, self.cells / totals, np.nan)
        shape = self.cells.shape
        return {
            row: [name for name in rows for _ in cols],
            col: list(cols) * len(rows),
            "n": self.cells.ravel(),
            "share": share.ravel(),
            "overall": np.broadcast_to(overall, shape).ravel().copy(),
            "expected": self.expected.ravel(),
            "residual": self.residual.ravel(),
        }

    def test(self) -> dict[str, Any]:
        """The test of independence as a table of one row."""
        return {
            "n": np.array([self.n]),
            "chi2": np.array([self.chi2]),
            "df": np.array([self.df]),
            "p": np.array([self.p]),
            "cramer_v": np.array([self.cramer_v]),
            "nmi": np.array([self.nmi]),
        }


def with_checks(found: Segmentation, **checks: Mapping[str, Any]) -> Segmentation:
    """The segmentation with tables of what was checked."""
    core = found._core
    for name, columns in checks.items():
        core = core.with_check(name, Frame.of(dict(columns)).core)
    return found._with(core)

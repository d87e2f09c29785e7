"""How alike the customers of each segment are, as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ilk.plot._style import describe, heatmap

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ilk.profile import SegmentHomogeneity

__all__ = ["plot"]

_IN_SHORT = {
    "homogeneous": "alike",
    "partly homogeneous": "partly",
    "not homogeneous": "not alike",
    "too few": "too few",
}


def plot(found: SegmentHomogeneity, *, ax: Axes | None) -> Axes:
    """Draw verdicts; see :meth:`ilk.profile.SegmentHomogeneity.plot`."""
    columns = found.to_dict()
    names = found._core.names()
    blocks = list(dict.fromkeys(columns["block"]))
    shape = (len(blocks), len(names))
    ratio = np.asarray(columns["ratio"], dtype=np.float64).reshape(shape)
    verdict = np.asarray(columns["verdict"], dtype=object).reshape(shape)
    texts = [
        [
            _IN_SHORT[verdict[row, at]]
            if np.isnan(ratio[row, at])
            else f"{_IN_SHORT[verdict[row, at]]}\n{ratio[row, at]:.2f}"
            for at in range(shape[1])
        ]
        for row in range(shape[0])
    ]
    # Alike is purple, as more than expected is elsewhere.
    ax = heatmap(ax, 1 - ratio, blocks, names, texts, signed=True, limit=0.6)
    ax.set_xlabel("distance between two of the segment,\nover that between any two customers")
    told = " ".join(
        f"{block}: {', '.join(f'{name} {what}' for name, what in zip(names, verdict[row], strict=True))}."
        for row, block in enumerate(blocks)
    )
    return describe(ax, f"How alike the customers of {len(names)} segments are. {told}")

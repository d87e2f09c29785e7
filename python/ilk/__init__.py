"""Customer segments, what each is worth, and where the gaps are.

Start with :func:`segment`, then :func:`segment_scorecard` and :func:`gap_matrix`; in a notebook, ``%load_ext ilk``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ilk._core import __version__, num_threads, set_num_threads

if TYPE_CHECKING:
    from ilk import (
        cluster,
        datasets,
        economics,
        exceptions,
        gaps,
        journeys,
        personas,
        quality,
        segments,
        taxonomy,
    )
    from ilk.cluster import (
        GaussianMixture,
        KMeans,
        KMedoids,
        KModes,
        KPrototypes,
        LatentClass,
        gower_distances,
    )
    from ilk.economics import BetaGeo, GammaGamma, Scorecard, rfm, segment_scorecard
    from ilk.gaps import GapMatrix, gap_matrix
    from ilk.segments import Segmentation, segment

#: Where each public name lives; a room is imported when one of its names is first used.
_HOME = {
    "BetaGeo": "ilk.economics",
    "GammaGamma": "ilk.economics",
    "GapMatrix": "ilk.gaps",
    "GaussianMixture": "ilk.cluster",
    "KMeans": "ilk.cluster",
    "KMedoids": "ilk.cluster",
    "KModes": "ilk.cluster",
    "KPrototypes": "ilk.cluster",
    "LatentClass": "ilk.cluster",
    "Scorecard": "ilk.economics",
    "Segmentation": "ilk.segments",
    "gap_matrix": "ilk.gaps",
    "gower_distances": "ilk.cluster",
    "rfm": "ilk.economics",
    "segment": "ilk.segments",
    "segment_scorecard": "ilk.economics",
}

_ROOMS = (
    "cluster",
    "datasets",
    "economics",
    "exceptions",
    "gaps",
    "journeys",
    "personas",
    "profile",
    "quality",
    "segments",
    "taxonomy",
)

__all__ = [
    "BetaGeo",
    "GammaGamma",
    "GapMatrix",
    "GaussianMixture",
    "KMeans",
    "KMedoids",
    "KModes",
    "KPrototypes",
    "LatentClass",
    "Scorecard",
    "Segmentation",
    "__version__",
    "cluster",
    "datasets",
    "economics",
    "exceptions",
    "gap_matrix",
    "gaps",
    "gower_distances",
    "journeys",
    "num_threads",
    "personas",
    "profile",
    "quality",
    "rfm",
    "segment",
    "segment_scorecard",
    "segments",
    "set_num_threads",
    "taxonomy",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = getattr(importlib.import_module(_HOME[name]), name)
    elif name in _ROOMS:
        value = importlib.import_module(f"ilk.{name}")
    else:
        raise AttributeError(f"module 'ilk' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


def load_ipython_extension(ipython: Any) -> None:
    """Register ilk's magics; called by ``%load_ext ilk``."""
    from ilk.notebook import load

    load(ipython)


def unload_ipython_extension(ipython: Any) -> None:
    """Take the magics away again; called by ``%unload_ext ilk``."""
    from ilk.notebook import unload

    unload(ipython)

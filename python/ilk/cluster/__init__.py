"""Clusters of customers: scikit-learn estimators on the compiled core.

:class:`KMeans` groups rows of numbers; :class:`KPrototypes` takes mixed frames as they are, with categories by name
and values missing; :class:`HDBSCAN` and :class:`DBSCAN` find clusters of any shape and leave stray rows out;
:class:`Archetypes` describes rows as mixtures of extreme ones. Labels are canonical: cluster 0 is the largest, and the
same ``random_state`` gives the same labels for any number of threads.
"""

from __future__ import annotations

from ilk.cluster._archetypes import Archetypes
from ilk.cluster._base import FewClustersWarning, UnknownCategoryWarning
from ilk.cluster._dbscan import DBSCAN
from ilk.cluster._density import NoClustersWarning
from ilk.cluster._hdbscan import HDBSCAN
from ilk.cluster._kmeans import KMeans
from ilk.cluster._kprototypes import KPrototypes

__all__ = [
    "DBSCAN",
    "HDBSCAN",
    "Archetypes",
    "FewClustersWarning",
    "KMeans",
    "KPrototypes",
    "NoClustersWarning",
    "UnknownCategoryWarning",
]

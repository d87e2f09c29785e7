"""Clusters of customers: scikit-learn estimators on the compiled core.

:class:`KMeans` groups rows of numbers; :class:`KPrototypes` takes mixed frames as they are, with categories by name
and values missing; :class:`LatentClass` finds the groups behind answers, with the evidence for their number. Labels are
canonical: cluster 0 is the largest, and the same ``random_state`` gives the same labels for any number of threads.
and values missing; :class:`GaussianMixture` finds soft clusters with a shape of their own. Labels are canonical: cluster 0 is the largest, and the same ``random_state`` gives the same labels
and values missing; :class:`KMedoids` represents each cluster by one of its rows, under any distance, such as Gower's
(:func:`gower_distances`) for mixed frames. Labels are canonical: cluster 0 is the largest, and the same ``random_state`` gives the same labels
and values missing; :class:`HDBSCAN` and :class:`DBSCAN` find clusters of any shape and leave stray rows out. Labels are canonical: cluster 0 is the largest, and the same ``random_state`` gives the same labels
:class:`KMeans` groups rows of numbers, :class:`KModes` rows of categories; :class:`KPrototypes` takes mixed frames. Both of
the latter take frames as they are, with categories by name and values missing. Labels are canonical: cluster 0 is the largest, and the same ``random_state`` gives the same labels
for any number of threads.
"""

from __future__ import annotations

from ilk.cluster._base import (
    CollapsedComponentWarning,
    FewClustersWarning,
    UnknownCategoryWarning,
    UnsettledWarning,
)
from ilk.cluster._base import FewClustersWarning, UnknownCategoryWarning
from ilk.cluster._gower import gower_distances
from ilk.cluster._dbscan import DBSCAN
from ilk.cluster._density import NoClustersWarning
from ilk.cluster._hdbscan import HDBSCAN
from ilk.cluster._kmeans import KMeans
from ilk.cluster._kmedoids import KMedoids
from ilk.cluster._kmodes import KModes
from ilk.cluster._kprototypes import KPrototypes
from ilk.cluster._latent import BootstrapLRTest, LatentClass, NotIdentifiedWarning

__all__ = [
    "BootstrapLRTest",
    "FewClustersWarning",
    "KMeans",
    "KPrototypes",
    "LatentClass",
    "NotIdentifiedWarning",
    "UnknownCategoryWarning",
from ilk.cluster._mixture import GaussianMixture

__all__ = [
    "CollapsedComponentWarning",
    "FewClustersWarning",
    "GaussianMixture",
    "KMeans",
    "KPrototypes",
    "UnknownCategoryWarning",
    "UnsettledWarning",
    "FewClustersWarning",
    "KMeans",
    "KMedoids",
    "KPrototypes",
    "UnknownCategoryWarning",
    "gower_distances",
    "DBSCAN",
    "HDBSCAN",
    "FewClustersWarning",
    "KMeans",
    "KPrototypes",
    "NoClustersWarning",
    "UnknownCategoryWarning",
]
__all__ = ["FewClustersWarning", "KMeans", "KModes", "KPrototypes", "UnknownCategoryWarning"]

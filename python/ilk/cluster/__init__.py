"""Clusters of customers: scikit-learn estimators on the compiled core.

:class:`KMeans` groups rows of numbers, :class:`KModes` rows of categories; :class:`KPrototypes` takes mixed frames. Both of
the latter take frames as they are, with categories by name and values missing. Labels are canonical: cluster 0 is the largest, and the same ``random_state`` gives the same labels
for any number of threads.
"""

from __future__ import annotations

from ilk.cluster._base import FewClustersWarning, UnknownCategoryWarning
from ilk.cluster._kmeans import KMeans
from ilk.cluster._kmodes import KModes
from ilk.cluster._kprototypes import KPrototypes

__all__ = ["FewClustersWarning", "KMeans", "KModes", "KPrototypes", "UnknownCategoryWarning"]

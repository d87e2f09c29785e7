"""Clusters of customers: scikit-learn estimators on the compiled core.

:class:`KMeans` groups rows of numbers, :class:`MiniBatchKMeans` such as come in batches; :class:`KPrototypes` takes
mixed frames as they are, with categories by name and values missing. Labels are canonical: cluster 0 is the largest,
and the same ``random_state`` gives the same labels for any number of threads.
"""

from __future__ import annotations

from ilk.cluster._base import FewClustersWarning, UnknownCategoryWarning
from ilk.cluster._kmeans import KMeans
from ilk.cluster._kprototypes import KPrototypes
from ilk.cluster._minibatch import MiniBatchKMeans

__all__ = [
    "FewClustersWarning",
    "KMeans",
    "KPrototypes",
    "MiniBatchKMeans",
    "UnknownCategoryWarning",
]

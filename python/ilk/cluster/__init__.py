"""Clusters of customers: scikit-learn estimators on the compiled core.

======================================= =========================================================================
rows of                                 estimator
======================================= =========================================================================
numbers                                 :class:`KMeans`, :class:`MiniBatchKMeans` where they come in batches
categories                              :class:`KModes`
both, ordered categories, gaps          :class:`KPrototypes`
any kind, by distance                   :class:`KMedoids`, under :func:`gower_distances` or others
numbers, with a shape of their own      :class:`GaussianMixture`
answers to items                        :class:`LatentClass`
numbers, by density                     :class:`HDBSCAN`, :class:`DBSCAN`
rows as mixtures of extreme ones         :class:`Archetypes`
======================================= =========================================================================

Frames go in as they are, with columns by name. Labels are canonical: cluster 0 is the largest, and the same
``random_state`` gives the same labels for any number of threads.
"""

from __future__ import annotations

from ilk.cluster._archetypes import Archetypes
from ilk.cluster._base import (
    CollapsedComponentWarning,
    FewClustersWarning,
    UnknownCategoryWarning,
    UnsettledWarning,
)
from ilk.cluster._dbscan import DBSCAN
from ilk.cluster._density import NoClustersWarning
from ilk.cluster._gower import gower_distances
from ilk.cluster._hdbscan import HDBSCAN
from ilk.cluster._kmeans import KMeans
from ilk.cluster._kmedoids import KMedoids
from ilk.cluster._kmodes import KModes
from ilk.cluster._kprototypes import KPrototypes
from ilk.cluster._latent import LatentClass
from ilk.cluster._latent_test import BootstrapLRTest
from ilk.cluster._latent_warnings import NotIdentifiedWarning
from ilk.cluster._minibatch import MiniBatchKMeans
from ilk.cluster._mixture import GaussianMixture

__all__ = [
    "DBSCAN",
    "HDBSCAN",
    "Archetypes",
    "BootstrapLRTest",
    "CollapsedComponentWarning",
    "FewClustersWarning",
    "GaussianMixture",
    "KMeans",
    "KMedoids",
    "KModes",
    "KPrototypes",
    "LatentClass",
    "MiniBatchKMeans",
    "NoClustersWarning",
    "NotIdentifiedWarning",
    "UnknownCategoryWarning",
    "UnsettledWarning",
    "gower_distances",
]

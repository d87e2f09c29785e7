"""How customers are grouped: the names that users type."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

Method: TypeAlias = Literal["auto", "kmeans", "kprototypes", "gaussian_mixture", "latent_class"]

METHODS: tuple[str, ...] = get_args(Method)

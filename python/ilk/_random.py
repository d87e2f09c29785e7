"""Seeds."""

from __future__ import annotations

import secrets

import numpy as np

from ilk.exceptions import DataError

__all__ = ["new_seed"]


def new_seed(random_state: int | None) -> int:
    """The seed given, or a new one.

    Raises
    ------
    DataError
        If it is not a whole number from 0 up.
    """
    if random_state is None:
        return secrets.randbits(32)
    if isinstance(random_state, bool) or not isinstance(random_state, (int, np.integer)):
        raise DataError(
            f"random_state: found {random_state!r}, but a whole number is needed; "
            "try: random_state=0"
        )
    if not 0 <= random_state < 2**63:
        raise DataError(f"random_state: found {random_state}, but 0 to 2**63 - 1 is allowed")
    return int(random_state)

"""How customers move: from stage to stage over time.

:func:`life_path` follows customers through the stages of a panel: who moves where, how long they stay, what to offer next, and
what the path is worth.
"""

from __future__ import annotations

from ilk.journeys._life_path import LifePath, life_path

__all__ = ["LifePath", "life_path"]

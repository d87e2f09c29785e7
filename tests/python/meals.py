"""Three hundred meals by kind of household, whose gaps were worked out by hand."""

from __future__ import annotations

import pandas as pd

MEALS = {
    ("single", "breakfast"): 40,
    ("single", "lunch"): 10,
    ("single", "dinner"): 30,
    ("couple", "breakfast"): 20,
    ("couple", "lunch"): 30,
    ("couple", "dinner"): 50,
    ("family", "breakfast"): 15,
    ("family", "lunch"): 35,
    ("family", "dinner"): 70,
}


SIDES = {"rows": "household", "cols": "meal"}


def records(
    counts: dict[tuple[str, str], int] = MEALS, rows: str = "household", cols: str = "meal"
) -> pd.DataFrame:
    """One row per record, both columns ordered as the table is."""
    pairs = [pair for pair, n in counts.items() for _ in range(n)]
    return pd.DataFrame(
        {
            name: pd.Categorical(
                [pair[side] for pair in pairs],
                categories=list(dict.fromkeys(pair[side] for pair in counts)),
                ordered=True,
            )
            for side, name in enumerate((rows, cols))
        }
    )


def counted() -> dict[str, list[object]]:
    """One row per cell, with the number of its records."""
    return {
        "household": [pair[0] for pair in MEALS],
        "meal": [pair[1] for pair in MEALS],
        "n": list(MEALS.values()),
    }

"""Customers, segments and cards that several tests read; cards are frozen, so that one set does for all."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pandas as pd

import ilk
from ilk.personas import Personas, personas

if TYPE_CHECKING:
    from ilk.datasets import Market

FEATURES = ["age", "household", "visits_per_month", "basket_value", "discount_share"]


@cache
def market() -> Market:
    return ilk.datasets.make_market(900, random_state=4)


@cache
def segmentation() -> ilk.Segmentation:
    return ilk.segment(market().customers, FEATURES, k=3, random_state=0)


@cache
def cards() -> Personas:
    return personas(segmentation(), attributes=FEATURES)


def small(n: int = 40) -> pd.DataFrame:
    """Two segments of 3 n / 4 and n / 4 customers."""
    big = 3 * n // 4
    return pd.DataFrame(
        {
            "segment": ["big"] * big + ["little"] * (n - big),
            "town": ["city"] * (big - 4) + ["village"] * (n - big + 4),
            "income": [20_000.0 + 100 * i for i in range(n)],
            "late": [1] * (n // 2) + [0] * (n - n // 2),
            "dear": ["yes"] * (n // 4) + ["no"] * (n - n // 4),
            "rating": [1 + i % 5 for i in range(n)],
            "driver": (["price", "fun", "price", "status"] * n)[:n],
        }
    )


def lines_of(cards: Personas, persona: str, slot: str) -> list[dict]:
    return [line for line in cards.card(persona)["lines"] if line["slot"] == slot]

"""Personas: a card for each segment, in which every line says where it comes from.

:func:`personas` makes the cards, :func:`prevalence` counts how many customers match a description as a whole, and
:func:`schema` gives the JSON Schema of what :meth:`Personas.to_json` writes.
"""

from __future__ import annotations

from ilk.personas._make import personas
from ilk.personas._personas import Personas
from ilk.personas._prevalence import Prevalence, prevalence
from ilk.personas._schema import schema

__all__ = ["Personas", "Prevalence", "personas", "prevalence", "schema"]

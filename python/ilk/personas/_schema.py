"""The published schema of a file of personas."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

__all__ = ["schema"]


def schema() -> dict[str, Any]:
    """The JSON Schema of what :meth:`Personas.to_json` writes (draft 2020-12).

    Returns
    -------
    dict
        ``["$defs"]["card"]`` is the schema of a single card.

    Examples
    --------
    >>> from ilk.personas import schema
    >>> schema()["$defs"]["line"]["properties"]["provenance"]["enum"]
    ['observed', 'inferred', 'assumed']
    """
    text = resources.files("ilk.personas").joinpath("personas.schema.json").read_text("utf-8")
    found: dict[str, Any] = json.loads(text)
    return found

"""Pictures of results, drawn with matplotlib when they are asked for.

Every result has a ``plot`` method; the drawing is in this package, one module per room, and :mod:`ilk.plot._style`
holds what they share. A picture is an ordinary ``Axes``: change it, save it, or draw it into a figure of your own with
``ax=``.
"""

from __future__ import annotations

"""Exceptions and warnings of ilk.

Every exception is an :class:`IlkError` and also the built-in exception that fits, so ``except ValueError`` works.
A wrong *type* is a plain :class:`TypeError`.
"""

from __future__ import annotations

__all__ = [
    "ConvergenceWarning",
    "DataError",
    "DataWarning",
    "IlkError",
    "InternalError",
    "MemoryLimitError",
    "MissingColumnError",
    "ModelFileError",
]


class IlkError(Exception):
    """Base of every exception that ilk raises."""


class DataError(IlkError, ValueError):
    """A value or an argument is not allowed; the message names it and says what is."""


class MissingColumnError(IlkError, KeyError):
    """A named column is not in the frame."""

    def __str__(self) -> str:
        # KeyError shows the repr of its message.
        return str(self.args[0]) if self.args else ""


class MemoryLimitError(IlkError, MemoryError):
    """The work would need more memory than is allowed."""


class ModelFileError(IlkError, ValueError):
    """A saved model or result is broken, or of another kind or version."""


class InternalError(IlkError, RuntimeError):
    """A bug in ilk."""


class DataWarning(UserWarning):
    """Something in the data that the user should know, such as rows left out."""


class ConvergenceWarning(UserWarning):
    """A fit ended before it settled, or found fewer segments than asked for."""

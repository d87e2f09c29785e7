"""The IPython extension: ``%load_ext ilk``.

It adds three magics, each a line of options for one function, and completes the names of frames, options and columns
in them. ``%segment?``, ``%scorecard?`` and ``%gaps?`` show what each takes.

=============  ==============================
``%segment``   :func:`ilk.segment`
``%scorecard`` :func:`ilk.segment_scorecard`
``%gaps``      :func:`ilk.gap_matrix`
=============  ==============================
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["load", "unload"]


def load(shell: InteractiveShell) -> None:
    """Add the magics and their completion to a session; a second call changes nothing."""
    from ilk.notebook.completion import Completion
    from ilk.notebook.magics import IlkMagics

    manager = shell.magics_manager
    if IlkMagics.__name__ in manager.registry:
        return
    magics = IlkMagics(
        shell, replaced={kind: dict(manager.magics[kind]) for kind in manager.magics}
    )
    manager.register(magics)
    magics.matcher = Completion(shell).matches
    shell.Completer.custom_matchers.append(magics.matcher)


def unload(shell: InteractiveShell) -> None:
    """Take them away again and put back any magics of the same names; a second call changes nothing."""
    from ilk.notebook.magics import IlkMagics

    manager = shell.magics_manager
    magics = manager.registry.pop(IlkMagics.__name__, None)
    if magics is None:
        return
    for kind, functions in magics.magics.items():
        for name in functions:
            if name in magics.replaced[kind]:
                manager.magics[kind][name] = magics.replaced[kind][name]
            else:
                manager.magics[kind].pop(name, None)
    shell.Completer.custom_matchers.remove(magics.matcher)

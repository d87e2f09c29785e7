"""Which decision maker hears which message."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from ilk import _core
from ilk._arguments import column_name, real, whole
from ilk._frame import Frame, to_native
from ilk._html import format_value
from ilk._result import Explanation
from ilk.economics._report import Report, listed, with_interval
from ilk.gaps._audit import at_rows
from ilk.gaps._named import wide
from ilk.gaps._options import columns, drawing, word
from ilk.gaps._several import read_several

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

__all__ = ["ROLE_PRIORITIES", "MessageMatrix", "message_matrix"]

#: What matters to whom who decides: the default of :func:`message_matrix`, to be replaced or added to.
ROLE_PRIORITIES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "managing director": ("strategy",),
        "CFO": ("budget savings",),
        "department head": ("convenience", "efficiency"),
    }
)


class MessageMatrix(Report):
    """Messages by role; made by :func:`message_matrix`.

    ``.table`` has one row per role and message: whether it is the role's ``own`` priority, the ``pieces`` that say it and
    their ``share`` of all that the role hears (which add up to more than 1 where a piece says several things), and a
    ``status``: ``spoken to``, ``missing``, ``off message``, or empty for what is neither own nor said.

    ``.roles`` has one row per role: its ``priorities``, ``pieces``, the share that speaks to none of them
    (``off_message``), the priorities that are ``missing``, and a ``status``: ``spoken to``, ``partly``, ``not spoken to``,
    ``no content``.

    ``.effects`` tells what role-matched messages go with, where deals were given: ``win_rate_difference`` with its hybrid
    score interval (Newcombe 1998), ``days_ratio`` of geometric means of the days to close with the interval of Welch on
    logarithms, and ``hazard_ratio`` (Cox 1972), the pace of winning where deals that are open or lost count up to their last
    day. ``.groups`` has the deals of both kinds.

    Examples
    --------
    >>> from ilk.gaps import message_matrix
    >>> content = {
    ...     "role": ["CFO", "CFO", "managing director"],
    ...     "message": ["budget savings", "convenience", "efficiency"],
    ... }
    >>> found = message_matrix(content)
    >>> found.gaps()["sentence"][1]
    'managing director: nothing speaks to strategy; its one piece is off message (efficiency).'
    """

    __slots__ = ()

    _wraps = _core.MessageMatrix
    _title = "Messages by role"
    _formats: ClassVar[Mapping[str, str]] = {"pieces": "number", "share": "share"}

    @property
    def roles(self) -> Any:
        """Each role: what it hears, how much of it is off message, and which priorities are missing."""
        return self._frame("roles")

    @property
    def groups(self) -> Any:
        """Deals with role-matched messages and the others: how many were won, and in how many days."""
        return self._frame("groups")

    @property
    def effects(self) -> Any:
        """What role-matched messages go with; no rows without outcomes."""
        return self._frame("effects")

    def _shown(self) -> dict[str, Any]:
        table = self.to_dict()
        rows = [row for row, status in enumerate(table["status"]) if status]
        return {name: at_rows(values, rows) for name, values in table.items()}

    def matrix(self, what: str = "pieces") -> Any:
        """One figure as a table with a row per role and a column per message.

        Parameters
        ----------
        what : str
            A column of ``.table``, such as "pieces", "share" or "status".

        Returns
        -------
        frame
            One column per message, priorities first. The roles are the index of a pandas frame, and else the first
            column.

        Raises
        ------
        DataError
            If there is no such column.
        """
        return wide(self.to_dict(), what, ("role", "message"), self._native)

    def gaps(self, top: int = 10) -> Any:
        """The roles that do not hear what matters to them, with a sentence for each.

        Parameters
        ----------
        top : int
            Roles at most.

        Returns
        -------
        frame
            ``role``, ``status``, ``missing``, ``off_message`` and ``sentence``; roles without content first, then those that
            nothing speaks to, then those that are partly spoken to, each by their share off message.
        """
        roles = self._sheet("roles")
        order = {"no content": 0, "not spoken to": 1, "partly": 2}
        rows = [row for row, status in enumerate(roles["status"]) if status in order]
        off = roles["off_message"]
        rows.sort(
            key=lambda row: (order[roles["status"][row]], -off[row] if off[row] == off[row] else 0)
        )
        rows = rows[: whole("top", top)]
        columns: dict[str, Any] = {
            name: at_rows(roles[name], rows)
            for name in ("role", "status", "missing", "off_message")
        }
        columns["sentence"] = [self._sentence(roles, row) for row in rows]
        return to_native(Frame.of(columns).core, self._native)

    def _sentence(self, roles: Mapping[str, Any], row: int) -> str:
        """What one role hears, in words."""
        role, pieces = roles["role"][row], roles["pieces"][row]
        missing = listed(roles["missing"][row].split(", ")) if roles["missing"][row] else ""
        if roles["status"][row] == "no content":
            return f"{role}: no content at all; what matters is {listed(roles['priorities'][row].split(', '))}."
        number = f"{format_value(pieces)} piece{'' if pieces == 1 else 's'}"
        off = roles["off_message"][row]
        table = self.to_dict()
        said = {
            table["message"][at]: table["pieces"][at]
            for at, other in enumerate(table["role"])
            if other == role and table["status"][at] == "off message"
        }
        most = sorted(said, key=lambda name: -said[name])[:3]
        instead = f" ({', '.join(most)})" if most else ""
        if off == 1:
            share = (
                f"{'its one piece is' if pieces == 1 else f'all {number} are'} off message{instead}"
            )
        elif off == 0:
            share = f"none of {number} is off message"
        else:
            share = f"{format_value(off, 'share')} of {number} are off message{instead}"
        if not missing:
            return f"{role}: hears what matters; {share}."
        return f"{role}: nothing speaks to {missing}; {share}."

    def explain(self) -> Explanation:
        """Who hears what matters to them, and what role-matched messages go with."""
        roles = self._sheet("roles")
        lines = [self._sentence(roles, row) for row in range(len(roles["role"]))]
        groups, effects = self._sheet("groups"), self._sheet("effects")
        of = {name: row for row, name in enumerate(effects["figure"])}

        def told(name: str, kind: str) -> str:
            return with_interval(effects, "value", of[name], kind)

        if of:
            lines.append(
                f"{groups['n'][0]:,} deals are role-matched (every role addressed heard a priority of its own), "
                f"{groups['n'][1]:,} are not."
            )
        if "win_rate_difference" in of:
            lines.append(
                f"Of role-matched deals {with_interval(groups, 'win_rate', 0, 'share')} are won, of the others "
                f"{with_interval(groups, 'win_rate', 1, 'share')}: a difference of {told('win_rate_difference', 'share')}."
            )
        if "days_ratio" in of:
            which = "Won deals" if self._settings["won"] is not None else "Deals"
            lines.append(
                f"{which} with role-matched messages take {with_interval(groups, 'days', 0, 'days')} days (geometric mean), the "
                f"others {with_interval(groups, 'days', 1, 'days')}: a ratio of {told('days_ratio', 'index')}."
            )
        if "hazard_ratio" in of:
            lines.append(
                f"At any time role-matched deals are won at {told('hazard_ratio', 'index')} times the pace of the others; deals "
                "that were not won count up to their last day."
            )
        if of:
            lines.append(
                "These are associations: who heard what was not left to chance, so that part of a difference may be the deals "
                f"and not the message. Brackets hold {self._confidence} intervals."
            )
        lines += [f"{note[0].upper()}{note[1:]}." for note in self.manifest["notes"]]
        return Explanation("\n".join(lines))

    def plot(self, *, ax: Axes | None = None) -> Axes:
        """Draw roles by messages: pieces in each cell, and the priorities of each role marked.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure where none is given.

        Returns
        -------
        matplotlib Axes
            Its label (``get_label()``) describes the picture in words.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        from ilk.plot.content import message_map

        return message_map(self, drawing(ax))


def message_matrix(
    content: Any,
    *,
    role: str = "role",
    message: str = "message",
    roles: Mapping[str, str | Sequence[str]] | None = None,
    messages: Mapping[str, str] | None = None,
    everyone: str | None = "all",
    separator: str | None = None,
    weights: str | None = None,
    deal: str | None = None,
    won: str | None = None,
    days: str | None = None,
    confidence: float = 0.95,
) -> MessageMatrix:
    """Set messages against the priorities of those who decide: who hears what matters to them, and who does not.

    Parameters
    ----------
    content : frame
        One row per piece of content, or per message in a deal.
    role, message : str
        Columns with who is addressed and what they are told. A value may be a list, or a text with several names between
        which ``separator`` stands; a role may be ``everyone``.
    roles : mapping, optional
        The priorities of each role, one or several; by default :data:`ROLE_PRIORITIES`.
    messages : mapping, optional
        The priority that a message speaks to, where it has another name: ``{"save 20 %": "budget savings"}``.
    everyone : str, optional
        The word for all roles.
    separator : str, optional
        What stands between several names in one text, as ``";"``.
    weights : str, optional
        Column with the number of pieces that a row stands for. Deals are not weighted.
    deal : str, optional
        Column with the deal that a row belongs to; without it each row is a deal of its own.
    won : str, optional
        Column that says whether the deal was won; missing where it is not decided.
    days : str, optional
        Column with the days to the close of the deal, or so far.
    confidence : float
        Of the intervals.

    Returns
    -------
    MessageMatrix
        With ``.table``, ``.roles``, ``.gaps()``, ``.matrix()``, ``.groups``, ``.effects``, ``.plot()`` and
        ``.explain()``.

    Raises
    ------
    MissingColumnError
        If a column is not there.
    DataError
        If a role is unknown, a deal has two outcomes, days are not above 0, or nothing is left.

    Notes
    -----
    S3-B2B-07. A deal is role-matched where every role that it addressed heard at least one of its own priorities. Pieces
    without role or message are left out and counted. What matched messages go with is an association and no effect.

    Examples
    --------
    >>> from ilk.gaps import ROLE_PRIORITIES, message_matrix
    >>> content = {"role": ["CFO", "buyer"], "message": ["budget savings", "strategy"]}
    >>> found = message_matrix(content, roles={**ROLE_PRIORITIES, "buyer": "price"})
    >>> dict(zip(found.roles["role"], found.roles["status"]))
    {'managing director': 'no content', 'CFO': 'spoken to', 'department head': 'no content', 'buyer': 'not spoken to'}
    """
    column_name("role", role)
    column_name("message", message)
    named = columns(weights=weights, deal=deal, won=won, days=days)
    everyone, separator = word("everyone", everyone), word("separator", separator)
    confidence = real("confidence", confidence)
    frame, labels, between = read_several(
        content, named, (role, message), separator, name="content"
    )
    given = _priorities(ROLE_PRIORITIES if roles is None else roles)
    if messages is not None and not isinstance(messages, Mapping):
        raise TypeError(f"messages is a {type(messages).__name__}, but a mapping is needed")
    meant = [(str(name), str(speaks)) for name, speaks in (messages or {}).items()]
    settings = {
        "role": role,
        "message": message,
        "roles": dict(given),
        "messages": dict(meant),
        "everyone": everyone,
        "separator": separator,
        "weights": weights,
        "deal": deal,
        "won": won,
        "days": days,
        "confidence": confidence,
    }
    core = _core.message_matrix(
        frame.core,
        {
            "role": labels[0],
            "message": labels[1],
            "roles": given,
            "messages": meant,
            "everyone": everyone,
            "separator": between,
            "weights": weights,
            "deal": deal,
            "won": won,
            "days": days,
        },
        confidence,
        json.dumps(settings),
    )
    return MessageMatrix(core, frame.native)


def _priorities(roles: Any) -> list[tuple[str, list[str]]]:
    """The priorities of each role as lists."""
    if not isinstance(roles, Mapping):
        raise TypeError(
            f"roles is a {type(roles).__name__}, but a mapping from roles to priorities is needed"
        )
    found = []
    for role, wanted in roles.items():
        if not isinstance(wanted, Iterable):
            raise TypeError(
                f"roles[{role!r}]: found {wanted!r}, but one priority or a list is needed"
            )
        listed = [wanted] if isinstance(wanted, str) else list(wanted)
        found.append((str(role), [str(one) for one in listed]))
    return found

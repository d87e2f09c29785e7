"""Completion in the magics: frames, options, and the columns of the frame that the line names."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from IPython.core.completer import SimpleCompletion, context_matcher

from ilk.notebook.magics import COMMANDS, OUTPUT, Command, Option, column_names, is_frame

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from IPython.core.completer import CompletionContext, SimpleMatcherResult
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["Completion"]

_NAMES = "|".join(COMMANDS)
# `%gaps`, `found = %gaps`, or `%%gaps` at the start of a cell.
_LINE = re.compile(rf"\s*(?:[^%'\"#]*=\s*)?%({_NAMES})\s(.*)\Z", re.DOTALL)
_CELL = re.compile(rf"\s*%%({_NAMES})\s(.*)\Z", re.DOTALL)
# A word by the rules of the shell; the last one may be unfinished.
_WORD = re.compile(r"""(?:[^\s'"\\]|\\.?|'[^']*(?:'|\Z)|"(?:[^"\\]|\\.?)*(?:"|\Z))+""", re.DOTALL)
# Written without quotes. A question mark is not among them: at the end of a line it asks IPython for help.
_BARE = re.compile(r"[\w.,:/+@]+")


@dataclass
class _Line:
    """What a line says up to the cursor."""

    command: Command
    #: The word at the cursor as typed, and what it stands for.
    fragment: str = ""
    prefix: str = ""
    data: str | None = None
    #: The option that the word at the cursor belongs to.
    option: Option | None = None
    #: Values so far, by option.
    used: dict[str, list[str]] = field(default_factory=dict)

    def take(self, word: str) -> None:
        """Read a finished word."""
        if word.startswith("-"):
            flag, equals, value = word.partition("=")
            self.option = self.command.option(flag)
            self.used.setdefault(self.option.name if self.option else flag, [])
            if equals:
                self.take(value)
        elif self.option is not None:
            self.used[self.option.name].append(word)
            if self.option.takes != "columns":
                self.option = None
        elif self.data is None:
            self.data = word


class Completion:
    """Completes the magics in one session."""

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell

    @context_matcher(identifier="ilk.magics")  # type: ignore[untyped-decorator]
    def matches(self, context: CompletionContext) -> SimpleMatcherResult:
        """Matches at the cursor; where there are any, other matchers have nothing to add."""
        line = _read(_before_cursor(context))
        if line is None:
            return {"completions": []}
        start = line.prefix.casefold()
        completions = [
            SimpleCompletion(text=text, type=kind)
            for name, text, kind in self._candidates(line)
            if name.casefold().startswith(start)
        ]
        return {
            "completions": completions,
            "matched_fragment": line.fragment,
            "suppress": bool(completions),
            "ordered": True,
        }

    def _candidates(self, line: _Line) -> Iterator[tuple[str, str, str]]:
        """Name, text to insert and kind of everything that could stand at the cursor."""
        option = line.option
        if line.prefix.startswith("-"):
            yield from _flags(line)
        elif option is not None:
            if option.takes == "variable":
                yield from self._frames()
            elif option.takes == "value":
                yield from ((text, text, "value") for text in option.suggestions)
            else:
                yield from self._columns(line, option)
                if option.takes == "segment":
                    yield from self._segmentations()
        elif line.data is None:
            yield from self._frames()
        else:
            yield from _flags(line)

    def _frames(self) -> Iterator[tuple[str, str, str]]:
        for name, value in self._variables():
            if is_frame(value):
                yield name, name, "frame"

    def _segmentations(self) -> Iterator[tuple[str, str, str]]:
        for name, value in self._variables():
            if type(value).__name__ == "Segmentation":
                yield name, name, "segmentation"

    def _variables(self) -> Iterable[tuple[str, object]]:
        return [item for item in self._shell.user_ns.items() if not item[0].startswith("_")]

    def _columns(self, line: _Line, option: Option) -> Iterator[tuple[str, str, str]]:
        frames = [line.data, *line.used.get("orders", [])]
        taken = set(line.used.get(option.name, []))
        for frame in frames:
            try:
                names = column_names(self._shell.user_ns[frame])
            except Exception:
                # A frame that cannot say its columns, or none of this name: typing goes on.
                continue
            for name in names:
                # A line cannot hold the others, such as a line break, or would take them for an option.
                if name.isprintable() and name not in taken and not name.startswith("-"):
                    taken.add(name)
                    yield name, _quoted(name), "column"


def _before_cursor(context: CompletionContext) -> str:
    """The cell up to the cursor."""
    lines = context.full_text.split("\n")[: context.cursor_line]
    return "\n".join([*lines, context.text_until_cursor])


def _read(before: str) -> _Line | None:
    """What the text before the cursor says, or nothing if it is not in a magic of ilk."""
    match = _CELL.match(before)
    if match is None:
        # A line that ends in a backslash goes on in the next.
        match = _LINE.match(re.split(r"(?<!\\)\n", before)[-1].replace("\\\n", " "))
    if match is None:
        return None
    line = _Line(COMMANDS[match[1]])
    words = list(_WORD.finditer(match[2]))
    if words and words[-1].end() == len(match[2]):
        line.fragment = words.pop()[0]
    for word in words:
        line.take(_unquoted(word[0]))
    if line.fragment.startswith("--") and "=" in line.fragment:
        flag, _, line.fragment = line.fragment.partition("=")
        line.take(flag)
    line.prefix = _unquoted(line.fragment)
    return line


def _unquoted(word: str) -> str:
    """What a word stands for; an open quote is closed first."""
    for end in ("", "'", '"', "\\"):
        try:
            return "".join(shlex.split(word + end))
        except ValueError:
            continue
    return word


def _quoted(name: str) -> str:
    return name if _BARE.fullmatch(name) else shlex.quote(name)


def _flags(line: _Line) -> Iterator[tuple[str, str, str]]:
    """Options that are not on the line yet, those that are needed first."""
    options = sorted((*line.command.options, OUTPUT), key=lambda option: not option.required)
    for option in options:
        if option.name not in line.used:
            yield option.flag, option.flag, "option"

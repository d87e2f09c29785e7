"""``%segment``, ``%scorecard`` and ``%gaps``: a line of options becomes one call of the Python function.

Each option has the name of the function's argument (``--random-state`` for ``random_state``). :data:`COMMANDS` is the
one list of them: the parser, the printed call and the completion are made from it.
"""

from __future__ import annotations

import inspect
import keyword
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand
from IPython.core.magic_arguments import argument, kwds, magic_arguments

import ilk
from ilk._methods import METHODS

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["COMMANDS", "OUTPUT", "Command", "IlkMagics", "Option", "column_names", "is_frame"]

#: Longer calls are printed with one argument a line.
_WIDTH = 88

#: What is offered and listed as a frame; any other object that the function takes may be named too.
_FRAMES = {
    "pandas": ("DataFrame",),
    "polars": ("DataFrame", "LazyFrame"),
    "pyarrow": ("Table",),
    "duckdb": ("DuckDBPyRelation",),
    "_duckdb": ("DuckDBPyRelation",),
}

#: What an option takes: the name of a variable, of one column or of several, either of them, or a plain value.
Takes = Literal["variable", "column", "columns", "segment", "value"]


@dataclass(frozen=True)
class Option:
    """One option of a magic, and the argument of the same name."""

    name: str
    takes: Takes
    help: str
    required: bool = False
    suggestions: tuple[str, ...] = ()

    @property
    def flag(self) -> str:
        """The option as it is typed."""
        return "--" + self.name.replace("_", "-")

    @property
    def metavar(self) -> str:
        """What its value is called in the help."""
        return self.takes.removesuffix("s").upper()


@dataclass(frozen=True)
class Command:
    """One magic: the function that it calls, the frame it starts with, and its options."""

    magic: str
    function: str
    data: Option
    options: tuple[Option, ...]

    def option(self, flag: str) -> Option | None:
        """The option that a flag, or the unambiguous start of one, stands for."""
        if flag == "-o":
            return OUTPUT
        found = [option for option in (*self.options, OUTPUT) if option.flag.startswith(flag)]
        found = [option for option in found if option.flag == flag] or found
        return found[0] if len(found) == 1 else None


#: Not an argument of the function: where its result goes.
OUTPUT = Option("output", "value", "variable to store the result in")

_RANDOM_STATE = Option("random_state", "value", "seed of everything random")

_SEGMENT = Command(
    "segment",
    "segment",
    Option("df", "variable", "frame with one row per customer"),
    (
        Option("features", "columns", "columns to segment by; all of them if not given"),
        Option("method", "value", "how to segment", suggestions=METHODS),
        Option("k", "value", "number of segments, or auto", suggestions=("auto",)),
        Option("exclude", "columns", "columns to leave out"),
        Option("weights", "column", "column of row weights"),
        Option(
            "scale",
            "value",
            "how numbers are scaled",
            suggestions=("auto", "standard", "range", "none"),
        ),
        Option(
            "missing",
            "value",
            "what to do with missing values",
            suggestions=("auto", "ignore", "drop", "error"),
        ),
        _RANDOM_STATE,
        Option("k_max", "value", "most segments tried where k is auto"),
        Option("n_init", "value", "starts of the final fit"),
        Option("base", "variable", "mapping from columns to what they are about"),
    ),
)

_SCORECARD = Command(
    "scorecard",
    "segment_scorecard",
    Option("customers", "variable", "frame with one row per customer, or with totals"),
    (
        Option(
            "segment", "segment", "column with the segment, or else a Segmentation", required=True
        ),
        Option("revenue", "column", "column of revenue", required=True),
        Option("cost", "column", "column of the cost of what was sold"),
        Option("acquisition_cost", "column", "column of what winning the customer cost"),
        Option("management_cost", "column", "column of what keeping the customer costs"),
        Option("first_contact", "column", "column of the day of the first contact"),
        Option("first_sale", "column", "column of the day of the first sale"),
        Option("lost", "column", "column of lost leads: a flag, or the day of the loss"),
        Option("churn", "column", "column of churn"),
        Option("clv", "column", "column of lifetime values that a model gave"),
        Option("orders", "variable", "frame of order lines, which revenue and cost come from"),
        Option("customer", "column", "column that names the customer in both frames"),
        Option("spend", "variable", "frame of spend by month and channel"),
        Option("channel", "column", "column of the channel, in both frames"),
        Option("month", "column", "column of spend with the month"),
        Option("amount", "column", "column of spend with the amount"),
        Option("lag_months", "value", "months from spend to the sale it brings"),
        Option("n_customers", "column", "column of customer counts, where rows are totals"),
        Option("n_new", "column", "column of counts of new customers, where rows are totals"),
        Option("period_months", "value", "length of the period in months"),
        Option("discount_rate", "value", "yearly discount rate, such as 0.10"),
        Option("ltv_periods", "value", "number of periods of a lifetime value that ends"),
        Option("n_boot", "value", "number of bootstrap replicates"),
        Option("refit", "value", "whether the segmentation is found anew in every replicate"),
        Option("n_refits", "value", "number of replicates with a new segmentation"),
        Option("confidence", "value", "confidence of the intervals, such as 0.95"),
        _RANDOM_STATE,
    ),
)

_GAPS = Command(
    "gaps",
    "gap_matrix",
    Option("df", "variable", "frame with one row per observation"),
    (
        Option("rows", "column", "column whose categories are the rows", required=True),
        Option("cols", "column", "column whose categories are the columns", required=True),
        Option("values", "column", "column to add up; rows are counted if not given"),
        Option("weights", "column", "column of survey weights"),
        Option("counts", "column", "column that says how many records a row stands for"),
        Option("customer", "column", "column that names the customer, where one has several rows"),
        Option("by", "column", "column of segments: a matrix for each of them"),
        Option("supply", "variable", "what is on offer: frame or mapping"),
        Option("need", "variable", "what is needed: frame or mapping"),
        Option("reference", "variable", "frame of another period"),
        Option("value", "variable", "what one unit of a cell is worth: number, frame or mapping"),
        Option("structural_zeros", "variable", "cells that cannot occur"),
        Option("min_count", "value", "least expected count of a cell that is judged"),
        Option("confidence", "value", "confidence of the findings, such as 0.95"),
        Option("test", "value", "normal, exact or monte_carlo"),
        Option("n_resamples", "value", "random tables of monte_carlo"),
        Option("n_boot", "value", "tables drawn anew for the intervals"),
        Option("suppress", "value", "hide cells of fewer records"),
        _RANDOM_STATE,
    ),
)

#: The magics by name.
COMMANDS: Mapping[str, Command] = {
    command.magic: command for command in (_SEGMENT, _SCORECARD, _GAPS)
}


def _magic(command: Command) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a method the options of its command."""
    # These have no types of their own.
    describe: Callable[..., Callable[..., Any]] = argument
    settings: Callable[..., Callable[..., Any]] = kwds
    parse: Callable[..., Callable[..., Any]] = magic_arguments

    def decorate(method: Callable[..., Any]) -> Callable[..., Any]:
        described = [describe(command.data.name, help=command.data.help)]
        for option in command.options:
            several: dict[str, Any] = {}
            if option.takes == "columns":
                several = {"nargs": "+", "action": "extend"}
            described.append(
                describe(
                    option.flag,
                    help=option.help.replace("%", "%%"),
                    required=option.required,
                    metavar=option.metavar,
                    **several,
                )
            )
        described.append(describe("-o", OUTPUT.flag, help=OUTPUT.help, metavar="NAME"))
        # The frame comes first on the line: after an option that takes several columns it would be one of them.
        needed = [
            f"{option.flag} {option.metavar}" for option in command.options if option.required
        ]
        usage = " ".join(["%(prog)s", command.data.name, *needed, "[options]"])
        described.append(settings(usage=usage))
        for add in reversed(described):
            method = add(method)
        # `{...}` and `$name` stay as they are: they may be part of a column's name, and would be evaluated.
        magic: Callable[..., Any] = no_var_expand(line_cell_magic(parse()(method)))
        return magic

    return decorate


@magics_class
class IlkMagics(Magics):
    """The magics of ilk."""

    def __init__(self, shell: InteractiveShell, replaced: Mapping[str, Mapping[str, Any]]) -> None:
        super().__init__(shell)
        self._shell = shell
        #: The session's magics before these were added.
        self.replaced = replaced
        #: What completes their lines.
        self.matcher: Any = None

    @_magic(_SEGMENT)
    def segment(self, line: str, cell: str | None = None) -> Any:
        """Segment customers with ``ilk.segment``.

        Prints the Python call and shows the result. Names with spaces go in quotes. As ``%%segment`` the options may
        run over several lines.

        Example: %segment households --features age income --k 4 --random-state 0 -o seg
        """
        return self._run(_SEGMENT, self.segment, line, cell)

    @_magic(_SCORECARD)
    def scorecard(self, line: str, cell: str | None = None) -> Any:
        """Price segments with ``ilk.segment_scorecard``.

        Prints the Python call and shows the result. Names with spaces go in quotes. As ``%%scorecard`` the options may
        run over several lines.

        Example: %scorecard customers --segment seg --revenue revenue --cost cost -o worth
        """
        return self._run(_SCORECARD, self.scorecard, line, cell)

    @_magic(_GAPS)
    def gaps(self, line: str, cell: str | None = None) -> Any:
        """Show where growth is with ``ilk.gap_matrix``.

        Prints the Python call and shows the result. Names with spaces go in quotes. As ``%%gaps`` the options may
        run over several lines.

        Example: %gaps lines --rows household --cols daypart --values spend -o gaps
        """
        return self._run(_GAPS, self.gaps, line, cell)

    def _run(self, command: Command, method: Any, line: str, cell: str | None) -> Any:
        try:
            words = shlex.split(f"{line}\n{cell or ''}")
        except ValueError as error:
            raise UsageError(f"{error} in: {line}") from None
        given = vars(method.parser.parse_args(words))
        output = given.pop("output")
        if output is not None and (not output.isidentifier() or keyword.iskeyword(output)):
            raise UsageError(f"-o needs the name of a variable, and found {output!r}")
        data = given.pop(command.data.name)
        frame = self._frame(data)
        arguments = {
            option.name: self._argument(option, given[option.name], frame)
            for option in command.options
            if given[option.name] is not None
        }
        function = getattr(ilk, command.function)
        result = function(frame, **{name: value for name, (value, _) in arguments.items()})
        keywords = {name: source for name, (_, source) in arguments.items()}
        # A seed that the function drew itself is printed too, so that the printed call repeats this result.
        drawn = result.manifest.get("random_state")
        if drawn is not None and "random_state" in inspect.signature(function).parameters:
            keywords.setdefault("random_state", str(drawn))
        if self._namespace.get("ilk") is not ilk:
            print("import ilk")
        print(_source(command.function, data, keywords, output))
        if output is not None:
            self._namespace[output] = result
        return result

    @property
    def _namespace(self) -> dict[str, Any]:
        namespace: dict[str, Any] = self._shell.user_ns
        return namespace

    def _frame(self, name: str) -> Any:
        """The variable of this name; nothing is evaluated."""
        if name in self._namespace:
            return self._namespace[name]
        frames = [
            key for key, value in self._namespace.items() if is_frame(value) and key[0] != "_"
        ]
        there = f"frames here: {', '.join(frames)}" if frames else "there is no frame yet"
        raise UsageError(f"no variable {name!r} in this session; {there}")

    def _argument(self, option: Option, typed: Any, frame: Any) -> tuple[Any, str]:
        """What the function is given for an option, and how that is written in Python."""
        if option.takes == "variable":
            return self._frame(typed), typed
        if option.takes == "segment" and typed not in column_names(frame):
            variable = self._namespace.get(typed)
            if isinstance(variable, ilk.Segmentation):
                return variable.labels, f"{typed}.labels"
            if variable is not None:
                return variable, typed
        if option.takes == "value":
            typed = _number(typed)
        return typed, _literal(typed)


def _source(function: str, data: str, keywords: Mapping[str, str], output: str | None) -> str:
    """The call as Python."""
    head = f"{output} = ilk.{function}(" if output else f"ilk.{function}("
    arguments = [data, *(f"{name}={source}" for name, source in keywords.items())]
    line = f"{head}{', '.join(arguments)})"
    if len(line) <= _WIDTH:
        return line
    return "\n".join([head, *(f"    {argument}," for argument in arguments), ")"])


def _literal(value: Any) -> str:
    """A value as Python, text in double quotes where it holds none."""
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    text = repr(value)
    return f'"{text[1:-1]}"' if text.startswith("'") and '"' not in text else text


def _number(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def is_frame(value: object) -> bool:
    """Whether a variable is a frame that is worth offering."""
    return any(
        cls.__name__ in _FRAMES.get(cls.__module__.partition(".")[0], ())
        for cls in type(value).__mro__
    )


def column_names(frame: Any) -> list[str]:
    """Names of a frame's columns, without reading its rows."""
    if hasattr(frame, "collect_schema"):
        names = frame.collect_schema().names()
    elif hasattr(frame, "column_names"):
        names = frame.column_names
    elif isinstance(frame, Mapping):
        names = frame
    else:
        names = getattr(frame, "columns", ())
    return [name for name in names if isinstance(name, str)]

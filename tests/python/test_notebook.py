"""The IPython extension, driven through a real shell."""

from __future__ import annotations

import contextlib
import inspect
import io
from typing import TYPE_CHECKING, Any

import duckdb
import hypothesis
import hypothesis.strategies as st
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from IPython.core.completer import provisionalcompleter, rectify_completions
from IPython.core.displayhook import DisplayHook
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

import ilk
from ilk.notebook.completion import Completion
from ilk.notebook.magics import COMMANDS, OUTPUT, column_names, is_frame

if TYPE_CHECKING:
    from collections.abc import Iterator

CUSTOMERS = {
    "region": ["north", "south", "south", "north", "east", "east"] * 8,
    "channel": ["web", "shop", "shop", "shop", "web", "web"] * 8,
    "order value": [float(10 + 7 * i % 31) for i in range(48)],
    "visits": [float(1 + i % 5) for i in range(48)],
}


class QuietDisplay(DisplayHook):
    """Keeps the result of a cell without printing it."""

    def write_output_prompt(self) -> None:
        pass

    def write_format_data(self, format_dict: Any, md_dict: Any = None) -> None:
        pass

    def finish_displayhook(self) -> None:
        pass


def new_shell() -> InteractiveShell:
    config = Config()
    config.HistoryManager.enabled = False
    shell = InteractiveShell(config=config, displayhook_class=QuietDisplay)
    shell.run_line_magic("load_ext", "ilk")
    return shell


@pytest.fixture
def shell() -> Iterator[InteractiveShell]:
    shell = new_shell()
    shell.push({"customers": pd.DataFrame(CUSTOMERS), "small": pl.DataFrame(CUSTOMERS).head(3)})
    yield shell
    shell.restore_sys_module_state()


def run(shell: InteractiveShell, cell: str) -> tuple[Any, str]:
    """Result and printed text of a cell; errors are raised."""
    printed = io.StringIO()
    # A refused line is shown on standard error as well.
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(io.StringIO()):
        done = shell.run_cell(cell)
    done.raise_error()
    return done.result, printed.getvalue()


def completed(shell: InteractiveShell, cell: str) -> list[str]:
    """The cell as it reads with each of the completions at its end."""
    with provisionalcompleter():
        found = rectify_completions(cell, list(shell.Completer.completions(cell, len(cell))))
        return [cell[: match.start] + match.text for match in found]


def inserted(shell: InteractiveShell, cell: str) -> list[str]:
    """What each completion puts in place of the last word of the cell."""
    keep = len(cell) - len(cell.rpartition(" ")[2])
    return [text[keep:] for text in completed(shell, cell)]


# --- Loading ----------------------------------------------------------------------------------------------------------


def test_loading_twice_adds_one_matcher(shell: InteractiveShell) -> None:
    ilk.load_ipython_extension(shell)
    ours = [m for m in shell.Completer.custom_matchers if isinstance(m.__self__, Completion)]
    assert len(ours) == 1


def test_unloading_takes_everything_away(shell: InteractiveShell) -> None:
    shell.run_line_magic("unload_ext", "ilk")
    ilk.unload_ipython_extension(shell)
    for kind in ("line", "cell"):
        assert shell.magics_manager.magics[kind].keys().isdisjoint(COMMANDS)
    assert shell.Completer.custom_matchers == []
    assert "--rows" not in completed(shell, "%gaps customers --r")


def test_unloading_puts_back_a_magic_of_the_same_name(shell: InteractiveShell) -> None:
    shell.run_line_magic("unload_ext", "ilk")
    shell.register_magic_function(lambda line: "theirs", "line", "gaps")
    shell.run_line_magic("load_ext", "ilk")
    assert run(shell, "%gaps customers --rows region --cols channel")[0] != "theirs"
    shell.run_line_magic("unload_ext", "ilk")
    assert run(shell, "%gaps customers")[0] == "theirs"


def test_reloading_leaves_one_of_each(shell: InteractiveShell) -> None:
    shell.run_line_magic("reload_ext", "ilk")
    assert len(shell.Completer.custom_matchers) == 1
    assert run(shell, "%gaps customers --rows region --cols channel")[0].rows == "region"


# --- Calling ----------------------------------------------------------------------------------------------------------

CALLS = [
    (
        "%segment customers --features 'order value' visits --k 3 --random-state 0",
        lambda df: ilk.segment(df, features=["order value", "visits"], k=3, random_state=0),
    ),
    (
        "%segment customers --exclude region --exclude channel --method kmeans --k 2 --random-state 7",
        lambda df: ilk.segment(
            df, exclude=["region", "channel"], method="kmeans", k=2, random_state=7
        ),
    ),
    (
        '%scorecard customers --segment region --revenue "order value" --n-boot 50 --random-state 3',
        lambda df: ilk.segment_scorecard(
            df, segment="region", revenue="order value", n_boot=50, random_state=3
        ),
    ),
    (
        "%gaps customers --rows region --cols channel --values=visits --confidence 0.9 --min-count 1",
        lambda df: ilk.gap_matrix(
            df, rows="region", cols="channel", values="visits", confidence=0.9, min_count=1
        ),
    ),
]


@pytest.mark.parametrize(("line", "call"), CALLS, ids=[line.split(" --")[0] for line, _ in CALLS])
def test_a_magic_gives_what_the_function_gives(
    shell: InteractiveShell, line: str, call: Any
) -> None:
    result, _ = run(shell, line)
    assert result.to_json() == call(shell.user_ns["customers"]).to_json()
    assert "<table" in result._repr_html_()


@pytest.mark.parametrize("line", [line for line, _ in CALLS], ids=lambda line: line.split(" --")[0])
def test_the_printed_call_gives_the_same_result(shell: InteractiveShell, line: str) -> None:
    result, printed = run(shell, f"{line} -o found")
    stored = shell.user_ns.pop("found")
    assert stored is result
    run(shell, printed)
    assert shell.user_ns["found"].to_json() == result.to_json()


def test_a_seed_that_was_not_given_is_printed(shell: InteractiveShell) -> None:
    line = "%scorecard customers --segment region --revenue visits --n-boot 40 -o card"
    result, printed = run(shell, line)
    assert f"random_state={result.manifest['random_state']}" in printed
    run(shell, printed)
    assert shell.user_ns["card"].to_json() == result.to_json()


def test_the_import_is_printed_until_it_is_done(shell: InteractiveShell) -> None:
    line = "%gaps customers --rows region --cols channel"
    assert run(shell, line)[1].startswith("import ilk\nilk.gap_matrix(")
    run(shell, "import ilk")
    assert run(shell, line)[1] == 'ilk.gap_matrix(customers, rows="region", cols="channel")\n'


def test_a_long_call_is_printed_one_argument_a_line(shell: InteractiveShell) -> None:
    line = "%gaps customers --rows region --cols channel --values visits --min-count 2 -o found"
    run(shell, "import ilk")
    assert run(shell, line)[1].splitlines() == [
        "found = ilk.gap_matrix(",
        "    customers,",
        '    rows="region",',
        '    cols="channel",',
        '    values="visits",',
        "    min_count=2,",
        ")",
    ]


def test_options_may_run_over_the_lines_of_a_cell(shell: InteractiveShell) -> None:
    cell = "%%gaps customers\n--rows region\n--cols channel\n\n--values 'order value'"
    assert run(shell, cell)[0].values == "order value"


def test_a_result_can_be_assigned(shell: InteractiveShell) -> None:
    run(shell, "found = %gaps customers --rows region --cols channel")
    assert isinstance(shell.user_ns["found"], ilk.GapMatrix)


def test_variables_are_passed_as_they_are(shell: InteractiveShell) -> None:
    shell.push({"offer": {"web": 1.0, "shop": 3.0}, "never": [("east", "shop")]})
    result, printed = run(shell, "%gaps customers --rows region --cols channel --supply offer")
    same = ilk.gap_matrix(
        pd.DataFrame(CUSTOMERS), rows="region", cols="channel", supply=shell.user_ns["offer"]
    )
    assert result.to_json() == same.to_json()
    assert "supply=offer" in printed
    line = "%gaps customers --rows region --cols channel --structural-zeros never"
    assert "not applicable" in run(shell, line)[0].to_dict()["status"]


def test_segment_names_a_variable_or_a_column(shell: InteractiveShell) -> None:
    run(shell, "%segment customers --features visits --k 3 --random-state 0 -o kinds")
    options = "--revenue 'order value' --n-boot 0"
    by_variable, printed = run(shell, f"%scorecard customers --segment kinds {options}")
    assert "segment=kinds.labels," in printed
    kinds = shell.user_ns["kinds"]
    assert dict(zip(*map(by_variable.to_dict().get, ("segment", "n")), strict=True)) == kinds.sizes
    shell.push({"halves": ["first"] * 24 + ["second"] * 24})
    by_labels, printed = run(shell, f"%scorecard customers --segment halves {options}")
    assert "segment=halves," in printed
    assert by_labels.to_dict()["segment"] == ["first", "second"]
    # A column goes before a variable of the same name.
    shell.push({"region": "something else"})
    by_column, printed = run(shell, f"%scorecard customers --segment region {options}")
    assert 'segment="region"' in printed
    assert sorted(by_column.to_dict()["segment"]) == ["east", "north", "south"]


# --- Refusing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "%gaps custmers --rows a --cols b",
            "no variable 'custmers'.*frames here: customers, small",
        ),
        ("%gaps customers --rows a --cols b --supply gone", "no variable 'gone'"),
        ("%gaps customers --rows region", "required: --cols"),
        ("%gaps customers --rows 'region --cols channel", "No closing quotation"),
        ("%gaps customers --rows region --cols channel -o 2x", "-o needs the name of a variable"),
        (
            "%gaps customers --rows region --cols channel -o class",
            "-o needs the name of a variable",
        ),
        ("%gaps customers --rows region --cols channel --k 3", "unrecognized arguments: --k 3"),
    ],
)
def test_a_line_that_cannot_be_run_is_a_usage_error(
    shell: InteractiveShell, line: str, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        run(shell, line)


def test_an_empty_session_says_that_there_is_no_frame() -> None:
    shell = new_shell()
    with pytest.raises(UsageError, match="no variable 'df' in this session; there is no frame yet"):
        run(shell, "%segment df")
    shell.restore_sys_module_state()


def test_errors_of_ilk_pass_as_they_are(shell: InteractiveShell) -> None:
    with pytest.raises(ilk.exceptions.MissingColumnError, match=r"regoin.*region"):
        run(shell, "%gaps customers --rows regoin --cols channel -o found")
    assert "found" not in shell.user_ns


@pytest.mark.parametrize("text", ["{boom()}", "$boom", "boom()", "__import__('os')"])
def test_no_text_is_evaluated(shell: InteractiveShell, text: str) -> None:
    calls: list[int] = []
    shell.push({"boom": lambda: calls.append(1)})
    with pytest.raises(UsageError, match="no variable"):
        run(shell, f'%gaps "{text}" --rows a --cols b')
    with pytest.raises(ilk.exceptions.MissingColumnError):
        run(shell, f'%gaps customers --rows "{text}" --cols channel')
    completed(shell, f'%gaps "{text}" --rows a')
    assert not calls


# --- Options ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS.values(), ids=lambda command: command.magic)
def test_options_are_the_arguments_of_the_function(command: Any) -> None:
    parameters = dict(inspect.signature(getattr(ilk, command.function)).parameters)
    parameters.pop("progress", None)
    assert [command.data.name, *(option.name for option in command.options)] == list(parameters)
    for option in command.options:
        needed = parameters[option.name].default is inspect.Parameter.empty
        assert option.required == needed, option.name


@pytest.mark.parametrize("command", COMMANDS.values(), ids=lambda command: command.magic)
def test_help_names_every_option(shell: InteractiveShell, command: Any) -> None:
    text = shell.object_inspect_text(f"%{command.magic}")
    for option in (*command.options, OUTPUT):
        assert option.flag in text
        assert option.help.split()[-1] in text


# --- Completing -------------------------------------------------------------------------------------------------------


def test_frames_come_first(shell: InteractiveShell) -> None:
    shell.push({"number": 3, "_hidden": pd.DataFrame(CUSTOMERS)})
    assert inserted(shell, "%gaps ") == ["customers", "small"]
    assert inserted(shell, "%gaps cu") == ["customers"]
    assert inserted(shell, "found = %gaps cu") == ["customers"]


def test_options_are_completed_once_those_needed_first(shell: InteractiveShell) -> None:
    flags = inserted(shell, "%gaps customers ")
    assert flags[:2] == ["--rows", "--cols"]
    assert {"--values", "--min-count", "--output"} <= set(flags)
    assert inserted(shell, "%gaps customers --co") == ["--cols", "--counts", "--confidence"]
    assert inserted(shell, "%gaps customers --cols region --co") == ["--counts", "--confidence"]


def test_columns_of_the_named_frame_are_completed(shell: InteractiveShell) -> None:
    shell.push({"small": pl.DataFrame({"alpha": [1], "beta": [2]})})
    assert inserted(shell, "%gaps small --rows ") == ["alpha", "beta"]
    assert inserted(shell, "%gaps customers --rows re") == ["region"]
    assert inserted(shell, "%gaps customers --rows=re") == ["--rows=region"]
    assert inserted(shell, "%gaps customers --rows RE") == ["region"]


def test_a_column_with_a_space_is_completed_in_quotes(shell: InteractiveShell) -> None:
    for typed in ("ord", "'ord", '"ord', "'order va", '"order va', "order\\ va"):
        assert completed(shell, f"%gaps customers --values {typed}") == [
            "%gaps customers --values 'order value'"
        ], typed


def test_features_already_given_are_not_offered_again(shell: InteractiveShell) -> None:
    line = "%segment customers --features visits 'order value' "
    assert inserted(shell, line) == ["region", "channel"]
    assert "--random-state" in inserted(shell, line + "--")


def test_a_value_ends_its_option(shell: InteractiveShell) -> None:
    assert "--confidence" in inserted(shell, "%gaps customers --min-count 5 ")
    assert inserted(shell, "%segment customers --k a") == ["auto"]
    assert "--rows" in inserted(shell, "%gaps customers -o found ")


def test_segment_is_completed_with_columns_and_segmentations(shell: InteractiveShell) -> None:
    run(shell, "%segment customers --features visits --k 2 --random-state 0 -o kinds")
    assert inserted(shell, "%scorecard customers --segment ")[-1] == "kinds"
    assert inserted(shell, "%scorecard customers --segment re") == ["region"]


def test_columns_of_the_order_lines_are_completed(shell: InteractiveShell) -> None:
    shell.push({"lines": pa.table({"amount": [1.0], "visits": [2.0]})})
    assert inserted(shell, "%scorecard customers --orders lines --revenue am") == ["amount"]
    assert inserted(shell, "%scorecard customers --orders li") == ["lines"]


def test_a_cell_is_completed_on_every_line(shell: InteractiveShell) -> None:
    assert inserted(shell, "%%gaps customers\n --rows re") == ["region"]
    assert inserted(shell, "x = 1\n%gaps customers --rows re") == ["region"]
    assert inserted(shell, "%gaps customers \\\n --rows re") == ["region"]


@pytest.mark.parametrize(
    "cell",
    ["gaps = customers --re", "print('%gaps customers --re", "%time customers --re", "%gapsy --re"],
)
def test_other_lines_are_left_alone(shell: InteractiveShell, cell: str) -> None:
    assert not any("region" in text or "--rows" in text for text in completed(shell, cell))


def test_a_frame_that_cannot_say_its_columns_does_not_break_typing(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.push({"lost": pl.scan_csv("there-is-no-such-file.csv")})
    assert not any("region" in text for text in completed(shell, "%gaps lost --rows re"))
    assert "lost" in inserted(shell, "%gaps ")
    assert capsys.readouterr().err == ""


NAMES = st.text(
    st.one_of(
        st.characters(exclude_categories=["Cs", "Cc"]), st.sampled_from("'\"\\ ${}!?#%-=;<>")
    ),
    min_size=1,
    max_size=12,
).filter(lambda name: name.isprintable() and not name.startswith("-"))


#: A column of the data may not be called like one of these.
RESULT_COLUMNS = set(ilk.gap_matrix(CUSTOMERS, rows="region", cols="channel").to_dict())


@pytest.fixture(scope="module")
def one_shell() -> Iterator[InteractiveShell]:
    shell = new_shell()
    yield shell
    shell.restore_sys_module_state()


@hypothesis.given(name=NAMES)
def test_any_name_survives_completion_and_the_printed_call(
    one_shell: InteractiveShell, name: str
) -> None:
    hypothesis.assume(name != "channel" and name not in RESULT_COLUMNS)
    frame = {name: CUSTOMERS["region"], "channel": CUSTOMERS["channel"]}
    one_shell.push({"df": pl.DataFrame(frame)})
    line = completed(one_shell, "%gaps df --cols channel -o found --rows ")[0]
    result, printed = run(one_shell, line)
    assert result.rows == name
    run(one_shell, printed)
    assert one_shell.user_ns["found"].to_json() == result.to_json()


# --- Frames -----------------------------------------------------------------------------------------------------------


FRAMES = {
    "pandas": pd.DataFrame,
    "polars": pl.DataFrame,
    "lazy": pl.LazyFrame,
    "pyarrow": pa.table,
    "duckdb": lambda data: duckdb.connect().from_arrow(pa.table(data)),
}


@pytest.mark.parametrize("kind", FRAMES)
def test_every_kind_of_frame_is_offered_and_read(shell: InteractiveShell, kind: str) -> None:
    shell.push({"data": FRAMES[kind](CUSTOMERS)})
    assert "data" in inserted(shell, "%gaps ")
    assert column_names(shell.user_ns["data"]) == list(CUSTOMERS)
    result, _ = run(shell, "%gaps data --rows region --cols channel")
    assert result.to_dict()["n"].sum() == 48


def test_series_modules_and_results_are_no_frames() -> None:
    assert not is_frame(pd.Series([1]))
    assert not is_frame(pl.Series([1]))
    assert not is_frame(pd)
    assert not is_frame(ilk.gap_matrix(CUSTOMERS, rows="region", cols="channel"))

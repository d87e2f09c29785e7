"""The magics in a real JupyterLab in a headless Chromium: nothing from the data runs, columns are completed.

Needs Chromium, and the packages jupyterlab and playwright; without them the tests are skipped.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import ilk
from ilk.plot._style import contrast

if TYPE_CHECKING:
    from collections.abc import Iterator

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]

pytest.importorskip("jupyterlab", reason="jupyterlab is not installed")
sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

PAYLOAD = "<script>window.XSS=1</script>"
IMAGE = "<img src=x onerror='window.XSS=2'>"

CELLS = [
    f"""import pandas as pd
payload, image = {PAYLOAD!r}, {IMAGE!r}
buyers = pd.DataFrame({{
    payload: [payload, image, "plain", "plain"] * 30,
    "day part": ["noon", image, image, payload, "noon", "noon"] * 20,
    "spend": [float(5 + 7 * i % 13) for i in range(120)],
    "visits": [float(1 + i % 4) for i in range(120)],
}})""",
    "%load_ext ilk",
    f'%gaps buyers --rows "{PAYLOAD}" --cols "day part" -o gaps',
    "gaps.gaps()",
    "gaps.explain()",
    f'%scorecard buyers --segment "{PAYLOAD}" --revenue spend --n-boot 50 --random-state 0 -o card',
    "card.explain()",
    "%segment buyers --k 3 --random-state 0 -o kinds",
    "kinds.rename({kinds.names[0]: payload, kinds.names[1]: image})",
    "print('all', 'done')",
    "",
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a JupyterLab with the notebook `magics.ipynb`."""
    folder = tmp_path_factory.mktemp("lab")
    settings = folder / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text('{"fetchNews": "false"}')
    (folder / "work").mkdir()
    cells = [
        {
            "cell_type": "code",
            "id": f"cell-{number}",
            "metadata": {},
            "execution_count": None,
            "outputs": [],
            "source": source,
        }
        for number, source in enumerate(CELLS)
    ]
    # Without a kernel's name JupyterLab would ask for one in a dialog.
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": kernel},
        "cells": cells,
    }
    (folder / "work" / "magics.ipynb").write_text(json.dumps(notebook))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    token = secrets.token_hex(16)
    package = str(Path(ilk.__file__).parents[1])
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")])),
        "HOME": str(folder),
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
    }
    options = [
        "--no-browser",
        "--allow-root",
        "--ip=127.0.0.1",
        f"--port={port}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={folder / 'work'}",
        f"--IdentityProvider.token={token}",
        "--LabApp.expose_app_in_browser=True",
        "--LabApp.extension_manager=readonly",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    log = folder / "server.log"
    with log.open("w") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options],
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        address = f"http://127.0.0.1:{port}"
        for _ in range(240):
            try:
                with urllib.request.urlopen(f"{address}/api?token={token}"):
                    break
            except urllib.error.URLError:
                assert server.poll() is None, log.read_text()
                time.sleep(0.25)
        else:
            pytest.fail(log.read_text())
        yield f"{address}/lab/tree/magics.ipynb?token={token}"
    finally:
        server.terminate()
        server.wait(20)


@pytest.fixture(scope="module")
def page(lab: str) -> Iterator[Any]:
    """The notebook in a browser, every cell run."""
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--no-first-run",
            ],
        )
        page = browser.new_page(viewport={"width": 1200, "height": 3200})
        page.set_default_timeout(30_000)
        page.goto(lab)
        page.wait_for_selector(".jp-NotebookPanel-toolbar")
        page.wait_for_function(
            "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status == 'idle'"
        )
        run_all = "window.jupyterapp.commands.execute('notebook:run-all-cells')"
        page.evaluate(f"() => {{ {run_all}; }}")
        page.wait_for_selector(".jp-OutputArea-output:has-text('all done')")
        yield page
        browser.close()


def test_every_cell_runs(page: Any) -> None:
    errors = page.locator(
        ".jp-OutputArea-output[data-mime-type*='stderr'], .jp-RenderedText pre .ansi-red-fg"
    )
    assert errors.all_inner_texts() == []
    assert page.locator(".jp-OutputArea-output .ilk table").count() >= 4


def test_text_from_data_stays_text(page: Any) -> None:
    assert page.evaluate("window.XSS === undefined")
    outputs = " ".join(page.locator(".jp-OutputArea-output .ilk").all_inner_texts())
    assert PAYLOAD in outputs
    assert IMAGE in outputs
    assert page.locator(".ilk script, .ilk img").count() == 0


def test_text_is_on_the_left_and_numbers_on_the_right(page: Any) -> None:
    sides = page.evaluate(
        """() => [...document.querySelectorAll('.ilk td')].map(
            cell => [cell.className, getComputedStyle(cell).textAlign])"""
    )
    assert set(map(tuple, sides)) == {("", "left"), ("ilk-n", "right")}


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_results_are_readable_in_both_themes(page: Any, theme: str, tmp_path: Path) -> None:
    page.evaluate(
        "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", theme
    )
    page.wait_for_selector(f"body[data-jp-theme-name='{theme}']", state="attached")
    page.wait_for_selector("#jupyterlab-splash", state="detached")
    page.screenshot(path=tmp_path / "notebook.png")
    pairs = page.evaluate(
        """() => {
            const background = node => {
                for (; node; node = node.parentElement) {
                    const color = getComputedStyle(node).backgroundColor;
                    if (!/^rgba\\(.*, 0\\)$/.test(color)) return color;
                }
                return 'rgb(255, 255, 255)';
            };
            const nodes = document.querySelectorAll('.ilk td, .ilk th, .ilk caption, .ilk .ilk-note, .ilk .ilk-ci');
            return [...nodes].map(node => [getComputedStyle(node).color, background(node)]);
        }"""
    )
    assert len(pairs) > 50
    worst = min(
        (contrast(blended(text, back), blended(back)), text, back)
        for text, back in set(map(tuple, pairs))
    )
    assert worst[0] >= 4.5, worst


def blended(color: str, background: str | None = None) -> tuple[float, ...]:
    """A colour of CSS as fractions, laid over a background if it is transparent in part."""
    parts = [float(part) for part in color[color.index("(") + 1 : -1].split(",")]
    alpha = parts[3] if len(parts) == 4 else 1.0
    solid = tuple(part / 255 for part in parts[:3])
    if background is None or alpha == 1.0:
        return solid
    below = blended(background)
    return tuple(alpha * top + (1 - alpha) * under for top, under in zip(solid, below, strict=True))


def test_tab_completes_columns(page: Any, tmp_path: Path) -> None:
    cell = page.locator(".jp-Notebook .jp-Cell").nth(len(CELLS) - 1)
    cell.locator(".cm-content").click()
    page.keyboard.type("%gaps buyers --cols channel --rows ")
    page.keyboard.press("Tab")
    page.wait_for_selector(".jp-Completer .jp-Completer-item")
    offered = page.locator(".jp-Completer .jp-Completer-item .jp-Completer-match").all_inner_texts()
    page.screenshot(path=tmp_path / "completion.png")
    assert [text for text in offered if text in ("spend", "visits")] == ["spend", "visits"]
    assert "'day part'" in offered
    page.locator(".jp-Completer .jp-Completer-item", has_text=PAYLOAD).click()
    assert cell.locator(".cm-content").inner_text().endswith(f"--rows '{PAYLOAD}'")
    assert page.evaluate("window.XSS === undefined")

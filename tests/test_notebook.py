"""docs/folder-to-night.ipynb runs from its first cell to its last, and is committed without what it has made."""

import json
import os
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[1] / "docs" / "folder-to-night.ipynb"
SMALL = {"I2I_STEPS": "2", "I2I_SIZE": "32", "I2I_STREETS": "6", "I2I_WIDTH": "4", "OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Any]]:
    """The folder that it ran in, and its cells with their outputs."""
    folder = tmp_path_factory.mktemp("notebook")
    home = {"IPYTHONDIR": str(folder / "ipython"), "JUPYTER_RUNTIME_DIR": str(folder / "jupyter")}
    with pytest.MonkeyPatch.context() as patched:
        for name, value in (SMALL | home).items():
            patched.setenv(name, value)
        book = nbformat.read(NOTEBOOK, as_version=4)
        NotebookClient(book, timeout=1200, startup_timeout=600, resources={"metadata": {"path": str(folder)}}).execute(
            env=dict(os.environ)
        )
    return folder, book.cells


def _said(cells: list[Any], word: str) -> str:
    """The text that the cell with this word in its code gave."""
    (cell,) = [cell for cell in cells if cell.cell_type == "code" and word in cell.source]
    return "".join(out.get("text", "") or out.get("data", {}).get("text/plain", "") for out in cell.outputs)


def test_it_goes_from_a_folder_to_night(played: tuple[Path, list[Any]]) -> None:
    folder, cells = played
    assert "recipes that fit: pix2pix" in _said(cells, "check(streets)")
    assert "step 2: " in _said(cells, "i2i.train(")
    assert "8 converted, 0 failed" in _said(cells, "i2i.translate(")
    assert "psnr" in _said(cells, "i2i.evaluate(")
    assert len(list((folder / "translated").glob("*.png"))) == 8
    assert (folder / "runs" / "night" / "translator.safetensors").is_file()


def test_it_shows_pictures_and_the_page_of_the_run(played: tuple[Path, list[Any]]) -> None:
    _, cells = played
    shown = [set(out.data) for cell in cells if cell.cell_type == "code" for out in cell.outputs if "data" in out]
    assert sum("image/png" in kinds for kinds in shown) == 2
    assert any("runs/night/report.html" in out.data.get("text/html", "") for cell in cells
               if cell.cell_type == "code" for out in cell.outputs if "data" in out)  # fmt: skip


def test_it_is_committed_without_outputs_or_places_of_one_machine() -> None:
    text = NOTEBOOK.read_text(encoding="utf-8")
    cells = json.loads(text)["cells"]
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in cells if cell["cell_type"] == "code")
    assert not re.search(r"/(home|root|work|tmp|Users)/", text)
    assert len(text) < 20_000

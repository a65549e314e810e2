"""What the guide takes from the code."""

import inspect
import sys
import textwrap
import tomllib
from pathlib import Path

import pytest
from mkdocs.exceptions import PluginError

from i2i.experiment import Experiment
from i2i.game import Turn
from i2i.models.pix2pix import Pix2Pix

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

import mkdocs_hooks

ROOT = Path(__file__).parents[2]


def test_a_line_becomes_the_source_that_it_names() -> None:
    page = "See:\n```python\n{}\n```\nand `--8<--`.\n"
    step = textwrap.dedent(inspect.getsource(Pix2Pix.step)).rstrip()
    named = page.format("--8<-- i2i/models/pix2pix.py Pix2Pix.step")
    assert mkdocs_hooks.on_page_markdown(named) == page.format(step)


def test_decorators_belong_to_what_they_decorate() -> None:
    assert mkdocs_hooks.source("i2i/game.py", "Turn") == inspect.getsource(Turn).rstrip()
    assert mkdocs_hooks.source("i2i/experiment.py", "Experiment.needs").startswith("@property\ndef needs(self)")
    assert inspect.getsource(Experiment).rstrip() == mkdocs_hooks.source("i2i/experiment.py", "Experiment")


def test_a_list_of_a_toml_file_is_shown_whole() -> None:
    shown = tomllib.loads(mkdocs_hooks.source("pyproject.toml", "layers"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert shown["layers"] == project["tool"]["importlinter"]["contracts"][0]["layers"]


@pytest.mark.parametrize(
    ("file", "name", "said"),
    [
        ("i2i/game.py", "Turns", "i2i/game.py: has no Turns to show"),
        ("i2i/games.py", "Turn", "i2i/games.py: no such file"),
        ("pyproject.toml", "tiers", "pyproject.toml: has no tiers"),
    ],
)
def test_what_is_gone_ends_the_build(file: str, name: str, said: str) -> None:
    with pytest.raises(PluginError, match=said):
        mkdocs_hooks.source(file, name)


def test_words_with_hyphens_are_marked_as_one() -> None:
    html = "<code>i2i train --init-from RUN</code> a-b <pre><code><span>--x</span></code></pre>"
    marked = html.replace("--init-from", '<span class="one-word">--init-from</span>')
    assert mkdocs_hooks.on_page_content(html) == marked

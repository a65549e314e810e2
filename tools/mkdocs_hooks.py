"""What the guide takes from the code while MkDocs builds it, so that it cannot go stale.

A line `--8<-- i2i/models/pix2pix.py Pix2Pix.step` becomes the source of that class or function, `--8<-- pyproject.toml
layers` that list. And a word of code with hyphens, such as a flag, is marked as one: browsers break lines at hyphens.
"""

import ast
import re
import textwrap
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError

ROOT = Path(__file__).parents[1]
_MARK = re.compile(r"^--8<-- (?P<file>[\w/.-]+) (?P<name>[\w.]+)$", re.MULTILINE)
_CODE = re.compile(r"<code>([^<]+)</code>")
_WORD = re.compile(r"(?<!\S)[^\s]{1,36}(?!\S)")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """MkDocs' event: the text of a page, before it becomes HTML."""
    return _MARK.sub(lambda found: source(found["file"], found["name"]), markdown)


def on_page_content(html: str, **_: Any) -> str:
    """MkDocs' event: a page's HTML, before it is set into the site's frame."""
    return _CODE.sub(lambda found: f"<code>{_WORD.sub(_unbroken, found[1])}</code>", html)


def _unbroken(word: re.Match[str]) -> str:
    return f'<span class="one-word">{word[0]}</span>' if "-" in word[0] else word[0]


def source(file: str, name: str) -> str:
    """The class or function of that dotted name in a file of the clone, or a TOML file's list. Raises PluginError."""
    path = ROOT / file
    if not path.is_file():
        raise PluginError(f"{file}: no such file to show.")
    text = path.read_text(encoding="utf-8")
    found = _list(text, name) if path.suffix == ".toml" else _defined(text, name)
    if found is None:
        raise PluginError(f"{file}: has no {name} to show.")
    return found


def _defined(text: str, name: str) -> str | None:
    node: ast.AST = ast.parse(text)
    kinds = (ast.ClassDef, ast.FunctionDef)
    for part in name.split("."):
        found = [one for one in ast.iter_child_nodes(node) if isinstance(one, kinds) and one.name == part]
        if not found:
            return None
        node = found[0]
    assert isinstance(node, kinds)
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    return textwrap.dedent("\n".join(text.splitlines()[first - 1 : node.end_lineno]))


def _list(text: str, name: str) -> str | None:
    found = re.search(rf"^{re.escape(name)} = \[\n.*?^\]", text, re.MULTILINE | re.DOTALL)
    return found[0] if found else None

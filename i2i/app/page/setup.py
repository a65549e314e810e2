"""What the tabs are built from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from i2i.app.drawing import Colour
from i2i.app.limits import Limits
from i2i.app.shelf import Shelf
from i2i.app.workspace import Workspace

PRIVATE: dict[str, Any] = {"api_visibility": "private"}
"""Of every event: Gradio writes the others into the page, with the names of models, before anybody has logged in."""
QUIET: dict[str, Any] = {**PRIVATE, "show_progress": "hidden"}
"""Of those without a sign that they are at work."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What there is to show, and where to work."""

    shelf: Shelf
    workspace: Workspace
    limits: Limits
    palette: Sequence[Colour] = ()
    """Of the canvas, where a label map was given."""

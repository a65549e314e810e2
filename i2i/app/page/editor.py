"""Gradio's editor of pictures, with an end to what it keeps for whoever sends it something."""

import threading
from abc import ABCMeta
from collections import OrderedDict
from typing import Any, ClassVar

import gradio as gr
from fastapi import HTTPException
from gradio.component_meta import ComponentMeta
from gradio.components.base import server
from gradio.components.image_editor import AcceptBlobs, EditorDataBlobs

KEPT = 64
"""Drawings that were sent and not yet asked for: a browser asks for its own at once."""
LAYERS = frozenset({"0", "1", "2", "null"})
"""Which one a browser sends; "null" with the background and with the whole."""


class _NoStub(ComponentMeta):
    """Gradio's own writes a stub file beside the module of each component."""

    def __new__(cls, name: str, bases: tuple[type, ...], attrs: dict[str, Any]) -> type:
        return ABCMeta.__new__(cls, name, bases, attrs)


class Editor(gr.ImageEditor, metaclass=_NoStub):
    """An editor whose server function keeps few drawings, and no more layers than a canvas has.

    Gradio's extends a list to the number that is sent, and keeps each drawing until it is asked for: one small request
    takes all memory.
    """

    is_template = True  # to the browser it is Gradio's own
    kept: ClassVar[OrderedDict[str, EditorDataBlobs]] = OrderedDict()
    """By the name that the browser gave it; of all sessions, each of which has a copy of the editor."""
    lock: ClassVar[threading.Lock] = threading.Lock()

    @server
    def accept_blobs(self, data: AcceptBlobs) -> None:
        if str(data.data.get("index") or "null") not in LAYERS or not data.files:
            raise HTTPException(400)
        with self.lock:
            self.blob_storage = self.kept
            super().accept_blobs(data)
            while len(self.kept) > KEPT:
                self.kept.popitem(last=False)

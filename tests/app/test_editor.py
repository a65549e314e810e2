"""What the canvas keeps of what browsers send it."""

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("gradio", reason="the extra app brings gradio")

from fastapi import HTTPException
from gradio.components.image_editor import AcceptBlobs

from i2i.app.page import editor
from i2i.app.page.editor import KEPT, Editor


@pytest.fixture
def canvas():
    yield Editor(layers=False)
    Editor.kept.clear()


def sent(name: str, index: object, kind: str = "layer") -> Any:
    # As Gradio makes it of a form: nothing in it is looked through.
    return AcceptBlobs.model_construct(
        data={"type": kind, "index": index, "id": name}, files=[("layer.png", b"a drawing")]
    )


def test_what_a_browser_sends_is_kept_until_it_is_asked_for(canvas):
    for index, kind in (("0", "layer"), ("null", "background"), ("null", "composite")):
        canvas.accept_blobs(sent("one", index, kind))
    (kept,) = canvas.blob_storage.values()
    assert (kept.layers, kept.background, kept.composite) == ([b"a drawing"], b"a drawing", b"a drawing")


@pytest.mark.parametrize("index", ["3", "1000000000", "-1", "1e9", "1_0", "²", "9" * 5000])
def test_a_layer_that_no_canvas_has_is_refused(index, canvas):
    with pytest.raises(HTTPException):
        canvas.accept_blobs(sent("one", index))
    assert not Editor.kept


def test_drawings_that_nobody_asks_for_go_the_oldest_first(canvas):
    for copy in (canvas, Editor(layers=False)):  # each session has one
        for index in range(KEPT):
            copy.accept_blobs(sent(f"{id(copy)} {index}", "0"))
    assert len(canvas.blob_storage) == KEPT
    assert list(Editor.kept) == list(copy.blob_storage)
    assert not [name for name in Editor.kept if name.startswith(f"{id(canvas)} ")]


def test_to_a_browser_it_is_gradios_own_and_only_its_function_can_be_called(canvas):
    assert canvas.get_block_name() == "imageeditor"
    assert canvas.get_config()["server_fns"] == ["accept_blobs"]
    assert {"canvas_size", "brush", "layers"} <= canvas.get_config().keys()


def test_no_stub_is_written_beside_the_module():
    assert not Path(editor.__file__).with_suffix(".pyi").exists()

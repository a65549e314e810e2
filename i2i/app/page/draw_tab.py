"""The tab with the canvas: what is drawn goes through the model with every stroke."""

from pathlib import Path
from typing import Any

import gradio as gr

from i2i.app import drawing, shown
from i2i.app.drawing import Canvas
from i2i.app.intake import take_palette
from i2i.app.page.editor import Editor
from i2i.app.page.setup import PRIVATE, QUIET, Setup
from i2i.errors import UserError
from i2i.images.pixels import Array
from i2i.settings import parse_size


def draw_tab(page: Setup, model: gr.Dropdown, way: gr.Radio) -> tuple[gr.State, gr.ImageEditor, gr.HTML]:
    canvas = gr.State(None)
    with gr.Row():
        with gr.Column(min_width=320):
            editor = Editor(
                type="numpy",
                image_mode="RGBA",
                sources=["upload"],
                transforms=(),
                layers=False,
                canvas_size=(drawing.SIDE, drawing.SIDE),
                fixed_canvas=True,
                label="Draw here",
                elem_id="canvas",
                buttons=[],
                format="png",
                height=640,
            )
            legend = gr.HTML("", elem_id="legend")
            with gr.Row():
                paint = gr.Button("Translate the drawing", variant="primary", elem_id="paint")
                colours = gr.UploadButton(
                    "Colours of a label map", file_types=["image"], elem_id="colours", min_width=120
                )
        with gr.Column(min_width=320):
            result = gr.Image(
                label="What the model sees in it",
                interactive=False,
                format="png",
                elem_id="drawn",
                height=640,
                buttons=["download", "fullscreen"],
            )
            said = gr.HTML("", elem_id="drawn-status")

    def turn(drawn: dict[str, Any] | None, canvas: Canvas | None, name: str | None, direction: str | None) -> list[Any]:
        try:
            return [_painted(page, drawn, canvas, name, direction), ""]
        except UserError as error:
            return [gr.skip(), shown.problem(str(error))]

    def follow(
        drawn: dict[str, Any] | None, canvas: Canvas | None, name: str | None, direction: str | None
    ) -> list[Any]:
        # The paper itself is a change too, each time that a model is chosen.
        blank = canvas is None or not drawn or drawn.get("composite") is None or canvas.is_blank(drawn["composite"])
        return [gr.skip(), gr.skip()] if blank else turn(drawn, canvas, name, direction)

    given = [editor, canvas, model, way]
    paint.click(turn, given, [result, said], **PRIVATE)
    editor.input(follow, given, [result, said], **QUIET, trigger_mode="always_last")

    def take(file: str, before: Canvas | None) -> list[Any]:
        try:
            palette = take_palette(Path(file), page.limits)
        except UserError as error:
            return [gr.skip(), gr.skip(), shown.problem(str(error))]
        width, height = (before.width, before.height) if before else (drawing.SIDE, drawing.SIDE)
        return with_canvas(Canvas("labels", palette, width, height))

    colours.upload(take, [colours, canvas], [canvas, editor, legend], **QUIET)
    return canvas, editor, legend


def _painted(
    page: Setup, drawn: dict[str, Any] | None, canvas: Canvas | None, name: str | None, direction: str | None
) -> Array | Any:
    """A drawing through the model, at the scale that it was trained at; nothing for an empty canvas."""
    picture = drawn.get("composite") if drawn else None
    if canvas is None or picture is None:
        return gr.skip()
    translator = page.shelf.open(name, direction)
    if translator.fit == "native":
        translator.fit = min(parse_size(translator.card.size))
    return translator(canvas.source(picture))


def with_canvas(canvas: Canvas) -> list[Any]:
    """The canvas, the editor with its colours and its paper, and the legend."""
    pens = [drawing.as_hex(colour) for colour in canvas.colours[1:]]
    if canvas.pens == "labels":
        pens.append(drawing.as_hex(canvas.colours[0]))
    size = round(0.05 * min(canvas.width, canvas.height)) if canvas.pens == "labels" else 4
    return [
        canvas,
        gr.ImageEditor(
            value={"background": canvas.paper, "layers": [], "composite": canvas.paper},
            brush=gr.Brush(colors=list(pens), default_color=pens[0], color_mode="fixed", default_size=size),
            eraser=gr.Eraser(default_size=3 * size),
            canvas_size=(canvas.width, canvas.height),
        ),
        shown.legend(canvas),
    ]

"""The page's layout and what happens when something on it is pressed: Gradio alone, the work is done elsewhere."""

from functools import partial
from typing import Any

import gradio as gr

from i2i import __version__
from i2i.app import drawing, shown
from i2i.app.page.draw_tab import draw_tab, with_canvas
from i2i.app.page.look import style, theme
from i2i.app.page.setup import QUIET, Setup
from i2i.app.page.training_tab import training_tab
from i2i.app.page.translate_tab import translate_tab
from i2i.errors import UserError

__all__ = ["Setup", "build", "style", "theme"]

AT_ONCE = 4
"""People whose pictures take turns; the others queue."""
QUEUE = 64
"""Waiting at most; who comes then is told to come back."""
WAYS = {"AtoB": "A to B", "BtoA": "B to A"}


def build(page: Setup) -> gr.Blocks:
    """The page. Its look is given when it is mounted: `theme` and `style`."""
    with gr.Blocks(title="i2i", analytics_enabled=False, delete_cache=(3600, 6 * 3600)) as blocks:
        gr.HTML(
            '<header class="i2i-head"><p>i2i</p><h1>Your pictures, translated</h1>'
            "<p>They are computed on the machine that runs this page, and sent nowhere else.</p></header>"
        )
        with gr.Row(elem_id="model-row", equal_height=True) as chooser:
            offers = page.shelf.offers()
            model = gr.Dropdown(
                [offer.name for offer in offers],
                value=offers[0].name if offers else None,
                label="Model",
                elem_id="model",
                scale=2,
                filterable=False,
            )
            way = gr.Radio([], label="Direction", elem_id="direction", scale=1, visible=False)
        about = gr.HTML("", elem_id="about")
        with gr.Tabs():
            with gr.Tab("Translate", id="translate") as translating:
                translate_tab(page, blocks, model, way)
            with gr.Tab("Draw", id="draw") as draws:
                drawn = draw_tab(page, model, way)
            if page.shelf.runs is not None or page.shelf.watched():
                with gr.Tab("Training", id="training") as training:
                    timer = training_tab(page, blocks)
                training.select(
                    lambda: (gr.Row(visible=False), gr.HTML(visible=False), gr.Timer(active=True)),
                    outputs=[chooser, about, timer],
                    **QUIET,
                )
                for tab in (translating, draws):
                    tab.select(
                        lambda: (gr.Row(visible=True), gr.HTML(visible=True), gr.Timer(active=False)),
                        outputs=[chooser, about, timer],
                        **QUIET,
                    )
        gr.HTML(f'<footer class="i2i-foot">i2i {__version__}</footer>')
        canvas, editor, legend = drawn
        chosen = [way, about, canvas, editor, legend]
        blocks.load(partial(_offered, page), [model], [model, *chosen], **QUIET)
        model.input(partial(_chosen, page), [model], chosen, **QUIET)
    return blocks.queue(max_size=QUEUE, default_concurrency_limit=AT_ONCE)


def _offered(page: Setup, name: str | None) -> list[Any]:
    """The models as they are now: runs may have come since the page was made."""
    names = [offer.name for offer in page.shelf.offers()]
    name = name if name in names else (names[0] if names else None)
    return [gr.Dropdown(names, value=name), *_chosen(page, name)]


def _chosen(page: Setup, name: str | None) -> list[Any]:
    """What follows from the choice of a model: directions, a line about it, and the canvas."""
    try:
        offer = page.shelf.offer(name)
        card = page.shelf.open(offer.name, None).card
    except UserError as error:
        return [gr.Radio(visible=False), shown.problem(str(error)), gr.skip(), gr.skip(), gr.skip()]
    ways = [(WAYS[one], one) for one in offer.directions]
    canvas = drawing.canvas_for(card, page.palette)
    return [
        gr.Radio(ways, value=offer.directions[0], visible=len(ways) > 1),
        shown.about(card),
        *with_canvas(canvas),
    ]

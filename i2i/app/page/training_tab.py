"""The tab of a training run, which is looked at again and again while it is open."""

from typing import Any

import gradio as gr

from i2i.app import live, shown
from i2i.app.page.setup import QUIET, Setup

LATEST = "latest"
LOOK_S = 4.0
"""Between two looks at a run."""


def training_tab(page: Setup, blocks: gr.Blocks) -> gr.Timer:
    with gr.Row():
        run = gr.Dropdown([], label="Run", elem_id="run", scale=2, filterable=False)
        sample = gr.Dropdown([LATEST], value=LATEST, label="Samples of step", elem_id="sample", filterable=False)
    view = gr.HTML("", elem_id="view")
    state = gr.State(None)
    timer = gr.Timer(LOOK_S, active=False)

    def offered(name: str | None) -> list[Any]:
        found = page.shelf.watched()
        newest = max(found, key=lambda one: live.state_of(found[one])[2:3], default=None)
        name = name if name in found else newest
        return [gr.Dropdown(list(found), value=name), *look(name, LATEST, None)]

    def look(name: str | None, step: str, before: Any) -> list[Any]:
        """The run, where it has changed since; a run is a name of the list, never a path."""
        path = page.shelf.watched().get(name or "")
        if path is None:
            return [gr.skip(), "<p class='i2i-empty'>No run yet: start one with i2i train.</p>", None]
        now = (name, step, *live.state_of(path))
        if before == now:
            return [gr.skip(), gr.skip(), gr.skip()]
        seen = live.look(path)
        steps = {sample.stem: sample for sample in seen.samples}
        chosen = steps.get(step) or (seen.samples[-1] if seen.samples else None)
        choices = gr.Dropdown([LATEST, *reversed(steps)], value=step if step in steps else LATEST)
        return [choices, shown.run(seen, chosen), now]

    def tick(name: str | None, step: str, before: Any) -> list[Any]:
        """Look again, also for a run where there was none."""
        return [gr.skip(), *look(name, step, before)] if name else offered(None)

    outputs = [sample, view, state]
    blocks.load(offered, [run], [run, *outputs], **QUIET)
    timer.tick(tick, [run, sample, state], [run, *outputs], **QUIET)
    run.input(lambda name: look(name, LATEST, None), [run], outputs, **QUIET)
    sample.input(look, [run, sample, state], outputs, **QUIET)
    return timer

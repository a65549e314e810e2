"""The tab for pictures: drop them, press Translate, slide between before and after, download."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import gradio as gr

from i2i import conversion
from i2i.app import shown
from i2i.app.page.setup import PRIVATE, QUIET, Setup
from i2i.app.translating import Done, translate
from i2i.app.workspace import JobFolder
from i2i.errors import UserError
from i2i.translator import Fit

FITS: dict[str, Fit | None] = {"as trained": None, "its own size": "native"}
FORMATS = {"as uploaded": "keep", "PNG": "png", "JPEG": "jpg", "WebP": "webp", "TIFF": "tif"}


@dataclass(slots=True)
class Job:
    """What one person's last translation left."""

    folder: JobFolder
    done: Done


def translate_tab(page: Setup, blocks: gr.Blocks, model: gr.Dropdown, way: gr.Radio) -> None:
    limits = page.limits
    with gr.Row():
        with gr.Column(scale=2, min_width=300):
            files = gr.File(
                file_count="multiple",
                file_types=["image", ".zip"],
                label="Pictures, or a zip of them",
                elem_id="files",
                height=210,
            )
            with gr.Accordion("Camera", open=False, elem_id="camera-box"):
                camera = gr.Image(
                    sources=["webcam"],
                    type="filepath",
                    format="png",
                    show_label=False,
                    elem_id="camera",
                    webcam_options=gr.WebcamOptions(mirror=False),
                    buttons=[],
                )
            with gr.Accordion("More", open=False, elem_id="more"):
                fit = gr.Dropdown(
                    [*FITS, "256", "512", "1024"],
                    value="as trained",
                    label="The network sees a picture",
                    info="as it was trained, in the picture's own size, or with this short side",
                    filterable=False,
                )
                detail = gr.Checkbox(False, label="Bring back fine detail of large pictures")
                format = gr.Dropdown(list(FORMATS), value="as uploaded", label="Save as", filterable=False)
            with gr.Row():
                go = gr.Button("Translate", variant="primary", elem_id="go", scale=3)
                stop = gr.Button("Stop", elem_id="stop", visible=False, scale=1, min_width=80)
            gr.HTML(
                f'<p class="i2i-hint">Any size; results keep it. At once: {limits.pictures} pictures, '
                f"{limits.megabytes} MB, {limits.megapixels} megapixels each.</p>"
            )
        with gr.Column(scale=3, min_width=320):
            status = gr.HTML("", elem_id="status")
            compared = gr.HTML(
                '<p class="i2i-empty">The translation appears here, with a slider between before and after.</p>',
                elem_id="compared",
            )
            strip = gr.Gallery(
                label="Translated",
                show_label=False,
                columns=6,
                height="auto",
                allow_preview=False,
                object_fit="cover",
                visible=False,
                interactive=False,
                elem_id="strip",
                buttons=[],
            )
            with gr.Row(visible=False) as downloads:
                one = gr.DownloadButton("Download this picture", elem_id="download-one", size="md")
                every = gr.DownloadButton("Download all as a zip", elem_id="download-all", size="md")
    job = gr.State(None, time_to_live=6 * 3600, delete_callback=_forget)
    stops: dict[str, threading.Event] = {}

    def work(
        files: list[str] | None,
        camera: str | None,
        name: str | None,
        direction: str | None,
        fit: str,
        detail: bool,
        format: str,
        before: Job | None,
        request: gr.Request,
    ) -> Iterator[list[Any]]:
        _forget(before)
        uploads = [Path(file) for file in [*(files or []), *([camera] if camera else [])]]
        folder = page.workspace.job()
        ours = Job(folder, Done([]))
        event = stops[str(request.session_hash)] = threading.Event()
        hidden = [gr.skip(), gr.Gallery([], visible=False), gr.Row(visible=False), gr.skip(), gr.skip()]
        # Written down at once: whatever happens, the next translation or the end of the session clears the folder.
        yield [shown.progress(0, 0), *hidden, ours, gr.Button(visible=True)]
        try:
            translator = page.shelf.open(
                name,
                direction,
                fit=FITS[fit] if fit in FITS else int(fit),
                detail="guided" if detail else "none",
            )
            for at in translate(translator, uploads, folder, limits, format=_format(format), stop=event):
                if isinstance(at, Done):
                    ours.done = at
                    yield [shown.outcome(at), *_results(ours), ours, gr.Button(visible=False)]
                else:
                    yield [shown.progress(at.done, at.total, at.failed), *([gr.skip()] * 7)]
        except UserError as error:
            yield [shown.problem(str(error)), *([gr.skip()] * 6), gr.Button(visible=False)]

    def halt(request: gr.Request) -> None:
        if (event := stops.pop(str(request.session_hash), None)) is not None:
            event.set()

    go.click(
        work,
        [files, camera, model, way, fit, detail, format, job],
        [status, compared, strip, downloads, one, every, job, stop],
        show_progress="hidden",
        show_progress_on=[status],
        **PRIVATE,
    )
    stop.click(halt, **QUIET)
    blocks.unload(halt)
    strip.select(_show, [job], [compared, one], **QUIET)


def _results(job: Job) -> list[Any]:
    """The comparison, the strip and the downloads of what was translated."""
    made = job.done.made
    if not made:
        return [gr.skip(), gr.Gallery([], visible=False), gr.Row(visible=False), gr.skip(), gr.skip()]
    names = shown.names(made, job.folder.inputs)
    zipped = job.done.zipped
    thumbnails = [(shown.thumbnail(target), name) for (_, target), name in zip(made, names, strict=True)]
    return [
        shown.comparison(*made[0], names[0]),
        gr.Gallery(thumbnails if len(made) > 1 else [], visible=len(made) > 1, selected_index=None),
        gr.Row(visible=True),
        gr.DownloadButton(value=str(made[0][1])),
        gr.DownloadButton(value=str(zipped) if zipped else None, visible=zipped is not None),
    ]


def _show(job: Job | None, event: gr.SelectData) -> list[Any]:
    """Another one of the results."""
    index = event.index
    if job is None or not isinstance(index, int) or not 0 <= index < len(job.done.made):
        return [gr.skip(), gr.skip()]
    pair = job.done.made[index]
    name = shown.names([pair], job.folder.inputs)[0]
    return [shown.comparison(*pair, name), gr.DownloadButton(value=str(pair[1]))]


def _forget(job: Job | None) -> None:
    """Remove what a translation left."""
    if job is not None:
        job.folder.remove()


def _format(name: str) -> conversion.Format:
    found = FORMATS.get(name, "keep")
    return next(one for one in get_args(conversion.Format) if one == found)

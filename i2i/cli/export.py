"""`i2i export`: a model as ONNX, for programs and machines without torch."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import tyro

from i2i.cli.parsing import Switch, flag, parse
from i2i.errors import SettingsError
from i2i.settings import Direction


@dataclasses.dataclass(frozen=True, kw_only=True)
class Export:
    """The flags of an export; its words are MODEL OUT.onnx."""

    words: Annotated[tuple[str, ...], tyro.conf.Positional, flag(metavar="MODEL OUT.onnx")] = ()
    """A run, a translator file or a reference .pth; the file to write."""
    direction: Annotated[Direction | None, flag(metavar="AtoB|BtoA")] = None
    """Which translator of a CycleGAN run; AtoB where nothing is said."""
    norm_mode: Annotated[Literal["running", "picture"] | None, flag(metavar="running|picture")] = None
    """Batch norm by its running statistics or by each picture's own; the model says which is better."""
    opset: Annotated[int, tyro.conf.arg()] = 18
    """Version of ONNX's operators."""
    overwrite: Switch = False
    """Replace a file that is there already."""


def main(args: Sequence[str]) -> int:
    """Export, and say by how much the result differs from the original's."""
    asked, behind = parse(
        Export(),
        args,
        "i2i export",
        "Write a model as ONNX, for any size and number of pictures; i2i translate runs it too.\n\n"
        "Example: i2i export runs/facades facades.onnx",
    )
    words = [*asked.words, *behind]
    if len(words) != 2:
        raise SettingsError(
            f"wanted a model and a file to write, as in: i2i export runs/facades facades.onnx; got {len(words)} of "
            f"these. See i2i export --help"
        )
    from i2i.translator.export import export

    model, out = map(Path, words)
    comparisons = export(
        model,
        out,
        direction=asked.direction,
        norm_mode=asked.norm_mode,
        opset=asked.opset,
        overwrite=asked.overwrite,
    )
    print(f"{out}: {out.stat().st_size / 1e6:.1f} MB.")
    for one in comparisons:
        sizes = ", ".join(f"{count} of {width} x {height}" for count, height, width in one.sizes)
        levels = one.largest * 127.5
        print(f"{one.engine}: largest difference from the original {one.largest:.1e} ({levels:.4f} of 255; {sizes}).")
    if not comparisons:
        print(
            "Not compared with the original: that needs onnxruntime or openvino. Install one with pip install "
            "'i2i-toolkit[onnx]' or 'i2i-toolkit[openvino]'."
        )
    return 0

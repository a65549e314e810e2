"""A network as ONNX, for any size and number of pictures, with what it needs to be used in the file's metadata."""

import copy
import dataclasses
import importlib.util
import json
import logging
import warnings
from typing import TYPE_CHECKING, cast

import torch
from torch import nn

from i2i import __version__
from i2i.data.tasks.settings import scale_of
from i2i.errors import SettingsError
from i2i.networks.blocks import BatchNorm, InstanceNorm
from i2i.translator.card import CARD, Card, NormMode

if TYPE_CHECKING:
    import onnx

FORMAT = "i2i-translator"
OPSET = 18
"""The lowest that torch writes and so what most programs read."""
INPUT, OUTPUT = "picture", "result"
_CHANNELS = {
    "inpaint": "where the task has a mask, it first: 1 in holes and -1 elsewhere; then the picture, holes 0",
    "next-frame": "those of the frames, the oldest first",
}
"""Of tasks whose source is no picture alone."""


def to_onnx(network: nn.Module, card: Card, *, norm_mode: NormMode | None = None, opset: int = OPSET) -> bytes:
    """The network in float32, as it translates: dropout off, norms as they are set. Takes some 10 seconds.

    `norm_mode` is what the card in the file says instead of its own.

    Written by torch.export, which torch keeps up; its older exporter is deprecated. Raises SettingsError where the
    packages for it are missing, or the opset is none that it writes.
    """
    for name in ("onnx", "onnxscript"):
        if importlib.util.find_spec(name) is None:
            raise SettingsError(f"writing ONNX needs {name}. Install it with pip install 'i2i-toolkit[onnx]'.")
    import onnx

    newest = onnx.defs.onnx_opset_version()
    if not OPSET <= opset <= newest:
        raise SettingsError(f"opset {opset}: wanted {OPSET} to {newest}.")
    side = max(8, cast(int, network.multiple))
    # Sides and counts that differ, so that none is taken for another; none of 1, which would be taken for always 1.
    example = torch.zeros(2, card.in_channels, 2 * side, 3 * side)
    free = torch.export.Dim.DYNAMIC
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        logging.getLogger("onnxscript").setLevel(logging.ERROR)
        program = torch.onnx.export(
            _with_plain_norms(network),
            (example,),
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_shapes=({0: free, 2: free, 3: free},),
            opset_version=opset,
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    model = cast("onnx.ModelProto", program.model_proto)
    _tidy(model)
    said = dataclasses.replace(card, norm_mode=norm_mode or card.norm_mode)
    for key, value in _metadata(said, side).items():
        model.metadata_props.add(key=key, value=value)
    return model.SerializeToString()


def _with_plain_norms(network: nn.Module) -> nn.Module:
    """A copy on the CPU whose norms are torch's own, which become one node each: group norm becomes five."""
    plain = copy.deepcopy(network).cpu().float().eval()
    for parent in list(plain.modules()):
        for name, layer in list(parent.named_children()):
            if isinstance(layer, InstanceNorm):
                setattr(parent, name, nn.InstanceNorm2d(layer.channels, eps=layer.eps).eval())
            elif isinstance(layer, BatchNorm) and layer.own_statistics:
                own = nn.InstanceNorm2d(layer.num_features, eps=layer.eps, affine=True).eval()
                own.load_state_dict({"weight": layer.weight, "bias": layer.bias})
                setattr(parent, name, own)
    return plain.requires_grad_(False)


def _tidy(model: "onnx.ModelProto") -> None:
    """Leave out what the exporter notes of its machine (lines of source, their paths), and name the dimensions."""
    model.producer_name, model.producer_version = "i2i", __version__
    graph = model.graph
    graph.name = "generator"
    del graph.value_info[:]
    for node in graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    for value in [*graph.input, *graph.output]:
        value.doc_string = ""
        del value.metadata_props[:]
        for index, name in ((0, "count"), (2, "height"), (3, "width")):
            value.type.tensor_type.shape.dim[index].Clear()
            value.type.tensor_type.shape.dim[index].dim_param = name
    for tensor in graph.initializer:
        tensor.doc_string = ""
        del tensor.metadata_props[:]
    del model.metadata_props[:]


def _metadata(card: Card, multiple: int) -> dict[str, str]:
    """The card for us, and what another program has to do to a picture, in words that need no source of ours."""
    before = {
        "layout": "NCHW float32",
        "channels": _CHANNELS.get(card.task.kind) or ("RGB" if card.in_channels == 3 else "gray"),
        "task": dataclasses.asdict(card.task),
        "range": [-1, 1],
        "resize": card.resize,
        "size": card.size,
        "interpolation": "nearest" if card.labels else "bicubic, antialiased",
        "multiple": multiple,
        "padding": "reflect at the bottom and the right, to the multiple",
    }
    after = {
        "channels": "RGB" if card.out_channels == 3 else "gray",
        "range": [-1, 1],
        "scale": scale_of(card.task),
        "crop": "the padding, times what the network enlarges",
        "rounding": "clamp to the range, then to the nearest level",
    }
    return {
        "format": FORMAT,
        "i2i": __version__,
        "card": CARD.dump_json(card).decode(),
        "multiple": str(multiple),
        "preprocessing": json.dumps(before),
        "postprocessing": json.dumps(after),
    }

"""Exported networks of a few bytes, made by hand: exporting one takes seconds."""

from pathlib import Path
from typing import Any

import numpy as np

from i2i.networks.settings import ResNet
from i2i.translator import Card
from i2i.translator.card import CARD
from i2i.translator.onnx_file import FORMAT

CARD_OF_IT = Card(architecture=ResNet(width=2, blocks=1), in_channels=3, out_channels=3)


def identity(factor: float = 1.0, opset: int = 18) -> Any:
    """A convolution of one pixel that multiplies by `factor`, with the description of an export."""
    from onnx import TensorProto, helper, numpy_helper

    weight = numpy_helper.from_array(factor * np.eye(3, dtype=np.float32)[:, :, None, None], "weight")
    shape = ["count", 3, "height", "width"]
    graph = helper.make_graph(
        [helper.make_node("Conv", ["picture", "weight"], ["result"])],
        "generator",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("result", TensorProto.FLOAT, shape)],
        [weight],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
    describe(model, format=FORMAT, card=CARD.dump_json(CARD_OF_IT).decode(), multiple="4")
    return model


def describe(model: Any, **metadata: str) -> None:
    """Set entries of a model's metadata."""
    kept = {entry.key: entry.value for entry in model.metadata_props} | metadata
    del model.metadata_props[:]
    for key, value in kept.items():
        model.metadata_props.add(key=key, value=value)


def write(path: Path, model: Any) -> Path:
    """The model as a file."""
    path.write_bytes(model.SerializeToString())
    return path

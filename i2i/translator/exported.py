"""Exported networks that come from elsewhere: looked through before any engine sees them."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError
from torch import Tensor, nn

from i2i.errors import ModelFileError, SettingsError
from i2i.translator.card import CARD, Card
from i2i.translator.onnx_file import FORMAT

if TYPE_CHECKING:
    import onnx

MAX_BYTES = (1 << 31) - 1
"""What an ONNX file can hold at all; the paper's U-Net of width 64 has 218 MB."""
MAX_CARD_BYTES = 1 << 16
OPERATORS = frozenset(
    {
        "Add",
        "AveragePool",
        "BatchNormalization",
        "Cast",
        "Clip",
        "Concat",
        "Constant",
        "Conv",
        "ConvTranspose",
        "DepthToSpace",
        "Gather",
        "Identity",
        "InstanceNormalization",
        "LeakyRelu",
        "Mul",
        "Pad",
        "Relu",
        "Reshape",
        "Resize",
        "Shape",
        "Sigmoid",
        "Slice",
        "Sub",
        "Tanh",
        "Transpose",
        "Unsqueeze",
    }
)
"""What generators are made of. No loops and no branches, whose length a file would decide; none of anyone's own."""


class Exported(nn.Module):
    """An exported network in place of torch's: an engine has to run it."""

    def __init__(self, model: bytes, multiple: int, path: Path) -> None:
        super().__init__()
        self.model, self.multiple, self.path = model, multiple, path

    def forward(self, x: Tensor) -> Tensor:
        raise NotImplementedError("an exported network is run by its backend")


def load_exported(path: Path) -> tuple[Exported, Card]:
    """An .onnx file of `i2i export`, and the card in it.

    What lies outside the file is never read. Raises ModelFileError where it is another's or does more than a
    generator, SettingsError where the package onnx is missing.
    """
    try:
        import onnx
        from google.protobuf.message import DecodeError
    except ImportError:
        raise SettingsError(
            f"{path}: reading ONNX needs onnx. Install it with pip install 'i2i-toolkit[onnx]', or "
            f"'i2i-toolkit[openvino]'."
        ) from None
    try:
        if not path.is_file():  # opening a pipe would wait for ever
            raise ModelFileError(f"{path}: not a file.")
        if (size := path.stat().st_size) > MAX_BYTES:
            raise ModelFileError(f"{path}: has {size / 1e9:.1f} GB; an ONNX file has 2.1 at most.")
        data = path.read_bytes()
        model = onnx.load_model_from_string(data)  # unlike load_model, reads no other file
    except OSError as error:
        raise ModelFileError(f"{path}: cannot be read ({error.strerror or error}).") from None
    except DecodeError:
        raise ModelFileError(f"{path}: not an ONNX file, or damaged.") from None
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    if metadata.get("format") != FORMAT or "card" not in metadata:
        raise ModelFileError(
            f"{path}: an ONNX file without i2i's description of its pictures (size, range, multiple). Wanted one that "
            f"i2i export has written."
        )
    card = _card(path, metadata["card"])
    multiple = metadata.get("multiple", "")
    if not (multiple.isascii() and multiple.isdecimal() and len(multiple) <= 5 and 1 <= int(multiple) <= 1 << 12):
        raise ModelFileError(f"{path}: its description cannot be used (multiple: {multiple[:20]!r}).")
    if reason := next(_refused(model, card), None):
        raise ModelFileError(f"{path}: {reason}; it is no generator of i2i and is not run.")
    return Exported(data, int(multiple), path), card


def _card(path: Path, text: str) -> Card:
    if len(text) > MAX_CARD_BYTES:
        raise ModelFileError(f"{path}: its description has {len(text):,} letters; a card has 500.")
    try:
        return CARD.validate_json(text)
    except ValidationError as error:
        found = error.errors()[0]
        place = ".".join(map(str, found["loc"]))
        raise ModelFileError(f"{path}: its description cannot be used ({place}: {found['msg']}).") from None


def _refused(model: "onnx.ModelProto", card: Card) -> Iterator[str]:
    """Why the file is not run, if it is not."""
    import onnx

    graph = model.graph
    if model.functions or model.training_info or graph.sparse_initializer:
        yield "it has functions, training or sparse weights of its own"
    if odd := {entry.domain for entry in model.opset_import} - {"", "ai.onnx"}:
        yield f"it needs operators of {sorted(odd)[0][:40]!r}"
    tensors = list(graph.initializer)
    for node in graph.node:
        if node.domain not in ("", "ai.onnx") or node.op_type not in OPERATORS:
            yield f"it has an operator {node.op_type[:40]!r}"
        for attribute in node.attribute:
            if attribute.HasField("g") or attribute.graphs:
                yield f"its {node.op_type[:40]!r} holds a graph"
            if attribute.HasField("sparse_tensor") or attribute.sparse_tensors:
                yield "it has sparse weights"
            tensors += [attribute.t, *attribute.tensors]
    if any(tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data for tensor in tensors):
        yield "its weights lie in another file"
    if [_channels(value) for value in graph.input] != [card.in_channels]:
        yield f"its input is not one picture of {card.in_channels} channels"
    if [_channels(value) for value in graph.output] != [card.out_channels]:
        yield f"its output is not one picture of {card.out_channels} channels"


def _channels(value: "onnx.ValueInfoProto") -> int:
    """Of a float32 picture, (N, C, H, W); 0 of anything else."""
    import onnx

    kind = value.type.tensor_type
    plain = kind.elem_type == onnx.TensorProto.FLOAT and len(kind.shape.dim) == 4
    return kind.shape.dim[1].dim_value if plain else 0

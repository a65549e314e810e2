"""Read torch's own files from strangers: nothing in them runs, and none takes more memory than it has bytes."""

import warnings
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING

from i2i.errors import ModelFileError

if TYPE_CHECKING:
    from torch import Tensor

_ZIP = b"PK\x03\x04"


def read_torch(path: Path, wanted: str, *, advice: str = "", device: str = "cpu") -> object:
    """What `torch.save` put into a file: tensors, numbers, text and containers of these.

    `wanted` and `advice` are for the error: "not {wanted} (why). {advice}". Raises ModelFileError, and
    FileNotFoundError where there is no such file.
    """
    import torch

    try:
        if path.exists() and not path.is_file():  # opening a pipe would wait for ever
            raise ValueError("it is a folder" if path.is_dir() else "it is no file")
        with path.open("rb") as file:
            _refuse_packed(file)
            file.seek(0)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of odd pickles, which are refused anyhow
                found: object = torch.load(file, map_location=device, weights_only=True)
        _refuse_more_than(path.stat().st_size, found)
    except FileNotFoundError:
        raise
    except Exception as error:  # noqa: BLE001  torch.load raises whatever its zip reader, unpickler or codecs meet
        # A file of something else ends as a lone KeyError(105), which says nothing to anybody.
        text = str(error).strip()
        reason = " ".join(text.splitlines()[0].split())[:200] if " " in text else "torch cannot read it"
        raise ModelFileError(f"{path}: not {wanted} ({reason}).{f' {advice}' if advice else ''}") from None
    return found


def _refuse_packed(file: IO[bytes]) -> None:
    """Torch writes zips without compression but unpacks compressed ones too: 1 MB of them fills 1 GB of memory."""
    if file.read(4) != _ZIP:
        return
    length = file.seek(0, 2)
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
    if any(member.compress_type != zipfile.ZIP_STORED for member in members):
        raise ValueError("a compressed zip, which torch does not write")
    claimed = sum(member.file_size for member in members)
    if claimed > length:
        raise ValueError(f"its members claim {claimed:,} bytes, and the whole file has {length:,}")


def _refuse_more_than(length: int, found: object) -> None:
    """A tensor may repeat one number a billion times by its strides, or have a shape and no numbers at all."""
    import torch

    claimed = 0
    for tensor in _tensors(found):
        if tensor.layout != torch.strided or tensor.is_quantized or tensor.device.type == "meta":
            raise ValueError("it holds a tensor that is sparse, quantized or without numbers")
        own = tensor.untyped_storage().nbytes()
        if tensor.numel() * tensor.element_size() > own or own > length:
            raise ValueError(f"a tensor of {tuple(tensor.shape)} in it is larger than what the file holds of it")
        claimed += tensor.numel() * tensor.element_size()
    if claimed > 4 * length:  # weights may be tied, but not a thousand times
        raise ValueError(f"its tensors claim {claimed:,} bytes, and the file has {length:,}")


def _tensors(found: object) -> "Iterator[Tensor]":
    import torch

    todo, seen = [found], set[int]()
    while todo:
        one = todo.pop()
        if isinstance(one, torch.Tensor):
            yield one
        elif isinstance(one, (Mapping, list, tuple, set)) and id(one) not in seen:  # pickles can go round in a circle
            seen.add(id(one))
            todo.extend(one.values() if isinstance(one, Mapping) else one)

"""A trained generator as picture to picture: any size in, the same size out."""

import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, cast, overload

import numpy as np
import torch
from PIL import Image
from pydantic import AfterValidator, Field, TypeAdapter, ValidationError
from torch import Tensor, nn
from torch.nn import functional

from i2i import __version__, images
from i2i.data.machine import free_memory
from i2i.engine.device import Precision, choose_device, choose_precision
from i2i.errors import ModelFileError, PictureError, SettingsError
from i2i.files import write_safetensors
from i2i.images.detail import guided
from i2i.networks import reference
from i2i.networks.blocks import BatchNorm
from i2i.networks.settings import Generator, ResNet, UNet
from i2i.networks.shapes import Shapes, fill, only_shapes, refuse_misfits
from i2i.settings import Direction, Resize, Size, parse_size, settings

Array = np.ndarray[Any, Any]
NormMode = Literal["running", "picture"]
Fit = Literal["trained", "native"] | int
Detail = Literal["none", "guided"]
FORMAT = "i2i-translator"
_MAPS = {"resnet": 3.6, "unet": 1.8}
"""Feature maps of the full size and width that inference holds at its peak, measured at 1024 x 1024 pixels."""
_UNHEEDED_BYTES = 1 << 28
"""What is too little to look for free memory."""
MAX_CARD_BYTES = 1 << 16
"""A longer description is refused; a card has some 500 bytes."""
_TYPES = frozenset({"F16", "BF16", "F32", "F64", "I64"})
"""What weights are stored as; batch norm counts in I64."""


def _no_larger(size: str) -> str:
    if max(parse_size(size)) > 8192:
        raise ValueError(f"no network is trained at {size} pixels, wanted 8192 a side at most")
    return size


@settings
class Card:
    """What a translator file says of itself, beside its weights."""

    architecture: Generator
    """The generator."""
    in_channels: Annotated[int, Field(gt=0, le=64)]
    """Channels of the source."""
    out_channels: Annotated[int, Field(gt=0, le=64)]
    """Channels of the result."""
    direction: Direction = "AtoB"
    """Which way it translates."""
    resize: Resize = "none"
    """How training brought pictures to its scale."""
    size: Annotated[Size, AfterValidator(_no_larger)] = "256"
    """The training crop, 8192 a side at most: pictures are enlarged to it."""
    labels: bool = False
    """Whether the source holds label maps, which are resized by nearest neighbour."""
    norm_mode: NormMode = "running"
    """Batch norm by its running statistics, or by those of each picture alone."""
    recipe: str = ""
    """The recipe that trained it."""
    steps: Annotated[int, Field(ge=0)] = 0
    """Training steps behind it."""
    version: str = __version__
    """The i2i that wrote it."""


_CARD: TypeAdapter[Card] = TypeAdapter(Card)


class Translator:
    """A generator with the geometry it was trained in.

    Deterministic, and looks at one picture at a time: dropout is off, and batch norm never takes a picture's
    neighbours into account.
    """

    def __init__(
        self,
        network: nn.Module,
        card: Card,
        *,
        device: str = "auto",
        precision: Precision = "auto",
        fit: Fit | None = None,
        detail: Detail = "none",
        norm_mode: NormMode | None = None,
        batch_size: int = 8,
    ) -> None:
        self.card = card
        self.device = choose_device(device)
        self.precision = choose_precision(precision, self.device)
        self.fit: Fit = fit if fit is not None else ("native" if card.resize == "none" else "trained")
        if isinstance(self.fit, int) and self.fit < 8:
            raise SettingsError(f"fit {self.fit}: a short side has 8 pixels or more.")
        self.detail: Detail = detail
        self.batch_size = batch_size
        self.network = network.to(self.device).eval().requires_grad_(False)
        for layer in self.network.modules():
            if isinstance(layer, BatchNorm):
                layer.own_statistics = (norm_mode or card.norm_mode) == "picture"
        self._multiple: int = max(8, cast(int, network.multiple))

    @classmethod
    def load(
        cls,
        model: str | os.PathLike[str],
        *,
        device: str = "auto",
        direction: Direction | None = None,
        precision: Precision = "auto",
        fit: Fit | None = None,
        detail: Detail = "none",
        norm_mode: NormMode | None = None,
        batch_size: int = 8,
    ) -> "Translator":
        """Load a run folder, a translator file, or a bare generator of the reference implementation.

        Raises ModelFileError where it is none of these, or holds no such direction.
        """
        network, card = load_network(Path(model), direction)
        return cls(
            network,
            card,
            device=device,
            precision=precision,
            fit=fit,
            detail=detail,
            norm_mode=norm_mode,
            batch_size=batch_size,
        )

    # ------------------------------------------------------------------------------------------------------- pictures

    @overload
    def __call__(self, picture: str | os.PathLike[str] | Image.Image) -> Image.Image: ...
    @overload
    def __call__(self, picture: Array) -> Array: ...
    @overload
    def __call__(self, picture: Sequence[Any]) -> list[Any]: ...

    def __call__(self, picture: Any) -> Any:
        """Translate one picture or several; the result has the size and the kind of its source.

        Path or PIL image -> PIL image. Array (H, W, C) RGB uint8, uint16 (full range) or float32 in [0, 1] -> array of
        the same dtype and H x W. A list of any of these -> a list, batched by size.
        """
        if isinstance(picture, (list, tuple)):
            arrays = [_as_array(one) for one in picture]
            results = self.arrays(arrays)
            return [
                result if isinstance(one, np.ndarray) else _as_pil(result)
                for one, result in zip(picture, results, strict=True)
            ]
        return self([picture])[0]

    def arrays(self, pictures: Iterable[Array]) -> list[Array]:
        """Translate pictures (H, W, C); those that come to the same size go through the network together.

        Raises PictureError where one is too large for the memory there is.
        """
        pictures = list(pictures)
        for size in dict.fromkeys(picture.shape[:2] for picture in pictures):
            self.check_room(size)
        small = [self.prepare(picture) for picture in pictures]
        results: list[Array | None] = [None] * len(pictures)
        for together in _by_size(small, self.batch_size):
            outputs = self._translate_where_it_fits([small[index] for index in together])
            for index, output in zip(together, outputs, strict=True):
                results[index] = self.finish(output, small[index], pictures[index])
        return cast("list[Array]", results)

    def check_room(self, size: tuple[int, ...]) -> None:
        """Raise PictureError where a picture of that size, (height, width), needs more memory than is free.

        A system that runs out of memory ends the whole conversion; one pixel by 60,000, with its short side brought
        to 256, are 4 billion.
        """
        height, width = self.scaled(size)
        needed = height * width * self._pixel_bytes
        if needed > _UNHEEDED_BYTES and needed > (free := _free_memory()):
            raise PictureError(
                f"{size[1]} x {size[0]} pixels: translating them at {width} x {height} takes about "
                f"{needed / 1e9:,.0f} GB of memory, and {free / 1e9:,.0f} GB are free; give a smaller --fit"
            )

    @property
    def _pixel_bytes(self) -> int:
        """Memory a pixel of the network's input, in this process."""
        if self.device.type != "cpu":
            return 32  # there and back; what the device lacks it says itself
        half = self.precision == torch.bfloat16
        maps = _MAPS[self.card.architecture.kind]
        return 32 + round(maps * self.card.architecture.width * (2 if half else 4))

    def _translate_where_it_fits(self, pictures: Sequence[Array]) -> list[Array]:
        """Through the network together as far as memory allows, else one by one. Raises PictureError."""
        each = pictures[0].shape[0] * pictures[0].shape[1] * self._pixel_bytes
        together = len(pictures)
        if each * together > _UNHEEDED_BYTES:
            together = max(1, min(together, _free_memory() // each))
        results: list[Array] = []
        while start := pictures[len(results) : len(results) + together]:
            try:
                results += self.translate_prepared(start)
                continue
            except (RuntimeError, MemoryError) as error:
                if not _ran_out(error):
                    raise
            if together == 1:
                height, width = start[0].shape[:2]
                raise PictureError(
                    f"{width} x {height} pixels are too many for the memory of {self.device}; give a smaller --fit"
                )
            together = 1
            if self.device.type == "cuda":
                torch.cuda.empty_cache()
        return results

    def prepare(self, picture: Array) -> Array:
        """The picture at the network's scale: (H, W, C) -> (h, w, in_channels), same dtype."""
        picture = images.with_channels(picture, self.card.in_channels)
        return images.resize(picture, self.scaled(picture.shape[:2]), nearest=self.card.labels)

    def scaled(self, size: tuple[int, ...]) -> tuple[int, int]:
        """The size, (height, width), at which the network sees a picture of that size."""
        height, width = size[:2]
        crop = parse_size(self.card.size)
        if self.fit == "native" or (self.fit == "trained" and self.card.resize == "none"):
            return height, width
        if self.fit == "trained" and self.card.resize == "square":
            return crop
        short = min(crop) if self.fit == "trained" else cast(int, self.fit)
        factor = short / min(height, width)
        return max(1, round(height * factor)), max(1, round(width * factor))

    def translate_prepared(self, pictures: Sequence[Array]) -> list[Array]:
        """Pictures of one size and dtype through the network: (h, w, in_channels) -> (h, w, out_channels) each.

        They are padded to the network's multiple by reflection, and cropped back.
        """
        height, width = pictures[0].shape[:2]
        batch = images.to_network(np.stack(pictures)).to(self.device)
        batch = _pad(batch, -height % self._multiple, -width % self._multiple)
        # bf16 has 8 bits of mantissa: enough for 8-bit pictures, not for 16.
        half = self.precision == torch.bfloat16 and pictures[0].dtype == np.uint8
        with torch.inference_mode(), torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=half):
            output = self.network(batch)
        result = images.from_network(output[:, :, :height, :width], pictures[0].dtype)
        return list(result)

    def finish(self, output: Array, small: Array, picture: Array) -> Array:
        """The network's output at the picture's own size."""
        size = picture.shape[:2]
        if output.shape[:2] == size:
            return output
        if self.detail == "guided" and output.shape[0] < size[0]:
            as_float = [images.to_depth(part, np.float32) for part in (output, small, picture)]
            return images.to_depth(guided(*as_float), picture.dtype)
        return images.resize(output, size)


def load_network(path: Path, direction: Direction | None = None) -> tuple[nn.Module, Card]:
    """A generator and its card, from a run folder, a translator file, or a reference .pth."""
    if path.is_dir():
        path = _file_of_run(path, direction)
    if not path.exists():
        raise ModelFileError(
            f"{path}: no such model. A model is a run folder, a translator .safetensors, or a generator .pth of the "
            f"reference implementation."
        )
    if path.suffix != ".safetensors":
        network, card = _load_reference(path, direction)
    else:
        network, card = _load_file(path)
    if direction is not None and direction != card.direction:
        raise ModelFileError(f"{path}: translates {card.direction} alone, so there is no {direction} in it.")
    if not {card.in_channels, card.out_channels} <= {1, 3}:
        raise ModelFileError(
            f"{path}: translates {card.in_channels} channels to {card.out_channels}; a picture has 1 (gray) or 3 (RGB)."
        )
    return network, card


def save_network(network: nn.Module, card: Card, path: Path) -> None:
    """Write a translator file, whole at every moment."""
    metadata = {"format": FORMAT, "card": _CARD.dump_json(card).decode()}
    write_safetensors(network.state_dict(), metadata, path)


def _file_of_run(run: Path, direction: Direction | None) -> Path:
    one, two = run / "translator.safetensors", run / f"translator_{direction or 'AtoB'}.safetensors"
    if one.exists():
        card = _read_card(one)
        if direction is not None and direction != card.direction:
            raise ModelFileError(
                f"{run}: was trained on pairs {card.direction}, so it cannot translate {direction}. Train another run "
                f"with --direction {direction}."
            )
        return one
    if two.exists():
        return two
    if (run / "sampler.safetensors").exists():
        raise ModelFileError(
            f"{run}: makes pictures from noise (its samples are in {run / 'samples'}); it does not translate any."
        )
    if (run / "experiment.yaml").exists():
        raise ModelFileError(f"{run}: has no translator yet; its first checkpoint was not reached.")
    raise ModelFileError(f"{run}: not a run folder of i2i (no translator.safetensors in it).")


def _read_card(path: Path) -> Card:
    from safetensors import SafetensorError, safe_open

    try:
        if not path.is_file():  # opening a pipe would wait for ever
            raise OSError("it is no file")
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise ModelFileError(f"{path}: not a translator file ({error}).") from None
    if metadata.get("format") != FORMAT:
        raise ModelFileError(f"{path}: a safetensors file, but not a translator of i2i.")
    if len(metadata.get("card", "")) > MAX_CARD_BYTES:
        raise ModelFileError(f"{path}: its description has {len(metadata['card']):,} letters; a card has 500.")
    try:
        return _CARD.validate_json(metadata.get("card", ""))
    except ValidationError as error:
        found = error.errors()[0]
        place = ".".join(map(str, found["loc"]))
        raise ModelFileError(f"{path}: its description cannot be used ({place}: {found['msg']}).") from None


def _load_file(path: Path) -> tuple[nn.Module, Card]:
    from safetensors import SafetensorError, safe_open

    card = _read_card(path)
    side = 2 ** (card.architecture.depth if isinstance(card.architecture, UNet) and card.architecture.depth else 8)
    try:
        # Built without memory, and compared with the file's header before any weight is read.
        with only_shapes():
            network = card.architecture.build(card.in_channels, card.out_channels, (side, side))
        with safe_open(path, framework="pt") as file:
            names = list(file.keys())
            parts = {name: file.get_slice(name) for name in names}
            shapes = {name: tuple(part.get_shape()) for name, part in parts.items()}
            _refuse_odd_types({part.get_dtype() for part in parts.values()})
            _refuse_misfits(path, network, shapes)
            fill(network, {name: file.get_tensor(name) for name in names})
    except (SettingsError, SafetensorError, OSError, RuntimeError, OverflowError, TypeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise ModelFileError(f"{path}: describes a network that cannot be built ({reason}).") from None
    return network, card


def _refuse_odd_types(found: set[str]) -> None:
    if odd := found - _TYPES:
        raise TypeError(f"its weights are of type {', '.join(sorted(odd))}, wanted {', '.join(sorted(_TYPES))}")


def _refuse_misfits(path: Path, network: nn.Module, found: Shapes) -> None:
    try:
        refuse_misfits(network, found)
    except ValueError as error:
        raise ModelFileError(f"{path}: its weights are not those of the network it describes: {error}.") from None


def _load_reference(path: Path, direction: Direction | None) -> tuple[nn.Module, Card]:
    found = reference.read(path)
    if not isinstance(found.architecture, (UNet, ResNet)):
        raise ModelFileError(
            f"{path}: a discriminator, which judges pictures and translates none. Give the net_G file."
        )
    card = Card(
        architecture=found.architecture,
        in_channels=found.in_channels,
        out_channels=found.out_channels,
        direction=direction or "AtoB",
        recipe="reference",
    )
    return found.build(), card


def _free_memory() -> int:
    """Bytes of memory that are free, where the system says so."""
    return free_memory() if sys.platform == "linux" else 1 << 40


def _ran_out(error: BaseException) -> bool:
    """Whether memory ran out, of a device or of the machine (a plain RuntimeError of torch's allocator)."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return any(words in str(error) for words in ("DefaultCPUAllocator", "out of memory"))


def _as_array(picture: Any) -> Array:
    if isinstance(picture, np.ndarray):
        if (
            picture.ndim != 3
            or not picture.size
            or picture.shape[2] not in (1, 3)
            or picture.dtype.name not in ("uint8", "uint16", "float32")
        ):
            raise TypeError(
                f"a picture is (H, W, 3) or (H, W, 1), uint8, uint16 or float32, not {picture.shape} {picture.dtype}"
            )
        return picture
    if isinstance(picture, Image.Image):
        if picture.mode in ("I", "F"):
            raise TypeError(f"a picture of 8 or 16 bits was wanted, not of Pillow's mode {picture.mode}")
        if picture.mode.startswith("I;16"):  # Pillow's own conversion would cut off at 255
            return np.asarray(picture).astype(np.uint16)[:, :, None]
        gray = picture.mode in ("1", "L", "LA")
        return np.atleast_3d(np.asarray(picture.convert("L" if gray else "RGB")))
    return images.read(picture)


def _as_pil(array: Array) -> Image.Image:
    array = images.to_depth(array, np.uint8)
    return Image.fromarray(array[:, :, 0] if array.shape[2] == 1 else array)


def _by_size(pictures: Sequence[Array], batch_size: int) -> Iterator[list[int]]:
    groups: dict[tuple[Any, ...], list[int]] = {}
    for index, picture in enumerate(pictures):
        groups.setdefault((picture.shape, picture.dtype.name), []).append(index)
    for group in groups.values():
        for start in range(0, len(group), batch_size):
            yield group[start : start + batch_size]


def _pad(batch: Tensor, bottom: int, right: int) -> Tensor:
    """Grow to the bottom and the right by reflection, by repetition where the picture is too small to reflect."""
    while bottom or right:
        height, width = batch.shape[-2:]
        down, over = min(bottom, height - 1), min(right, width - 1)
        if (bottom and not down) or (right and not over):
            return functional.pad(batch, (0, right, 0, bottom), mode="replicate")
        batch = functional.pad(batch, (0, over, 0, down), mode="reflect")
        bottom, right = bottom - down, right - over
    return batch


def describe(card: Card) -> str:
    """One line: 'pix2pix AtoB, U-Net, 3 to 3 channels, trained at 256 (square)'."""
    parts = json.loads(_CARD.dump_json(card))
    return (
        f"{card.recipe or 'translator'} {card.direction}, {parts['architecture']['kind']} of width "
        f"{card.architecture.width}, {card.in_channels} to {card.out_channels} channels, trained at {card.size} "
        f"({card.resize})"
    )

"""A trained generator as picture to picture: any size in, the same size out."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, cast, overload

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

from i2i import images
from i2i.engine.device import Precision, choose_device, choose_precision
from i2i.errors import PictureError, SettingsError
from i2i.images.detail import guided
from i2i.networks.blocks import BatchNorm
from i2i.settings import Direction, parse_size
from i2i.translator import room
from i2i.translator.card import Card, NormMode
from i2i.translator.files import load_network
from i2i.translator.pictures import Array, as_array, as_pil, by_size

Fit = Literal["trained", "native"] | int
Detail = Literal["none", "guided"]


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
            arrays = [as_array(one) for one in picture]
            results = self.arrays(arrays)
            return [
                result if isinstance(one, np.ndarray) else as_pil(result)
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
        for together in by_size(small, self.batch_size):
            outputs = self.translate_together([small[index] for index in together])
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
        if needed > room.UNHEEDED_BYTES and needed > (free := room.free_bytes()):
            raise PictureError(
                f"{size[1]} x {size[0]} pixels: translating them at {width} x {height} takes about "
                f"{needed / 1e9:,.0f} GB of memory, and {free / 1e9:,.0f} GB are free; give a smaller --fit"
            )

    @property
    def _pixel_bytes(self) -> int:
        return room.pixel_bytes(self.card.architecture, self.device, self.precision)

    def translate_together(self, pictures: Sequence[Array]) -> list[Array]:
        """Prepared pictures of one size and dtype through the network, together as far as memory allows.

        With `check_room` and `prepare` before it and `finish` behind it, `arrays` in steps: these may run in other
        threads, this in one. Raises PictureError where even one is too large.
        """
        each = pictures[0].shape[0] * pictures[0].shape[1] * self._pixel_bytes
        together = len(pictures)
        if each * together > room.UNHEEDED_BYTES:
            together = max(1, min(together, room.free_bytes() // each))
        results: list[Array] = []
        while start := pictures[len(results) : len(results) + together]:
            try:
                results += self.translate_prepared(start)
                continue
            except (RuntimeError, MemoryError) as error:
                if not room.ran_out(error):
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
        if self.detail == "guided" and (output.shape[0] < size[0] or output.shape[1] < size[1]):
            return guided(output, small, picture)
        return images.resize(output, size)


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

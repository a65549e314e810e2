"""A trained generator as picture to picture: any size in, the same size out."""

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, cast, overload

import numpy as np
import torch
from PIL import Image
from torch import nn

from i2i import images
from i2i.data.tasks.settings import Inpaint, scale_of
from i2i.data.tasks.sources import entering
from i2i.engine.device import Precision, choose_device, choose_precision
from i2i.errors import PictureError, SettingsError
from i2i.images.detail import guided
from i2i.networks import streaming
from i2i.networks.blocks import BatchNorm
from i2i.networks.maps import Room
from i2i.networks.steady import Steady
from i2i.settings import Direction, parse_size
from i2i.translator import room, tasks
from i2i.translator.backends import Auto, Backend, BackendName, choose_backend
from i2i.translator.card import Card, NormMode
from i2i.translator.exported import Exported
from i2i.translator.files import load_network
from i2i.translator.padding import padded
from i2i.translator.pictures import Array, as_array, as_pil, by_size, in_order
from i2i.translator.scenes import Scenes
from i2i.translator.strips import translate_in_strips

Fit = Literal["trained", "native"] | int
Detail = Literal["none", "guided"]
Tile = Literal["auto"] | int


class Translator:
    """A generator with the geometry it was trained in.

    Deterministic, and looks at one picture at a time: dropout is off, and batch norm never takes a picture's
    neighbours into account. Only a `steady` one takes what it is given for frames in their order, from call to call,
    and lets them share the statistics that norms take of a picture; `new_sequence` begins anew.
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
        steady: bool = False,
        tile: Tile = "auto",
        backend: BackendName = "auto",
        tell: Callable[[str], None] = lambda line: None,
    ) -> None:
        """`tile` is the rows of a strip that a picture is translated in, 0 for the whole of it; auto cuts what is too
        large for the memory. `backend` runs the network; auto is torch's, or an engine that is installed where that
        pays (see `expect`). Strips always go through torch. `tell` is told what a user may want to know, a line at a
        time.
        """
        self.card = card
        self.device = choose_device("cpu" if device == "auto" and isinstance(network, Exported) else device)
        self.precision = choose_precision(precision, self.device)
        self.fit: Fit = fit if fit is not None else ("native" if card.resize == "none" else "trained")
        if isinstance(self.fit, int) and self.fit < 8:
            raise SettingsError(f"fit {self.fit}: a short side has 8 pixels or more.")
        if detail != "none" and card.task.kind != "none":
            raise SettingsError(
                f"detail {detail}: brings a photo's edges to a result, and {card.task.kind} has its own."
            )
        self.detail: Detail = detail
        self.batch_size = batch_size
        self.network = network.to(self.device).eval().requires_grad_(False)
        for layer in self.network.modules():
            if isinstance(layer, BatchNorm):
                layer.own_statistics = (norm_mode or card.norm_mode) == "picture"
        if tile != "auto" and tile < 0:
            raise SettingsError(f"tile {tile}: wanted the rows of a strip, 0 for the whole picture, or auto.")
        self.tile: Tile = tile
        self.tell = tell
        self._told: set[tuple[int, int]] = set()
        self._grows: int = card.grows
        self._multiple: int = max(8, cast(int, network.multiple))
        if isinstance(network, Exported) and norm_mode not in (None, card.norm_mode):
            raise SettingsError(f"{network.path}: was exported with norm mode {card.norm_mode}, which is part of it.")
        self._steady = Steady(self.network) if steady else None
        self._scenes = Scenes()
        self.backend: Backend = choose_backend(
            backend,
            self.network,
            card,
            device=self.device,
            precision=self.precision,
            steady=steady,
            tell=lambda line: self.tell(line),
        )

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
        steady: bool = False,
        tile: Tile = "auto",
        backend: BackendName = "auto",
        tell: Callable[[str], None] = lambda line: None,
    ) -> "Translator":
        """Load a run folder, a translator file, a bare generator of the reference implementation, or hf://user/name.

        Raises ModelFileError where it is none of these, or holds no such direction.
        """
        network, card = load_network(Path(model), direction, tell=tell)
        return cls(
            network,
            card,
            device=device,
            precision=precision,
            fit=fit,
            detail=detail,
            norm_mode=norm_mode,
            batch_size=batch_size,
            steady=steady,
            tile=tile,
            backend=backend,
            tell=tell,
        )

    # --------------------------------------------------------------------------------------------------------- frames

    @property
    def steady(self) -> bool:
        """Whether pictures are frames that share statistics, and so are to come in their order."""
        return self._steady is not None

    @property
    def frames_matter(self) -> bool:
        """Whether `steady` changes anything: not for norms whose statistics are fixed."""
        return self._steady is not None and bool(self._steady.layers)

    def new_sequence(self) -> None:
        """The next picture is the first frame of another sequence."""
        self._scenes.forget()

    def expect(self, count: int) -> None:
        """So many pictures are to come: what auto weighs against the time that another engine takes to start."""
        if isinstance(self.backend, Auto):
            self.backend.left = count

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
        the same dtype and H x W, of super-resolution `scale` times both. A list of any of these -> a list, batched by
        size. Inpainting takes RGBA, whose transparent parts are filled; next-frame takes arrays of its frames'
        channels, the oldest first.
        """
        if isinstance(picture, (list, tuple)):
            arrays = [as_array(one, tasks.channels_taken(self.card.task)) for one in picture]
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
        for size, dtype in dict.fromkeys((picture.shape[:2], picture.dtype) for picture in pictures):
            self.check_room(size, dtype)
        small = [self.prepare(picture) for picture in pictures]
        results: list[Array | None] = [None] * len(pictures)
        group = in_order if self.steady else by_size
        for together in group(small, self.batch_size):
            outputs = self.translate_together([small[index] for index in together])
            for index, output in zip(together, outputs, strict=True):
                results[index] = self.finish(output, small[index], pictures[index])
        return cast("list[Array]", results)

    def check_room(self, size: tuple[int, ...], dtype: Any = np.uint8) -> None:
        """Raise PictureError where a picture of that size, (height, width), needs more memory than is free.

        A system that runs out of memory ends the whole conversion; one pixel by 60,000, with its short side brought
        to 256, are 4 billion.
        """
        height, width = self.entering(size)
        what = f"{size[1]} x {size[0]} pixels"
        if (height, width) != tuple(size[:2]):
            what += f", translated at {width} x {height}"
        pixels = height * width
        if self._goes_in_strips((height, width), dtype):
            room.memory_for_maps(self._strip_needs(pixels, dtype), what)
            return
        needed = self._whole_bytes(pixels, dtype)
        if needed > room.UNHEEDED_BYTES and needed > (free := room.free_bytes()):
            raise PictureError(
                f"{what}: takes about {needed / 1e9:,.0f} GB of memory, and {free / 1e9:,.0f} GB are free; give a "
                f"smaller --fit"
            )

    def _half(self, dtype: Any) -> bool:
        """Whether pictures of that type are translated in bf16: its 8 bits are enough for 8, not for 16."""
        return self.precision == torch.bfloat16 and np.dtype(dtype) == np.uint8

    def _whole_bytes(self, pixels: int, dtype: Any) -> int:
        return room.whole_bytes(pixels, self.card.architecture, self.device, self._half(dtype))

    def _strip_needs(self, pixels: int, dtype: Any) -> room.Needs:
        channels = self.card.in_channels + self._grows**2 * self.card.out_channels
        pictures = np.dtype(dtype).itemsize * channels
        return room.strip_needs(pixels, self.card.architecture, self._half(dtype), pictures)

    def _goes_in_strips(self, size: tuple[int, ...], dtype: Any) -> bool:
        height, width = size
        if self.tile == 0 or not streaming.streams(self.network):
            return False
        if self.tile != "auto":
            return height > self.tile
        return not room.goes_whole(self._whole_bytes(height * width, dtype))

    def translate_together(self, pictures: Sequence[Array]) -> list[Array]:
        """Prepared pictures of one size and dtype through the network, together as far as memory allows.

        With `check_room` and `prepare` before it and `finish` behind it, `arrays` in steps: these may run in other
        threads, this in one. Raises PictureError where even one is too large.
        """
        pixels, dtype = pictures[0].shape[0] * pictures[0].shape[1], pictures[0].dtype
        each = self._whole_bytes(pixels, dtype)
        in_strips = self._goes_in_strips(pictures[0].shape[:2], dtype)
        together = 1 if in_strips else len(pictures)
        if each * together > room.UNHEEDED_BYTES:
            together = max(1, min(together, room.free_bytes() // each))
        scenes = self._scenes.begins(pictures) if self._steady else []
        results: list[Array] = []
        while start := pictures[len(results) : len(results) + together]:
            if self._steady:
                self._steady.coming(scenes[len(results) : len(results) + together])
            try:
                results += [self._in_strips(start[0])] if in_strips else self.translate_prepared(start)
                continue
            except (RuntimeError, MemoryError) as error:
                if not room.ran_out(error):
                    raise
            if self._steady:
                self._steady.take_back()
            if self.device.type == "cuda":
                torch.cuda.empty_cache()
            if together == 1 and not in_strips and self.tile == "auto" and streaming.streams(self.network):
                in_strips = True  # how much a GPU lacks is known once it says so
                continue
            if together == 1:
                height, width = start[0].shape[:2]
                raise PictureError(
                    f"{width} x {height} pixels are too many for the memory of {self.device}; give a smaller --fit"
                )
            together = 1
        return results

    def prepare(self, picture: Array) -> Array:
        """The picture at the network's scale: (H, W, C) -> (h, w, in_channels), same dtype.

        Of inpainting with its mask first, told to the network or not. Raises PictureError where the task cannot be done
        to it.
        """
        card, size = self.card, self.scaled(picture.shape[:2])
        channels = card.in_channels, card.out_channels
        return entering(card.task, tasks.at_scale(card.task, picture, size, channels, card.labels))

    def scaled(self, size: tuple[int, ...]) -> tuple[int, int]:
        """The size, (height, width), at which the network sees a picture of that size, before any enlarging."""
        height, width = size[:2]
        scale = scale_of(self.card.task)
        crop_height, crop_width = (max(1, side // scale) for side in parse_size(self.card.size))
        crop = crop_height, crop_width
        if self.fit == "native" or (self.fit == "trained" and self.card.resize == "none"):
            return height, width
        if self.fit == "trained" and self.card.resize == "square":
            return crop
        short = min(crop) if self.fit == "trained" else cast(int, self.fit)
        factor = short / min(height, width)
        return max(1, round(height * factor)), max(1, round(width * factor))

    def entering(self, size: tuple[int, ...]) -> tuple[int, int]:
        """The size, (height, width), of what `prepare` makes of a picture of that size."""
        height, width = self.scaled(size)
        before = scale_of(self.card.task) // self._grows
        return before * height, before * width

    def results(self, size: tuple[int, ...]) -> tuple[int, int]:
        """The size, (height, width), of the result of a picture of that size: its own, or enlarged."""
        scale = scale_of(self.card.task)
        return scale * size[0], scale * size[1]

    def translate_prepared(self, pictures: Sequence[Array]) -> list[Array]:
        """Pictures of one size and dtype through the network: (h, w, in_channels) -> (h, w, out_channels) each.

        They are padded to the network's multiple by reflection, and cropped back. A network that enlarges gives both
        sides so many times as large; what a task keeps of a picture is in its result.
        """
        height, width = pictures[0].shape[:2]
        rows, columns = padded((height, width), self._multiple)
        batch = np.stack(pictures)[..., -self.card.in_channels :]
        if (len(rows), len(columns)) != (height, width):
            batch = batch[:, rows][:, :, columns]
        output = self.backend(images.to_network(batch), self._half(batch.dtype))
        output = output[:, :, : self._grows * height, : self._grows * width]
        made = images.from_network(output, batch.dtype)
        return [tasks.kept(self.card.task, one, picture) for one, picture in zip(made, pictures, strict=True)]

    def _in_strips(self, picture: Array) -> Array:
        """A prepared picture through the network, strip by strip, to the same result."""
        height, width = picture.shape[:2]
        needs = self._strip_needs(height * width, picture.dtype)
        what = f"{width} x {height} pixels"
        memory = room.on_device(self.device, room.memory_for_maps(needs, what))
        if (height, width) not in self._told:
            self._told.add((height, width))
            where = " of them in a file" if memory < needs.held else ""
            self.tell(f"{what}: in strips of rows, to the same result, with about {needs.all / 1e9:.1f} GB{where}.")
        try:
            made = translate_in_strips(
                self.network,
                picture[:, :, -self.card.in_channels :],
                self.card.out_channels,
                grows=self._grows,
                multiple=self._multiple,
                room=Room(memory, None if self.tile == "auto" else self.tile),
                device=self.device,
                half=self._half(picture.dtype),
            )
        except OSError as error:  # others may have filled the disk meanwhile
            raise PictureError(
                f"{what}: their maps found no room in a file ({error.strerror}); give a smaller --fit"
            ) from None
        return tasks.kept(self.card.task, made, picture)

    def finish(self, output: Array, small: Array, picture: Array) -> Array:
        """The network's output at the size of its result: the picture's own, or enlarged."""
        size = self.results(picture.shape)
        if output.shape[:2] == size and not isinstance(self.card.task, Inpaint):
            return output
        if self.detail == "guided" and (output.shape[0] < size[0] or output.shape[1] < size[1]):
            return guided(output, small, picture)
        return tasks.kept_in_full(self.card.task, images.resize(output, size), picture)

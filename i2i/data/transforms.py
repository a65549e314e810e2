"""Resize, augment and crop: one geometry for all pictures of an item, photometry on its source alone.

Every draw is a function of the key that is handed in, so it is the same for any number of workers and on resuming.
"""

import os
import random
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import cv2
import numpy as np

from i2i.data.crops import Frames, Key, cut, frames
from i2i.data.settings import DataSettings
from i2i.errors import DatasetError
from i2i.images import resize, shown
from i2i.images.pixels import Array


def generator(key: Key) -> np.random.Generator:
    """Random numbers that are a function of `key` alone."""
    return np.random.default_rng(np.random.SeedSequence([part % 2**64 for part in key]))


class Transform:
    """Bring the pictures of an item to the crop's size: at random for training, the middle for validation."""

    def __init__(self, settings: DataSettings, *, train: bool, nearest: Sequence[bool], photometry: bool) -> None:
        """`nearest` says for each picture of an item whether it is a label map; the first picture is the source."""
        self.settings = settings
        self.train = train
        self.nearest = tuple(nearest)
        self.affine = _affine(settings, self.nearest) if train else None
        self.photometry = _photometry(settings) if train and photometry else None

    @property
    def only_crops(self) -> bool:
        """Whether `__call__` crops and mirrors at random, and nothing else."""
        return self.train and self.affine is None and self.photometry is None

    def target(self, size: tuple[int, int]) -> tuple[int, int]:
        """What `fit` brings a picture of `size` to; (height, width) both."""
        return target_size(size, self.settings, train=self.train)

    def fit(self, pixels: Array, *, nearest: bool, size: tuple[int, int] | None = None) -> Array:
        """Resize by the settings: as loaded in training, as cropped in validation.

        `size` is the picture's own where it was decoded smaller, by a whole number and rounded up.
        """
        if size is None or size == pixels.shape[:2]:
            return resize(pixels, self.target(pixels.shape[:2]), nearest=nearest)
        times = round(size[0] / pixels.shape[0])
        return resize(pixels, self.target(size), nearest=nearest, extent=(size[0] / times, size[1] / times))

    def frames(self, keys: Sequence[Key], heights: Array, widths: Array) -> Frames:
        """The training crops of pictures of these sizes."""
        return frames(keys, heights, widths, self.settings.crop, flip=self.settings.flip)

    def __call__(self, key: Key, pictures: Sequence[Array], name: object) -> list[Array]:
        """Crop pictures of one size, (H, W, C) of uint8 or float32 in [0, 1]; `name` is the file, for the error."""
        self.check_size(pictures[0], name)
        if not self.train:
            return [_middle(picture, self.settings.crop) for picture in pictures]
        draw = generator(key)
        results = list(pictures)
        if self.affine is not None:
            _seed(self.affine, draw)
            names = _names(self.nearest)
            moved = self.affine(**dict(zip(names, pictures, strict=True)))
            results = [moved[name] for name in names]
        height, width = results[0].shape[:2]
        frame = self.frames([key], np.array([height]), np.array([width]))
        results = [cut(picture, frame, self.settings.crop) for picture in results]
        if self.photometry is not None:
            _seed(self.photometry, draw)
            results[0] = self.photometry(image=results[0])["image"]
        return results

    def check_size(self, picture: Array, name: object) -> None:
        """Refuse a fitted picture that is smaller than the crop. Raises DatasetError."""
        height, width = picture.shape[:2]
        crop_height, crop_width = self.settings.crop
        if height < crop_height or width < crop_width:
            raise DatasetError(
                f"{shown(name)}: is {width} x {height} (width x height) after --resize {self.settings.resize}, smaller "
                f"than the crop of {crop_width} x {crop_height}. Use --resize square or short, or a smaller --size."
            )


def target_size(size: tuple[int, int], settings: DataSettings, *, train: bool) -> tuple[int, int]:
    """What a picture of `size` is resized to before the crop; (height, width) both.

    In training the side or sides the settings load, in validation those of the crop.
    """
    if settings.resize == "none":
        return size
    if settings.resize == "square":
        return settings.loaded if train else settings.crop
    height, width = size
    wanted = min(settings.loaded if train else settings.crop)
    factor = wanted / min(size)
    if not train:  # a crop that is not square may need more
        factor = max(factor, settings.crop[0] / height, settings.crop[1] / width)
    return max(1, round(height * factor)), max(1, round(width * factor))


def _middle(picture: Array, crop: tuple[int, int]) -> Array:
    top, left = (picture.shape[0] - crop[0]) // 2, (picture.shape[1] - crop[1]) // 2
    return picture[top : top + crop[0], left : left + crop[1]]


def _albumentations() -> ModuleType:
    os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"  # or its import asks the network for a newer version
    import albumentations  # seconds: only training pays them

    return albumentations


def _affine(settings: DataSettings, nearest: tuple[bool, ...]) -> Any:
    if not (settings.rotate or settings.scale or settings.shift):
        return None
    A = _albumentations()
    step = A.Affine(
        rotate=(-settings.rotate, settings.rotate),
        scale=(1 - settings.scale, 1 + settings.scale),
        translate_percent=(-settings.shift, settings.shift),
        keep_ratio=True,
        interpolation=cv2.INTER_NEAREST if all(nearest) else cv2.INTER_LINEAR,
        mask_interpolation=cv2.INTER_NEAREST,
        border_mode=cv2.BORDER_REFLECT_101,
        p=1,
    )
    kinds = zip(_names(nearest), nearest, strict=True)
    return A.Compose(
        [step], additional_targets={name: "mask" if label else "image" for name, label in kinds if name != "image"}
    )


def _names(nearest: tuple[bool, ...]) -> list[str]:
    """What albumentations calls the pictures: it wants one 'image', and that is one which is no label map."""
    first = nearest.index(False) if False in nearest else 0
    return ["image" if index == first else f"other{index}" for index in range(len(nearest))]


def _photometry(settings: DataSettings) -> Any:
    if not (settings.brightness or settings.contrast or settings.blur or settings.noise or settings.jpeg):
        return None
    A = _albumentations()
    steps = []
    if settings.brightness or settings.contrast:
        steps.append(
            A.RandomBrightnessContrast(
                brightness_limit=settings.brightness, contrast_limit=settings.contrast, brightness_by_max=True, p=1
            )
        )
    if settings.blur:
        steps.append(A.GaussianBlur(blur_limit=0, sigma_limit=(0, settings.blur), p=1))
    if settings.noise:
        steps.append(A.GaussNoise(std_range=(0, settings.noise), p=1))
    if settings.jpeg:
        steps.append(A.ImageCompression(quality_range=(settings.jpeg, 100), p=1))
    return A.Compose(steps)


def _seed(compose: Any, draw: np.random.Generator) -> None:
    # `set_random_seed` would start every step of the chain on the same numbers.
    compose.set_random_state(draw, random.Random(int(draw.integers(2**63))))

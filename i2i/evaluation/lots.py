"""What is kept of a lot of pictures, for the scores that are of all of them together."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from i2i import images
from i2i.engine.probe import apart
from i2i.evaluation.features import Classifies, Features
from i2i.evaluation.scores import Array
from i2i.evaluation.sliced import Patches
from i2i.evaluation.spectrum import Spectrum

LEAST = 10
"""Pictures of a lot, below which nothing is said about a distribution."""
MOST = 2000
"""Pictures of a lot that are looked at, evenly from all of them."""
THUMBNAIL = 32
"""Side at which pictures' differences are taken: of what they show, not of grain."""
_SQUARES = (128, 64, 32)


class Lot:
    """Features, thumbnails, patches and the spectrum of pictures: 20 KB a picture, and 30 MB."""

    def __init__(self, features: Sequence[Features], side: int, pictures: int) -> None:
        """`side`: the short side of the pictures, smaller ones are too small for the spectrum; `pictures` expected."""
        self.networks = features
        self.patches = Patches(side, pictures)
        square = next((size for size in _SQUARES if size <= side), None)
        self.spectrum = Spectrum(square) if square else None
        self._spectra = 0
        self._found: dict[str, list[Array]] = {one.name: [] for one in features}
        self._probabilities: dict[str, list[Array]] = {one.name: [] for one in features}
        self._thumbnails: list[Array] = []

    def add(self, pictures: Sequence[Array], found: Mapping[str, Array] | None = None) -> None:
        """Count pictures in; `found` are their features by name, where those are known. Shape: (H, W, 1 or 3) each."""
        for one in self.networks:
            self._found[one.name].append(represented(one, pictures) if found is None else found[one.name])
            if isinstance(one, Classifies):
                said = [one.probabilities(batch).numpy().astype(np.float64) for batch in _batches(pictures)]
                self._probabilities[one.name] += said
        for picture in pictures:
            pixels = images.to_depth(images.with_channels(picture, 3), np.uint8)
            self._thumbnails.append(images.resize(pixels, (THUMBNAIL, THUMBNAIL)))
            self.patches.add(pixels)
            if self.spectrum:
                self._spectra += self.spectrum.add(pixels)

    def extend(self, other: "Lot") -> None:
        """Count in what another lot of the same features and side has."""
        for mine, others in ((self._found, other._found), (self._probabilities, other._probabilities)):
            for name, parts in others.items():
                mine[name] += parts
        self._thumbnails += other._thumbnails
        self.patches.extend(other.patches)
        if self.spectrum and other.spectrum:
            self.spectrum.power += other.spectrum.power
        self._spectra += other._spectra

    def __len__(self) -> int:
        return len(self._thumbnails)

    @property
    def features(self) -> dict[str, Array]:
        """By name. Shape: (N, D) float64 each."""
        return {name: np.concatenate(parts) for name, parts in self._found.items()}

    @property
    def probabilities(self) -> dict[str, Array]:
        """Of classes, by the name of the features whose network says them. Shape: (N, K) float64 each."""
        return {name: np.concatenate(parts) for name, parts in self._probabilities.items() if parts}

    @property
    def has_spectrum(self) -> bool:
        """Whether any picture was large enough for it."""
        return self._spectra > 0

    def apart(self) -> float:
        """Mean absolute difference of two thumbnails, of 1. 2 pictures at least."""
        return float(apart(torch.from_numpy(np.stack(self._thumbnails)).float() / 255))


def represented(features: Features, pictures: Sequence[Array]) -> Array:
    """Pictures of any size as features. Shape: (H, W, 1 or 3) each -> (N, D) float64."""
    return np.concatenate([features(batch).numpy() for batch in _batches(pictures)]).astype(np.float64)


def _batches(pictures: Sequence[Array]) -> list[torch.Tensor]:
    """One where they are alike, and otherwise each by itself."""
    tensors = [images.to_network(images.to_depth(picture, np.uint8)) for picture in pictures]
    return [torch.cat(tensors)] if len({tensor.shape for tensor in tensors}) == 1 else tensors

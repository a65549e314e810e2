"""Features that need no download: what a fixed network of random filters makes of a picture.

Random convolutions see texture, sharpness, noise, contrast and colour, and nothing of what a picture shows; Naeem et
al. 2020 (arXiv 2002.09797) find random embeddings the more sensible ones for pictures unlike ImageNet's. The layers'
responses grow and fall together, so plain they would count brightness and contrast some hundred times; they are
whitened by what they are on drawn pictures of every brightness, contrast, sharpness and noise.
"""

import functools
import hashlib
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor
from torch.nn import functional

from i2i.evaluation.leaves import dead_leaves

CHANNELS = (12, 24, 32, 32, 32)
"""Filters of a layer; each layer sees half the resolution of the one before."""
SIDES = (128, 256)
"""Sizes that pictures can be brought to."""
_KERNEL = 3
_SEED = 1
_GRAIN = 4096
"""Weights are whole numbers of 1/4096, so that the last bits of another machine's arithmetic do not change the hash."""
_DRAWN = 64
"""Drawn pictures that responses are whitened by."""
_FLOOR = 0.01
"""What is added before a logarithm: about one level of 255 in [-1, 1]."""
_TOGETHER = 16


class Features(Protocol):
    """Pictures as points of a space in which those that look alike are near each other."""

    @property
    def name(self) -> str:
        """Short, a part of the metrics' names: numbers of different features cannot be compared."""
        ...

    @property
    def hash(self) -> str:
        """SHA-256 of the weights, hexadecimal."""
        ...

    @property
    def dimension(self) -> int:
        """D."""
        ...

    def __call__(self, pictures: Tensor) -> Tensor:
        """Shape: (N, 1 or 3, H, W), uint8 or floating point in [-1, 1], on any device -> (N, D) float32 on the CPU."""
        ...


@runtime_checkable
class Classifies(Protocol):
    """What features offer beside that whose network is a classifier: Inception, or a small one of the user's classes.

    The Inception score and the count of classes rest on it, and are left out where features have no such method.
    """

    def probabilities(self, pictures: Tensor) -> Tensor:
        """Shape: as for features -> (N, K) float32 on the CPU, K classes, at least 2; each row has the sum 1."""
        ...


class RandomFeatures:
    """Five layers of random orthogonal filters, and their energy and sparseness over the picture, whitened.

    Always on the CPU and in float32, whatever trains beside it, and without a number of torch's global generator.
    """

    def __init__(self, side: int = SIDES[0]) -> None:
        """`side` is the size that pictures are brought to: detail beyond it is not seen."""
        self.side = side
        self.name = f"random{side}"
        self.dimension = 6 + 2 * sum(CHANNELS)
        self._filters = _filters()
        digest = hashlib.sha256(f"{self.name} {CHANNELS} {_DRAWN}".encode())
        for weights in self._filters:
            digest.update(weights.numpy().tobytes())
        self.hash = digest.hexdigest()

    def __call__(self, pictures: Tensor) -> Tensor:
        """Shape: (N, 1 or 3, H, W), uint8 or floating point in [-1, 1], on any device -> (N, D) float32 on the CPU."""
        mean, whitening = self._calibration
        return ((self._pooled(pictures) - mean) @ whitening).float()

    @torch.inference_mode()
    def _pooled(self, pictures: Tensor) -> Tensor:
        """Shape: (N, D) float64."""
        if not len(pictures):
            return torch.zeros(0, self.dimension, dtype=torch.float64)
        return torch.cat([self._responses(fitted(some, self.side)) for some in pictures.split(_TOGETHER)]).double()

    def _responses(self, pictures: Tensor) -> Tensor:
        """Mean and contrast of the colours; of each filter the logarithms of its energy and of how unevenly it lies."""
        found = [pictures.mean((2, 3)), (pictures.std((2, 3)) + _FLOOR).log()]
        maps = pictures
        for weights in self._filters:
            maps = functional.conv2d(functional.pad(maps, (1, 1, 1, 1), mode="reflect"), weights)
            found.append((maps.std((2, 3)) + _FLOOR).log())
            maps = maps.abs()
            found.append((maps.std((2, 3)) / (maps.mean((2, 3)) + _FLOOR) + _FLOOR).log())
            maps = functional.avg_pool2d(maps, 2)
            maps = maps - maps.mean((2, 3), keepdim=True)
        return torch.cat(found, 1)

    @functools.cached_property
    @torch.inference_mode()
    def _calibration(self) -> tuple[Tensor, Tensor]:
        """Mean and a whitening with a ridge, of responses to drawn pictures.

        The ridge is the mean eigenvalue, so that only the few directions in which everything grows together are held
        back, and no direction is made large that the drawn pictures happen to lack.
        """
        pooled = self._pooled(dead_leaves(_DRAWN, self.side))
        mean, deviation = pooled.mean(0), pooled.std(0)
        correlation = ((pooled - mean) / deviation).T.cov()
        values, vectors = torch.linalg.eigh(correlation)
        scale = 1 / (values.clamp_min(0) + values.mean()).sqrt()
        return mean, (vectors * scale) @ vectors.T / deviation[:, None]


def random_features(side: int = SIDES[0]) -> RandomFeatures:
    """The network for pictures whose short side is about that; its first call takes a second more."""
    return _made(SIDES[-1] if side >= sum(SIDES) // 2 else SIDES[0])


_made = functools.cache(RandomFeatures)


def _filters() -> list[Tensor]:
    """Orthonormal rows or columns a layer. Shape: (C_out, C_in, 3, 3) each."""
    generator = torch.Generator().manual_seed(_SEED)
    filters, channels = [], 3
    for count in CHANNELS:
        fan = channels * _KERNEL**2
        drawn = torch.randn(fan, count, generator=generator, dtype=torch.float64)
        columns = torch.linalg.qr(drawn).Q if count <= fan else torch.linalg.qr(drawn.T).Q.T
        rounded = torch.round(columns.T * _GRAIN) / _GRAIN
        filters.append(rounded.float().reshape(count, channels, _KERNEL, _KERNEL))
        channels = count
    return filters


def fitted(pictures: Tensor, side: int) -> Tensor:
    """Shape: (N, 1 or 3, H, W) -> (N, 3, side, side) float32 in [-1, 1] on the CPU."""
    values = pictures.detach().cpu()
    values = values.float() if values.is_floating_point() else values.float() / 127.5 - 1
    if values.shape[-2:] != (side, side):
        values = functional.interpolate(values, (side, side), mode="bicubic", antialias=True)
    return values.clamp(-1, 1).expand(-1, 3, -1, -1)

"""LPIPS: how unlike two pictures look to people, by a trained network (Zhang et al. 2018, arXiv 1801.03924).

Version 0.1 of the authors' weights: the deep features of AlexNet or VGG16 as unit vectors, their squared differences
weighted by channel, means over the picture, summed over five layers.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from i2i import images
from i2i.errors import PictureError
from i2i.evaluation.scores import Array, Scores

TAPS = {"alex": (1, 4, 7, 9, 11), "vgg": (3, 8, 15, 22, 29)}
"""Of torchvision's `features`, the layers behind whose ReLU a network is looked at."""
CHANNELS = {"alex": (64, 192, 384, 256, 256), "vgg": (64, 128, 256, 512, 512)}
LEAST = 32
"""Pixels of the shorter side."""
_SHIFT, _SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
_EPSILON = 1e-10


class LPIPS:
    """A distance of pictures; 0 for the same one, about 0.7 for two that have nothing in common."""

    def __init__(
        self, kind: str, layers: nn.Sequential, weights: Sequence[Tensor], hash: str, device: torch.device
    ) -> None:
        """`layers` are torchvision's `features` of AlexNet ("alex") or VGG16 ("vgg"), `weights` (1, C, 1, 1) each."""
        self.name = f"lpips-{kind}"
        self.hash = hash
        """SHA-256 of both files' own, hexadecimal."""
        self._taps = TAPS[kind]
        self._layers = layers[: self._taps[-1] + 1].to(device).eval().requires_grad_(False)
        self._weights = [weight.to(device) for weight in weights]
        self._device = device

    @property
    def key(self) -> str:
        """The name of its score."""
        return f"{self.name}/lpips"

    @property
    def title(self) -> str:
        """Of its column."""
        return f"LPIPS ({self.name.removeprefix('lpips-')})"

    @torch.inference_mode()
    def __call__(self, pictures: Tensor, target: Tensor) -> Tensor:
        """Shape: (N, 3, H, W) and (1 or N, 3, H, W), float32 in [-1, 1] -> (N,) float32 on the CPU."""
        total = torch.zeros(len(pictures))
        for one, two, weight in zip(self._maps(pictures), self._maps(target), self._weights, strict=True):
            total += functional.conv2d((one - two) ** 2, weight).mean((1, 2, 3)).float().cpu()
        return total

    def scores(self, rows: Mapping[str, Array], target: Array) -> dict[str, Scores]:
        """Of each row's picture against the target. Shape: (H, W, C) each, of one H and W. Raises PictureError."""
        if min(target.shape[:2]) < LEAST:
            raise PictureError(
                f"a picture of {target.shape[1]} x {target.shape[0]}: LPIPS needs {LEAST} pixels a side. Leave its "
                f"files out of --weights."
            )
        distances = self(_tensor(list(rows.values())), _tensor([target]))
        return {row: {self.key: float(one)} for row, one in zip(rows, distances, strict=True)}

    def _maps(self, pictures: Tensor) -> list[Tensor]:
        """Unit vectors at every place, a layer at a time."""
        shift, scale = (torch.tensor(part).reshape(1, 3, 1, 1) for part in (_SHIFT, _SCALE))
        maps = ((pictures - shift) / scale).to(self._device)
        found = []
        for at, layer in enumerate(self._layers):
            maps = layer(maps)
            if at in self._taps:
                found.append(maps / (maps.square().sum(1, keepdim=True).sqrt() + _EPSILON))
        return found


def _tensor(pictures: Sequence[Array]) -> Tensor:
    coloured = [images.with_channels(images.to_depth(picture, np.uint8), 3) for picture in pictures]
    return images.to_network(np.stack(coloured))

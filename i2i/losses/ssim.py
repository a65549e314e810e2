"""Structural similarity, as a distance that can be learnt from."""

import torch
from torch import Tensor
from torch.nn import functional

WINDOW = 11
"""Side of the neighbourhood in pixels."""
_DEVIATION = 1.5
_RANGE = 2.0
"""From the darkest to the brightest value: pictures lie in [-1, 1]."""


def ssim(output: Tensor, target: Tensor) -> Tensor:
    """1 - SSIM, the mean over pictures, channels and the places where the whole window fits (Zhao et al. 2017, Eq. 6).

    SSIM is Wang et al. 2004's, of Gaussian neighbourhoods of 11 x 11 pixels and deviation 1.5: 0 for equal pictures,
    up to 2 for one and its negative. In float32 whatever autocast says: a variance is a small difference of large
    numbers. Shape: (N, C, H, W) twice in [-1, 1], both sides at least 11 -> scalar.
    """
    with torch.autocast(output.device.type, enabled=False):
        x, y = (picture.to(torch.promote_types(picture.dtype, torch.float32)) for picture in (output, target))
        mean_x, mean_y, square_x, square_y, product = _mean(torch.cat([x, y, x * x, y * y, x * y])).chunk(5)
        spread = square_x - mean_x**2 + square_y - mean_y**2
        together = product - mean_x * mean_y
        c1, c2 = (0.01 * _RANGE) ** 2, (0.03 * _RANGE) ** 2
        light = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
        return 1 - (light * (2 * together + c2) / (spread + c2)).mean()


def _mean(values: Tensor) -> Tensor:
    """Weighted means of neighbourhoods, rows after columns. Shape: (N, C, H, W) -> (N, C, H - 10, W - 10)."""
    # Made by arithmetic on the device: a copy from the host has no place in a captured graph.
    away = torch.arange(WINDOW, device=values.device, dtype=values.dtype) - WINDOW // 2
    weights = torch.exp(-0.5 * (away / _DEVIATION) ** 2)
    weights = (weights / weights.sum()).view(1, 1, WINDOW, 1)
    alone = values.reshape(-1, 1, *values.shape[2:])
    means = functional.conv2d(functional.conv2d(alone, weights), weights.mT)
    return means.view(*values.shape[:2], *means.shape[2:])

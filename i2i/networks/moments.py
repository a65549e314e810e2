"""Mean and variance of every channel of a picture, to the last digits and fast.

torch's group norm loses digits on channels_last tensors of the CPU: it sums squares in float32 and subtracts the square
of the mean, and a generator of 23 norms enlarges what is lost (of a random ResNet at 512 pixels to 38 levels of 255).
"""

import torch
from torch import Tensor
from torch.nn import functional

SUMMED = 1 << 11
"""Positions whose sum is left to float32."""
_EPSILON = 1e-12
"""What keeps the inverse of a plain map's deviation finite."""
ROUNDING = 2**-18
"""A deviation of this part of the mean is rounding."""


class Moments:
    """Adds rows up. Of what is merged at the end, nothing large is subtracted (Chan et al. 1983, eq. 2.1)."""

    def __init__(self) -> None:
        self.means: list[Tensor] = []
        self.scales: list[Tensor] = []
        self.counts: list[int] = []
        self._given: tuple[Tensor, Tensor, Tensor] | None = None

    def add(self, rows: Tensor) -> None:
        """Rows of one picture. Shape: (1, C, H, W), bf16 or float32.

        Means and variances come out of a batch norm, which is 15 times as fast on the CPU as torch.var_mean. float32
        is taken as its difference to one pixel: a norm enlarges what a long sum loses 300 times where a picture is
        plain.
        """
        if self._given is None:
            zero = torch.zeros(rows.shape[1], device=rows.device)
            self._given = zero + 1, zero, rows[0, :, 0, 0].float().clone()
        one, zero, pivot = self._given
        for some in rows.split(max(1, SUMMED // rows.shape[3]), dim=2):
            precise = some.dtype == torch.float32
            part = some - pivot[:, None, None] if precise else some
            _, mean, scale = torch.native_batch_norm(part, one, zero, None, None, True, 0.0, _EPSILON)
            self.means.append(mean if precise else mean - pivot)
            self.scales.append(scale)
            self.counts.append(some.shape[2])

    def result(self) -> tuple[Tensor, Tensor]:
        """Mean and variance over all that was added. Shape: (C,) float32 each."""
        assert self._given is not None
        pivot = self._given[2]
        # In float64 on the CPU, for there are devices without it.
        means, scales = (torch.stack(parts).cpu().double() for parts in (self.means, self.scales))
        shares = torch.tensor(self.counts, dtype=torch.float64)[:, None] / sum(self.counts)
        mean = (shares * means).sum(0)
        inside = (scales**-2 - _EPSILON).clamp(min=0)
        variance = (shares * (inside + (means - mean) ** 2)).sum(0)
        return (mean + pivot.cpu().double()).float().to(pivot.device), variance.float().to(pivot.device)


def normalised(
    x: Tensor, mean: Tensor, variance: Tensor, eps: float, weight: Tensor | None = None, bias: Tensor | None = None
) -> Tensor:
    """(x - mean) / sqrt(variance + eps) * weight + bias, of each picture by its own.

    Shape: (N, C, H, W), mean and variance (N, C) float32, weight and bias (C,) -> (N, C, H, W). Without a gradient.

    Of a plain map rounding leaves 1e-6 instead of 0, out of which the norms of a generator, each 300 times as large,
    make a loud picture. So what deviates by no more than rounding becomes exactly the bias.
    """
    variance = variance.masked_fill(variance <= (ROUNDING * mean) ** 2, torch.inf)
    alone = list(zip(x.split(1), mean, variance, strict=True))
    if x.device.type != "cpu" or len(x) == 1:
        done = [functional.batch_norm(one, of_one, spread, weight, bias, eps=eps) for one, of_one, spread in alone]
        return torch.cat(done) if len(done) > 1 else done[0]
    made = torch.empty_like(x)  # joined afterwards, they would be written twice
    for (one, of_one, spread), into in zip(alone, made.split(1), strict=True):
        out = into, torch.empty(0), torch.empty(0)
        torch.native_batch_norm(one, weight, bias, of_one, spread, False, 0.0, eps, out=out)
    return made


def moments(pictures: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and variance of every channel of each picture. Shape: (N, C, H, W) -> (N, C) float32 each."""
    means, variances = [], []
    for picture in pictures.split(1):
        sums = Moments()
        sums.add(picture)
        mean, variance = sums.result()
        means.append(mean)
        variances.append(variance)
    return torch.stack(means), torch.stack(variances)

"""Batch norm whose statistics are those of the batches of all processes together."""

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm  # pyright: ignore[reportPrivateUsage]

from i2i.networks.blocks import BatchNorm


class SynchronisedBatchNorm(BatchNorm):
    """Batch norm over the batches of all processes; finished networks run as ever, each process for itself.

    It equals one process with the whole batch: output, gradients, running statistics. nn.SyncBatchNorm refuses CPU
    tensors and cannot be differentiated twice, which a gradient penalty asks for. Every process has to train with as
    many values a channel as the others. Shape: (N, C, H, W) -> same.
    """

    def normalised(self, input: Tensor) -> Tensor:
        if not self.training:
            return super().normalised(input)
        x = input if input.dtype == torch.float64 else input.float()
        variance, mean = torch.var_mean(x, dim=(0, 2, 3), correction=0)
        # The statistics of each process, not their sums: E[x^2] - E[x]^2 would lose a small variance beside a mean.
        means, variances = _everyones(torch.stack([mean, variance])).unbind(1)
        mean = means.mean(0)
        variance = (variances + (means - mean).square()).mean(0)
        self._follow(mean.detach(), variance.detach(), dist.get_world_size() * x.numel() // x.shape[1])
        scale = torch.rsqrt(variance + self.eps) * self.weight
        shift = self.bias - mean * scale
        return (x * scale[:, None, None] + shift[:, None, None]).to(input.dtype)

    @torch.no_grad()
    def _follow(self, mean: Tensor, variance: Tensor, values: int) -> None:
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        assert self.momentum is not None
        unbiased = variance * (values / max(1, values - 1))
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), self.momentum)
        self.running_var.lerp_(unbiased.to(self.running_var.dtype), self.momentum)
        self.num_batches_tracked.add_(1)


def synchronise(model: nn.Module) -> None:
    """Replace every batch norm of a model, in place; weights, buffers and their names stay what they are.

    Raises TypeError for a batch norm that it does not know: half a synchronised model would be wrong in silence.
    """
    replaced: dict[nn.Module, SynchronisedBatchNorm] = {}
    for parent in list(model.modules()):
        for name, layer in list(parent.named_children()):
            if isinstance(layer, _BatchNorm) and not isinstance(layer, SynchronisedBatchNorm):
                replaced[layer] = replaced.get(layer) or _synchronised(layer)
                setattr(parent, name, replaced[layer])


def _synchronised(layer: _BatchNorm) -> SynchronisedBatchNorm:
    plain = layer.affine and layer.track_running_stats and layer.momentum is not None
    if type(layer) not in (BatchNorm, nn.BatchNorm2d) or not plain:
        raise TypeError(f"{layer}: this batch norm cannot be synchronised between processes; use networks.blocks'.")
    ours = SynchronisedBatchNorm(layer.num_features, layer.eps, layer.momentum)
    ours.weight, ours.bias = layer.weight, layer.bias
    for name, buffer in layer.named_buffers():
        setattr(ours, name, buffer)
    return ours.train(layer.training)


def _everyones(own: Tensor) -> Tensor:
    """(...) -> (processes, ...): one all_reduce of rows that are zero but for one's own; differentiable, also twice."""
    rank, size = dist.get_rank(), dist.get_world_size()
    before, after = own.new_zeros(rank, *own.shape), own.new_zeros(size - rank - 1, *own.shape)
    rows = _Sum.apply(torch.cat([before, own[None], after]))
    assert isinstance(rows, Tensor)
    return rows


class _Sum(torch.autograd.Function):
    """The sum over all processes. Its derivative is the same sum, of the derivatives, and so is that one's."""

    @staticmethod
    def forward(ctx: Any, own: Tensor) -> Tensor:
        total = own.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        return _Sum.apply(*gradients)

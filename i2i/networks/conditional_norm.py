"""Batch norm that a condition scales and shifts."""

from torch import Tensor, nn
from torch.nn.utils import parametrizations

from i2i.networks.blocks import BatchNorm


class ConditionalBatchNorm(nn.Module):
    """Batch norm, and on it a gain of 1 + A c and a bias of B c (Dumoulin et al. 2017; de Vries et al. 2017).

    Of a one-hot label, A and B are tables of classes, which start at 0: every class alike. Of a dense condition they
    start orthogonal; their largest singular value is held at 1 if asked (BigGAN, App. B).
    Shape: (N, C, H, W), (N, length) -> (N, C, H, W).
    """

    def __init__(self, channels: int, length: int, *, one_hot: bool, spectral_norm: bool = False) -> None:
        super().__init__()
        self.norm = BatchNorm(channels)
        self.gain, self.bias = (nn.Linear(length, channels, bias=False) for _ in range(2))
        for layer in (self.gain, self.bias):
            if one_hot:
                nn.init.zeros_(layer.weight)
            else:
                nn.init.orthogonal_(layer.weight)
                if spectral_norm:
                    parametrizations.spectral_norm(layer)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        gain, bias = (layer(condition)[:, :, None, None] for layer in (self.gain, self.bias))
        return self.norm(x) * (1 + gain) + bias

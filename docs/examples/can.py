"""A generator: the context aggregation network of Chen, Xu and Koltun (2017, Fast Image Processing)."""

from torch import Tensor, nn


class CAN(nn.Module):
    """Stays at full size; each layer looks twice as far as the one before it.

    Shape: (N, in_channels, H, W) in [-1, 1] -> (N, out_channels, H, W) in [-1, 1], float32; any H and W from 8 on.
    """

    multiple = 1
    """Both sides of a picture are padded to a multiple of this: a network that halves it three times says 8."""

    def __init__(self, in_channels: int, out_channels: int, *, width: int = 24, layers: int = 7) -> None:
        super().__init__()
        stack: list[nn.Module] = []
        for level in range(layers):
            reach = 2**level
            stack += [
                nn.Conv2d(width if level else in_channels, width, 3, padding=reach, dilation=reach),
                nn.InstanceNorm2d(width, affine=True),
                nn.LeakyReLU(0.2),
            ]
        self.layers = nn.Sequential(*stack, nn.Conv2d(width, out_channels, 1), nn.Tanh())

    def forward(self, x: Tensor) -> Tensor:
        # Training computes in bf16 where the device can; what leaves a network is float32.
        return self.layers(x).float()

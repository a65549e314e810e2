"""The residual generator of SRGAN: all work is done on the small picture, which grows at the end."""

from collections.abc import Iterable

from torch import Tensor, nn

from i2i.networks.blocks import Residual, conv, needs_bias, normalise, up, widened
from i2i.settings import Norm


class SRResNet(nn.Module):
    """Residual blocks and a skip over all of them, then sub-pixel convolutions (SRGAN, Ledig et al. 2017, Fig. 4).

    k9n64, 16 blocks of k3n64, k3n64, one k3n256 and a shuffle for each doubling, k9. Its blocks are the ResNet's of
    CycleGAN: ReLU where the paper has PReLU, and borders mirrored. The end is a tanh, as of every generator here.
    Shape: (N, in_channels, H, W) in [-1, 1] -> (N, out_channels, scale H, scale W) in [-1, 1], float32.
    """

    multiple = 1

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        width: int = 64,
        blocks: int = 16,
        norm: Norm = "batch",
        scale: int = 4,
        residual: bool = False,
    ) -> None:
        """`scale` is a power of two. With `residual` the source, enlarged, is added to what is made."""
        if residual and in_channels != out_channels:
            raise ValueError(f"{in_channels} channels cannot be added to {out_channels}")
        super().__init__()
        self.scale = scale
        doublings = scale.bit_length() - 1
        # Twice the double, and not four times at once: strips know that.
        self.enlarge = nn.Sequential(*(nn.Upsample(scale_factor=2, mode="bilinear") for _ in range(doublings)))
        self.residual = residual
        self.way_in = nn.Sequential(conv(in_channels, width, 9, padding=4), nn.ReLU())
        self.trunk = nn.Sequential(
            *(Residual(width, norm, dropout=False) for _ in range(blocks)),
            conv(width, width, 3, bias=needs_bias(norm)),
            normalise(norm, width),
        )
        grown = [layer for _ in range(doublings) for layer in (up(width, width, "shuffle"), nn.ReLU())]
        last = conv(width, out_channels, 9, padding=4)
        self.way_out = nn.Sequential(*grown, last, nn.Tanh())
        _start_without_norms([self.way_in, *grown], last)

    def forward(self, x: Tensor) -> Tensor:
        first = self.way_in(x)
        made = widened(self.way_out(first + self.trunk(first)))
        return (made + self.enlarge(x).float()).clamp(-1, 1) if self.residual else made


def _start_without_norms(layers: Iterable[nn.Module], last: nn.Module) -> None:
    """Start what no norm follows as He et al. 2015 do: at N(0, 0.02) each of its layers would make a third of a signal.

    Results begin within a tenth of the range around gray.
    """
    for part in layers:
        for layer in part.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight)
    assert isinstance(last, nn.Conv2d)
    nn.init.normal_(last.weight, 0.0, 0.1 / last.weight[0].numel() ** 0.5)

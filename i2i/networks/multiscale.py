"""The discriminator of pix2pixHD, which judges a picture at several sizes."""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from i2i.networks.patchgan import PatchGAN


class MultiScale(nn.Module):
    """PatchGANs on a picture, its half, its quarter...: fine texture and the whole (pix2pixHD, Wang et al. 2018, 3.2).

    Halved as in the authors' code: the mean of 3 x 3 pixels, of those that there are at a border.
    Shape: (N, in_channels, H, W) in [-1, 1] -> for each scale (N, 1, h, w) raw scores, float32, the finest first.
    """

    def __init__(self, networks: Sequence[PatchGAN]) -> None:
        """`networks` are one for each scale, the finest first."""
        super().__init__()
        self.scales = nn.ModuleList(networks)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        return tuple(scale(x) for scale, x in self._seen(x))

    def activations(self, x: Tensor) -> tuple[list[Tensor], ...]:
        """What every layer makes, and last the scores: a list for each scale."""
        return tuple(layers for scale, x in self._seen(x) for layers in scale.activations(x))

    def _seen(self, x: Tensor) -> list[tuple[PatchGAN, Tensor]]:
        """Each network and what it looks at."""
        found: list[tuple[PatchGAN, Tensor]] = []
        for scale in self.scales:
            assert isinstance(scale, PatchGAN)
            x = _halved(x) if found else x
            found.append((scale, x))
        return found


def _halved(x: Tensor) -> Tensor:
    return functional.avg_pool2d(x, 3, stride=2, padding=1, count_include_pad=False)

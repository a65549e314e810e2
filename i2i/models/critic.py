"""A discriminator as a function of the picture alone, that scores real and fake in one pass."""

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from i2i.networks.blocks import in_parts


class Critic:
    """D as a function of a picture, its condition closed over."""

    def __init__(self, network: nn.Module, beside: Tensor | None = None) -> None:
        """`beside` is stacked before every picture, (N, C, H, W): the source of a pair."""
        self.network, self.beside = network, beside
        self.scores: dict[str, Tensor] = {}
        """What `both` gave last, detached: for the monitor."""
        # The largest singular value of a spectral norm is followed by one step a pass, so two passes are not one.
        self._stacks = not any(parametrize.is_parametrized(layer) for layer in network.modules())

    def __call__(self, picture: Tensor) -> Tensor:
        return self.network(picture if self.beside is None else torch.cat([self.beside, picture], dim=1))

    def both(self, fake: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
        """Scores of fake and of real: in one pass, a batch norm taking the statistics of each half for itself."""
        on_fake, on_real = self._both(fake, real)
        self.scores = {"real": on_real.detach(), "fake": on_fake.detach()}
        return on_fake, on_real

    def _both(self, fake: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
        if not self._stacks or fake.shape != real.shape:
            return self(fake), self(real)
        pictures = torch.cat([fake, real])
        if self.beside is not None:
            pictures = torch.cat([self.beside.repeat(2, 1, 1, 1), pictures], dim=1)
        with in_parts(self.network, 2):
            on_fake, on_real = self.network(pictures).chunk(2)
        return on_fake, on_real

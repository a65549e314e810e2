"""The exponential moving average of the generators' weights."""

import copy
from collections.abc import Mapping

import torch
from torch import Tensor, nn


class Average:
    """A slowly following copy of some networks (Karras et al. 2018, Sec. 5; Yazici et al. 2019).

    The decay is ramped, min(decay, (1 + t) / (10 + t)), so that a short run's average is not mud. Floating-point
    buffers are averaged with the weights; counters are copied, and so are the vectors of a spectral norm, which only
    mean something beside the weights they were iterated on.
    """

    def __init__(self, networks: Mapping[str, nn.Module], decay: float) -> None:
        self.decay = decay
        # On the device: a captured graph would keep a number as it was.
        some = next((weight for network in networks.values() for weight in network.parameters()), torch.zeros(()))
        self._share = torch.zeros((), dtype=some.dtype, device=some.device)
        self.networks = {
            name: copy.deepcopy(network).eval().requires_grad_(False) for name, network in networks.items()
        }
        self._averaged: list[tuple[Tensor, Tensor]] = []
        self._copied: list[tuple[Tensor, Tensor]] = []
        for name, network in networks.items():
            theirs = dict(network.named_parameters()) | dict(network.named_buffers())
            for key, ours in (
                dict(self.networks[name].named_parameters()) | dict(self.networks[name].named_buffers())
            ).items():
                spectral = key.endswith(("._u", "._v"))
                pairs = self._averaged if ours.is_floating_point() and not spectral else self._copied
                pairs.append((ours, theirs[key]))

    def set_decay(self, rounds: int) -> None:
        """The decay of the `rounds`-th step (from 1)."""
        self._share.fill_(1 - min(self.decay, (1 + rounds) / (10 + rounds)))

    @torch.no_grad()
    def update(self) -> None:
        """Follow the networks by one step."""
        if self._averaged:
            ours, theirs = [a for a, _ in self._averaged], [b for _, b in self._averaged]
            torch._foreach_lerp_(ours, theirs, [self._share] * len(ours))  # pyright: ignore[reportPrivateImportUsage]
        for ours, theirs in self._copied:
            ours.copy_(theirs)

    def state_dict(self) -> dict[str, dict[str, Tensor]]:
        """The averaged weights by network."""
        return {name: dict(network.state_dict()) for name, network in self.networks.items()}

    def load_state_dict(self, state: Mapping[str, Mapping[str, Tensor]]) -> None:
        """Take over averaged weights."""
        for name, network in self.networks.items():
            network.load_state_dict(dict(state[name]))

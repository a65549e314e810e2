"""A player of the game: weights that move together, and the optimizer that moves them."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from i2i.engine.settings import TrainingSettings


class Player:
    """Weights that move together, and their Adam.

    Adam sees every tensor in the order in which it lies in memory: on the CPU its fused form copies weight, gradient
    and moments of a channels_last tensor back and forth at every step, which costs more than the step itself. What is
    saved has the weights' own shapes, so a state does not depend on how memory was laid out.
    """

    def __init__(self, weights: Sequence[nn.Parameter], settings: TrainingSettings, *, fused: bool = True) -> None:
        self.weights = list(weights)
        self._orders = [_order(weight) for weight in self.weights]
        self._lying = [
            nn.Parameter(weight.detach().permute(order), weight.requires_grad)
            for weight, order in zip(self.weights, self._orders, strict=True)
        ]
        betas = settings.beta1, settings.beta2
        # On the device: a captured graph would keep a number as it was.
        self._rate = torch.tensor(settings.lr, device=self.weights[0].device) if fused else None
        captured = self._rate is not None and self._rate.is_cuda
        rate = settings.lr if self._rate is None else self._rate
        self.optimizer = torch.optim.Adam(self._lying, lr=rate, betas=betas, fused=fused, capturable=captured)

    def forget(self) -> None:
        """Drop the gradients."""
        for weight, lying in zip(self.weights, self._lying, strict=True):
            weight.grad = lying.grad = None

    def set_rate(self, rate: float) -> None:
        """The learning rate of the steps to come."""
        for group in self.optimizer.param_groups:
            if self._rate is None:
                group["lr"] = rate
            else:
                group["lr"] = self._rate.fill_(rate)

    def move(self) -> None:
        """One step of Adam down the gradients."""
        for weight, lying, order in zip(self.weights, self._lying, self._orders, strict=True):
            lying.grad = None if weight.grad is None else weight.grad.permute(order)
        self.optimizer.step()

    def state_dict(self) -> dict[str, Any]:
        """Adam's moments and steps, every tensor in its weight's shape.

        Its groups are no part of it: rates are a function of progress, the rest is settings and this machine's matter.
        """
        backs = [[order.index(axis) for axis in range(len(order))] for order in self._orders]
        return {"state": self._turned(self.optimizer.state_dict()["state"], backs)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": self._turned(state["state"], self._orders), "param_groups": groups})

    def _turned(self, state: Mapping[int, Mapping[str, Any]], orders: Sequence[Sequence[int]]) -> dict[int, Any]:
        return {
            index: {
                name: value.permute(*orders[index]).contiguous()
                if isinstance(value, Tensor) and value.ndim == len(orders[index]) > 0
                else value
                for name, value in moments.items()
            }
            for index, moments in state.items()
        }


def _order(weight: Tensor) -> list[int]:
    """The axes from the farthest apart in memory to the closest."""
    if weight.is_contiguous():
        return list(range(weight.ndim))
    return sorted(range(weight.ndim), key=lambda axis: -weight.stride(axis))

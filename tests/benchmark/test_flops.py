"""Counting a round's operations."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from i2i.benchmark.flops import count_game, count_round
from i2i.experiment import change, set_width
from i2i.game import Model, Progress, Turn
from i2i.recipes import recipe


class TwoConvolutions(Model):
    """G makes pictures, D judges them; no norm, no bias."""

    def __init__(self) -> None:
        super().__init__()
        self.G = nn.Conv2d(3, 5, 3, padding=1, bias=False)
        self.D = nn.Conv2d(5, 1, 4, stride=2, padding=1, bias=False)

    def players(self) -> Mapping[str, Sequence[nn.Module]]:
        return {"G": [self.G], "D": [self.D]}

    def step(self, batch: Any, progress: Progress) -> Iterator[Turn]:
        fake = self.G(batch[0])
        yield Turn("D", {"gan": self.D(fake.detach()).mean()})
        yield Turn("G", {"gan": self.D(fake).mean()})

    def translators(self) -> Mapping[str, nn.Module]:
        return {"AtoB": self.G}

    def show(self, batch: Any, translators: Mapping[str, nn.Module]) -> Mapping[str, Tensor]:
        return {}


def test_a_round_of_two_convolutions_has_its_closed_form() -> None:
    count, side = 2, 8
    g = 2 * count * side**2 * 5 * 3 * 3**2  # a multiplication and an addition for each weight and place
    d = 2 * count * (side // 2) ** 2 * 1 * 5 * 4**2
    forward_g, forward_d = g, 2 * d
    # D's turn: its weights. G's turn: through D to its input, D's weights left out; then G's weights, not its input.
    backward = d + d + g
    assert count_game(TwoConvolutions(), (torch.randn(count, 3, side, side),)) == forward_g + forward_d + backward


@pytest.mark.parametrize("name", ["pix2pix", "cyclegan", "dcgan"])
def test_the_count_grows_with_the_batch(name: str) -> None:
    one = set_width(change(recipe(name), {"data": {"size": "64"}, "training": {"batch_size": 2}}), 4)
    more = change(one, {"training": {"batch_size": 4}})
    accumulated = change(one, {"training": {"accumulate": 2}})
    assert 0 < 2 * count_round(one) == count_round(more) == count_round(accumulated)

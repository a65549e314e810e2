"""GAN-CLS: D is told three kinds of pairs, and learns to refuse real pictures under captions that are others'."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from i2i.batches import Captioned
from i2i.game import Model, Progress, Turn, flatten
from i2i.losses.adversarial import LeastSquares, Vanilla
from i2i.losses.penalties import LazyR1
from i2i.models.settings import TextToImage as Settings
from i2i.models.text_to_image import TextToImage
from i2i.networks.sampler import Sampler
from i2i.networks.settings import TextDiscriminator, TextGenerator

SIDE, COUNT = 16, 16
COLOURS = torch.tensor([[1.0, -1, -1], [-1, 1, -1], [-1, -1, 1]])


class Told(Sampler):
    """Pictures whose every pixel is noise plus the first number of a caption."""

    latent, text = 1, 2

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        assert labels is not None
        return (self.scale * (z + labels[:, :1]))[:, :, None, None].expand(-1, 1, 2, 2)


class Compares(nn.Module):
    """Scores a picture of caption h by what they have in common; remembers what it was shown."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))
        self.seen: list[tuple[Tensor, Tensor]] = []

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        self.seen.append((x.detach(), labels))
        return self.weight * x.mean(dim=(1, 2, 3))[:, None] * labels[:, :1]


def game(objective: Any = None, **options: Any) -> TextToImage:
    return TextToImage(Told(), Compares(), objective or Vanilla(), **options)


BATCH = Captioned(torch.full((4, 1, 2, 2), 0.25), torch.ones(4, 2), -torch.ones(4, 2))


def turns(model: Model, batch: Captioned = BATCH) -> list[tuple[Turn, dict[str, Tensor]]]:
    torch.manual_seed(0)
    return [(turn, flatten(turn.terms)) for turn in model.step(batch, Progress())]


def test_d_is_told_what_is_real_what_is_made_and_what_does_not_belong_together():
    model = game()
    (d, costs), (g, made) = turns(model)
    assert (d.player, g.player) == ("D", "G")
    assert set(costs) == {"gan/real", "gan/fake", "gan/mismatched"}
    assert set(made) == {"gan"}
    assert isinstance(model.D, Compares)
    (both, own), (real, others) = model.D.seen[:2]
    assert torch.equal(both[4:], BATCH.images)
    assert torch.equal(own, torch.ones(8, 2)), "fakes and real pictures beside the caption of these"
    assert torch.equal(real, BATCH.images)
    assert torch.equal(others, BATCH.others)
    assert float(costs["gan/mismatched"].detach()) == pytest.approx(math.log1p(math.exp(-0.25)) / 2)
    assert float(costs["gan/real"].detach()) == pytest.approx(math.log1p(math.exp(-0.25)))


def test_the_two_wrong_kinds_count_half_each():
    """Algorithm 1: where D says 1/2 of everything the costs are log 2, and halves of it."""
    model = game()
    model.D.weight.data.zero_()
    costs = turns(model)[0][1]
    assert {name: round(float(cost.detach()) / math.log(2), 6) for name, cost in costs.items()} == {
        "gan/real": 1, "gan/fake": 0.5, "gan/mismatched": 0.5
    }  # fmt: skip


def test_the_mismatched_pairs_move_d():
    """Without their term D's gradient is another."""
    model = game(LeastSquares())
    _, costs = turns(model)[0]
    (whole,) = torch.autograd.grad(sum(costs.values()), model.D.weight, retain_graph=True)
    del costs["gan/mismatched"]
    (without,) = torch.autograd.grad(sum(costs.values()), model.D.weight)
    # s = w x h = -0.25 w, of which half the square costs: its slope is w / 16.
    assert float(whole - without) == pytest.approx(1 / 16)


def test_between_two_captions_g_is_to_please_too():
    model = game(lambda_interpolated=0.5)
    made = turns(model)[1][1]
    assert set(made) == {"gan", "interpolated"}
    assert isinstance(model.D, Compares)
    seen, between = model.D.seen[-1]
    assert torch.equal(between, torch.zeros(4, 2)), "half way from 1 to -1"
    assert len(seen) == 4
    assert float(made["interpolated"].detach()) == pytest.approx(0.5 * math.log(2))


def test_a_penalty_comes_as_in_every_game():
    model = game(r1=LazyR1(weight=1.0, every=2))
    assert "r1" in turns(model)[0][1]
    assert model.phase(Progress(0)) != model.phase(Progress(1))


def test_what_is_made_of_held_out_captions_is_shown_beside_their_pictures():
    model = game()
    shown = model.show(BATCH, model.translators())
    assert list(shown) == ["made", "real"]
    assert torch.equal(shown["made"], model.show(BATCH, model.translators())["made"]), "of one noise for ever"
    view = model.views(BATCH, model.translators())["sample"]
    assert torch.equal(view.make(), shown["made"])
    assert torch.equal(view.score(BATCH.images), torch.full((4, 1), 0.25))


def batch(step: int) -> Captioned:
    """Discs and squares of three colours, told by colour and shape; every other caption is another colour's."""
    draws = torch.Generator().manual_seed(step)
    colour, shape = torch.randint(3, (COUNT,), generator=draws), torch.randint(2, (COUNT,), generator=draws)
    place = torch.linspace(-1, 1, SIDE)
    far = torch.stack([place[:, None].hypot(place[None]), torch.max(place[:, None].abs(), place[None].abs())])
    inside = (far < 0.6)[shape][:, None]
    images = torch.where(inside, COLOURS[colour][:, :, None, None], torch.zeros(()))
    said = lambda colour: nn.functional.one_hot(colour, 5) + nn.functional.one_hot(shape + 3, 5)  # noqa: E731
    others = (colour + torch.randint(1, 3, (COUNT,), generator=draws)) % 3
    return Captioned(images, said(colour) / 2**0.5, said(others) / 2**0.5)


def test_mismatched_captions_score_lower_after_training():
    torch.manual_seed(0)
    settings = Settings(
        generator=TextGenerator(width=4, latent=8, described=16, text=5),
        discriminator=TextDiscriminator(width=8, described=16),
    )
    model = settings.build(3, 3, (SIDE, SIDE))
    assert isinstance(model, TextToImage)
    players = {name: [w for one in networks for w in one.parameters()] for name, networks in model.players().items()}
    movers = {name: torch.optim.Adam(weights, lr=1e-3, betas=(0.5, 0.999)) for name, weights in players.items()}
    for step in range(60):
        for turn in model.step(batch(step), Progress(step, step * COUNT)):
            loss = turn.weight * torch.stack(list(flatten(turn.terms).values())).sum()
            movers[turn.player].zero_grad()
            loss.backward(inputs=players[turn.player])
            movers[turn.player].step()
    images, own, others = batch(999)
    with torch.no_grad():
        right, wrong = model.D(images, own), model.D(images, others)
    assert float(right.mean()) > float(wrong.mean()) + 1  # 4 of several seeds
    assert float((right > wrong).float().mean()) > 0.8

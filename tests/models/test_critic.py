from typing import Any

import pytest
import torch
from torch import nn

from i2i.batches import Captioned, Domains, Labelled, Pairs
from i2i.game import Progress
from i2i.losses.adversarial import LeastSquares
from i2i.models import settings
from i2i.models.critic import Comparison, Critic
from i2i.networks import settings as networks
from i2i.networks.multiscale import MultiScale
from i2i.networks.patchgan import PatchGAN


def pictures(seed: int) -> torch.Tensor:
    return torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("norm", ["batch", "instance", "none"])
@pytest.mark.parametrize("conditional", [False, True])
def test_real_and_fake_in_one_pass_score_as_in_two(norm, conditional):
    torch.manual_seed(0)
    channels = 6 if conditional else 3
    D = PatchGAN(channels, width=4, layers=2, norm=norm).double()
    other = PatchGAN(channels, width=4, layers=2, norm=norm).double()
    other.load_state_dict(D.state_dict())
    beside = pictures(3) if conditional else None
    calls: list[int] = []
    D.register_forward_pre_hook(lambda module, args: calls.append(len(args[0])))

    on_fake, on_real = Critic(D, beside).both(pictures(1), pictures(2))
    separately = Critic(other, beside)
    assert torch.allclose(on_fake, separately(pictures(1)))
    assert torch.allclose(on_real, separately(pictures(2)))
    assert calls == [4]
    # Batch norm's running statistics have seen the fakes first, then the reals.
    assert all(torch.allclose(a, b) for a, b in zip(D.buffers(), other.buffers(), strict=True))
    assert not torch.allclose(on_fake, on_real)


def test_a_spectral_norm_judges_real_and_fake_by_the_same_weights_and_takes_one_step():
    torch.manual_seed(0)
    D = PatchGAN(3, width=4, layers=2, norm="none", spectral_norm=True).double()
    other = PatchGAN(3, width=4, layers=2, norm="none", spectral_norm=True).double()
    other.load_state_dict(D.state_dict())
    calls: list[int] = []
    D.register_forward_pre_hook(lambda module, args: calls.append(len(args[0])))
    on_fake, on_real = Critic(D).both(pictures(1), pictures(2))
    assert calls == [4]
    assert torch.allclose(on_fake, other(pictures(1)))
    assert all(torch.allclose(a, b) for a, b in zip(D.buffers(), other.buffers(), strict=True))
    assert torch.allclose(on_real, other.eval()(pictures(2)))


def test_after_a_pass_of_both_batch_norm_takes_a_batch_whole_again():
    D = PatchGAN(3, width=4, layers=2, norm="batch").double()
    before = [layer.parts for layer in D.modules() if hasattr(layer, "parts")]
    Critic(D).both(pictures(1), pictures(2))
    assert [layer.parts for layer in D.modules() if hasattr(layer, "parts")] == before == [1, 1]


def two_scales(norm: str = "batch", channels: int = 3) -> MultiScale:
    torch.manual_seed(0)
    return MultiScale([PatchGAN(channels, width=4, layers=1, norm=norm) for _ in range(2)]).double()  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("norm", ["batch", "none"])
def test_several_scales_score_real_and_fake_in_one_pass_as_in_two(norm):
    D, other = two_scales(norm), two_scales(norm)
    calls: list[int] = []
    D.register_forward_pre_hook(lambda module, args: calls.append(len(args[0])))
    critic, separately = Critic(D), Critic(other)
    for scores, picture in zip(critic.both(pictures(1), pictures(2)), (pictures(1), pictures(2)), strict=True):
        assert [scale.shape for scale in scores] == [(2, 1, 14, 14), (2, 1, 6, 6)]
        for one, two in zip(scores, separately(picture), strict=True):
            assert torch.allclose(one, two)
    assert calls == [4]
    assert all(torch.allclose(a, b) for a, b in zip(D.buffers(), other.buffers(), strict=True))


def test_the_monitor_is_told_the_scores_of_all_scales_patches():
    critic = Critic(two_scales())
    on_fake, on_real = critic.both(pictures(1), pictures(2))
    assert {name: scores.shape for name, scores in critic.scores.items()} == dict.fromkeys(("real", "fake"), (2, 232))
    assert critic.scores["fake"].mean() == pytest.approx(float(sum(s.detach().sum() for s in on_fake)) / 464, rel=1e-6)
    assert not critic.scores["real"].requires_grad
    assert on_real[0].requires_grad


@pytest.mark.parametrize("build", [two_scales, lambda channels: PatchGAN(channels, width=4, norm="none").double()])
def test_a_comparison_scores_as_its_critic_does_and_looks_once_at_each_picture(build):
    D = build(channels=6)
    fake, real, beside = pictures(1).requires_grad_(), pictures(2), pictures(3)
    critic = Critic(D, beside)
    expected = [critic(fake), critic(real)]
    first = next(layer for layer in D.modules() if isinstance(layer, torch.nn.Conv2d))
    calls: list[bool] = []
    first.register_forward_hook(lambda module, args, output: calls.append(output.requires_grad))
    comparison = Comparison(critic, fake=fake, real=real)
    for picture, scores in zip((fake, real), expected, strict=True):
        for one, two in zip(comparison(picture), scores if isinstance(scores, tuple) else [scores], strict=True):
            assert torch.allclose(one, two)
    assert calls == [True, False]
    comparison(pictures(4))
    assert calls == [True, False, True]


def test_a_comparison_keeps_every_layer_but_the_scores_and_a_way_back_to_the_fake_alone():
    fake, real = pictures(1).requires_grad_(), pictures(2).requires_grad_()
    comparison = Comparison(Critic(two_scales("none")), fake=fake, real=real)
    for one in (comparison.of_fake, comparison.of_real):
        assert [[layer.shape[1] for layer in scale] for scale in one] == [[4, 8], [4, 8]]
    assert all(layer.requires_grad for scale in comparison.of_fake for layer in scale)
    assert not any(layer.requires_grad for scale in comparison.of_real for layer in scale)
    total = torch.stack([layer.sum() for scale in comparison.of_fake for layer in scale]).sum()
    (gradient,) = torch.autograd.grad(total, fake)
    assert gradient.any()


class Constrained(LeastSquares):
    """Remembers which discriminators were held to what the objective asks."""

    def __init__(self) -> None:
        super().__init__()
        self.held: list[nn.Module] = []

    def constrain(self, network: nn.Module) -> None:
        self.held.append(network)


TRANSLATES: Any = {
    "generator": networks.ResNet(width=2, blocks=1),
    "discriminator": networks.PatchGAN(width=2, layers=1),
}
SMALL = torch.zeros(2, 3, 16, 16)
LABELLED = Labelled(SMALL, torch.zeros(2, dtype=torch.long))
GAMES: dict[str, tuple[Any, Any]] = {
    "pix2pix": (settings.Pix2Pix(**TRANSLATES), Pairs(SMALL, SMALL)),
    "cyclegan": (settings.CycleGAN(**TRANSLATES), Domains(SMALL, SMALL)),
    "cut": (settings.CUT(**TRANSLATES, head_width=4), Domains(SMALL, SMALL)),
    "distill": (
        settings.Distill(**TRANSLATES, teacher=settings.Teacher(architecture=TRANSLATES["generator"])),
        Pairs(SMALL, SMALL),
    ),
    "gan": (
        settings.GAN(
            generator=networks.DCGANGenerator(width=2, latent=4), discriminator=networks.DCGANDiscriminator(width=2)
        ),
        LABELLED,
    ),
    "progan": (
        settings.ProGAN(
            generator=networks.ProGANGenerator(width=2, latent=4), discriminator=networks.ProGANDiscriminator(width=2)
        ),
        LABELLED,
    ),
    "stylegan": (
        settings.StyleGAN(
            generator=networks.StyleGANGenerator(width=2, latent=4, mapping=1),
            discriminator=networks.StyleGANDiscriminator(width=2),
        ),
        LABELLED,
    ),
    "text-to-image": (
        settings.TextToImage(
            generator=networks.TextGenerator(width=2, latent=4, described=4, text=5),
            discriminator=networks.TextDiscriminator(width=2, described=4),
        ),
        Captioned(SMALL, torch.ones(2, 5), -torch.ones(2, 5)),
    ),
}


@pytest.mark.parametrize("game", GAMES)
def test_in_every_game_d_is_constrained_once_a_round_after_its_move_and_before_the_next(game):
    """Without it WGAN clips nothing, and ADA never learns how D does."""
    chosen, batch = GAMES[game]
    model = chosen.build(3, 3, (16, 16))
    model.objective = objective = Constrained()
    moved: list[nn.Module] = []
    model.phase(Progress())
    for turn in model.step(batch, Progress()):
        assert objective.held == moved
        if turn.player == "D":
            moved = list(model.players()["D"])
    assert objective.held == moved != []


def test_the_games_that_are_tested_are_all_that_there_are():
    assert GAMES.keys() == settings.DATA.keys()

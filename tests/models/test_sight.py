import pytest
import torch
from torch import nn

from i2i.errors import SettingsError
from i2i.game import Progress
from i2i.losses.adversarial import WGANGP, Hinge, LeastSquares, Relativistic, Vanilla
from i2i.losses.penalties import gradient_penalty, r1
from i2i.models import settings
from i2i.models.critic import Comparison, Critic
from i2i.models.decay import Decay
from i2i.models.settings.sight import Sight as SightSettings
from i2i.models.sight import TURNS, Adaptive, Sight
from i2i.networks.patchgan import PatchGAN


def pictures(seed: int = 0, size: int = 16) -> torch.Tensor:
    return torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(seed))


class Remembering(nn.Module):
    """Scores are means; what was shown is kept."""

    def __init__(self) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.ones(()))
        self.seen: list[torch.Tensor] = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.seen.append(x)
        return self.factor * x.mean(dim=(1, 2, 3))


def test_by_default_everything_is_seen_as_it_is_and_nothing_is_drawn():
    built = SightSettings().build(Vanilla())
    assert built.at(Progress()) is None
    assert not built.state_dict()
    before = torch.get_rng_state()
    D = Remembering()
    Critic(D, sight=built.at(Progress())).both(pictures(1), pictures(2))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(D.seen[0], torch.cat([pictures(1), pictures(2)]))


def test_fake_and_real_are_seen_by_the_same_kind_of_look_each_picture_by_its_own():
    torch.manual_seed(0)
    D, sight = Remembering(), Sight(["colour", "translation"])
    Critic(D, sight=sight.at(Progress())).both(pictures(1), pictures(1))
    assert D.seen[0].shape == (4, 3, 16, 16)
    for one in range(4):
        for other in range(one):
            assert not torch.equal(D.seen[0][one], D.seen[0][other])
    assert not torch.equal(D.seen[0][:2], pictures(1))


def test_the_source_of_a_pair_moves_as_its_picture_does_and_keeps_its_colours():
    torch.manual_seed(0)
    D, sight = Remembering(), Sight(["colour", "flip", "translation", "cutout"])
    source, picture = pictures(3) + 5, pictures(1) + 5
    critic = Critic(D, beside=source, sight=sight.at(Progress()))
    critic(picture)
    critic.both(picture, picture)
    for seen in D.seen:
        beside, shown = seen[:, :3], seen[:, 3:]
        assert torch.equal(beside == 0, shown == 0)
        assert (beside == 0).any()
        kept = beside[beside != 0]
        assert torch.isin(kept, source).all()
        assert float(torch.isin(shown[shown != 0], picture).float().mean()) < 0.01  # a number may happen to be there


def test_features_are_compared_as_seen_by_the_same_look():
    torch.manual_seed(0)
    D = PatchGAN(3, width=4, layers=2, norm="none")
    critic = Critic(D, sight=Sight(["colour", "flip", "translation", "cutout"]).at(Progress()))
    same = pictures(1, 32)
    comparison = Comparison(critic, fake=same, real=same.clone())
    for fakes, reals in zip(comparison.of_fake, comparison.of_real, strict=True):
        for one, two in zip(fakes, reals, strict=True):
            assert torch.equal(one, two)
    assert not torch.allclose(comparison.of_fake[0][0], D.activations(same)[0][0])


def test_the_generator_learns_through_what_is_seen():
    torch.manual_seed(0)
    fake = pictures(1).requires_grad_()
    Critic(Remembering(), sight=Sight(["colour", "translation"]).at(Progress()))(fake).sum().backward()
    assert fake.grad is not None
    assert fake.grad.any()


@pytest.mark.parametrize("operations", [["colour"], ["flip", "rotation", "translation", "cutout"]])
def test_slopes_are_penalised_behind_it(operations):
    torch.manual_seed(0)
    D = PatchGAN(3, width=4, layers=1, norm="none")
    critic = Critic(D, sight=Sight(operations).at(Progress()))
    penalty = r1(critic, pictures(1)) + gradient_penalty(critic, pictures(1), pictures(2))
    penalty.backward()
    weight = next(D.parameters())
    assert weight.grad is not None
    assert weight.grad.isfinite().all()
    assert weight.grad.any()


# --------------------------------------------------------------------------------------------------- instance noise


def test_noise_is_seen_on_real_and_fake_and_not_on_the_source():
    torch.manual_seed(0)
    D, sight = Remembering(), Sight(noise=Decay(0.5))
    source = torch.ones(2, 3, 64, 64)
    Critic(D, beside=source, sight=sight.at(Progress())).both(torch.zeros(2, 3, 64, 64), torch.zeros(2, 3, 64, 64))
    assert torch.equal(D.seen[0][:, :3], source.repeat(2, 1, 1, 1))
    for half in D.seen[0][:, 3:].chunk(2):
        assert float(half.std()) == pytest.approx(0.5, rel=0.02)


def test_noise_fades_with_the_images_until_everything_is_seen_as_it_is():
    D, sight = Remembering(), Sight(noise=Decay(0.5, until=100))
    for images in (0, 50):
        torch.manual_seed(0)
        Critic(D, sight=sight.at(Progress(images=images)))(torch.zeros(2, 3, 16, 16))
    torch.testing.assert_close(D.seen[0], 2 * D.seen[1])
    assert sight.at(Progress(images=100)) is None


def test_a_round_with_noise_is_of_one_phase_and_one_without_it_of_another():
    sight = Sight(noise=Decay(0.5, until=100))
    phases = [sight.phase(Progress(images=images)) for images in (0, 50, 99, 100, 500)]
    assert phases[0] == phases[1] == phases[2] != phases[3] == phases[4]


# ------------------------------------------------------------------------------------------------------------- ADA


def follow(adaptive: Adaptive, scores: list[float], turns: int, undecided: float = 0.0) -> float:
    for _ in range(turns):
        adaptive.follow(torch.tensor(scores), undecided)
    return float(adaptive.p)


def test_p_rises_where_d_is_surer_of_real_pictures_than_the_target_and_falls_where_it_is_not():
    adaptive = Adaptive(target=0.6, reach=1000)
    # Four turns of five pictures move it by 20 in 1000.
    assert follow(adaptive, [3.0, 1.0, 0.1, 2.0, 9.0], TURNS) == pytest.approx(0.02)
    assert follow(adaptive, [3.0, 1.0, 0.1, 2.0, 9.0], 2 * TURNS) == pytest.approx(0.06)
    # A mean sign of 0.2, and one of exactly 0.6: four of five.
    assert follow(adaptive, [3.0, 1.0, 0.1, -2.0, -9.0], TURNS) == pytest.approx(0.04)
    assert follow(adaptive, [1.0, 1.0, 1.0, 1.0, -1.0], TURNS - 1) == pytest.approx(0.04)


def test_p_is_a_probability():
    adaptive = Adaptive(reach=40)
    assert follow(adaptive, [1.0] * 5, 10 * TURNS) == 1
    assert follow(adaptive, [-1.0] * 5, 10 * TURNS) == 0


def test_the_signs_of_several_turns_are_averaged_before_it_moves():
    adaptive = Adaptive(target=0.0, reach=1000)
    for score in (1.0, 1.0, 1.0, -1.0):
        assert float(adaptive.p) == 0
        adaptive.follow(torch.tensor([score]), 0.0)
    assert float(adaptive.p) == pytest.approx(4 / 1000)
    assert (float(adaptive.signs), int(adaptive.turns)) == (0, 0)


def test_least_squares_is_undecided_half_way_to_one():
    adaptive = Adaptive(target=0.0, reach=1000)
    assert follow(adaptive, [0.3], TURNS, undecided=0.5) == 0
    assert follow(adaptive, [0.7], TURNS, undecided=0.5) == pytest.approx(4 / 1000)


def test_pictures_are_augmented_as_often_as_p_says():
    sight = Sight(["colour", "translation"], adaptive=Adaptive())
    D, picture = Remembering(), torch.rand(200, 3, 16, 16) + 1
    for p in (0.0, 0.5, 1.0):
        sight.adaptive.p.fill_(p)
        Critic(D, sight=sight.at(Progress()))(picture)
    never, half, always = (float((seen != picture).flatten(1).any(1).float().mean()) for seen in D.seen)
    assert never == 0
    assert 0.75 < half < 1  # of four chances: three of colour, one of place
    assert always == 1


def test_what_it_knows_is_in_the_checkpoint_so_that_going_on_is_exact():
    one, other = Adaptive(reach=1000), Adaptive(reach=1000)
    follow(one, [1.0] * 5, TURNS + 2)
    other.load_state_dict(one.state_dict())
    assert follow(other, [1.0] * 5, 2) == follow(one, [1.0] * 5, 2) == pytest.approx(0.04)


def test_d_that_has_moved_teaches_its_sight():
    sight = Sight(["flip"], adaptive=Adaptive(reach=100))
    D = Remembering()
    critic = Critic(D, sight=sight.at(Progress()))
    for _ in range(TURNS):
        critic.both(-pictures(1).abs() - 1, pictures(2).abs() + 1)  # only what is real scores above 0
        critic.moved(Hinge())
    assert float(sight.adaptive.p) == pytest.approx(TURNS * 2 / 100)


# -------------------------------------------------------------------------------------------------------- settings


def test_the_papers_operations_are_the_defaults():
    always = SightSettings(augment="always").build(WGANGP())
    assert always.operations == {"colour", "translation", "cutout"}
    assert always.adaptive is None
    adaptive = SightSettings(augment="adaptive", target=0.5, reach=100).build(LeastSquares())
    assert adaptive.operations == {"colour", "flip", "rotation", "translation"}
    assert adaptive.adaptive is not None
    assert (adaptive.adaptive.target, adaptive.adaptive.reach) == (0.5, 100)
    assert SightSettings(augment="always", operations=("flip",)).build(Vanilla()).operations == {"flip"}
    noisy = SightSettings(noise=0.1, noise_until=50).build(Vanilla())
    assert (noisy.noise.start, noisy.noise.until) == (0.1, 50)


@pytest.mark.parametrize("objective", [WGANGP(), Relativistic()], ids=["wgan-gp", "relativistic"])
def test_scores_without_a_middle_cannot_say_how_often_to_augment(objective):
    with pytest.raises(SettingsError, match="the score of this objective has no middle"):
        SightSettings(augment="adaptive").build(objective)


def test_operations_that_are_never_done_are_refused():
    with pytest.raises(SettingsError, match=r"operations flip: nothing is augmented.*--model.sight.augment"):
        SightSettings(operations=("flip",)).build(Vanilla())


@pytest.mark.parametrize("model", [settings.Pix2Pix, settings.CycleGAN, settings.CUT, settings.GAN])
def test_every_game_with_a_discriminator_has_it(model):
    chosen = model(sight=SightSettings(augment="always"), lambda_r1=1.0, lambda_r2=2.0, r1_every=3)
    assert (chosen.penalty.weight, chosen.penalty.weight_fake, chosen.penalty.every) == (1, 2, 3)
    size = (64, 64)
    built = chosen.build(3, 3, size)
    assert built.r1 == chosen.penalty
    sights = [part for part in built.modules() if isinstance(part, Sight)]
    assert [sight.operations for sight in sights] == [{"colour", "translation", "cutout"}] * len(sights)
    assert len(sights) == (2 if model is settings.CycleGAN else 1)

import pytest
import torch
from torch import Tensor, nn

from i2i.batches import Domains
from i2i.errors import SettingsError
from i2i.game import Progress, Turn, flatten
from i2i.losses.adversarial import LeastSquares
from i2i.losses.contrastive import patch_nce
from i2i.losses.penalties import LazyR1
from i2i.models import settings
from i2i.models.cut import CUT
from i2i.networks import settings as networks
from i2i.networks.patch_sampler import PatchSampler


class Times(nn.Module):
    """A generator of one factor, whose only feature is the picture; it remembers what it was shown."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(float(factor)))
        self.seen: list[Tensor] = []

    def features(self, x: Tensor) -> list[Tensor]:
        self.seen.append(x.detach())
        return [x * self.factor.square()]

    def decode(self, features: list[Tensor]) -> Tensor:
        return features[-1] / self.factor

    def forward(self, x: Tensor) -> Tensor:
        return x * self.factor


class Places(PatchSampler):
    """All positions in order, and as vectors the features themselves, made unit ones."""

    def __init__(self) -> None:
        super().__init__([2], patches=16)
        self.heads = nn.ModuleList([nn.Identity()])

    def positions(self, features: object) -> list[Tensor]:
        return [torch.arange(4)]


def make(**changes: object) -> CUT:
    """G doubles and D scores five times the picture."""
    return CUT(G=Times(2), H=Places(), D=Times(5), objective=LeastSquares(), **changes)  # pyright: ignore[reportArgumentType]


def domains(count: int = 1) -> Domains:
    x, y = (torch.randn(count, 2, 2, 2, generator=torch.Generator().manual_seed(seed)) for seed in (1, 2))
    return Domains(x, y)


def numbers(turn: Turn) -> dict[str, float]:
    return {name: float(term.detach()) for name, term in flatten(turn.terms).items()}


def vectors(pictures: Tensor) -> Tensor:
    return nn.functional.normalize(pictures.flatten(2).mT, dim=2)


def test_the_discriminator_moves_first_at_half_weight_and_then_the_generator():
    assert [(turn.player, turn.weight) for turn in make().step(domains(), Progress())] == [("D", 0.5), ("G", 1.0)]


@pytest.mark.parametrize("count", [1, 3])
def test_the_terms_are_those_of_the_paper_by_hand(count):
    x, y = batch = domains(count)
    D, G = make(lambda_nce=3.0).step(batch, Progress())
    assert numbers(D) == {
        "gan/fake": pytest.approx(float((10 * x).square().mean()), rel=1e-5),
        "gan/real": pytest.approx(float((5 * y - 1).square().mean()), rel=1e-5),
    }
    # Doubling changes no direction, so each patch is compared with its own.
    assert numbers(G) == {
        "gan": pytest.approx(float((10 * x - 1).square().mean()), rel=1e-5),
        "nce/x": pytest.approx(1.5 * float(patch_nce(vectors(x), vectors(x)).mean()), rel=1e-5),
        "nce/y": pytest.approx(1.5 * float(patch_nce(vectors(y), vectors(y)).mean()), rel=1e-5),
    }


def test_without_the_identity_the_source_has_the_whole_weight():
    x, _ = batch = domains()
    _, G = make(lambda_nce=10.0, identity=False).step(batch, Progress())
    assert set(numbers(G)) == {"gan", "nce/x"}
    assert numbers(G)["nce/x"] == pytest.approx(10 * float(patch_nce(vectors(x), vectors(x))), rel=1e-5)


def test_a_mirrored_input_is_mirrored_back_before_it_is_compared():
    """A generator that changes no direction has the same PatchNCE, whichever way its input was turned."""
    batch = domains(8)
    plain, turned = make(identity=False), make(identity=False, flip_equivariance=True)
    torch.manual_seed(0)
    _, G = plain.step(batch, Progress())
    _, other = turned.step(batch, Progress())
    assert numbers(other)["nce/x"] == pytest.approx(numbers(G)["nce/x"], rel=1e-5)
    shown = turned.G.seen[0]  # pyright: ignore[reportIndexIssue]
    same = [torch.equal(one, x) for one, x in zip(shown, batch.x, strict=True)]
    mirrored = [torch.equal(one, x.flip(2)) for one, x in zip(shown, batch.x, strict=True)]
    assert [one != other for one, other in zip(same, mirrored, strict=True)] == [True] * 8
    assert 0 < sum(mirrored) < 8
    assert torch.equal(turned.G.seen[1], batch.x)  # pyright: ignore[reportIndexIssue]


class Squares(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.square()


def test_slopes_are_penalised_at_the_target_domain_and_at_what_was_made_of_the_source():
    x, y = batch = domains(3)
    model = make(r1=LazyR1(weight=1.0, weight_fake=1.0, every=1))
    model.D = Squares()
    found = numbers(next(model.step(batch, Progress())))
    # The mean of 8 scores: half of |2 p / 8|^2 a picture; the fakes are 2 x.
    sizes = {"r1": y, "r2": 2 * x}
    wanted = {name: float(p.square().sum((1, 2, 3)).mean()) / 32 for name, p in sizes.items()}
    assert {name: found[name] for name in wanted} == pytest.approx(wanted, rel=1e-5)


def real(identity: bool = True, flip: bool = False) -> CUT:
    torch.manual_seed(0)
    model = settings.CUT(
        generator=networks.ResNet(width=4, blocks=2, downsample="blur", upsample="bilinear"),
        discriminator=networks.PatchGAN(width=4, layers=1, norm="instance"),
        identity=identity,
        flip_equivariance=flip,
        patches=16,
        head_width=8,
    ).build(3, 3, (16, 16))
    assert isinstance(model, CUT)
    return model


def pictures(count: int = 2) -> Domains:
    x, y = (torch.rand(count, 3, 16, 16, generator=torch.Generator().manual_seed(s)) * 2 - 1 for s in (1, 2))
    return Domains(x, y)


@pytest.mark.parametrize("flip", [False, True])
def test_the_discriminators_turn_does_not_reach_the_generator(flip):
    model = real(flip=flip)
    turn = next(model.step(pictures(), Progress()))
    torch.stack(list(flatten(turn.terms).values())).sum().backward()
    assert all(weight.grad is None for network in (model.G, model.H) for weight in network.parameters())
    assert any(weight.grad is not None for weight in model.D.parameters())


def test_keys_are_given_and_not_learnt():
    """PatchNCE's gradient reaches the input's features on no way but through what was made of them."""
    model = real(identity=False)
    x = pictures().x
    keys = model.G.features(x)
    query = [map.detach().requires_grad_() for map in model.G.features(model.G(x).detach())]
    model.patch_nce(query, keys).sum().backward()
    assert all(weight.grad is None for weight in model.G.parameters())
    assert all(map.grad is not None for map in query)
    assert all(weight.grad is not None for weight in model.H.parameters())


def test_queries_are_compared_with_the_keys_of_the_places_they_are_at():
    """Of a map with more places than are looked at: the drawn ones, the same for what was made and its input."""
    model = real()
    with torch.no_grad():
        maps = model.G.features(pictures().x)
        torch.manual_seed(1)
        found = model.patch_nce(maps, maps)
        torch.manual_seed(1)
        places = model.H.positions(maps)
        assert any(len(chosen) < map[0, 0].numel() for chosen, map in zip(places, maps, strict=True))
        layers = [patch_nce(one, one, model.temperature) for one in model.H(maps, places)]
    torch.testing.assert_close(found, torch.stack(layers).mean(0))


def test_the_generator_is_judged_by_the_discriminator_that_has_just_moved():
    model = make()
    step = model.step(domains(), Progress())
    next(step)
    with torch.no_grad():
        model.D.factor.zero_()  # pyright: ignore[reportAttributeAccessIssue, reportCallIssue]
    assert numbers(next(step))["gan"] == 1  # (0 - 1)^2


@pytest.mark.parametrize(("identity", "flip", "passes"), [(True, False, 2), (False, False, 2), (False, True, 3)])
def test_pictures_go_through_the_encoder_no_more_often_than_needed(identity, flip, passes):
    model = make(identity=identity, flip_equivariance=flip)
    list(model.step(domains(), Progress()))
    assert len(model.G.seen) == passes  # pyright: ignore[reportArgumentType]


def test_generator_and_heads_are_one_player():
    model = real()
    assert model.players() == {"G": [model.G, model.H], "D": [model.D]}
    assert model.translators() == {"AtoB": model.G}


def test_it_shows_source_translation_and_target_domain():
    shown = make().show(domains(), {"AtoB": Times(3)})
    assert list(shown) == ["source", "translated", "of the target domain"]
    assert torch.equal(shown["translated"], 3 * domains().x)


def test_the_monitor_sees_one_direction_without_pairs():
    model, (x, y) = make(), domains()
    views = model.views(domains(), model.translators())
    assert list(views) == ["AtoB"]
    assert views["AtoB"].source is not None
    assert not views["AtoB"].paired
    assert torch.equal(views["AtoB"].make(), 2 * x)
    assert torch.equal(views["AtoB"].score(y), 5 * y)  # pyright: ignore[reportArgumentType]


def test_domains_of_other_channels_are_refused():
    with pytest.raises(SettingsError, match=r"source has 1 channels and the target 3.*--data.channels rgb"):
        settings.CUT(generator=networks.ResNet(width=2, blocks=1)).build(1, 3, (32, 32))

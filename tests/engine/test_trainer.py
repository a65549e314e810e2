import copy
import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from i2i.batches import Domains, Pairs
from i2i.engine import checkpoint
from i2i.engine.schedule import Schedule
from i2i.engine.settings import TrainingSettings
from i2i.engine.trainer import Trainer
from i2i.errors import TrainingError
from i2i.game import Model, Progress, Turn
from i2i.losses.adversarial import WGANGP, Hinge, LeastSquares, Vanilla
from i2i.models.cyclegan import CycleGAN
from i2i.models.history import History
from i2i.models.pix2pix import Pix2Pix
from i2i.networks.patchgan import PatchGAN
from i2i.networks.resnet import ResNet
from i2i.networks.unet import UNet

CPU = torch.device("cpu")


def trainer_of(model: Model, *, schedule: str = "constant", steps: int = 10, fused: bool = False, **settings: Any):
    return Trainer(
        model,
        TrainingSettings(**settings),
        steps=steps,
        schedule=Schedule(schedule, units=steps, rounds_per_unit=1),  # pyright: ignore[reportArgumentType]
        device=CPU,
        fused=fused,
    )


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).tanh()


def pairs(seed: int = 0, count: int = 2) -> Pairs:
    return Pairs(draw(count, 3, 32, 32, seed=seed), draw(count, 3, 32, 32, seed=seed + 1000))


def pix2pix(objective: nn.Module | None = None, norm: str = "instance", dropout: bool = True) -> Pix2Pix:
    torch.manual_seed(0)
    return Pix2Pix(
        UNet(3, 3, width=2, depth=5, norm=norm, dropout=dropout),  # pyright: ignore[reportArgumentType]
        PatchGAN(6, width=4, layers=2, norm=norm),  # pyright: ignore[reportArgumentType]
        objective or Vanilla(),  # pyright: ignore[reportArgumentType]
    )


def cyclegan() -> CycleGAN:
    torch.manual_seed(0)
    return CycleGAN(
        G=ResNet(3, 3, width=2, blocks=1),
        F=ResNet(3, 3, width=2, blocks=1),
        D_X=PatchGAN(3, width=2, layers=2, norm="instance"),
        D_Y=PatchGAN(3, width=2, layers=2, norm="instance"),
        objective=LeastSquares(),
        history_X=History(3, (3, 32, 32)),
        history_Y=History(3, (3, 32, 32)),
    )


def adam(*modules: nn.Module) -> torch.optim.Adam:
    weights = [weight for module in modules for weight in module.parameters()]
    return torch.optim.Adam(weights, lr=2e-4, betas=(0.5, 0.999), fused=False)


def freeze(modules: Sequence[nn.Module], frozen: bool) -> None:
    for module in modules:
        module.requires_grad_(not frozen)


def close(ours: nn.Module, theirs: nn.Module) -> bool:
    """Equal but for the order of sums: real and fake go through D in one pass, and float64 shows nothing else."""
    mine, other = ours.state_dict(), theirs.state_dict()
    assert all(value.dtype != torch.float32 for value in mine.values())
    return mine.keys() == other.keys() and all(torch.allclose(mine[key], other[key], 1e-9, 1e-9) for key in mine)


def same(ours: nn.Module, theirs: nn.Module) -> bool:
    mine, other = ours.state_dict(), theirs.state_dict()
    return mine.keys() == other.keys() and all(torch.equal(mine[key], other[key]) for key in mine)


# ------------------------------------------------------------------------------------------------- the classic loop


def classic_pix2pix(model: Pix2Pix, batches: Sequence[Pairs], kind: str) -> None:
    """The loop as everybody writes it: zero_grad, backward, step, D frozen while G learns."""
    G, D = model.G, model.D
    optimizer_G, optimizer_D = adam(G), adam(D)
    bce = functional.binary_cross_entropy_with_logits
    for x, y in batches:
        fake = G(x)
        freeze([D], False)
        optimizer_D.zero_grad()
        on_fake, on_real = D(torch.cat([x, fake.detach()], 1)), D(torch.cat([x, y], 1))
        if kind == "vanilla":
            loss = bce(on_fake, torch.zeros_like(on_fake)) + bce(on_real, torch.ones_like(on_real))
        elif kind == "hinge":
            loss = (1 + on_fake).relu().mean() + (1 - on_real).relu().mean()
        else:
            share = torch.rand(len(x), 1, 1, 1, dtype=x.dtype)
            between = torch.lerp(fake.detach(), y, share).requires_grad_()
            scores = D(torch.cat([x, between], 1))
            (slope,) = torch.autograd.grad(scores.mean((1, 2, 3)).sum(), between, create_graph=True)
            loss = on_fake.mean() - on_real.mean() + 10 * (slope.flatten(1).norm(dim=1) - 1).square().mean()
        (0.5 * loss).backward()
        optimizer_D.step()
        freeze([D], True)
        optimizer_G.zero_grad()
        score = D(torch.cat([x, fake], 1))
        game = bce(score, torch.ones_like(score)) if kind == "vanilla" else -score.mean()
        (game + 100 * functional.l1_loss(fake, y)).backward()
        optimizer_G.step()


@pytest.mark.parametrize(
    ("kind", "norm"),
    [("vanilla", "instance"), ("vanilla", "batch"), ("hinge", "instance"), ("hinge", "batch"), ("wgan-gp", "instance")],
)
def test_rounds_of_pix2pix_equal_the_classic_loop(kind, norm):
    objective = {"vanilla": Vanilla(), "hinge": Hinge(), "wgan-gp": WGANGP()}[kind]
    ours = pix2pix(objective, norm).double()
    theirs = copy.deepcopy(ours)
    start = copy.deepcopy(ours)
    batches = [Pairs(*(side.double() for side in pairs(seed))) for seed in range(3)]
    torch.manual_seed(5)
    trainer = trainer_of(ours)
    for batch in batches:
        trainer.round([batch])
    torch.manual_seed(5)
    classic_pix2pix(theirs, batches, kind)
    assert close(ours, theirs)
    assert not close(ours, start)


def classic_cyclegan(model: CycleGAN, batches: Sequence[Domains]) -> None:
    G, F, D_X, D_Y = model.G, model.F, model.D_X, model.D_Y
    optimizer_G, optimizer_D = adam(G, F), adam(D_X, D_Y)
    for x, y in batches:
        (fake_y, same_y), (fake_x, same_x) = G(torch.cat([x, y])).chunk(2), F(torch.cat([y, x])).chunk(2)
        freeze([D_X, D_Y], True)
        optimizer_G.zero_grad()
        game = [(D_X(fake_x) - 1).square().mean(), (D_Y(fake_y) - 1).square().mean()]
        cycle = [10 * functional.l1_loss(F(fake_y), x), 10 * functional.l1_loss(G(fake_x), y)]
        identity = [5 * functional.l1_loss(same_x, x), 5 * functional.l1_loss(same_y, y)]
        torch.stack([*game, *cycle, *identity]).sum().backward()
        optimizer_G.step()
        freeze([D_X, D_Y], False)
        optimizer_D.zero_grad()
        past_x, past_y = model.history_X(fake_x), model.history_Y(fake_y)
        for D, real, past in ((D_X, x, past_x), (D_Y, y, past_y)):
            (0.5 * (D(past).square().mean() + (D(real) - 1).square().mean())).backward()
        optimizer_D.step()


def test_rounds_of_cyclegan_equal_the_classic_loop():
    ours = cyclegan().double()
    theirs = copy.deepcopy(ours)
    drawn = [draw(1, 3, 32, 32, seed=seed).double() for seed in range(12)]
    batches = [Domains(x, y) for x, y in zip(drawn[::2], drawn[1::2], strict=True)]
    torch.manual_seed(5)
    trainer = trainer_of(ours)
    for batch in batches:
        trainer.round([batch])
    torch.manual_seed(5)
    classic_cyclegan(theirs, batches)
    assert close(ours, theirs)


# ------------------------------------------------------------------------------------------------------------- turns


class TwoPlayers(Model):
    """A and B hold one number each; what is done between turns is up to the test."""

    def __init__(self, step: Any = None, start: float = 1.0) -> None:
        super().__init__()
        self.A, self.B = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
        for layer in (self.A, self.B):
            nn.init.constant_(layer.weight, start)
        self.register_buffer("seen", torch.zeros(()))
        self._step = step

    def players(self) -> Mapping[str, Sequence[nn.Module]]:
        return {"A": [self.A], "B": [self.B]}

    def step(self, batch: Any, progress: Progress) -> Iterator[Turn]:
        if self._step:
            yield from self._step(self, batch, progress)
            return
        self.seen += 1
        yield Turn("A", {"loss": self.A(batch[0]).mean() + self.B(batch[0]).mean()})
        yield Turn("B", {"loss": self.A(batch[0]).mean() * self.B(batch[0]).mean() + torch.rand(())})

    def translators(self) -> Mapping[str, nn.Module]:
        return {"AtoB": self.A}

    def show(self, batch: Any, translators: Mapping[str, nn.Module]) -> Mapping[str, Tensor]:
        return {}


ONE = (torch.ones(1, 1),)


def test_a_turn_moves_its_players_weights_only():
    moved: list[tuple[float, float]] = []

    def step(model: TwoPlayers, batch: Any, progress: Progress) -> Iterator[Turn]:
        for player in "AB":
            yield Turn(player, {"loss": (model.A(batch[0]) * model.B(batch[0])).mean()})
            moved.append((float(model.A.weight.detach()), float(model.B.weight.detach())))

    trainer_of(TwoPlayers(step), lr=0.25).round([ONE])
    # Adam's first step is the rate, whatever the slope.
    assert moved == [(pytest.approx(0.75), 1.0), (pytest.approx(0.75), pytest.approx(0.75))]


def test_a_turn_leaves_no_gradient_in_the_other_players_weights():
    def step(model: TwoPlayers, batch: Any, progress: Progress) -> Iterator[Turn]:
        yield Turn("A", {"loss": (model.A(batch[0]) * model.B(batch[0])).mean()})
        assert model.B.weight.grad is None

    trainer_of(TwoPlayers(step)).round([ONE])


def test_the_gradient_is_that_of_the_weighted_sum_of_all_nested_terms():
    model = TwoPlayers(
        lambda model, batch, progress: iter(
            [Turn("A", {"x": model.A(batch[0]).mean(), "in": {"y": 3 * model.A(batch[0]).mean()}}, weight=0.5)]
        )
    )
    trainer_of(model).round([(torch.full((1, 1), 7.0),)])
    assert float(model.A.weight.grad) == pytest.approx(0.5 * 4 * 7)


def test_losses_are_logged_unweighted_by_player_and_name_as_means_over_rounds():
    def step(model: TwoPlayers, batch: Any, progress: Progress) -> Iterator[Turn]:
        constant = model.A.weight.sum() * 0
        yield Turn("A", {"gan": {"fake": constant + progress.rounds, "real": constant + 5}}, weight=0.5)

    trainer = trainer_of(TwoPlayers(step))
    for _ in range(3):
        trainer.round([ONE])
    assert trainer.fetch_losses() == {"A/gan/fake": 1.0, "A/gan/real": 5.0}
    assert trainer.fetch_losses() == {}


@pytest.mark.parametrize("mode", [torch.no_grad, lambda: torch.autocast("cpu", dtype=torch.bfloat16)])
def test_a_model_that_yields_inside_a_mode_is_told_so_and_the_mode_ends(mode):
    def step(model: TwoPlayers, batch: Any, progress: Progress) -> Iterator[Turn]:
        loss = model.A(batch[0]).mean()
        with mode():
            yield Turn("A", {"loss": loss})

    with pytest.raises(RuntimeError, match=r"TwoPlayers\.step yielded inside"):
        trainer_of(TwoPlayers(step)).round([ONE])
    assert torch.is_grad_enabled()
    assert not torch.is_autocast_enabled("cpu")


def test_under_bf16_a_turn_computes_with_the_weights_of_after_the_last_step():
    products: list[float] = []

    def step(model: TwoPlayers, batch: Any, progress: Progress) -> Iterator[Turn]:
        for _ in range(3):
            output = model.A(batch[0])
            assert output.dtype is torch.bfloat16
            products.append(float(output.detach()))
            yield Turn("A", {"loss": output.mean()})

    trainer = Trainer(
        TwoPlayers(step),
        TrainingSettings(lr=0.25),
        steps=1,
        schedule=Schedule("constant", 1, 1),
        device=CPU,
        precision=torch.bfloat16,
        fused=False,
    )
    trainer.round([ONE])
    assert products == [pytest.approx(1), pytest.approx(0.75), pytest.approx(0.5, abs=0.01)]


def test_a_model_that_fails_is_closed():
    closed = []

    def step(model: TwoPlayers, batch: Any, progress: Progress) -> Iterator[Turn]:
        try:
            yield Turn("nobody", {"loss": model.A(batch[0]).mean()})
        finally:
            closed.append(True)

    with pytest.raises(KeyError, match="nobody"):
        trainer_of(TwoPlayers(step)).round([ONE])
    assert closed


def test_the_rate_of_a_round_is_that_of_the_schedule():
    model = TwoPlayers(lambda model, batch, progress: iter([Turn("A", {"loss": model.A(batch[0]).mean()})]), start=0)
    trainer = trainer_of(model, schedule="linear", steps=4, lr=0.5)
    places = [0.0]
    for _ in range(4):
        trainer.round([ONE])
        places.append(float(model.A.weight.detach()))
    steps = [before - after for before, after in itertools.pairwise(places)]
    assert steps == [pytest.approx(0.5 * factor, rel=1e-4) for factor in (1, 1, 2 / 3, 1 / 3)]


class GeneratorAndDiscriminator(TwoPlayers):
    def players(self) -> Mapping[str, Sequence[nn.Module]]:
        return {"G": [self.A], "D": [self.B]}


@pytest.mark.parametrize("fused", [False, True])
def test_discriminators_may_have_a_rate_of_their_own_on_the_same_schedule(fused):
    model = GeneratorAndDiscriminator(lambda model, batch, progress: iter([
        Turn("G", {"loss": model.A(batch[0]).mean()}), Turn("D", {"loss": model.B(batch[0]).mean()})
    ]))  # fmt: skip
    trainer = trainer_of(model, schedule="linear", steps=4, lr=0.5, lr_discriminator=0.125, fused=fused)
    before = {name: [weight.clone() for weight in player.weights] for name, player in trainer.players.items()}
    trainer.round([ONE])
    # Adam's first step is as long as its rate.
    for name, rate in (("G", 0.5), ("D", 0.125)):
        for weight, start in zip(trainer.players[name].weights, before[name], strict=True):
            assert float((start - weight).detach()) == pytest.approx(rate)
    assert trainer.learning_rate() == 0.5
    trainer.progress = Progress(rounds=3)
    assert trainer.learning_rate("D") == pytest.approx(trainer.learning_rate("G") / 4) != 0.125


def test_a_term_that_is_not_a_number_any_more_ends_the_run():
    def step(model: TwoPlayers, batch: Any, progress: Progress) -> Iterator[Turn]:
        yield Turn("A", {"fine": model.A(batch[0]).mean(), "bad": model.A(batch[0]).mean() * float("nan")})

    trainer = trainer_of(TwoPlayers(step))
    trainer.round([ONE])
    with pytest.raises(TrainingError, match=r"step 1: A/bad is not a number") as refusal:
        trainer.fetch_losses()
    assert "A/fine" not in str(refusal.value)


# ------------------------------------------------------------------------------------------------------ accumulation


class Doubles(nn.Module):
    """A small convolutional net in float64 (our own networks return float32)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(inputs, 4, 3, padding=1), nn.Tanh(), nn.Conv2d(4, outputs, 3))
        self.double()

    def forward(self, x: Tensor) -> Tensor:
        return functional.pad(self.layers(x), (1, 1, 1, 1))


def test_two_halves_accumulated_equal_one_whole_batch():
    torch.manual_seed(0)
    whole = Pix2Pix(Doubles(3, 3), Doubles(6, 1), LeastSquares())
    halves = copy.deepcopy(whole)
    one, two = trainer_of(whole), trainer_of(halves)
    for seed in range(4):
        x, y = (tensor.double() for tensor in pairs(seed, count=4))
        one.round([Pairs(x, y)])
        two.round([Pairs(x[:2], y[:2]), Pairs(x[2:], y[2:])])
    for mine, other in zip(whole.parameters(), halves.parameters(), strict=True):
        torch.testing.assert_close(mine, other, atol=1e-9, rtol=0)
    assert one.progress == two.progress == Progress(4, 16)
    assert one.fetch_losses() == pytest.approx(two.fetch_losses(), rel=1e-6)


# --------------------------------------------------------------------------------------------------- a run of rounds


def test_fit_plays_the_asked_number_of_rounds_and_tells_after_each():
    trainer = trainer_of(TwoPlayers(), steps=3, accumulate=2)
    told: list[int] = []
    trainer.fit(
        itertools.repeat(Single(torch.ones(1, 1))),
        after_round=lambda t: told.append(t.progress.rounds),
        stop=lambda: False,
    )
    assert told == [1, 2, 3]
    assert trainer.progress == Progress(3, 6)


def test_fit_stops_when_told():
    trainer = trainer_of(TwoPlayers(), steps=100)
    trainer.fit(
        itertools.repeat(Single(torch.ones(1, 1))),
        after_round=lambda t: None,
        stop=lambda: trainer.progress.rounds >= 2,
    )
    assert trainer.progress.rounds == 2


class Single(tuple[Tensor]):
    def __new__(cls, *tensors: Tensor) -> "Single":
        return super().__new__(cls, tensors)


def test_bytes_become_float32_within_one_on_the_way_to_the_device():
    batch = Pairs(
        torch.tensor([0, 255], dtype=torch.uint8).view(1, 1, 1, 2), torch.zeros(1, 1, 1, 2, dtype=torch.uint8)
    )
    moved = trainer_of(TwoPlayers()).move(batch)
    assert isinstance(moved, Pairs)
    assert moved.source.flatten().tolist() == [-1, 1]
    assert moved.source.dtype is torch.float32


@pytest.mark.parametrize("make", [lambda: pix2pix(norm="batch"), cyclegan, TwoPlayers])
def test_rehearsal_changes_nothing_but_time(make):
    model = make()
    trainer = trainer_of(model)
    batch = ONE if isinstance(model, TwoPlayers) else Pairs(*pairs())
    trainer.round([batch])
    before, random = copy.deepcopy(trainer.state_dict()), torch.get_rng_state()
    losses = dict(trainer._losses)
    assert trainer.rehearse(batch) > 0
    assert torch.equal(torch.get_rng_state(), random)
    after = trainer.state_dict()
    assert flat(before).keys() == flat(after).keys()
    assert all(torch.equal(value, flat(after)[key]) for key, value in flat(before).items())
    assert trainer._losses == losses
    assert all(weight.grad is None for weight in model.parameters())


def flat(state: Any, path: str = "") -> dict[str, Tensor]:
    """Every number of a state, by its place."""
    if isinstance(state, Mapping):
        return {key: value for name, inside in state.items() for key, value in flat(inside, f"{path}/{name}").items()}
    if isinstance(state, (list, tuple)):
        return flat(dict(enumerate(state)), path)
    return {path: torch.as_tensor(state)} if isinstance(state, (Tensor, int, float)) else {}


@pytest.mark.parametrize("make", [pix2pix, cyclegan])
def test_going_on_from_a_checkpoint_equals_never_stopping(make, tmp_path: Path):
    batches = [Pairs(*pairs(seed, count=1)) for seed in range(8)]
    torch.manual_seed(1)
    never = trainer_of(make(), schedule="linear", steps=8, ema=0.9)
    for batch in batches:
        if never.progress.rounds == 4:
            checkpoint.save(never.state_dict(), tmp_path / "last.pt")
        never.round([batch])

    torch.manual_seed(99)
    again = trainer_of(make(), schedule="linear", steps=8, ema=0.9)
    again.load_state_dict(checkpoint.load(tmp_path / "last.pt"))
    assert again.progress == Progress(4, 4)
    for batch in batches[4:]:
        again.round([batch])
    mine, other = flat(never.state_dict()), flat(again.state_dict())
    assert mine.keys() == other.keys()
    assert [key for key in mine if not torch.equal(mine[key], other[key])] == []


def test_it_ships_the_average_where_it_averages_and_the_weights_where_not():
    model = pix2pix()
    assert trainer_of(model).translators()["AtoB"] is model.G
    trainer = trainer_of(model, ema=0.9)
    trainer.round([pairs()])
    shipped = trainer.translators()["AtoB"]
    assert shipped is not model.G
    assert not same(shipped, model.G)


def test_the_average_follows_by_one_step_a_round():
    model = pix2pix()
    trainer = trainer_of(model, ema=0.9, lr=0.01)
    (first, *_), (ours, *_) = (list(part["AtoB"].parameters()) for part in (model.translators(), trainer.translators()))
    expected = first.detach().clone()
    for decay in (2 / 11, 3 / 12):  # the ramp of a short run: (1 + t) / (10 + t)
        trainer.round([pairs()])
        expected.lerp_(first.detach(), 1 - decay)
        assert not torch.equal(expected, first), "and is not where the network is"
        torch.testing.assert_close(ours, expected)


def test_weights_are_trained_in_train_mode_whatever_was_before():
    model = pix2pix()
    model.eval()
    trainer_of(model).round([pairs()])
    assert model.G.training

"""Two processes of gloo on the CPU, beside one with twice the batch."""

import copy
import os
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.multiprocessing.spawn import spawn

from i2i.batches import Pairs
from i2i.data.sampler import EpochSampler
from i2i.engine.distributed import World, joined, launched
from i2i.engine.gradients import GradientAverage
from i2i.engine.ranks import gather_own, take_own
from i2i.engine.schedule import Schedule
from i2i.engine.settings import TrainingSettings
from i2i.engine.trainer import Trainer
from i2i.errors import SettingsError
from i2i.game import Model, Progress, Turn
from i2i.losses.adversarial import WGANGP
from i2i.models.history import History
from i2i.models.pix2pix import Pix2Pix
from i2i.networks.blocks import BatchNorm
from i2i.networks.patchgan import PatchGAN
from i2i.networks.unet import UNet

CPU = torch.device("cpu")
BATCH, ROUNDS = 2, 2
"""Of each process."""


def both(work: Callable[..., None], *args: Any) -> None:
    """Run `work(world, *args)` in two processes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    spawn(_enter, (port, work, args), nprocs=2)


def _enter(rank: int, port: int, work: Callable[..., None], args: Sequence[Any]) -> None:
    torch.set_num_threads(1)
    place = {"RANK": rank, "WORLD_SIZE": 2, "LOCAL_RANK": rank, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    os.environ.update({name: str(value) for name, value in place.items()})
    with joined() as world:
        work(world, *args)


def pix2pix(norm: str) -> Pix2Pix:
    torch.manual_seed(0)
    G = UNet(3, 3, width=2, depth=5, norm=norm, dropout=False)  # pyright: ignore[reportArgumentType]
    D = PatchGAN(6, width=4, layers=2, norm=norm)  # pyright: ignore[reportArgumentType]
    return Pix2Pix(G, D, WGANGP()).double()


def trainer_of(model: Model, world: World | None = None) -> Trainer:
    schedule = Schedule("constant", ROUNDS, 1)
    return Trainer(model, TrainingSettings(), steps=ROUNDS, schedule=schedule, device=CPU, fused=False, world=world)


def batch_of(round: int, rank: int = 0, world: int = 1) -> Pairs:
    """A process's part of a round's batch; of one process the whole."""
    draws = torch.Generator().manual_seed(round)
    parts = [torch.randn(2 * BATCH, 3, 32, 32, generator=draws, dtype=torch.float64).tanh() for _ in range(2)]
    x, y = (part.chunk(world)[rank] for part in parts)
    return Pairs(x, y)


def play(norm: str, world: World | None = None) -> Trainer:
    model = pix2pix(norm)
    if world is not None and world.size > 1:
        from i2i.engine.synchronised import synchronise

        if world.rank == 1:
            with torch.no_grad():
                for weight in model.parameters():
                    weight.zero_()
        world.share(model)
        synchronise(model)
    trainer = bare_trainer(model, world)
    rank, size = (world.rank, world.size) if world else (0, 1)
    for round in range(ROUNDS):
        batch = batch_of(round, rank, size)
        if size > 1 and norm == "instance":  # accumulated, too: only the last backward's gradients may travel
            halves = zip(*(part.chunk(2) for part in batch), strict=True)
            trainer.round([Pairs(x, y) for x, y in halves])
        else:
            trainer.round([batch])
    return trainer


def assert_close(ours: Mapping[str, Tensor], theirs: Mapping[str, Tensor]) -> None:
    assert ours.keys() == theirs.keys()
    for name, value in ours.items():
        torch.testing.assert_close(
            value, theirs[name], atol=1e-9, rtol=0, msg=lambda text, name=name: f"{name}: {text}"
        )


def _middle(start: Tensor, end: Tensor, weight: Any) -> Tensor:
    """In the place of the penalty's random points, which every process draws for itself."""
    return (start + end) / 2


# ------------------------------------------------------------------------------------- two processes equal one


@pytest.mark.slow  # processes that import torch
def test_two_processes_equal_one_with_the_doubled_batch(tmp_path: Path) -> None:
    for norm in ("instance", "batch"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(torch, "lerp", _middle)
            alone = play(norm)
        losses = alone.fetch_losses()
        torch.save((alone.model.state_dict(), losses, alone.progress.images), tmp_path / norm)
    both(_equal_one, tmp_path)


def _equal_one(world: World, folder: Path) -> None:
    torch.lerp = _middle  # this process is the test's own
    for norm in ("instance", "batch"):
        model, losses, images = torch.load(folder / norm)
        ours = play(norm, world)
        assert_close(ours.model.state_dict(), model)
        assert ours.progress.images == images
        assert ours.fetch_losses() == pytest.approx(losses, rel=1e-6)
        start = pix2pix(norm).state_dict()
        assert any(not torch.equal(start[name], value) for name, value in model.items())
    _batch_norm(world)
    _gradients(world)
    _agreements(world)
    _own(world)
    _facts(world)


def _batch_norm(world: World) -> None:
    """Output, both derivatives and running statistics; the mean lies far from zero."""
    from i2i.engine.synchronised import SynchronisedBatchNorm, synchronise

    torch.manual_seed(0)
    whole, plain = torch.randn(4, 3, 5, 7, dtype=torch.float64) * 2 + 100, BatchNorm(3).double()
    nn.init.normal_(plain.weight)
    nn.init.normal_(plain.bias)
    ours = nn.Sequential(copy.deepcopy(plain), nn.Identity())
    synchronise(ours)
    layer = ours[0]
    assert isinstance(layer, SynchronisedBatchNorm)

    def twice(norm: nn.Module, x: Tensor, share: float) -> tuple[Tensor, Tensor, Tensor]:
        x = x.clone().requires_grad_()
        y = norm(x)
        (first,) = torch.autograd.grad(y.pow(3).sum() * share, x, create_graph=True)
        (second,) = torch.autograd.grad(first.square().sum(), x)
        return y, first, second

    theirs = twice(plain, whole, 1.0)
    mine = twice(ours, whole.chunk(2)[world.rank], 1.0)
    for one, other in zip(mine, theirs, strict=True):
        torch.testing.assert_close(one, other.chunk(2)[world.rank], atol=1e-9, rtol=1e-9)
    assert_close(layer.state_dict(), plain.state_dict())
    assert layer.num_batches_tracked == 1
    layer.eval()
    plain.eval()
    if world.first:  # a finished network needs no other process
        torch.testing.assert_close(layer(whole), plain(whole), atol=1e-9, rtol=0)
    lying = torch.randn(2, 4, 6, 6).contiguous(memory_format=torch.channels_last)
    fresh = nn.Sequential(BatchNorm(4))
    synchronise(fresh)
    assert fresh(lying).is_contiguous(memory_format=torch.channels_last)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert fresh(lying.bfloat16()).dtype == torch.bfloat16
    with pytest.raises(TypeError, match="cannot be synchronised"):
        synchronise(nn.Sequential(nn.BatchNorm1d(3)))


def _gradients(world: World) -> None:
    """Many buckets; gradients that one process, both or none has; those of another player stay alone."""
    weights = [nn.Parameter(torch.ones(3, 2, 2, 2)) for _ in range(5)]
    weights[4].data = weights[4].data.contiguous(memory_format=torch.channels_last)
    across = GradientAverage(weights, bucket_bytes=200)
    assert len(across.buckets) == 3
    other = nn.Parameter(torch.ones(()))
    scales = [1.0, 2.0, 3.0, 4.0, 5.0]
    used = [0, 2, 3, 4] if world.rank == 0 else [0, 3, 4]  # 1 is nobody's

    def loss() -> Tensor:
        total = torch.stack([(weights[i] * scales[i]).sum() * (world.rank + 1) for i in used]).sum()
        return total + other * (world.rank + 1)

    loss().backward()  # the first of two accumulated batches sends nothing
    across.begin()
    loss().backward()
    across.finish()
    expected = [2 * 1.5 * 1, None, 2 * 0.5 * 3, 2 * 1.5 * 4, 2 * 1.5 * 5]
    for weight, value in zip(weights, expected, strict=True):
        if value is None:
            assert weight.grad is None
        else:
            assert weight.grad is not None
            assert torch.equal(weight.grad, torch.full_like(weight, value))
            assert weight.grad.stride() == weight.stride()
    assert other.grad is not None
    assert other.grad.item() == 2 * (world.rank + 1)


def _agreements(world: World) -> None:
    stop = world.agreement()
    said = [stop(0), stop(3 if world.rank == 1 else 0), stop(0), stop(0), stop(0)]
    assert said == [0, 0, 3, 0, 0]  # the same on both, one call later, and once
    assert world.largest(5 * world.rank) == 5
    assert world.on_first(lambda: {"from": world.rank}) == {"from": 0}
    with pytest.raises(SettingsError, match="of the first"):
        world.on_first(_refuse)


def _refuse() -> None:
    raise SettingsError("of the first")


class Remembering(Model):
    def __init__(self) -> None:
        super().__init__()
        self.norm = BatchNorm(3)
        self.history = History(2, (1, 2, 2))

    def players(self) -> Mapping[str, Sequence[nn.Module]]:
        return {}

    def step(self, batch: Any, progress: Progress) -> Iterator[Turn]:
        yield from ()

    def translators(self) -> Mapping[str, nn.Module]:
        return {}

    def show(self, batch: Any, translators: Mapping[str, nn.Module]) -> Mapping[str, Tensor]:
        return {}


def bare_trainer(model: Model, world: World) -> Trainer:
    return Trainer(model, TrainingSettings(), steps=1, schedule=Schedule("constant", 1, 1), device=CPU, world=world)


def _own(world: World) -> None:
    """Random numbers, history and sums go through a checkpoint, each to its process; what is shared is kept once."""
    model = Remembering()
    trainer = bare_trainer(model, world)
    torch.manual_seed(0)
    take_own(trainer, [])
    draws = world.everyones(torch.rand(3))
    assert not torch.equal(draws[0], draws[1])
    model.history.pictures.fill_(world.rank + 1)
    summed = {"losses": {"G": torch.tensor(world.rank + 1.0)}, "signals": {}, "rounds": 2}
    trainer.set_sums(summed)
    gathered = gather_own(trainer)
    assert len(gathered) == (2 if world.first else 0)
    saved = world.on_first(lambda: gathered)
    assert set(saved[0]["buffers"]) == {"history.pictures"}
    expected = torch.rand(3)
    model.history.pictures.zero_()
    trainer.set_sums(summed | {"losses": {"G": torch.tensor(1.0)}})
    take_own(trainer, saved)
    assert trainer.sums() == summed
    assert torch.equal(torch.rand(3), expected)
    assert (model.history.pictures == world.rank + 1).all()
    # More processes than there were: the new one has random numbers of its own, and somebody's history.
    torch.manual_seed(0)
    take_own(trainer, saved[:1])
    draws = world.everyones(torch.rand(3))
    assert not torch.equal(draws[0], draws[1])
    assert (model.history.pictures == 1).all()
    assert trainer.sums()["losses"] == {"G": torch.tensor(1.0)}
    # One process takes over from two: the mean of what both have summed.
    if world.first:
        alone = bare_trainer(Remembering(), World())
        take_own(alone, saved)
        assert alone.sums()["losses"] == {"G": torch.tensor(1.5)}


def _facts(world: World) -> None:
    world.same({"batch size": 1})
    with pytest.raises(SettingsError, match=r"processes 0 and 1 of 2 do not agree on batch size \(1 and 2\)"):
        world.same({"seed": 3, "batch size": world.rank + 1})
    assert world.device("cpu") == CPU
    chosen: list[torch.device] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.cuda, "is_available", lambda: True)
        patch.setattr(torch.cuda, "device_count", lambda: 2)
        patch.setattr(torch.cuda, "set_device", chosen.append)
        assert world.device("auto") == world.device("cuda") == torch.device("cuda", world.rank) == chosen[0]
        with pytest.raises(SettingsError, match="cannot share one GPU"):
            world.device("cuda:1")
        patch.setattr(torch.cuda, "device_count", lambda: 1)
        if not world.first:
            with pytest.raises(SettingsError, match="2 processes and 1 GPUs"):
                world.device("cuda")


# ------------------------------------------------------------------------------------------------- one process alone


def test_a_process_on_its_own_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RANK", raising=False)
    with joined() as world:
        assert not torch.distributed.is_initialized()
        assert (world.rank, world.size, world.first) == (0, 1, True)
        assert world.agreement()(2) == 2
        assert world.everyones(3) == world.gathered(3) == [3]
        assert torch.equal(world.mean(torch.ones(2)), torch.ones(2))
        assert gather_own(bare_trainer(Remembering(), world)) == []
        world.same({"seed": 0})
        world.share(nn.Linear(1, 1))


def test_half_of_an_environment_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "1")
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    assert launched() is None
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    with pytest.raises(SettingsError, match="not LOCAL_RANK"):
        launched()


def test_processes_see_different_pictures_and_together_those_of_one() -> None:
    alone = iter(EpochSampler(11, 4, seed=3))
    parts = [iter(EpochSampler(11, 2, seed=3, rank=rank, world=2)) for rank in range(2)]
    for _ in range(5):
        assert next(alone) == next(parts[0]) + next(parts[1])

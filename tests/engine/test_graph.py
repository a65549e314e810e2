"""Graphs are recorded here by a tape of operations on tensors: like a CUDA graph it knows no Python any more."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from i2i.batches import Domains, Pairs
from i2i.engine.graph import PHASES, WARM_UP, Graphs
from i2i.engine.schedule import Schedule
from i2i.engine.settings import TrainingSettings
from i2i.engine.trainer import Trainer
from i2i.game import Model, Progress, Turn
from i2i.losses.adversarial import Hinge, LeastSquares, Vanilla
from i2i.losses.penalties import LazyR1
from i2i.models.cyclegan import CycleGAN
from i2i.models.history import History
from i2i.models.pix2pix import Pix2Pix
from i2i.networks.multiscale import MultiScale
from i2i.networks.patchgan import PatchGAN
from i2i.networks.resnet import ResNet
from i2i.networks.unet import UNet


class Tape(TorchDispatchMode):
    """Records operations and the memory they write to."""

    def __init__(self) -> None:
        super().__init__()
        self.operations: list[tuple[Any, Any, Any, list[Any]]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        results = func(*args, **(kwargs or {}))
        self.operations.append((func, args, kwargs or {}, tree_leaves(results)))
        return results

    def replay(self) -> None:
        """The same operations on the same memory."""
        with torch.no_grad():
            for func, args, kwargs, results in self.operations:
                for old, new in zip(results, tree_leaves(func(*args, **kwargs)), strict=True):
                    if isinstance(old, Tensor) and old.data_ptr() != new.data_ptr():
                        old.copy_(new)


def tape(run: Callable[[], None]) -> Callable[[], None]:
    """As `cuda_graph`: plays a round, and returns what plays it again."""
    recording = Tape()
    with recording:
        run()
    return recording.replay


def pix2pix() -> Pix2Pix:
    torch.manual_seed(0)
    return Pix2Pix(UNet(3, 3, width=2, depth=5), PatchGAN(6, width=4, layers=2), Vanilla())


def cyclegan() -> CycleGAN:
    torch.manual_seed(0)
    G, F = (ResNet(3, 3, width=2, blocks=1) for _ in range(2))
    D_X, D_Y = (PatchGAN(3, width=2, layers=2, norm="instance") for _ in range(2))
    histories = [History(3, (3, 32, 32)) for _ in range(2)]
    return CycleGAN(G, F, D_X, D_Y, LeastSquares(), history_X=histories[0], history_Y=histories[1])


def trainer_of(model: Model, capture: Any = None) -> Trainer:
    settings = TrainingSettings(ema=0.9)
    schedule = Schedule("linear", units=12, rounds_per_unit=1)
    trainer = Trainer(model, settings, steps=12, schedule=schedule, device=torch.device("cpu"))
    if capture:
        trainer._graphs = Graphs(trainer._play, capture)
    return trainer


def pictures(seed: int) -> Tensor:
    return torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(seed)).tanh()


@pytest.mark.parametrize("kind", [pix2pix, cyclegan])
def test_replayed_rounds_equal_eager_ones_across_the_schedules_boundary(kind):
    """Dropout, history, learning rate, average and sums of losses go on changing, though no Python runs."""
    batch_of = Pairs if kind is pix2pix else Domains
    eager, replayed = trainer_of(kind()), trainer_of(kind(), tape)
    losses = []
    for trainer in (eager, replayed):
        torch.manual_seed(7)
        losses.append([])
        for index in range(12):
            trainer.round([batch_of(pictures(2 * index), pictures(2 * index + 1))])
            if index % 3 == 2:
                losses[-1].append(trainer.fetch_losses())
    assert replayed.replayed == 12 - WARM_UP
    assert eager.replayed == 0
    assert losses[0] == losses[1]
    assert eager.learning_rate() < 4e-5
    for name, value in eager.model.state_dict().items():
        assert torch.equal(value, replayed.model.state_dict()[name]), name
    assert eager.average is not None
    assert replayed.average is not None
    for name, network in eager.average.networks.items():
        theirs = replayed.average.networks[name].state_dict()
        assert all(torch.equal(value, theirs[key]) for key, value in network.state_dict().items())


def test_a_state_that_is_loaded_is_the_one_that_is_replayed_on():
    eager, replayed = trainer_of(pix2pix()), trainer_of(pix2pix(), tape)
    batch = Pairs(pictures(0), pictures(1))
    for trainer in (eager, replayed):
        torch.manual_seed(7)
        for _ in range(WARM_UP + 2):
            trainer.round([batch])
        state = copy.deepcopy(trainer.state_dict())
        for _ in range(2):
            trainer.round([batch])
        trainer.load_state_dict(state)
        for _ in range(WARM_UP + 2):
            trainer.round([batch])
    assert replayed.replayed == 6
    assert all(torch.equal(a, b) for a, b in zip(eager.model.parameters(), replayed.model.parameters(), strict=True))


# ------------------------------------------------------------------------------------------------------- what is kept


def played(log: list[str], capture: Any = None) -> Graphs:
    def capture_by_name(run: Callable[[], None]) -> Callable[[], None]:
        run()
        return lambda: log.append("replayed")

    return Graphs(lambda batches: log.append("played"), capture or capture_by_name)


BATCH = [(torch.zeros(1, 3),)]


class One(tuple[Tensor, ...]):
    def __new__(cls, *tensors: Tensor) -> "One":
        return super().__new__(cls, tensors)


def test_every_phase_and_every_shape_has_a_graph_of_its_own():
    log: list[str] = []
    graphs = played(log)
    for phase, width in [(0, 3), (1, 3), (0, 5)]:
        for _ in range(WARM_UP + 2):
            graphs.round([One(torch.zeros(1, width))], phase)
        assert log == ["played"] * (WARM_UP + 1) + ["replayed"]
        log.clear()
    graphs.round([One(torch.zeros(1, 3))], 0)
    assert log == ["replayed"]


def test_more_kinds_of_rounds_than_graphs_are_played_eagerly():
    log: list[str] = []
    graphs = played(log)
    for phase in range(PHASES + 1):
        for _ in range(WARM_UP + 1):
            graphs.round([One(torch.zeros(1))], phase)
    assert graphs.fallback == f"the rounds are of more than {PHASES} kinds"
    assert set(log) == {"played"}


def test_a_round_that_cannot_be_recorded_is_played_and_says_why():
    def refuse(run: Callable[[], None]) -> Callable[[], None]:
        raise RuntimeError("operation not permitted when stream is capturing\nand more")

    log: list[str] = []
    graphs = played(log, refuse)
    for _ in range(WARM_UP + 3):
        graphs.round([One(torch.zeros(1))], None)
    assert graphs.fallback == "operation not permitted when stream is capturing"
    assert log == ["played"] * (WARM_UP + 3)
    assert graphs.replayed == 0


def test_without_cuda_a_trainer_plays_eagerly_and_says_so():
    trainer = trainer_of(pix2pix())
    for _ in range(WARM_UP + 2):
        trainer.round([Pairs(pictures(0), pictures(1))])
    assert trainer.replayed == 0
    assert trainer.fallback == "cpu has no CUDA graphs"


def test_compiling_reaches_the_generators_alone(monkeypatch):
    compiled: list[nn.Module] = []
    monkeypatch.setattr(nn.Module, "compile", lambda self, **options: compiled.append(self))
    model = pix2pix()
    settings = TrainingSettings(compile=True)
    schedule = Schedule("constant", units=1, rounds_per_unit=1)
    Trainer(model, settings, steps=1, schedule=schedule, device=torch.device("cpu"))
    assert compiled == [model.G]


def test_a_models_phase_is_asked_before_every_round():
    asked: list[int] = []

    class Phased(Pix2Pix):
        def phase(self, progress: Progress) -> int:
            asked.append(progress.rounds)
            return progress.rounds % 2

        def step(self, batch: Pairs, progress: Progress) -> Iterator[Turn]:
            if progress.rounds % 2 == 0:
                yield from super().step(batch, progress)

    torch.manual_seed(0)
    model = Phased(UNet(3, 3, width=2, depth=5), PatchGAN(6, width=4, layers=2), Vanilla())
    trainer = trainer_of(model, tape)
    before = copy.deepcopy(model.state_dict())
    trainer.progress = Progress(rounds=1)
    trainer.round([Pairs(pictures(0), pictures(1))])
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    trainer.round([Pairs(pictures(0), pictures(1))])
    assert not torch.equal(model.G.last[1].weight, before["G.last.1.weight"])
    assert asked == [1, 2]


def test_rounds_with_and_without_a_lazy_penalty_are_replayed_from_a_graph_each():
    """Two scales, spectral norm and features as well: all that may be switched on for pairs."""
    trainers = []
    for capture in (None, tape):
        torch.manual_seed(0)
        D = MultiScale([PatchGAN(6, width=4, layers=1, norm="none", spectral_norm=True) for _ in range(2)])
        r1 = LazyR1(weight=2.0, every=2)
        model = Pix2Pix(UNet(3, 3, width=2, depth=5), D, Hinge(), 5.0, lambda_features=10.0, r1=r1)
        trainers.append(trainer_of(model, capture))
    eager, replayed = trainers
    for trainer in trainers:
        torch.manual_seed(7)
        for index in range(2 * WARM_UP + 4):
            trainer.round([Pairs(pictures(2 * index), pictures(2 * index + 1))])
    assert replayed.replayed == 4
    assert eager.fetch_losses() == replayed.fetch_losses()
    assert eager.signals == replayed.signals
    assert {"D/accuracy", "D/separation"} <= set(eager.signals)
    for name, value in eager.model.state_dict().items():
        assert torch.equal(value, replayed.model.state_dict()[name]), name

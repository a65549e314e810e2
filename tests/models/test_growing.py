"""A game that grows: its schedule, what is shown to D, and that neither a graph nor a stop can tell."""

import copy
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from i2i.batches import Labelled
from i2i.engine.graph import WARM_UP, Graphs
from i2i.engine.schedule import Schedule
from i2i.engine.settings import TrainingSettings
from i2i.engine.trainer import Trainer
from i2i.experiment import change
from i2i.game import Progress
from i2i.losses.adversarial import WGANGP
from i2i.models.growing import Growing, ProGAN
from i2i.networks import settings
from i2i.recipes import RECIPES


def model_of(images: int = 6, **options: Any) -> ProGAN:
    torch.manual_seed(0)
    G = settings.ProGANGenerator(width=2, latent=4).build(3, (16, 16))
    D = settings.ProGANDiscriminator(width=2).build(3, (16, 16))
    return ProGAN(G, D, WGANGP(), Growing(images, G.growth.last), **options)


def trainer_of(model: ProGAN, steps: int = 12) -> Trainer:
    chosen = TrainingSettings(ema=0.9, lr=1e-3, beta1=0.0)
    schedule = Schedule("constant", steps, 1)
    return Trainer(model, chosen, steps=steps, schedule=schedule, device=torch.device("cpu"))


def batch(seed: int, count: int = 2) -> Labelled:
    pictures = torch.randn(count, 3, 16, 16, generator=torch.Generator().manual_seed(seed)).tanh()
    return Labelled(pictures, torch.zeros(count, dtype=torch.long))


@pytest.mark.parametrize(
    ("images", "stage", "alpha"),
    [
        (0, 0, 1), (99, 0, 1), (100, 1, 0), (125, 1, 0.25), (199, 1, 0.99), (200, 1, 1), (299, 1, 1), (300, 2, 0),
        (399, 2, 0.99), (400, 2, 1), (500, 2, 1), (10**9, 2, 1),
    ],
)  # fmt: skip
def test_the_first_stage_plays_alone_and_every_other_fades_in_and_stays(images, stage, alpha):
    assert Growing(100, 2).at(Progress(images=images)) == (stage, pytest.approx(alpha))


def test_without_a_length_of_stages_it_is_grown_from_the_start():
    assert Growing(0, 3).at(Progress()) == (3, 1.0)


def test_a_game_begins_at_the_first_stage():
    model = model_of()
    assert [growth.on for growth in model.growths] == [0, 0]


def test_real_pictures_are_faded_as_fakes_are(monkeypatch):
    model = model_of(images=4)
    seen: list[Sequence[Tensor]] = []

    def discriminator(D: Any, *, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        seen.append((real, fake))
        return {"none": real.sum()}

    monkeypatch.setattr(model.objective, "discriminator", discriminator)
    given = batch(0)
    list(model.step(given, Progress(images=5)))
    assert torch.equal(seen[0][0], model.growths[1].faded_picture(given.images))
    assert model.growing.at(Progress(images=5)) == (1, 0.25)
    for picture in seen[0]:  # of 8 pixels a side, each 2 x 2
        assert torch.equal(picture[:, :, ::2, ::2], picture[:, :, 1::2, 1::2])
    view = model.eval().views(given, model.translators())["sample"]
    assert torch.equal(view.real, seen[0][0])


def test_the_phase_changes_with_the_stage_and_not_within_a_fade():
    model = model_of(images=4)
    stages = [model.phase(Progress(images=images)) for images in (0, 4, 6, 8, 12, 13)]
    assert stages[0] != stages[1] == stages[2] == stages[3] != stages[4] == stages[5]
    assert len({model_of(critic_steps=2).phase(Progress(rounds)) for rounds in (0, 1)}) == 2


def test_going_on_inside_a_fade_equals_never_stopping():
    never = trainer_of(model_of())
    for index in range(4):
        never.round([batch(index)])
    assert never.model.growing.at(never.progress) == (1, pytest.approx(2 / 6))  # pyright: ignore[reportAttributeAccessIssue]
    state = copy.deepcopy(never.state_dict())
    again = trainer_of(model_of())
    again.load_state_dict(state)
    for index in range(4, 7):
        for trainer in (never, again):
            torch.set_rng_state(torch.Generator().manual_seed(index).get_state())
            trainer.round([batch(index)])
    mine, other = never.model.state_dict(), again.model.state_dict()
    assert [key for key in mine if not torch.equal(mine[key], other[key])] == []
    for one, two in zip(never.translators().values(), again.translators().values(), strict=True):
        mine, other = one.state_dict(), two.state_dict()
        assert [key for key in mine if not torch.equal(mine[key], other[key])] == []


def test_the_recipe_is_the_papers_and_is_built_as_it_says():
    experiment = change(RECIPES["progan"], {"data": {"size": "16", "load": 0}, "model": {"stage_images": 7}})
    training, objective = experiment.training, experiment.model.objective
    assert (training.lr, training.beta1, training.beta2, training.batch_size) == (1e-3, 0, 0.99, 16)
    assert (objective.kind, objective.lambda_penalty, objective.lambda_drift) == ("wgan-gp", 10, 0.001)
    assert (training.ema, experiment.model.generator.latent, experiment.model.critic_steps) == (0.999, 512, 1)
    small = change(experiment, {"model": {"generator": {"width": 2, "latent": 4}, "discriminator": {"width": 2}}})
    model = small.build(3, 3)
    assert isinstance(model, ProGAN)
    assert model.growing == Growing(7, 2)
    assert isinstance(model.objective, WGANGP)
    assert model.objective.lambda_drift == 0.001


def test_an_average_is_of_the_stage_that_is_on():
    """Averaged as weights are, its share would trail behind."""
    trainer = trainer_of(model_of())
    z = torch.randn(3, 4)
    for index in range(4):
        trainer.round([batch(index)])
    model, average = trainer.model, trainer.translators()["sample"]
    assert isinstance(model, ProGAN)
    with torch.no_grad():
        for ours, theirs in zip(average.parameters(), model.G.parameters(), strict=True):
            ours.copy_(theirs)
        assert torch.equal(average(z), model.eval().G(z))


class Tape(TorchDispatchMode):
    """Records operations: like a CUDA graph it knows no Python any more."""

    def __init__(self) -> None:
        super().__init__()
        self.operations: list[tuple[Any, Any, Any, list[Any]]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        results = func(*args, **(kwargs or {}))
        self.operations.append((func, args, kwargs or {}, torch.utils._pytree.tree_leaves(results)))
        return results

    def replay(self) -> None:
        with torch.no_grad():
            for func, args, kwargs, results in self.operations:
                for old, new in zip(results, torch.utils._pytree.tree_leaves(func(*args, **kwargs)), strict=True):
                    if isinstance(old, Tensor) and old.data_ptr() != new.data_ptr():
                        old.copy_(new)


def tape(run: Callable[[], None]) -> Callable[[], None]:
    recording = Tape()
    with recording:
        run()
    return recording.replay


def test_replayed_rounds_fade_as_eager_ones_do():
    """Stages of 14 images are 7 rounds: each is played 4 times, recorded, and replayed while it fades."""
    eager, replayed = (trainer_of(model_of(images=14), steps=20) for _ in range(2))
    replayed._graphs = Graphs(replayed._play, tape)
    for trainer in (eager, replayed):
        torch.manual_seed(7)
        for index in range(20):
            trainer.round([batch(index)])
    assert replayed.replayed == 20 - 2 * WARM_UP
    assert eager.progress.images == 40
    mine, other = eager.model.state_dict(), replayed.model.state_dict()
    assert [key for key in mine if not torch.equal(mine[key], other[key])] == []

"""Distillation: the small generator learns from the teacher, which nothing moves, saves or trains."""

import copy
from typing import Any

import pytest
import torch
from torch import nn

from i2i.batches import Domains, Labelled, Pairs
from i2i.game import Progress, flatten
from i2i.losses.adversarial import LeastSquares
from i2i.models.distill import Distill


class Judge(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(6, 1, 1)
        self.seen: list[torch.Tensor] = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.seen.append(x.detach())
        return self.layer(x)


def model(gan: bool = True, **options: Any) -> Distill:
    torch.manual_seed(0)
    teacher = nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3), nn.Dropout(), nn.Tanh())
    return Distill(nn.Conv2d(3, 3, 1), Judge() if gan else None, teacher, LeastSquares(), **options)


def pictures(seed: int) -> torch.Tensor:
    return torch.rand(2, 3, 4, 4, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def terms(model: Distill, batch: Any) -> dict[str, dict[str, float]]:
    return {
        turn.player: {name: float(value.detach()) for name, value in flatten(turn.terms).items()}
        for turn in model.step(batch, Progress())
    }


def test_the_loss_is_the_distance_to_what_the_teacher_makes() -> None:
    distill = model(gan=False, lambda_teacher=10.0)
    x = pictures(1)
    found = terms(distill, Pairs(x, pictures(2)))
    expected = 10 * float((distill.G(x) - distill.teacher(x)).abs().mean().detach())
    assert found == {"G": {"teacher": pytest.approx(expected)}}
    assert list(distill.players()) == ["G"]


def test_pairs_add_their_truth_where_it_has_a_weight() -> None:
    distill = model(gan=False, lambda_teacher=0.0, lambda_truth=5.0)
    x, y = pictures(1), pictures(2)
    assert terms(distill, Pairs(x, y))["G"]["truth"] == pytest.approx(5 * float((distill.G(x) - y).abs().mean()))
    assert "truth" not in terms(distill, Domains(x, y))["G"]


def test_the_judge_takes_the_teachers_pictures_for_real() -> None:
    distill = model()
    x = pictures(1)
    found = terms(distill, Labelled(x, torch.zeros(2, dtype=torch.long)))
    assert list(found) == ["D", "G"]
    fake, real = distill.D.seen[0].chunk(2)  # pyright: ignore[reportOptionalMemberAccess]
    assert torch.equal(real, torch.cat([x, distill.teacher(x)], dim=1))
    assert torch.equal(fake, torch.cat([x, distill.G(x)], dim=1))


def test_looking_alike_counts_by_its_weight() -> None:
    batch = Pairs(pictures(1), pictures(2))
    once, thrice = (terms(model(lambda_gan=weight), batch) for weight in (1.0, 3.0))
    assert thrice["G"]["gan"] == pytest.approx(3 * once["G"]["gan"])
    assert once["G"]["gan"] > 0
    assert thrice["G"]["teacher"] == once["G"]["teacher"]
    assert thrice["D"] == once["D"], "D's own turn has no weight of it"


@pytest.mark.parametrize(("way", "index"), [("AtoB", 0), ("BtoA", 1)])
def test_of_two_domains_the_teachers_direction_says_which_holds_the_sources(way: Any, index: int) -> None:
    distill = model(way=way)
    batch = Domains(pictures(1), pictures(2))
    shown = distill.show(batch, distill.translators())
    assert torch.equal(shown["source"], batch[index])
    assert list(distill.translators()) == list(distill.views(batch, distill.translators())) == [way]


def test_the_teacher_is_no_part_of_what_is_trained_or_saved() -> None:
    distill = model()
    weights = sum(weight.numel() for weight in distill.parameters())
    assert weights == sum(weight.numel() for part in (distill.G, distill.D) for weight in part.parameters())  # pyright: ignore[reportOptionalMemberAccess]
    assert not any("teacher" in name for name in distill.state_dict())
    assert not list(distill.teacher.buffers())


def test_training_leaves_the_teacher_finished() -> None:
    distill = model().train()
    x = pictures(1)
    before = copy.deepcopy(distill.teacher)(x)
    # Dropout would draw, and batch norm would learn, in the mode of training.
    assert torch.equal(distill.teacher(x), before)
    assert not distill.teacher(x).requires_grad
    assert torch.equal(distill.teacher(x[:1]), before[:1])


def test_the_teacher_goes_where_the_model_goes() -> None:
    distill = model().double()
    assert distill.teacher(pictures(1).double()).dtype is torch.float64
    assert copy.deepcopy(distill).teacher(pictures(1).double()).dtype is torch.float64

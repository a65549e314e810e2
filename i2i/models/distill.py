"""Distillation: a small generator learns what a trained one does (Hinton et al. 2015; for GANs Li et al. 2020)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from i2i.batches import Domains, Labelled, Pairs
from i2i.game import Model, Progress, Turn, View
from i2i.losses.adversarial import Objective
from i2i.losses.reconstruction import l1
from i2i.models.critic import Critic
from i2i.settings import Direction


class Frozen(nn.Module):
    """A network that goes where its model goes and is no part of it: not trained, not saved, always finished."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        # Out of torch's sight: a child would be in the model's parameters, its state and its mode.
        self.__dict__["network"] = network.eval().requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            return self.__dict__["network"](x)

    def _apply(self, fn: Callable[[Any], Any], recurse: bool = True) -> "Frozen":
        self.__dict__["network"]._apply(fn, recurse)
        return super()._apply(fn, recurse)


class Distill(Model):
    """G does what `teacher` does, on pictures of either form; pairs may add their truth, and D that it looks alike."""

    def __init__(
        self,
        G: nn.Module,
        D: nn.Module | None,
        teacher: nn.Module,
        objective: Objective,
        *,
        way: Direction = "AtoB",
        lambda_teacher: float = 100.0,
        lambda_truth: float = 0.0,
        lambda_gan: float = 1.0,
    ) -> None:
        """`way` says which of two domains holds the sources; D is None where `lambda_gan` is 0."""
        super().__init__()
        self.G, self.D, self.teacher, self.objective = G, D, Frozen(teacher), objective
        self.way: Direction = way
        self.lambda_teacher, self.lambda_truth, self.lambda_gan = lambda_teacher, lambda_truth, lambda_gan

    def teach_with(self, network: nn.Module) -> None:
        """Put a trained network in the place of the teacher, before the model goes to its device."""
        self.teacher = Frozen(network)

    def players(self) -> Mapping[str, Sequence[nn.Module]]:
        return {"G": [self.G]} | ({"D": [self.D]} if self.D is not None else {})

    def step(self, batch: Pairs | Domains | Labelled, progress: Progress) -> Iterator[Turn]:
        """Li et al. 2020, Eq. 1 and 2: what the teacher makes stands in for the target, for D too."""
        x, truth = self._source(batch), batch.target if isinstance(batch, Pairs) else None
        taught, made = self.teacher(x), self.G(x)
        terms: dict[str, Tensor] = {"teacher": self.lambda_teacher * l1(made, taught)}
        if truth is not None and self.lambda_truth:
            terms["truth"] = self.lambda_truth * l1(made, truth)
        if self.D is not None:
            D = Critic(self.D, beside=x)
            game = self.objective.discriminator(D, real=taught, fake=made.detach())
            yield Turn("D", {"gan": game}, weight=0.5, signals=D.scores)
            D.moved(self.objective)
            terms["gan"] = self.lambda_gan * self.objective.generator(D, real=taught, fake=made)
        yield Turn("G", terms)

    def translators(self) -> Mapping[str, nn.Module]:
        return {self.way: self.G}

    def show(self, batch: Pairs | Domains | Labelled, translators: Mapping[str, nn.Module]) -> Mapping[str, Tensor]:
        x = self._source(batch)
        shown = {"source": x, "teacher": self.teacher(x), "translated": translators[self.way](x)}
        return shown | ({"target": batch.target} if isinstance(batch, Pairs) else {})

    def views(self, batch: Pairs | Domains | Labelled, translators: Mapping[str, nn.Module]) -> Mapping[str, View]:
        if self.D is None:
            return {}
        x, G = self._source(batch), translators[self.way]
        real = self.teacher(x)
        return {self.way: View(real, lambda: G(x), Critic(self.D, beside=x), source=x, paired=True)}

    def _source(self, batch: Pairs | Domains | Labelled) -> Tensor:
        return batch[1] if isinstance(batch, Domains) and self.way == "BtoA" else batch[0]

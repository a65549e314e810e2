"""Count what each objective finds of a ring of 8 and a grid of 25 Gaussians in the plane, where it can be seen.

    python tools/count_modes.py [OBJECTIVE...] [--steps 5000] [--seed 0] [--out modes.png]

A small GAN of fully connected networks learns points through the engine that learns pictures. A sample is good within
three deviations of a centre, and a mode is found where one of 2500 samples is (Srivastava et al. 2017, Sec. 4.1). The
table goes to the screen, and a scatter plot of every objective to --out: the ring above the grid, centres in gray.

Exit code 0: counted; 2: no such objective.
"""

import argparse
import math
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from i2i import images
from i2i.batches import Labelled
from i2i.engine.schedule import Schedule
from i2i.engine.settings import TrainingSettings
from i2i.engine.trainer import Trainer
from i2i.images.pixels import Array
from i2i.losses import settings as losses
from i2i.losses.penalties import LazyR1
from i2i.models.gan import GAN
from i2i.networks import mlp
from i2i.report.sheets import sheet

BATCH, SAMPLES = 256, 2500
SIDE, DOT = 320, 1


@dataclass(frozen=True, slots=True)
class Target:
    """Gaussians of one deviation around centres in the square from -1 to 1. Shape: (K, 2)."""

    centres: Tensor
    deviation: float

    def points(self, count: int, generator: torch.Generator) -> Tensor:
        """Shape: -> (count, 2)."""
        chosen = torch.randint(len(self.centres), (count,), generator=generator)
        return self.centres[chosen] + self.deviation * torch.randn(count, 2, generator=generator)


@dataclass(frozen=True, slots=True)
class Game:
    """An objective and what its paper plays it with."""

    objective: losses.Objective
    critic_steps: int = 1
    beta1: float = 0.5
    beta2: float = 0.999
    r1: LazyR1 = LazyR1()  # noqa: RUF009


@dataclass(frozen=True, slots=True)
class Found:
    """What a generator has made of a target."""

    modes: int
    """Centres with a good sample."""
    good: float
    """Share of samples within three deviations of a centre."""
    seconds: float
    """Of a processor."""
    samples: Tensor


def ring() -> Target:
    """Eight on a circle of 100 deviations (Metz et al. 2017, and Srivastava et al. 2017, at 0.8 of their size)."""
    angles = torch.arange(8) * (2 * math.pi / 8)
    return Target(0.8 * torch.stack([angles.cos(), angles.sin()], dim=1), 0.008)


def grid() -> Target:
    """Five by five, 40 deviations apart (Srivastava et al. 2017, at a fifth of their size)."""
    places = torch.linspace(-0.8, 0.8, 5)
    return Target(torch.cartesian_prod(places, places), 0.01)


class Zoom(nn.Module):
    """Brings points to the scale at which the literature draws them: a network of few units sees no hundredths."""

    def forward(self, points: Tensor) -> Tensor:
        return 5 * points


TARGETS = {"ring": ring, "grid": grid}
GAMES: dict[str, Game] = {
    "minimax": Game(losses.Vanilla(saturating=True)),
    "vanilla": Game(losses.Vanilla()),
    "smoothed": Game(losses.Vanilla(smoothing=0.1)),
    "vanilla, R1": Game(losses.Vanilla(), r1=LazyR1(weight=0.1, every=1)),
    "least-squares": Game(losses.LeastSquares()),
    "hinge": Game(losses.Hinge()),
    "wgan": Game(losses.WGAN(clip=0.1), critic_steps=5, beta1=0.0, beta2=0.99),
    "wgan-gp": Game(losses.WGANGP(lambda_penalty=0.1), critic_steps=5, beta1=0.0, beta2=0.9),
    "RaGAN": Game(losses.Relativistic()),
    "RaLSGAN": Game(losses.Relativistic(form="least-squares")),
    "R3GAN": Game(losses.Relativistic(against="pair"), r1=LazyR1(weight=0.1, weight_fake=0.1, every=1)),
}
"""Weights of penalties are small because the plane is: what is learnt lies hundredths apart."""


def play(game: Game, target: Target, *, steps: int, seed: int, width: int = 128) -> Found:
    """Train, a step a move of D, and count."""
    torch.manual_seed(seed)
    G = mlp.Generator((2,), width=width, layers=3, latent=16)
    D = nn.Sequential(Zoom(), mlp.Discriminator((2,), width=width, layers=3, dropout=0.0))
    model = GAN(G, D, game.objective.build(), critic_steps=game.critic_steps, r1=game.r1)
    settings = TrainingSettings(batch_size=BATCH, lr=1e-3, beta1=game.beta1, beta2=game.beta2, precision="fp32")
    trainer = Trainer(
        model, settings, steps=steps, schedule=Schedule("linear", steps, 1), device=torch.device("cpu")
    )  # fmt: skip
    started = time.process_time()
    trainer.fit(_batches(target, seed), after_round=lambda trainer: None, stop=lambda: False)
    seconds = time.process_time() - started
    with torch.no_grad():
        samples = G.eval()(torch.randn(SAMPLES, G.latent, generator=torch.Generator().manual_seed(seed)))
    return count(samples, target, seconds)


def count(samples: Tensor, target: Target, seconds: float = 0.0) -> Found:
    """Which centres have a good sample, and how many samples are good. Shape: (N, 2)."""
    distance, nearest = torch.cdist(samples, target.centres).min(dim=1)
    good = distance <= 3 * target.deviation
    return Found(len(nearest[good].unique()), float(good.double().mean()), seconds, samples)


def scatter(samples: Tensor, target: Target) -> Array:
    """Samples as dots over rings of three deviations, and a little more. Shape: (N, 2) -> (SIDE, SIDE, 3) uint8."""
    picture = np.full((SIDE, SIDE, 3), 255, np.uint8)

    def place(point: Tensor) -> tuple[int, int]:
        x, y = ((point * torch.tensor([1.0, -1.0]) + 1) / 2 * (SIDE - 1)).round().int().tolist()
        return x, y

    for centre in target.centres:
        cv2.circle(picture, place(centre), 6, (200, 200, 200), 1, cv2.LINE_AA)
    for sample in samples:
        cv2.circle(picture, place(sample), DOT, (32, 84, 160), -1, cv2.LINE_AA)
    return picture


def main(arguments: Sequence[str] | None = None) -> int:
    """Play, print and draw; the exit code."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("objectives", nargs="*", metavar="OBJECTIVE", help=f"some of {', '.join(GAMES)} (all)")
    parser.add_argument("--steps", type=int, default=5000, help="moves of D (5000)")
    parser.add_argument("--seed", type=int, default=0, help="start of every draw (0)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="where the scatter plots go")
    asked = parser.parse_args(arguments)
    unknown = [name for name in asked.objectives if name not in GAMES]
    if unknown:
        print(f"error: no objective {unknown[0]!r}; there are {', '.join(GAMES)}.", file=sys.stderr)
        return 2
    drawn: dict[str, list[Array]] = {}
    print("| objective | modes of the ring | good | modes of the grid | good | seconds |")
    print("|---|---|---|---|---|---|", flush=True)
    for name in asked.objectives or GAMES:
        cells, seconds = [], 0.0
        for make in TARGETS.values():
            target = make()
            found = play(GAMES[name], target, steps=asked.steps, seed=asked.seed)
            cells += [f"{found.modes} of {len(target.centres)}", f"{found.good:.0%}"]
            seconds += found.seconds
            drawn.setdefault(name, []).append(scatter(found.samples, target))
        print(f"| {name} | {' | '.join(cells)} | {seconds:.0f} |", flush=True)
    if asked.out:
        images.write(asked.out, sheet(drawn, side=SIDE))
    return 0


def _batches(target: Target, seed: int) -> Iterator[Labelled]:
    generator = torch.Generator().manual_seed(seed)
    labels = torch.zeros(BATCH, dtype=torch.long)
    while True:
        yield Labelled(target.points(BATCH, generator), labels)


if __name__ == "__main__":
    sys.exit(main())

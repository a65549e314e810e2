"""Check our networks and our training against a folder recorded from the reference implementation.

    python tools/check_parity.py DIR [--threads 2]

DIR/networks/*.pth       weights; beside each an .npz of the same stem with x, and y = network(x) in eval mode
DIR/training/NAME/       start_net_*.pth, batches.npz and losses.json: the losses of every step, and the norm of each
                         network's weights at the end. Of the `settings` text in losses.json the numbers are used.

A GAN amplifies rounding, and the number of threads changes the order of sums: with the two threads of the recordings
the losses agree to the last digits, with one the sixth step of CycleGAN is 2e-3 away.

Exit code 0: everything agrees; 1: something differs; 2: there was nothing to check.
"""

import argparse
import json
import math
import re
import sys
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch
from torch import Tensor, nn

from i2i.batches import Domains, Pairs
from i2i.engine.schedule import Schedule
from i2i.engine.settings import TrainingSettings
from i2i.engine.trainer import Trainer
from i2i.errors import UserError
from i2i.game import Model, Scores
from i2i.losses.adversarial import WGANGP, Hinge, LeastSquares, Objective, Vanilla
from i2i.models import cyclegan
from i2i.models.critic import Critic
from i2i.models.history import History
from i2i.models.pix2pix import Pix2Pix
from i2i.networks import reference
from i2i.networks.blocks import InstanceNorm

NETWORK_BOUND = 1e-4
"""Largest difference of an output, as a share of the largest output."""
TRAINING_BOUND = 1e-3
"""Largest difference of a loss or a norm, as a share of what was recorded."""


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was checked. No difference: there was nothing to compare with."""

    name: str
    found: str
    difference: float | None = None
    bound: float = TRAINING_BOUND
    failed: bool = False

    @property
    def agrees(self) -> bool:
        return not self.failed and (self.difference is None or self.difference <= self.bound)

    def __str__(self) -> str:
        difference = "" if self.difference is None else f"{self.difference:.1e}"
        verdict = ("read" if self.difference is None else "ok") if self.agrees else "DIFFERS"
        return f"{self.name:<44} {difference:>8}  {verdict:<8} {self.found}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", metavar="DIR", type=Path, help="a folder recorded from the reference")
    parser.add_argument("--threads", type=int, default=2, help="threads to compute with, as the recording did")
    asked = parser.parse_args()
    folder: Path = asked.folder
    torch.set_num_threads(max(1, asked.threads))
    if not folder.is_dir():
        print(f"{folder}: not a folder.", file=sys.stderr)
        return 2
    files = sorted((folder / "networks").glob("*.pth"))
    records = sorted((folder / "training").glob("*/losses.json"))
    if not files and not records:
        print(f"{folder}: holds no networks/*.pth and no training/*/losses.json to check.", file=sys.stderr)
        return 2
    lines: list[Line] = []
    for check, paths in ((check_network, files), (check_training, records)):
        for path in paths:
            name = path.stem if check is check_network else path.parent.name
            try:
                found = list(check(path))
            except (UserError, OSError, ValueError, KeyError, TypeError, RuntimeError, zipfile.BadZipFile) as error:
                found = [Line(name, f"{type(error).__name__}: {error}".splitlines()[0], failed=True)]
            for line in found:
                print(line, flush=True)
            lines += found
    wrong = [line for line in lines if not line.agrees]
    print(f"{len(lines)} lines, {len(wrong)} differ." if wrong else f"{len(lines)} lines, all within bounds.")
    return 1 if wrong else 0


# ------------------------------------------------------------------------------------------------------------ networks


def check_network(path: Path) -> Iterator[Line]:
    """The architecture read from the keys, and the output in eval mode."""
    found = reference.read(path)
    made = ", ".join(f"{key}={value}" for key, value in vars(found.architecture).items() if key != "kind")
    described = f"{found.architecture.kind} {found.in_channels} -> {found.out_channels} channels, {made}"
    # A file in the layout of before torch 0.4 is the same network as its sibling: same stem without the suffix.
    beside = [path.with_suffix(".npz"), path.with_name(re.sub(r"_before_.*$", "", path.stem) + ".npz")]
    recorded = next((file for file in beside if file.is_file()), None)
    if recorded is None:
        yield Line(path.stem, described)
        return
    with np.load(recorded) as arrays, torch.no_grad():
        y = torch.from_numpy(arrays["y"]).float()
        output = found.build()(torch.from_numpy(arrays["x"]).float())
    if output.shape != y.shape:
        yield Line(path.stem, f"{tuple(output.shape)}, recorded {tuple(y.shape)}; {described}", failed=True)
        return
    difference = float((output - y).abs().max() / y.abs().max().clamp_min(1e-12))
    yield Line(path.stem, described, difference, NETWORK_BOUND, failed=not math.isfinite(difference))


# ------------------------------------------------------------------------------------------------------------ training


@dataclass(frozen=True, slots=True)
class Recording:
    """A training run of the reference: its start, what it was shown, and what came of it."""

    folder: Path
    settings: str
    first: Tensor
    second: Tensor
    losses: list[dict[str, float]]
    end_norms: dict[str, float]

    @classmethod
    def read(cls, path: Path) -> "Recording":
        record = json.loads(path.read_text(encoding="utf-8"))
        with np.load(path.parent / "batches.npz") as arrays:
            first, second = _pictures(arrays, "source", "A"), _pictures(arrays, "target", "B")
        losses: list[dict[str, float]] = record["losses"]
        if not losses or not len(losses) == len(first) == len(second):
            raise ValueError(f"{len(losses)} steps of losses, {len(first)} and {len(second)} batches")
        return cls(path.parent, str(record.get("settings", "")), first, second, losses, record.get("end_norms", {}))


def check_training(path: Path) -> Iterator[Line]:
    """Every loss of every step and the norms at the end, from the same start on the same batches."""
    recording = Recording.read(path)
    name = recording.folder.name
    largest = {loss: max(abs(step[loss]) for step in recording.losses) for loss in recording.losses[0]}
    losses, norms = _play(recording, as_reference=True)
    for number, (ours, theirs) in enumerate(zip(losses, recording.losses, strict=True), 1):
        yield _compare(f"{name} step {number}", ours, theirs, largest)
    yield _compare(f"{name} norms at the end", norms, recording.end_norms, {})
    losses, _ = _play(recording, as_reference=False)
    lines = [_compare(name, ours, theirs, largest) for ours, theirs in zip(losses, recording.losses, strict=True)]
    found = "first step; rounding then grows to " + ", ".join(f"{line.difference or 0:.0e}" for line in lines[1:])
    yield Line(f"{name} in our own arithmetic", found, lines[0].difference, failed=lines[0].failed)


def _play(recording: Recording, as_reference: bool) -> tuple[list[dict[str, float]], dict[str, float]]:
    """Our trainer on the recorded batches: the losses of every step, the norms at the end.

    A GAN amplifies rounding about tenfold a step: in float64 a recording of six steps of CycleGAN is 3e-3 away from
    itself. So that a difference means another algorithm and not another order of summing, `as_reference` takes
    torch's own instance norm, one picture a pass, pictures in NCHW and Adam unfused.
    """
    files = recording.folder.glob("start_net_*.pth")
    networks = {file.stem.removeprefix("start_net_"): _network(file, as_reference) for file in files}
    cycle = "G_A" in networks
    trainer = Trainer(
        _cyclegan(networks, recording) if cycle else _pix2pix(networks, recording),
        _adam(recording.settings),
        steps=len(recording.losses),
        schedule=Schedule("constant", units=1, rounds_per_unit=len(recording.losses)),
        device=torch.device("cpu"),
        fused=not as_reference,
        channels_last=not as_reference,
    )
    losses: list[dict[str, float]] = []
    with (
        mock.patch.object(cyclegan, "_both", _one_by_one if as_reference else cyclegan._both),
        mock.patch.object(Critic, "both", _each if as_reference else Critic.both),
    ):
        for a, b in zip(recording.first, recording.second, strict=True):
            trainer.round([Domains(a, b) if cycle else Pairs(a, b)])
            losses.append(_as_recorded(trainer.fetch_losses(), cycle))
    return losses, {name: _norm(network) for name, network in networks.items()}


def _compare(name: str, ours: Mapping[str, float], theirs: Mapping[str, float], largest: Mapping[str, float]) -> Line:
    """The worst of some numbers. One that crosses zero is measured by a hundredth of its largest over the steps."""
    unknown = sorted(set(theirs) - set(ours))
    if unknown:
        return Line(name, f"recorded, but unknown here: {', '.join(unknown)}", failed=True)
    if not theirs:
        return Line(name, "nothing recorded")
    off = {
        key: abs(ours[key] - value) / max(abs(value), largest.get(key, 0) / 100, 1e-12) for key, value in theirs.items()
    }
    worst = max(off, key=lambda key: math.inf if math.isnan(off[key]) else off[key])
    found = f"{len(theirs)} numbers, worst {worst}: ours {ours[worst]:.7g}, recorded {theirs[worst]:.7g}"
    return Line(name, found, off[worst], failed=math.isnan(off[worst]))


def _each(D: Critic, fake: Tensor, real: Tensor) -> tuple[Scores, Scores]:
    return D(fake), D(real)


def _one_by_one(network: nn.Module, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    return network(first), network(second)


def _network(path: Path, as_reference: bool) -> nn.Module:
    """The starting weights. Dropout is off: where it was on, nobody can draw the same."""
    network = reference.read(path).build()
    for layer in list(network.modules()):
        if isinstance(layer, nn.Dropout):
            layer.p = 0.0
        for name, child in layer.named_children():
            if isinstance(child, InstanceNorm) and as_reference:
                setattr(layer, name, nn.InstanceNorm2d(child.channels, child.eps))
    return network


def _pictures(arrays: Mapping[str, Any], *names: str) -> Tensor:
    """(steps, N, C, H, W), float32."""
    name = next((name for name in names if name in arrays), names[0])
    return torch.from_numpy(arrays[name]).float()


def _pix2pix(networks: Mapping[str, nn.Module], recording: Recording) -> Model:
    said = recording.settings
    lambda_l1 = _number(r"L1 ?x ?|lambda_L1\D*", said, 100)
    return Pix2Pix(networks["G"], networks["D"], _objective(said, Vanilla()), lambda_l1)


def _cyclegan(networks: Mapping[str, nn.Module], recording: Recording) -> Model:
    said = recording.settings
    # The reference names a discriminator for the generator that it teaches: its D_A judges B.
    return cyclegan.CycleGAN(
        G=networks["G_A"],
        F=networks["G_B"],
        D_X=networks["D_B"],
        D_Y=networks["D_A"],
        objective=_objective(said, LeastSquares()),
        history_X=_history(said, recording.first),
        history_Y=_history(said, recording.second),
        lambda_cycle=_number(r"cycle x? ?|lambda_A\D*", said, 10),
        lambda_identity=0.0 if "no identity" in said else _number(r"identity x? ?", said, 0.5),
    )


def _history(said: str, pictures: Tensor) -> History:
    _, _, channels, height, width = pictures.shape
    capacity = 0 if "no pool" in said else int(_number(r"pool(?: size| of)? ", said, 50))
    return History(capacity, (channels, height, width))


def _objective(said: str, usual: Objective) -> Objective:
    named: dict[str, Objective] = {
        "least squares|least-squares|lsgan|mse": LeastSquares(),
        "bce|vanilla|cross.entropy": Vanilla(),
        "hinge": Hinge(),
        # The reference has the Wasserstein terms and never applies the penalty.
        "wgan|wasserstein": WGANGP(lambda_penalty=0.0),
    }
    return next((made for words, made in named.items() if re.search(words, said, re.IGNORECASE)), usual)


def _adam(said: str) -> TrainingSettings:
    rate = _number(r"Adam (?:lr )?", said, 2e-4)
    betas = re.search(r"\(\s*(0?\.\d+)\s*,\s*(0?\.\d+)\s*\)", said)
    beta1, beta2 = (float(betas[1]), float(betas[2])) if betas else (0.5, 0.999)
    return TrainingSettings(lr=rate, beta1=beta1, beta2=beta2, schedule="constant")


def _number(before: str, said: str, otherwise: float) -> float:
    """The number that follows `before` in the settings text."""
    found = re.search(rf"(?:{before})(\d+(?:\.\d+)?(?:e-?\d+)?)", said, re.IGNORECASE)
    return float(found[1]) if found else float(otherwise)


def _as_recorded(ours: Mapping[str, float], cyclegan: bool) -> dict[str, float]:
    """Our terms under the names of the recording: A belongs to G: A -> B, whose fakes D_Y judges."""
    if not cyclegan:
        return {
            "D_fake": ours["D/gan/fake"],
            "D_real": ours["D/gan/real"],
            "G_gan": ours["G/gan"],
            "G_l1": ours["G/l1"],
        }
    named: dict[str, float] = {}
    for letter, source, target in (("A", "x", "y"), ("B", "y", "x")):
        named[f"idt_{letter}"] = ours.get(f"G/identity/{target}", 0.0)
        named[f"gan_{letter}"] = ours[f"G/gan/{target}"]
        named[f"cycle_{letter}"] = ours[f"G/cycle/{source}"]
        named[f"D_{letter}"] = 0.5 * (ours[f"D/gan/{target}/real"] + ours[f"D/gan/{target}/fake"])
    return named


def _norm(network: nn.Module) -> float:
    """Square root of the sum of squares of all weights."""
    return math.sqrt(sum(float(weight.detach().double().square().sum()) for weight in network.parameters()))


if __name__ == "__main__":
    sys.exit(main())

"""Whole conversions, from the command to the last picture: ours beside the reference's `test.py`."""

import importlib.util
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from i2i.benchmark.arms import environment, python
from i2i.benchmark.spread import Spread
from i2i.errors import SettingsError, TrainingError

Kind = Literal["unet", "resnet"]
THEIRS: dict[Kind, tuple[str, str]] = {"unet": ("unet_256", "batch"), "resnet": ("resnet_9blocks", "instance")}
"""A generator in the reference's words: its name and its norm."""

MAKE = """
import sys, torch
from models import networks
kind, norm, width, path = sys.argv[1:]
torch.save(networks.define_G(3, 3, int(width), kind, norm).state_dict(), path)
"""


@dataclass(frozen=True, kw_only=True)
class CommandFigures:
    """Seconds that both commands take, start-up included, and how they compare in the same minutes."""

    network: str
    pictures: int
    reference: Spread
    ours: Spread
    ratio: Spread
    """The reference's time over ours, of neighbouring runs."""


def measure_commands(
    checkout: Path, kind: Kind, folder: Path, scratch: Path, *, width: int, pictures: int, repeats: int
) -> CommandFigures:
    """Translate a folder with both, in turns: the same generator of the reference, which has learnt nothing.

    Raises SettingsError where the reference cannot run, TrainingError where a command fails.
    """
    if importlib.util.find_spec("dominate") is None:
        raise SettingsError("the reference's test.py writes its pages with dominate: pip install dominate")
    name, norm = THEIRS[kind]
    model = scratch / kind / "latest_net_G.pth"
    model.parent.mkdir(parents=True)
    _run([sys.executable, "-c", MAKE, name, norm, str(width), str(model)], checkout, ours=False)
    words = {
        **{
            "dataroot": str(folder),
            "name": kind,
            "checkpoints_dir": str(scratch),
            "results_dir": str(scratch / "theirs"),
        },
        **{"model": "test", "netG": name, "norm": norm, "ngf": str(width), "num_test": str(pictures)},
    }
    said = [word for key, value in words.items() for word in (f"--{key}", value)]
    theirs = [sys.executable, "-c", TEST, *said, "--no_dropout"]
    ours = [
        *python("i2i"),
        "translate",
        str(model),
        str(folder),
        str(scratch / "ours"),
        "--overwrite",
        "--format",
        "png",
    ]
    times = [(_run(theirs, checkout, ours=False), _run(ours, folder, ours=True)) for _ in range(repeats)]
    return CommandFigures(
        network=kind,
        pictures=pictures,
        reference=Spread.of(one for one, _ in times),
        ours=Spread.of(other for _, other in times),
        ratio=Spread.of(one / other for one, other in times),
    )


TEST = """
import runpy, sys
from i2i.benchmark.reference import stand_in
stand_in()
sys.path.insert(0, ".")
sys.argv[0] = "test.py"
runpy.run_path("test.py", run_name="__main__")
"""


def _run(command: Sequence[str], folder: Path, *, ours: bool) -> float:
    """Seconds until the command has ended. Raises TrainingError with its last words where it fails."""
    started = time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=environment(ours=ours), capture_output=True, text=True, check=False)
    if done.returncode:
        words = done.stderr.strip().splitlines() or ["it said nothing"]
        raise TrainingError(f"{'i2i' if ours else 'the reference'} ended with code {done.returncode}: {words[-1]}")
    return time.perf_counter() - started

"""`i2i train`: an experiment from a recipe, a file and flags, into a run folder."""

import contextlib
import dataclasses
import os
import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from i2i.cli import experiments
from i2i.cli.parsing import Switch, Where, flag, given, parse, positive
from i2i.cli.watching import listening
from i2i.data.settings import Cache
from i2i.engine.settings import CHANGEABLE, MAY_CHANGE
from i2i.errors import ModelFileError, SettingsError, UserError
from i2i.experiment import Experiment, from_yaml
from i2i.models.settings import FromNoise, TextToImage
from i2i.recipes import RECIPES
from i2i.settings import leaves

SPEAKING_S = 10.0
"""For the first process to come as far as saying what is wrong."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Train:
    """The command line of a run: what is no setting of its experiment, and the experiment."""

    data_dir: Annotated[Path | None, flag(name="data", metavar="DIR")] = None
    """Folder of the training pictures."""
    out: Annotated[Path | None, flag(metavar="RUN")] = None
    """Folder of the run: runs/<recipe>-<data> if not said."""
    width: Annotated[int | None, flag(metavar="INT")] = None
    """Base channels of generator and discriminator."""
    device: Annotated[str, flag(metavar=Where)] = "auto"
    """Where to compute; auto takes a GPU where there is one."""
    workers: Annotated[Literal["auto"] | int, flag(metavar="auto|INT")] = "auto"
    """Processes that load pictures."""
    cache: Annotated[Cache, flag(metavar="WHERE")] = "auto"
    """Keep pictures decoded: auto, memory, disk or none."""
    cache_dir: Annotated[Path | None, flag(metavar="DIR")] = None
    """Where on disk: ~/.cache/i2i if not said."""
    max_time: Annotated[str | None, flag(metavar="3h50m")] = None
    """Save and end after so long, with exit code 0."""
    resume: Annotated[Path | None, flag(metavar="RUN")] = None
    """Go on with a run; --steps or --epochs trains it further."""
    rollback: Switch = False
    """With --resume: return to the last healthy checkpoint of those kept (--keep), and halve the learning rate."""
    go_on: Annotated[Switch, flag(name="continue")] = False
    """Start the run or go on with it: one command for clusters."""
    overwrite: Switch = False
    """Throw away a run that is there already."""
    config: Annotated[Path | None, flag(metavar="FILE")] = None
    """Start from a saved experiment; flags win over it."""
    experiment: Annotated[Experiment, flag(name="")] = dataclasses.field(default_factory=Experiment)
    """The typed settings."""


def main(args: Sequence[str]) -> int:
    """Train, or go on; returns 0 where the run is done or its time is up."""
    args = list(args)
    with said_once():
        asked, experiment, seconds = _read(args)
    return _train(asked, experiment, seconds, args)


def _read(args: list[str]) -> tuple[Train, Experiment, float | None]:
    """What the command line asks for, and for how many seconds."""
    name = args.pop(0) if args and not args[0].startswith("-") else None
    if name is None and ("--help" in args or "-h" in args):
        _short_help()
    resume = experiments.value_of(args, "--resume")
    base = experiments.begin(name, args) if resume is None else _saved(Path(resume), name)
    asked = _parse(args, experiments.with_kinds_and_width(base, args), name or base.recipe)
    experiment = experiments.with_length(experiments.over(base, asked.experiment), args)
    if resume is not None:
        _refuse_changes(base, experiment, resume)
        _refuse_with_resume(args)
    elif asked.rollback:
        raise SettingsError(
            "--rollback: returns a run that is gone on with. Name it: i2i train --resume RUN --rollback"
        )
    seconds = parse_time(asked.max_time) if asked.max_time else None
    positive("--workers", asked.workers, least=0)
    data = asked.data_dir
    if data is None and asked.resume is None:
        raise SettingsError(f"no data: give the folder of pictures, as in: i2i train {experiment.recipe} --data DIR")
    return asked, experiment, seconds


def _train(asked: Train, experiment: Experiment, seconds: float | None, args: Sequence[str]) -> int:
    from i2i import training

    with listening() as listener:
        common: dict[str, Any] = {
            "device": asked.device,
            "workers": asked.workers,
            "cache": asked.cache,
            "cache_dir": asked.cache_dir,
            "max_seconds": seconds,
            "listener": listener,
        }
        if asked.resume is not None:
            changed = {
                name: getattr(experiment.training, name) if given(args, f"--{word}", f"--training.{word}") else None
                for name in MAY_CHANGE
                for word in [name.replace("_", "-")]
            }
            run = training.train(resume=asked.resume, data=asked.data_dir, rollback=asked.rollback, **changed, **common)
        else:
            run = training.train(
                experiment,
                data=asked.data_dir,
                out=asked.out,
                existing="continue" if asked.go_on else "overwrite" if asked.overwrite else "refuse",
                **common,
            )
    if os.environ.get("RANK", "0") != "0":
        return 0  # of several processes the first one speaks
    print(f"{run.path}: {run.steps} steps. Its page: {run.path / 'report.html'}")
    if isinstance(experiment.model, TextToImage):
        print(f"Use it: i2i sample {run.path} --text 'WHAT TO MAKE'")
    elif not isinstance(experiment.model, FromNoise):
        print(f"Use it: i2i translate {run.path} PICTURES... OUTPUT")
    return 0


@contextlib.contextmanager
def said_once() -> Iterator[None]:
    """Leave it to the first process on a machine to say what is wrong with a command line that torchrun gave to all."""
    try:
        yield
    except UserError:
        if os.environ.get("LOCAL_RANK", "0") != "0":
            time.sleep(SPEAKING_S)  # torchrun ends all as soon as one has left, also one that has not yet spoken
            raise SystemExit(2) from None
        raise


def _parse(args: Sequence[str], base: Experiment, name: str) -> Train:
    description = (
        f"Train {name} on your pictures. A run can be stopped and resumed at any moment.\n\n"
        f"Example: i2i train {name} --data photos --out runs/first --size 128 --epochs 40"
    )
    asked, words = parse(Train(experiment=base), args, f"i2i train {name}", description, experiments.registry())
    if words:
        hint = f"pictures are named by --data {words[0]}" if Path(words[0]).exists() else "the recipe is the first word"
        raise SettingsError(f"{words[0]!r}: a word too many; {hint}. See i2i train --help")
    if asked.go_on and asked.overwrite:
        raise SettingsError("--continue keeps a run that is there, --overwrite throws it away: say one of them.")
    if given(args, "--steps", "--training.steps") and given(args, "--epochs", "--training.epochs"):
        raise SettingsError("--steps and --epochs both give the length of the whole run: say one of them.")
    return asked


def _short_help() -> None:
    """The flags that have a short name; the full set belongs to a recipe."""
    description = (
        "Train a recipe on your pictures, or go on with a run.\n\n"
        f"Example: i2i train pix2pix --data facades --direction BtoA --out runs/facades\n\n"
        f"Recipes: {', '.join(RECIPES)} (i2i recipes tells more).\n\n"
        "All settings of a recipe: i2i train pix2pix --help"
    )
    parse(Train(), ["--help"], "i2i train RECIPE --data DIR", description, experiments.registry(short=True))


def parse_time(text: str) -> float:
    """'3h50m' -> 13800.0 seconds. Units: d, h, m, s."""
    units = {"d": 86400, "h": 3600, "m": 60, "s": 1}
    if not re.fullmatch(r"(\d+(\.\d+)?[dhms])+", text):
        raise SettingsError(f"--max-time: {text!r} cannot be used, wanted a time such as 3h50m, 90m or 45s.")
    return sum(float(number) * units[unit] for number, _, unit in re.findall(r"(\d+(\.\d+)?)([dhms])", text))


# ----------------------------------------------------------------------------------------------------------- going on


def _saved(run: Path, name: str | None) -> Experiment:
    if not (run / "experiment.yaml").is_file():
        found = "is no run folder (no experiment.yaml in it)" if run.is_dir() else "no such run folder"
        raise ModelFileError(f"{run}: {found}, so there is nothing to go on from.")
    base = from_yaml(run / "experiment.yaml")
    if name is not None and name != base.recipe:
        raise SettingsError(f"{run}: a resumed run keeps its recipe, {base.recipe}. Leave {name!r} out.")
    return base


def _refuse_changes(before: Experiment, after: Experiment, run: str) -> None:
    free = {f"training.{name}" for name in MAY_CHANGE}
    ours, theirs = leaves(before), leaves(after)
    changed = [name for name in sorted(ours.keys() | theirs.keys()) if ours.get(name) != theirs.get(name)]
    changed = [name for name in changed if name not in free]
    if changed:
        told = "; ".join(f"{name} is {ours.get(name)!r} there, not {theirs.get(name)!r}" for name in changed)
        raise SettingsError(
            f"{run}: a resumed run keeps its {', '.join(changed)} ({told}). {CHANGEABLE} Start another run for other "
            f"settings."
        )


def _refuse_with_resume(args: Sequence[str]) -> None:
    for word in ("--out", "--config", "--overwrite"):
        if given(args, word):
            raise SettingsError(f"{word}: a resumed run stays what and where it is. Leave {word} or --resume out.")

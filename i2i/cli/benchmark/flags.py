"""What the parts' command lines have in common."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import tyro

from i2i.cli import experiments
from i2i.cli.parsing import Where, flag, no_words, parse, positive
from i2i.experiment import Experiment
from i2i.recipes import RECIPES, recipe


@dataclasses.dataclass(frozen=True, kw_only=True)
class Common:
    """Flags of every part."""

    device: Annotated[str, flag(metavar=Where)] = "auto"
    """Where to compute; auto takes the GPU where there is one."""
    repeats: Annotated[int, tyro.conf.arg()] = 5
    """Times that everything is measured; the median is told, and the lowest and highest."""
    json: Annotated[Path | None, flag(metavar="FILE")] = None
    """Leave all figures there; - is standard output, which then has nothing else."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class OfExperiment(Common):
    """Flags of a part that measures an experiment: a recipe comes first, and all its settings are flags."""

    width: Annotated[int | None, flag(metavar="INT")] = None
    """Base channels of generator and discriminator."""
    workers: Annotated[Literal["auto"] | int, flag(metavar="auto|INT")] = "auto"
    """Processes that load pictures."""
    experiment: Annotated[Experiment, flag(name="")] = dataclasses.field(default_factory=Experiment)
    """The typed settings."""


C = TypeVar("C", bound=Common)
E = TypeVar("E", bound=OfExperiment)


def read(default: C, args: Sequence[str], part: str, description: str) -> C:
    """The flags of a part that takes no words."""
    asked, words = parse(default, args, f"i2i benchmark {part}", description)
    no_words(words, f"see i2i benchmark {part} --help")
    positive("--repeats", asked.repeats)
    return asked


def read_experiment(default: E, args: Sequence[str], part: str, description: str) -> tuple[E, Experiment]:
    """The flags of a part that takes a recipe, pix2pix where none is said, and the experiment they make."""
    args = list(args)
    name = args.pop(0) if args and not args[0].startswith("-") else "pix2pix"
    base = experiments.with_kinds_and_width(recipe(name), args)
    full = f"{description}\n\nRecipes: {', '.join(RECIPES)}; all settings of one are flags."
    asked, words = parse(
        dataclasses.replace(default, experiment=base),
        args,
        f"i2i benchmark {part}",
        full,
        experiments.registry(),
    )
    no_words(words, f"the recipe is the first word; see i2i benchmark {part} --help")
    positive("--repeats", asked.repeats)
    positive("--workers", asked.workers, least=0)
    return asked, experiments.over(base, asked.experiment)

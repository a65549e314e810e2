"""`i2i tune`: search for the settings of a recipe that do best on held-out pictures, in a budget of minutes."""

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from i2i.cli import experiments
from i2i.cli.parsing import Switch, Where, columns, flag, no_words, parse, positive
from i2i.cli.watching import listening
from i2i.data.settings import Cache
from i2i.errors import SettingsError
from i2i.experiment import Experiment
from i2i.recipes import RECIPES

if TYPE_CHECKING:
    from i2i.training import Listener
    from i2i.tuning import Row, Tuned

TAKEN = ("--keep",)
"""Short names of settings that mean something else here."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Tune:
    """The flags of a search, and the experiment that it begins with."""

    data_dir: Annotated[Path | None, flag(name="data", metavar="DIR")] = None
    """Folder of the training pictures."""
    out: Annotated[Path | None, flag(metavar="DIR")] = None
    """Folder of the search: runs/tune-<recipe>-<data>."""
    minutes: Annotated[float, tyro.conf.arg(metavar="FLOAT")] = 60.0
    """Of training in all, with earlier calls."""
    trials: Annotated[int | None, flag(metavar="INT")] = None
    """End after so many, with those of earlier calls."""
    trial_steps: Annotated[int, tyro.conf.arg(metavar="INT")] = 1000
    """Of each trial; --steps is of what comes out."""
    search: Annotated[tuple[str, ...], tyro.conf.UseAppendAction, flag(metavar="SETTING=VALUES")] = ()
    """Search it too, or so: model.lambda-l1=10..200,log."""
    only: Switch = False
    """Search what --search names and nothing else."""
    pruner: Annotated[Literal["median", "hyperband", "none"], flag(metavar="NAME")] = "median"
    """Who ends bad trials early: median, hyperband or none."""
    keep: Annotated[Literal["best", "all"], tyro.conf.arg(metavar="best|all")] = "best"
    """Whose weights stay on disk."""
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
    config: Annotated[Path | None, flag(metavar="FILE")] = None
    """Begin with a saved experiment; flags win over it."""
    experiment: Annotated[Experiment, flag(name="")] = dataclasses.field(default_factory=Experiment)
    """The typed settings."""


def main(args: Sequence[str]) -> int:
    """Search, and print the table of trials; returns 1 where no trial went all its steps."""
    args = list(args)
    name = args.pop(0) if args and not args[0].startswith("-") else None
    if name is None and ("--help" in args or "-h" in args):
        _short_help()
    asked, experiment = _read(name, args)

    from i2i import tuning

    found = tuning.tune(
        experiment,
        data=asked.data_dir or "",
        out=asked.out,
        minutes=asked.minutes,
        trials=asked.trials,
        trial_steps=asked.trial_steps,
        search=asked.search,
        fixed=_said(args),
        only=asked.only,
        pruner=asked.pruner,
        keep=asked.keep,
        device=asked.device,
        workers=asked.workers,
        cache=asked.cache,
        cache_dir=asked.cache_dir,
        watcher=_watcher(asked.trial_steps),
    )
    show(found)
    for line in told(found, asked.data_dir or Path()):
        print(line)
    return 0 if found.best is not None else 1


def _short_help() -> None:
    """The flags that have a short name; the full set belongs to a recipe."""
    scored = ", ".join(name for name, one in RECIPES.items() if one.needs in ("pairs", "domains"))
    parse(
        Tune(),
        ["--help"],
        "i2i tune RECIPE --data DIR",
        "Search for the settings of a recipe that do best on held-out pictures.\n\n"
        "Example: i2i tune pix2pix --data facades --minutes 120 --search model.lambda-l1=10..200,log\n\n"
        f"Recipes: {scored}. Settings are flags as in i2i train; those that are said are not searched.",
        experiments.registry(short=True, taken=TAKEN),
    )


def _read(name: str | None, args: Sequence[str]) -> tuple[Tune, Experiment]:
    """What the command line asks for, and the experiment that it begins with."""
    base = experiments.with_kinds_and_width(experiments.begin(name, args), args)
    recipe = name or base.recipe
    asked, words = parse(
        Tune(experiment=base),
        args,
        f"i2i tune {recipe}",
        f"Search for the settings of {recipe} that do best on held-out pictures. Stop it when you like: the same "
        f"command goes on.\n\nExample: i2i tune {recipe} --data photos --minutes 120 --trial-steps 2000",
        experiments.registry(taken=TAKEN),
    )
    no_words(words, f"the recipe is the first word; see i2i tune {recipe} --help")
    if asked.data_dir is None:
        raise SettingsError(f"no data: give the folder of pictures, as in: i2i tune {recipe} --data DIR")
    positive("--workers", asked.workers, least=0)
    experiment = experiments.over(base, asked.experiment)
    return asked, experiments.with_length(experiment, args)


def _said(args: Sequence[str]) -> list[str]:
    """Settings that flags give a value, which are not searched then: model.lambda-l1."""
    return [word.removeprefix("--") for word, _ in experiments.pairs(args) if "." in word]


# --------------------------------------------------------------------------------------------------------- what it says


def _watcher(steps: int) -> Any:
    from i2i import tuning
    from i2i.cli.progress import Bar

    class Shown(tuning.Watcher):
        def note(self, text: str) -> None:
            with Bar("", "") as line:
                line.note(text)

        @contextlib.contextmanager
        def trial(self, number: int, values: Mapping[str, Any]) -> "Iterator[Listener]":
            self.note(f"trial {number}: {settings(values)}")
            with listening(f"trial {number}: step") as listener:
                yield listener

        def ended(self, row: "Row") -> None:
            score = "" if row.score is None else f", best {row.score:.4f}"
            why = f": {row.note}" if row.note else ""
            self.note(f"trial {row.number}: {row.outcome} at step {row.steps} of {steps}{score}{why}")

    return Shown()


def settings(values: Mapping[str, Any]) -> str:
    """{"training.lr": 2e-4, "model.objective.kind": "hinge"} -> "lr 0.0002, objective hinge"."""
    from i2i.tuning.space import written

    names = labels(list(values))
    return ", ".join(f"{names[name]} {written(value)}" for name, value in values.items())


def labels(names: Sequence[str]) -> dict[str, str]:
    """The shortest end of each name that no other ends in: training.lr -> lr, model.objective.kind -> objective."""
    short = {name: name.removesuffix(".kind").rpartition(".")[2] for name in names}
    tails = list(short.values())
    return {name: tail if tails.count(tail) == 1 else name for name, tail in short.items()}


def show(found: "Tuned") -> None:
    """The trials as a table, the best one first."""
    from rich.console import Console
    from rich.table import Table

    from i2i.tuning.space import written

    names = list(dict.fromkeys(name for row in found.rows for name in row.values))
    short = labels(names)
    what = "pairs" if found.held_out.measure == "l1" else "pictures of a domain"
    where = "held out of train" if found.held_out.split == "train" else f"of the {found.held_out.split} split"
    title = f"{found.held_out.measure} on {found.held_out.pictures} {what} {where}, lower is better; seed {found.seed}"
    table = Table(title=title, title_justify="left")
    table.add_column("trial", justify="right")
    table.add_column(found.held_out.measure, justify="right", no_wrap=True)
    for title in ("ended", "steps", "s"):
        table.add_column(title, justify="right", no_wrap=True)
    for name in names:
        table.add_column(short[name], justify="right", overflow="fold")
    for row in found.ordered:
        score = "-" if row.score is None else f"{row.score:.4f}"
        values = [written(row.values[name]) if name in row.values else "-" for name in names]
        table.add_row(str(row.number), score, row.outcome, str(row.steps), f"{row.seconds:.0f}", *values)
    Console(width=max(80, columns()), markup=False, highlight=False, soft_wrap=True).print(table)


def told(found: "Tuned", data: Path) -> list[str]:
    """What was found, what to do with it, and how far it can be trusted."""
    if found.best is None:
        furthest = max((row.steps for row in found.rows), default=0)
        return [
            f"No trial went all of its {found.trial_steps} steps; the furthest came to {furthest}. The same command "
            f"with more --minutes goes on; or begin another search with fewer --trial-steps."
        ]
    start = found.start
    before = f"; as it began (trial {start.number}): {start.score:.4f}" if start and start != found.best else ""
    lines = [
        f"Best: trial {found.best.number}, {found.held_out.measure} {found.best.score:.4f}{before}. "
        f"Its page: {found.best.run / 'report.html'}",
        f"Train with its settings: i2i train --config {found.out / 'experiment.yaml'} --data {data} --out RUN",
        f"One seed ({found.seed}) and {found.trial_steps} steps: small differences may be chance, and a rate that is "
        f"best for a short run may be too high for a long one.",
    ]
    flatters = "The scores are of the held-out pictures that chose the settings, so the best one flatters itself."
    if found.held_out.untouched:
        return [*lines, f"{flatters} Measure on pictures that chose nothing: i2i evaluate RUN {data} --split test"]
    return [*lines, f"{flatters} Put pictures aside that neither trained nor chose, and measure on those: i2i evaluate"]

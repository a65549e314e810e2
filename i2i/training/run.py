"""Train a recipe on a folder, or go on with a run."""

from contextlib import ExitStack
from pathlib import Path
from typing import Literal, get_args

from i2i.data.feeding import Feeding
from i2i.data.settings import Cache
from i2i.engine import checkpoint
from i2i.engine.distributed import World, joined
from i2i.engine.settings import CHANGEABLE, MAY_CHANGE
from i2i.errors import SettingsError
from i2i.experiment import Experiment, InitWhat, Tree, change, set_width
from i2i.recipes import recipe
from i2i.settings import Direction, Resize
from i2i.training.captions import with_captions
from i2i.training.classes import with_classes
from i2i.training.folder import Existing, prepared
from i2i.training.going_on import enter, experiment_of, refuse_changes
from i2i.training.listener import Listener
from i2i.training.memory import knobs_named
from i2i.training.playing import Run, placed, play
from i2i.training.rollback import roll_back
from i2i.training.teaching import ready, taught_by


def train(
    recipe_or_experiment: str | Experiment | None = None,
    *,
    data: str | Path | None = None,
    out: str | Path | None = None,
    steps: int | None = None,
    epochs: int | None = None,
    batch_size: int | Literal["auto"] | None = None,
    size: int | str | None = None,
    width: int | None = None,
    direction: Direction | None = None,
    resize: Resize | None = None,
    teacher: str | Path | None = None,
    init_from: str | Path | None = None,
    init_what: InitWhat | None = None,
    seed: int | None = None,
    checkpoint_every: int | None = None,
    keep: int | None = None,
    precision: Literal["auto", "fp32", "bf16"] | None = None,
    deterministic: bool | None = None,
    device: str = "auto",
    workers: int | Literal["auto"] = "auto",
    cache: Cache = "auto",
    cache_dir: str | Path | None = None,
    resume: str | Path | None = None,
    rollback: bool = False,
    existing: Existing = "refuse",
    max_seconds: float | None = None,
    listener: Listener | None = None,
) -> Run:
    """Train a recipe (a name, or an Experiment) on a folder, or go on with a run.

    `cache` keeps pictures decoded: in memory, on disk in `cache_dir` for the next run too, by what fits (auto), or not
    at all (none). Neither it nor `workers` changes a run's numbers.

    `batch_size` auto takes the power of two that is fastest here and fits, by trying; the run keeps the number.
    `deterministic` gives the same bits again on the same machine, also on CUDA, where it is slower.
    `init_from` another model's weights instead of random ones: a run, a translator file, or the reference's .pth files.
    `teacher` is the model that the recipe distill learns from; size and direction are its own where none are given.
    `keep` so many of the last checkpoints. With `rollback` a resumed run first returns to the last healthy one of them,
    and its learning rate is halved.
    Where torchrun started several processes they train as one: `batch_size` is each one's, the first alone writes and
    tells, and an error on one ends all.

    Ctrl-C, SIGTERM and SIGUSR1 save the run and then raise KeyboardInterrupt or SystemExit(128 + signal).
    Raises UserError for whatever a user can cause.
    """
    if steps is not None and epochs is not None:
        raise SettingsError(f"steps {steps} and epochs {epochs}: two lengths for one run. Give one of them.")
    if steps is not None and steps < 1:
        raise SettingsError(f"steps {steps}: a run has 1 step or more.")
    if workers != "auto" and workers < 0:
        raise SettingsError(f"workers {workers}: wanted 0 (load in this process) or more.")
    if cache not in get_args(Cache):
        raise SettingsError(f"cache {cache!r}: wanted one of {', '.join(get_args(Cache))}.")
    feeding = Feeding(workers=workers, cache=cache, cache_dir=Path(cache_dir) if cache_dir is not None else None)
    length: Tree = {}
    if steps is not None:
        length["steps"] = steps
    if epochs is not None:
        length |= {"epochs": epochs, "steps": 0}
    given: Tree = {
        **{"batch_size": batch_size, "seed": seed, "precision": precision, "deterministic": deterministic},
        **{"checkpoint_every": checkpoint_every, "keep": keep},
    }
    shape: Tree = {"size": size if size is None else str(size), "direction": direction, "resize": resize}
    changes: Tree = {
        "training": {key: value for key, value in given.items() if value is not None},
        "data": {key: value for key, value in shape.items() if value is not None},
    }
    if init_from is not None:
        changes["init_from"] = str(init_from)
    if init_what is not None:
        changes["init_what"] = init_what
    if teacher is not None and resume is not None:
        changes["teacher"] = str(teacher)

    if resume is not None:
        asked = [*changes.pop("training"), *changes.pop("data"), *changes, *(["width"] if width is not None else [])]
        asked = [name for name in asked if name not in MAY_CHANGE]
        if recipe_or_experiment is not None or asked:
            named = ", ".join(asked) or "recipe"
            raise SettingsError(
                f"{resume}: a resumed run keeps its {named}. {CHANGEABLE} Start another run for other settings."
            )
        free: Tree = {"checkpoint_every": checkpoint_every, "keep": keep}
        changed = length | {name: value for name, value in free.items() if value is not None}
        run = Path(resume)
        with joined() as world, ExitStack() as folder:
            tell = _listener(world, listener)
            world.on_first(lambda: enter(folder, run))
            return _go_on(run, changed, rollback, data, device, feeding, max_seconds, tell, world)

    if rollback:
        raise SettingsError("rollback: there is only something to return to in a run that is gone on with (resume).")
    if data is None:
        raise SettingsError("no data: give the folder of pictures with --data DIR.")
    experiment = recipe(recipe_or_experiment) if isinstance(recipe_or_experiment, str) else recipe_or_experiment
    experiment = experiment or recipe("pix2pix")
    if teacher is not None:
        experiment = taught_by(experiment, teacher, direction)
    experiment = change(experiment, changes | {"training": changes["training"] | length})
    if width is not None:
        experiment = set_width(experiment, width)
    if experiment.init_what != "both" and not experiment.init_from:
        raise SettingsError(f"init_what {experiment.init_what}: of which model? Name it: --init-from MODEL.")
    run = Path(out) if out is not None else Path("runs") / f"{experiment.recipe}-{Path(data).resolve().name}"
    changed = length
    experiment = with_captions(with_classes(ready(experiment, Path(data)), Path(data)), Path(data))
    with joined() as world, ExitStack() as folder:
        tell = _listener(world, listener)
        if existing == "continue" and world.on_first((run / "checkpoint.pt").exists):
            world.on_first(lambda: enter(folder, run))
            world.on_first(lambda: refuse_changes(run, experiment))
            if isinstance(recipe_or_experiment, Experiment):
                changed = {name: getattr(experiment.training, name) for name in MAY_CHANGE}
            return _go_on(run, changed, False, data, device, feeding, max_seconds, tell, world)
        world.on_first(lambda: folder.enter_context(prepared(run, existing)))
        with knobs_named(experiment, run), placed(experiment, device, world) as place:
            return play(experiment, run, Path(data), place, feeding, max_seconds, tell, None, world)


def _listener(world: World, asked: Listener | None) -> Listener:
    """Who listens: of several processes the first one speaks."""
    return asked if asked and world.first else Listener()


def _go_on(
    run: Path,
    changed: Tree,
    rollback: bool,
    data: str | Path | None,
    device: str,
    feeding: Feeding,
    max_seconds: float | None,
    tell: Listener,
    world: World,
) -> Run:
    """Continue a run where its checkpoint stands."""
    if rollback:
        tell.note(world.on_first(lambda: roll_back(run)))
    state = world.on_first(lambda: checkpoint.load(run / "checkpoint.pt"))
    before = experiment_of(run / "checkpoint.pt", state)
    experiment = change(before, {"training": changed}) if changed else before
    lengths = [(one.training.steps, one.training.epochs) for one in (before, experiment)]
    if lengths[0] != lengths[1]:
        tell.note("The schedule is laid over the new length: its first half constant, its second falling to zero.")
    with knobs_named(experiment, run), placed(experiment, device, world) as place:
        return play(experiment, run, Path(data or state["data"]), place, feeding, max_seconds, tell, state, world)

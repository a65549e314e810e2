"""What was found so far, kept by Optuna in the folder, so that a search goes on where it was left."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from i2i.errors import SettingsError

if TYPE_CHECKING:
    import optuna

Pruner = Literal["median", "hyperband", "none"]
"""How trials are ended early. median: whose score at a step is worse than half of the others' were. hyperband: in
brackets, of three trials one goes on."""
JOURNAL = "study.journal"
RANDOM = 6
"""Trials that are drawn at random before a model of the scores chooses; the first is the recipe itself."""
COMPARED = 4
"""Whole trials that the median is of, at least."""


def require_optuna() -> None:
    """Raise SettingsError where Optuna is not installed."""
    try:
        import optuna  # noqa: F401
    except ImportError:
        raise SettingsError("tuning needs Optuna, which is not installed: pip install 'i2i-toolkit[tune]'") from None


def open_study(out: Path, about: Mapping[str, str], pruner: Pruner, steps: int, every: int) -> "optuna.Study":
    """The study of a folder, made where there is none; trials have `steps`, with a look after each `every`.

    `about` says what is searched on what, by name; raises SettingsError where the study that is there says otherwise.
    """
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    path = out / JOURNAL
    _mend(path)
    storage = JournalStorage(JournalFileBackend(str(path), lock_obj=JournalFileOpenLock(str(path))))
    study = optuna.create_study(
        storage=storage,
        study_name="tune",
        direction="minimize",
        pruner=_pruner(pruner, steps, every),
        load_if_exists=True,
    )
    before = study.user_attrs.get("about")
    if before is None:
        study.set_user_attr("about", dict(about))
    elif before != dict(about):
        names = sorted(name for name in before.keys() | about.keys() if before.get(name) != about.get(name))
        changed = ", ".join(f"{name} from {before.get(name, 'none')} to {about.get(name, 'none')}" for name in names)
        raise SettingsError(
            f"{out}: holds a search that was begun otherwise; this would change {changed}. Only --minutes, --trials, "
            f"--keep and where it computes may change. Choose another folder with --out, or remove this one."
        )
    return study


def next_trial(study: "optuna.Study", seed: int, start: Mapping[str, Any]) -> "optuna.Trial":
    """The trial that was under way, or a new one; the first has the values of `start`.

    What a trial draws is a function of `seed`, its number and what is known by then, however often the search stopped.
    """
    import optuna

    trials = study.get_trials(deepcopy=False)
    for trial in trials:
        if trial.state == optuna.trial.TrialState.RUNNING:
            study.sampler = _sampler(seed, trial.number)
            return optuna.trial.Trial(study, trial._trial_id)
    if not trials:
        study.enqueue_trial(dict(start))
    study.sampler = _sampler(seed, len(trials))
    return study.ask()


def _sampler(seed: int, number: int) -> "optuna.samplers.TPESampler":
    import optuna

    own = int(np.random.SeedSequence([seed, number]).generate_state(1)[0])
    return optuna.samplers.TPESampler(seed=own, n_startup_trials=RANDOM)


def _pruner(name: Pruner, steps: int, every: int) -> "optuna.pruners.BasePruner":
    from optuna import pruners

    if name == "none":
        return pruners.NopPruner()
    if name == "hyperband":
        return pruners.HyperbandPruner(min_resource=every, max_resource=steps, reduction_factor=3)
    # A game's first scores say little.
    return pruners.MedianPruner(n_startup_trials=COMPARED, n_warmup_steps=steps // 4)


def _mend(path: Path) -> None:
    """Take away what a killed process left: half a line, and Optuna's lock; the folder is this process's alone."""
    path.with_name(path.name + ".lock").unlink(missing_ok=True)
    if not path.exists():
        return
    written = path.read_bytes()
    whole = written.rfind(b"\n") + 1
    if whole < len(written):
        with path.open("r+b") as file:
            file.truncate(whole)

"""`i2i doctor`: what a run's log says of the health of its game."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import tyro

from i2i.cli.parsing import Switch, flag, parse
from i2i.engine import log, monitor
from i2i.errors import SettingsError, TrainingError


@dataclasses.dataclass(frozen=True, kw_only=True)
class Doctor:
    """The flags of a diagnosis; its word is RUN."""

    words: Annotated[tuple[str, ...], tyro.conf.Positional, flag(metavar="RUN")] = ()
    """A run's folder."""
    json: Switch = False
    """Print JSON instead of text."""


def main(args: Sequence[str]) -> int:
    """Say the verdict, its evidence and what to try; whatever the verdict, the diagnosis is done and returns 0."""
    asked, behind = parse(
        Doctor(),
        args,
        "i2i doctor",
        "What a run's log says of the game: healthy, mode collapse, D too strong ...; evidence and what to try.\n\n"
        "Example: i2i doctor runs/facades",
    )
    words = [*asked.words, *behind]
    if len(words) != 1:
        raise SettingsError(f"wanted one run, as in: i2i doctor runs/facades; got {len(words)}. See i2i doctor --help")
    run = Path(words[0])
    records = _records(run)
    verdict, before = monitor.verdict_of(records), monitor.history(records)
    if asked.json:
        content = dataclasses.asdict(verdict) | {
            "run": str(run),
            "last_step": records[-1]["step"],
            "history": [{"step": at, "name": name} for at, name in before],
        }
        print(json.dumps(content, indent=1, ensure_ascii=False))
        return 0
    since = "" if verdict.healthy else f", since step {verdict.step:,}"
    print(f"{run}: {verdict.name}{since} (the log ends at step {records[-1]['step']:,}).")
    for line in verdict.evidence:
        print(f"  {line}")
    if verdict.advice:
        print("What to try:")
        for line in verdict.advice:
            print(f"  - {line}")
    if len(before) > 1:
        print(f"Verdicts over the run: {'; '.join(f'step {at:,}: {name}' for at, name in before)}.")
    return 0


def _records(run: Path) -> list[log.Record]:
    path = run / "log.jsonl"
    if not path.is_file():
        what = "no log.jsonl in it, so nothing was trained there" if run.is_dir() else "no such run folder"
        raise TrainingError(f"{run}: {what}. Wanted a run that i2i train has made.")
    try:
        records = log.read(path)
    except (OSError, UnicodeDecodeError) as error:
        raise TrainingError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error}).") from None
    if not records:
        raise TrainingError(f"{path}: no lines yet. A run writes its first one after a 200th of its steps.")
    return records

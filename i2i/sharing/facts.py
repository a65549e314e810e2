"""What a run folder says of itself, without the names of folders that are its owner's business."""

import contextlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PureWindowsPath
from typing import Any

import yaml

from i2i.errors import SettingsError

_OURS = "this model"


@dataclass(frozen=True, slots=True)
class Scores:
    """Of an evaluation: what was measured, on how many pictures of which split, and which way."""

    split: str
    pictures: int
    rows: Sequence[tuple[str, Mapping[str, float]]]
    """The model, what needs no learning, and real pictures; scores by name."""
    direction: str = ""
    """AtoB or BtoA; empty where the evaluation does not say."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known beside the translator file."""

    data: str = ""
    """400 pairs of facades; empty where the run does not say."""
    settings: str = ""
    """experiment.yaml, with paths cut to names."""
    images: int = 0
    """Pictures seen."""
    seconds: float = 0.0
    scores: Sequence[Scores] = field(default_factory=tuple)


def facts_of(run: Path, evaluations: Sequence[Path] = ()) -> Facts:
    """Read a run, or what lies beside a translator file; whatever is missing or damaged is left out.

    `evaluations` are folders that i2i evaluate left, or their metrics.json; without any, those inside a run are taken,
    and beside a file none: they may be another's. Raises SettingsError where one that was asked for cannot be read.
    """
    asked = [path / "metrics.json" if path.is_dir() else path for path in evaluations]
    inside = [*run.glob("metrics.json"), *run.glob("*/metrics.json")] if run.is_dir() else []
    found = asked or sorted(inside)
    folder = run if run.is_dir() else run.parent
    images, seconds = _clock(folder / "log.jsonl")
    return Facts(
        data=_data(folder / "notes.txt"),
        settings=_settings(folder / "experiment.yaml"),
        images=images,
        seconds=seconds,
        scores=[scores for path in found if (scores := _scores(path, needed=bool(asked))) is not None],
    )


def _data(notes: Path) -> str:
    # The first note: '6 pairs in /home/me/faces/train/A and /home/me/faces/train/B'.
    first = _text(notes).partition("\n")[0]
    found = re.match(
        r"(\d[\d,]* [\w ,]+?(?: in \d+ classes)?) in (.+?)(?: \([\d,]+ other files? ignored\)|, \d.*)?$", first
    )
    if found is None:
        return ""
    # A folder's own name may hold all that stands between two of them: the end of the last path is what is sure.
    last = found[2].rpartition(" and ")[2]
    parts = [part for part in _parts(last) if not re.fullmatch(r"[AB]|(train|val|test)[AB]?", part)]
    return f"{found[1]} of {parts[-1]}" if parts else found[1]


def _settings(path: Path) -> str:
    with contextlib.suppress(yaml.YAMLError, RecursionError):
        tree = yaml.safe_load(_text(path))
        if isinstance(tree, dict):
            return yaml.safe_dump(_without_paths(tree), sort_keys=False, allow_unicode=True)
    return ""


def _without_paths(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_paths(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_without_paths(one) for one in value]
    return "/".join(_parts(value)[-1:]) if isinstance(value, str) and re.search(r"[/\\]", value) else value


def _parts(path: str) -> tuple[str, ...]:
    """Of a path of whatever system: this one takes either slash."""
    whole = PureWindowsPath(path.strip())
    return whole.parts[1:] if whole.anchor else whole.parts


def _clock(path: Path) -> tuple[int, float]:
    """Pictures seen and seconds of training, by the log's last line."""
    for line in reversed(_text(path).splitlines()):
        with contextlib.suppress(json.JSONDecodeError):
            record = json.loads(line)
            if isinstance(record, dict) and _is_number(record.get("images")) and _is_number(record.get("seconds")):
                return int(record["images"]), float(record["seconds"])
    return 0, 0.0


def _scores(path: Path, *, needed: bool) -> Scores | None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        rows = [(_OURS, content["metrics"]), *content.get("floors", {}).items(), *content.get("ceilings", {}).items()]
        return Scores(
            str(content["split"]),
            int(content["pictures"]),
            [(str(name), {str(key): float(value) for key, value in row.items()}) for name, row in rows],
            str(content.get("direction") or ""),
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        if needed:
            raise SettingsError(
                f"{path}: holds no scores ({type(error).__name__}: {error}); wanted the folder of i2i evaluate --out."
            ) from None
        return None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)

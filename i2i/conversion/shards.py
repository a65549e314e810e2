"""Several processes, on one machine or many, each with its part of the files."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from i2i.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Shard:
    """Of `count` parts this one: every count-th file from `index` on, so that parts differ by one file at most."""

    index: int
    count: int
    local: int | None = None
    """Its number among those of this machine, where the environment says so."""

    def __post_init__(self) -> None:
        if self.count < 1 or not 0 <= self.index < self.count:
            last = max(self.count, 1) - 1
            raise SettingsError(
                f"--shard {self.index}/{self.count}: wanted 0/{last + 1} to {last}/{last + 1}; counting starts at 0."
            )

    @property
    def files(self) -> slice:
        """Of the whole plan, in its order."""
        return slice(self.index, None, self.count)


def parse_shard(text: str, environment: Mapping[str, str] = os.environ) -> Shard:
    """'3/8' is the fourth of eight parts; 'auto' asks the environment of torchrun or Slurm. Raises SettingsError."""
    if text == "auto":
        return shard_of(environment)
    found = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text)
    if found is None:
        raise SettingsError(f"--shard {text}: wanted auto, or part/parts counted from 0, as in 0/8 to 7/8.")
    return Shard(int(found[1]), int(found[2]))


def shard_of(environment: Mapping[str, str]) -> Shard:
    """The part that torchrun's rank, or Slurm's task or element of an array (or both), stands for."""
    rank, array, task = _torchrun(environment), _array(environment), None
    if rank is None:  # a torchrun that srun started counts all its processes itself
        task = _task(environment)
    if rank is not None and array is not None:
        raise SettingsError(
            "--shard auto: torchrun and a Slurm array both say which part this is, and not how they go together. Say "
            "it: --shard i/n."
        )
    found = rank or task
    if found is None and array is None:
        raise SettingsError(
            "--shard auto: wanted RANK and WORLD_SIZE, as torchrun sets them, or SLURM_ARRAY_TASK_ID or SLURM_PROCID "
            "and what belongs to them; none is set. Say the part: --shard i/n."
        )
    if found is None or array is None:
        return found or array  # pyright: ignore[reportReturnType]
    return Shard(array.index * found.count + found.index, array.count * found.count, found.local)


def _torchrun(environment: Mapping[str, str]) -> Shard | None:
    if "RANK" not in environment:
        return None
    return Shard(_number(environment, "RANK"), _number(environment, "WORLD_SIZE"), _optional(environment, "LOCAL_RANK"))


def _array(environment: Mapping[str, str]) -> Shard | None:
    if "SLURM_ARRAY_TASK_ID" not in environment:
        return None
    given, count = (_number(environment, f"SLURM_ARRAY_TASK_{name}") for name in ("ID", "COUNT"))
    first = _optional(environment, "SLURM_ARRAY_TASK_MIN") or 0
    step = _optional(environment, "SLURM_ARRAY_TASK_STEP") or 1
    last = _optional(environment, "SLURM_ARRAY_TASK_MAX")
    index, odd = divmod(given - first, step)
    if odd or (last is not None and (last - first) // step + 1 != count):
        raise SettingsError(
            f"--shard auto: a Slurm array with gaps does not tell which of its {count} elements {given} is. Use an "
            f"array such as 0-{count - 1}, or say the part: --shard i/n."
        )
    return Shard(index, count)


def _task(environment: Mapping[str, str]) -> Shard | None:
    if "SLURM_PROCID" not in environment:
        return None
    in_step = "SLURM_STEP_NUM_TASKS" in environment
    count = _number(environment, "SLURM_STEP_NUM_TASKS" if in_step else "SLURM_NTASKS", 1)
    if count > 1 and "SLURM_JOB_ID" in environment and not in_step and "SLURM_STEP_ID" not in environment:
        raise SettingsError(
            f"--shard auto: this job has {count} tasks, but this is its script, which runs once. Start the command "
            f"with srun, or say the part: --shard i/n."
        )
    return Shard(_number(environment, "SLURM_PROCID"), count, _optional(environment, "SLURM_LOCALID"))


def _number(environment: Mapping[str, str], name: str, default: int | None = None) -> int:
    text = environment.get(name, "" if default is None else str(default))
    if not re.fullmatch(r"\d{1,9}", text):
        found = f"is {text!r}" if text else "is not set"
        raise SettingsError(f"--shard auto: {name} {found}, wanted a number. Say the part: --shard i/n.")
    return int(text)


def _optional(environment: Mapping[str, str], name: str) -> int | None:
    return _number(environment, name) if environment.get(name) else None


def device_of(shard: Shard | None, device: str, gpus: int) -> str:
    """Processes of one machine have a GPU each: 'auto' and 'cuda' are its number, where the environment says it."""
    if shard is None or shard.local is None or gpus < 2 or device not in ("auto", "cuda"):
        return device
    return f"cuda:{shard.local % gpus}"

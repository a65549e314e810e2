"""Memory that ran out, said with the settings to turn, the most helpful first."""

import gc
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from i2i.errors import TrainingError
from i2i.experiment import Experiment
from i2i.networks.settings import ResNet

_SAID = (
    "out of memory",  # CUDA's driver, and Apple's GPUs
    "DefaultCPUAllocator",  # "can't allocate memory", on Windows "not enough memory"
    "_STATUS_ALLOC_FAILED",  # cuDNN, cuBLAS
)
"""How libraries say so in a plain RuntimeError."""


def out_of_memory(error: BaseException) -> bool:
    """Whether an error says that the memory of a device, or of the machine, does not suffice."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _SAID)


def release(error: BaseException) -> None:
    """Free what the frames that an error went through still hold: the graph of a whole step."""
    traceback.clear_frames(error.__traceback__)
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


@contextmanager
def knobs_named(experiment: Experiment, run: Path) -> Iterator[None]:
    """Raise TrainingError where memory runs out within: the settings of `experiment` to turn, and what is saved."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not out_of_memory(error):
            raise
        release(error)
        found = str(error).strip().splitlines()
        said = f" ({found[0][:200]})" if found else ""
        saved = f" What was learnt is saved: i2i train --resume {run} goes on once there is memory."
        raise TrainingError(
            f"out of memory{said}. What helps, the most helpful first: {'; '.join(knobs(experiment))}."
            f"{saved if (run / 'checkpoint.pt').exists() else ''}"
        ) from None


def knobs(experiment: Experiment) -> list[str]:
    """Flags that lower what a step of this experiment needs, with values, the most helpful first."""
    training, generator = experiment.training, experiment.model.generator
    turns = []
    if training.batch_size == "auto":
        turns.append("--batch-size 1")
    elif training.batch_size > 1:
        half, twice = training.batch_size // 2, 2 * training.accumulate
        turns.append(f"--batch-size {half}, and --training.accumulate {twice} for as many pictures a step")
    if training.accumulate > 1 and experiment.model.kind != "cyclegan":
        turns.append("--training.accumulate 1, as the generator's activations of all accumulated batches are kept")
    if isinstance(generator, ResNet) and not generator.checkpoint:
        turns.append("--model.generator.checkpoint, a third of the memory for a third more time")
    size = "x".join(str(side // 2) for side in dict.fromkeys(experiment.data.crop))
    turns += [f"--size {size}", f"--width {max(1, generator.width // 2)}"]
    if training.precision == "fp32":
        turns.append("--precision bf16")
    return turns

"""How a game is trained, whatever the game is."""

from typing import Annotated, Literal

from pydantic import Field

from i2i.errors import SettingsError
from i2i.settings import Count, Positive, settings

MAY_CHANGE = ("steps", "epochs", "checkpoint_every", "keep")
"""Settings of training that a run may change when it goes on: nothing that was learnt depends on them."""
CHANGEABLE = (
    "What may change: its length (--steps, --epochs), --checkpoint-every, --keep, and what is no setting of it (data, "
    "device, workers, cache, time)."
)


@settings
class TrainingSettings:
    """Length, optimizer, schedule and record-keeping of a run."""

    epochs: Positive = 200
    """Length of the whole run in passes over the data; the schedule is laid over it."""

    steps: Count = 0
    """Length of the whole run in steps instead; 0 counts epochs."""

    batch_size: Literal["auto"] | Positive = 1
    """Pictures (or pairs) a step on one device, 1 in the papers of translation; auto tries what fits and is fastest."""

    accumulate: Positive = 1
    """Batches whose gradients are averaged before a player moves. What pix2pix and DCGAN keep for it grows with it.
    BEGAN's k and StyleGAN2's mean path length and mean style move at their full rate in each of them."""

    lr: Annotated[float, Field(gt=0)] = 2e-4
    """Learning rate of Adam."""

    lr_discriminator: Annotated[float, Field(ge=0)] = 0.0
    """Learning rate of the discriminators alone (TTUR, Heusel et al. 2017: four times G's in SAGAN); 0 is lr."""

    beta1: Annotated[float, Field(ge=0, lt=1)] = 0.5
    """Adam's decay of the mean gradient."""

    beta2: Annotated[float, Field(ge=0, lt=1)] = 0.999
    """Adam's decay of the squared gradient."""

    schedule: Literal["linear", "constant"] = "linear"
    """linear: constant for the first half, then linearly to almost zero, as in the papers. constant: as it says."""

    ema: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Decay per step of the averaged generators, ramped up at the start; 0 ships the last weights, as in the papers."""

    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """auto is bf16 where the device has arithmetic for it, otherwise fp32."""

    graph: bool = True
    """On CUDA, record a round once and replay it as one graph, where the recipe allows it."""

    compile: bool = False
    """Compile the generators with torch.compile: a minute or more at the start, a faster step after it."""

    seed: Count = 0
    """Start of every draw: weights, order, augmentation, dropout."""

    deterministic: bool = False
    """The same bits again on the same machine, also on CUDA, where it is slower: kernels that add in a fixed order."""

    log_every: Count = 0
    """Steps between two lines of the log; 0 is a 200th of the run, at most 100."""

    sample_every: Count = 0
    """Steps between two sample grids; 0 is a 20th of the run."""

    checkpoint_minutes: Annotated[float, Field(gt=0)] = 10.0
    """Minutes between two checkpoints."""

    checkpoint_every: Count = 0
    """Steps between two checkpoints, on top of the minutes; 0 counts minutes only."""

    keep: Positive = 1
    """Checkpoints that are kept, the latest among them; from 2 on each also as checkpoint-<step>.pt."""

    @property
    def batch(self) -> int:
        """`batch_size` as a number. Raises SettingsError where it is auto still."""
        if self.batch_size == "auto":
            raise SettingsError("batch_size auto: only a run tries what fits. Give a number, such as --batch-size 4.")
        return self.batch_size

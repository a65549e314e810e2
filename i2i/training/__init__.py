"""An experiment into a run folder: wires the engine to data, log, samples, checkpoints, translators and report.

`run` is the story; `folder` makes and clears run folders, `expected` says what a run will cost, `recorder` leaves its
traces, `shipping` its translator files, `stopping` hears signals.
"""

from i2i.training.listener import Listener
from i2i.training.playing import Run
from i2i.training.run import train

__all__ = ["Listener", "Run", "train"]

"""The recorder's place in a process that is not the first."""

from i2i.data.opening import Opened
from i2i.engine.ranks import gather_own
from i2i.engine.trainer import Trainer
from i2i.training.recorder import log_interval, stacked


class Follower:
    """Takes part in what the first process's Recorder needs all processes for, and leaves no trace."""

    def __init__(self, trainer: Trainer, opened: Opened) -> None:
        self.trainer, self.opened = trainer, opened
        self.losses: dict[str, float] = {}
        self._log_every = log_interval(trainer.settings, trainer.steps)
        self._saved_step = -1
        self._due = trainer.world.agreement()

    def begin(self, where: str, fresh: bool) -> None:
        """Rehearse with the others: batch norm waits for all."""
        if self.trainer.progress.rounds < self.trainer.steps:
            length = self.opened.counts["train"]
            indices = (index % length for index in range(self.trainer.settings.batch))
            self.trainer.rehearse(self.trainer.move(stacked(self.opened.train, indices)))

    def after_round(self, trainer: Trainer) -> None:
        """Hand in losses and state when the first process logs and saves."""
        step = trainer.progress.rounds
        last = step >= trainer.steps
        if step % self._log_every == 0 or last:
            self._add_to_log()
        every = trainer.settings.checkpoint_every
        timely = self._due(0)  # the first process has the clock
        if ((every and step % every == 0) or timely) and not last:
            self._save()

    def finish(self) -> None:
        """The last state is always saved."""
        if self._saved_step != self.trainer.progress.rounds:
            self._save()

    def close(self) -> None:
        """Nothing is open."""

    def _add_to_log(self) -> None:
        self.losses = self.trainer.fetch_losses() or self.losses

    def _save(self) -> None:
        gather_own(self.trainer)
        self._saved_step = self.trainer.progress.rounds

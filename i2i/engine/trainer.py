"""The training engine: plays rounds of any model's game, and knows none of them."""

import dataclasses
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from i2i import images
from i2i.engine.average import Average
from i2i.engine.distributed import World
from i2i.engine.first_broken import FirstBroken
from i2i.engine.gradients import GradientAverage
from i2i.engine.graph import Graphs, cuda_graph
from i2i.engine.memory import keep_freed_memory
from i2i.engine.player import Player
from i2i.engine.schedule import Schedule
from i2i.engine.settings import TrainingSettings
from i2i.engine.signals import described, gradient_norm, sums
from i2i.errors import TrainingError
from i2i.game import Model, Progress, Turn, flatten

Event = Callable[["Trainer"], None]


class Trainer:
    """Plays rounds: differentiates each turn in its player's weights alone, and steps that player's optimizer.

    Everything that is scheduled is a function of `progress`, so `state_dict` and the position in the data, which is
    one too, are all that going on needs.
    """

    def __init__(
        self,
        model: Model,
        settings: TrainingSettings,
        *,
        steps: int,
        schedule: Schedule,
        device: torch.device,
        precision: torch.dtype = torch.float32,
        fused: bool = True,
        channels_last: bool = True,
        world: World | None = None,
    ) -> None:
        """`fused` and `channels_last` change speed and the order of sums, nothing else."""
        self.world = world or World()
        self.model = model.to(device)
        # Where convolutions have their fast kernels; Apple's GPUs have none for it.
        last = channels_last and device.type != "mps"
        self._layout = torch.channels_last if last else torch.contiguous_format
        self.model.to(memory_format=self._layout)  # pyright: ignore[reportCallIssue]
        self.settings, self.steps, self.schedule = settings, steps, schedule
        self.device, self.precision = device, precision
        self.progress = Progress()
        self.players = {
            name: Player([weight for module in modules for weight in module.parameters()], settings, fused=fused)
            for name, modules in model.players().items()
        }
        self._across = {
            name: GradientAverage(player.weights) for name, player in self.players.items() if self.world.size > 1
        }
        self.average = Average(model.translators(), settings.ema) if settings.ema else None
        self.waited = 0.0
        """Seconds that rounds have waited for data."""
        self.signals: dict[str, float] = {}
        """What D's scores were, on the mean of the rounds between the last two calls of `fetch_losses`."""
        self._losses: dict[str, Tensor] = {}
        self._signals: dict[str, Tensor] = {}
        self._first_broken, self._first_step = FirstBroken(device), 1
        self._rounds_summed = 0
        self._graphs = Graphs(self._play, cuda_graph, self._no_graph())
        if settings.compile:
            for network in model.translators().values():
                network.compile(dynamic=False)
        if device.type == "cpu":
            keep_freed_memory()
        if device.type == "cuda":
            # Every batch has the same shape; what is fastest is not always the same.
            torch.backends.cudnn.benchmark = not settings.deterministic

    def _no_graph(self) -> str | None:
        """Why rounds cannot be replayed from a CUDA graph, if so."""
        if self.device.type != "cuda":
            return f"{self.device.type} has no CUDA graphs"
        if not self.settings.graph:
            return "--training.no-graph"
        if self.world.size > 1:
            return "several processes average their gradients between kernels"
        return None

    @property
    def replayed(self) -> int:
        """Rounds that were played from a CUDA graph."""
        return self._graphs.replayed

    @property
    def fallback(self) -> str | None:
        """Why rounds are played eagerly, kernel by kernel; None where they are, or will be, replayed."""
        return self._graphs.fallback

    # ------------------------------------------------------------------------------------------------- one round

    def round(self, batches: Sequence[Any]) -> None:
        """Play one round on one batch, or on several whose gradients are averaged before a player moves.

        Several batches are played in lockstep, so what a model keeps between turns (pix2pix: the fake) is kept for
        each of them.
        """
        for name, player in self.players.items():
            player.set_rate(self.learning_rate(name))
        if self.average:
            self.average.set_decay(self.progress.rounds + 1)
        self._graphs.round(batches, self.model.phase(self.progress))
        pictures = sum(len(batch[0]) for batch in batches) * self.world.size
        self.progress = Progress(self.progress.rounds + 1, self.progress.images + pictures)
        self._rounds_summed += 1

    def _play(self, batches: Sequence[Any]) -> None:
        """All that a graph holds: what changes from round to round is read from tensors."""
        self.model.train()
        games = [self.model.step(batch, self.progress) for batch in batches]
        try:
            while self._turn(games, batches):
                pass
        finally:
            for game in games:
                close = getattr(game, "close", None)
                if close:
                    close()
        if self.average:
            self.average.update()
        self._first_broken.count()

    def _turn(self, games: Sequence[Iterator[Turn]], batches: Sequence[Any]) -> bool:
        """One player's move in all games; False when the round is over."""
        player = across = None
        for game, batch in zip(games, batches, strict=True):
            turn = self._next(game)
            if turn is None:
                break
            if player is None:
                player = self.players[turn.player]
                player.forget()
                across = self._across.get(turn.player)
            terms = flatten(turn.terms)
            for name, value in terms.items():
                self._add(self._losses, f"{turn.player}/{name}", value.detach() / len(games))
            for name, value in sums(turn.signals).items():
                self._add(self._signals, f"{turn.player}/{name}", value / len(games))
            loss = torch.stack([term.float() for term in terms.values()]).sum() * (turn.weight / len(games))
            self._first_broken.see(loss, batch)
            if across and game is games[-1]:
                across.begin()
            torch.autograd.backward(loss, inputs=player.weights)
        if player is None:
            return False
        if across:
            across.finish()
        player.move()
        return True

    def _next(self, game: Iterator[Turn]) -> Turn | None:
        """Let the model compute up to its next turn, under autocast that ends there.

        Autocast caches cast weights for as long as it lasts: kept open between turns it would go on computing with
        the weights of before the step. A model that yields inside no_grad or autocast of its own would leak that
        mode into the engine.
        """
        bf16 = self.precision == torch.bfloat16
        # A weight that is cast while a graph is recorded is cast anew at every replay: nothing to keep.
        keep = not (self.device.type == "cuda" and torch.cuda.is_current_stream_capturing())
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=bf16, cache_enabled=keep):
            turn = next(game, None)
            autocast = torch.is_autocast_enabled(self.device.type)
        if not torch.is_grad_enabled() or autocast != bf16:
            raise RuntimeError(f"{type(self.model).__name__}.step yielded inside `no_grad` or `autocast`")
        return turn

    def _add(self, totals: dict[str, Tensor], name: str, value: Tensor) -> None:
        # Summed where it was computed: fetching a number would make the device wait for the host.
        known = totals.get(name)
        if known is None:
            totals[name] = value.clone()
        else:
            known.add_(value)

    # --------------------------------------------------------------------------------------------------- a whole run

    def fit(self, batches: Iterable[Any], *, after_round: Event, stop: Callable[[], bool]) -> None:
        """Play until `steps` rounds are played or `stop` says so, calling `after_round` after each."""
        source = iter(batches)
        while self.progress.rounds < self.steps and not stop():
            started = time.perf_counter()
            taken = [self.move(next(source)) for _ in range(self.settings.accumulate)]
            self.waited += time.perf_counter() - started
            self.round(taken)
            after_round(self)

    def move(self, batch: Any) -> Any:
        """A loader's batch on this device: bytes become float32 in [-1, 1]."""

        def one(tensor: Tensor) -> Tensor:
            tensor = tensor.to(self.device, non_blocking=True)
            return images.scale(tensor).contiguous(memory_format=self._layout) if tensor.ndim == 4 else tensor

        return type(batch)(*(one(tensor) for tensor in batch))

    def rehearse(self, batch: Any) -> float:
        """Seconds of one round on this batch, without learning from it: everything but time is put back."""
        buffers = [(buffer, buffer.clone()) for buffer in self.model.buffers()]
        random = random_state(self.device)
        seconds = math.inf
        self.model.train()
        for _ in range(2):
            started = time.perf_counter()
            games = [self.model.step(batch, self.progress)]
            while (turn := self._next(games[0])) is not None:
                loss = torch.stack([term.float() for term in flatten(turn.terms).values()]).sum()
                torch.autograd.backward(loss, inputs=self.players[turn.player].weights)
            if self.device.type == "cuda":
                torch.cuda.synchronize(self.device)
            seconds = time.perf_counter() - started
        for player in self.players.values():
            player.forget()
        with torch.no_grad():
            for buffer, before in buffers:
                buffer.copy_(before)
        set_random_state(random, self.device)
        return seconds

    # --------------------------------------------------------------------------------------------------------- records

    def fetch_losses(self) -> dict[str, float]:
        """Mean of every term since the last call. Raises TrainingError where one is not a number any more."""
        if not self._rounds_summed:
            return {}
        summed = [*self._losses.values(), *self._signals.values()]
        values = torch.stack([value.float() for value in summed]) / max(1, self._rounds_summed)
        values = self.world.mean(values).tolist()
        losses = dict(zip(self._losses, values, strict=False))
        self.signals = described(dict(zip(self._signals, values[len(losses) :], strict=True)))
        for total in summed:
            total.zero_()  # a captured graph adds to this very tensor
        self._rounds_summed = 0
        broken = [name for name, value in losses.items() if not math.isfinite(value)]
        if broken:
            raise TrainingError(
                f"step {self.progress.rounds}: {', '.join(broken)} is not a number any more, so training was stopped; "
                f"the checkpoint before it is kept. Go on from there with a lower --training.lr or --precision fp32."
            )
        return losses

    def broken(self) -> tuple[int, Mapping[str, Tensor]] | None:
        """The first step that was no number, and its batch by part; None where this process has seen none."""
        found = self._first_broken.found()
        return found and (self._first_step + found[0], found[1])

    def gradient_norms(self) -> dict[str, float]:
        """Length of the gradient of each player's last move. Waits for the device.

        Nothing where rounds of several phases are replayed: whose gradients are the last ones is not known then.
        """
        if self._graphs.recorded > 1:
            return {}
        norms = {name: gradient_norm(player.weights) for name, player in self.players.items()}
        return {name: float(norm) for name, norm in norms.items() if norm is not None}

    def learning_rate(self, player: str = "G") -> float:
        """Adam's rate of a player in the coming round; D may have one of its own."""
        rate = (player == "D" and self.settings.lr_discriminator) or self.settings.lr
        return rate * self.schedule.factor(self.progress)

    def translators(self) -> Mapping[str, nn.Module]:
        """The networks that a run ships: averaged where it averages, otherwise as they are."""
        return self.average.networks if self.average else self.model.translators()

    def state_dict(self) -> dict[str, Any]:
        """Everything that going on needs; tensors, numbers and text only, so that it loads with weights_only."""
        return {
            "model": self.model.state_dict(),
            "average": self.average.state_dict() if self.average else {},
            "optimizers": {name: player.state_dict() for name, player in self.players.items()},
            "progress": dataclasses.asdict(self.progress),
            "random": random_state(self.device),
            "sums": self.sums(),
        }

    def sums(self) -> dict[str, Any]:
        """What was summed since the last line of the log ("losses", "signals"), and over how many "rounds"."""
        return {"losses": dict(self._losses), "signals": dict(self._signals), "rounds": self._rounds_summed}

    def set_sums(self, sums: Mapping[str, Any]) -> None:
        """Go on with sums; graphs that were captured before add to others, and have to be cleared."""
        self._losses, self._signals = (
            {name: value.to(self.device, copy=True) for name, value in sums.get(kind, {}).items()}
            for kind in ("losses", "signals")
        )
        self._rounds_summed = sums["rounds"]

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        self.set_sums(state["sums"])
        self.model.load_state_dict(state["model"])
        if self.average:
            self.average.load_state_dict(state["average"])
        for name, player in self.players.items():
            player.load_state_dict(state["optimizers"][name])
        self.progress = Progress(**state["progress"])
        self._first_broken, self._first_step = FirstBroken(self.device), self.progress.rounds + 1
        set_random_state(state["random"], self.device)
        self._graphs.clear()


def random_state(device: torch.device) -> dict[str, Tensor]:
    """The generators that dropout, noise and the history draw from."""
    state = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        state["cuda"] = torch.cuda.get_rng_state(device)
    elif device.type == "mps":
        state["mps"] = torch.mps.get_rng_state()
    return state


def set_random_state(state: Mapping[str, Tensor], device: torch.device) -> None:
    """Put the generators back; those of a device that is not here are left alone."""
    torch.set_rng_state(state["cpu"].cpu())
    if device.type == "cuda" and "cuda" in state:
        torch.cuda.set_rng_state(state["cuda"].cpu(), device)
    elif device.type == "mps" and "mps" in state:
        torch.mps.set_rng_state(state["mps"].cpu())

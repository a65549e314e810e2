"""Several processes that train as one: who they are, what they agree on, how one that fails ends all."""

import itertools
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

from i2i.engine.device import choose_device
from i2i.errors import SettingsError, TrainingError, UserError

T = TypeVar("T")

_MEETINGS = itertools.count()

TIMEOUT = timedelta(minutes=10)
"""For a process that hangs; one that ends is noticed at once. Longer than the first one takes to write a checkpoint."""
GRACE_S = 3.0
"""For the other processes to say what is wrong, before one says it for itself or leaves in silence."""


class World:
    """The processes of a run, seen from one of them. Alone, every method is what one process needs: almost nothing.

    Collective methods have to be called by every process, in the same order.
    """

    def __init__(
        self,
        rank: int = 0,
        size: int = 1,
        local_rank: int = 0,
        local_size: int = 1,
        store: "dist.Store | None" = None,  # pyright: ignore[reportPrivateImportUsage]
    ) -> None:
        self.rank, self.size = rank, size
        self.local_rank, self.local_size = local_rank, local_size
        self._store = store
        # Objects and decisions travel by a way of their own, beside gradients that are under way, and on the CPU.
        self._group = _control_group() if size > 1 else None

    @property
    def first(self) -> bool:
        """Whether this is the process that writes and speaks."""
        return self.rank == 0

    def device(self, name: str) -> torch.device:
        """As `choose_device`; of several processes on a machine each has a GPU of its own. Raises SettingsError."""
        if self.size == 1:
            return choose_device(name)
        if name == "auto" and not torch.cuda.is_available():
            name = "cpu"  # several processes cannot share the one GPU of a Mac
        device = choose_device(name)
        if device.type == "mps" or device.index is not None:
            raise SettingsError(
                f"device {name}: {self.size} processes cannot share one GPU. Use --device cuda, which gives each its "
                f"own, or --device cpu."
            )
        if device.type != "cuda":
            return device
        if self.local_rank >= torch.cuda.device_count():
            raise SettingsError(
                f"device {name}: this machine has {self.local_size} processes and {torch.cuda.device_count()} GPUs, "
                f"wanted a GPU for each. Start torchrun with --nproc-per-node {torch.cuda.device_count()}."
            )
        device = torch.device("cuda", self.local_rank)
        torch.cuda.set_device(device)  # NCCL, and whatever says 'cuda' without a number, mean this one
        return device

    # -------------------------------------------------------------------------------------------------- collectives

    def on_first(self, work: Callable[[], T]) -> T:
        """What `work` gives on the first process, on all; what a user can cause there is raised on all."""
        if self.size == 1:
            return work()
        told: list[Any] = [None, None]
        if self.first:
            try:
                told[0] = work()
            except UserError as error:
                told[1] = error
        dist.broadcast_object_list(told, src=0, group=self._group)
        if told[1] is not None:
            raise told[1]
        return told[0]

    def everyones(self, value: T) -> list[T]:
        """The value of each process, by rank."""
        values: list[Any] = [value] * self.size
        if self.size > 1:
            dist.all_gather_object(values, value, group=self._group)
        return values

    def gathered(self, value: T) -> list[T]:
        """The value of each process, by rank, on the first one; an empty list on the others."""
        if self.size == 1:
            return [value]
        values: list[Any] | None = [None] * self.size if self.first else None
        dist.gather_object(value, values, dst=0, group=self._group)
        return values or []

    def same(self, facts: Mapping[str, object]) -> None:
        """Raise SettingsError, on all processes alike, where these are not the same on all."""
        for rank, theirs in enumerate(everyone := self.everyones(dict(facts))):
            different = [name for name in everyone[0] | theirs if everyone[0].get(name) != theirs.get(name)]
            if different:
                named = ", ".join(f"{name} ({everyone[0].get(name)!r} and {theirs.get(name)!r})" for name in different)
                raise SettingsError(
                    f"processes 0 and {rank} of {self.size} do not agree on {named}. Start all of them with the same "
                    f"command, on the same data."
                )

    def share(self, model: nn.Module) -> None:
        """Give every process the weights and buffers of the first."""
        if self.size > 1:
            for tensor in (*model.parameters(), *model.buffers()):
                dist.broadcast(tensor.detach(), src=0)

    def mean(self, values: Tensor) -> Tensor:
        """Averaged over the processes."""
        if self.size > 1:
            dist.all_reduce(values)
        return values / self.size

    def largest(self, value: int) -> int:
        """The largest value of any process; waits for all."""
        return max(self.everyones(value))

    def agreement(self) -> "Agreement":
        """For a decision that is asked for every round."""
        return Agreement(self.size, self._group)

    # --------------------------------------------------------------------------------------------------------- failing

    def failed(self, error: BaseException) -> BaseException:
        """What this process has to raise for `error`, so that its reason is said once, and by whom it concerns."""
        assert self._store is not None
        if isinstance(error, RuntimeError) and _lost(error):
            return self._left_alone()
        if isinstance(error, torch.OutOfMemoryError):
            error = TrainingError("out of memory. Training's grows with --batch-size, --size and --width: lower one.")
        try:
            self._store.set(f"failure/{self.rank}", str(error))
            self._store.set("failure", "")
            if self.first or not isinstance(error, UserError):
                return error
            # The same on all processes is said by the first, without a name.
            self._store.wait(["failure/0"], timedelta(seconds=GRACE_S))
            if self._store.get("failure/0").decode() == str(error):
                return _quiet()
        except RuntimeError:  # the first process said nothing, or there is no way left to hear it
            pass
        return type(error)(f"process {self.rank} of {self.size}: {error}")

    def _left_alone(self) -> BaseException:
        """Another process has ended: silence where it said why, or somebody else says that it did not."""
        assert self._store is not None
        try:
            if self._store.check(["failure"]) or self._store.add("left", 1) > 1:
                return _quiet()
        except RuntimeError:  # the store went with the process that kept it
            pass
        return TrainingError(
            f"process {self.rank} of {self.size} has lost another one, which ended without saying why (killed, or out "
            f"of memory?), so the run ends. The last checkpoint is kept: go on from it with --resume."
        )


class Agreement:
    """The largest of what the processes say, once a round, without waiting: a call is told of the call before.

    So all processes stop, or save, after the same round. The answer to what is said now comes at the next call; a
    single process has it at once. After an answer other than 0 the asking starts anew.
    """

    def __init__(self, size: int, group: "dist.ProcessGroup | None") -> None:
        self._size, self._group = size, group
        self._work: dist.Work | None = None
        self._said = torch.zeros(1, dtype=torch.long)

    def __call__(self, value: int) -> int:
        """Say a value from 0 up, and hear the largest that was said."""
        if self._size == 1:
            return value
        if self._work is not None:
            self._work.wait()
            self._work = None
            if heard := int(self._said):
                return heard
        self._said.fill_(value)
        self._work = dist.all_reduce(self._said, dist.ReduceOp.MAX, group=self._group, async_op=True)
        return 0


def launched() -> tuple[int, int, int, int] | None:
    """(rank, size, rank on this machine, size on this machine) as torchrun says; None for a process on its own.

    Raises SettingsError where the environment says half of it.
    """
    if "RANK" not in os.environ or int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return None
    names = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")
    if missing := [name for name in names if name not in os.environ]:
        raise SettingsError(
            f"RANK is set, but not {', '.join(missing)}: wanted what torchrun sets. Start with: torchrun "
            f"--nproc-per-node N -m i2i train ..., or unset RANK."
        )
    rank, size, local = (int(os.environ[name]) for name in names[:3])
    return rank, size, local, int(os.environ.get("LOCAL_WORLD_SIZE", size))


@contextmanager
def joined() -> Iterator[World]:
    """The processes that torchrun started, met; a world of one where there are no others.

    Within, an error on one process ends all of them, and its reason is said once: as it is where the first process
    has it, and after 'process 1 of 2:' where another has. The others leave with SystemExit(2).
    """
    place = launched()
    if place is None:
        yield World()
        return
    rank, size, _, _ = place
    from torch.distributed.rendezvous import rendezvous

    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() and dist.is_nccl_available() else "gloo"
    try:
        kept, _, _ = next(iter(rendezvous("env://", rank, size, timeout=TIMEOUT)))
        # A program may train several times: what is left of the meeting before would mislead this one.
        store = dist.PrefixStore(f"i2i/{next(_MEETINGS)}", kept)  # pyright: ignore[reportPrivateImportUsage]
        dist.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=TIMEOUT)
        world = World(*place, store=store)
    except RuntimeError as error:
        where = f"{os.environ['MASTER_ADDR']}:{os.environ['MASTER_PORT']}"
        reason = str(error).strip().splitlines()[0][:200]
        raise TrainingError(f"process {rank} of {size} could not meet the others at {where} ({reason}).") from None
    try:
        yield world
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        # The group is left as it is: taking it down would wait for what others will never send.
        raised = world.failed(error)
        if raised is error:
            raise
        raise raised from None
    dist.destroy_process_group()


def _control_group() -> "dist.ProcessGroup":
    group = dist.new_group(backend="gloo", timeout=TIMEOUT)
    assert isinstance(group, dist.ProcessGroup)
    return group


def _quiet() -> SystemExit:
    """Leave in silence, but not before the one who speaks: torchrun ends all as soon as one has left."""
    time.sleep(GRACE_S)
    return SystemExit(2)


def _lost(error: RuntimeError) -> bool:
    """Whether an error says that another process cannot be reached. gloo says so in a plain RuntimeError."""
    return isinstance(error, dist.DistError) or any(word in str(error) for word in ("gloo", "NCCL"))

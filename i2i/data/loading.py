"""Make a DataLoader: any number of workers, forked or spawned, gives the same batches."""

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset, default_collate

from i2i.errors import UserError


def make_loader(
    dataset: Dataset[Any],
    sampler: Iterable[list[Any]],
    workers: int,
    pin: bool = False,
    *,
    seed: int = 0,
    start_method: str | None = None,
    prefetch: int = 4,
    collate: Callable[[list[Any]], Any] = default_collate,
) -> DataLoader[Any]:
    """Batches of `dataset` in the order of `sampler`, decoded by `workers` processes (0: by this one).

    `prefetch` batches are kept ready a worker. The loader has random numbers of its own: making an iterator takes
    none from torch's global generator. What a user can cause is raised as it is, from any worker.
    """
    return _Loader(
        _Telling(dataset),
        collate_fn=_Collate(collate),
        batch_sampler=sampler,
        num_workers=workers,
        pin_memory=pin,
        generator=torch.Generator().manual_seed(seed % 2**63),
        worker_init_fn=prepare_worker,
        multiprocessing_context=start_method if workers else None,
        prefetch_factor=prefetch if workers else None,
        persistent_workers=workers > 0,
    )


class _Telling(Dataset[Any]):
    """Hand a UserError over as an item: out of a worker torch would raise it with the worker's traceback for a text."""

    def __init__(self, dataset: Dataset[Any]) -> None:
        self.dataset = dataset

    def __getitem__(self, index: Any) -> Any:
        try:
            return self.dataset[index]
        except UserError as error:
            return error


class _Collate:
    """Items to a batch, or to the first error among them."""

    def __init__(self, collate: Callable[[list[Any]], Any]) -> None:
        self.collate = collate

    def __call__(self, items: list[Any]) -> Any:
        return next((item for item in items if isinstance(item, UserError)), None) or self.collate(items)


class _Loader(DataLoader[Any]):
    def check_worker_number_rationality(self) -> None:
        """Torch would warn of many workers in its own words; whoever starts them says so once."""

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]
        for batch in super().__iter__():
            if isinstance(batch, UserError):
                raise batch
            yield batch


def prepare_worker(worker: int) -> None:
    """One thread a worker, and no signal but the trainer's own word to stop.

    A terminal's Ctrl-C and a cluster's SIGTERM and SIGUSR1 reach the whole process group; the trainer answers them by
    saving, for which its workers should not be dead.
    """
    import cv2

    cv2.setNumThreads(0)
    torch.set_num_threads(1)
    for name in ("SIGINT", "SIGUSR1"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    if hasattr(signal, "sigwaitinfo"):  # Linux
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        threading.Thread(target=_obey_parent, args=(os.getppid(),), daemon=True).start()


def _obey_parent(parent: int) -> None:
    """End on the SIGTERM by which Python ends its workers at exit; a SIGTERM from elsewhere is the trainer's matter."""
    while signal.sigwaitinfo({signal.SIGTERM}).si_pid != parent:
        pass
    os._exit(0)

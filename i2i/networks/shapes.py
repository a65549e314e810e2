"""Networks as shapes and names without memory: what a file describes is looked at before any of it is allocated."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

Shapes = Mapping[str, tuple[int, ...]]
"""Name to shape of every weight."""


@contextmanager
def only_shapes() -> Iterator[None]:
    """Networks built in here have shapes and names, but no memory."""
    with torch.device("meta"), _NoValues():
        yield


_DIVISIONS = (Tensor.__truediv__, Tensor.div)


class _NoValues(TorchFunctionMode):
    """Leaves out what would give values to tensors whose shapes are known: drawing, and the steps of spectral norms.

    Torch's meta device would import its compiler for them, 4 seconds, and then work out in Python, for each of 15 steps
    of every layer, that a matrix times a vector has as many numbers as the matrix has rows: as long again.
    """

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if getattr(func, "__module__", "") == "torch.nn.init" or func is Tensor.normal_:
            return args[0] if args else kwargs["tensor"]
        first = args[0] if args else None
        if isinstance(first, Tensor) and first.is_meta:
            if func is functional.normalize or (func in _DIVISIONS and not getattr(args[1], "ndim", 0)):
                return first
            if func in (torch.mv, torch.vdot):
                return first.new_empty(first.shape[:-1])
        return func(*args, **kwargs)


def refuse_misfits(network: nn.Module, found: Shapes) -> None:
    """Raise ValueError where weights of these shapes are not those of the network."""
    wanted = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    odd = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
    if odd:
        first = odd[0]
        more = f" (and {len(odd) - 1} more)" if len(odd) > 1 else ""
        raise ValueError(f"{first} is {found.get(first, 'not there')}, wanted {wanted.get(first, 'none')}{more}")


def fill(network: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Give a network of shapes alone its weights, in the network's types; they are not copied where the type fits."""
    types = {name: value.dtype for name, value in network.state_dict().items()}
    network.load_state_dict({name: value.to(types[name]) for name, value in weights.items()}, assign=True)

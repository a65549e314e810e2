"""Networks as shapes and names without memory: what a file describes is looked at before any of it is allocated."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

Shapes = Mapping[str, tuple[int, ...]]
"""Name to shape of every weight."""


@contextmanager
def only_shapes() -> Iterator[None]:
    """Networks built in here have shapes and names, but no memory."""
    with torch.device("meta"), _NoDraws():
        yield


class _NoDraws(TorchFunctionMode):
    """Leaves out the drawing of weights, for which torch's meta device would import its compiler: 4 seconds."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if getattr(func, "__module__", "") == "torch.nn.init" or func is Tensor.normal_:
            return args[0] if args else kwargs["tensor"]
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

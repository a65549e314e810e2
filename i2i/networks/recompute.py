"""Activation checkpointing: keep what goes into a part of a network, and compute its inside again for the gradient."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint


def recomputed(part: nn.Module, x: Tensor, *, draws: bool) -> Tensor:
    """`part(x)`, of which only `x` is kept for the gradient. `draws` says whether it draws random numbers.

    They are drawn again as they were, and batch norms count a batch once. Raises RuntimeError where the part's weights
    were changed before the gradient was asked for: it would be another network's.
    """
    # The other kind, reentrant, cannot differentiate in chosen weights alone. Random states cannot be read while a
    # CUDA graph is captured, so they are not where nothing is drawn.
    return checkpoint(  # pyright: ignore[reportReturnType]
        part, x, use_reentrant=False, preserve_rng_state=draws, context_fn=lambda: (nullcontext(), _again(part))
    )


def _again(part: nn.Module) -> AbstractContextManager[None]:
    """The second pass, of weights that are remembered now."""
    weights = list(part.parameters())
    before = [weight._version for weight in weights]

    @contextmanager
    def second_pass() -> Iterator[None]:
        if before != [weight._version for weight in weights]:
            raise RuntimeError("a checkpointed network's weights were stepped before its graph was differentiated")
        with _on_copies(part):
            yield

    return second_pass()


@contextmanager
def _on_copies(part: nn.Module) -> Iterator[None]:
    """What a pass writes into buffers, such as batch norm's running statistics, is lost."""
    buffers = [(layer, name, buffer) for layer in part.modules() for name, buffer in layer.named_buffers(recurse=False)]
    for layer, name, buffer in buffers:
        setattr(layer, name, buffer.clone())
    try:
        yield
    finally:
        for layer, name, buffer in buffers:
            setattr(layer, name, buffer)

import pytest
import torch
from torch import Tensor

from i2i.game import Progress
from i2i.losses.path_length import PathLength, path_lengths


def test_the_path_length_of_a_linear_generator_by_hand():
    """A picture of a pixel is A w: J^T y is A^T y, for a y of variance 1."""
    torch.manual_seed(0)
    A = torch.tensor([[3.0, 4.0, 0.0]])
    styles = torch.randn(5, 1, 3, requires_grad=True)
    seed = torch.get_rng_state()
    found = path_lengths(lambda w: (w[:, 0] @ A.T)[:, :, None, None], styles)
    torch.set_rng_state(seed)
    y = torch.randn(5, 1, 1, 1)
    assert torch.allclose(found, 5 * y.abs().flatten())


def test_a_larger_picture_has_no_longer_path_and_layers_are_averaged():
    torch.manual_seed(0)
    styles = torch.randn(4000, 2, 1, requires_grad=True)

    def paint(w: Tensor) -> Tensor:
        pixels = torch.zeros(len(w), 1, 4, 4)
        pixels[:, 0, 0, 0] = 4 * w[:, 0, 0]  # the length of y at a pixel is 1/4
        return pixels

    squared = path_lengths(paint, styles).square()
    assert float(squared.mean()) == pytest.approx(1 / 2, rel=0.1)


def test_the_term_is_the_squared_distance_to_the_running_mean():
    path = PathLength(weight=3.0, every=4)
    path.mean.fill_(2.0)
    styles = torch.ones(2, 1, 1, requires_grad=True)
    lengths = torch.tensor([1.0, 5.0])
    factor = torch.ones((), requires_grad=True)

    def paint(w: Tensor) -> Tensor:  # y cancels where its own sign and size are divided out
        return Lengths.apply(w * factor, lengths)  # pyright: ignore[reportReturnType]

    term = path.term(paint, styles)
    mean = 2 + 0.01 * (3 - 2)
    assert float(path.mean) == pytest.approx(mean)
    assert float(term.detach()) == pytest.approx(3 * 4 * ((1 - mean) ** 2 + (5 - mean) ** 2) / 2)


class Lengths(torch.autograd.Function):
    """A generator whose gradient is what it is told, whatever comes from above."""

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, w: Tensor, lengths: Tensor) -> Tensor:
        ctx.save_for_backward(lengths)
        return w[:, :, :, None]

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, *gradients: Tensor) -> tuple[Tensor, None]:
        (lengths,) = ctx.saved_tensors  # pyright: ignore[reportAttributeAccessIssue]
        return lengths[:, None, None].clone(), None


def test_it_is_due_in_every_so_many_rounds_and_never_at_weight_zero():
    path = PathLength(weight=1.0, every=3)
    assert [path.due(Progress(rounds)) for rounds in range(5)] == [True, False, False, True, False]
    assert not PathLength(weight=0.0).due(Progress())
    assert list(dict(path.named_buffers())) == ["mean"]


def test_g_learns_from_it():
    torch.manual_seed(0)
    factor = torch.tensor(2.0, requires_grad=True)
    styles = torch.randn(8, 1, 3, requires_grad=True)
    term = PathLength(every=1).term(lambda w: factor * w[:, :, :, None], styles)
    (slope,) = torch.autograd.grad(term, factor)
    assert float(slope) > 0

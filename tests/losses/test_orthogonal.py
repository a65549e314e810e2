import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

from i2i.losses.orthogonal import orthogonality


def linear(weight: torch.Tensor) -> nn.Linear:
    layer = nn.Linear(weight.shape[1], weight.shape[0])
    layer.weight.data = weight
    return layer


def test_orthogonal_filters_cost_nothing_however_long():
    torch.manual_seed(0)
    rows = nn.init.orthogonal_(torch.empty(4, 6)) * torch.tensor([[1.0], [2.0], [0.5], [3.0]])
    assert float(orthogonality(linear(rows))) == pytest.approx(0, abs=1e-8)


def test_overlaps_are_squared_and_counted_both_ways():
    rows = torch.tensor([[1.0, 0.0], [0.5, 1.0], [0.0, 2.0]])  # overlaps 0.5, 0 and 2
    assert float(orthogonality(linear(rows))) == pytest.approx(2 * (0.25 + 0 + 4))
    assert float(orthogonality(linear(3 * rows))) == pytest.approx(81 * 8.5)


def test_filters_of_convolutions_of_both_kinds():
    conv, back = nn.Conv2d(1, 2, 2), nn.ConvTranspose2d(1, 2, 2)
    filters = torch.tensor([[1.0, 1, 0, 0], [0, 1, 1, 0]]).view(2, 1, 2, 2)  # overlap 1
    conv.weight.data, back.weight.data = filters, filters.transpose(0, 1)
    assert float(orthogonality(conv)) == pytest.approx(2)
    assert float(orthogonality(nn.Sequential(conv, back))) == pytest.approx(4)


def test_what_is_learnt_is_meant_and_not_what_a_spectral_norm_makes_of_it():
    rows = torch.tensor([[3.0, 0.0], [4.0, 0.0]])
    layer = parametrizations.spectral_norm(linear(rows))
    before = {name: buffer.clone() for name, buffer in layer.named_buffers()}
    assert float(orthogonality(layer).detach()) == pytest.approx(2 * 144)
    assert all(torch.equal(before[name], buffer) for name, buffer in layer.named_buffers())


def test_embeddings_are_left_out_and_filters_move():
    layer = linear(torch.tensor([[1.0, 0.0], [0.5, 1.0]]))
    network = nn.Sequential(nn.Embedding(3, 2), layer)
    orthogonality(network).backward()
    assert network[0].weight.grad is None
    assert layer.weight.grad is not None
    assert layer.weight.grad[0, 0] == pytest.approx(4 * 0.5 * 0.5)

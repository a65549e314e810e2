import torch
from torch import Tensor

from i2i.networks.attention import SelfAttention


def looking(channels: int = 16, **options: bool) -> SelfAttention:
    """Attention that has learnt to look around."""
    torch.manual_seed(0)
    layer = SelfAttention(channels, **options)
    for weight in layer.parameters():
        torch.nn.init.normal_(weight, std=0.3)
    torch.nn.init.constant_(layer.gamma, 0.7)
    return layer.eval()


def test_it_begins_as_the_identity():
    torch.manual_seed(0)
    x = torch.randn(2, 16, 3, 4)
    assert torch.equal(SelfAttention(16)(x), x)


def test_the_papers_equations_by_hand():
    layer = looking(channels=8)
    x = torch.randn(1, 8, 2, 2)
    parts = (layer.key, layer.query, layer.value, layer.out)
    f, g, h, v = (part.get_parameter("weight").detach().flatten(1) for part in parts)
    columns = x[0].flatten(1)
    wanted = torch.empty(8, 4)
    for j in range(4):
        scores = torch.stack([(f @ columns[:, i]) @ (g @ columns[:, j]) for i in range(4)])
        beta = scores.exp() / scores.exp().sum()
        found = v @ torch.stack([beta[i] * (h @ columns[:, i]) for i in range(4)]).sum(0)
        wanted[:, j] = 0.7 * found + columns[:, j]
    assert torch.allclose(layer(x)[0].flatten(1), wanted, atol=1e-5)


def test_positions_may_change_places():
    layer = looking()
    x = torch.randn(2, 16, 4, 4)
    order = torch.randperm(16)

    def moved(maps: Tensor) -> Tensor:
        return maps.flatten(2)[:, :, order].unflatten(2, (4, 4))

    assert not torch.allclose(layer(x), moved(layer(x)), atol=1e-2)
    assert torch.allclose(layer(moved(x)), moved(layer(x)), atol=1e-4)


def test_a_position_sees_the_farthest_one():
    layer = looking()
    x = torch.randn(1, 16, 4, 4)
    other = x.clone()
    other[..., 3, 3] += 1
    assert not torch.allclose(layer(x)[..., 0, 0], layer(other)[..., 0, 0], atol=1e-3)


def test_its_gradient_can_be_differentiated():
    layer = looking(spectral_norm=False)
    x = torch.randn(1, 16, 2, 2, requires_grad=True)
    (slope,) = torch.autograd.grad(layer(x).square().sum(), x, create_graph=True)
    slope.square().sum().backward()
    learnt = layer.query.get_parameter("weight").grad
    assert learnt is not None
    assert learnt.any()


def test_under_autocast_it_returns_what_it_was_given():
    layer = looking()
    x = torch.randn(2, 16, 4, 4)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert layer(x.bfloat16()).dtype is torch.bfloat16
        assert torch.allclose(layer(x.bfloat16()).float(), layer(x), rtol=0.1, atol=0.3)

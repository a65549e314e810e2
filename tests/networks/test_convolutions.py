import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from i2i.networks import blocks, convolutions
from i2i.networks.blocks import Reflect
from i2i.networks.convolutions import Conv2d, ConvTranspose2d, joined_reflection, reflected

LAST = torch.channels_last


def counted(monkeypatch: pytest.MonkeyPatch, cls: type[nn.Module]) -> list[int]:
    """How often a layer fell back to the library's convolution."""
    calls: list[int] = []
    plain = cls.forward
    monkeypatch.setattr(cls, "forward", lambda *args: calls.append(1) or plain(*args))
    return calls


def compare(ours: nn.Module, theirs: nn.Module, x: Tensor) -> None:
    """Output and both gradients, in float64 so that only the order of sums differs."""
    theirs.load_state_dict(ours.state_dict())
    results = []
    for layer in (ours, theirs):
        input = x.clone().requires_grad_()
        y = layer(input)
        (y * torch.linspace(-1, 1, y.numel(), dtype=y.dtype).view_as(y)).sum().backward()
        results.append([y, input.grad, *(weight.grad for weight in layer.parameters())])
    for ours_, theirs_ in zip(*results, strict=True):
        assert torch.allclose(ours_, theirs_, 1e-10, 1e-10)


@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "side"), [(4, 2, 1, 8), (4, 1, 1, 5), (3, 1, 1, 4), (4, 2, 1, 2)]
)
@pytest.mark.parametrize("bias", [True, False])
def test_a_convolution_of_a_small_map_is_a_product_alike(monkeypatch, kernel, stride, padding, side, bias):
    library = counted(monkeypatch, nn.Conv2d)
    ours = Conv2d(128, 64, kernel, stride, padding, bias=bias).double().to(memory_format=LAST)
    x = torch.randn(2, 128, side, side, dtype=torch.float64).contiguous(memory_format=LAST)
    ours(x)
    assert not library
    monkeypatch.undo()
    compare(ours, nn.Conv2d(128, 64, kernel, stride, padding, bias=bias).double(), x)


@pytest.mark.parametrize(("kernel", "extra", "side"), [(4, 0, 4), (3, 1, 4), (4, 0, 1)])
@pytest.mark.parametrize("bias", [True, False])
def test_a_transposed_convolution_of_a_small_map_is_a_product_alike(monkeypatch, kernel, extra, side, bias):
    library = counted(monkeypatch, nn.ConvTranspose2d)
    options = {"stride": 2, "padding": 1, "output_padding": extra, "bias": bias}
    ours = ConvTranspose2d(128, 64, kernel, **options).double().to(memory_format=LAST)
    x = torch.randn(2, 128, side, side, dtype=torch.float64).contiguous(memory_format=LAST)
    assert ours(x).is_contiguous(memory_format=LAST)
    assert not library
    monkeypatch.undo()
    compare(ours, nn.ConvTranspose2d(128, 64, kernel, **options).double(), x)


@pytest.mark.parametrize(("out_channels", "bias"), [(3, True), (1, False)])
def test_few_channels_out_of_many_are_painted_in_blocks_with_the_same_result(monkeypatch, out_channels, bias):
    ours = Conv2d(16, out_channels, 7, bias=bias).double()
    x = torch.randn(2, 16, 14, 12, dtype=torch.float64)
    library = counted(monkeypatch, nn.Conv2d)
    assert ours(x).shape == (2, out_channels, 8, 6)
    assert not library
    monkeypatch.undo()
    compare(ours, nn.Conv2d(16, out_channels, 7, bias=bias).double(), x)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (Conv2d(128, 64, 4, 2, 1).to(memory_format=LAST), (1, 128, 64, 64)),  # a large map
        (Conv2d(8, 8, 4, 2, 1).to(memory_format=LAST), (1, 8, 8, 8)),  # few weights
        (Conv2d(128, 64, 4, 2, 1), (1, 128, 8, 8)),  # weights that lie otherwise
        (Conv2d(16, 3, 7), (1, 16, 13, 14)),  # no whole blocks
        (Conv2d(16, 8, 7), (1, 16, 14, 14)),  # too many channels
        (ConvTranspose2d(128, 64, 4, 2, 1).to(memory_format=LAST), (1, 128, 16, 16)),
    ],
)
def test_elsewhere_the_librarys_convolution_is_kept(monkeypatch, layer, shape):
    library = counted(monkeypatch, nn.ConvTranspose2d if isinstance(layer, ConvTranspose2d) else nn.Conv2d)
    layer(torch.zeros(shape))
    assert library


@pytest.mark.filterwarnings("ignore:.torch.jit.trace:FutureWarning")
def test_what_is_traced_is_the_librarys_convolution():
    layer = Conv2d(128, 64, 4, 2, 1).to(memory_format=LAST)
    traced = torch.jit.trace(layer, torch.zeros(1, 128, 8, 8))
    assert "_convolution" in str(traced.graph)
    assert convolutions.POSITIONS < 32 * 32
    assert traced(torch.zeros(1, 128, 64, 64)).shape == (1, 64, 32, 32)


def test_products_can_be_differentiated_twice():
    layer = Conv2d(128, 64, 4, 1, 1).double().to(memory_format=LAST)
    x = torch.randn(1, 128, 4, 4, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(layer(x).square().sum(), x, create_graph=True)
    slope.square().sum().backward()
    assert layer.weight.grad is not None
    assert layer.weight.grad.abs().max() > 0


@pytest.mark.parametrize("pixels", [0, 1, 3])
def test_a_reflection_joined_out_of_pieces_is_torchs_with_the_same_gradients(pixels):
    results = []
    for reflect in (joined_reflection, lambda x, p: functional.pad(x, (p,) * 4, mode="reflect")):
        x = torch.randn(2, 3, 4, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        x = x.contiguous(memory_format=LAST).requires_grad_()
        y = reflect(x, pixels)
        (slope,) = torch.autograd.grad((y**3 * torch.arange(y.numel()).view_as(y)).sum(), x, create_graph=True)
        slope.square().sum().backward()
        results.append((y, slope, x.grad))
    ours, theirs = results
    assert torch.equal(ours[0], theirs[0])
    assert ours[0].is_contiguous(memory_format=LAST)
    assert all(torch.allclose(one, two, 1e-12, 0) for one, two in zip(ours[1:], theirs[1:], strict=True))


def test_no_more_is_mirrored_than_there_is():
    with pytest.raises(ValueError, match="3 pixels cannot be mirrored out of 3"):
        joined_reflection(torch.zeros(1, 1, 4, 3), 3)


def test_where_torch_is_to_be_deterministic_a_gpu_joins_reflections(monkeypatch):
    library: list[str] = []
    plain = functional.pad
    monkeypatch.setattr(functional, "pad", lambda *args, **kwargs: library.append("pad") or plain(*args, **kwargs))
    x = torch.zeros(1, 1, 5, 5, device="meta")  # a stand-in for a GPU
    assert reflected(x, 2).shape == (1, 1, 9, 9)
    assert library.pop()
    torch.use_deterministic_algorithms(True)
    try:
        assert reflected(x, 2).shape == (1, 1, 9, 9)
        assert not library
        assert Reflect(2)(torch.zeros(1, 1, 5, 5)).shape == (1, 1, 9, 9)
        assert library
    finally:
        torch.use_deterministic_algorithms(False)


def test_every_reflection_of_a_network_is_one_that_can_be_joined(monkeypatch):
    calls = []
    monkeypatch.setattr(blocks, "reflected", lambda x, pixels: calls.append(pixels) or x)
    Reflect(2)(torch.zeros(1, 1, 5, 5))
    assert calls == [2]

"""A picture in strips is the whole picture."""

import gc
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from i2i.networks import maps, streaming
from i2i.networks.blocks import BatchNorm, InstanceNorm, conv
from i2i.networks.maps import Given, Held, Pointwise, Room, strips
from i2i.networks.settings import Generator, ResNet, UNet
from i2i.networks.streaming import stream

PLENTY = 1 << 40


def build(settings: Generator, *, own: bool = True) -> nn.Module:
    """A random generator, its batch norms with statistics as of a trained one."""
    torch.manual_seed(0)
    network = settings.build(3, 3, (32, 32)).eval().requires_grad_(False)
    for layer in network.modules():
        if isinstance(layer, BatchNorm):
            assert layer.running_mean is not None
            assert layer.running_var is not None
            layer.own_statistics = own
            layer.running_mean.normal_()
            layer.running_var.uniform_(0.5, 2)
    return network


def given(x: Tensor) -> Given:
    return Given(lambda start, stop: x[:, :, start:stop], *x.shape[1:])


def in_strips(network: nn.Module, x: Tensor, room: Room) -> Tensor:
    with torch.inference_mode():
        return torch.cat(list(stream(network, given(x), room)), dim=2)


def picture(height: int = 64, width: int = 48) -> Tensor:
    # A ramp, so that a strip's own statistics are far from those of the whole.
    ramp = torch.linspace(-1, 1, height)[:, None].expand(3, height, width)
    noise = torch.rand(3, height, width, generator=torch.Generator().manual_seed(1)) - 0.5
    return (ramp + noise).clamp(-1, 1)[None]


GENERATORS = {
    f"{kind} {norm} {upsample}": settings(width=8, norm=norm, upsample=upsample, **depth)
    for kind, settings, depth in (("resnet", ResNet, {"blocks": 2}), ("unet", UNet, {"depth": 4}))
    for norm in ("batch", "instance", "none")
    for upsample in ("transpose", "resize", "bilinear", "shuffle")
}
GENERATORS["resnet blur"] = ResNet(width=8, blocks=2, downsample="blur", upsample="bilinear")
GENERATORS["resnet mask"] = ResNet(width=8, blocks=2, mask=True)


CASES = [(name, 16) for name in GENERATORS]
CASES += [(f"{kind} instance transpose", rows) for kind in ("resnet", "unet") for rows in (1, 6, 24, None)]
CASES += [("resnet blur", rows) for rows in (1, 2, 6, 24, None)]
CASES += [("resnet mask", rows) for rows in (6, None)]


@pytest.mark.parametrize(("name", "rows"), CASES)
def test_strips_make_the_whole(name: str, rows: int | None) -> None:
    network = build(GENERATORS[name])
    x = picture()
    with torch.inference_mode():
        whole = network(x)
    torch.testing.assert_close(in_strips(network, x, Room(PLENTY, rows)), whole, rtol=0, atol=1e-5)


@pytest.mark.parametrize("settings", [ResNet(width=8, blocks=2, norm="batch"), UNet(width=8, depth=4)])
def test_running_statistics_stay_those_of_training(settings: Generator) -> None:
    network = build(settings, own=False)
    x = picture()
    with torch.inference_mode():
        whole = network(x)
    torch.testing.assert_close(in_strips(network, x, Room(PLENTY, 8)), whole, rtol=0, atol=1e-5)


@pytest.mark.parametrize("size", [(8, 8), (8, 200), (200, 8), (12, 20)])
def test_small_and_long_pictures(size: tuple[int, int]) -> None:
    network = build(ResNet(width=8, blocks=1))
    x = picture(*size)
    with torch.inference_mode():
        whole = network(x)
    torch.testing.assert_close(in_strips(network, x, Room(PLENTY, 4)), whole, rtol=0, atol=1e-5)


def test_bf16_differs_by_its_own_rounding_alone() -> None:
    network = build(ResNet(width=16, blocks=9))
    x = picture()
    with torch.inference_mode():
        exact = network(x)
        with torch.autocast("cpu", torch.bfloat16):
            whole = network(x)
            made = torch.cat(list(stream(network, given(x), Room(PLENTY, 16))), dim=2)
    assert made.dtype == torch.float32
    assert (made - exact).abs().mean() < 1.5 * (whole - exact).abs().mean()


def test_what_is_held_may_lie_in_files(tmp_path: Path) -> None:
    network = build(ResNet(width=8, blocks=2))
    x = picture()
    room = Room(0, 8, tmp_path)
    with torch.inference_mode():
        whole = network(x)
    torch.testing.assert_close(in_strips(network, x, room), whole, rtol=0, atol=1e-5)
    assert not list(tmp_path.iterdir())


class Counted(Room):
    """Room that knows the most that was taken of it."""

    most = 0

    def take(self, like: Tensor, height: int) -> Tensor:
        map = super().take(like, height)
        self.most = max(self.most, self.used)
        return map


@pytest.mark.parametrize(
    ("settings", "kind"), [(ResNet(width=16, blocks=3), "resnet"), (UNet(width=16, depth=5), "unet")]
)
def test_as_much_is_held_as_is_said(settings: Generator, kind: str) -> None:
    room = Counted(PLENTY, 8)
    x = picture(64, 64)
    in_strips(build(settings), x, room)
    gc.collect()
    said = streaming.held_numbers(kind, 16) * 4 * 64 * 64
    assert 0.6 * said < room.most <= 1.05 * said
    assert room.used == 0


def test_a_strip_is_as_high_as_its_memory_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    x = picture(64, 64)
    monkeypatch.setattr(maps, "STRIP_BYTES", 4 * 6 * 3 * 64 * 10)
    room = Room(PLENTY)
    assert [stop - start for start, stop in strips(given(x), room)] == [10] * 6 + [4]


def test_statistics_are_shared_with_other_frames() -> None:
    network = build(ResNet(width=8, blocks=1))

    def constant(means: Tensor, variances: Tensor) -> tuple[Tensor, Tensor]:
        return torch.full_like(means, 0.25), torch.full_like(variances, 2.0)

    for layer in network.modules():
        if isinstance(layer, InstanceNorm):
            layer.shared = constant
    x = picture()
    with torch.inference_mode():
        whole = network(x)
    torch.testing.assert_close(in_strips(network, x, Room(PLENTY, 8)), whole, rtol=0, atol=1e-5)


def test_a_held_map_is_computed_once() -> None:
    asked: list[tuple[int, int]] = []
    x = picture(16, 8)

    def read(start: int, stop: int) -> Tensor:
        asked.append((start, stop))
        return x[:, :, start:stop]

    room = Room(PLENTY, 4)
    room.height = 16
    held = Held(Pointwise(Given(read, 3, 16, 8), torch.neg), room)
    for start, stop in ((0, 16), (3, 5)):
        assert torch.equal(held.rows(start, stop), -x[:, :, start:stop])
    assert asked == [(0, 4), (4, 8), (8, 12), (12, 16)]


def test_other_networks_are_left_whole() -> None:
    assert not streaming.streams(conv(3, 3))
    with pytest.raises(TypeError, match="is not streamed"):
        next(stream(conv(3, 3), given(picture()), Room(PLENTY)))
    odd = build(ResNet(width=8, blocks=0))
    odd.layers.append(nn.Sigmoid())  # pyright: ignore[reportAttributeAccessIssue, reportCallIssue]
    with pytest.raises(TypeError, match="a Sigmoid is not streamed"):
        next(stream(odd, given(picture()), Room(PLENTY)))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_a_gpu(tmp_path: Path) -> None:
    network = build(ResNet(width=8, blocks=2)).cuda()
    x = picture().cuda()
    with torch.inference_mode():
        whole = network(x)
    for room in (Room(PLENTY, 8), Room(0, 8, tmp_path)):
        torch.testing.assert_close(in_strips(network, x, room), whole, rtol=0, atol=1e-4)

"""Files of the reference implementation. The networks below are written anew; only their keys are the reference's."""

import contextlib
import pickle
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from i2i.errors import ModelFileError
from i2i.networks import settings
from i2i.networks.reference import read


class Keyed(nn.Module):
    """Something held under one name, as the reference holds everything under `model`."""

    def __init__(self, name: str, inside: nn.Module) -> None:
        super().__init__()
        self.add_module(name, inside)
        self.name = name

    def forward(self, x: Tensor) -> Tensor:
        return getattr(self, self.name)(x)


class Skip(Keyed):
    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, super().forward(x)], 1)


class Block(Keyed):
    def forward(self, x: Tensor) -> Tensor:
        return x + super().forward(x)


def normed(norm: str, channels: int) -> nn.Module:
    return {"batch": nn.BatchNorm2d, "instance": nn.InstanceNorm2d, "none": nn.Identity}[norm](channels)


def unet(norm: str, depth: int = 5, width: int = 2, inputs: int = 3, outputs: int = 3) -> nn.Module:
    bias = norm == "instance"
    widths = [width * min(2**level, 8) for level in range(depth)]
    inside: nn.Module | None = None
    for level in reversed(range(1, depth)):
        outer, inner = widths[level - 1], widths[level]
        down = [nn.LeakyReLU(0.2), nn.Conv2d(outer, inner, 4, 2, 1, bias=bias)]
        if inside is None:
            rows = [*down, nn.ReLU(), nn.ConvTranspose2d(inner, outer, 4, 2, 1, bias=bias), normed(norm, outer)]
        else:
            up = [nn.ReLU(), nn.ConvTranspose2d(2 * inner, outer, 4, 2, 1, bias=bias), normed(norm, outer)]
            rows = [*down, normed(norm, inner), inside, *up]
        inside = Skip("model", nn.Sequential(*rows))
    assert inside is not None
    last = nn.ConvTranspose2d(2 * width, outputs, 4, 2, 1)
    rows = [nn.Conv2d(inputs, width, 4, 2, 1, bias=bias), inside, nn.ReLU(), last, nn.Tanh()]
    return Keyed("model", Keyed("model", nn.Sequential(*rows)))


def resnet(norm: str, blocks: int = 2, dropout: bool = False, width: int = 2, outputs: int = 3) -> nn.Module:
    bias = norm == "instance"

    def then(*layers: nn.Module, channels: int) -> list[nn.Module]:
        return [*layers, normed(norm, channels), nn.ReLU()]

    def block() -> nn.Module:
        half = [nn.ReflectionPad2d(1), nn.Conv2d(4 * width, 4 * width, 3, bias=bias), normed(norm, 4 * width)]
        again = [nn.ReflectionPad2d(1), nn.Conv2d(4 * width, 4 * width, 3, bias=bias), normed(norm, 4 * width)]
        return Block("conv_block", nn.Sequential(*half, nn.ReLU(), *([nn.Dropout()] if dropout else []), *again))

    rows = [
        *then(nn.ReflectionPad2d(3), nn.Conv2d(3, width, 7, bias=bias), channels=width),
        *then(nn.Conv2d(width, 2 * width, 3, 2, 1, bias=bias), channels=2 * width),
        *then(nn.Conv2d(2 * width, 4 * width, 3, 2, 1, bias=bias), channels=4 * width),
        *(block() for _ in range(blocks)),
        *then(nn.ConvTranspose2d(4 * width, 2 * width, 3, 2, 1, 1, bias=bias), channels=2 * width),
        *then(nn.ConvTranspose2d(2 * width, width, 3, 2, 1, 1, bias=bias), channels=width),
        nn.ReflectionPad2d(3),
        nn.Conv2d(width, outputs, 7),
        nn.Tanh(),
    ]
    return Keyed("model", nn.Sequential(*rows))


def patchgan(norm: str, layers: int = 3, width: int = 2, inputs: int = 3) -> nn.Module:
    widths = [width * min(2**level, 8) for level in range(layers + 1)]
    rows = [nn.Conv2d(inputs, width, 4, 2, 1), nn.LeakyReLU(0.2)]
    for level in range(1, layers + 1):
        stride = 1 if level == layers else 2
        rows.append(nn.Conv2d(widths[level - 1], widths[level], 4, stride, 1, bias=norm == "instance"))
        rows += [normed(norm, widths[level]), nn.LeakyReLU(0.2)]
    return Keyed("model", nn.Sequential(*rows, nn.Conv2d(widths[-1], 1, 4, 1, 1)))


def pixelgan(norm: str, width: int = 4, inputs: int = 3) -> nn.Module:
    bias = norm == "instance"
    rows = [nn.Conv2d(inputs, width, 1), nn.LeakyReLU(0.2), nn.Conv2d(width, 2 * width, 1, bias=bias)]
    rows += [normed(norm, 2 * width), nn.LeakyReLU(0.2), nn.Conv2d(2 * width, 1, 1, bias=bias)]
    return Keyed("net", nn.Sequential(*rows))


def lived_in(network: nn.Module) -> nn.Module:
    """Weights and running statistics that no two layers share, so that a swap would show."""
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if tensor.is_floating_point():
                tensor.copy_(torch.randn(tensor.shape, generator=generator) * 0.3)
                if name.endswith("running_var"):
                    tensor.abs_().add_(0.5)
    return network.eval()


def saved(weights: object, folder: Path) -> Path:
    torch.save(weights, folder / "latest_net_G.pth")
    return folder / "latest_net_G.pth"


CASES = {
    **{f"unet {norm}": (lambda norm=norm: unet(norm), settings.UNet(width=2, depth=5, norm=norm, dropout=False), 3)
       for norm in ("batch", "instance", "none")},
    "unet gray to rgb": (
        lambda: unet("batch", depth=6, inputs=1), settings.UNet(width=2, depth=6, norm="batch", dropout=False), 1
    ),
    **{
        f"resnet {norm}{' dropout' if dropout else ''}": (
            lambda norm=norm, dropout=dropout: resnet(norm, dropout=dropout),
            settings.ResNet(width=2, blocks=2, norm=norm, dropout=dropout),
            3,
        )
        for norm in ("batch", "instance", "none")
        for dropout in (False, True)
    },
    "resnet 6": (lambda: resnet("instance", blocks=6), settings.ResNet(width=2, blocks=6), 3),
    **{
        f"patchgan {layers} {norm}": (
            lambda norm=norm, layers=layers: patchgan(norm, layers),
            settings.PatchGAN(width=2, layers=layers, norm=norm),
            3,
        )
        for norm in ("batch", "instance", "none")
        for layers in (1, 3, 5)
    },
    "patchgan of pairs": (lambda: patchgan("batch", inputs=6), settings.PatchGAN(width=2, norm="batch"), 6),
    **{f"pixelgan {norm}": (lambda norm=norm: pixelgan(norm), settings.PixelGAN(width=4, norm=norm), 3)
       for norm in ("batch", "instance", "none")},
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_file_gives_the_same_architecture_and_the_same_output(case, tmp_path):
    build, architecture, channels = CASES[case]
    torch.manual_seed(0)
    network = lived_in(build())
    found = read(saved(network.state_dict(), tmp_path))
    assert found.architecture == architecture
    assert found.in_channels == channels
    x = torch.randn(2, channels, 128, 128)
    with torch.no_grad():
        expected = network(x)
        assert expected.std() > 1e-3
        torch.testing.assert_close(found.build()(x), expected, atol=2e-5, rtol=1e-4)


def before_04(network: nn.Module) -> dict[str, Tensor]:
    """Instance norms kept running statistics, which nobody used."""
    weights = dict(network.state_dict())
    for name, layer in network.named_modules():
        if isinstance(layer, nn.InstanceNorm2d):
            weights[f"{name}.running_mean"] = torch.randn(layer.num_features)
            weights[f"{name}.running_var"] = torch.rand(layer.num_features)
    return weights


@pytest.mark.parametrize("build", [unet, resnet, patchgan, pixelgan])
def test_running_statistics_of_before_torch_04_change_nothing(build, tmp_path):
    network = lived_in(build("instance"))
    found = read(saved(before_04(network), tmp_path))
    assert found.architecture.norm == "instance"
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(found.build()(x), network(x), atol=2e-5, rtol=1e-4)


def test_a_batch_norm_without_its_counter_is_read(tmp_path):
    network = lived_in(resnet("batch"))
    weights = {key: value for key, value in network.state_dict().items() if "num_batches" not in key}
    x = torch.randn(1, 3, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(read(saved(weights, tmp_path)).build()(x), network(x), atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "module._orig_mod."])
def test_a_wrapper_leaves_its_prefix_and_we_take_it_off(prefix, tmp_path):
    network = lived_in(resnet("instance"))
    weights = {prefix + key: value for key, value in network.state_dict().items()}
    x = torch.randn(1, 3, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(read(saved(weights, tmp_path)).build()(x), network(x), atol=2e-5, rtol=1e-4)


def test_half_precision_is_computed_in_float32(tmp_path):
    weights = {key: value.half() for key, value in lived_in(resnet("instance")).state_dict().items()}
    assert {value.dtype for value in read(saved(weights, tmp_path)).build().parameters()} == {torch.float32}


# ------------------------------------------------------------------------------------------------- files that are none


class Plants:
    """Unpickling this creates a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.path,)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("write", [torch.save, lambda found, path: path.write_bytes(pickle.dumps(found))])
def test_a_hostile_file_is_refused_and_does_not_run(write, tmp_path):
    path, planted = tmp_path / "evil.pth", tmp_path / "planted"
    write({"model.1.weight": Plants(planted)}, path)
    with pytest.raises(ModelFileError, match=re.escape(str(path))):
        read(path)
    assert not planted.exists()
    # The file is as hostile as it claims to be.
    with contextlib.suppress(RuntimeError):
        torch.load(path, weights_only=False)
    assert planted.exists()


def broken(weights: dict[str, Tensor]) -> Iterator[tuple[str, object]]:
    some = next(key for key in weights if key.endswith("4.weight"))
    yield "a missing key", {key: value for key, value in weights.items() if key != some}
    yield "an unknown key", weights | {"model.99.weight": torch.zeros(3)}
    yield "a wrong shape", weights | {some: weights[some][:1]}
    yield "a scalar for a weight", weights | {some: torch.zeros(())}
    yield "a first layer of no size", weights | {"model.1.weight": torch.zeros(())}
    yield "nothing", {}
    yield "a list", [torch.zeros(3)]
    yield "a tensor", torch.zeros(3)
    yield "a whole training state", {"model": weights, "epoch": 3}
    yield "another network", nn.Linear(2, 2).state_dict()


@pytest.mark.parametrize("case", [name for name, _ in broken(resnet("instance").state_dict())])
def test_another_file_is_refused_in_one_line(case, tmp_path):
    path = saved(dict(broken(lived_in(resnet("instance")).state_dict()))[case], tmp_path)
    with pytest.raises(ModelFileError) as refusal:
        read(path)
    assert str(refusal.value).startswith(f"{path}: ")
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    "content", [b"", b"hello\n", b"\x89PNG\r\n\x1a\n" + bytes(99), b"PK\x03\x04" + bytes(99), b"\x80\x02}."]
)
def test_a_file_of_something_else_is_refused_in_one_line(content, tmp_path):
    path = tmp_path / "thing.pth"
    path.write_bytes(content)
    with pytest.raises(ModelFileError) as refusal:
        read(path)
    assert str(refusal.value).startswith(f"{path}: ")
    assert "\n" not in str(refusal.value)


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(ModelFileError, match="no such file"):
        read(tmp_path / "none.pth")
    with pytest.raises(ModelFileError, match=re.escape(str(tmp_path))):
        read(tmp_path)


@pytest.mark.parametrize("depth", [2, 3])
def test_a_unet_too_shallow_to_be_the_references_is_refused_as_a_file(depth, tmp_path):
    with pytest.raises(ModelFileError):
        read(saved(unet("batch", depth=depth).state_dict(), tmp_path))


def test_a_patchgan_deeper_than_256_pixels_is_read(tmp_path):
    assert read(saved(patchgan("batch", layers=7).state_dict(), tmp_path)).architecture.layers == 7

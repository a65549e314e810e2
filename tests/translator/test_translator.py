import dataclasses
import os
import pickle
import resource
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from i2i import images
from i2i.errors import ModelFileError, PictureError, SettingsError
from i2i.networks.blocks import BatchNorm
from i2i.networks.settings import PatchGAN, ResNet, UNet
from i2i.translator import Card, Translator, describe, load_network, save_network

sys.path.insert(0, str(Path(__file__).parents[1] / "networks"))
from hostile_files import described, entry, headers, rewrite, with_header
from hostile_files import tensors as header_of

RESNET = ResNet(width=2, blocks=1)
SIZES = [(1, 1), (1, 70), (33, 2), (16, 16), (65, 130), (128, 40)]


class Identity(nn.Module):
    """Nothing learnt, nothing changed; sizes that are no multiples are refused, as a U-Net would."""

    multiple = 16

    def forward(self, x: Tensor) -> Tensor:
        assert x.shape[2] % 16 == x.shape[3] % 16 == 0
        self.seen = x
        return x


def card(**given: Any) -> Card:
    return dataclasses.replace(Card(architecture=RESNET, in_channels=3, out_channels=3), **given)


def identity(**options: Any) -> Translator:
    fields = {key: options.pop(key) for key in list(options) if key in Card.__dataclass_fields__}
    return Translator(Identity(), card(**fields), **{"device": "cpu", "precision": "fp32"} | options)


def lived_in(architecture: Any, in_channels: int = 3, out_channels: int = 3) -> nn.Module:
    """A network whose weights and running statistics are not those of the start."""
    torch.manual_seed(0)
    network = architecture.build(in_channels, out_channels, (64, 64))
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, value in network.state_dict().items():
            if value.is_floating_point():
                value.copy_(0.4 * torch.randn(value.shape, generator=generator))
                if name.endswith("running_var"):
                    value.abs_().add_(0.5)
    return network


def translator(architecture: Any = RESNET, **options: Any) -> Translator:
    fields = {key: options.pop(key) for key in list(options) if key in Card.__dataclass_fields__}
    shape = card(architecture=architecture, **fields)
    network = lived_in(architecture, shape.in_channels, shape.out_channels)
    return Translator(network, shape, **{"device": "cpu", "precision": "fp32"} | options)


def noise(size: tuple[int, int], dtype: Any = np.uint8, channels: int = 3, seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "f":
        return generator.random((*size, channels), dtype)
    return generator.integers(0, np.iinfo(dtype).max + 1, (*size, channels), dtype)


def saved(path: Path, architecture: Any = RESNET, **fields: Any) -> Path:
    shape = card(architecture=architecture, **fields)
    save_network(lived_in(architecture, shape.in_channels, shape.out_channels), shape, path)
    return path


# ------------------------------------------------------------------------------------------------------ sizes and kinds


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_a_result_has_the_size_and_kind_of_its_source(size, dtype):
    result = translator()(noise(size, dtype))
    assert (result.shape, result.dtype) == ((*size, 3), dtype)


@pytest.mark.parametrize(
    "options", [{"fit": 24}, {"resize": "square", "size": "16"}, {"resize": "short", "size": "16"}]
)
@pytest.mark.parametrize("detail", ["none", "guided"])
@pytest.mark.parametrize("size", SIZES)
def test_a_result_at_another_scale_comes_back_to_the_size_of_its_source(options, detail, size):
    assert translator(**options, detail=detail)(noise(size)).shape == (*size, 3)


@pytest.mark.parametrize("architecture", [UNet(width=2, depth=5), ResNet(width=2, blocks=1, norm="batch")])
@pytest.mark.parametrize("size", [(1, 1), (33, 2), (40, 70)])
def test_every_network_takes_every_size(architecture, size):
    assert translator(architecture)(noise(size)).shape == (*size, 3)


@pytest.mark.parametrize(("channels_in", "channels_out"), [(1, 3), (3, 1), (1, 1)])
@pytest.mark.parametrize("given", [1, 3])
def test_channels_are_brought_to_the_networks(channels_in, channels_out, given):
    t = translator(in_channels=channels_in, out_channels=channels_out)
    assert t(noise((20, 24), channels=given)).shape == (20, 24, channels_out)


def test_a_path_and_a_pillow_image_give_a_pillow_image_and_an_array_an_array(tmp_path):
    array = noise((20, 30))
    images.write(tmp_path / "a.png", array)
    t = identity()
    for given in (tmp_path / "a.png", str(tmp_path / "a.png"), Image.fromarray(array)):
        result = t(given)
        assert isinstance(result, Image.Image)
        assert (result.mode, result.size) == ("RGB", (30, 20))
        assert np.array_equal(np.asarray(result), array)
    assert np.array_equal(t(array), array)


def test_a_list_keeps_its_order_and_its_kinds(tmp_path):
    arrays = [noise(size, dtype, seed=i) for i, (size, dtype) in enumerate([((20, 30), np.uint8), ((9, 9), np.uint16)])]
    images.write(tmp_path / "a.png", arrays[0])
    given = [arrays[1], tmp_path / "a.png", arrays[0], Image.fromarray(arrays[0]), arrays[1]]
    results = identity(batch_size=2)(given)
    assert [type(result) for result in results] == [np.ndarray, Image.Image, np.ndarray, Image.Image, np.ndarray]
    for result, wanted in zip(results, [arrays[1], arrays[0], arrays[0], arrays[0], arrays[1]], strict=True):
        assert np.array_equal(np.asarray(result), wanted)
    assert identity()([]) == []


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK"])
def test_pillow_images_of_every_mode_are_translated(mode):
    result = identity()(Image.fromarray(noise((20, 30))).convert(mode))
    assert (result.mode, result.size) == ("RGB", (30, 20))


def test_a_pillow_image_of_16_bits_is_not_cut_off():
    array = noise((20, 30), np.uint16, 1)
    result = identity(in_channels=1, out_channels=1)(Image.fromarray(array[:, :, 0]))
    assert np.array_equal(np.asarray(result), images.to_depth(array, np.uint8)[:, :, 0])


@pytest.mark.parametrize(
    "given",
    [
        np.zeros((8, 8), np.uint8),
        np.zeros((8, 8, 4), np.uint8),
        np.zeros((8, 8, 3)),
        np.zeros((8, 8, 3), np.int64),
        np.zeros((0, 8, 3), np.uint8),
        Image.new("F", (8, 8)),
    ],
)
def test_what_is_no_picture_is_refused(given):
    with pytest.raises(TypeError, match="picture"):
        identity()(given)


def test_a_file_that_is_no_picture_is_named(tmp_path):
    (tmp_path / "a.png").write_text("none")
    with pytest.raises(PictureError, match=r"a\.png"):
        identity()(tmp_path / "a.png")


# ------------------------------------------------------------------------------------------------------------ exactness


def test_every_level_of_8_bits_comes_back_exactly():
    array = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, axis=2)
    assert np.array_equal(identity()(array), array)


def test_every_level_of_16_bits_comes_back_exactly():
    array = np.arange(65536, dtype=np.uint16).reshape(256, 256, 1).repeat(3, axis=2)
    assert np.array_equal(identity()(array), array)


@pytest.mark.parametrize("size", [*SIZES, (17, 15), (7, 200)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_padding_is_taken_off_where_it_was_put_on(size, dtype):
    array = noise(size, dtype)
    assert np.array_equal(identity()(array), array)


def test_padding_mirrors_the_picture_to_the_bottom_and_the_right():
    t = identity()
    array = noise((14, 20))
    t(array)
    seen = images.from_network(t.network.seen)[0]
    assert seen.shape == (16, 32, 3)
    assert np.array_equal(seen, np.pad(array, ((0, 2), (0, 12), (0, 0)), "reflect"))


def test_a_translation_is_the_same_each_time():
    dropout = translator(UNet(width=2, depth=6, dropout=True))
    array = noise((64, 64))
    torch.manual_seed(1)
    once = dropout(array)
    torch.manual_seed(2)
    assert np.array_equal(dropout(array), once)


@pytest.mark.parametrize("norm_mode", ["running", "picture"])
@pytest.mark.parametrize("architecture", [ResNet(width=2, blocks=1, norm="batch"), UNet(width=2, depth=5), RESNET])
def test_a_result_does_not_depend_on_the_neighbours_in_the_batch(norm_mode, architecture):
    t = translator(architecture, norm_mode=norm_mode, batch_size=4)
    array = noise((32, 32))
    alone = t(array).astype(int)
    assert alone.std() > 2
    for others in ([noise((32, 32), seed=i) for i in (1, 2, 3)], [np.zeros_like(array)] * 2, [255 - array]):
        together = t([*others, array])[-1].astype(int)
        # A convolution of several pictures may add up in another order.
        assert np.abs(together - alone).max() <= 1


def test_the_norm_modes_differ_and_an_argument_wins_over_the_file():
    architecture = ResNet(width=2, blocks=1, norm="batch")
    array = noise((32, 32))
    running, picture = (translator(architecture, norm_mode=mode)(array) for mode in ("running", "picture"))
    assert not np.array_equal(running, picture)
    network = lived_in(architecture)
    shape = card(architecture=architecture, norm_mode="running")
    chosen = Translator(network, shape, device="cpu", precision="fp32", norm_mode="picture")
    assert np.array_equal(chosen(array), picture)
    assert all(layer.own_statistics for layer in network.modules() if isinstance(layer, BatchNorm))


def test_pictures_of_16_bits_are_computed_in_fp32():
    exact, fast = (translator(precision=precision) for precision in ("fp32", "bf16"))
    assert np.array_equal(fast(noise((16, 16), np.uint16)), exact(noise((16, 16), np.uint16)))
    assert np.array_equal(fast(noise((16, 16), np.float32)), exact(noise((16, 16), np.float32)))
    assert not np.array_equal(fast(noise((16, 16))), exact(noise((16, 16))))


def test_pictures_of_one_size_go_together_and_no_more_than_a_batch():
    t = identity(batch_size=3)
    counts: list[tuple[int, ...]] = []
    t.network.register_forward_pre_hook(lambda network, inputs: counts.append(tuple(inputs[0].shape)))
    t([noise((16, 16))] * 4 + [noise((16, 32))] + [noise((16, 16), np.uint16)])
    assert sorted(counts) == [(1, 3, 16, 16), (1, 3, 16, 16), (1, 3, 16, 32), (3, 3, 16, 16)]


# ---------------------------------------------------------------------------------------------------------------- scale


@pytest.mark.parametrize(
    ("fields", "fit", "size", "scaled"),
    [
        ({"resize": "square", "size": "256"}, None, (480, 640), (256, 256)),
        ({"resize": "square", "size": "128x256"}, None, (480, 640), (128, 256)),
        ({"resize": "short", "size": "256"}, None, (480, 640), (256, 341)),
        ({"resize": "short", "size": "256"}, None, (640, 480), (341, 256)),
        ({"resize": "short", "size": "256"}, None, (100, 100), (256, 256)),
        ({"resize": "none", "size": "256"}, None, (480, 640), (480, 640)),
        ({"resize": "none", "size": "256"}, "trained", (480, 640), (480, 640)),
        ({"resize": "square", "size": "256"}, "native", (480, 640), (480, 640)),
        ({"resize": "square", "size": "256"}, 120, (480, 640), (120, 160)),
        ({"resize": "short", "size": "256"}, 120, (9000, 9), (120000, 120)),
    ],
)
def test_a_picture_is_seen_at_the_scale_of_training(fields, fit, size, scaled):
    assert identity(**fields, fit=fit).scaled(size) == scaled


def test_a_model_of_squares_sees_a_square_and_the_result_is_brought_back():
    t = identity(resize="square", size="32")
    array = np.full((20, 60, 3), 90, np.uint8)
    assert np.array_equal(t(array), array)
    assert t.network.seen.shape == (1, 3, 32, 32)


def test_label_maps_get_no_new_labels():
    t = identity(resize="square", size="48", labels=True)
    array = np.where(noise((20, 30), channels=1) > 127, 200, 10).astype(np.uint8).repeat(3, axis=2)
    assert set(np.unique(t.prepare(array))) == {10, 200}


@pytest.mark.parametrize("fit", [0, 7, -5])
def test_a_scale_that_no_network_sees_is_refused(fit):
    with pytest.raises(SettingsError, match=f"fit {fit}"):
        identity(fit=fit)


def steepest(picture: np.ndarray) -> int:
    return int(np.abs(np.diff(picture.astype(int), axis=1)).max())


def test_guided_detail_keeps_an_edge_sharper_than_plain():
    array = np.full((128, 128, 3), 40, np.uint8)
    array[:, 61:] = 200
    plain, guided = (identity(fit=32, detail=detail)(array) for detail in ("none", "guided"))
    assert steepest(guided) > 1.5 * steepest(plain)


def test_guided_detail_of_16_bits_keeps_16_bits():
    array = images.to_depth(noise((64, 64)), np.uint16)
    result = identity(fit=16, detail="guided")(array)
    assert result.dtype == np.uint16
    assert (result % 257).any()


# ---------------------------------------------------------------------------------------------------------------- files


def test_a_file_gives_the_translator_that_was_saved(tmp_path):
    array = noise((20, 24))
    loaded = Translator.load(saved(tmp_path / "t.safetensors", steps=7, recipe="x"), device="cpu", precision="fp32")
    assert np.array_equal(loaded(array), translator()(array))
    assert loaded.card == card(steps=7, recipe="x")
    assert [path.name for path in tmp_path.iterdir()] == ["t.safetensors"]
    assert "x AtoB" in describe(loaded.card)


def test_a_file_of_half_precision_is_computed_in_full(tmp_path):
    path = saved(tmp_path / "t.safetensors")
    rewrite(path, {name: value.half() for name, value in load_file(path).items()})
    loaded = Translator.load(path, device="cpu", precision="fp32")
    assert {value.dtype for value in loaded.network.parameters()} == {torch.float32}
    assert loaded(noise((16, 16))).shape == (16, 16, 3)


def test_a_network_in_channels_last_is_saved(tmp_path):
    network = lived_in(RESNET).to(memory_format=torch.channels_last)
    save_network(network, card(), tmp_path / "t.safetensors")
    assert load_network(tmp_path / "t.safetensors")[1] == card()


def broken(path: Path, how: str) -> None:
    saved(path)
    weights = load_file(path)
    first = next(iter(weights))
    match how:
        case "empty":
            path.write_bytes(b"")
        case "text":
            path.write_text("no translator\n")
        case "pickle":
            path.write_bytes(pickle.dumps({"a": 1}))
        case "cut short":
            path.write_bytes(path.read_bytes()[:-100])
        case "no metadata":
            save_file(weights, path)
        case "other format":
            rewrite(path, metadata={"format": "pt"})
        case "no card":
            rewrite(path, metadata={"format": "i2i-translator"})
        case "card of text":
            rewrite(path, metadata={"format": "i2i-translator", "card": "hello"})
        case "unknown network":
            described(path, architecture={"kind": "transformer"})
        case "unknown setting":
            described(path, architecture={"depth": 7})
        case "wrong shape":
            rewrite(path, weights | {first: torch.zeros(1)})
        case "missing weight":
            rewrite(path, {name: value for name, value in weights.items() if name != first})
        case "unknown weight":
            rewrite(path, weights | {"more": torch.zeros(1)})
        case "other width":
            described(path, architecture={"width": 3})
        case "a million channels":
            described(path, architecture={"width": 1_000_000})
        case "more than an address":
            described(path, architecture={"width": 10**18})
        case "a billion blocks":
            described(path, architecture={"blocks": 10**9})
        case "a million blocks":
            described(path, architecture={"blocks": 10**6})
        case "a crop of 10 gigapixels":
            described(path, resize="square", size="99999")
        case "two channels":
            saved(path, in_channels=2)
        case "a size that is none":
            described(path, size="large")


HOWS = [
    "empty", "text", "pickle", "cut short", "no metadata", "other format", "no card", "card of text",
    "unknown network", "unknown setting", "wrong shape", "missing weight", "unknown weight", "other width",
    "a million channels", "more than an address", "a billion blocks", "a million blocks",
    "a crop of 10 gigapixels", "two channels", "a size that is none",
]  # fmt: skip


@pytest.mark.parametrize("how", HOWS)
def test_a_file_that_cannot_be_used_is_one_message(how, tmp_path):
    path = tmp_path / "t.safetensors"
    broken(path, how)
    with pytest.raises(ModelFileError) as refusal:
        Translator.load(path)
    assert str(refusal.value).startswith(f"{path}: ")
    assert "\n" not in str(refusal.value)


CARD = {"architecture": {"kind": "resnet", "width": 2, "blocks": 1}, "in_channels": 3, "out_channels": 3}
HEADERS = headers("i2i-translator", CARD)


def tensors(**entries: Any) -> bytes:
    return header_of("i2i-translator", CARD, **entries)


@pytest.mark.parametrize("case", HEADERS)
def test_a_hostile_header_is_one_message(case, tmp_path):
    header, length = HEADERS[case]
    path = with_header(tmp_path / "t.safetensors", header, length, bytes(16))
    with pytest.raises(ModelFileError) as refusal:
        Translator.load(path)
    assert str(refusal.value).startswith(f"{path}: ")
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 600


def test_weights_of_another_network_are_refused_before_they_are_read(tmp_path):
    """4 GB that are a hole in the file, and would be 4 GB in memory."""
    path = with_header(tmp_path / "t.safetensors", tensors(a=entry(0, 4 << 30, [1 << 30])))
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size + (4 << 30))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ModelFileError, match="not those of the network it describes"):
        Translator.load(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


@pytest.mark.parametrize("dtype", ["C64", "BOOL", "F8_E4M3", "U8"])
def test_weights_of_a_type_that_none_have_are_refused(dtype, tmp_path):
    size = {"C64": 8}.get(dtype, 1)
    path = with_header(tmp_path / "t.safetensors", tensors(a=entry(0, size, [1], dtype)), data=bytes(size))
    with pytest.raises(ModelFileError, match="its weights are of type"):
        Translator.load(path)


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_file_is_one_message(make, tmp_path):
    make(tmp_path / "t.safetensors")
    with pytest.raises(ModelFileError):
        Translator.load(tmp_path / "t.safetensors")


def test_a_unet_too_shallow_is_one_message(tmp_path):
    path = described(saved(tmp_path / "t.safetensors", UNet(width=2, depth=5)), architecture={"depth": 2})
    with pytest.raises(ModelFileError, match="depth 2"):
        Translator.load(path)


@pytest.mark.parametrize("name", ["none.safetensors", "none.pth", "none"])
def test_a_model_that_is_not_there_is_said(name, tmp_path):
    with pytest.raises(ModelFileError, match="no such model"):
        Translator.load(tmp_path / name)


def test_a_discriminator_is_refused_as_what_it_is(tmp_path):
    discriminator = PatchGAN(width=2, layers=3).build(3, (64, 64))
    keys = (name.replace("layers.", "model.", 1) for name in discriminator.state_dict())
    torch.save(dict(zip(keys, discriminator.state_dict().values(), strict=True)), tmp_path / "latest_net_D.pth")
    with pytest.raises(ModelFileError, match="discriminator"):
        Translator.load(tmp_path / "latest_net_D.pth")


def test_another_direction_than_the_files_is_refused(tmp_path):
    path = saved(tmp_path / "t.safetensors", direction="BtoA")
    assert Translator.load(path).card.direction == Translator.load(path, direction="BtoA").card.direction == "BtoA"
    with pytest.raises(ModelFileError, match="no AtoB"):
        Translator.load(path, direction="AtoB")


def test_a_run_of_two_translators_gives_the_one_that_is_asked_for(tmp_path):
    for direction in ("AtoB", "BtoA"):
        saved(tmp_path / f"translator_{direction}.safetensors", direction=direction)
    assert Translator.load(tmp_path).card.direction == "AtoB"
    assert Translator.load(tmp_path, direction="BtoA").card.direction == "BtoA"


def test_a_run_of_pairs_has_no_way_back(tmp_path):
    saved(tmp_path / "translator.safetensors", direction="BtoA")
    assert Translator.load(tmp_path).card.direction == "BtoA"
    with pytest.raises(ModelFileError, match="--direction AtoB"):
        Translator.load(tmp_path, direction="AtoB")


@pytest.mark.parametrize(
    ("file", "reason"),
    [("sampler.safetensors", "noise"), ("experiment.yaml", "no translator yet"), ("photo.png", "not a run folder")],
)
def test_a_folder_without_a_translator_says_why(file, reason, tmp_path):
    (tmp_path / file).write_bytes(b"")
    with pytest.raises(ModelFileError, match=reason):
        Translator.load(tmp_path)


# --------------------------------------------------------------------------------------------------------------- memory


def test_a_picture_too_large_for_the_memory_is_refused_before_it_is_enlarged(monkeypatch):
    t = identity(resize="short", size="256")
    t.card = dataclasses.replace(t.card, architecture=ResNet())
    monkeypatch.setattr("i2i.translator.room.free_memory", lambda: 8 * 10**9)
    monkeypatch.setattr("sys.platform", "linux")
    line = noise((1, 60_000))
    with pytest.raises(PictureError, match=r"60000 x 1 pixels, .* at 15360000 x 256: takes about 3,\d\d\d GB"):
        t(line)
    t.fit = "native"
    assert t(line).shape == line.shape


def test_a_batch_is_no_larger_than_the_memory_allows(monkeypatch):
    t = identity()
    t.card = dataclasses.replace(t.card, architecture=ResNet())
    counts: list[int] = []
    t.network.register_forward_pre_hook(lambda network, inputs: counts.append(len(inputs[0])))
    monkeypatch.setattr("i2i.translator.room.UNHEEDED_BYTES", 0)
    monkeypatch.setattr("i2i.translator.room.free_bytes", lambda: 2 * 16 * 16 * 960)
    t([noise((16, 16))] * 5)
    assert counts == [2, 2, 1]


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("CUDA out of memory"), MemoryError()])
def test_memory_that_runs_out_is_answered_by_one_picture_at_a_time(error):
    def fails(network: nn.Module, inputs: tuple[Tensor]) -> None:
        if len(inputs[0]) > most:
            raise error

    t = identity()
    t.network.register_forward_pre_hook(fails)
    pictures = [noise((16, 16), seed=seed) for seed in range(3)]
    most = 1
    assert all(np.array_equal(*both) for both in zip(t(pictures), pictures, strict=True))
    most = 0
    with pytest.raises(PictureError, match="16 x 16 pixels are too many for the memory of cpu"):
        t(pictures)


def test_another_error_of_the_network_is_no_matter_of_memory():
    t = identity()

    def fails(network: nn.Module, inputs: tuple[Tensor]) -> None:
        raise RuntimeError("sizes differ")

    t.network.register_forward_pre_hook(fails)
    with pytest.raises(RuntimeError, match="sizes differ"):
        t(noise((16, 16)))

"""Translators of tasks: what they take of a picture, how large their results are, and what these keep."""

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from i2i import images
from i2i.data.tasks.settings import AnyTask, Colorize, Inpaint, NextFrame, Sketch, SuperResolution, source_channels
from i2i.errors import ModelFileError, PictureError, SettingsError
from i2i.networks.settings import ResNet, SRResNet
from i2i.translator import Card, Translator, describe, load_network, save_network
from i2i.translator import room as rooms
from i2i.translator.tasks import with_luma

NOISE = np.random.default_rng(0).integers(0, 256, (21, 34, 3), dtype=np.uint8)
SMALL = SRResNet(width=4, blocks=1, scale=4, residual=True)


class Made(nn.Module):
    """A constant colour of the right size, whatever it sees."""

    multiple = 8

    def __init__(self, scale: int = 1) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        self.seen = x
        height, width = (self.scale * side for side in x.shape[2:])
        return torch.tensor([0.5, -0.25, 0.0])[:, None, None].expand(len(x), 3, height, width)


def card(task: AnyTask, **given: Any) -> Card:
    grows = isinstance(task, SuperResolution) and not task.enlarged
    architecture = dataclasses.replace(SMALL, scale=task.scale) if grows else ResNet(width=2, blocks=1)
    fields = {"in_channels": source_channels(task, 3), "out_channels": 3, "task": task, "size": "64"}
    return Card(architecture=architecture, **fields | given)


def made(task: AnyTask, **options: Any) -> Translator:
    fields = {key: options.pop(key) for key in list(options) if key in Card.__dataclass_fields__}
    described = card(task, **fields)
    return Translator(Made(described.grows), described, **{"device": "cpu", "precision": "fp32"} | options)


def colour(dtype: Any = np.uint8) -> np.ndarray:
    return images.from_network(torch.tensor([0.5, -0.25, 0.0])[:, None, None], dtype)[0, 0]


# -------------------------------------------------------------------------------------------------- super-resolution


@pytest.mark.parametrize("task", [SuperResolution(scale=scale, enlarged=e) for scale in (2, 4) for e in (False, True)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("size", [(1, 1), (5, 9), (21, 34)])
def test_a_result_is_scale_times_as_large(task, dtype, size):
    translator = made(task)
    result = translator(np.zeros((*size, 3), dtype))
    assert result.shape == (task.scale * size[0], task.scale * size[1], 3)
    assert result.dtype == dtype
    assert np.array_equal(result[-1, -1], colour(dtype))
    assert translator.network.seen.shape[2] >= (task.scale if task.enlarged else 1) * size[0]


@pytest.mark.parametrize(("fit", "seen"), [(None, 16), ("native", 21), (8, 8)])
def test_a_result_is_as_large_at_every_scale_that_the_network_sees(fit, seen):
    translator = made(SuperResolution(scale=4), fit=fit, resize="short")
    assert min(translator.scaled((21, 34))) == seen  # trained on 64 pixels of results, which are 16 of sources
    assert translator(NOISE).shape == (84, 136, 3)


def test_pictures_and_lists_grow_too():
    translator = made(SuperResolution(scale=2))
    one, two = translator([NOISE, Image.fromarray(NOISE)])
    assert one.shape == (42, 68, 3)
    assert two.size == (68, 42)


@pytest.mark.parametrize("tile", [0, 8])
def test_strips_of_super_resolution_make_the_whole(tile):
    torch.manual_seed(0)
    task = SuperResolution(scale=4)
    network = SMALL.build(3, 3, (64, 64))
    whole = Translator(network, card(task), device="cpu", precision="fp32")(NOISE)
    strips = Translator(network, card(task), device="cpu", precision="fp32", tile=tile)(NOISE)
    assert strips.shape == (84, 136, 3)
    assert np.abs(strips.astype(int) - whole).max() <= 1


def test_a_picture_too_large_to_be_enlarged_is_refused_in_one_line(monkeypatch):
    monkeypatch.setattr(rooms, "free_bytes", lambda: 1 << 30)
    translator = made(SuperResolution(scale=4))
    with pytest.raises(
        PictureError, match=r"8000 x 6000 pixels: takes about \d+ GB of memory, and 1 GB are free; give"
    ):
        translator.check_room((6000, 8000))
    translator.check_room((60, 80))


def test_memory_of_a_whole_picture_grows_with_the_square_of_the_scale():
    two, four = (dataclasses.replace(SMALL, scale=scale) for scale in (2, 4))
    needed = [rooms.whole_bytes(1000, one, torch.device("cpu"), half=False) for one in (two, four)]
    assert needed[1] == 4 * needed[0]


# ----------------------------------------------------------------------------------------------------------- colorize


@pytest.mark.parametrize(("dtype", "within"), [(np.uint8, 1.01 / 255), (np.uint16, 1.01 / 65535), (np.float32, 1e-6)])
def test_colour_takes_the_luma_of_its_source(dtype, within):
    colours, source = (np.random.default_rng(seed).random((30, 40, 3), np.float32) for seed in (1, 2))
    gray = images.with_channels(source, 1)
    result = with_luma(images.to_depth(colours, dtype), images.to_depth(gray, dtype))
    assert result.dtype == dtype
    found = images.to_depth(result, np.float32)
    assert np.abs(images.with_channels(found, 1) - gray).max() <= within
    # The hue is the colours' own: where there is room, so is all that tells them from their gray.
    apart = colours - images.with_channels(colours, 1)
    room = ((gray + apart >= 0) & (gray + apart <= 1)).all(axis=2)
    assert 0 < room.mean() < 1
    assert np.abs(found - gray - apart)[room].max() <= 2 * within


def test_the_true_colours_come_back_whole():
    gray = images.with_channels(NOISE, 1)
    apart = np.abs(with_luma(NOISE, gray).astype(int) - NOISE)
    # What rounding took from the gray shortens a colour that fills the range.
    assert apart.max() <= 3
    assert apart.mean() < 0.3


def test_gray_stays_gray_under_its_own_light():
    gray = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    assert np.array_equal(with_luma(np.full((16, 16, 3), 90, np.uint8), gray), np.repeat(gray, 3, axis=2))


@pytest.mark.parametrize("keep", [False, True])
def test_a_large_picture_keeps_its_light_in_full(keep):
    translator = made(Colorize(keep_luma=keep), resize="square")
    picture = np.random.default_rng(1).integers(60, 200, (100, 150, 1), dtype=np.uint8)
    result = translator(picture)
    assert result.shape == (100, 150, 3)
    luma = images.with_channels(result, 1).astype(int)
    assert (np.abs(luma - picture[:, :, :1]).max() <= 1) == keep
    assert translator.network.seen.shape[1] == 1


def test_colour_pictures_are_coloured_anew():
    translator = made(Colorize())
    assert np.array_equal(translator(NOISE), translator(images.with_channels(NOISE, 1)))


# ------------------------------------------------------------------------------------------------------------ inpaint


@pytest.mark.parametrize("mask", [False, True])
@pytest.mark.parametrize("resize", ["none", "square"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_a_hole_is_filled_and_the_rest_is_untouched(mask, resize, dtype):
    translator = made(Inpaint(mask=mask), resize=resize)
    alpha = np.full(NOISE.shape[:2], images.white(dtype), dtype)
    alpha[5:12, 6:20] = 0
    picture = images.with_alpha(images.to_depth(NOISE, dtype), alpha)
    result = translator(picture)
    assert result.shape == NOISE.shape
    assert np.array_equal(result[alpha > 0], picture[alpha > 0][:, :3])
    edge = 0 if resize == "none" else 3  # where it is enlarged, a hole takes a little from around it
    assert np.allclose(
        result[5 + edge : 12 - edge, 6 + edge : 20 - edge], colour(dtype), rtol=0, atol=colour(dtype) / 99
    )
    seen = translator.network.seen[0]
    assert seen.shape[0] == 3 + mask
    if resize == "none":
        assert torch.allclose(seen[-3:, 5:12, 6:20], torch.zeros(()), atol=0.005)  # holes are gray to the network
        assert not mask or bool((seen[0, 5:12, 6:20] == 1).all())
        assert not mask or float(seen[0, :5, :34].max()) == -1


def test_pillow_pictures_bring_their_holes(tmp_path):
    alpha = np.full(NOISE.shape[:2], 255, np.uint8)
    alpha[:4] = 0
    picture = Image.fromarray(images.with_alpha(NOISE, alpha))
    picture.save(tmp_path / "a.png")
    for given in (picture, tmp_path / "a.png"):
        result = made(Inpaint())(given)
        assert result.mode == "RGB"
        assert np.array_equal(np.asarray(result)[4:], NOISE[4:])
        assert np.array_equal(np.asarray(result)[0, 0], colour())


def test_a_picture_without_holes_is_refused_in_one_line():
    opaque = images.with_alpha(NOISE, None)
    for picture in (opaque, Image.fromarray(NOISE)):
        with pytest.raises(PictureError, match=r"is opaque everywhere, and inpainting fills what is transparent"):
            made(Inpaint())(picture)
    with pytest.raises(TypeError, match=r"\(H, W, 4\) or \(H, W, 2\)"):
        made(Inpaint())(NOISE)


# ------------------------------------------------------------------------------------------------ sketch and next-frame


def test_a_drawing_is_seen_in_gray():
    translator = made(Sketch())
    assert translator(NOISE).shape == NOISE.shape
    assert translator.network.seen.shape[1] == 1


def test_the_next_frame_is_made_of_several():
    translator = made(NextFrame(frames=3))
    gray, frames = NOISE[:, :, :1], np.concatenate([NOISE, NOISE, NOISE], axis=2)
    assert translator(frames).shape == NOISE.shape
    assert np.array_equal(translator(np.concatenate([gray] * 3, axis=2)), translator(frames))  # constant, of any source
    with pytest.raises(TypeError, match=r"\(H, W, 9\) or \(H, W, 3\)"):
        translator(np.zeros((8, 8, 4), np.uint8))
    with pytest.raises(TypeError, match="several pictures make one input"):
        translator(Image.fromarray(NOISE))


# --------------------------------------------------------------------------------------------------------------- files


@pytest.mark.parametrize("task", [SuperResolution(), Colorize(), Inpaint(), Sketch(), NextFrame()])
def test_a_file_knows_its_task(task, tmp_path):
    described = card(task)
    network = described.architecture.build(described.in_channels, 3, (64, 64))
    save_network(network, described, tmp_path / "a.safetensors")
    _, found = load_network(tmp_path / "a.safetensors")
    assert found == described
    assert (" x4," in describe(found)) == (task.kind == "super-resolution")


@pytest.mark.parametrize(
    ("task", "changes", "reason"),
    [
        (Inpaint(), {"in_channels": 3}, "translates 3 channels to 3; inpaint has others"),
        (NextFrame(), {"task": Colorize()}, "translates 6 channels to 3; colorize has others"),
        (SuperResolution(), {"task": SuperResolution(scale=2)}, "enlarges 4 times"),
        (SuperResolution(), {"task": SuperResolution(enlarged=True)}, "enlarges 4 times"),
        (Colorize(), {"in_channels": 3, "task": SuperResolution()}, "enlarges 1 times"),
    ],
)
def test_a_file_that_contradicts_its_task_is_refused(task, changes, reason, tmp_path):
    described = dataclasses.replace(card(task), **changes)
    network = described.architecture.build(described.in_channels, 3, (64, 64))
    save_network(network, described, tmp_path / "a.safetensors")
    with pytest.raises(ModelFileError, match=reason):
        load_network(tmp_path / "a.safetensors")


def test_a_task_brings_no_edges_of_its_source():
    with pytest.raises(SettingsError, match=r"detail guided: .* super-resolution has its own"):
        made(SuperResolution(), detail="guided")


@pytest.mark.slow
@pytest.mark.parametrize("task", [SuperResolution(), Inpaint()], ids=lambda task: task.kind)
def test_an_export_does_the_task_as_the_original(task, tmp_path):
    for package in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(package)
    from i2i.translator.export import export

    described = card(task)
    torch.manual_seed(0)
    network = described.architecture.build(described.in_channels, 3, (64, 64))
    save_network(network, described, tmp_path / "a.safetensors")
    export(tmp_path / "a.safetensors", tmp_path / "a.onnx")
    original, exported = (
        Translator.load(tmp_path / name, device="cpu", precision="fp32") for name in ("a.safetensors", "a.onnx")
    )
    alpha = np.full(NOISE.shape[:2], 255, np.uint8)
    alpha[3:9, 3:9] = 0
    picture = images.with_alpha(NOISE, alpha) if task.kind == "inpaint" else NOISE
    one, two = original(picture), exported(picture)
    assert one.shape == two.shape == ((84, 136, 3) if task.kind == "super-resolution" else NOISE.shape)
    assert np.abs(one.astype(int) - two).max() <= 1
    assert exported.card == original.card

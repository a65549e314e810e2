"""Folders through translators of tasks."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import ExifTags, Image
from torch import Tensor, nn

from i2i import images
from i2i.conversion import translate
from i2i.conversion.source import Source
from i2i.data.tasks.settings import AnyTask, Colorize, Inpaint, NextFrame, SuperResolution, source_channels
from i2i.errors import DatasetError, PictureError
from i2i.networks.settings import ResNet, SRResNet
from i2i.translator import Card, Translator


class Nearest(nn.Module):
    """The last channels of what it sees, each pixel as a square."""

    multiple = 8

    def __init__(self, scale: int = 1) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        x = x[:, -3:].expand(-1, 3, -1, -1)
        return x.repeat_interleave(self.scale, 2).repeat_interleave(self.scale, 3)


def translator(task: AnyTask, network: nn.Module | None = None, **options: Any) -> Translator:
    scale = getattr(task, "scale", 1)
    architecture = SRResNet(width=2, blocks=1, scale=scale) if scale > 1 else ResNet(width=2, blocks=1)
    card = Card(architecture=architecture, in_channels=source_channels(task, 3), out_channels=3, task=task)
    return Translator(
        network or Nearest(scale), card, **{"device": "cpu", "precision": "fp32", "batch_size": 2} | options
    )


def noise(seed: int = 0, size: tuple[int, int] = (12, 10)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)


def put(path: Path, pixels: np.ndarray, **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    images.write(path, pixels, **options)
    return path


def test_super_resolution_keeps_alpha_exif_and_resolution(tmp_path):
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = "someone"
    alpha = np.zeros((12, 10), np.uint8)
    alpha[:, 5:] = 255
    put(tmp_path / "in" / "a.png", noise(), alpha=alpha, exif=exif.tobytes(), dpi=(300, 300))
    done = translate(
        translator(SuperResolution(scale=2)), tmp_path / "in", tmp_path / "out", report=tmp_path / "r.html"
    )
    assert (done.converted, done.failed) == (1, 0)
    found = images.read_picture(tmp_path / "out" / "a.png")
    assert np.array_equal(found.pixels, noise().repeat(2, 0).repeat(2, 1))
    assert found.alpha is not None
    assert found.alpha.shape == (24, 20)
    assert (found.alpha[:, :8] == 0).all()
    assert (found.alpha[:, 12:] == 255).all()
    with Image.open(tmp_path / "out" / "a.png") as file:
        assert file.getexif()[ExifTags.Base.Artist] == "someone"
        assert round(file.info["dpi"][0]) == 300


def test_halves_of_pairs_are_enlarged_too(tmp_path):
    put(tmp_path / "in" / "a.png", noise(size=(8, 16)))
    translate(translator(SuperResolution(scale=4)), tmp_path / "in", tmp_path / "out", half="B")
    assert np.array_equal(images.read(tmp_path / "out" / "a.png"), noise(size=(8, 16))[:, 8:].repeat(4, 0).repeat(4, 1))


def test_a_picture_too_large_to_be_enlarged_is_named_and_the_rest_goes_on(tmp_path, monkeypatch):
    from i2i.translator import room

    put(tmp_path / "in" / "large.png", np.zeros((2000, 2000, 3), np.uint8))
    put(tmp_path / "in" / "small.png", noise())
    monkeypatch.setattr(room, "free_bytes", lambda: 300_000_000)
    done = translate(translator(SuperResolution(scale=4)), tmp_path / "in", tmp_path / "out")
    assert (done.converted, done.failed) == (1, 1)
    assert "2000 x 2000 pixels: takes about" in done.failures[0][1]


def test_what_is_transparent_is_filled_and_the_result_is_opaque(tmp_path):
    alpha = np.full((12, 10), 255, np.uint8)
    alpha[3:6, 2:9] = 0
    put(tmp_path / "in" / "holed.png", noise(), alpha=alpha)
    put(tmp_path / "in" / "whole.png", noise())
    page = tmp_path / "r.html"
    done = translate(translator(Inpaint()), tmp_path / "in", tmp_path / "out", report=page)
    assert (done.converted, done.failed) == (1, 1)
    assert done.failures[0][0].name == "whole.png"
    assert done.failures[0][1].startswith("is opaque everywhere, and inpainting fills what is transparent")
    found = images.read_picture(tmp_path / "out" / "holed.png")
    assert found.alpha is None
    assert np.array_equal(found.pixels[alpha > 0], noise()[alpha > 0])
    assert (found.pixels[alpha == 0] == 128).all()  # the gray that this network saw there
    assert page.stat().st_size


def test_16_bit_holes_stay_16_bit(tmp_path):
    deep = noise().astype(np.uint16) * 257 + 3
    alpha = np.full((12, 10), 65535, np.uint16)
    alpha[0] = 0
    put(tmp_path / "in" / "a.png", deep, alpha=alpha)
    assert translate(translator(Inpaint()), tmp_path / "in", tmp_path / "out").converted == 1
    found = images.read(tmp_path / "out" / "a.png")
    assert found.dtype == np.uint16
    assert np.array_equal(found[1:], deep[1:])


class Mean(nn.Module):
    """The mean of all frames that it sees."""

    multiple = 8

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack(x.chunk(x.shape[1] // 3, dim=1)).mean(dim=0)


def test_frames_are_predicted_from_those_before_them_in_their_folder(tmp_path):
    for folder, start in (("a", 0), ("b", 100)):
        for index in (1, 2, 10):
            put(tmp_path / "in" / folder / f"{index}.png", np.full((8, 8, 3), start + 10 * index, np.uint8))
    done = translate(translator(NextFrame(), Mean()), tmp_path / "in", tmp_path / "out", report=tmp_path / "r.html")
    assert (done.converted, done.failed) == (6, 0)
    found = {
        str(path.relative_to(tmp_path / "out")): int(images.read(path).mean()) for path in tmp_path.glob("out/*/*")
    }
    # The first frame has none before it and stands still; frame 10 comes after frame 2.
    assert found == {"a/1.png": 10, "a/2.png": 15, "a/10.png": 60, "b/1.png": 110, "b/2.png": 115, "b/10.png": 160}


def test_a_single_frame_has_no_next(tmp_path):
    put(tmp_path / "in" / "1.png", noise())
    done = translate(translator(NextFrame(), Mean()), tmp_path / "in", tmp_path / "out")
    assert done.failed == 1
    assert done.failures[0][1].startswith("is the only frame of its folder, and the next one is predicted from 2; give")


def test_frames_that_differ_make_no_sequence(tmp_path):
    put(tmp_path / "1.png", noise())
    put(tmp_path / "2.png", noise(size=(9, 9)))
    with pytest.raises(PictureError, match=r"2.png: differs from the frames before it in size"):
        Source(NextFrame())(tmp_path / "2.png", images.read_picture)


def test_gray_photos_are_coloured_in_their_own_format(tmp_path):
    put(tmp_path / "in" / "a.jpg", images.with_channels(noise(), 1))
    translate(translator(Colorize()), tmp_path / "in", tmp_path / "out", manifest=tmp_path / "m.jsonl")
    assert images.read(tmp_path / "out" / "a.jpg").shape == (12, 10, 3)
    assert json.loads((tmp_path / "m.jsonl").read_text())["size"] == [10, 12]


def film(path: Path) -> Path:
    av = pytest.importorskip("av")
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(10))
        stream.width, stream.height, stream.pix_fmt = 48, 32, "yuv420p"
        for index in range(5):
            frame = av.VideoFrame.from_ndarray(np.full((32, 48, 3), 40 * index, np.uint8), "rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def test_a_video_is_enlarged(tmp_path):
    av = pytest.importorskip("av")
    done = translate(translator(SuperResolution(scale=2)), film(tmp_path / "a.mp4"), tmp_path / "b.mp4")
    assert done.converted == 5
    with av.open(str(tmp_path / "b.mp4")) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert [frame.shape for frame in frames] == [(64, 96, 3)] * 5
    assert [round(float(frame.mean()) / 40) for frame in frames] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(("task", "reason"), [(Inpaint(), "a video is opaque"), (NextFrame(), "pictures in a folder")])
def test_videos_that_a_task_cannot_take_are_refused_in_one_line(task, reason, tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"")
    with pytest.raises(DatasetError, match=rf"a.mp4: is a video; .*{reason}"):
        translate(translator(task, Mean()), tmp_path / "a.mp4", tmp_path / "b.mp4")

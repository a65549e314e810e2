import itertools
import threading
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import Tensor, nn

from i2i import cli, images
from i2i.conversion import Summary, translate, video, video_files
from i2i.conversion.video_files import Frame, Reader
from i2i.errors import DatasetError, PictureError
from i2i.networks.settings import ResNet
from i2i.translator import Card, Translator, save_network

av = pytest.importorskip("av")


class Inverse(nn.Module):
    multiple = 8

    def forward(self, x: Tensor) -> Tensor:
        return -x


class Same(Inverse):
    def forward(self, x: Tensor) -> Tensor:
        return x.clone()


CARD = Card(architecture=ResNet(width=2, blocks=1), in_channels=3, out_channels=3)
SAME = Translator(Same(), CARD, device="cpu", precision="fp32", batch_size=4)
NEGATIVE = Translator(Inverse(), CARD, device="cpu", precision="fp32", batch_size=4)


def pictures(count: int, size: tuple[int, int] = (48, 64)) -> list[np.ndarray]:
    """A gray that grows by the frame, so that a frame is known by its mean; its upper left is red."""
    made = [np.full((*size, 3), 20 + 4 * index % 200, np.uint8) for index in range(count)]
    for one in made:
        one[: size[0] // 2, : size[1] // 2] = (220, 30, 30)
    return made


def film(
    path: Path,
    frames: Sequence[np.ndarray],
    *,
    times: Sequence[int] | None = None,
    rate: int = 25,
    codec: str = "libx264",
    sound: str = "",
    turned: int = 0,
    tags: tuple[int, int] = (0, 0),
    options: dict[str, str] | None = None,
    muxing: dict[str, str] | None = None,
) -> Path:
    """`times` in milliseconds; `tags` are AVColorSpace and AVColorRange."""
    with av.open(str(path), "w", options=muxing or {}) as container:
        stream = container.add_stream(codec, rate=rate, options=options or {"crf": "1"})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000) if times else Fraction(1, rate)
        if any(tags):
            stream.codec_context.colorspace, stream.codec_context.color_range = tags
        if turned:
            stream.set_display_rotation(turned)
        voice = container.add_stream(sound, rate=48000) if sound else None
        space = {1: 1, 0: 5, 6: 5}[tags[0]]
        for index, frame in enumerate(frames):
            made = av.VideoFrame.from_ndarray(frame, "rgb24").reformat(
                format="yuv420p", dst_colorspace=space, dst_color_range=tags[1] or 1
            )
            made.pts = times[index] if times else index
            made.time_base = stream.codec_context.time_base
            container.mux(stream.encode(made))
        if voice is not None:
            tone = np.sin(np.arange(48000 * len(frames) // rate) / 20).astype(np.float32)
            for at in range(0, len(tone) - 1024, 1024):
                block = av.AudioFrame.from_ndarray(np.stack([tone[at : at + 1024]] * 2), "fltp", "stereo")
                block.sample_rate, block.pts, block.time_base = 48000, at, Fraction(1, 48000)
                container.mux(voice.encode(block))
            container.mux(voice.encode(None))
        container.mux(stream.encode(None))
    return path


def read(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def times(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        return [float(frame.time or 0) for frame in container.decode(video=0)]


def sound_of(path: Path) -> bytes:
    with av.open(str(path)) as container:
        return b"".join(bytes(packet) for packet in container.demux(audio=0))


def convert(source: Path, target: Path, translator: Translator = SAME, **options: Any) -> Summary:
    return translate(translator, source, target, **options)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [("mp4", "mp4"), ("mp4", "mov"), ("mkv", "mkv"), ("mkv", "webm"), ("mp4", "avi"), ("avi", "mp4")],
)
def test_every_frame_is_translated_and_stays_in_its_place(tmp_path, given, wanted):
    frames = pictures(11)
    source = film(tmp_path / f"in.{given}", frames)
    summary = convert(source, tmp_path / f"out.{wanted}", NEGATIVE, quality=95)
    assert (summary.converted, summary.failed, summary.left) == (11, 0, 0)
    results = read(tmp_path / f"out.{wanted}")
    assert len(results) == 11
    for frame, result in zip(frames, results, strict=True):
        assert result.shape == frame.shape
        assert abs(int(result[40, 50, 1]) - (255 - int(frame[40, 50, 1]))) <= 4
    assert [path.name for path in sorted(tmp_path.iterdir())] == sorted([source.name, f"out.{wanted}"])


def test_times_that_vary_are_kept(tmp_path):
    shown = [0, 40, 80, 200, 210, 400, 1000, 1040]
    source = film(tmp_path / "in.mkv", pictures(8), times=shown)
    for name in ("out.mp4", "out.mkv", "out.webm"):
        convert(source, tmp_path / name)
        assert times(tmp_path / name) == pytest.approx([time / 1000 for time in shown], abs=0.0011)


def test_sound_is_copied_bit_for_bit(tmp_path):
    source = film(tmp_path / "in.mp4", pictures(30), sound="aac")
    convert(source, tmp_path / "out.mkv")
    assert len(sound_of(source)) > 1000
    assert sound_of(tmp_path / "out.mkv") == sound_of(source)


def test_sound_that_a_container_cannot_hold_is_said_before_the_first_frame(tmp_path):
    source = film(tmp_path / "in.mp4", pictures(5), sound="aac")
    with pytest.raises(PictureError, match=r"its sound \(aac\) cannot lie in a \.webm file; give the result as \.mkv"):
        convert(source, tmp_path / "out.webm")
    assert [path.name for path in tmp_path.iterdir()] == ["in.mp4"]


def test_a_video_on_its_side_comes_out_upright(tmp_path):
    source = film(tmp_path / "in.mp4", pictures(3), turned=90)
    convert(source, tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as container:
        frame = next(container.decode(video=0))
        assert (frame.width, frame.height, frame.rotation) == (48, 64, 0)
        upright = frame.to_ndarray(format="rgb24")
    wanted = np.rot90(pictures(1)[0], 1)  # anticlockwise, as players do
    assert np.abs(upright.astype(int) - wanted).mean() < 6


@pytest.mark.parametrize("size", [(48, 63), (47, 64), (47, 63)])
def test_an_odd_side_gets_its_last_row_or_column_twice(tmp_path, size):
    frames = pictures(3, size)
    with av.open(str(tmp_path / "in.mkv"), "w") as container:  # lossless, and of any size
        stream = container.add_stream("ffv1", rate=25)
        stream.height, stream.width, stream.pix_fmt = *size, "bgr0"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, "rgb24").reformat(format="bgr0")))
        container.mux(stream.encode(None))
    convert(tmp_path / "in.mkv", tmp_path / "out.mp4")
    result = read(tmp_path / "out.mp4")[0]
    assert result.shape[:2] == tuple(side + side % 2 for side in size)
    assert np.abs(result[: size[0], : size[1]].astype(int) - frames[0]).mean() < 6


@pytest.mark.parametrize("tags", [(1, 1), (6, 1), (1, 2), (6, 2), (0, 0)])
def test_colours_survive_their_matrix_and_range(tmp_path, tags):
    source = film(tmp_path / "in.mp4", pictures(3), tags=tags)
    with Reader(source) as reader:
        seen = next(item for item in reader if isinstance(item, Frame)).pixels
    assert np.abs(seen[10, 10].astype(int) - (220, 30, 30)).max() <= 5
    convert(source, tmp_path / "out.mp4")
    with Reader(tmp_path / "out.mp4") as reader:
        again = next(item for item in reader if isinstance(item, Frame)).pixels
    assert np.abs(again[10, 10].astype(int) - seen[10, 10]).max() <= 6


def test_quality_is_heard(tmp_path):
    noise = [np.random.default_rng(seed).integers(0, 256, (48, 64, 3), np.uint8) for seed in range(5)]
    source = film(tmp_path / "in.mp4", noise)
    sizes = []
    for quality in (20, "keep", 100):
        convert(source, tmp_path / f"{quality}.mp4", quality=quality)
        sizes.append((tmp_path / f"{quality}.mp4").stat().st_size)
    assert sizes == sorted(set(sizes))


def test_a_file_cut_short_leaves_what_was_readable(tmp_path, capsys):
    whole = film(tmp_path / "whole.mkv", [np.roll(one, 3 * at, 1) for at, one in enumerate(pictures(100))])
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    summary = convert(cut, tmp_path / "out.mp4")
    assert 20 < summary.converted < 80
    assert summary.failed == 1
    assert "cut short after" in summary.failures[0][1]
    assert len(read(tmp_path / "out.mp4")) == summary.converted


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"no video at all, but a few lines of text", "not a video in MP4, MOV, MKV, WebM or AVI format"),
        (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "not a video in MP4"),
        (b"\0\0\0\x18ftypisom\0\0\2\0isomiso2\0\0\0\0mdat", "cannot be read as a video: "),
    ],
)
def test_what_is_no_video_is_refused(tmp_path, content, reason):
    (tmp_path / "in.mp4").write_bytes(content)
    with pytest.raises(PictureError, match=reason):
        convert(tmp_path / "in.mp4", tmp_path / "out.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["in.mp4"]


def test_sound_alone_is_refused(tmp_path):
    with av.open(str(tmp_path / "in.mp4"), "w") as container:
        voice = container.add_stream("aac", rate=48000)
        block = av.AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), "fltp", "stereo")
        block.sample_rate = 48000
        container.mux([*voice.encode(block), *voice.encode(None)])
    with pytest.raises(PictureError, match="there is no video in it"):
        convert(tmp_path / "in.mp4", tmp_path / "out.mp4")


def test_frames_too_large_are_refused_before_they_are_decoded(tmp_path, monkeypatch):
    source = film(tmp_path / "in.mp4", pictures(2))
    monkeypatch.setattr(images, "MAX_PIXELS", 3000)
    with pytest.raises(PictureError, match=r"64 x 48 pixels are more than the 0\.003 million"):
        convert(source, tmp_path / "out.mp4")


def test_without_pyav_it_says_what_to_install(tmp_path, monkeypatch):
    source = film(tmp_path / "in.mp4", pictures(2))
    monkeypatch.setitem(__import__("sys").modules, "av", None)
    with pytest.raises(PictureError, match=r"pip install 'i2i-toolkit\[video\]'"):
        convert(source, tmp_path / "out.mp4")


def test_results_that_are_there_are_refused_kept_or_replaced(tmp_path):
    source = film(tmp_path / "in.mp4", pictures(2))
    (tmp_path / "out.mp4").write_bytes(b"mine")
    with pytest.raises(DatasetError, match="is there already"):
        convert(source, tmp_path / "out.mp4")
    assert convert(source, tmp_path / "out.mp4", existing="skip").skipped == 1
    assert (tmp_path / "out.mp4").read_bytes() == b"mine"
    assert convert(source, tmp_path / "out.mp4", existing="overwrite").converted == 2
    assert len(read(tmp_path / "out.mp4")) == 2
    with pytest.raises(DatasetError, match="is the input too"):
        convert(source, source, existing="overwrite")
    with pytest.raises(DatasetError, match="a video goes into a folder that is there, or a file ending in"):
        convert(source, tmp_path / "out.png")


def test_into_a_folder_it_keeps_its_name(tmp_path):
    source = film(tmp_path / "in.mp4", pictures(2))
    (tmp_path / "out").mkdir()
    convert(source, tmp_path / "out")
    assert len(read(tmp_path / "out" / "in.mp4")) == 2


def test_stopped_it_leaves_nothing(tmp_path):
    source = film(tmp_path / "in.mp4", pictures(40))
    stop = threading.Event()
    summary = convert(source, tmp_path / "out.mp4", stop=stop, on_progress=lambda at: stop.set())
    assert summary.converted == 0
    assert summary.left == 40
    assert [path.name for path in tmp_path.iterdir()] == ["in.mp4"]


def test_an_error_of_the_network_leaves_nothing(tmp_path):
    class Broken(Inverse):
        def forward(self, x: Tensor) -> Tensor:
            raise KeyboardInterrupt

    source = film(tmp_path / "in.mp4", pictures(10))
    with pytest.raises(KeyboardInterrupt):
        convert(source, tmp_path / "out.mp4", Translator(Broken(), CARD, device="cpu"))
    assert [path.name for path in tmp_path.iterdir()] == ["in.mp4"]


def test_a_full_disk_is_said_in_a_line(tmp_path):
    source = film(tmp_path / "in.mp4", pictures(10))

    def full(self: Any, items: Any) -> None:
        with self._written():
            raise OSError(28, "No space left on device")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(video_files.Writer, "add", full)
        with pytest.raises(PictureError, match="cannot be written: No space left on device"):
            convert(source, tmp_path / "out.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["in.mp4"]


def test_few_frames_are_held_at_a_time(tmp_path, monkeypatch):
    source = film(tmp_path / "in.mp4", pictures(60))
    decoded, written, most = itertools.count(1), itertools.count(1), [0]
    made = [0, 0]
    reads, writes = Reader._frame, video_files.Writer._add_frame

    def reading(self: Any, frame: Any) -> Any:
        made[0] = next(decoded)
        most[0] = max(most[0], made[0] - made[1])
        return reads(self, frame)

    def writing(self: Any, frame: Any) -> None:
        writes(self, frame)
        made[1] = next(written)

    monkeypatch.setattr(Reader, "_frame", reading)
    monkeypatch.setattr(video_files.Writer, "_add_frame", writing)
    convert(source, tmp_path / "out.mp4")
    assert made == [60, 60]
    assert most[0] <= 4 * SAME.batch_size  # read ahead, translated, written, and one that is begun


def test_large_frames_go_in_smaller_groups(tmp_path, monkeypatch):
    seen = []

    class Counting(Same):
        def forward(self, x: Tensor) -> Tensor:
            seen.append(len(x))
            return super().forward(x)

    monkeypatch.setattr(video, "GROUP_PIXELS", 2 * 48 * 64)
    convert(film(tmp_path / "in.mp4", pictures(5)), tmp_path / "out.mp4", Translator(Counting(), CARD, device="cpu"))
    assert seen == [2, 2, 1]


def test_the_command_is_steady_by_itself_and_says_what_is_not_for_videos(tmp_path, capsys, monkeypatch):
    source = film(tmp_path / "in.mp4", pictures(6))
    save_network(CARD.architecture.build(3, 3, (64, 64)), CARD, tmp_path / "model.safetensors")
    steady = []
    load = Translator.load
    monkeypatch.setattr(
        Translator, "load", lambda *given, **options: steady.append(options["steady"]) or load(*given, **options)
    )
    words = ["translate", str(tmp_path / "model.safetensors"), str(source)]
    assert cli.main([*words, str(tmp_path / "a.mp4"), "--device", "cpu"]) == 0
    assert cli.main([*words, str(tmp_path / "b.mp4"), "--no-steady", "--device", "cpu"]) == 0
    assert steady == [True, False]
    assert len(read(tmp_path / "a.mp4")) == len(read(tmp_path / "b.mp4")) == 6
    capsys.readouterr()
    assert cli.main([*words, str(tmp_path / "c.mp4"), "--report", "page.html"]) == 2
    assert "--report is for pictures" in capsys.readouterr().err
    assert cli.main([*words, str(source), str(tmp_path / "c.mp4")]) == 2
    assert "wanted one video" in capsys.readouterr().err

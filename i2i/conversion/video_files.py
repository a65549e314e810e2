"""Video files through PyAV: frames in and out with their times, sound copied as it is."""

import contextlib
import os
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from i2i import images
from i2i.errors import PictureError
from i2i.images import shown

if TYPE_CHECKING:
    import av
    from av.container import InputContainer, OutputContainer

Array = np.ndarray[Any, Any]

SUFFIXES = frozenset({".mp4", ".mov", ".mkv", ".webm", ".avi"})
"""What is taken for a video, in lower case."""
CRF = 18
"""Quality of H.264 where none is asked for: hard to tell from its source."""
CUT_SHORT_S = 0.5
"""A file that ends so much before the length it claims is reported."""

_ENCODERS = {".webm": "libvpx-vp9", ".avi": "mpeg4"}
_MATRICES = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9}
"""AVColorSpace to libswscale's numbers (ISO/IEC 23091-2, table 4)."""
_BT709, _BT601 = 1, 6


def is_video(path: Path) -> bool:
    """Whether a name is a video's, by its suffix in any case."""
    return path.suffix.lower() in SUFFIXES


def _pyav() -> ModuleType:
    try:
        import av
    except ImportError:
        raise PictureError("video is read and written by PyAV: pip install 'i2i-toolkit[video]'") from None
    return av


@dataclass(slots=True)
class Frame:
    """A frame, upright, and when it is shown."""

    pixels: Array
    """(H, W, 3) uint8 RGB."""
    time: int
    """In units of the video's time base, strictly growing."""


class Reader:
    """The frames and the sound of a video, in the file's order, a little at a time.

    Raises PictureError where there is no video to read; what is damaged further on is counted, and told at the end.
    """

    def __init__(self, path: Path) -> None:
        av = _pyav()
        self.path = path
        self.broken = 0
        """Frames that could not be decoded."""
        self.damage = ""
        """Why the file was left before its end."""
        self._failures: type[Exception] = av.FFmpegError
        limit = {"max_pixels": str(images.MAX_PIXELS)}  # also of what ffmpeg decodes only to look
        try:
            self._container: InputContainer = av.open(str(path), format=_format(path), options=limit)
        except (av.FFmpegError, OSError) as error:
            raise _unreadable(path, error) from None
        try:
            self._begin(limit)
        except BaseException:
            self.close()
            raise

    def _begin(self, limit: dict[str, str]) -> None:
        if not self._container.streams.video:
            raise _unreadable(self.path, "there is no video in it")
        self.stream = stream = self._container.streams.video[0]
        context = stream.codec_context
        if context is None:
            raise _unreadable(self.path, "its codec is not known")
        if context.width * context.height > images.MAX_PIXELS:
            size = f"{context.width} x {context.height} pixels"
            raise _unreadable(
                self.path, f"{size} are more than the {images.MAX_PIXELS / 1e6:g} million that are decoded"
            )
        context.options = limit  # a frame can claim another size than the file
        context.thread_type = "AUTO"
        self.audio = list(self._container.streams.audio)
        self.time_base = stream.time_base or Fraction(1, 1000)
        self.rate = stream.average_rate or stream.guessed_rate or Fraction(25)
        self.matrix = _matrix(int(context.colorspace), context.height)
        self.tags = int(context.color_primaries), int(context.color_trc)
        self.aspect = stream.sample_aspect_ratio
        self.metadata = dict(self._container.metadata)
        self._ends = Fraction(0)
        self._last: int | None = None
        self._size: tuple[int, int] | None = None
        self._turns = 0
        self._items = self._read()
        self._ahead: deque[Frame | av.Packet] = deque()
        for item in self._items:
            self._ahead.append(item)
            if isinstance(item, Frame):
                self.height, self.width = item.pixels.shape[:2]
                break
        else:
            raise _unreadable(self.path, self.damage or "not one of its frames can be decoded")
        if self._turns % 2 and self.aspect:
            self.aspect = 1 / self.aspect

    @property
    def frames(self) -> int:
        """How many frames the file claims, 0 where it does not say."""
        return self.stream.frames or round(self._claimed() * self.rate)

    def __iter__(self) -> Iterator["Frame | av.Packet"]:
        while self._ahead:
            yield self._ahead.popleft()
        yield from self._items
        if not self.damage and self._ends + Fraction(CUT_SHORT_S) < self._claimed():
            self.damage = f"it is cut short after {float(self._ends):.1f} of {float(self._claimed()):.1f} s"

    def __enter__(self) -> "Reader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._container.close()

    def _claimed(self) -> Fraction:
        return Fraction(self._container.duration or 0, 1_000_000)

    def _read(self) -> Iterator["Frame | av.Packet"]:
        packets = self._container.demux([self.stream, *self.audio])
        start = Fraction(self._container.start_time or 0, 1_000_000)
        while True:
            try:
                packet = next(packets, None)
            except self._failures as error:
                self.damage = f"it cannot be read to its end ({_reason(error)})"
                return
            if packet is None:
                return
            if packet.pts is not None and packet.time_base is not None:
                self._ends = max(self._ends, (packet.pts + (packet.duration or 0)) * packet.time_base - start)
            if packet.stream is not self.stream:
                if packet.dts is not None:
                    yield packet
                continue
            try:
                decoded = packet.decode()
            except self._failures:
                self.broken += 1
                continue
            for frame in decoded:
                yield self._frame(frame)  # pyright: ignore[reportArgumentType]

    def _frame(self, frame: "av.VideoFrame") -> Frame:
        if self._size is None:
            self._size = frame.width, frame.height
            self._turns = round(frame.rotation / 90) % 4
        width, height = self._size
        rgb = frame.reformat(width=width, height=height, format="rgb24", src_colorspace=_MATRICES[self.matrix])
        pixels = rgb.to_ndarray()
        if self._turns:
            pixels = np.ascontiguousarray(np.rot90(pixels, self._turns))  # anticlockwise, as the file says it
        step = max(1, round(1 / (self.rate * self.time_base)))
        time = frame.pts if frame.pts is not None else (0 if self._last is None else self._last + step)
        if self._last is not None:
            time = max(time, self._last + 1)
        self._last = time
        return Frame(pixels, time)


class Writer:
    """A video of translated frames: H.264 in .mp4, .mov and .mkv, VP9 in .webm, MPEG-4 in .avi.

    All as 4:2:0 of 8 bits in the source's matrix and limited range. An odd side gets its last row or column twice,
    since 4:2:0 halves both. .avi knows no times: its frames are counted at the average rate.
    """

    def __init__(self, path: Path, like: Reader, quality: int | None, *, scale: int = 1) -> None:
        """`path` may be a name of the moment, with the suffix of the result. `quality` is 1 to 100; frames are `scale`
        times as large as the source's. Raises PictureError."""
        av = _pyav()
        self._failures: type[Exception] = av.FFmpegError
        self._new_frame = av.VideoFrame.from_ndarray
        self.path, self._like = path, like
        self._counted = path.suffix.lower() == ".avi"
        self._last = -1
        self._size = scale * like.width, scale * like.height
        self._container: OutputContainer = av.open(str(path), "w")
        try:
            self._open(_ENCODERS.get(path.suffix.lower(), "libx264"), quality)
        except BaseException:
            self.discard()
            raise

    def _open(self, encoder: str, quality: int | None) -> None:
        like = self._like
        added = self._container.add_stream(encoder, rate=like.rate, options=_options(encoder, quality))
        stream = cast("av.VideoStream", added)
        width, height = self._size
        stream.width, stream.height, stream.pix_fmt = width + width % 2, height + height % 2, "yuv420p"
        context = stream.codec_context
        context.time_base = 1 / like.rate if self._counted else like.time_base
        context.color_range = 1
        context.colorspace = like.matrix
        context.color_primaries, context.color_trc = like.tags
        if like.aspect:
            context.sample_aspect_ratio = like.aspect
        self._video = stream
        self._audio: dict[int, Any] = {}
        for sound in like.audio:
            name = sound.codec_context.name if sound.codec_context else "of an unknown codec"
            try:
                self._audio[sound.index] = self._container.add_stream_from_template(sound)
            except (self._failures, ValueError):
                raise _cannot_hold(like.path, name, self.path.suffix) from None
        self._container.metadata.update(
            {name: value for name, value in like.metadata.items() if name not in _OF_THE_FILE}
        )
        try:
            self._container.start_encoding()
        except self._failures as error:
            if like.audio:
                names = ", ".join(str(sound.codec_context.name) for sound in like.audio)
                raise _cannot_hold(like.path, names, self.path.suffix) from None
            raise PictureError(f"a {self.path.suffix} of {width} x {height}: {_reason(error)}") from None

    def add(self, items: Sequence["Frame | av.Packet"]) -> None:
        """Frames of the size of the result and packets of its sound, in their order. Raises PictureError."""
        with self._written():
            for item in items:
                if isinstance(item, Frame):
                    self._add_frame(item)
                else:
                    item.stream = self._audio[item.stream.index]
                    self._container.mux(item)

    def _add_frame(self, frame: Frame) -> None:
        pixels = images.with_channels(frame.pixels, 3)
        height, width = pixels.shape[:2]
        if height % 2 or width % 2:
            pixels = np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        made = self._new_frame(np.ascontiguousarray(pixels), "rgb24")
        made = made.reformat(format="yuv420p", dst_colorspace=_MATRICES[self._like.matrix], dst_color_range="MPEG")
        time_base = self._like.time_base
        if self._counted:
            self._last = max(self._last + 1, round(frame.time * time_base * self._like.rate))
            made.pts, made.time_base = self._last, 1 / self._like.rate
        else:
            made.pts, made.time_base = frame.time, time_base
        self._container.mux(self._video.encode(made))

    def finish(self) -> None:
        """Write what is left, and flush it to the disk. Raises PictureError."""
        with self._written():
            self._container.mux(self._video.encode(None))
            self._container.close()
            with self.path.open("rb+") as file:
                os.fsync(file.fileno())

    def discard(self) -> None:
        """Close and remove what is written so far."""
        with contextlib.suppress(self._failures):  # the disk is full, say, which was told already
            self._container.close()
        self.path.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _written(self) -> Iterator[None]:
        try:
            yield
        except (OSError, self._failures) as error:
            raise PictureError(f"{shown(self._like.path)}: its result cannot be written: {_reason(error)}") from None


_OF_THE_FILE = frozenset({"major_brand", "minor_version", "compatible_brands", "encoder"})
"""Metadata that says what wrote a file."""


def _options(encoder: str, quality: int | None) -> dict[str, str]:
    """1 to 100 as the encoder's own scale: crf 50 to 1 of H.264, whose 0 would be a profile that few players know."""
    crf = CRF if quality is None else max(1, round((100 - quality) / 2))
    match encoder:
        case "libvpx-vp9":
            return {"crf": str(round(crf * 63 / 51)), "b": "0", "row-mt": "1", "deadline": "good", "cpu-used": "4"}
        case "mpeg4":
            scale = str(max(1, round(crf / 6)))
            return {"qmin": scale, "qmax": scale}
        case _:
            return {"crf": str(crf)}


def _format(path: Path) -> str:
    """By its first bytes: ffmpeg would also follow a playlist, to other files and hosts."""
    try:
        with path.open("rb") as file:
            start = file.read(12)
    except OSError as error:
        raise _unreadable(path, error) from None
    if start[:4] == b"\x1aE\xdf\xa3":
        return "matroska"
    if start[:4] == b"RIFF" and start[8:12] == b"AVI ":
        return "avi"
    if start[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
        return "mov"
    raise _unreadable(path, "not a video in MP4, MOV, MKV, WebM or AVI format" if start else "the file is empty")


def _matrix(colorspace: int, height: int) -> int:
    """What a file says of its matrix; where it says nothing, what players take: BT.709 from 720 lines on."""
    return colorspace if colorspace in _MATRICES else _BT709 if height >= 720 else _BT601


def _cannot_hold(path: Path, codec: str, suffix: str) -> PictureError:
    return PictureError(f"{shown(path)}: its sound ({codec}) cannot lie in a {suffix} file; give the result as .mkv")


def _unreadable(path: Path, error: Exception | str) -> PictureError:
    return PictureError(
        f"{shown(path)}: cannot be read as a video: {error if isinstance(error, str) else _reason(error)}"
    )


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error).splitlines()[0]

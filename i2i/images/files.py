"""What is taken for a picture file, and how its damage is told."""

import os
import struct
import threading
import unicodedata
import warnings
import zlib
from typing import Any

import cv2
from PIL import Image, ImageCms

from i2i.errors import PictureError

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
"""What is taken for a picture in a folder, in lower case."""

# All that Pillow, zlib, struct and OpenCV raise over a damaged file.
DAMAGED = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    EOFError,
    RuntimeError,
    MemoryError,
    AttributeError,
    AssertionError,
    struct.error,
    zlib.error,
    cv2.error,
    ImageCms.PyCMSError,
)


def is_picture(name: str) -> bool:
    """Whether a file of that name is taken for a picture: a known suffix in any case, and not hidden."""
    return not name.startswith(".") and os.path.splitext(name)[1].lower() in SUFFIXES  # noqa: PTH122 (100,000 names)


def shown(path: object) -> str:
    """A path or name as one line of text that any terminal can print."""
    text = unicodedata.normalize("NFC", str(path))
    return text if text.isprintable() else ascii(text)[1:-1]


def unreadable(path: object, error: BaseException | str) -> PictureError:
    """The error of a file that cannot be read."""
    reason = error if isinstance(error, str) else getattr(error, "strerror", None) or str(error) or type(error).__name__
    return PictureError(f"{shown(path)}: cannot be read as a picture: {' '.join(str(reason).split())}")


class Quiet:
    """Keep Pillow's and OpenCV's warnings about a file from the user, and Pillow's size limit out of our way.

    These switches belong to the process, so they are counted: the first thread in sets them, the last one out puts
    them back.
    """

    _lock = threading.Lock()
    _inside = 0
    _restore: tuple[Any, ...] = ()

    def __enter__(self) -> None:
        log = cv2.utils.logging
        with Quiet._lock:
            if not Quiet._inside:
                caught = warnings.catch_warnings()
                caught.__enter__()
                warnings.filterwarnings("ignore", module=r"PIL\.")
                Quiet._restore = caught, Image.MAX_IMAGE_PIXELS, log.setLogLevel(log.LOG_LEVEL_SILENT)
                Image.MAX_IMAGE_PIXELS = None
            Quiet._inside += 1

    def __exit__(self, *_: object) -> None:
        with Quiet._lock:
            Quiet._inside -= 1
            if not Quiet._inside:
                caught, Image.MAX_IMAGE_PIXELS, level = Quiet._restore
                cv2.utils.logging.setLogLevel(level)
                caught.__exit__(None, None, None)

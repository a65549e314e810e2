"""Contact sheets: pictures in rows and named columns, as one picture."""

import functools
import math
import unicodedata
from collections.abc import Mapping, Sequence
from itertools import zip_longest

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from i2i import images
from i2i.images.pixels import Array

_PAPER = (22, 23, 26)
_NAME = (236, 236, 232)
_CAPTION = (152, 154, 160)
_MOST_ROWS = 8
_SPELLED = str.maketrans(
    {"ß": "ss", "æ": "ae", "Æ": "AE", "ø": "o", "Ø": "O", "œ": "oe", "Œ": "OE", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D"}
)
"""Letters of Latin scripts that Unicode does not take apart."""


def sheet(columns: Mapping[str, Sequence[Array]], *, captions: Sequence[str] = (), side: int = 256) -> Array:
    """Pictures side by side: a column for each name, a row for each position, a caption below each row.

    A picture's longer side is brought to at most `side`, its aspect kept. A smaller one is enlarged by the largest
    whole number that fits, pixel by pixel, so that it is seen as it is; one above half of `side` stays as it is. More
    than eight rows, and a single column, go on beside themselves, so that the sheet stays near a square.

    Shape: (H, W), (H, W, 1) or (H, W, 3) uint8, uint16 or float32 in [0, 1] -> (H, W, 3) uint8. Raises ValueError
    where there is no picture.
    """
    names = list(columns)
    rows = list(zip_longest(*([_fitted(picture, side) for picture in columns[name]] for name in names)))
    if not rows:
        raise ValueError("a contact sheet needs a picture")
    size = min(18, max(11, side // 14))
    gap, line = max(4, side // 32), size + max(4, size // 2)
    bands = 1 if len(names) > 1 and len(rows) <= _MOST_ROWS else max(1, round(math.sqrt(len(rows) / len(names))))
    in_band = math.ceil(len(rows) / bands)
    bands = math.ceil(len(rows) / in_band)

    name_widths = [min(math.ceil(_font(size).getlength(_drawable(name))), 120) for name in names]
    widths = [
        max([name_widths[i], *(row[i].shape[1] for row in rows if row[i] is not None)]) for i in range(len(names))
    ]
    heights = [
        max(
            (picture.shape[0] for row in rows[i::in_band] for picture in row if picture is not None),
            default=0,
        )
        for i in range(in_band)
    ]
    margin = 2 * gap
    caption = line + gap // 2 if captions else 0
    band_width = sum(widths) + gap * (len(widths) - 1)
    width = 2 * margin + bands * band_width + (bands - 1) * margin
    top = margin + line + gap // 2
    tops = [top + sum(heights[:i]) + i * (gap + caption) for i in range(in_band)]
    height = tops[-1] + heights[-1] + caption + margin

    paper = Image.new("RGB", (width, height), _PAPER)
    draw = ImageDraw.Draw(paper)
    for band in range(bands):
        left = margin + band * (band_width + margin)
        lefts = [left + sum(widths[:i]) + i * gap for i in range(len(widths))]
        # A single name says all of its columns.
        for x, name, room in zip(lefts, names, widths, strict=True) if band == 0 or len(names) > 1 else ():
            _write(draw, (x, margin + size), name, room, size, _NAME)
        for i, row in enumerate(rows[band * in_band : (band + 1) * in_band]):
            for x, picture in zip(lefts, row, strict=True):
                if picture is not None:
                    paper.paste(Image.fromarray(picture), (x, tops[i]))
            number = band * in_band + i
            if number < len(captions):
                below = tops[i] + heights[i] + size + max(1, size // 8)
                _write(draw, (left, below), captions[number], band_width, max(11, size - 3), _CAPTION)
    return np.asarray(paper).copy()


def as_rgb(picture: Array) -> Array:
    """A picture of any kind that i2i knows as (H, W, 3) uint8; what is beyond three channels is cut off."""
    pixels = picture[:, :, None] if picture.ndim == 2 else picture
    pixels = pixels[:, :, :1] if pixels.shape[2] == 2 else pixels[:, :, :3]
    return images.with_channels(images.to_depth(pixels, np.uint8), 3)


def within(picture: Array, side: int) -> Array:
    """The picture, shrunk where its longer side is more than `side`."""
    height, width = picture.shape[:2]
    longer = max(height, width)
    if longer <= side:
        return picture
    size = max(1, round(height * side / longer)), max(1, round(width * side / longer))
    return images.resize(picture, size)


def _fitted(picture: Array, side: int) -> Array:
    fitted = within(as_rgb(picture), side)
    times = side // max(fitted.shape[:2])
    return np.ascontiguousarray(fitted.repeat(times, axis=0).repeat(times, axis=1) if times > 1 else fitted)


@functools.cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _write(draw: ImageDraw.ImageDraw, at: tuple[int, int], text: str, room: int, size: int, color: tuple[int, ...]):
    """One line of text, its baseline at `at`; what does not fit is left out of its middle."""
    font = _font(size)
    text = _drawable(text)
    kept = len(text)
    shortened = text
    while kept > 1 and font.getlength(shortened) > room:
        kept -= 1
        shortened = text[: kept - kept // 2] + "..." + text[len(text) - kept // 2 :]
    if font.getlength(shortened) <= room:
        draw.text((at[0], at[1]), shortened, fill=color, font=font, anchor="ls")


def _drawable(text: str) -> str:
    """The text in what Pillow's own font can draw: accents dropped, a stretch of other scripts as an ellipsis."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.translate(_SPELLED)) if not unicodedata.combining(c))
    drawn: list[str] = []
    for character in plain:
        if " " <= character <= "~":
            drawn.append(character)
        elif drawn[-1:] != ["..."]:
            drawn.append("...")
    return "".join(drawn)

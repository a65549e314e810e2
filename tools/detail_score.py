"""Score how large pictures come back from a small translation, on day2night, whose true night is known at any size.

    python tools/detail_score.py [MODEL ...] [--size 1024] [--scale 256]

Held-out streets are drawn at --size, translated with their short side at --scale, and enlarged again: plain (bicubic)
and guided by the day, as `i2i translate --detail guided` does. Everything is compared with the true night at --size.

"true night" is the night itself, shrunk to --scale and enlarged: what a perfect translator would get, so the enlarging
alone. The MODELs, translators of day2night, follow. "luminance" is guided by the day's luminance only, "OpenCV" is
cv2.ximgproc.guidedFilter after plain enlarging, where the OpenCV at hand has it (only contrib builds do).

PSNR and SSIM are means over the pictures. "worst" is the least that a picture gains in PSNR over plain. "light" is how
far the enlarged picture, shrunk to --scale, is from the translation, in levels of 255: light of the day that came back.

--noise and --jpeg spoil the day as cameras do. --pictures FOLDER writes crops: day, true night, and every method's.

Exit code 0: scored; 2: a model cannot be loaded, or the sizes cannot be drawn.
"""

import argparse
import io
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import picture_scores as ps
from picture_scores import Array, Scores
from PIL import Image

from i2i import images
from i2i.data.day2night import draw, scene
from i2i.errors import SettingsError, UserError
from i2i.evaluation import compare
from i2i.images.detail import guided
from i2i.translator import Translator

FORMATS = {"psnr": ".2f", "ssim": ".4f", "worst": "+.2f", "light": ".2f"}
CROP = 4
"""Crops are this part of the side, where the day has most edges."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Score and print; the exit code."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("models", type=Path, nargs="*", metavar="MODEL")
    add("--size", type=int, default=1024, help="side of the pictures (1024)")
    add("--scale", type=int, default=256, help="side at which they are translated (256)")
    add("--streets", type=int, default=8, help="how many (8)")
    add("--seed", type=int, default=0, help="the seed of the set whose test split is drawn (0)")
    add("--noise", type=float, default=0, help="deviation of the day's noise in levels of 255 (0)")
    add("--jpeg", type=int, default=0, help="quality at which the day is compressed (0: it is not)")
    add("--pictures", type=Path, metavar="FOLDER", help="write crops here")
    add("--json", type=Path, metavar="FILE", help="write the scores here too")
    chosen = parser.parse_args(arguments)
    try:
        _score(chosen)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _score(chosen: argparse.Namespace) -> None:
    if not 8 <= chosen.scale < chosen.size or chosen.streets < 1:
        raise SettingsError(
            f"--scale {chosen.scale}, --size {chosen.size}, --streets {chosen.streets}: wanted one street or more, and "
            "a scale of 8 or more that is below the size."
        )
    models = ps.titles(chosen.models) if chosen.models else {}
    translators = {title: Translator.load(path, fit=chosen.scale) for title, path in models.items()}
    scores: dict[str, list[Scores]] = {}
    for number in range(chosen.streets):
        day, night = draw(scene(chosen.seed, "test", number), (chosen.size, chosen.size))
        day = spoiled(day, chosen.noise, chosen.jpeg, number)
        small = images.resize(day, (chosen.scale, chosen.scale))
        results = {"true night": images.resize(night, (chosen.scale, chosen.scale))}
        results |= {title: made.translate_prepared([small])[0] for title, made in translators.items()}
        crops = [day, night]
        for title, result in results.items():
            plain = 0.0
            for method, large in enlarged(result, small, day):
                found = compare(large, night)
                plain = found["psnr"] if method == "plain" else plain
                shrunk = images.resize(large, (chosen.scale, chosen.scale)).astype(np.float64)
                light = float(np.abs(shrunk - result).mean())
                score = {"psnr": found["psnr"], "ssim": found["ssim"], "worst": found["psnr"] - plain, "light": light}
                scores.setdefault(f"{title}, {method}", []).append(score)
                crops += [large] if method in ("plain", "guided") else []
        if chosen.pictures is not None:
            chosen.pictures.mkdir(parents=True, exist_ok=True)
            at = _busiest(day)
            images.write(chosen.pictures / f"{number:04d}.png", np.concatenate([crop[at] for crop in crops], axis=1))
    means = {name: ps.mean(rows) | {"worst": min(row["worst"] for row in rows)} for name, rows in scores.items()}
    print(ps.table(means, FORMATS))
    print(f"\n{chosen.streets} held-out streets at {chosen.size} x {chosen.size}, translated at {chosen.scale}")
    ps.leave(chosen.json, {"scores": means, **{key: getattr(chosen, key) for key in ("size", "scale", "streets")}})


def enlarged(result: Array, small: Array, large: Array) -> Iterator[tuple[str, Array]]:
    """A small result at the size of its source by every method. Shape: (h, w, 3), (h, w, 3), (H, W, 3) uint8."""
    plain = images.resize(result, (large.shape[0], large.shape[1]))
    yield "plain", plain
    yield "guided", guided(result, small, large)
    yield "luminance", guided(result, images.with_channels(small, 1), large)
    if hasattr(cv2, "ximgproc"):
        guide, values = (images.to_depth(part, np.float32) for part in (large, plain))
        reach = round(2 * large.shape[0] / small.shape[0])
        filtered = cv2.ximgproc.guidedFilter(guide, values, reach, 1e-3)  # pyright: ignore[reportAttributeAccessIssue]
        yield "OpenCV", images.to_depth(filtered, np.uint8)


def spoiled(day: Array, noise: float, jpeg: int, seed: int) -> Array:
    """The day with Gaussian noise, then compressed. Shape: (H, W, 3) uint8 -> the same."""
    if noise:
        drawn = np.random.default_rng(seed).normal(0, noise, day.shape)
        day = np.rint(np.clip(day + drawn, 0, 255)).astype(np.uint8)
    if jpeg:
        coded = io.BytesIO()
        Image.fromarray(day).save(coded, "JPEG", quality=jpeg)
        day = np.array(Image.open(coded))
    return day


def _busiest(day: Array) -> tuple[slice, slice]:
    """The crop, on a grid, whose luminance changes most."""
    side = day.shape[0] // CROP
    light = ps.luminance(day)
    places = [
        (slice(i * side, (i + 1) * side), slice(j * side, (j + 1) * side)) for i in range(CROP) for j in range(CROP)
    ]
    return max(places, key=lambda at: float(np.abs(np.diff(light[at], axis=1)).sum()))


if __name__ == "__main__":
    sys.exit(main())

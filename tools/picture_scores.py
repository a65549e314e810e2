"""What the scoring commands share: measures of pictures, files found by the name of what they translate, tables."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from i2i import images
from i2i.data.translations import translations
from i2i.evaluation.label_colours import fitted
from i2i.evaluation.spectrum import STRIDES, Spectrum, grid, luminance

__all__ = ["STRIDES", "Spectrum", "fitted", "grid", "luminance", "translations"]  # from the package, for the commands

Array = np.ndarray[Any, Any]
Scores = dict[str, float]

LIGHTS = 0.01
"""Share of a picture that counts as its lights."""
STRUCTURE_RANGE = 8.0
"""The dynamic range (SSIM's L) of luminance in standard deviations: four to either side of the mean."""


def read(path: Path, size: int) -> Array:
    """A picture as it is compared. Shape: (size, size, 3) uint8."""
    return fitted(images.read(path), size)


def sharpness(pixels: Array) -> float:
    """The mean gradient magnitude of luminance, by differences of neighbours."""
    light = luminance(pixels)
    across, down = np.diff(light, axis=1)[:-1], np.diff(light, axis=0)[:, :-1]
    return float(np.hypot(across, down).mean())


def structure(one: Array, two: Array) -> float:
    """Whether the same things are at the same places, whatever the light: 1 for equal pictures.

    SSIM without its comparison of means (Wang et al. 2004: contrast times structure, C3 = C2 / 2) of luminance in
    standard deviations of its picture, so that neither a gain nor an offset changes it. Gaussian neighbourhoods of
    sigma = side / 32; C2 = (0.03 L)^2 with L = 8 deviations, so that noise in a dark sky is no structure.
    Shape: (H, W, 3) uint8 twice.
    """
    x, y = _standardised(one), _standardised(two)
    sigma = one.shape[0] / 32

    def mean(values: Array) -> Array:
        return cv2.GaussianBlur(values, (0, 0), sigma)

    covariance = mean(x * y) - mean(x) * mean(y)
    variances = mean(x * x) - mean(x) ** 2 + mean(y * y) - mean(y) ** 2
    c2 = (0.03 * STRUCTURE_RANGE) ** 2
    return float(((2 * covariance + c2) / (variances + c2)).mean())


def _standardised(pixels: Array) -> Array:
    light = luminance(pixels)
    deviation = light.std()
    return (light - light.mean()) / deviation if deviation > 0 else np.zeros_like(light)


def lights(pixels: Array) -> Array:
    """Where the brightest 1% is, exactly so many pixels; of equal ones the upper left. Shape: (H, W, 3) -> (H, W) bool.

    A flat picture has no lights.
    """
    light = luminance(pixels)
    mask = np.zeros(light.size, bool)
    if np.ptp(light) > 0:
        mask[np.argsort(-light.ravel(), kind="stable")[: max(1, round(light.size * LIGHTS))]] = True
    return mask.reshape(light.shape)


def lights_f1(one: Array, two: Array) -> float:
    """F1 of the lights of two pictures; a light is found where the other has one within 1/32 of the side, either way.

    Shape: (H, W, 3) uint8 twice.
    """
    mine, truth = lights(one), lights(two)
    if not mine.any() or not truth.any():
        return 0.0
    reach = np.ones((2 * (one.shape[0] // 32) + 1,) * 2, np.uint8)
    precision = float(_grown(truth, reach)[mine].mean())
    recall = float(_grown(mine, reach)[truth].mean())
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _grown(mask: Array, reach: Array) -> Array:
    return cv2.dilate(mask.astype(np.uint8), reach).astype(bool)


def mean(scores: Sequence[Mapping[str, float]]) -> Scores:
    """The mean, score by score."""
    return {name: float(np.mean([score[name] for score in scores])) for name in scores[0]}


def titles(folders: Iterable[Path]) -> dict[str, Path]:
    """Folders by the shortest end of their paths that tells them apart."""
    paths = [folder.resolve() for folder in folders]
    for depth in range(1, max(len(path.parts) for path in paths) + 1):
        named = {"/".join(path.parts[-depth:]): path for path in paths}
        if len(named) == len(set(paths)):
            return named
    raise AssertionError("paths that differ have ends that differ")


def table(rows: Mapping[str, Mapping[str, float]], formats: Mapping[str, str]) -> str:
    """Rows of scores as text; what a row does not have is left empty. `formats` names the columns, as in `.3f`."""
    cells = [["", *formats]]
    for name, scores in rows.items():
        cells.append([name, *(f"{scores[key]:{form}}" if key in scores else "" for key, form in formats.items())])
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    lines = [
        "  ".join(cell.ljust(width) if not column else cell.rjust(width) for column, (cell, width) in enumerate(parts))
        for parts in (list(zip(row, widths, strict=True)) for row in cells)
    ]
    return "\n".join(line.rstrip() for line in lines)


def leave(path: Path | None, content: Mapping[str, Any]) -> None:
    """Write the scores as JSON, if asked for."""
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

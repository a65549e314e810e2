"""How steady a translator's frames are: python tools/measure_flicker.py MODEL [--size 128] [--frames 24].

Draws a still street by day with the small noise of a sensor and a lit van that drives through, and prints by how much
the frames differ from one to the next where nothing moves, in levels of 255: of the input, and of the output with every
frame's own statistics and with shared ones. What a picture-wide statistic adds is what is left without noise.
"""

import argparse
from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np

from i2i import Translator
from i2i.data import day2night

NOISE = 2.0
"""Standard deviation, in levels of 255: a phone's by day."""


def sequence(size: int, frames: int, noise: float, seed: int = 7) -> tuple[list[np.ndarray], np.ndarray]:
    """Frames (size, size, 3) float32 in [0, 1], and where nothing moves, (size, size) bool."""
    street = day2night.draw(seed, (size, size))[0]
    draw = np.random.default_rng(seed)
    height, width = size // 10, size // 5
    top = size - height - size // 16
    still = np.ones((size, size), bool)
    still[top - size // 8 :] = False  # and what lies near enough to be repainted with it
    made: list[np.ndarray] = []
    for frame in range(frames):
        picture = street.copy()
        left = round((size + width) * frame / max(1, frames - 1)) - width
        cv2.rectangle(picture, (left, top), (left + width, top + height), (250, 250, 240), -1)
        grain = draw.normal(0, noise, picture.shape)
        made.append(np.clip(np.rint(picture + grain), 0, 255).astype(np.float32) / np.float32(255))
    return made, still


def flicker(frames: Sequence[np.ndarray], where: np.ndarray) -> float:
    """Mean absolute difference of consecutive frames, in levels of 255."""
    return 255 * float(np.mean([np.abs(one - two)[where].mean() for one, two in pairwise(frames)]))


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("--size", type=int, default=128, help="side of the street, in pixels")
    parser.add_argument("--frames", type=int, default=24)
    asked = parser.parse_args(argv)
    print(f"{'':<16}{'input':>8}{'own':>8}{'shared':>8}")
    for name, noise in (("with noise", NOISE), ("without", 0.0)):
        frames, still = sequence(asked.size, asked.frames, noise)
        row = [flicker(frames, still)]
        for steady in (False, True):
            translator = Translator.load(asked.model, precision="fp32", steady=steady)
            row.append(flicker(translator(frames), still))
        print(f"{name:<16}" + "".join(f"{value:8.3f}" for value in row))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

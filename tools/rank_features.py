"""Show that the features rank pictures by how bad they are.

    python tools/rank_features.py REAL OTHER [--size 128] [--half A|B] [--most 200] [--own DATA | --weights FILE...]

REAL is a folder of real pictures, OTHER one of another domain; with --half they are pairs side by side, and that half
is real and the other one is other. Half of the real pictures are compared with the other half, made worse on purpose,
at --size x --size: blur of some pixels, noise of some of the range, tiles in another order, a share of another domain's
picture in each, and few different pictures. --own trains features on the train split of DATA, which should not hold
REAL; --weights takes those of a network that you have.

Exit code 0: ranked; 2: something was not there to rank.
"""

import argparse
import itertools
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import picture_scores as ps
from picture_scores import Array

from i2i import images
from i2i.data.folders import find_pictures
from i2i.data.listing import spread
from i2i.errors import DatasetError, UserError
from i2i.evaluation import Features, own_features_for, random_features, read_weights
from i2i.evaluation.frechet import frechet
from i2i.evaluation.kid import kid
from i2i.evaluation.lots import represented
from i2i.evaluation.manifold import Manifold, manifold


def main(arguments: Sequence[str] | None = None) -> int:
    """Rank and print; the exit code."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("real", type=Path, metavar="REAL")
    add("other", type=Path, metavar="OTHER")
    add("--size", type=int, default=128, help="side at which everything is compared (128)")
    add("--half", choices=("A", "B"), help="the real half of pictures side by side")
    add("--most", type=int, default=200, help="pictures that are looked at (200)")
    add("--own", type=Path, metavar="DATA", help="rank features that are trained on its train split")
    add("--weights", type=Path, nargs="+", default=(), metavar="FILE", help="rank features of these networks")
    chosen = parser.parse_args(arguments)
    try:
        _rank(chosen)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _rank(chosen: argparse.Namespace) -> None:
    halves = {None: (None, None), "A": (0, 1), "B": (1, 0)}[chosen.half]
    real, other = (
        [_read(path, chosen.size, half) for path in spread(find_pictures(folder).pictures, chosen.most)]
        for folder, half in zip((chosen.real, chosen.other), halves, strict=True)
    )
    if min(len(real) // 2, len(other)) < 10:
        raise DatasetError(f"{chosen.real} and {chosen.other}: 20 and 10 pictures are needed, not fewer.")
    for features in _features(chosen):
        _rank_with(features, real, other, chosen.size)


def _features(chosen: argparse.Namespace) -> Sequence[Features]:
    if chosen.own:
        own = own_features_for(chosen.own, "test", asked="own")
        return [own] if own else []
    return read_weights(chosen.weights).features if chosen.weights else [random_features(chosen.size)]


def _rank_with(features: Features, real: Sequence[Array], other: Sequence[Array], size: int) -> None:
    order = np.random.default_rng(0).permutation(len(real))
    first, second = ([real[at] for at in part] for part in (order[::2], order[1::2]))
    reference = represented(features, first)
    scores = {}
    for name, pictures in _worse(second, other[: len(second)]).items():
        found = represented(features, pictures)
        distance, shares = kid(reference, found), manifold(reference, found)
        scores[name] = {"kid": distance.value, "error": distance.error, "fid": frechet(reference, found)}
        scores[name] |= shares._asdict()
    print(ps.table(scores, dict.fromkeys(("kid", "error"), ".4f") | dict.fromkeys(("fid", *Manifold._fields), ".2f")))
    print(f"\n{len(first)} pictures on either side, {size} x {size}, {features.name} {features.hash[:16]}")


def _read(path: Path, size: int, half: int | None) -> Array:
    pixels = images.read(path)
    if half is not None:
        middle = pixels.shape[1] // 2
        pixels = pixels[:, middle:] if half else pixels[:, :middle]
    return ps.fitted(pixels, size)


def _worse(real: Sequence[Array], other: Sequence[Array]) -> dict[str, list[Array]]:
    draw = np.random.default_rng(1)
    made = {"other real pictures": list(real)}
    for sigma in (0.7, 1.5, 3.0):
        made[f"blur {sigma}"] = [cv2.GaussianBlur(one, (0, 0), sigma) for one in real]
    for sigma in (0.03, 0.08, 0.2):
        noisy = [one + draw.normal(0, 255 * sigma, one.shape) for one in real]
        made[f"noise {sigma}"] = [np.clip(np.rint(one), 0, 255).astype(np.uint8) for one in noisy]
    made["brightness x 0.7"] = [np.rint(one * 0.7).astype(np.uint8) for one in real]
    for tiles in (2, 4):
        made[f"{tiles} x {tiles} tiles shuffled"] = [_shuffled(one, tiles, draw) for one in real]
    for share in (0.25, 0.5):
        mixed = [(1 - share) * one + share * two for one, two in zip(real, itertools.cycle(other), strict=False)]
        made[f"{share:.0%} of the other domain"] = [np.rint(one).astype(np.uint8) for one in mixed]
    for count in (15, 3):
        made[f"{count} different ones"] = [real[at % count] for at in range(len(real))]
    return made | {"the other domain": list(other)}


def _shuffled(picture: Array, tiles: int, draw: np.random.Generator) -> Array:
    """In tiles x tiles parts; what does not fit into them is left where it was."""
    height, width = (size // tiles for size in picture.shape[:2])
    places = [(y * height, x * width) for y in range(tiles) for x in range(tiles)]
    made = picture.copy()
    for (y, x), at in zip(places, draw.permutation(len(places)), strict=True):
        v, u = places[at]
        made[y : y + height, x : x + width] = picture[v : v + height, u : u + width]
    return made


if __name__ == "__main__":
    sys.exit(main())

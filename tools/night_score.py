"""Score translated day pictures against real nights of the same, unmoving camera.

    python tools/night_score.py DATA PICTURES [PICTURES ...]

DATA has testA (days) and testB (nights); a name up to its first `_` is the camera: cam800x591_20151102_061415.jpg.
PICTURES are folders with one translation of every test day, named like it: cam800x591_20151102_061415_fake.png.

Everything is compared at --size x --size with --nights nights of the day's own camera, evenly from all of them. PSNR
and SSIM are those of the night that is nearest by PSNR. What does not depend on how dark a night is may be that of any
of these nights, the best: structure, SSIM without its comparison of means, of luminance with the picture's mean and
deviation taken out; lights, F1 of exactly the brightest 1%, found within 1/32 of the side, 0 for a flat picture.

Floors: the input; the input times 0.15, since a translator that only darkens does well on PSNR; the mean night of the
test split's other cameras and one of their nights; the mean night of trainB. Ceiling: another night of that camera.

Exit code 0: scored; 2: something was not there to score.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import picture_scores as ps
from picture_scores import Array, Scores

from i2i.data.folders import find_domains
from i2i.data.listing import spread, stem
from i2i.errors import DatasetError, UserError
from i2i.evaluation import compare

DARKENED = 0.15
FORMATS = {"psnr": ".2f", "ssim": ".3f", "structure": ".3f", "lights": ".3f"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Score and print; the exit code."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("data", type=Path, metavar="DATA")
    add("pictures", type=Path, nargs="+", metavar="PICTURES")
    add("--size", type=int, default=128, help="side at which everything is compared (128)")
    add("--nights", type=int, default=5, help="nights of its camera that a picture is compared with (5)")
    add("--split", default="test", help="what PICTURES were made from (test)")
    add("--json", type=Path, metavar="FILE", help="write the scores here too")
    chosen = parser.parse_args(arguments)
    try:
        _score(chosen)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _score(chosen: argparse.Namespace) -> None:
    folders = ps.titles(chosen.pictures)
    found = find_domains(chosen.data, chosen.split)
    days = {stem(path.name): path for path in found.x}
    made = {title: ps.translations(folder, list(days)) for title, folder in folders.items()}
    nights: dict[str, list[Array]] = {}
    for path in found.y:
        nights.setdefault(camera(path.name), []).append(ps.read(path, chosen.size))
    without = sorted({camera(name) for name in days} - set(nights))
    if without:
        raise DatasetError(
            f"{found.place}: {', '.join(without)} has days but no nights to compare with. A picture's name up to its "
            "first _ is its camera. Remove these days or add nights."
        )
    cameras = [camera(name) for name in days]
    candidates = {
        title: [ps.read(files[name], chosen.size) for name in days] for title, files in made.items()
    } | _floors([ps.read(path, chosen.size) for path in days.values()], cameras, nights)
    trained_on = [ps.read(path, chosen.size) for path in find_domains(chosen.data, "train").y]
    candidates["mean night of trainB"] = [_mean(trained_on)] * len(days)
    scores = {
        name: ps.mean(
            [against(one, spread(nights[own], chosen.nights)) for one, own in zip(pictures, cameras, strict=True)]
        )
        for name, pictures in candidates.items()
    }
    scores |= _ceiling(cameras, nights, chosen.nights)
    print(ps.table(scores, FORMATS))
    print(
        f"\n{len(days)} days of {len(nights)} cameras of {chosen.data.name}/{chosen.split}, "
        f"{chosen.size} x {chosen.size}, up to {chosen.nights} nights of the same camera each"
    )
    ps.leave(chosen.json, {"scores": scores, "pictures": len(days), "cameras": sorted(nights), "size": chosen.size})


def camera(name: str) -> str:
    """The camera that took a picture: its name up to the first _."""
    return name.split("_", 1)[0]


def against(picture: Array, nights: Sequence[Array]) -> Scores:
    """A picture against nights of its camera. Shape: (size, size, 3) uint8 each."""
    nearest = max((compare(picture, night) for night in nights), key=lambda scores: scores["psnr"])
    return {
        "psnr": nearest["psnr"],
        "ssim": nearest["ssim"],
        "structure": max(ps.structure(picture, night) for night in nights),
        "lights": max(ps.lights_f1(picture, night) for night in nights),
    }


def _floors(days: Sequence[Array], cameras: Sequence[str], nights: Mapping[str, list[Array]]) -> dict[str, list[Array]]:
    floors = {
        "input": list(days),
        f"input x {DARKENED}": [np.rint(day * DARKENED).astype(np.uint8) for day in days],
    }
    if len(nights) > 1:
        others = {own: [night for name in nights if name != own for night in nights[name]] for own in nights}
        means = {own: _mean(theirs) for own, theirs in others.items()}
        floors["mean night, other cameras"] = [means[own] for own in cameras]
        floors["a night, other cameras"] = [others[own][turn % len(others[own])] for turn, own in enumerate(cameras)]
    return floors


def _ceiling(cameras: Sequence[str], nights: Mapping[str, list[Array]], count: int) -> dict[str, Scores]:
    """For every day another night of its camera, as if it were a translation; never against itself."""
    scores = []
    for turn, own in enumerate(cameras):
        of_camera = nights[own]
        if len(of_camera) > 1:
            index = turn % len(of_camera)
            scores.append(against(of_camera[index], spread(of_camera[:index] + of_camera[index + 1 :], count)))
    return {"another night, same camera": ps.mean(scores)} if scores else {}


def _mean(pictures: Sequence[Array]) -> Array:
    return np.rint(np.mean(np.stack(pictures), axis=0, dtype=np.float64)).astype(np.uint8)


if __name__ == "__main__":
    sys.exit(main())

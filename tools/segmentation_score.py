"""Score translated pictures by what a segmenter, trained on real photos alone, recognises in them (pix2pix, Sec. 4.1).

    python tools/segmentation_score.py DATA PICTURES [PICTURES ...] --direction BtoA --cache FILE.safetensors

DATA holds pairs of photos and label maps; direction BtoA means that B is the label map and A the photo. PICTURES are
folders with one translation of every label map of the split, named like it: 12.png or 12_fake_B.png.

Classes are the colours of the training label maps by k-means: a label map is brought to --size by the nearest pixel
and its pixels to the nearest of --classes centres, so that JPEG smear makes no classes of its own. The segmenter is a
small U-Net that sees the training photos with their classes and no translation; real photos of the split are its
ceiling. The same seed gives the same classes and, on the same machine and number of threads, the same segmenter.

`i2i evaluate MODEL DATA --segmentation` says the same of a model; this is for pictures that another program made.

Beside it: L1 of 255, PSNR and SSIM to the real photo; sharp, the mean gradient of luminance as a share of the real
photos'; grid, how much more than in the real photos the harmonics of 2, 4 and 8 pixels stand out (above 2: a grid
shows).

Exit code 0: scored; 2: something was not there to score.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import picture_scores as ps
from picture_scores import Array, Scores, Spectrum

from i2i.data.folders import Pair, find_pairs
from i2i.data.listing import spread
from i2i.errors import SettingsError, UserError
from i2i.evaluation import compare
from i2i.evaluation.label_colours import classes_of, fitted
from i2i.evaluation.segmentation import confusion, segmentation_scores
from i2i.evaluation.segmenter import PICTURES, SegmenterSettings, label_and_photo, segmenters_for

FORMATS = {
    "pixel": ".3f",
    "class": ".3f",
    "iou": ".3f",
    "l1": ".1f",
    "psnr": ".2f",
    "ssim": ".3f",
    "sharp": ".2f",
    "grid": ".2f",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Score and print; the exit code."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    try:
        if chosen.size % 32 or chosen.size < 32:
            raise SettingsError(f"--size {chosen.size}: the segmenter takes multiples of 32, as in --size 128.")
        _score(chosen)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("data", type=Path, metavar="DATA")
    add("pictures", type=Path, nargs="+", metavar="PICTURES")
    add("--direction", choices=("AtoB", "BtoA"), default="BtoA", help="from labels to photos (BtoA)")
    add("--size", type=int, default=128, help="side at which everything is compared (128)")
    add("--split", default="val", help="what PICTURES were made from (val)")
    add("--classes", type=int, default=12, help="label colours (12)")
    add("--seeds", type=int, default=1, help="segmenters to train and average over (1)")
    add("--epochs", type=int, default=25, help="passes over the training photos (25)")
    add("--width", type=int, default=24, help="channels of the segmenter's first layer (24)")
    add("--cache", type=Path, metavar="FILE.safetensors", help="keep the segmenters here, or take them from here")
    add("--json", type=Path, metavar="FILE", help="write the scores here too")
    return parser


def _score(chosen: argparse.Namespace) -> None:
    folders = ps.titles(chosen.pictures)
    pairs = find_pairs(chosen.data, chosen.split).pairs
    made = {title: ps.translations(folder, [pair.name for pair in pairs]) for title, folder in folders.items()}
    settings = [
        SegmenterSettings(chosen.size, chosen.classes, chosen.direction, seed, chosen.epochs, chosen.width)
        for seed in range(chosen.seeds)
    ]
    training = spread(find_pairs(chosen.data, "train").pairs, PICTURES)
    segmenters = segmenters_for(training, settings, chosen.cache, _told)

    labels, photos = zip(*label_and_photo(pairs, chosen.direction), strict=True)
    photos = [fitted(photo, chosen.size) for photo in photos]
    truth = [classes_of(label, segmenters[0].centres, chosen.size) for label in labels]
    rows = {title: [ps.read(files[pair.name], chosen.size) for pair in pairs] for title, files in made.items()} | {
        "real photos": photos,
        "mean training photo": [_mean_photo(training, chosen.direction, chosen.size)] * len(pairs),
        "the label map itself": [fitted(label, chosen.size) for label in labels],
    }
    scores = {name: score(pictures, photos, truth, segmenters) for name, pictures in rows.items()}
    for same in ("l1", "psnr", "ssim"):  # a photo is no distance from itself
        del scores["real photos"][same]
    deviations = {"+-": ".3f"} if chosen.seeds > 1 else {}
    print(ps.table(scores, FORMATS | deviations))
    print(
        f"\n{len(pairs)} pairs of {chosen.data.name}/{chosen.split}, {chosen.size} x {chosen.size}, direction "
        f"{chosen.direction}, {chosen.classes} classes, {chosen.seeds} segmenter{'s' * (chosen.seeds > 1)}"
        + (", +- is the deviation of iou over them" if deviations else "")
    )
    about = {"pictures": len(pairs), "split": chosen.split, "segmenters": [asdict(one) for one in settings]}
    ps.leave(chosen.json, {"scores": scores} | about)


def score(
    pictures: Sequence[Array],
    photos: Sequence[Array],
    truth: Sequence[Array],
    segmenters: Sequence[Callable[[Sequence[Array]], Array]],
) -> Scores:
    """Every score of a set of pictures, the mean over segmenters; `truth` holds the classes that each should show."""
    spectrum, real = Spectrum(photos[0].shape[0]), Spectrum(photos[0].shape[0])
    for picture, photo in zip(pictures, photos, strict=True):
        spectrum.add(picture)
        real.add(photo)
    recognised = [_recognised(pictures, truth, segmenter) for segmenter in segmenters]
    sharpness = [float(np.mean([ps.sharpness(one) for one in several])) for several in (pictures, photos)]
    return {
        **ps.mean(recognised),
        **ps.mean([compare(picture, photo) for picture, photo in zip(pictures, photos, strict=True)]),
        "sharp": sharpness[0] / max(sharpness[1], 1e-9),
        "grid": ps.grid(spectrum, real),
        "+-": float(np.std([one["iou"] for one in recognised])),
    }


def _recognised(
    pictures: Sequence[Array], truth: Sequence[Array], segmenter: Callable[[Sequence[Array]], Array]
) -> Scores:
    found = np.concatenate([segmenter(pictures[start : start + 10]) for start in range(0, len(pictures), 10)])
    wanted = np.stack(truth)
    return segmentation_scores(confusion(found, wanted, 1 + max(int(found.max()), int(wanted.max()))))


def _told(done: int, total: int) -> None:
    if sys.stderr.isatty() and (done % 20 == 0 or done == total):
        print(f"\rsegmenter: batch {done} of {total}", end="\n" if done == total else "", file=sys.stderr)


def _mean_photo(pairs: Sequence[Pair], direction: str, size: int) -> Array:
    total = np.zeros((size, size, 3))
    for _, photo in label_and_photo(pairs, direction):
        total += fitted(photo, size)
    return np.rint(total / len(pairs)).astype(np.uint8)


if __name__ == "__main__":
    sys.exit(main())

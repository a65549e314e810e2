"""Score translated pictures by what a segmenter, trained on real photos alone, recognises in them (pix2pix, Sec. 4.1).

    python tools/segmentation_score.py DATA PICTURES [PICTURES ...] --direction BtoA --cache FILE.safetensors

DATA holds pairs of photos and label maps; direction BtoA means that B is the label map and A the photo. PICTURES are
folders with one translation of every label map of the split, named like it: 12.png or 12_fake_B.png.

Classes are the colours of the training label maps by k-means: a label map is brought to --size by the nearest pixel
and its pixels to the nearest of --classes centres, so that JPEG smear makes no classes of its own. The segmenter is a
small U-Net that sees the training photos with their classes and no translation; real photos of the split are its
ceiling. The same seed gives the same classes and, on the same machine and number of threads, the same segmenter.

Beside it: L1 of 255, PSNR and SSIM to the real photo; sharp, the mean gradient of luminance as a share of the real
photos'; grid, how much more than in the real photos the harmonics of 2, 4 and 8 pixels stand out (above 2: a grid
shows).

Exit code 0: scored; 2: something was not there to score.
"""

import argparse
import hashlib
import json
import math
import random
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import picture_scores as ps
import torch
from picture_scores import Array, Scores, Spectrum
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from i2i import images
from i2i.data.folders import Pair, find_pairs
from i2i.data.listing import spread
from i2i.data.paired import read_pair
from i2i.errors import DatasetError, ModelFileError, SettingsError, UserError
from i2i.evaluation import compare

PICTURES = 2000
"""Training pairs, at most: evenly from all of them."""
COLOUR_PIXELS = 200_000
"""Label pixels, at most, that k-means sees."""
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


@dataclass(frozen=True, slots=True)
class Settings:
    """All that makes a segmenter the one it is."""

    size: int
    classes: int
    direction: str
    seed: int
    epochs: int
    width: int
    batch: int = 8
    rate: float = 2e-3
    smallest_crop: float = 0.75
    version: int = 1

    def checksum(self, data: str) -> str:
        """Of these settings and of the pictures trained on."""
        text = json.dumps(asdict(self) | {"data": data}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Segmenter:
    """A trained network and the colours of its classes."""

    network: nn.Module
    centres: Array
    """(classes, 3) float32 RGB, most frequent first."""

    @torch.no_grad()
    def __call__(self, pictures: Sequence[Array]) -> Array:
        """The class of every pixel. Shape: N times (size, size, 3) uint8 -> (N, size, size)."""
        return self.network(images.to_network(np.stack(pictures))).argmax(1).numpy()


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
        Settings(chosen.size, chosen.classes, chosen.direction, seed, chosen.epochs, chosen.width)
        for seed in range(chosen.seeds)
    ]
    training = spread(find_pairs(chosen.data, "train").pairs, PICTURES)
    segmenters = segmenters_for(training, settings, chosen.cache)

    labels, photos = zip(*both(pairs, chosen.direction), strict=True)
    photos = [ps.fitted(photo, chosen.size) for photo in photos]
    truth = [classes_of(label, segmenters[0].centres, chosen.size) for label in labels]
    rows = {title: [ps.read(files[pair.name], chosen.size) for pair in pairs] for title, files in made.items()} | {
        "real photos": photos,
        "mean training photo": [_mean_photo(training, chosen.direction, chosen.size)] * len(pairs),
        "the label map itself": [ps.fitted(label, chosen.size) for label in labels],
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
    return ps.segmentation_scores(ps.confusion(found, wanted, 1 + max(int(found.max()), int(wanted.max()))))


def label_colours(labels: Iterable[Array], classes: int, seed: int) -> Array:
    """The colours of label maps: seeded k-means, the best of 5 starts. Shape: (H, W, 3) uint8 each -> (classes, 3).

    Of smeared maps (more colours than classes) only pixels count whose 3 x 3 neighbours are alike, else the blends
    along the edges would take the centres of rare classes. Raises DatasetError over too few colours.
    """
    maps = list(labels)
    pixels = np.concatenate([label.reshape(-1, 3) for label in maps])
    if len(np.unique(pixels, axis=0)) > classes:
        flat = np.concatenate([_flat(label).ravel() for label in maps])
        pixels = pixels[flat] if flat.any() else pixels
    pixels = np.ascontiguousarray(pixels[:: -(-len(pixels) // COLOUR_PIXELS)], dtype=np.float32)
    if len(np.unique(pixels, axis=0)) < classes:
        raise DatasetError(f"the label maps have fewer than {classes} colours. Give their number with --classes.")
    cv2.setRNGSeed(seed + 1)
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 50, 0.1)
    start = np.zeros((len(pixels), 1), np.int32)
    _, nearest, centres = cv2.kmeans(pixels, classes, start, stop, 5, cv2.KMEANS_PP_CENTERS)
    order = np.argsort(-np.bincount(nearest.ravel(), minlength=classes), kind="stable")
    return centres[order]


def _flat(label: Array) -> Array:
    """Where a pixel and its 8 neighbours differ by no more than JPEG noise. Shape: (H, W, 3) uint8 -> (H, W) bool."""
    neighbours = np.ones((3, 3), np.uint8)
    spread_of = cv2.dilate(label, neighbours).astype(np.int16) - cv2.erode(label, neighbours)
    return spread_of.max(axis=2) <= 24


def classes_of(label: Array, centres: Array, size: int | None = None) -> Array:
    """The nearest centre of every pixel, at `size` if given. Shape: (H, W, 1 or 3) -> (H, W) uint8."""
    fitted = ps.fitted(label, size, nearest=True) if size else label
    pixels = fitted.reshape(-1, 3).astype(np.float32)
    # |p - c|^2 without |p|^2, which is the same for every centre.
    distance = (centres * centres).sum(1) - 2 * pixels @ centres.T
    return distance.argmin(1).astype(np.uint8).reshape(fitted.shape[:2])


def segmenters_for(pairs: Sequence[Pair], settings: Sequence[Settings], cache: Path | None) -> list[Segmenter]:
    """Segmenters from `cache`, or trained and kept there. Raises ModelFileError over a cache of other settings."""
    data = _fingerprint(pairs)
    checksums = [one.checksum(data) for one in settings]
    if cache is not None and cache.is_file():
        return _cached(cache, settings, checksums)
    photos, labels, centres = _training_pictures(pairs, settings[0])
    trained = [Segmenter(_train(photos, labels, centres, one), centres) for one in settings]
    if cache is not None:
        cache.parent.mkdir(parents=True, exist_ok=True)
        tensors = {
            f"{seed}.{name}": value.contiguous()
            for seed, one in enumerate(trained)
            for name, value in [*one.network.state_dict().items(), ("centres", torch.from_numpy(one.centres))]
        }
        described = json.dumps([asdict(one) for one in settings])
        save_file(tensors, cache, metadata={"checksums": json.dumps(checksums), "settings": described})
    return trained


def _cached(cache: Path, settings: Sequence[Settings], checksums: Sequence[str]) -> list[Segmenter]:
    try:
        with safe_open(cache, "pt") as file:
            metadata: Mapping[str, str] = file.metadata() or {}
            if json.loads(metadata.get("checksums", "[]")) != list(checksums):
                raise ModelFileError(
                    f"{cache}: holds a segmenter of other settings or other training pictures "
                    f"({metadata.get('settings', 'unknown')}). Wanted is {json.dumps([asdict(s) for s in settings])}. "
                    "Give these settings, or another --cache."
                )
            names = file.keys()
            tensors = {name: file.get_tensor(name) for name in names}
    except (OSError, SafetensorError) as error:
        raise ModelFileError(f"{cache}: cannot be read: {error}") from error
    found = []
    for seed, one in enumerate(settings):
        own = {name.split(".", 1)[1]: value for name, value in tensors.items() if name.startswith(f"{seed}.")}
        centres = own.pop("centres").numpy()
        network = SegmentationNetwork(one.classes, one.width)
        network.load_state_dict(own)
        found.append(Segmenter(network.eval(), centres))
    return found


class SegmentationNetwork(nn.Module):
    """A U-Net (Ronneberger et al. 2015) for one CPU core: whole pictures at half the side, four scales of two layers.

    Shape: (N, 3, H, W) in [-1, 1] -> (N, classes, H, W) logits; H and W multiples of 16.
    """

    def __init__(self, classes: int, width: int) -> None:
        super().__init__()
        widths = [width, 2 * width, 3 * width, 4 * width]
        self.downs = nn.ModuleList(
            nn.Sequential(_layer(before, after), _layer(after, after))
            for before, after in pairwise([12, *widths])  # 12: the 4 pixels of a block, in colour
        )
        self.ups = nn.ModuleList(_layer(below + beside, beside) for beside, below in reversed([*pairwise(widths)]))
        self.last = nn.Sequential(nn.Dropout2d(0.1), nn.Conv2d(width, 4 * classes, 3, padding=1), nn.PixelShuffle(2))

    def forward(self, x: Tensor) -> Tensor:
        x = nn.functional.pixel_unshuffle(x, 2)
        skips: list[Tensor] = []
        for down in self.downs:
            x = down(nn.functional.max_pool2d(x, 2) if skips else x)
            skips.append(x)
        x = skips.pop()
        for layer in self.ups:
            grown = nn.functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
            x = layer(torch.cat([grown, skips.pop()], dim=1))
        return self.last(x)


def _layer(before: int, after: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU())


def _train(photos: Sequence[Array], labels: Sequence[Array], centres: Array, settings: Settings) -> nn.Module:
    torch.manual_seed(settings.seed)
    network = SegmentationNetwork(settings.classes, settings.width).train().to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(network.parameters(), settings.rate, weight_decay=1e-3)
    draw = random.Random(settings.seed)
    rounds = settings.epochs * max(1, len(photos) // settings.batch)
    began = time.monotonic()
    for done, (x, y) in enumerate(_batches(photos, labels, settings, draw, rounds)):
        for group in optimizer.param_groups:  # a tenth of warming up, then a cosine to 0
            group["lr"] = settings.rate * min(
                1.0, 10 * (done + 1) / rounds, 0.5 + 0.5 * math.cos(math.pi * done / rounds)
            )
        loss = nn.functional.cross_entropy(network(x.to(memory_format=torch.channels_last)), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if sys.stderr.isatty() and done % 20 == 0:
            print(f"\rsegmenter {settings.seed}: {done} of {rounds}, {loss:.3f}", end="", file=sys.stderr)
    print(f"\rsegmenter {settings.seed}: {rounds} rounds in {time.monotonic() - began:.0f} s", file=sys.stderr)
    return network.eval().to(memory_format=torch.contiguous_format)


def _batches(
    photos: Sequence[Array], labels: Sequence[Array], settings: Settings, draw: random.Random, rounds: int
) -> Iterator[tuple[Tensor, Tensor]]:
    order: list[int] = []
    for _ in range(rounds):
        if len(order) < min(settings.batch, len(photos)):
            order = draw.sample(range(len(photos)), len(photos))
        chosen, order = order[: settings.batch], order[settings.batch :]
        drawn = [_augmented(photos[index], labels[index], settings, draw) for index in chosen]
        x = images.to_network(np.stack([photo for photo, _ in drawn]))
        yield x, torch.from_numpy(np.stack([label for _, label in drawn]).astype(np.int64))


def _augmented(photo: Array, label: Array, settings: Settings, draw: random.Random) -> tuple[Array, Array]:
    """A crop of 75% to all of either side, flipped half of the time, at the size trained at."""
    height, width = label.shape
    share = draw.uniform(settings.smallest_crop, 1.0)
    tall, wide = round(height * share), round(width * share)
    top, left = draw.randint(0, height - tall), draw.randint(0, width - wide)
    flip = slice(None, None, -1 if draw.random() < 0.5 else 1)
    photo, label = (part[top : top + tall, left : left + wide][:, flip] for part in (photo, label))
    shown = images.resize(np.ascontiguousarray(photo), (settings.size, settings.size))
    size = (settings.size, settings.size)
    return shown, images.resize(np.ascontiguousarray(label[:, :, None]), size, nearest=True)[:, :, 0]


def _training_pictures(pairs: Sequence[Pair], settings: Settings) -> tuple[list[Array], list[Array], Array]:
    """Photos and classes at no more than twice the size trained at, and the colours of the classes."""
    photos, maps, small = [], [], []
    for label, photo in both(pairs, settings.direction):
        fit = min(1.0, 2 * settings.size / min(photo.shape[:2]))
        size = (round(photo.shape[0] * fit), round(photo.shape[1] * fit))
        photos.append(images.to_depth(images.resize(images.with_channels(photo, 3), size), np.uint8))
        label = images.to_depth(images.with_channels(label, 3), np.uint8)
        maps.append(images.resize(label, size, nearest=True))
        small.append(ps.fitted(label, settings.size, nearest=True))
    centres = label_colours(small, settings.classes, settings.seed)
    return photos, [classes_of(label, centres) for label in maps], centres


def both(pairs: Iterable[Pair], direction: str) -> Iterator[tuple[Array, Array]]:
    """(label map, photo) of every pair."""
    for pair in pairs:
        a, b = read_pair(pair)
        yield (a, b) if direction == "AtoB" else (b, a)


def _mean_photo(pairs: Sequence[Pair], direction: str, size: int) -> Array:
    total = np.zeros((size, size, 3))
    for _, photo in both(pairs, direction):
        total += ps.fitted(photo, size)
    return np.rint(total / len(pairs)).astype(np.uint8)


def _fingerprint(pairs: Sequence[Pair]) -> str:
    """Of the names and contents of the training pictures."""
    digest = hashlib.sha256()
    for pair in pairs:
        digest.update(pair.name.encode())
        for path in (pair.a, pair.b):
            if path is not None:
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


if __name__ == "__main__":
    sys.exit(main())

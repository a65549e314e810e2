"""A segmenter trained on real photographs and their label maps: what reads translations back (pix2pix, Sec. 4.1).

The same seed gives the same classes and, on the same machine and number of threads, the same segmenter.
"""

import hashlib
import json
import math
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from i2i import images
from i2i.data.folders import Pair
from i2i.data.paired import read_pair
from i2i.errors import ModelFileError
from i2i.evaluation.label_colours import classes_of, fitted, label_colours
from i2i.evaluation.scores import Array
from i2i.evaluation.segmenter_network import SegmentationNetwork
from i2i.files import write_safetensors

PICTURES = 2000
"""Training pairs, at most: evenly from all of them."""


@dataclass(frozen=True, slots=True)
class SegmenterSettings:
    """All that makes a segmenter the one it is."""

    size: int
    """Side of the pictures that it sees, a multiple of 32."""
    classes: int
    direction: str
    """AtoB where A holds the label maps, BtoA where B does."""
    seed: int = 0
    epochs: int = 25
    width: int = 24
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


def segmenters_for(
    pairs: Sequence[Pair],
    settings: Sequence[SegmenterSettings],
    cache: Path | None = None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Segmenter]:
    """Segmenters from `cache`, or trained on pairs and kept there; they share the classes of the first settings.

    `on_progress` is told the batches done and all of them. Raises DatasetError where the label maps have fewer colours
    than classes, ModelFileError over a cache of other settings.
    """
    data = _fingerprint(pairs)
    checksums = [one.checksum(data) for one in settings]
    if cache is not None and cache.is_file():
        return _cached(cache, settings, checksums)
    photos, labels, centres = _training_pictures(pairs, settings[0])
    trained = []
    for at, one in enumerate(settings):
        # Every segmenter has as many batches as the first, whose share of the whole is told.
        def told(done: int, total: int, before: int = at) -> None:
            on_progress(before * total + done, len(settings) * total)

        trained.append(Segmenter(_train(photos, labels, one, told), centres))
    if cache is not None:
        tensors = {
            f"{seed}.{name}": value
            for seed, one in enumerate(trained)
            for name, value in [*one.network.state_dict().items(), ("centres", torch.from_numpy(one.centres))]
        }
        described = json.dumps([asdict(one) for one in settings])
        try:
            cache.parent.mkdir(parents=True, exist_ok=True)
            write_safetensors(tensors, {"checksums": json.dumps(checksums), "settings": described}, cache)
        except OSError as error:
            raise ModelFileError(f"{cache}: cannot be written: {error.strerror}. Give another --cache.") from None
    return trained


def _cached(cache: Path, settings: Sequence[SegmenterSettings], checksums: Sequence[str]) -> list[Segmenter]:
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


def _train(
    photos: Sequence[Array],
    labels: Sequence[Array],
    settings: SegmenterSettings,
    on_progress: Callable[[int, int], None],
) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        network = SegmentationNetwork(settings.classes, settings.width).train().to(memory_format=torch.channels_last)
        optimizer = torch.optim.AdamW(network.parameters(), settings.rate, weight_decay=1e-3)
        draw = random.Random(settings.seed)
        rounds = settings.epochs * max(1, len(photos) // settings.batch)
        for done, (x, y) in enumerate(_batches(photos, labels, settings, draw, rounds)):
            for group in optimizer.param_groups:  # a tenth of warming up, then a cosine to 0
                group["lr"] = settings.rate * min(
                    1.0, 10 * (done + 1) / rounds, 0.5 + 0.5 * math.cos(math.pi * done / rounds)
                )
            loss = nn.functional.cross_entropy(network(x.to(memory_format=torch.channels_last)), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            on_progress(done + 1, rounds)
    return network.eval().to(memory_format=torch.contiguous_format)


def _batches(
    photos: Sequence[Array], labels: Sequence[Array], settings: SegmenterSettings, draw: random.Random, rounds: int
) -> Iterator[tuple[Tensor, Tensor]]:
    order: list[int] = []
    for _ in range(rounds):
        if len(order) < min(settings.batch, len(photos)):
            order = draw.sample(range(len(photos)), len(photos))
        chosen, order = order[: settings.batch], order[settings.batch :]
        drawn = [_augmented(photos[index], labels[index], settings, draw) for index in chosen]
        x = images.to_network(np.stack([photo for photo, _ in drawn]))
        yield x, torch.from_numpy(np.stack([label for _, label in drawn]).astype(np.int64))


def _augmented(photo: Array, label: Array, settings: SegmenterSettings, draw: random.Random) -> tuple[Array, Array]:
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


def _training_pictures(pairs: Sequence[Pair], settings: SegmenterSettings) -> tuple[list[Array], list[Array], Array]:
    """Photos and classes at no more than twice the size trained at, and the colours of the classes."""
    photos, maps, small = [], [], []
    for label, photo in label_and_photo(pairs, settings.direction):
        fit = min(1.0, 2 * settings.size / min(photo.shape[:2]))
        size = (round(photo.shape[0] * fit), round(photo.shape[1] * fit))
        photos.append(images.to_depth(images.resize(images.with_channels(photo, 3), size), np.uint8))
        label = images.to_depth(images.with_channels(label, 3), np.uint8)
        maps.append(images.resize(label, size, nearest=True))
        small.append(fitted(label, settings.size, nearest=True))
    centres = label_colours(small, settings.classes, settings.seed)
    return photos, [classes_of(label, centres) for label in maps], centres


def label_and_photo(pairs: Iterable[Pair], direction: str) -> Iterator[tuple[Array, Array]]:
    """(label map, photo) of every pair."""
    for pair in pairs:
        a, b = read_pair(pair)
        yield (a, b) if direction == "AtoB" else (b, a)


def _fingerprint(pairs: Sequence[Pair]) -> str:
    """Of the names and contents of the training pictures."""
    digest = hashlib.sha256()
    for pair in pairs:
        digest.update(pair.name.encode())
        for path in (pair.a, pair.b):
            if path is not None:
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()

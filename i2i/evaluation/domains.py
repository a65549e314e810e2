"""How near translations come to the pictures of another domain, and what of their input they keep; no pairs needed."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from i2i import images
from i2i.data.listing import spread
from i2i.errors import DatasetError
from i2i.evaluation import bootstrap
from i2i.evaluation.agreement import agreement, verdict
from i2i.evaluation.checking import Checking
from i2i.evaluation.choosing import checkpoint_rule
from i2i.evaluation.features import Features, random_features
from i2i.evaluation.frechet import frechet
from i2i.evaluation.kid import Distance, discrepancy, kid
from i2i.evaluation.leaving import Left, extremes
from i2i.evaluation.lots import LEAST, MOST, represented
from i2i.evaluation.manifold import manifold
from i2i.evaluation.scores import OURS, Array, Evaluation, Scores
from i2i.evaluation.sides import Picture
from i2i.evaluation.structure import Structure, kept, normalised
from i2i.evaluation.translating import together
from i2i.evaluation.unreadable import noted, readable
from i2i.report import Example
from i2i.translator import Translator, describe

HALVINGS = 10
"""Random halves of the real pictures that are compared with the others."""


def measure_domains(
    translator: Translator,
    root: Path,
    split: str,
    sides: tuple[Sequence[Picture], Sequence[Picture]],
    left: Left | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    features: Sequence[Features] = (),
    model: Path | None = None,
) -> Evaluation:
    """Translate a split's sources and compare the lot of them with its targets, at the scale that the network sees.

    `features` are the random ones for the translator's size where none are given; `model` is what the translator was
    loaded from.
    Raises DatasetError for fewer than LEAST.
    """
    forth = translator.card.direction == "AtoB"
    chosen = (spread(side, MOST) for side in (sides if forth else sides[::-1]))
    (sources, unread), (targets, unread_too) = (readable(side, lambda picture: picture.read()) for side in chosen)
    unreadable = unread + unread_too
    if min(len(sources), len(targets)) < LEAST:
        a, b = (len(side) for side in sides)
        unusable = f" ({len(unreadable)} of them cannot be read: {unreadable[0]})" if unreadable else ""
        raise DatasetError(
            f"{root}: the {split} split has {a} pictures of A and {b} of B{unusable}, too few for KID, FID and "
            f"coverage, which need {LEAST} of each. Add pictures, or choose another with --split."
        )
    side = min(translator.scaled(targets[0].read().shape))
    features = features or [random_features(side)]
    checking = Checking(translator, features, (root, split), side, len(sources), on_progress)
    reals = _Reals(translator, targets, features, checking)
    made, copied, toned = _Lot(features), _Lot(features), _Lot(features)
    unrelated: list[Structure] = []
    for batch in _batches(sources, translator.batch_size):
        inputs = [translator.prepare(picture.read()) for picture in batch]
        lights = [normalised(one) for one in inputs]
        # Files of one name may belong together: a picture from the other end of the set does not.
        others = [(len(unrelated) + at + len(targets) // 2) % len(targets) for at in range(len(inputs))]
        outputs = together(translator, inputs)
        checking.add_made(outputs, made.add(lights, outputs))
        copies = [images.with_channels(one, translator.card.out_channels) for one in inputs]
        copied.add(lights, copies)
        toned.add(lights, [_toned(one, reals.tones[at]) for one, at in zip(copies, others, strict=True)])
        unrelated += [kept(one, reals.lights[at]) for one, at in zip(lights, others, strict=True)]
        if left:
            for picture, output in zip(batch, outputs, strict=True):
                left.keep(picture.name, output)
        checking.translated(len(unrelated))
    checked = checking.result()
    rule = checkpoint_rule(model, translator.card)
    ours, copy = made.against(reals), copied.against(reals)
    names = [one.name for one in features]
    found = Evaluation(
        metrics=ours,
        floors={"copy the input": copy, "in a real one's tones": toned.against(reals)},
        ceilings={"other real ones": _against_itself(reals.features) | _structure(unrelated)},
        pictures=len(sources),
        split=split,
        titles=_titles(features),
        features=[
            {"name": one.name, "hash": one.hash, "dimension": one.dimension, "says": verdict(one.name, ours, copy)}
            for one in features
        ],
        notes=[
            *_notes(translator, root, split, features, sides, (len(sources), len(targets)), rule),
            agreement(names, ours, copy),
            *checked.notes,
            *noted(unreadable),
        ],
        intervals={
            row: bootstrap.of_means([_structure([one]) for one in structures])
            for row, structures in (
                (OURS, made.structures),
                ("copy the input", copied.structures),
                ("in a real one's tones", toned.structures),
                ("other real ones", unrelated),
            )
        },
        checkpoint=rule,
        sections=checked.sections,
        unreadable=unreadable,
    )
    if left:
        nearest = checked.nearest([picture.name for picture in sources])
        structures = zip(sources, made.structures, strict=True)
        each = {source.name: _structure([one]) | nearest.get(source.name, {}) for source, one in structures}
        examples = _examples(left, translator, sources, targets, each)
        left.publish(found, translator, each, examples, checked.examples(left, translator, sources))
    return found


class _Reals:
    """What is kept of the real pictures: features, luminance for structure, mean and deviation of each channel."""

    def __init__(
        self, translator: Translator, targets: Sequence[Picture], features: Sequence[Features], checking: Checking
    ) -> None:
        found: dict[str, list[Array]] = {one.name: [] for one in features}
        self.lights: list[Array] = []
        self.tones: list[tuple[Array, Array]] = []
        for batch in _batches(targets, translator.batch_size):
            pictures = [images.with_channels(picture.read(), translator.card.out_channels) for picture in batch]
            pictures = [images.resize(picture, translator.scaled(picture.shape)) for picture in pictures]
            seen = {one.name: represented(one, pictures) for one in features}
            for name, points in seen.items():
                found[name].append(points)
            checking.add_real(pictures, seen)
            self.lights += [normalised(picture) for picture in pictures]
            values = [images.to_depth(picture, np.float32) for picture in pictures]
            self.tones += [(value.mean((0, 1)), value.std((0, 1))) for value in values]
        self.features = {name: np.concatenate(parts) for name, parts in found.items()}
        """(N, D) by the features' name."""


def _toned(picture: Array, tones: tuple[Array, Array]) -> Array:
    """A picture with the mean and the deviation of each channel of another (Reinhard et al. 2001, in RGB)."""
    values = images.to_depth(picture, np.float32)
    mean, deviation = values.mean((0, 1)), values.std((0, 1))
    moved = (values - mean) / np.maximum(deviation, 1 / 255) * tones[1] + tones[0]
    return images.to_depth(np.clip(moved, 0, 1).astype(np.float32), np.uint8)


class _Lot:
    """Pictures made of the same inputs by one means."""

    def __init__(self, features: Sequence[Features]) -> None:
        self._features = features
        self._found: dict[str, list[Array]] = {one.name: [] for one in features}
        self.structures: list[Structure] = []

    def add(self, inputs: Sequence[Array], made: Sequence[Array]) -> dict[str, Array]:
        """Inputs as `normalised`, and what was made of them, whose features this returns by name."""
        seen = {one.name: represented(one, made) for one in self._features}
        for name, points in seen.items():
            self._found[name].append(points)
        self.structures += [kept(one, normalised(two)) for one, two in zip(inputs, made, strict=True)]
        return seen

    def against(self, reals: _Reals) -> Scores:
        found: Scores = {}
        for name, parts in self._found.items():
            made, real = np.concatenate(parts), reals.features[name]
            found |= _of_distribution(name, kid(made, real), frechet(made, real), manifold(real, made))
        return found | _structure(self.structures)


def _against_itself(reals: Mapping[str, Array]) -> Scores:
    """Random halves of the real pictures against the other halves; the error is how far KID strays between halvings."""
    found: Scores = {}
    for name, real in reals.items():
        draw = np.random.default_rng(0)
        orders = [draw.permutation(len(real)) for _ in range(HALVINGS)]
        halves = [(real[order[::2]], real[order[1::2]]) for order in orders]
        values = [discrepancy(one, two) for one, two in halves]
        shares = np.mean([manifold(one, two) for one, two in halves], axis=0)
        distance = Distance(float(np.mean(values)), float(np.std(values)))
        found |= _of_distribution(name, distance, float(np.mean([frechet(*both) for both in halves])), shares)
    return found


def _of_distribution(name: str, distance: Distance, fid: float, shares: Sequence[float]) -> Scores:
    precision, recall, coverage = (float(share) for share in shares)
    values = {"kid": distance.value, "kid error": distance.error, "fid": fid}
    values |= {"precision": precision, "recall": recall, "coverage": coverage}
    return {f"{name}/{score}": value for score, value in values.items()}


def _structure(structures: Sequence[Structure]) -> Scores:
    ssim, orientation = np.mean(structures, axis=0)
    return {"structure": float(ssim), "orientation": float(orientation)}


def _titles(features: Sequence[Features]) -> dict[str, str]:
    names = {"kid": "KID", "kid error": "KID error", "fid": "FID"}
    names |= {name: name for name in ("precision", "recall", "coverage")}
    titles = {f"{one.name}/{name}": f"{title} ({one.name})" for one in features for name, title in names.items()}
    return titles | {"structure": "structure (SSIM)", "orientation": "structure (edges)"}


def _notes(
    translator: Translator,
    root: Path,
    split: str,
    features: Sequence[Features],
    sides: tuple[Sequence[Picture], Sequence[Picture]],
    counts: tuple[int, int],
    rule: str,
) -> list[str]:
    made, real = counts
    left_out = f", evenly from {len(sides[0])} and {len(sides[1])}" if max(map(len, sides)) > MOST else ""
    return [
        describe(translator.card),
        f"{made} translations against {real} real pictures of {root.name}/{split}{left_out}, without pairs, at the "
        f"scale that the network sees",
        *(
            f"features {one.name} of {one.dimension} dimensions, SHA-256 {one.hash[:16]}: numbers of other features "
            f"cannot be compared with these"
            for one in features
        ),
        rule,
        "in brackets: where 95% of the means over drawn pictures lie (percentile bootstrap)",
        "in a real one's tones: the input with the mean and deviation of a real picture's channels",
        "other real ones: half of the real pictures against the other half; structure as a picture of elsewhere has it",
        f"KID is unbiased, 0 for the same distribution; FID is biased upwards, here by {made} and {real} pictures and "
        f"in the last column by halves: compare it among equal numbers alone",
        "structure is 1 for a copy: read it beside KID, never alone",
    ]


def _batches(pictures: Sequence[Picture], size: int) -> Iterator[list[Picture]]:
    ahead = iter(pictures)
    while group := list(islice(ahead, size)):
        yield group


def _examples(
    left: Left,
    translator: Translator,
    sources: Sequence[Picture],
    targets: Sequence[Picture],
    each: dict[str, Scores],
) -> Iterator[Example]:
    """Those that keep the most, the median and the least of their structure, not only the pretty ones."""
    order = sorted(range(len(sources)), key=lambda index: -each[sources[index].name]["structure"])
    said = {"best": "most kept", "median": "median", "worst": "least kept"}
    for name, index in extremes(order):
        source, score = sources[index], each[sources[index].name]
        caption = f"{said[name]}: structure {score['structure']:.3f}, edges {score['orientation']:.3f}"
        pictures = {"input": translator.prepare(source.read()), "output": left.place(source.name)}
        pictures["some real one"] = targets[index % len(targets)].read()
        yield Example(source.name, pictures, caption)

"""How far translations are from the truth, on pairs that training never saw, beside what doing nothing would score."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from i2i import images
from i2i.data.folders import Pair, find_pairs, splits
from i2i.data.paired import read_pair
from i2i.evaluation.leaving import Left
from i2i.evaluation.scores import NAMES, Array, Evaluation, Scores
from i2i.evaluation.translating import together
from i2i.report import Example
from i2i.translator import Translator, describe

TRAINING_PICTURES = 500
"""Training targets, at most, whose mean is a floor."""


def measure_pairs(
    translator: Translator,
    root: Path,
    split: str,
    pairs: Sequence[Pair],
    left: Left | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Translate a split's sources and compare with its targets, both at the scale that the network sees."""
    floors = _Floors(translator, root, split, pairs)
    scores: list[Scores] = []
    floor_scores: dict[str, list[Scores]] = {}
    for batch in _batches(translator, pairs):
        outputs = together(translator, [source for _, source, _ in batch])
        for (pair, source, target), output in zip(batch, outputs, strict=True):
            scores.append(compare(output, target))
            for name, picture in floors.of(source, target).items():
                floor_scores.setdefault(name, []).append(compare(picture, target))
            if left:
                left.keep(pair.name, output)
        if on_progress:
            on_progress(len(scores), len(pairs))
    found = Evaluation(
        metrics=_mean(scores),
        floors={name: _mean(values) for name, values in floor_scores.items()},
        pictures=len(pairs),
        split=split,
        notes=[
            describe(translator.card),
            f"{len(pairs)} pairs of {root.name}/{split}, compared at the scale that the network sees",
            "last weights of the run, never the best of several",
            *floors.notes,
        ],
    )
    if left:
        each = {pair.name: score for pair, score in zip(pairs, scores, strict=True)}
        left.publish(found, translator, each, _examples(left, translator, pairs, scores))
    return found


def compare(output: Array, target: Array) -> Scores:
    """One picture against its target. Shape: (H, W, C) uint8 or uint16 twice -> l1 of 255, psnr in dB, ssim."""
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity

    one, two = images.to_depth(output, np.uint8), images.to_depth(target, np.uint8)
    difference = np.abs(one.astype(np.float64) - two)
    # The window of 7 pixels is scikit-image's own; a smaller picture gets the largest odd window it holds.
    window = min(7, min(one.shape[:2]) - 1 + min(one.shape[:2]) % 2)
    same = not difference.any()
    ssim: Any = 1.0
    if window >= 3:
        ssim = structural_similarity(two, one, data_range=255, channel_axis=2, win_size=window)
    return {
        "l1": float(difference.mean()),
        # Two equal pictures are infinitely far from noise; 100 dB keeps a mean readable.
        "psnr": 100.0 if same else float(peak_signal_noise_ratio(two, one, data_range=255)),
        "ssim": float(ssim),
    }


class _Floors:
    """What needs no learning: the input itself, the input times the best constant, the mean target of training."""

    def __init__(self, translator: Translator, root: Path, split: str, pairs: Sequence[Pair]) -> None:
        products = squares = 0.0
        for _, source, target in itertools.chain.from_iterable(_batches(translator, pairs)):
            x, y = (images.to_depth(part, np.float32) for part in (source, target))
            x = images.with_channels(x, y.shape[2])
            products += float((x * y).sum())
            squares += float((x * x).sum())
        self.gain = products / squares if squares else 1.0
        other = "train" if "train" in splits(root) and split != "train" else split
        chosen = find_pairs(root, other).pairs[:TRAINING_PICTURES] if other != split else pairs[:TRAINING_PICTURES]
        self.mean = _mean_target(translator, chosen)
        self.notes = [
            f"best constant gain: {self.gain:.3f}, fitted on these very pictures",
            f"mean target: of {len(chosen)} pictures of the {other} split",
        ]

    def of(self, source: Array, target: Array) -> dict[str, Array]:
        """The floors' answers for one pair, like its target in size and kind."""
        copied = images.with_channels(source, target.shape[2])
        gained = np.clip(images.to_depth(copied, np.float32) * np.float32(self.gain), 0, 1)
        mean = images.resize(self.mean, (target.shape[0], target.shape[1]))
        return {
            "copy the input": copied,
            "best constant gain": images.to_depth(gained, np.uint8),
            "mean target": images.to_depth(mean, np.uint8),
        }


def _mean_target(translator: Translator, pairs: Sequence[Pair]) -> Array:
    total: Array | None = None
    for _, _, target in itertools.chain.from_iterable(_batches(translator, pairs)):
        picture = images.to_depth(target, np.float32)
        total = picture.astype(np.float64) if total is None else total + images.resize(picture, _size(total))
    assert total is not None
    return (total / len(pairs)).astype(np.float32)


def _size(picture: Array) -> tuple[int, int]:
    return picture.shape[0], picture.shape[1]


def _batches(translator: Translator, pairs: Sequence[Pair]) -> Iterator[list[tuple[Pair, Array, Array]]]:
    """(pair, source, target) at the network's scale, a few at a time."""
    ahead = iter(pairs)
    card = translator.card
    while group := list(itertools.islice(ahead, translator.batch_size)):
        batch = []
        for pair in group:
            a, b = read_pair(pair)
            source, target = (a, b) if card.direction == "AtoB" else (b, a)
            size = translator.scaled(target.shape[:2])
            target = images.resize(images.with_channels(target, card.out_channels), size)
            batch.append((pair, translator.prepare(source), target))
        yield batch


def _mean(scores: Sequence[Scores]) -> Scores:
    return {name: float(np.mean([score[name] for score in scores])) for name in NAMES}


def _examples(left: Left, translator: Translator, pairs: Sequence[Pair], scores: Sequence[Scores]) -> Iterator[Example]:
    """The best, the median and the worst by L1, not only the pretty ones."""
    order = sorted(range(len(pairs)), key=lambda index: scores[index]["l1"])
    middle = max(0, len(order) // 2 - 2)
    groups = {"best": order[:4], "median": order[middle : middle + 4], "worst": order[-4:]}
    shown: set[int] = set()
    for name, chosen in groups.items():
        for index in chosen:
            if index in shown:
                continue
            shown.add(index)
            ((pair, source, target),) = next(_batches(translator, [pairs[index]]), [])
            score = scores[index]
            caption = f"{name}: L1 {score['l1']:.1f}, PSNR {score['psnr']:.1f} dB, SSIM {score['ssim']:.3f}"
            pictures = {"source": source, "translated": left.place(pair.name), "truth": target}
            yield Example(pair.name, pictures, caption)

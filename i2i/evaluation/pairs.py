"""How far translations are from the truth, on pairs that training never saw, beside what doing nothing would score."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from i2i import images
from i2i.data.folders import Pair, find_pairs, splits
from i2i.data.listing import spread
from i2i.data.paired import read_pair
from i2i.errors import DatasetError
from i2i.evaluation import bootstrap, segmentation
from i2i.evaluation.checking import Checking
from i2i.evaluation.choosing import checkpoint_rule
from i2i.evaluation.features import Features, random_features
from i2i.evaluation.leaving import Left, extremes
from i2i.evaluation.lots import MOST
from i2i.evaluation.lpips import LPIPS
from i2i.evaluation.made import Made, at_scale_of, made_pairs
from i2i.evaluation.scores import LOWER, NAMES, OURS, Array, Evaluation, Scores
from i2i.evaluation.sides import Picture, of_pairs
from i2i.evaluation.translating import together
from i2i.evaluation.unreadable import noted, readable
from i2i.report import Example
from i2i.translator import Translator, describe
from i2i.translator.tasks import prepared_shown

TRAINING_PICTURES = 500
"""Training targets, at most, whose mean is a floor."""


class Item(NamedTuple):
    """A pair at the network's scale."""

    pair: Pair | Made
    raw: Array
    """The source as it was read."""
    source: Array
    target: Array


def measure_pairs(
    translator: Translator,
    root: Path,
    split: str,
    every: Sequence[Pair] | Sequence[Made],
    left: Left | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    judge: segmentation.Judge | None = None,
    model: Path | None = None,
    features: Sequence[Features] = (),
    lpips: Sequence[LPIPS] = (),
) -> Evaluation:
    """Translate a split's sources and compare with its targets, both at the scale that the network sees.

    Pairs that cannot be read are left out. A `judge` says beside it what it recognises. `model` is what the translator
    was loaded from. `features` are for what is said of all translations together; the random ones for the translator's
    size where none are given. Each of `lpips` is a column. Raises DatasetError where no pair can be read.
    """
    pairs, unreadable = readable([*every], partial(_item, translator))
    if not pairs:
        raise DatasetError(
            f"{root}: no pair of its {split} split can be read ({unreadable[0]}). i2i check {root} names what is wrong."
        )
    side = min(_item(translator, pairs[0]).target.shape[:2])
    features = features or [random_features(side)]
    checking = Checking(translator, features, (root, split), side, len(pairs), on_progress)
    checked_places = set(spread(range(len(pairs)), MOST))
    floors = _Floors(translator, root, split, pairs)
    each: dict[str, list[Scores]] = {}
    recognition = segmentation.Recognition(judge) if judge else None
    done = 0
    for batch in _batches(translator, pairs):
        outputs = together(translator, [item.source for item in batch])
        for item, output in zip(batch, outputs, strict=True):
            rows = {OURS: output} | floors.of(item.source, item.target)
            perceived = [one.scores(rows, item.target) for one in lpips]
            for name, picture in rows.items():
                row = compare(picture, item.target)
                for distances in perceived:
                    row |= distances[name]
                each.setdefault(name, []).append(row)
            if recognition:
                recognition.add(item.raw, rows | {segmentation.REAL: item.target})
            if left:
                left.keep(item.pair.name, output)
        if places := [at for at in range(len(batch)) if done + at in checked_places]:
            checking.add_made([outputs[at] for at in places])
            checking.add_real([batch[at].target for at in places])
        done += len(batch)
        checking.translated(done)
    checked = checking.result()
    scores: dict[str, Scores] = {name: _mean(values) for name, values in each.items()}
    intervals = {name: bootstrap.of_means(values) for name, values in each.items()}
    notes = [
        describe(translator.card),
        f"{len(pairs)} pairs of {root.name}/{split}, compared at the scale that the network sees",
        (rule := checkpoint_rule(model, translator.card)),
        bootstrap_note(len(pairs)),
        *floors.notes,
        *(f"{one.title}: SHA-256 {one.hash[:16]} of its two files' own; 0 is the same picture" for one in lpips),
        *checked.notes,
        *noted(unreadable),
    ]
    singles = each[OURS]
    if recognition:
        scores = _joined(scores, recognition.scores)
        intervals = _joined(intervals, recognition.intervals)
        singles = [one | two for one, two in zip(singles, recognition.each(OURS), strict=True)]
        notes += [recognition.note, f"{segmentation.REAL}: what the segmenter makes of the true pictures, the ceiling"]
    found = Evaluation(
        metrics=scores.pop(OURS),
        ceilings={segmentation.REAL: scores.pop(segmentation.REAL)} if recognition else {},
        floors=scores,
        pictures=len(pairs),
        split=split,
        titles=NAMES | {one.key: one.title for one in lpips} | (segmentation.NAMES if recognition else {}),
        notes=notes,
        intervals={name: found for name, found in intervals.items() if found},
        checkpoint=rule,
        segmenter=recognition.about if recognition else {},
        sections=checked.sections,
        features=[*checked.features, *({"name": one.name, "hash": one.hash} for one in lpips)],
        unreadable=unreadable,
    )
    if left:
        sources = _sources(translator, [pairs[at] for at in sorted(checked_places)])
        nearest = checked.nearest([source.name for source in sources])
        scored = zip(pairs, singles, strict=True)
        by_name = {pair.name: score | nearest.get(pair.name, {}) for pair, score in scored}
        examples = _examples(left, translator, pairs, singles, found.main)
        left.publish(found, translator, by_name, examples, checked.examples(left, translator, sources))
    return found


def bootstrap_note(pictures: int) -> str:
    """What the intervals are."""
    if pictures < 2:
        return "one picture: its scores say nothing of another"
    return (
        f"in brackets: where 95% of the means over {pictures} pictures lie, drawn again {bootstrap.DRAWS:,} times with "
        f"the same seed (percentile bootstrap); what another seed of training would change is not in it"
    )


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

    def __init__(self, translator: Translator, root: Path, split: str, pairs: Sequence[Pair | Made]) -> None:
        products = squares = 0.0
        for _, _, source, target in itertools.chain.from_iterable(_batches(translator, pairs)):
            x, y = (images.to_depth(part, np.float32) for part in (source, target))
            x = copied(translator, x, y)
            products += float((x * y).sum())
            squares += float((x * x).sum())
        self.translator = translator
        self.gain = products / squares if squares else 1.0
        other = "train" if "train" in splits(root) and split != "train" else split
        task = translator.card.task
        known = pairs
        if other != split:
            known = find_pairs(root, other).pairs if task.kind == "none" else made_pairs(root, other, task)
        chosen, _ = readable(known[:TRAINING_PICTURES], partial(_item, translator))
        if not chosen:
            chosen, other = pairs[:TRAINING_PICTURES], split
        self.mean = _mean_target(translator, chosen)
        self.notes = [
            f"best constant gain: {self.gain:.3f}, fitted on these very pictures",
            f"mean target: of {len(chosen)} pictures of the {other} split",
        ]

    def of(self, source: Array, target: Array) -> dict[str, Array]:
        """The floors' answers for one pair, like its target in size and kind."""
        same = copied(self.translator, source, target)
        gained = np.clip(images.to_depth(same, np.float32) * np.float32(self.gain), 0, 1)
        mean = images.resize(self.mean, (target.shape[0], target.shape[1]))
        return {
            "copy the input": same,
            "best constant gain": images.to_depth(gained, np.uint8),
            "mean target": images.to_depth(mean, np.uint8),
        }


def _mean_target(translator: Translator, pairs: Sequence[Pair | Made]) -> Array:
    total: Array | None = None
    for *_, target in itertools.chain.from_iterable(_batches(translator, pairs)):
        picture = images.to_depth(target, np.float32)
        total = picture.astype(np.float64) if total is None else total + images.resize(picture, _size(total))
    assert total is not None
    return (total / len(pairs)).astype(np.float32)


def _size(picture: Array) -> tuple[int, int]:
    return picture.shape[0], picture.shape[1]


def copied(translator: Translator, source: Array, target: Array) -> Array:
    """What of a prepared source can be compared with its target. Shape: (h, w, K), (H, W, C) -> (H, W, C)."""
    picture = images.with_channels(prepared_shown(translator.card.task, source), target.shape[2])
    return images.resize(picture, _size(target))


def _sources(translator: Translator, pairs: Sequence[Pair | Made]) -> list[Picture]:
    made = [Picture(one.name, partial(_input, one, translator)) for one in pairs if isinstance(one, Made)]
    sides = of_pairs([one for one in pairs if isinstance(one, Pair)])
    return made or sides[0 if translator.card.direction == "AtoB" else 1]


def _input(made: Made, translator: Translator) -> Array:
    return at_scale_of(made, translator)[0]


def _batches(translator: Translator, pairs: Sequence[Pair | Made]) -> Iterator[list[Item]]:
    """A few at a time."""
    ahead = iter(pairs)
    while group := list(itertools.islice(ahead, translator.batch_size)):
        yield [_item(translator, pair) for pair in group]


def _item(translator: Translator, pair: Pair | Made) -> Item:
    """Raises PictureError and DatasetError."""
    card = translator.card
    if isinstance(pair, Made):
        source, target = at_scale_of(pair, translator)
        return Item(pair, source, translator.prepare(source), target)
    a, b = read_pair(pair)
    source, target = (a, b) if card.direction == "AtoB" else (b, a)
    size = translator.scaled(target.shape[:2])
    target = images.resize(images.with_channels(target, card.out_channels), size)
    return Item(pair, source, translator.prepare(source), target)


def _mean(scores: Sequence[Scores]) -> Scores:
    return {name: float(np.mean([score[name] for score in scores])) for name in scores[0]}


def _joined(one: Mapping[str, dict[str, Any]], two: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Rows of both, with the columns of both."""
    return {row: one.get(row, {}) | two.get(row, {}) for row in dict.fromkeys([*one, *two])}


def _examples(
    left: Left, translator: Translator, pairs: Sequence[Pair | Made], scores: Sequence[Scores], main: str
) -> Iterator[Example]:
    """The worst, the median and the best by the main score, not only the pretty ones."""
    best_first = 1 if main in LOWER else -1
    order = sorted(range(len(pairs)), key=lambda index: best_first * scores[index][main])
    for name, index in extremes(order):
        ((pair, _, source, target),) = next(_batches(translator, [pairs[index]]), [])
        score = scores[index]
        caption = f"{name}: L1 {score['l1']:.1f}, PSNR {score['psnr']:.1f} dB, SSIM {score['ssim']:.3f}"
        if "iou" in score:
            caption += f", pixel accuracy {score['pixel']:.3f}, IoU {score['iou']:.3f}"
        pictures = {
            "input": prepared_shown(translator.card.task, source),
            "output": left.place(pair.name),
            "target": target,
        }
        yield Example(pair.name, pictures, caption)

"""A generator from noise on a split: what it makes beside the real pictures, what a poor one gets, and a perfect one.

There is no truth to compare with, so all scores are of distributions. As many pictures are made as there are real ones,
of the same classes, by seeds from 0 on.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from i2i import images
from i2i.errors import DatasetError
from i2i.evaluation.copying import Copying, copying
from i2i.evaluation.features import Features, random_features
from i2i.evaluation.leaving import SHOWN, Left
from i2i.evaluation.like_samples import LikeSamples
from i2i.evaluation.lot_scores import asked_for, checks, likeness_of, titles
from i2i.evaluation.lots import LEAST, MOST, Lot, represented
from i2i.evaluation.manifold import f_score
from i2i.evaluation.measuring import require_split
from i2i.evaluation.sample_classes import Points, classes_section
from i2i.evaluation.scores import OURS, Array, Evaluation, Scores, Section
from i2i.evaluation.unreadable import noted
from i2i.networks.sampler import Sampler
from i2i.report import Example
from i2i.sampler import PictureSampler, describe
from i2i.sampler.grid import grid
from i2i.settings import parse_size

UNTRAINED, COLLAPSED, REAL = "untrained", "one picture", "half of the real ones"
_TOGETHER = 32
_GLANCE = 64
"""Pictures of the report's grid."""


def measure_samples(
    sampler: PictureSampler,
    data: str | os.PathLike[str],
    *,
    split: str = "test",
    out: str | os.PathLike[str] | None = None,
    features: Sequence[Features] = (),
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Evaluation:
    """KID, FID, precision, recall, coverage and F-score beside a split's pictures, at most MOST of them.

    Floors: a generator of the same kind that has learnt nothing, and one that makes its first picture over and over.
    Ceiling: one half of the real pictures beside the other. Where the split has class folders, `sections["classes"]`
    says which of them are made. `features` are the random ones where none are given; `out` as for `measure`. Raises
    DatasetError where there is no such split, or fewer than LEAST pictures in it.
    """
    root = Path(data)
    require_split(root, split)
    reals = LikeSamples(root, split, sampler.card, MOST)
    if len(reals) < LEAST:
        unusable = f" that can be read ({reals.unreadable[0]})" if reals.unreadable else ""
        raise DatasetError(
            f"{root}: the {split} split has {len(reals)} pictures{unusable}, too few for KID, FID and coverage, which "
            f"need {LEAST}. Add pictures, or choose another with --split."
        )
    side = min(parse_size(sampler.card.size))
    features = features or [random_features(side)]
    learnt = LikeSamples(root, "train", sampler.card, MOST) if split != "train" and _trains(root) else None
    left = Left(Path(out)) if out is not None else None
    heard = _Heard(on_progress, 3 * len(reals) + len(learnt or ()))

    labels = asked_like(reals, sampler.classes)
    seeds = range(len(reals))
    made = _lot(features, side, len(reals), heard(_kept(sampler.arrays_of(seeds, labels.tolist()), left)))
    fresh = PictureSampler(untrained(sampler), sampler.card, device=str(sampler.device), batch_size=sampler.batch_size)
    fresh.network.train()  # with running statistics of nothing it would make gray alone
    poor = _points(features, heard(fresh.arrays_of(seeds, labels.tolist())))
    halves = tuple(
        _lot(features, side, len(reals), heard(reals[at] for at in range(start, len(reals), 2))) for start in (0, 1)
    )
    real = Lot(features, side, len(reals))
    for half in halves:
        real.extend(half)
    training = _points(features, heard(learnt)) if learnt is not None and len(learnt) >= LEAST else {}

    ours, theirs, apart = made.features, real.features, [half.features for half in halves]
    same = {name: np.repeat(points[:1], len(points), axis=0) for name, points in ours.items()}
    copied = {name: copying(ours[name], theirs[name], points) for name, points in training.items()}
    usual = {name: copying(apart[0][name], apart[1][name], points) for name, points in training.items()}
    found = Evaluation(
        metrics=_likeness(ours, theirs),
        floors={UNTRAINED: _likeness(poor, theirs), COLLAPSED: _likeness(same, theirs)},
        ceilings={REAL: _likeness(apart[0], apart[1])},
        pictures=len(reals),
        split=split,
        titles=_titles(features),
        features=[{"name": one.name, "hash": one.hash, "dimension": one.dimension} for one in features],
        notes=[*_notes(sampler, reals, features, f"{root.name}/{split}"), *noted(reals.unreadable)],
        sections=_sections(features, (made, real), (halves[0], halves[1]), copied, usual),
        unreadable=reals.unreadable,
    )
    if reals.classes:
        each = [(points, reals.labels[start::2]) for start, points in enumerate(apart)]
        asked = labels if sampler.classes == reals.classes else None
        found.sections["classes"] = classes_section((ours, asked), each, reals.classes, REAL)
    if left:
        left.publish(found, sampler, {}, _glance(left, len(reals)), _nearest(left, copied, learnt))
    return found


def asked_like(reals: LikeSamples, classes: Sequence[str]) -> Array:
    """The class to ask for in the place of each real picture: its own, by name; one in turn where it is not known.

    Shape: (N,) int64.
    """
    known = [classes.index(name) if name in classes else None for name in reals.classes]
    turns = [at % max(1, len(classes)) for at in range(len(reals))]
    if not known:
        return np.array(turns)
    own = (known[label] for label in reals.labels)
    return np.array([turn if label is None else label for turn, label in zip(turns, own, strict=True)])


def untrained(sampler: PictureSampler) -> Sampler:
    """A generator of the same kind with weights as they are drawn, the same each time."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        card = sampler.card
        return card.architecture.build(card.out_channels, parse_size(card.size), len(card.classes))


class _Heard:
    """Counts pictures that pass."""

    def __init__(self, on_progress: Callable[[int, int], None], total: int) -> None:
        self.on_progress, self.total, self.done = on_progress, total, 0

    def __call__(self, pictures: Iterable[Array]) -> Iterator[Array]:
        for picture in pictures:
            yield picture
            self.done += 1
            self.on_progress(self.done, self.total)


def _trains(root: Path) -> bool:
    try:
        require_split(root, "train")
    except DatasetError:
        return False
    return True


def _kept(pictures: Iterable[Array], left: Left | None) -> Iterator[Array]:
    for index, picture in enumerate(pictures):
        if left:
            left.keep(_name(index), picture)
        yield picture


def _name(index: int) -> str:
    return f"{index:05d}"


def _batches(pictures: Iterable[Array]) -> Iterator[list[Array]]:
    ahead = iter(pictures)
    while group := list(islice(ahead, _TOGETHER)):
        yield group


def _lot(features: Sequence[Features], side: int, count: int, pictures: Iterable[Array]) -> Lot:
    lot = Lot(features, side, count)
    for batch in _batches(pictures):
        lot.add(batch)
    return lot


def _points(features: Sequence[Features], pictures: Iterable[Array]) -> Points:
    found: dict[str, list[Array]] = {one.name: [] for one in features}
    for batch in _batches(pictures):
        for one in features:
            found[one.name].append(represented(one, batch))
    return {name: np.concatenate(parts) for name, parts in found.items()}


def _likeness(made: Points, real: Points) -> Scores:
    scores = likeness_of(made, real)
    return scores | {f"{name}/f-score": f_score(scores[f"{name}/precision"], scores[f"{name}/recall"]) for name in made}


def _titles(features: Sequence[Features]) -> dict[str, str]:
    names = {"kid": "KID", "kid error": "KID error", "fid": "FID", "precision": "precision", "recall": "recall"}
    names |= {"f-score": "F-score", "coverage": "coverage"}
    return {f"{one.name}/{name}": f"{title} ({one.name})" for one in features for name, title in names.items()}


def _sections(
    features: Sequence[Features],
    lots: tuple[Lot, Lot],
    halves: tuple[Lot, Lot],
    copied: dict[str, Copying],
    usual: dict[str, Copying],
) -> dict[str, Section]:
    """What translators are asked too: copies, sameness and grids, and the scores that people ask for."""
    first, second = titles(features)
    rows = {OURS: checks(*lots, copied), REAL: checks(*halves, usual)}
    more = {OURS: asked_for(*lots), REAL: asked_for(*halves)}
    if copied:
        chance = next(iter(copied.values())).chance
        notes = [f"copied: as near to a training picture as the nearest real ones are, by chance {chance:.3f}"]
    else:
        notes = ["copies of training pictures are not looked for: there are none, or these are scored"]
    return {
        "checks": Section(
            title="Copies, sameness, grids",
            titles={key: title for key, title in first.items() if key in rows[OURS]},
            rows=rows,
            notes=[
                *notes,
                "diversity: mean distance between two pictures, by that between two real ones; 0: all alike",
            ],
        ),
        "more": Section(
            title="Asked for by many",
            titles={key: title for key, title in second.items() if key in more[OURS]},
            rows=more,
            notes=["what each of these misses: docs/evaluation.md"],
        ),
    }


def _notes(sampler: PictureSampler, reals: LikeSamples, features: Sequence[Features], place: str) -> list[str]:
    left_out = f", evenly from {reals.total}" if reals.total > len(reals) else ""
    classes = ", of the same classes" if sampler.classes and reals.classes else ""
    return [
        describe(sampler.card),
        f"{len(reals)} pictures of seeds from 0 on against {len(reals)} real ones of {place}{left_out}{classes}",
        *(
            f"features {one.name} of {one.dimension} dimensions, SHA-256 {one.hash[:16]}: numbers of other features "
            f"cannot be compared with these"
            for one in features
        ),
        f"{UNTRAINED}: the same network with weights as they are drawn; {COLLAPSED}: that of seed 0, over and over",
        f"KID is unbiased, 0 for the same distribution; FID and SWD are biased upwards by few pictures, here by "
        f"{len(reals)} and in the last column by halves: compare them among equal numbers alone",
    ]


def _glance(left: Left, count: int) -> list[Example]:
    shown = min(count, _GLANCE)
    picture = grid([images.read(left.place(_name(index))) for index in range(shown)])
    return [Example("samples", {"made": picture}, f"seeds 0 to {shown - 1}")]


def _nearest(left: Left, copied: dict[str, Copying], learnt: LikeSamples | None) -> Iterator[Example]:
    """The samples that are nearest to a training picture, beside it."""
    if not copied or learnt is None:
        return
    last = list(copied.values())[-1]
    for index in np.argsort(last.distances, kind="stable")[:SHOWN]:
        at = int(last.nearest[index])
        far = f", at {last.distances[index] / last.usual:.2f} of the usual distance" if last.usual else ""
        pictures = {"made": left.place(_name(int(index))), "nearest training picture": learnt[at]}
        yield Example(_name(int(index)), pictures, f"nearest to {learnt.name(at)}{far}")

"""Which classes a generator makes, by the real picture that each of its own is nearest to: no classifier needed."""

from collections.abc import Mapping, Sequence

import numpy as np

from i2i.evaluation.classes import modes
from i2i.evaluation.copying import nearest
from i2i.evaluation.scores import OURS, Array, Scores, Section

Points = Mapping[str, Array]
"""Features by their name. Shape: (N, D) each."""
_TITLES = {"classes": "classes made", "class entropy": "evenness of classes", "asked": "of the class asked for"}


def classes_section(
    made: tuple[Points, Array | None], halves: Sequence[tuple[Points, Array]], names: Sequence[str], row: str
) -> Section:
    """Of what is made, and in `row` of one half of the real pictures beside the other.

    `made` has the classes that were asked for, None where that could not be; the halves have theirs. Shape: (N,) int64.
    """
    real = {name: np.concatenate([points[name] for points, _ in halves]) for name in made[0]}
    labels = np.concatenate([of for _, of in halves])
    rows: dict[str, Scores] = {OURS: {}, row: {}}
    for name, points in made[0].items():
        (one, its), (two, others) = halves
        rows[OURS] |= _scores(name, labels[nearest(points, real[name])[1]], made[1], len(names))
        rows[row] |= _scores(name, others[nearest(one[name], two[name])[1]], its, len(names))
    titles = {f"{name}/{key}": f"{title} ({name})" for name in made[0] for key, title in _TITLES.items()}
    return Section(
        title="Classes, by the nearest real picture",
        titles={key: title for key, title in titles.items() if key in rows[OURS]},
        rows=rows,
        notes=[
            f"classes made: share of the {len(names)} that some picture is nearest to; evenness: 1 is equally many of "
            f"each; of the class asked for: by chance {1 / len(names):.3f}, and as the real ones for a perfect one"
        ],
    )


def _scores(name: str, seen: Array, asked: Array | None, count: int) -> Scores:
    counted = modes(np.eye(count)[seen])
    found = {f"{name}/classes": counted.share, f"{name}/class entropy": counted.entropy}
    return found if asked is None else found | {f"{name}/asked": float(np.mean(seen == asked))}

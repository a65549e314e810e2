"""A translator on a split: against the truth where there are pairs, against the domain where there are none."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from i2i.data.folders import find_pairs, splits
from i2i.errors import DatasetError, SettingsError
from i2i.evaluation.domains import measure_domains
from i2i.evaluation.features import Features
from i2i.evaluation.leaving import Left
from i2i.evaluation.lpips import LPIPS
from i2i.evaluation.made import made_pairs
from i2i.evaluation.pairs import measure_pairs
from i2i.evaluation.scores import Evaluation, Scores
from i2i.evaluation.segmentation import Judge, judge_for
from i2i.evaluation.sides import of_domains, of_pairs
from i2i.recipes import RECIPES
from i2i.translator import Translator

Kind = Literal["auto", "pairs", "domains"]
"""What a split is taken for; auto: pairs where pictures have partners."""


_NO_TRUTH = "LPIPS compares with the truth, which two domains do not have: leave its files out of --weights."


def evaluate(
    translator: Translator,
    data: str | os.PathLike[str],
    *,
    split: str = "test",
    kind: Kind = "auto",
    out: str | os.PathLike[str] | None = None,
    segmentation: bool = False,
    cache: str | os.PathLike[str] | None = None,
    features: Sequence[Features] = (),
    lpips: Sequence[LPIPS] = (),
) -> Scores:
    """Scores of a translator on a split.

    Of pairs {"l1": ..., "psnr": ..., "ssim": ..., "copy the input/l1": ...}; of two domains {"random128/kid": ...,
    "structure": ..., "copy the input/random128/kid": ...}, see docs/evaluation.md. With `segmentation`, for translators
    of label maps, also "pixel", "class" and "iou" by a segmenter that is kept in the file `cache`, or taken from it.
    `features` and `lpips` as for `measure`.
    """
    kept = Path(cache) if cache is not None else None
    judge = judge_for(translator, Path(data), split, cache=kept) if segmentation else None
    found = measure(translator, data, split=split, kind=kind, out=out, judge=judge, features=features, lpips=lpips)
    others = found.floors | found.ceilings
    flat = {f"{row}/{name}": value for row, scores in others.items() for name, value in scores.items()}
    return found.metrics | flat


def measure(
    translator: Translator,
    data: str | os.PathLike[str],
    *,
    split: str = "test",
    kind: Kind = "auto",
    out: str | os.PathLike[str] | None = None,
    features: Sequence[Features] = (),
    on_progress: Callable[[int, int], None] | None = None,
    judge: Judge | None = None,
    model: str | os.PathLike[str] | None = None,
    lpips: Sequence[LPIPS] = (),
) -> Evaluation:
    """Translate a split's sources and compare with its targets, both at the scale that the network sees.

    `features` see what needs no truth; where none are given, the random ones do. A `judge`, from `judge_for`, is for
    pairs whose sources are label maps. `model` is what the translator was loaded from, by which the rule is known that
    chose its weights. With `out`: every translation under out/pictures, out/metrics.json and out/report.html. Raises
    DatasetError where there are no such pictures, or too few, SettingsError for a judge or `lpips` without pairs.
    """
    root, place = Path(data), Path(model) if model is not None else None
    if lpips and kind == "domains":
        raise SettingsError(_NO_TRUTH)
    if judge and kind == "domains":
        raise SettingsError(
            "a segmenter judges pairs alone: what two domains show has no label map. Leave out one of both."
        )
    require_split(root, split)
    if (task := translator.card.task).kind != "none":
        if judge or kind == "domains":
            raise SettingsError(f"{task.kind}: makes its own sources, which are compared with their pictures alone.")
        left = Left(Path(out)) if out is not None else None
        made = made_pairs(root, split, task)
        return measure_pairs(translator, root, split, made, left, on_progress, None, place, features, lpips)
    try:
        pairs = find_pairs(root, split).pairs
    except DatasetError as error:
        # Who trained on pairs wants to hear of the picture that lost its partner.
        if judge or kind == "pairs" or (kind == "auto" and _trained_on_pairs(translator)):
            raise
        try:
            sides = of_domains(root, split)
        except DatasetError:
            raise error from None
        if lpips:
            raise SettingsError(_NO_TRUTH) from None
        left = Left(Path(out)) if out is not None else None
        return measure_domains(translator, root, split, sides, left, on_progress, features, place)
    left = Left(Path(out)) if out is not None else None
    if kind == "domains":
        return measure_domains(translator, root, split, of_pairs(pairs), left, on_progress, features, place)
    return measure_pairs(translator, root, split, pairs, left, on_progress, judge, place, features, lpips)


def require_split(root: Path, split: str) -> None:
    """Raises DatasetError where a dataset has no such split."""
    if split not in splits(root):
        raise DatasetError(
            f"{root}: has no {split} split, only {', '.join(splits(root))}. Choose one with --split; scores on train "
            f"say how much was memorised, not how good it is."
        )


def _trained_on_pairs(translator: Translator) -> bool:
    found = RECIPES.get(translator.card.recipe)
    # The sources of a distillation are of any form, and its file says nothing of them.
    return found is not None and found.needs == "pairs" and found.model.kind != "distill"

"""`i2i evaluate`: models on held-out pictures, beside what needs no learning."""

import dataclasses
import functools
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from i2i.cli.parsing import Switch, Where, flag, parse, positive
from i2i.errors import SettingsError
from i2i.settings import Direction

if TYPE_CHECKING:
    from i2i.evaluation import Evaluation, Given, Judge, Several
    from i2i.evaluation.leaving import Cell


@dataclasses.dataclass(frozen=True, kw_only=True)
class Evaluate:
    """The flags of an evaluation; its words are MODEL... DATA."""

    words: Annotated[tuple[str, ...], tyro.conf.Positional, flag(metavar="MODEL... DATA")] = ()
    """Runs, model files or reference .pth, several for one table with mean and spread; a folder of pairs, of two
    domains without pairs, or of pictures for a GAN from noise."""
    split: Annotated[Literal["test", "val", "train"], tyro.conf.arg(metavar="test|val|train")] = "test"
    """Which pictures: training never sees test."""
    kind: Annotated[Literal["auto", "pairs", "domains"], tyro.conf.arg(metavar="auto|pairs|domains")] = "auto"
    """Compare with the truth, or as two domains; auto: with the truth where pictures have partners."""
    out: Annotated[Path | None, flag(metavar="DIR")] = None
    """Leave the translations, metrics.json and report.html there."""
    segmentation: Switch = False
    """For label maps to pictures: what a segmenter, trained here on the real training pairs, recognises in them."""
    classes: Annotated[int | None, flag(metavar="INT")] = None
    """Colours of the label maps; counted in them where nothing is said."""
    cache: Annotated[Path | None, flag(metavar="FILE.safetensors")] = None
    """Keep the segmenter there, or take it from there."""
    features: Annotated[Literal["auto", "random", "own", "both"], flag(metavar="auto|random|own|both")] = "auto"
    """What KID and the like see with: random filters, a network that learns from your training pictures in a minute or
    two, or both; auto: both for two domains of 20 training pictures or more."""
    features_cache: Annotated[Path | None, flag(metavar="FILE.safetensors")] = None
    """Keep the network of your own pictures there, or take it from there."""
    weights: Annotated[tuple[Path, ...], flag(metavar="FILE...")] = ()
    """See with these networks as well, .pth files that you have: Inception-v3, DINO, ResNet-50; two for LPIPS."""
    direction: Annotated[Direction | None, flag(metavar="AtoB|BtoA")] = None
    """Which translator of a CycleGAN run; AtoB where nothing is said."""
    device: Annotated[str, flag(metavar=Where)] = "auto"
    """Where to compute; auto takes the GPU where there is one."""
    precision: Annotated[Literal["auto", "fp32", "bf16"], flag(metavar="auto|fp32|bf16")] = "auto"
    """auto is bf16 where the device has arithmetic for it."""
    batch_size: Annotated[int, tyro.conf.arg()] = 8
    """Pictures that go through the network together."""
    more: Switch = False
    """Print also what people ask for: sliced Wasserstein, feature matching, F-score; metrics.json always has them."""
    json: Switch = False
    """Print JSON instead of a table."""


def main(args: Sequence[str]) -> int:
    """Measure, and print the scores; 1 where pictures were left out that cannot be read."""
    asked, behind = parse(
        Evaluate(),
        args,
        "i2i evaluate",
        "Measure models on held-out pictures, beside what needs no learning.\n\n"
        "Example: i2i evaluate runs/facades facades --split test --out results\n"
        "Seeds:   i2i evaluate runs/seed0 runs/seed1 facades --segmentation",
    )
    words = [*asked.words, *behind]
    if len(words) < 2:
        if asked.weights:
            raise SettingsError("--weights takes all the words behind it: say the model and the dataset before it.")
        raise SettingsError(
            f"wanted a model and a dataset, as in: i2i evaluate runs/facades facades; got {len(words)} of these. "
            f"See i2i evaluate --help"
        )
    positive("--batch-size", asked.batch_size)
    if asked.classes is not None:
        positive("--classes", asked.classes, least=2)
    for name in ("classes", "cache"):
        if getattr(asked, name) is not None and not asked.segmentation:
            raise SettingsError(f"--{name}: is the segmenter's, which --segmentation asks for.")
    if asked.features_cache is not None and asked.features == "random":
        raise SettingsError(
            "--features-cache: is for features of your own pictures, which --features random leaves out."
        )
    if asked.segmentation and asked.kind == "domains":
        raise SettingsError("--segmentation needs pairs, --kind domains forgets them: say one of them.")

    from i2i import evaluation

    *models, data = words
    judges: dict[object, Judge] = {}
    seen = functools.cache(lambda: _seen_with(asked, Path(data)))
    if len(models) == 1:
        _, found = _measure(asked, models[0], data, asked.out, judges, seen)
    else:

        def measure_one(name: str, model: str) -> "tuple[str, Evaluation]":
            return _measure(asked, model, data, asked.out / name if asked.out else None, judges, seen)

        found = evaluation.measured_together(models, measure_one)
        if asked.out is not None:
            evaluation.publish_several(asked.out, found)
    # The same pictures for all models.
    unreadable = (found.first if isinstance(found, evaluation.Several) else found).unreadable
    for reason in unreadable:
        print(f"left out: {reason}", file=sys.stderr)
    code = 1 if unreadable else 0
    if asked.json:
        content = found.content if isinstance(found, evaluation.Several) else dataclasses.asdict(found)
        print(json.dumps(content, indent=1, ensure_ascii=False))
        return code
    show(found, more=asked.more)
    if asked.out is not None:
        print(f"Pictures, metrics.json and report: {asked.out / 'report.html'}")
    return code


def _seen_with(asked: Evaluate, data: Path) -> "Given":
    """Features of the user's own pictures and files, which are the same for all models."""
    from i2i import evaluation
    from i2i.cli.progress import Bar, Stage
    from i2i.engine.device import choose_device

    given = evaluation.read_weights(asked.weights, choose_device(asked.device))
    began = time.monotonic()
    with Bar("features", "steps") as bar:
        own = evaluation.own_features_for(
            data,
            asked.split,
            asked=asked.features,
            kind=asked.kind,
            cache=asked.features_cache,
            on_progress=Stage(bar),
        )
        if own is not None:
            bar.note(f"{own.name}: features of your own training pictures, {time.monotonic() - began:.0f} s")
    return evaluation.Given([*([own] if own is not None else []), *given.features], given.lpips)


def _measure(
    asked: Evaluate, model: str, data: str, out: Path | None, judges: "dict[object, Judge]", seen: "Callable[[], Given]"
) -> "tuple[str, Evaluation]":
    """Which way a model goes, and its scores; a segmenter is trained once for all models that it fits."""
    from i2i import evaluation
    from i2i.cli.progress import Bar, Stage
    from i2i.sampler import holds_sampler
    from i2i.translator import Translator

    if holds_sampler(Path(model)):
        return "from noise", _measure_samples(asked, model, data, out)
    translator = Translator.load(
        model,
        device=asked.device,
        direction=asked.direction,
        precision=asked.precision,
        batch_size=asked.batch_size,
    )
    ours = [] if asked.features == "own" else [evaluation.random_features_for(translator, Path(data), asked.split)]
    also = seen()  # a minute of training perhaps: not before a model and pictures are there
    judge = None
    if asked.segmentation:
        key = translator.card.direction, translator.card.size
        if key not in judges:
            with Bar("segmenter", "batches") as bar:
                judges[key] = evaluation.judge_for(
                    translator,
                    Path(data),
                    asked.split,
                    classes=asked.classes,
                    cache=asked.cache,
                    on_progress=Stage(bar),
                )
        judge = judges[key]
    with Bar("picture", "images") as bar:
        found = evaluation.measure(
            translator,
            data,
            split=asked.split,
            kind=asked.kind,
            out=out,
            on_progress=Stage(bar),
            judge=judge,
            model=model,
            features=[*ours, *also.features],
            lpips=also.lpips,
        )
    return translator.card.direction, found


def _measure_samples(asked: Evaluate, model: str, data: str, out: Path | None) -> "Evaluation":
    """A generator of pictures from noise."""
    from i2i import evaluation
    from i2i.cli.progress import Bar, Stage
    from i2i.engine.device import choose_device
    from i2i.evaluation.features import random_features
    from i2i.sampler import PictureSampler
    from i2i.settings import parse_size

    default = Evaluate()
    for name in ("kind", "segmentation", "classes", "cache", "direction", "features_cache"):
        if getattr(asked, name) != getattr(default, name):
            flag = name.replace("_", "-")
            raise SettingsError(f"--{flag}: is for translators, and {model} makes pictures from noise: leave it away.")
    if asked.features in ("own", "both"):
        raise SettingsError(
            f"--features {asked.features}: are learnt from two domains, and {model} has one: give --weights, or leave "
            f"it away."
        )
    sampler = PictureSampler.load(model, device=asked.device, batch_size=asked.batch_size)
    also = evaluation.read_weights(asked.weights, choose_device(asked.device))
    if also.lpips:
        raise SettingsError(
            "LPIPS compares with the truth, which samples do not have: leave its files out of --weights."
        )
    with Bar("picture", "images") as bar:
        return evaluation.measure_samples(
            sampler,
            data,
            split=asked.split,
            out=out,
            features=[random_features(min(parse_size(sampler.card.size))), *also.features],
            on_progress=Stage(bar),
        )


def show(found: "Evaluation | Several", *, more: bool = False) -> None:
    """The scores as tables, ours before the floors; what people ask for only with `more`."""
    from rich.console import Console
    from rich.table import Table

    from i2i.cli.parsing import columns
    from i2i.evaluation import Several
    from i2i.evaluation.leaving import section_table, table, upright

    one = found.first if isinstance(found, Several) else found
    ours = len(found.runs) + 2 if isinstance(found, Several) else 1
    titles, rows = table(found)
    shown = Table(title=f"{one.pictures} pictures of the {one.split} split", title_justify="left")
    shown.add_column("", no_wrap=True)
    for title in titles[1:]:
        shown.add_column(title, justify="right")
    for index, (name, *values) in enumerate(rows):
        shown.add_row(str(name), *map(_cell, values), end_section=upright(found) and index == ours - 1)
    console = Console(width=max(80, columns()), markup=False, highlight=False, soft_wrap=True)
    console.print(shown)
    for name, section in found.sections.items():
        if name == "more" and not more:
            continue
        titles, rows = section_table(section)
        below = Table(title=section.title, title_justify="left")
        below.add_column("", no_wrap=True)
        for title in titles[1:]:
            below.add_column(title, justify="right")
        for row in rows:
            below.add_row(*(_cell(value) for value in row))
        console.print(below)
        for note in section.notes:
            console.print(note)
    for note in found.notes:
        console.print(note)


def _cell(value: "Cell") -> str:
    from i2i.report import Measured

    if isinstance(value, Measured):
        return f"{_cell(value.value)}\n[{_cell(value.lower)}, {_cell(value.upper)}]"
    return value if isinstance(value, str) else f"{value:.{2 if abs(value) >= 1 else 3}f}"

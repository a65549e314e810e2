"""`i2i sample`: pictures from a trained generator, from noise alone."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from i2i.cli.parsing import Switch, Where, flag, given, parse, positive
from i2i.errors import SettingsError

if TYPE_CHECKING:
    from i2i.evaluation.like_samples import LikeSamples
    from i2i.images.pixels import Array
    from i2i.report import Example
    from i2i.sampler import PictureSampler


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sample:
    """The flags of sampling; its word is MODEL."""

    words: Annotated[tuple[str, ...], tyro.conf.Positional, flag(metavar="MODEL")] = ()
    """A run of a GAN from noise, or a sampler file."""
    out: Annotated[Path | None, flag(metavar="DIR")] = None
    """Where the pictures go; sampled/MODEL where nothing is said."""
    count: Annotated[int, tyro.conf.arg()] = 64
    """Pictures to make."""
    seed: Annotated[int, tyro.conf.arg()] = 0
    """The first one's; the others count on from it, and each is the same whatever is made beside it."""
    label: Annotated[str | None, flag(metavar="NAME")] = None
    """Of this class alone; without, all classes in turn."""
    text: Annotated[str | None, flag(metavar="TEXT")] = None
    """What to make, to a model that reads texts; without, captions that it learnt from in turn."""
    embeddings: Annotated[Path | None, flag(metavar="FILE")] = None
    """The vectors of texts, to a model that learnt from such: a .safetensors with a tensor for each, named by it."""
    truncation: Annotated[float | None, flag(metavar="FLOAT")] = None
    """How far noise may stray: less is more usual and more alike, 0 one picture a class; without, as in training."""
    interpolate: Annotated[tuple[int, ...], flag(metavar="SEED SEED...")] = ()
    """Walk from the picture of each of these seeds to the next one's instead."""
    frames: Annotated[int, tyro.conf.arg()] = 8
    """Of a walk, from one seed to the next."""
    columns: Annotated[int | None, flag(metavar="INT")] = None
    """Of grid.png; as many as classes, or what makes a square."""
    only_grid: Switch = False
    """Leave grid.png alone, no picture by itself."""
    neighbours: Annotated[Path | None, flag(metavar="DATA")] = None
    """Put beside the first pictures the nearest of these that the model was trained on, in neighbours.png."""
    near: Annotated[Literal["pixels", "features"], flag(metavar="pixels|features")] = "pixels"
    """What is near: pixel by pixel, or by what random filters make of a picture, which takes ten times as long."""
    report: Annotated[Path | None, flag(metavar="FILE.html")] = None
    """Write a page with the pictures, and with those that are nearest to them where --neighbours asks for these."""
    device: Annotated[str, flag(metavar=Where)] = "auto"
    """Where to compute; auto takes the GPU where there is one."""
    batch_size: Annotated[int, tyro.conf.arg()] = 32
    """Pictures that are made together; it changes none of them."""
    overwrite: Switch = False
    """Replace pictures that are there already."""


SHOWN = 24
"""Pictures beside which their neighbours are shown, at most."""


def main(args: Sequence[str]) -> int:
    """Make pictures, and say where they are."""
    asked, behind = parse(
        Sample(),
        args,
        "i2i sample",
        "Make pictures with a trained GAN, from noise; nothing is overwritten unless you say so.\n\n"
        "Example: i2i sample runs/cats --count 64 --seed 1 --out cats\n"
        "Walk:    i2i sample runs/cats --interpolate 3 17 42 --frames 16",
    )
    words = [*asked.words, *behind]
    if len(words) != 1:
        if asked.interpolate and not words:
            raise SettingsError("--interpolate takes all the words behind it: say the model before it.")
        raise SettingsError(
            f"wanted one model, as in: i2i sample runs/cats --out cats; got {len(words)} words. See i2i sample --help"
        )
    for name in ("count", "frames", "batch_size", "columns"):
        if (value := getattr(asked, name)) is not None:
            positive(f"--{name.replace('_', '-')}", value)
    if asked.interpolate:
        for name in ("count", "seed", "columns", "only-grid", "neighbours", "report"):
            if given(args, f"--{name}"):
                raise SettingsError(f"--{name}: is for pictures, and --interpolate makes a walk: say one of them.")
    elif given(args, "--frames"):
        raise SettingsError("--frames: is for a walk, which --interpolate SEED SEED asks for.")

    from i2i.cli.progress import Bar, Stage
    from i2i.sampler import PictureSampler, describe
    from i2i.sampler.folder import write_samples, write_walk

    model = Path(words[0])
    sampler = PictureSampler.load(model, device=asked.device, batch_size=asked.batch_size, embeddings=asked.embeddings)
    out = asked.out or Path("sampled") / (model.resolve().name if model.is_dir() else model.stem)
    print(f"{describe(sampler.card)}{_named(sampler.classes)}.")
    if asked.interpolate:
        with Bar("frame", "frames") as bar:
            total = write_walk(
                sampler,
                asked.interpolate,
                asked.frames,
                out,
                label=asked.label,
                text=asked.text,
                truncation=asked.truncation,
                overwrite=asked.overwrite,
                on_progress=Stage(bar),
            )
        print(f"{total} frames: {out / 'frames'}, {out / 'walk.png'} and {out / 'walk.webp'}")
        return 0
    beside = out / "neighbours.png"
    if asked.neighbours is not None and beside.exists() and not asked.overwrite:
        raise SettingsError(f"{beside}: is there already. Choose another --out, or say --overwrite.")
    reals = _learnt(asked.neighbours, sampler, asked) if asked.neighbours is not None else None
    with Bar("picture", "images") as bar:
        shown = write_samples(
            sampler,
            range(asked.seed, asked.seed + asked.count),
            out,
            label=asked.label,
            text=asked.text,
            truncation=asked.truncation,
            columns=asked.columns,
            only_grid=asked.only_grid,
            overwrite=asked.overwrite,
            on_progress=Stage(bar),
        )
    alone = "" if asked.only_grid else f"{asked.count} pictures in {out}; "
    first = f" (the first {len(shown)})" if len(shown) < asked.count else ""
    print(f"{alone}all at a glance{first}: {out / 'grid.png'}")
    nearest = _put_beside(shown[:SHOWN], reals, asked, beside) if reals is not None else []
    if asked.report is not None:
        _write_page(asked.report, sampler, shown, asked, nearest)
    return 0


def _write_page(
    path: Path, sampler: "PictureSampler", shown: "Sequence[Array]", asked: Sample, nearest: "Sequence[Example]"
) -> None:
    from i2i.report import Example, samples_report

    seeds = range(asked.seed, asked.seed + asked.count)
    labels = sampler.labels(seeds, asked.label) if sampler.classes and asked.text is None else None
    first = f", {len(shown)} shown" if len(shown) < asked.count else ""
    summary = {"pictures": f"{asked.count:,}{first}", "seeds": f"{seeds[0]} to {seeds[-1]}"}
    summary |= {"truncation": f"{asked.truncation:g}"} if asked.truncation is not None else {}
    summary |= {"text": asked.text} if asked.text is not None else {}
    samples_report(
        path,
        title=sampler.card.recipe or "Pictures from noise",
        summary=summary,
        pictures=[
            Example(f"seed {seed}", {sampler.classes[labels[index]] if labels is not None else "made": picture})
            for index, (seed, picture) in enumerate(zip(seeds, shown, strict=False))
        ],
        nearest=nearest,
    )
    print(f"Page: {path}")


def _named(classes: Sequence[str]) -> str:
    from i2i.data.listing import some

    return f" ({some(classes, 12)})" if classes else ""


def _learnt(data: Path, sampler: "PictureSampler", asked: Sample) -> "LikeSamples":
    from i2i.evaluation.like_samples import LikeSamples
    from i2i.evaluation.lots import MOST

    return LikeSamples(data, "train", sampler.card, MOST if asked.near == "features" else None)


def _put_beside(made: "Sequence[Array]", reals: "LikeSamples", asked: Sample, path: Path) -> "list[Example]":
    """Samples with their nearest training pictures, also as a page shows them."""
    from i2i import images, report
    from i2i.cli.progress import Bar, Stage
    from i2i.evaluation.features import random_features
    from i2i.evaluation.neighbours import neighbours

    by_features = asked.near == "features"
    with Bar("training picture", "images") as bar:
        features = random_features(min(made[0].shape[:2])) if by_features else None
        found = neighbours(made, reals, features, Stage(bar))
    what = f"nearest by {asked.near}"
    unit = "" if by_features else " of 255"
    sheet = report.sheet(
        {"made": made, what: [reals[one.place] for one in found]},
        captions=[f"{reals.name(one.place)}, {one.distance:.1f}{unit}" for one in found],
        side=128,
    )
    images.write(path, sheet)
    looked = f"{len(reals)} of {reals.total}" if len(reals) < reals.total else f"all {reals.total}"
    print(f"The nearest of {looked} training pictures beside {len(made)} of them: {path}")
    return [
        report.Example(
            f"seed {asked.seed + index}",
            {"made": picture, "nearest": reals[one.place]},
            f"{reals.name(one.place)}, {one.distance:.1f}{unit}",
        )
        for index, (picture, one) in enumerate(zip(made, found, strict=True))
    ]

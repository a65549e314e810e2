"""Conversion of a folder: each stage alone, and all together beside the slowest of them."""

import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from i2i import conversion, images
from i2i.benchmark.spread import Spread
from i2i.benchmark.timing import synchronize
from i2i.conversion import job as stages
from i2i.conversion import pipeline
from i2i.conversion.job import Job
from i2i.data.listing import scan
from i2i.engine.device import describe
from i2i.errors import DatasetError
from i2i.networks.settings import ResNet, UNet
from i2i.translator import Card, Precision, Translator
from i2i.translator.pictures import by_size

Stage = Literal["decode", "translate", "encode"]


@dataclass(frozen=True, kw_only=True)
class ConversionFigures:
    """Pictures a second, of each stage alone and of all together."""

    model: str
    pictures: int
    device: str
    batch_size: int
    workers: int
    decode: Spread
    """Files to pixels, on all threads."""
    translate: Spread
    """Pixels to pixels: to the network's scale, through it, and back."""
    encode: Spread
    """Pixels to files, on all threads."""
    whole: Spread
    """Folder to folder."""
    slowest: Stage
    """The stage that sets the limit where stages overlap without cost."""
    of_slowest: float
    """The whole's rate, of that stage's."""
    cpu: dict[str, float]
    """Seconds of CPU time a picture takes in each stage, over all cores."""
    cores: int
    """That this process may use."""
    bound: float
    """Pictures a second where these cores do nothing else: stages that share them cannot overlap for nothing."""
    of_bound: float
    """The whole's rate, of the lower of that and the slowest stage's."""


def random_translator(
    kind: Literal["unet", "resnet"], size: int, *, width: int = 64, device: str, precision: Precision, batch_size: int
) -> Translator:
    """A generator that has learnt nothing, which costs as much as one that has."""
    architecture = UNet(width=width) if kind == "unet" else ResNet(width=width)
    card = Card(architecture=architecture, in_channels=3, out_channels=3, size=str(size))
    network = architecture.build(3, 3, (size, size))
    return Translator(network, card, device=device, precision=precision, batch_size=batch_size)


def write_pictures(folder: Path, count: int, size: int, suffix: str = ".jpg") -> None:
    """Smooth random pictures, which compress about as photos do."""
    random = np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        coarse = random.integers(0, 256, (max(2, size // 8), max(2, size // 8), 3), dtype=np.uint8)
        images.write(folder / f"{number:05d}{suffix}", images.resize(coarse, (size, size)))


def measure_conversion(
    translator: Translator,
    folder: Path,
    *,
    model: str,
    workers: int | Literal["auto"] = "auto",
    most: int = 256,
    repeats: int = 5,
) -> ConversionFigures:
    """Convert the folder's pictures, `most` at most for the single stages. Raises DatasetError where there are none."""
    paths = list(scan(folder).paths())
    if not paths:
        raise DatasetError(f"{folder}: no pictures in there. Wanted: jpg, png, webp, bmp or tif files.")
    threads = pipeline.threads(workers)
    few = paths[:most]
    jobs: list[Job] = []
    size = translator.batch_size
    with tempfile.TemporaryDirectory(prefix="i2i-benchmark-") as scratch, ThreadPoolExecutor(threads) as pool:
        out = Path(scratch)

        def read(path: Path) -> Job:
            job = stages.read(Job(path, out / path.name), "whole")
            pipeline.prepare(translator, job)
            return job

        def decode() -> None:
            jobs[:] = pool.map(read, few)

        def translate() -> None:
            readable = [job for job in jobs if job.small is not None]
            for together in by_size([job.small for job in readable if job.small is not None], size):
                pipeline.translate(translator, [readable[index] for index in together])
            synchronize(translator.device)

        def write(job: Job) -> None:
            small = job.result
            pipeline.finish(translator, job)
            stages.write(job)
            job.result = small

        def encode() -> None:
            list(pool.map(write, jobs))

        measured: dict[Stage, tuple[Spread, float]] = {
            "decode": _rate(decode, len(few), repeats),
            "translate": _rate(translate, len(few), repeats),
            "encode": _rate(encode, len(few), repeats),
        }
        whole = Spread.of(_whole(translator, folder, out / f"whole-{repeat}", workers) for repeat in range(repeats))
    stages_alone: dict[Stage, Spread] = {name: rate for name, (rate, _) in measured.items()}
    cpu: dict[str, float] = {name: seconds for name, (_, seconds) in measured.items()}
    bound = pipeline.cores() / sum(cpu.values())
    slowest = min(stages_alone, key=lambda name: stages_alone[name].median)
    limit = stages_alone[slowest].median
    return ConversionFigures(
        model=model,
        pictures=len(paths),
        device=describe(translator.device, translator.precision),
        batch_size=translator.batch_size,
        workers=threads,
        decode=stages_alone["decode"],
        translate=stages_alone["translate"],
        encode=stages_alone["encode"],
        whole=whole,
        slowest=slowest,
        of_slowest=whole.median / limit,
        cpu=cpu,
        cores=pipeline.cores(),
        bound=bound,
        of_bound=whole.median / min(bound, limit),
    )


def _rate(stage: Callable[[], None], pictures: int, repeats: int) -> tuple[Spread, float]:
    """Pictures a second, and seconds of CPU time a picture, after one run that does not count."""
    stage()
    rates = []
    cpu = time.process_time()
    for _ in range(repeats):
        started = time.perf_counter()
        stage()
        rates.append(pictures / (time.perf_counter() - started))
    return Spread.of(rates), (time.process_time() - cpu) / repeats / pictures


def _whole(translator: Translator, folder: Path, out: Path, workers: int | Literal["auto"]) -> float:
    summary = conversion.translate(translator, folder, out, workers=workers, half="whole")
    return summary.converted / summary.seconds

"""`i2i benchmark load`: the loader alone."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from i2i.cli.benchmark.flags import OfExperiment, read_experiment
from i2i.cli.benchmark.tables import console, leave, number, spread, table, tell
from i2i.cli.parsing import flag, positive


@dataclasses.dataclass(frozen=True, kw_only=True)
class LoadPart(OfExperiment):
    """The flags of measuring the loader."""

    data_dir: Annotated[Path | None, flag(name="data", metavar="DIR")] = None
    """The folder to read; 32 drawn pairs where nothing is said."""
    cache: Annotated[Literal["auto", "memory", "disk", "none"], flag(metavar="auto|memory|disk|none")] = "auto"
    """Where pictures are kept decoded; auto as a run decides it, none decodes them every time."""
    batches: Annotated[int | None, flag(metavar="INT")] = None
    """Batches of a repeat; as many as take 2 seconds where nothing is said."""


def main(args: Sequence[str]) -> int:
    """Measure, and print."""
    asked, experiment = read_experiment(
        LoadPart(),
        args,
        "load",
        "How many pictures a second the loader brings, with a recipe's geometry and no network behind it.\n\n"
        "Example: i2i benchmark load pix2pix --data facades --size 256",
    )
    if asked.batches is not None:
        positive("--batches", asked.batches)
    from i2i.benchmark.load import measure_loading
    from i2i.benchmark.scratch import given_or_drawn

    def measure(data: Path) -> int:
        found = measure_loading(
            experiment,
            data,
            device=asked.device,
            workers=asked.workers,
            cache=asked.cache,
            batches=asked.batches,
            repeats=asked.repeats,
        )
        leave(asked.json, "load", found)
        unit = {"pairs": "pairs", "domains": "pictures of each domain"}.get(experiment.needs, "pictures")
        rows = [
            (f"{unit}/s", spread(found.items_per_second, number)),
            ("seconds to read the folder through", number(found.opening_s)),
            ("seconds to keep pictures decoded", number(found.keeping_s)),
            ("seconds to the first batch", number(found.first_batch_s)),
        ]
        title = f"{found.data}: {found.items} {unit}, {found.size} px, batch {found.batch_size}"
        table(title, ("", "i2i"), rows)
        for note in found.notes:
            console().print(note)
        return 0

    with given_or_drawn(asked.data_dir, experiment.data.crop, tell) as data:
        return measure(data)

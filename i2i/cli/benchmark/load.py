"""`i2i benchmark load`: the loader alone."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from i2i.cli.benchmark.flags import OfExperiment, read_experiment
from i2i.cli.benchmark.tables import leave, number, spread, table, tell
from i2i.cli.parsing import flag, positive


@dataclasses.dataclass(frozen=True, kw_only=True)
class LoadPart(OfExperiment):
    """The flags of measuring the loader."""

    data_dir: Annotated[Path | None, flag(name="data", metavar="DIR")] = None
    """The folder to read; 32 drawn pairs where nothing is said."""
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
    from i2i.benchmark.scratch import drawn_pairs

    def measure(data: Path) -> int:
        found = measure_loading(experiment, data, workers=asked.workers, batches=asked.batches, repeats=asked.repeats)
        leave(asked.json, "load", found)
        unit = {"pairs": "pairs", "domains": "pictures of each domain", "pictures": "pictures"}[experiment.needs]
        rows = [
            (f"{unit}/s", spread(found.items_per_second, number)),
            ("seconds to read the folder through", number(found.opening_s)),
            ("seconds to the first batch", number(found.first_batch_s)),
        ]
        title = f"{found.data}: {found.items} {unit}, {found.size} px, batch {found.batch_size}"
        table(f"{title}, {found.workers} loader processes", ("", "i2i"), rows)
        return 0

    if asked.data_dir is not None:
        return measure(asked.data_dir)
    tell("no --data: drawing 32 pairs")
    with drawn_pairs(experiment.data.crop) as data:
        return measure(data)

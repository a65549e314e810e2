"""`i2i recipes`: the table of recipes."""

import dataclasses
import re
from collections.abc import Sequence

from i2i.cli.parsing import columns, no_words, parse
from i2i.experiment import Experiment
from i2i.recipes import RECIPES
from i2i.settings import as_dict

NEEDS = {
    "pairs": "pairs: side by side, two folders of the same names, or pairs.csv",
    "domains": "two folders, A and B, nothing paired",
    "pictures": "one folder of pictures",
}


@dataclasses.dataclass(frozen=True)
class Recipes:
    """No flags."""


def main(args: Sequence[str]) -> int:
    """Print the table."""
    _, words = parse(Recipes(), args, "i2i recipes", "The table of recipes.\n\nExample: i2i recipes")
    no_words(words, "i2i recipes takes none.")
    from rich.console import Console
    from rich.table import Table

    table = Table("recipe", "paper", "needs", "does", "of note")
    table.columns[0].no_wrap = True
    for name, experiment in RECIPES.items():
        table.add_row(name, *describe(experiment))
        table.add_section()
    Console(width=max(80, columns()), markup=False, highlight=False).print(table)
    print("Train one: i2i train RECIPE --data DIR     All its settings: i2i train RECIPE --help")
    return 0


def describe(experiment: Experiment) -> tuple[str, str, str, str]:
    """Paper, data, purpose and parameters, from the experiment itself."""
    task = experiment.data.task
    taught: object = experiment.model if task.kind == "none" else task
    about = " ".join((type(taught).__doc__ or "").split())
    paper = re.search(r"\(([^()]*\d{4})\)", about)
    does = about.partition(": ")[2].rstrip(".")
    return paper[1] if paper else "", NEEDS[experiment.folder], does, parameters(experiment)


def parameters(experiment: Experiment) -> str:
    """What distinguishes an experiment: size, networks, objective, weights, length."""
    model, data, training = experiment.model, experiment.data, experiment.training
    scale = "" if data.resize == "none" else f" of {data.resize} {min(data.loaded)}"
    length = f"{training.steps} steps" if training.steps else f"{training.epochs} epochs"
    weights = [f"{name} {value:g}" for name, value in as_dict(model).items() if name.startswith("lambda_") and value]
    networks = f"{model.generator.kind} {model.generator.width}, {model.discriminator.kind} {model.discriminator.width}"
    averaged = [f"EMA {training.ema:g}"] if training.ema else []
    parts = [f"size {data.size}{scale}", networks, model.objective.kind, *weights, *averaged]
    return ", ".join([*parts, f"batch {training.batch_size}", length])

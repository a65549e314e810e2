"""The table of docs/recipes.md is what the recipes say.

python tests/docs/test_recipe_table.py    prints it, to be put there
"""

from pathlib import Path

from i2i.experiment import Experiment
from i2i.recipes import RECIPES
from i2i.settings import as_dict

PAGE = Path(__file__).parents[2] / "docs" / "recipes.md"
HEAD = ("recipe", "trains on", "crop", "G", "D", "objective, weights", "batch", "length")
FOLDERS = {"pairs": "pairs", "domains": "two folders", "pictures": "one folder"}


def table() -> str:
    rows = [HEAD, ["---"] * len(HEAD), *([f"`{name}`", *_row(one)] for name, one in RECIPES.items())]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(experiment: Experiment) -> list[str]:
    settings = as_dict(experiment)
    model, data, training = settings["model"], settings["data"], settings["training"]
    folder = FOLDERS.get(experiment.folder, experiment.folder)
    kept = [f"{name.removeprefix('lambda_')} {value:g}" for name, value in model.items() if _is_weight(name) and value]
    if training["ema"]:
        kept.append(f"EMA {training['ema']:g}")
    return [
        "classes" if model.get("conditional") else "any" if model.get("sources") == "auto" else folder,
        data["size"],
        _network(model["generator"]),
        _network(model["discriminator"]),
        ", ".join([str(model["objective"]["kind"]), *kept]),
        str(training["batch_size"]),
        f"{training['steps']:,} steps" if training["steps"] else f"{training['epochs']} epochs",
    ]


def _is_weight(name: str) -> bool:
    return name.startswith("lambda_")


def _network(settings: dict[str, object]) -> str:
    return f"{settings['kind']} {settings['width']}" if "width" in settings else str(settings["kind"])


def test_the_table_is_what_the_recipes_say() -> None:
    assert table() in PAGE.read_text(encoding="utf-8")


if __name__ == "__main__":
    print(table())

"""`i2i recipes`: the table of recipes, and all that one of them is."""

import dataclasses
import json
import textwrap
from collections.abc import Sequence
from typing import Annotated

import tyro

from i2i.cli.parsing import Switch, columns, flag, no_words, parse
from i2i.experiment import Experiment, to_yaml
from i2i.recipes import RECIPES, recipe
from i2i.settings import as_dict

ABOUT = {
    "pix2pix": "the paper's: U-Net, PatchGAN, 100 L1 (Isola et al. 2017)",
    "pix2pix-plus": "ours: no weave, and a segmenter recognises more in it",
    "distill": "a small copy of a trained translator (Li et al. 2020)",
    "cyclegan": "both directions at once (Zhu et al. 2017)",
    "cut": "one direction, a third less arithmetic (Park et al. 2020)",
    "cut-plus": "ours: changes what must change, keeps the rest",
    "fastcut": "one direction, half as many epochs (Park et al. 2020)",
    "super-resolution": "enlarges (Ledig et al. 2017)",
    "colorize": "colours gray pictures (Isola et al. 2017)",
    "inpaint": "fills holes (Pathak et al. 2016)",
    "sketch": "paints drawings (Isola et al. 2017)",
    "next-frame": "predicts the next frame of a video (Mathieu et al. 2016)",
    "gan": "the first: full connections, 28 px (Goodfellow et al. 2014)",
    "dcgan": "convolutions, 64 px (Radford et al. 2016)",
    "lsgan": "the same with least squares (Mao et al. 2017)",
    "wgan": "D measures a distance, by clipping (Arjovsky et al. 2017)",
    "wgan-gp": "the same, by a gradient penalty (Gulrajani et al. 2017)",
    "ebgan": "D is an autoencoder with a margin (Zhao et al. 2017)",
    "began": "D is an autoencoder in balance (Berthelot et al. 2017)",
    "progan": "grows from 4 pixels to full size (Karras et al. 2018)",
    "stylegan": "by way of styles: StyleGAN2 (Karras et al. 2020)",
    "cgan": "DCGAN that is told the class (Mirza & Osindero 2014)",
    "sagan": "attention and spectral norm (Zhang et al. 2019)",
    "text-to-image": "made of what a caption says (Reed et al. 2016)",
    "biggan": "SAGAN with noise at every scale (Brock et al. 2019)",
}
"""What each is, in the rest of a line of 80 columns. Of a recipe that is not here its model's docstring tells."""
_INDENT = 19
"""Where that begins: behind the longest name."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recipes:
    """The flags of the table; its word is a recipe."""

    words: Annotated[tuple[str, ...], tyro.conf.Positional, flag(metavar="RECIPE")] = ()
    """All of this recipe; without one they are listed."""
    json: Switch = False
    """Print JSON, with every setting."""


def main(args: Sequence[str]) -> int:
    """List the recipes, or tell all of one."""
    asked, behind = parse(
        Recipes(), args, "i2i recipes", "The table of recipes, or all of one.\n\nExample: i2i recipes pix2pix"
    )
    name, *more = [*asked.words, *behind] or [""]
    no_words(more, "one recipe at a time, as in: i2i recipes pix2pix")
    if asked.json:
        found = about(recipe(name)) if name else [about(one) for one in RECIPES.values()]
        print(json.dumps(found, indent=1, ensure_ascii=False))
    elif name:
        _tell(recipe(name))
    else:
        _list()
    return 0


def about(experiment: Experiment) -> dict[str, object]:
    """What JSON says of a recipe."""
    parts = {"recipe": experiment.recipe, "is": describe(experiment), "needs": experiment.folder}
    return {**parts, "folder": folder(experiment), "of_note": parameters(experiment), "settings": as_dict(experiment)}


def _list() -> None:
    """A line a recipe, in the order of what they are trained on."""
    width = max(80, min(columns(), 120))
    groups: dict[str, list[Experiment]] = {}
    for experiment in RECIPES.values():
        groups.setdefault(folder(experiment), []).append(experiment)
    for needs, experiments in groups.items():
        print(needs)
        for one in experiments:
            line = f"  {one.recipe:<{_INDENT - 2}}{describe(one)}"
            print(textwrap.fill(line, width, subsequent_indent=" " * _INDENT))
    print("\nAll of one: i2i recipes RECIPE     Train it: i2i train RECIPE --data FOLDER")


def _tell(experiment: Experiment) -> None:
    """One recipe: what it is, what it needs, and its settings as a file that --config takes."""
    print(f"# {experiment.recipe}: {describe(experiment)}")
    print(f"# trained on: {folder(experiment)}")
    print(f"# of note: {parameters(experiment)}")
    print(f"# train it: i2i train {experiment.recipe} --data FOLDER; its flags: i2i train {experiment.recipe} --help")
    print(to_yaml(experiment), end="")


def describe(experiment: Experiment) -> str:
    """What a recipe is, in a line."""
    if experiment.recipe in ABOUT:
        return ABOUT[experiment.recipe]
    task = experiment.data.task
    taught: object = experiment.model if task.kind == "none" else task
    return " ".join((type(taught).__doc__ or "").split()).rstrip(".")


def folder(experiment: Experiment) -> str:
    """What a recipe is trained on."""
    if experiment.folder == "pairs":
        return "Pairs: side by side, two folders of the same names, or pairs.csv"
    if experiment.folder == "domains":
        return "Two folders, A and B, nothing paired"
    if experiment.folder == "captions":
        return "One folder of pictures with captions: pictures of what a text says"
    if experiment.data.task.kind != "none":
        return "One folder of pictures, of which the sources are made"
    if getattr(experiment.model, "conditional", False):
        return "A folder a class: pictures of a chosen class, from noise"
    return "One folder: pictures from noise"


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

"""The classes of a conditional model: the class folders of its data, by name."""

from collections.abc import Sequence
from pathlib import Path

from i2i.data.class_counts import refuse_left_without
from i2i.data.folders import find_pictures
from i2i.data.opening import Opened
from i2i.errors import DatasetError
from i2i.experiment import Experiment, change
from i2i.models.settings import FromNoise


def with_classes(experiment: Experiment, data: Path) -> Experiment:
    """The experiment with the names of the class folders, where its model is conditional and knows none yet.

    Raises DatasetError where there are no two of them.
    """
    model = experiment.model
    if not isinstance(model, FromNoise) or not model.conditional or model.classes:
        return experiment
    found = find_pictures(data)
    if len(found.classes) < 2:
        what = f"one class folder, {found.classes[0]}" if found.classes else "no class folders"
        raise DatasetError(
            f"{found.place}: has {what}, but a conditional model learns to tell two or more apart. Wanted: "
            f"train/<class>/*.jpg, every picture in the folder of its class; without classes use the recipe dcgan "
            f"or --model.no-conditional."
        )
    return change(experiment, {"model": {"classes": list(found.classes)}})


def refuse_empty_classes(experiment: Experiment, opened: Opened, data: Path) -> None:
    """Of each class that is to be told apart a picture at least is trained on. Raises DatasetError."""
    if getattr(experiment.model, "conditional", False):
        refuse_left_without(opened.class_counts, opened.classes, str(data))


def refuse_other_classes(experiment: Experiment, found: Sequence[str], data: Path) -> None:
    """A run goes on with the classes that it knows. Raises DatasetError."""
    model = experiment.model
    if not isinstance(model, FromNoise) or not model.conditional or tuple(found) == model.classes:
        return
    raise DatasetError(
        f"{data}: has the class folders {', '.join(found) or 'of none'}, but the model knows "
        f"{', '.join(model.classes)}. Train on the folders that it knows, or another run on these."
    )

"""An experiment as exact and as plain as it gets, and as fast as the device gives."""

import dataclasses
from collections.abc import Mapping

from i2i.engine.settings import TrainingSettings
from i2i.experiment import Experiment, Tree, change

PLAIN: Tree = {"compile": False, "graph": False}
"""What makes training faster and may be switched off; those that this version of the settings has."""


def exact(experiment: Experiment) -> Experiment:
    """float32, op by op: what everything faster is judged by."""
    known = {field.name for field in dataclasses.fields(TrainingSettings)}
    plain = {name: value for name, value in PLAIN.items() if name in known}
    return change(experiment, {"training": {"precision": "fp32", **plain}})


def arms(experiment: Experiment) -> Mapping[str, Experiment]:
    """By name: fp32 eager, and the experiment as it is."""
    return {"fp32 eager": exact(experiment), "fast": experiment}

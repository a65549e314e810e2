"""The captions of a text-to-image model: what they are to it, from the data and the user's embeddings."""

from itertools import chain
from pathlib import Path

from i2i.data.captions.embeddings import Embeddings
from i2i.data.captions.finding import find_captions
from i2i.data.captions.words import vocabulary_of
from i2i.errors import DatasetError, SettingsError
from i2i.experiment import Experiment, change


def with_captions(experiment: Experiment, data: Path) -> Experiment:
    """The experiment with the words of its captions, or the length of their embeddings, where it reads captions.

    Raises DatasetError where there are none, and SettingsError for embeddings that nothing would read.
    """
    given = experiment.data.embeddings
    if experiment.needs != "captions":
        if given:
            raise SettingsError(f"data.embeddings {given}: {experiment.recipe} reads no captions. Leave it out.")
        return experiment
    if given:
        # The run may be gone on with from another folder.
        path = Path(given).resolve()
        return change(experiment, {"data": {"embeddings": str(path), "embedding": Embeddings(path).length}})
    if experiment.data.vocabulary:
        return experiment
    found = find_captions(data)
    words = vocabulary_of(dict.fromkeys(chain.from_iterable(found.captions)))
    if not words:
        raise DatasetError(f"{found.place}: no caption has a word in it. Wanted: what the pictures show, in words.")
    return change(experiment, {"data": {"vocabulary": list(words)}})

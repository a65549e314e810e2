"""Vectors that a language model of the user's made of captions: a safetensors file, a tensor a caption, named by it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from i2i.data.listing import some
from i2i.errors import DatasetError
from i2i.images import shown
from i2i.images.pixels import Array
from i2i.settings import did_you_mean

_WANTED = "Wanted: a .safetensors with a tensor of numbers for each caption, all of one length, named by the caption"


class Embeddings:
    """Vectors by caption, brought to length 1."""

    def __init__(self, path: Path) -> None:
        """Raises DatasetError where they cannot be used."""
        from safetensors import SafetensorError, safe_open

        self.path = path
        try:
            if not path.is_file():
                raise OSError("there is no such file")
            with safe_open(path, framework="np") as file:
                self.captions: tuple[str, ...] = tuple(file.keys())
                shapes = {tuple(file.get_slice(name).get_shape()) for name in self.captions}
                if len(shapes) != 1 or len(next(iter(shapes))) != 1 or not next(iter(shapes))[0]:
                    raise ValueError(f"its tensors have the shapes {some(map(str, shapes))}")
                found = np.stack([file.get_tensor(name).astype(np.float32) for name in self.captions])
            if not np.isfinite(found).all():
                raise ValueError("some of its numbers are infinite or none")
        except (SafetensorError, OSError, TypeError, ValueError) as error:
            raise DatasetError(f"{shown(path)}: cannot be used ({error}). {_WANTED}.") from None
        self._vectors = found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)
        self._places = {caption: place for place, caption in enumerate(self.captions)}

    @property
    def length(self) -> int:
        """Of each vector."""
        return self._vectors.shape[1]

    def vector(self, text: str) -> Array:
        """Shape: -> (length,) float32. Raises DatasetError for a text that has none."""
        if text not in self._places:
            hint = did_you_mean(text, self.captions) if len(self.captions) < 100 else "it has others."
            raise DatasetError(f"{shown(self.path)}: has no vector of {text!r}; {hint}")
        return self._vectors[self._places[text]]

    def refuse_missing(self, captions: Sequence[str]) -> None:
        """Raise DatasetError where some of the captions have no vector."""
        if missing := [caption for caption in captions if caption not in self._places]:
            raise DatasetError(
                f"{shown(self.path)}: has no vector of {len(missing)} of {len(captions)} captions: {some(missing)}. "
                f"{_WANTED}."
            )

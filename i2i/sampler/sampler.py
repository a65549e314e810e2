"""A trained generator of pictures from noise: a seed in, a picture out."""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from i2i import images
from i2i.engine.device import choose_device
from i2i.errors import SettingsError
from i2i.networks.sampler import Sampler
from i2i.sampler.card import Card
from i2i.sampler.files import load_sampler
from i2i.sampler.noise import noise, walk
from i2i.sampler.texts import Texts, texts_of
from i2i.settings import did_you_mean

Array = np.ndarray[Any, Any]


class PictureSampler:
    """A generator of pictures, each a function of its seed, its label and the truncation alone.

    Batch norm takes its running statistics, so that a picture never depends on those that are made beside it. Where no
    label is asked for, seed s is of class s modulo their number: neighbouring seeds show all classes in turn. So it is
    with captions that it learnt from, where it reads texts and none is given.
    """

    def __init__(
        self,
        network: Sampler,
        card: Card,
        *,
        device: str = "auto",
        batch_size: int = 32,
        embeddings: str | os.PathLike[str] | None = None,
    ) -> None:
        """`batch_size` pictures are made together; `embeddings` is the file of texts' vectors, where it reads such."""
        if batch_size < 1:
            raise SettingsError(f"batch size {batch_size}: wanted 1 or more.")
        self.card = card
        self._texts: Texts | None = texts_of(card, embeddings)
        self.device = choose_device(device)
        self.batch_size = batch_size
        self.network = network.to(self.device).eval().requires_grad_(False)

    @classmethod
    def load(
        cls,
        model: str | os.PathLike[str],
        *,
        device: str = "auto",
        batch_size: int = 32,
        embeddings: str | os.PathLike[str] | None = None,
    ) -> "PictureSampler":
        """Load a run folder or a sampler file. Raises ModelFileError where it is neither."""
        return cls(*load_sampler(Path(model)), device=device, batch_size=batch_size, embeddings=embeddings)

    @property
    def classes(self) -> tuple[str, ...]:
        """What `label` may be, captions too; empty where it can only be left out."""
        return self._texts.examples if self._texts else self.card.classes

    def sample(
        self,
        count: int = 1,
        seed: int = 0,
        *,
        label: str | None = None,
        text: str | None = None,
        truncation: float | None = None,
    ) -> list[Image.Image]:
        """The pictures of so many seeds, from `seed` on.

        `truncation` 0 is the most usual picture, of each class; a larger one allows more kinds of pictures, and fewer
        of them look right; None leaves noise as it was in training. `text` says what to make, to a model that reads
        texts. Raises SettingsError for a label that there is not, for a text that cannot be read, and for a truncation
        of ProGAN's noise, which lies on a sphere.
        """
        seeds = range(seed, seed + count)
        return [_as_pil(one) for one in self.arrays(seeds, label=label, text=text, truncation=truncation)]

    def interpolate(
        self,
        seeds: Sequence[int],
        frames: int = 8,
        *,
        label: str | None = None,
        text: str | None = None,
        truncation: float | None = None,
    ) -> list[Image.Image]:
        """A walk from the picture of each seed to the next one's, `frames` steps each, as `walk`."""
        return [_as_pil(one) for one in self.walk(seeds, frames, label=label, text=text, truncation=truncation)]

    def arrays(
        self,
        seeds: Sequence[int],
        *,
        label: str | None = None,
        text: str | None = None,
        truncation: float | None = None,
    ) -> Iterator[Array]:
        """The pictures of these seeds, made a batch at a time. Shape: (H, W, 1 or 3) uint8 each."""
        self._check(seeds, truncation)
        labels, told = self.labels(seeds, label), self._told(label, text)
        return self._made(lambda part: noise(seeds[part], self.network.latent), labels, told, truncation)

    def arrays_of(
        self, seeds: Sequence[int], labels: Sequence[int], *, truncation: float | None = None
    ) -> Iterator[Array]:
        """The pictures of these seeds, each of a class of its own, as the number of the class."""
        self._check(seeds, truncation)
        return self._made(lambda part: noise(seeds[part], self.network.latent), labels, None, truncation)

    def walk(
        self,
        seeds: Sequence[int],
        frames: int = 8,
        *,
        label: str | None = None,
        text: str | None = None,
        truncation: float | None = None,
    ) -> Iterator[Array]:
        """From the picture of each seed to the next one's over the sphere that noise lies on, as arrays.

        `frames` steps each, both ends included; all of one class, that of the first seed where none is asked for.
        """
        self._check(seeds, truncation)
        if len(seeds) < 2 or frames < 1:
            raise SettingsError(f"a walk has 2 seeds or more and 1 frame or more from each to the next, not {seeds}.")
        stops = walk(noise(seeds, self.network.latent), frames)
        labels = [self.labels(seeds, label)[0]] * len(stops)
        return self._made(lambda part: stops[part], labels, self._told(label, text), truncation)

    def labels(self, seeds: Sequence[int], label: str | None = None) -> list[int]:
        """The class of each seed's picture; 0 where there are none. Raises SettingsError."""
        known = self.classes
        if label is None:
            return [seed % max(1, len(known)) for seed in seeds]
        if not known:
            raise SettingsError(f"label {label!r}: this model knows no classes; leave the label out.")
        if label not in known:
            raise SettingsError(f"label {label!r}: is no class of this model; {did_you_mean(label, known)}")
        return [known.index(label)] * len(seeds)

    def _check(self, seeds: Sequence[int], truncation: float | None) -> None:
        if min(seeds, default=0) < 0:
            raise SettingsError(f"seed {min(seeds)}: wanted 0 or more.")
        if truncation is not None and not 0 <= truncation < float("inf"):
            raise SettingsError(f"truncation {truncation}: wanted 0 (the most usual picture) or more.")
        if truncation is not None and not self.network.truncates:
            raise SettingsError(
                f"truncation {truncation:g}: the noise of a {self.card.architecture.kind} generator lies on a sphere, "
                f"which has no middle to keep it near; leave the truncation out."
            )

    def _told(self, label: str | None, text: str | None) -> Array | None:
        """What a text says, where there is one. Shape: -> (E,) float32. Raises SettingsError."""
        if text is None:
            return None
        if self._texts is None:
            raise SettingsError(f"text {text!r}: this model reads none; leave it out.")
        if label is not None:
            raise SettingsError(f"label {label!r} and text {text!r}: say one of them.")
        self._texts.refuse_unknown(text)
        return self._texts.vector(text)

    def _made(
        self, drawn: Callable[[slice], Tensor], labels: Sequence[int], told: Array | None, truncation: float | None
    ) -> Iterator[Array]:
        for start in range(0, len(labels), self.batch_size):
            part = slice(start, start + self.batch_size)
            yield from self.make(drawn(part), self._asked(labels[part], told), truncation)

    def _asked(self, labels: Sequence[int], told: Array | None) -> Tensor | None:
        """Beside noise: labels, or vectors of a text or of known ones; None where the network takes nothing."""
        if self._texts is None:
            return torch.tensor(labels) if self.network.classes else None
        rows = [self._texts.vector(self.classes[label]) if told is None else told for label in labels]
        return torch.from_numpy(np.stack(rows))

    @torch.inference_mode()
    def make(self, z: Tensor, asked: Tensor | None, truncation: float | None = None) -> Array:
        """Noise to pictures, in one batch. Shape: (N, latent), (N,) or (N, E) -> (N, H, W, 1 or 3) uint8."""
        z, asked = z.to(self.device), asked if asked is None else asked.to(self.device)
        made = self.network(z, asked) if truncation is None else self.network.truncated(z, asked, truncation)
        return images.from_network(made)


def _as_pil(picture: Array) -> Image.Image:
    return Image.fromarray(picture[:, :, 0] if picture.shape[2] == 1 else picture)

"""Pictures with the vector of one of their captions, and of one that is another picture's."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import torch

from i2i.batches import Captioned
from i2i.data.captions.finding import Captions
from i2i.data.captions.words import words_of
from i2i.data.crops import Key, numbers
from i2i.data.made import OfPictures
from i2i.data.settings import DataSettings
from i2i.data.tensors import Index, as_tensor, epoch_and_index
from i2i.data.training_set import Crops
from i2i.errors import DatasetError
from i2i.images import shown
from i2i.images.pixels import Array

_CAPTION = 3
"""Sets the draws of captions apart from the others of a key."""


class Texts(Protocol):
    """Makes vectors of texts."""

    def vector(self, text: str) -> Array:
        """Shape: -> (E,) float32."""
        ...


class CaptionedFolder(OfPictures[Captioned]):
    """A picture comes with one of its captions, drawn, and with one of another picture that is none of its own.

    An item is Captioned of a (C, H, W) tensor, uint8, or float32 in [-1, 1] where the set is `deep` (16 bits), and of
    two (E,) float32. All draws are a function of (seed, epoch, index).
    """

    def __init__(
        self,
        pictures: Sequence[Path],
        captions: Sequence[Captions],
        texts: Texts,
        settings: DataSettings,
        seed: int = 0,
        *,
        channels: int = 3,
        deep: bool = False,
        train: bool = True,
    ) -> None:
        """Raises DatasetError where captions do not tell a picture to train on from any other."""
        super().__init__(pictures, settings, seed, channels=channels, deep=deep, train=train)
        self.captions, self.texts = captions, texts
        said = {_said(caption) for own in captions for caption in own}
        alike = (path for path, own in zip(pictures, captions, strict=True) if len(set(map(_said, own))) == len(said))
        if train and (path := next(alike, None)) is not None:
            raise DatasetError(
                f"{shown(path)}: has every caption that there is ({len(said)}), so none is wrong for it, and a "
                f"discriminator that compares pictures with captions has nothing to learn. Say what differs."
            )

    def __len__(self) -> int:
        return self.groups

    def __getitem__(self, index: Index) -> Captioned:
        epoch, index = epoch_and_index(index)
        key = self.seed, epoch, index
        group, pictures = self.readable(index, key)
        image = self.pictures.transform(key, pictures, self.files(group)[0])[0]
        return Captioned(as_tensor(image), *self._vectors(group, key))

    def gather(self, keys: Sequence[tuple[int, int]], crops: Crops) -> Captioned:
        drawn = [(self.seed, *key) for key in keys]
        places = self.standing([index for _, index in keys], drawn)
        frames = self.pictures.transform.frames(drawn, *self.sizes(places))
        told = [self._vectors(place, key) for place, key in zip(places, drawn, strict=True)]
        own, others = (torch.stack(list(vectors)) for vectors in zip(*told, strict=True))
        return Captioned(crops(places, frames), own, others)

    def texts_of(self, group: int, key: Key) -> tuple[str, str]:
        """A caption of a picture, and one of another; its own twice where it has all that there are."""
        which, where, what = numbers([(*key, _CAPTION)], 3)[0]
        own = self.captions[group]
        start, said = int(where * len(self.captions)), set(map(_said, own))
        for step in range(len(self.captions)):
            others = self.captions[(start + step) % len(self.captions)]
            if wrong := [caption for caption in others if _said(caption) not in said]:
                return own[int(which * len(own))], wrong[int(what * len(wrong))]
        return own[int(which * len(own))], own[int(which * len(own))]

    def _vectors(self, group: int, key: Key) -> tuple[torch.Tensor, torch.Tensor]:
        own, other = self.texts_of(group, key)
        return torch.from_numpy(self.texts.vector(own)), torch.from_numpy(self.texts.vector(other))


def _said(caption: str) -> str:
    """What two captions have in common that differ by spelling alone."""
    return " ".join(words_of(caption)) or caption

"""What a text says to a sampler: the words that it learnt, or the vectors that a language model of the user's made."""

import os
from abc import ABC, abstractmethod
from pathlib import Path

from i2i.data.captions.embeddings import Embeddings
from i2i.data.captions.words import Words
from i2i.data.listing import some
from i2i.errors import SettingsError
from i2i.images.pixels import Array
from i2i.sampler.card import Card


class Texts(ABC):
    """Makes vectors of texts, as training did."""

    examples: tuple[str, ...]
    """Texts that it surely knows."""

    @abstractmethod
    def vector(self, text: str) -> Array:
        """What a text says, as far as it is known. Shape: -> (E,) float32."""

    @abstractmethod
    def refuse_unknown(self, text: str) -> None:
        """Raise UserError for a text of which something was never learnt."""


class _Words(Texts):
    def __init__(self, card: Card) -> None:
        self._words, self.examples = Words(card.vocabulary), card.captions

    def vector(self, text: str) -> Array:
        return self._words.vector(text)

    def refuse_unknown(self, text: str) -> None:
        if not text.strip():
            raise SettingsError("the text is empty. Say what to make, as in --text 'a red circle'.")
        if unknown := self._words.unknown(text):
            known = [term for term in self._words.vocabulary if " " not in term]
            raise SettingsError(
                f"text {text!r}: no caption that it learnt from has {some(map(repr, unknown))}. Among its {len(known)} "
                f"words are {some(known[:12], 12)}."
            )


class _Given(Texts):
    def __init__(self, path: Path, length: int) -> None:
        self._given = Embeddings(path)
        self.examples = self._given.captions
        if self._given.length != length:
            raise SettingsError(
                f"{path}: its vectors have {self._given.length} numbers, and the model learnt from {length}: make them "
                f"by the same language model."
            )

    def vector(self, text: str) -> Array:
        return self._given.vector(text)

    def refuse_unknown(self, text: str) -> None:
        self._given.vector(text)


def texts_of(card: Card, embeddings: str | os.PathLike[str] | None) -> Texts | None:
    """What makes vectors of texts for a sampler; None where it reads none.

    Raises SettingsError for embeddings where they are missing or not wanted, DatasetError where they cannot be used.
    """
    if embeddings is not None:
        if not card.embedding:
            raise SettingsError(f"embeddings {embeddings}: this model reads no vectors. Leave them out.")
        return _Given(Path(embeddings), card.embedding)
    if card.embedding:
        raise SettingsError(
            f"this model reads vectors of {card.embedding} numbers that a language model made of captions: give them "
            f"with --embeddings FILE.safetensors, a tensor for each text, named by it."
        )
    return _Words(card) if card.vocabulary else None

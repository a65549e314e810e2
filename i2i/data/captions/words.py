"""Captions as bags of words and of neighbours: small enough for a settings file, and nothing to learn beforehand."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np

from i2i.images.pixels import Array

MOST = 4000
"""Terms of a vocabulary; what comes less often is left out."""
_WORD = re.compile(r"\w+")


def words_of(text: str) -> list[str]:
    """Its words in lower case, in their order."""
    return _WORD.findall(unicodedata.normalize("NFC", text).lower())


def terms_of(text: str) -> list[str]:
    """Its words, and each two neighbours, which tell a red circle beside a blue square from the opposite."""
    words = words_of(text)
    return [*words, *map(" ".join, pairwise(words))]


def vocabulary_of(captions: Iterable[str]) -> tuple[str, ...]:
    """The words of captions, the most frequent first, then neighbours that come more than once; MOST at most."""
    counts = Counter(term for caption in captions for term in dict.fromkeys(terms_of(caption)))
    known = (term for term, count in counts.items() if " " not in term or count > 1)
    return tuple(sorted(known, key=lambda term: (" " in term, -counts[term], term))[:MOST])


class Words:
    """A text as which terms of a vocabulary it has, brought to length 1; 0 where it has none of them."""

    def __init__(self, vocabulary: Sequence[str]) -> None:
        self.vocabulary = vocabulary
        self._places = {term: place for place, term in enumerate(vocabulary)}

    def vector(self, text: str) -> Array:
        """Shape: -> (terms of the vocabulary,) float32."""
        found = [self._places[term] for term in dict.fromkeys(terms_of(text)) if term in self._places]
        vector = np.zeros(len(self.vocabulary), np.float32)
        vector[found] = len(found) ** -0.5 if found else 0.0
        return vector

    def unknown(self, text: str) -> list[str]:
        """Its words that are not in the vocabulary."""
        return [word for word in dict.fromkeys(words_of(text)) if word not in self._places]

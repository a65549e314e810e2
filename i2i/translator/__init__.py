"""A trained generator as picture to picture: any size in, the same size out.

`files` reads and writes models, `card` is what they say of themselves, `translator` puts pictures through them.
"""

from i2i.engine.device import Precision
from i2i.translator.card import Card, NormMode, describe
from i2i.translator.files import load_network, save_network
from i2i.translator.translator import Detail, Fit, Translator

__all__ = [
    "Card",
    "Detail",
    "Fit",
    "NormMode",
    "Precision",
    "Translator",
    "describe",
    "load_network",
    "save_network",
]

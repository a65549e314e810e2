"""What a model trains on."""

from typing import Literal

DataKind = Literal["pairs", "domains", "pictures", "captions"]
"""Pairs, two domains, one folder of pictures, or one of pictures with captions."""

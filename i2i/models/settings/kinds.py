"""What a model trains on."""

from typing import Literal

DataKind = Literal["pairs", "domains", "pictures"]
"""Pairs, two domains, or one folder of pictures."""

"""Translators for others: a file, its card for people to read, and the way to the Hugging Face Hub and from it.

`facts` reads what a run says of itself, `card` writes it down, `parcel` gathers what is sent, and that alone; `pushing`
sends it, `pulling` brings it. What is brought by `hf://` names comes through `i2i.hub`.
"""

from i2i.sharing.parcel import Parcel, pack
from i2i.sharing.pulling import pull
from i2i.sharing.pushing import push

__all__ = ["Parcel", "pack", "pull", "push"]

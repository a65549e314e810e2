"""A trained generator of pictures from noise: a seed in, a picture out.

`files` reads and writes models, `card` is what they say of themselves, `noise` turns seeds into noise and walks from
one to the next, `sampler` makes the pictures.
"""

from i2i.sampler.card import Card, describe
from i2i.sampler.files import holds_sampler, load_sampler, save_sampler
from i2i.sampler.sampler import PictureSampler

__all__ = ["Card", "PictureSampler", "describe", "holds_sampler", "load_sampler", "save_sampler"]

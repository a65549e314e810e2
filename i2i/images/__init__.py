"""Pictures: files to arrays and back, and arrays to what networks see.

`files`, `reading` and `writing` know file formats, `colour` their colour profiles: pixels in memory are sRGB. `pixels`
is the only place that knows the networks' range. Nothing here imports torch until a tensor is asked for.
"""

from i2i.images.coding import Coding, Quality, Subsampling
from i2i.images.files import SUFFIXES, is_picture, shown
from i2i.images.pixels import from_network, resize, scale, to_depth, to_network, white, with_alpha, with_channels
from i2i.images.reading import MAX_PIXELS, Picture, Probe, Size, probe, read, read_picture, read_reduced
from i2i.images.writing import write

__all__ = [
    "MAX_PIXELS",
    "SUFFIXES",
    "Coding",
    "Picture",
    "Probe",
    "Quality",
    "Size",
    "Subsampling",
    "from_network",
    "is_picture",
    "probe",
    "read",
    "read_picture",
    "read_reduced",
    "resize",
    "scale",
    "shown",
    "to_depth",
    "to_network",
    "white",
    "with_alpha",
    "with_channels",
    "write",
]

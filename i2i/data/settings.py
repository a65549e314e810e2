"""How pictures become training batches."""

from typing import Annotated, Literal

from pydantic import Field

from i2i.data.tasks.settings import NoTask, Task
from i2i.settings import Count, Direction, Resize, Size, parse_size, settings

Cache = Literal["auto", "memory", "disk", "none"]
"""Where pictures are kept decoded while a run trains; no setting of it, since it changes no number."""


@settings
class DataSettings:
    """Geometry, augmentation and hold-out of a training set. All draws are functions of (seed, epoch, index)."""

    size: Size = "256"
    """Training crop in pixels: 256, or 256x512 (height x width)."""

    resize: Resize = "square"
    """Before the crop: square (the papers', aspect lost), short (short side, aspect kept), none (native pixels)."""

    load: Literal["crop"] | Annotated[int, Field(ge=0)] = 0
    """Side that resizing brings a picture to; 0 is 286/256 of the crop, as in the papers, crop is the crop itself."""

    flip: bool = True
    """Mirror half of the pictures, left to right; a pair flips together."""

    rotate: Annotated[float, Field(ge=0, le=180)] = 0.0
    """Rotate by up to this many degrees either way; a pair turns together."""

    scale: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Scale by up to this share either way: 0.1 is 0.9 to 1.1."""

    shift: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Shift by up to this share of the side."""

    brightness: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Change the source's brightness by up to this share of the range. The target is never touched."""

    contrast: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Change the source's contrast by up to this share."""

    noise: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Add Gaussian noise to the source, its deviation up to this share of the range."""

    blur: Annotated[float, Field(ge=0)] = 0.0
    """Blur the source by a Gaussian of up to this many pixels."""

    jpeg: Annotated[int, Field(ge=0, le=100)] = 0
    """Compress the source as JPEG at qualities from this one to 100; 0 never does."""

    labels: Literal["none", "source", "target", "both"] = "none"
    """Which side holds label maps: those are resized by nearest neighbour, so no new label appears between two."""

    direction: Direction = "AtoB"
    """Which side of a pair, or which of two folders, is the source. BtoA swaps them."""

    channels: Literal["auto", "gray", "rgb"] = "auto"
    """What the networks see: auto is gray for a side whose pictures are all gray, otherwise RGB."""

    holdout: Literal["auto"] | Annotated[int, Field(ge=0)] = "auto"
    """Pictures kept out of training for samples and validation where there is no val or test split; 0 refuses."""

    balance: Literal["none", "classes"] = "none"
    """Of pictures in class folders: draw each class equally often, however many pictures it has."""

    embeddings: str = ""
    """Of pictures with captions: a .safetensors with a vector for each caption, named by it. Without, words count."""

    embedding: Count = 0
    """Length of those vectors; a run reads it there."""

    vocabulary: tuple[str, ...] = ()
    """Words of the captions where there are no embeddings, and each two that often stand together; a run finds them."""

    task: Task = NoTask()
    """How a source is made of each picture, where the data has one folder of them."""

    unreadable: Annotated[float, Field(ge=0, le=0.5)] = 0.01
    """Share of the pictures (of each domain) that is left out, and named, where it cannot be read; 0 stops at one."""

    @property
    def caption(self) -> int:
        """Length of the vector that a caption becomes; 0 where no captions are known."""
        return self.embedding or len(self.vocabulary)

    @property
    def crop(self) -> tuple[int, int]:
        """Training crop, (height, width)."""
        return parse_size(self.size)

    @property
    def loaded(self) -> tuple[int, int]:
        """What `square` resizes to, (height, width), and whose smaller side `short` resizes to."""
        height, width = self.crop
        if self.load == "crop":
            return height, width
        if self.load:
            short = min(height, width)
            return round(self.load * height / short), round(self.load * width / short)
        return round(height * 286 / 256), round(width * 286 / 256)

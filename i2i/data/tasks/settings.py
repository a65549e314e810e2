"""How a source is made from a picture where the data has pictures alone, without torch."""

from typing import Annotated, Literal

from pydantic import Field

from i2i.settings import Positive, settings

Share = Annotated[float, Field(gt=0, lt=1)]


@settings
class NoTask:
    """Sources are pictures that the data has."""

    kind: Literal["none"] = "none"
    """The data has sources of its own."""


@settings
class SuperResolution:
    """Super-resolution (Ledig et al. 2017): enlarges pictures, taught by pictures that were made smaller."""

    kind: Literal["super-resolution"] = "super-resolution"
    """From a small picture to a large one."""

    scale: Literal[2, 4] = 4
    """Times that both sides grow."""

    enlarged: bool = False
    """Enlarge the source by bicubic interpolation before the network, for generators that keep a picture's size."""


@settings
class Colorize:
    """Colorization (Isola et al. 2017): colours gray pictures, taught by the luma of pictures (Rec. 601)."""

    kind: Literal["colorize"] = "colorize"
    """From gray to colour."""

    keep_luma: bool = True
    """Results take their light from the source, at its full size; the network gives the colours alone."""


@settings
class Inpaint:
    """Inpainting (Pathak et al. 2016): fills holes, taught by pictures of which parts are cut out."""

    kind: Literal["inpaint"] = "inpaint"
    """From a picture with holes to a whole one."""

    holes: Literal["rectangles", "strokes", "both"] = "both"
    """What holes are made of while training."""

    least: Share = 0.1
    """Share of a picture that its holes cover at least, ..."""

    most: Share = 0.4
    """... and the largest share that is drawn; the last hole may go a little beyond."""

    mask: bool = True
    """Tell the network where the holes are, in a channel of their own; without it they are gray, and what is learnt
    starts other models whole (--init-from)."""

    def __post_init__(self) -> None:
        if self.least > self.most:
            raise ValueError(f"holes of {self.least:g} at least and {self.most:g} at most: wanted least <= most")


@settings
class Sketch:
    """Edges to photo (Isola et al. 2017): paints a drawing, taught by the edges of pictures, black on white."""

    kind: Literal["sketch"] = "sketch"
    """From lines to a picture."""

    low: Annotated[float, Field(gt=0, le=1000)] = 60.0
    """Contrast that an edge has at least, in Canny's gradient. The threshold is drawn anew for each crop, ..."""

    high: Annotated[float, Field(gt=0, le=1000)] = 200.0
    """... from this range, evenly; validation takes the middle."""

    thickness: Annotated[Positive, Field(le=15)] = 3
    """Thickest lines, in pixels of the crop: 1 to so many are drawn while training; validation takes 1."""

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError(f"thresholds from {self.low:g} to {self.high:g}: wanted low <= high")


@settings
class NextFrame:
    """Next frame (Mathieu et al. 2016): predicts a frame from those before it, taught by folders of frames."""

    kind: Literal["next-frame"] = "next-frame"
    """From frames to the frame after them."""

    frames: Annotated[Positive, Field(le=16)] = 2
    """Frames that a prediction is made from; of one nothing tells which way things move."""


AnyTask = NoTask | SuperResolution | Colorize | Inpaint | Sketch | NextFrame
Task = Annotated[AnyTask, Field(discriminator="kind")]
"""How sources are made."""


def scale_of(task: AnyTask) -> int:
    """Times that a result is larger than its source, in both sides."""
    return task.scale if isinstance(task, SuperResolution) else 1


def source_channels(task: AnyTask, channels: int) -> int:
    """Channels of a source, whose target has so many."""
    match task:
        case Colorize() | Sketch():
            return 1
        case Inpaint():
            return channels + task.mask
        case NextFrame():
            return task.frames * channels
        case _:
            return channels

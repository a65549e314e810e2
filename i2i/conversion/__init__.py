"""Folder to folder: any number of files, their tree, names, format, depth and metadata kept."""

from i2i.conversion.contact_sheet import EXAMPLES
from i2i.conversion.converting import Existing, convert, translate
from i2i.conversion.listed import Listed, read_list
from i2i.conversion.plan import FORMATS, Format, Half, Plan, make_plan
from i2i.conversion.shards import Shard, device_of, parse_shard
from i2i.conversion.summary import Progress, Summary
from i2i.conversion.video_files import is_video

__all__ = [
    "EXAMPLES",
    "FORMATS",
    "Existing",
    "Format",
    "Half",
    "Listed",
    "Plan",
    "Progress",
    "Shard",
    "Summary",
    "convert",
    "device_of",
    "is_video",
    "make_plan",
    "parse_shard",
    "read_list",
    "translate",
]

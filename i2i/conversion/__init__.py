"""Folder to folder: any number of files, their tree, names, format, depth and metadata kept."""

from i2i.conversion.contact_sheet import EXAMPLES
from i2i.conversion.converting import Existing, translate
from i2i.conversion.plan import FORMATS, Format, Half, make_plan
from i2i.conversion.summary import Progress, Summary

__all__ = ["EXAMPLES", "FORMATS", "Existing", "Format", "Half", "Progress", "Summary", "make_plan", "translate"]

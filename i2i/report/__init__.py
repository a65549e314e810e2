"""What people look at: contact sheets, and one self-contained HTML page for a run, evaluation, conversion or sampling.

`sheets` lays pictures out in one picture, `album` turns pictures into data URIs, `curves` turns a log into charts and
`pages` fills the templates. A page holds everything it shows and loads nothing, so it can be mailed and archived.
"""

from i2i.report.pages import (
    Example,
    Measured,
    Table,
    conversion_report,
    evaluation_report,
    run_report,
    samples_report,
)
from i2i.report.sheets import sheet

__all__ = [
    "Example",
    "Measured",
    "Table",
    "conversion_report",
    "evaluation_report",
    "run_report",
    "samples_report",
    "sheet",
]

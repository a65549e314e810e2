"""Figures as tables and as JSON."""

import dataclasses
import json
import platform
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from i2i import __version__
from i2i.cli.parsing import columns
from i2i.errors import UserError
from i2i.files import make_writable, write_text

if TYPE_CHECKING:
    from i2i.benchmark.spread import Spread


def table(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table: names to the left, figures to the right."""
    drawn = Table(title=title, title_justify="left")
    for index, name in enumerate(head):
        drawn.add_column(name, justify="right" if index else "left")
    for row in rows:
        drawn.add_row(*row)
    console().print(drawn)


def console() -> Console:
    """Where tables go."""
    return Console(width=max(80, columns()), markup=False, highlight=False, soft_wrap=True)


def tell(text: str) -> None:
    """A line of progress."""
    print(text, file=sys.stderr, flush=True)


def leave(path: Path | None, part: str, figures: Any) -> None:
    """Write figures and what they were measured with, where a file is named."""
    if path is None:
        return
    import torch

    about = {
        "part": part,
        "i2i": __version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "threads": torch.get_num_threads(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "time": time.strftime("%Y-%m-%d %H:%M:%S"),
    }
    content = (
        [dataclasses.asdict(one) for one in figures] if isinstance(figures, tuple) else dataclasses.asdict(figures)
    )
    try:
        make_writable(path.resolve().parent)
        write_text(path, json.dumps({**about, "figures": content}, indent=1, ensure_ascii=False) + "\n")
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror}). Give another --json.") from None


def spread(value: "Spread", show: Callable[[float], str]) -> str:
    """'12.3 (11.9 to 14.0)': the median, the lowest and the highest."""
    return f"{show(value.median)} ({show(value.lowest)} to {show(value.highest)})"


def number(value: float) -> str:
    """Three digits that matter: 0.0123, 1.23, 12.3, 123, 12345."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def milliseconds(seconds: float) -> str:
    """Of seconds."""
    return number(1000 * seconds)


def flops(rate: float | None) -> str:
    """'0.21 TFLOP/s'."""
    return "not measured" if rate is None else f"{number(rate / 1e12)} TFLOP/s"


def size(count: int | None) -> str:
    """'412 MB'."""
    return "unknown" if count is None else f"{number(count / 1e6)} MB"


def share(value: float | None) -> str:
    """'54 %'."""
    return "-" if value is None else f"{100 * value:.3g} %"

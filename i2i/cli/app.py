"""`i2i app`: a web page of this machine, with models to try and runs to watch."""

import contextlib
import dataclasses
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

import tyro

from i2i.cli.importing import importing
from i2i.cli.parsing import Where, flag, parse, positive
from i2i.errors import SettingsError

PORT = 7860
"""Gradio's own, which people know."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class App:
    """The flags of the page; its words are MODEL..."""

    words: Annotated[tuple[str, ...], tyro.conf.Positional, flag(metavar="MODEL...")] = ()
    """Runs, translator files, exported .onnx or reference .pth, to choose from on the page."""
    runs: Annotated[Path | None, flag(metavar="DIR")] = None
    """A folder of runs, or one run: their models can be chosen, and their training watched; runs/ where it is there."""
    port: Annotated[int, tyro.conf.arg()] = PORT
    """Where the page is; 0 takes any that is free."""
    host: Annotated[str, tyro.conf.arg()] = "127.0.0.1"
    """Who reaches it: 127.0.0.1 this machine alone, 0.0.0.0 the network too."""
    auth: Annotated[str | None, flag(metavar="USER:PASSWORD")] = None
    """Ask for these before anything is shown."""
    max_upload: Annotated[int, tyro.conf.arg(metavar="MB")] = 200
    """Megabytes of one upload; all zips of a translation may unpack to four times that."""
    max_pictures: Annotated[int, tyro.conf.arg()] = 200
    """Pictures translated in one go."""
    max_megapixels: Annotated[int, tyro.conf.arg()] = 64
    """Of one picture."""
    max_seconds: Annotated[int, tyro.conf.arg()] = 900
    """Of one translation; what is left then is said."""
    palette: Annotated[Path | None, flag(metavar="PICTURE")] = None
    """A label map, whose colours are those to draw with."""
    device: Annotated[str, flag(metavar=Where)] = "auto"
    """Where to compute; auto takes the GPU where there is one."""
    precision: Annotated[Literal["auto", "fp32", "bf16"], flag(metavar="auto|fp32|bf16")] = "auto"
    """auto is bf16 where the device has arithmetic for it."""


def main(args: Sequence[str]) -> int:
    """Show the page until Ctrl-C."""
    asked, behind = parse(
        App(),
        args,
        "i2i app",
        "A web page of this machine: drop pictures and see them translated, draw, watch a training.\n\n"
        "Example: i2i app runs/facades",
    )
    words = [*asked.words, *behind]
    for name in ("max_upload", "max_pictures", "max_megapixels", "max_seconds"):
        positive(f"--{name.replace('_', '-')}", getattr(asked, name))
    positive("--port", asked.port, least=0)
    user, colon, password = (asked.auth or "").partition(":")
    if asked.auth is not None and not (user and colon and password):
        raise SettingsError("--auth: wanted a user and a password, as in --auth me:secret.")
    if asked.runs is not None and not asked.runs.is_dir():
        raise SettingsError(f"--runs {asked.runs}: no such folder. Give one that holds runs, or leave it away.")
    runs = asked.runs or (Path("runs") if Path("runs").is_dir() else None)
    if not words and runs is None:
        raise SettingsError(
            "wanted a model, as in: i2i app runs/facades; or a folder of runs, --runs DIR. See i2i app --help"
        )
    from i2i.app.serving import Login, Server, is_loopback, require_gradio

    require_gradio()
    with importing():
        from i2i.app import drawing
        from i2i.app.limits import Limits
        from i2i.app.shelf import Shelf

    limits = Limits(
        megabytes=asked.max_upload,
        pictures=asked.max_pictures,
        megapixels=asked.max_megapixels,
        seconds=asked.max_seconds,
    )
    palette = drawing.palette_of(asked.palette) if asked.palette else ()
    shelf = Shelf([Path(word) for word in words], runs, device=asked.device, precision=asked.precision)
    login = Login(user, password) if asked.auth is not None else None
    with (
        _ended_by_signals(),
        Server(shelf, limits, host=asked.host, port=asked.port, login=login, palette=palette) as server,
    ):
        if not is_loopback(asked.host):
            if login is None:
                print(
                    f"i2i: warning: --host {asked.host} without --auth: everyone who reaches this machine can use the "
                    f"page.",
                    file=sys.stderr,
                )
            print(f"Open {server.url}, or this machine's address from another one; Ctrl-C ends.", flush=True)
        else:
            print(f"Open {server.url} on this machine; Ctrl-C ends.", flush=True)
        try:
            server.serve()
        except KeyboardInterrupt:
            print()
    return 0


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Within it, SIGTERM and a closed terminal end the process as errors do: unheard they would leave all uploads."""
    handlers: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        handlers[signal.SIGTERM] = _end
        # Windows has none, and after nohup it is to be ignored.
        if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            handlers[signal.SIGHUP] = _hang_up
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(*_: object) -> NoReturn:
    raise SystemExit(128 + signal.SIGTERM)


def _hang_up(*_: object) -> None:
    # The server listens to SIGTERM while it serves, closes, and hands it on.
    signal.raise_signal(signal.SIGTERM)

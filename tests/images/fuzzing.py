"""Read mutated pictures in a process of its own: `python fuzzing.py FOLDER FIRST LAST` prints a line of JSON a case.

A case that kills the process (a crash of a C library, or SIGALRM where it hangs) is the one after the last line.
"""

import json
import random
import re
import resource
import signal
import sys
import time
from pathlib import Path

from mutating import mutated, seeds

from i2i import images
from i2i.errors import PictureError

SECONDS = 30
MEMORY = 6 << 30
"""Of address space above what the process begins with: 400 megapixels as RGBA, thrice, and a little."""


def main(folder: Path, first: int, last: int) -> None:
    sound = seeds()
    names = list(sound)
    everything = [data for _, data in sound.values()]
    begun = int(_status("VmSize")) << 10
    resource.setrlimit(resource.RLIMIT_AS, (begun + MEMORY, begun + MEMORY))
    for number in range(first, last):
        draw = random.Random(number)
        name = names[number % len(names)]
        suffix, data = sound[name]
        family = [other for kind, (_, other) in sound.items() if kind.split()[0] == name.split()[0]]
        path = folder / f"{number}{suffix}"
        path.write_bytes(mutated(data, family if draw.random() < 0.8 else everything, draw))
        signal.alarm(SECONDS)
        Path("/proc/self/clear_refs").write_text("5")  # the peak of memory begins anew
        before, started = int(_status("VmRSS")), time.perf_counter()
        outcome, detail = _look(path)
        seconds = time.perf_counter() - started
        signal.alarm(0)
        megabytes = max(0, int(_status("VmHWM")) - before) >> 10
        print(json.dumps([number, name, outcome, detail, round(seconds, 3), megabytes]), flush=True)
        path.unlink()


def _look(path: Path) -> tuple[str, str]:
    try:
        try:
            probe = images.probe(path)
        except PictureError as error:
            _one_line(str(error))
            probe = None
        picture = images.read_picture(path)
        assert probe is not None, "read, but not probed"
        height, width, channels = picture.pixels.shape
        assert (probe.width, probe.height, probe.channels) == (width, height, channels), (
            f"{probe} {picture.pixels.shape}"
        )
        assert picture.pixels.dtype == ("uint16" if probe.bits == 16 else "uint8"), f"{probe} {picture.pixels.dtype}"
        assert picture.alpha is None or picture.alpha.shape == (height, width)
        pixels, size = images.read_reduced(path, lambda size: (8, 8))
        assert size == (height, width)
        assert min(pixels.shape[:2]) >= min(8, height, width)
    except PictureError as error:
        _one_line(str(error))
        return "refused", re.sub(r"\d+", "N", str(error).split("cannot be read as a picture: ")[-1])
    except BaseException as error:  # noqa: BLE001  whatever it is, it is a finding
        return "failed", f"{type(error).__name__}: {error}"
    return "decoded", f"{width} x {height}"


def _one_line(text: str) -> None:
    assert text.isprintable(), f"not one line: {text!r}"


def _status(field: str) -> str:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(line.split()[1] for line in lines if line.startswith(f"{field}:"))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))

"""A fifth of the folder that is promised to start within 30 s and 300 MB, and again within 3 s."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from i2i import images

COUNT = 200_000

OPEN = """
import resource, sys, time
from i2i.data.opening import open_dataset
from i2i.data.settings import DataSettings
unit = 1024 if sys.platform == "linux" else 1
before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
opened = open_dataset(sys.argv[1], sys.argv[2], DataSettings(size="16"))
print(opened.counts["train"], time.process_time() - start,
      (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * unit)
"""


def opened(kind: str, root: Path) -> tuple[int, float, float]:
    """Pictures, processor seconds, bytes at the most."""
    done = subprocess.run([sys.executable, "-c", OPEN, kind, str(root)], check=True, capture_output=True, text=True)
    count, seconds, memory = map(float, done.stdout.split())
    return int(count), seconds, memory


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no resource module")
@pytest.mark.parametrize(
    ("kind", "folders"), [("pairs", ["train"]), ("pairs", ["trainA", "trainB"]), ("domains", ["trainA", "trainB"])]
)
def test_a_large_folder_opens_in_the_time_and_memory_promised_and_sooner_again(tmp_path, kind, folders, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for number in range(8):
        images.write(tmp_path / f"{number}.png", np.full((16, 32, 3), number, np.uint8))
    for folder in folders:
        (tmp_path / "data" / folder).mkdir(parents=True)
        for number in range(COUNT // len(folders)):
            os.link(tmp_path / f"{number % 8}.png", tmp_path / "data" / folder / f"{number:06}.png")
    time.sleep(2.1)  # the folders come to rest
    count, seconds, memory = opened(kind, tmp_path / "data")
    assert count == COUNT // len(folders) - 16
    assert seconds < 30 / 5
    assert memory < 300e6 / 5
    count, seconds, memory = opened(kind, tmp_path / "data")
    assert count == COUNT // len(folders) - 16
    assert seconds < 3 / 2
    assert memory < 300e6 / 5

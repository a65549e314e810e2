"""Mutated files of every format through the reader: each is a picture or one line, and nothing else ever happens."""

import json
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from fuzzing import SECONDS
from mutating import mutated, seeds

CASES = int(os.environ.get("I2I_FUZZ_CASES", "10000"))


def fuzz(folder: Path, first: int, last: int) -> list[list]:
    """A line a case; one that killed its process is told by the signal, and the next process goes on behind it."""
    results: list[list] = []
    while first + len(results) < last:
        done = subprocess.run(
            [
                sys.executable,
                str(Path(__file__).with_name("fuzzing.py")),
                folder,
                *map(str, (first + len(results), last)),
            ],
            check=False,
            capture_output=True,
            text=True,
            errors="replace",
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )
        results += map(json.loads, done.stdout.splitlines())
        if done.returncode:
            assert done.returncode < 0, done.stderr
            outcome = "hung" if -done.returncode == signal.SIGALRM else "crashed"
            results.append([first + len(results), "", outcome, signal.Signals(-done.returncode).name, SECONDS, 0])
    return results


def refuse_findings(results: list[list]) -> None:
    assert [result for result in results if result[2] not in ("decoded", "refused")] == []
    # Some kilobytes each: what a header claims beyond what they can hold is refused before memory is taken.
    assert max(megabytes for *_, megabytes in results) < 1000


@pytest.mark.skipif(sys.platform != "linux", reason="limits and peaks of memory are read from /proc")
def test_mutated_pictures_are_read_or_refused_in_one_line(tmp_path):
    results = fuzz(tmp_path, 0, 350)
    refuse_findings(results)
    assert {name for _, name, *_ in results} == set(seeds())
    outcomes = Counter(outcome for _, _, outcome, *_ in results)
    assert min(outcomes["decoded"], outcomes["refused"]) > 50  # neither harmless nor hopeless


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="limits and peaks of memory are read from /proc")
def test_ten_thousand_mutated_pictures_are_read_or_refused_in_one_line(tmp_path):
    """I2I_FUZZ_CASES sets another number; prints what was reached (pytest -s)."""
    results = fuzz(tmp_path, 0, CASES)
    for outcome, count in Counter(outcome for _, _, outcome, *_ in results).items():
        print(f"{outcome}: {count}")
    for name in seeds():
        counts = Counter(outcome for _, kind, outcome, *_ in results if kind == name)
        print(f"  {name}: {counts['decoded']} decoded, {counts['refused']} refused")
    print("slowest:", max(results, key=lambda result: result[4]))
    print("largest:", max(results, key=lambda result: result[5]))
    refuse_findings(results)


def test_a_case_is_the_same_each_time_and_seeds_are_sound(tmp_path):
    from i2i import images

    for name, (suffix, data) in seeds().items():
        (tmp_path / f"a{suffix}").write_bytes(data)
        assert images.read(tmp_path / f"a{suffix}").size, name
        assert len({mutated(data, [data], random.Random(5)) for _ in range(3)}) == 1

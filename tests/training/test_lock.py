import os
import subprocess
import sys
from pathlib import Path

import pytest

from i2i.errors import TrainingError
from i2i.training.lock import NAME, alone

HOLDS = """
import sys, time
from pathlib import Path
from i2i.training.lock import alone
with alone(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_the_second_is_refused_and_told_who_is_there(tmp_path: Path) -> None:
    with alone(tmp_path):
        refused = pytest.raises(TrainingError, match=rf"another process is training it \(process {os.getpid()} on")
        with refused, alone(tmp_path):
            raise AssertionError
        assert (tmp_path / NAME).exists()
    assert not list(tmp_path.iterdir())
    with alone(tmp_path):
        pass


def test_the_lock_of_a_process_that_is_killed_is_gone(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDS, str(tmp_path)], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(TrainingError, match=rf"process {other.pid} on"), alone(tmp_path):
            raise AssertionError
        other.kill()
        other.wait()
    assert (tmp_path / NAME).exists()
    with alone(tmp_path):
        pass


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows forks nothing")
def test_a_forked_worker_that_outlives_its_trainer_holds_nothing(tmp_path: Path) -> None:
    # One write each: lines of two processes may meet in the pipe otherwise.
    forks = HOLDS.replace("import sys", "import os, sys").replace(
        'print("held", flush=True)', 'worker = os.fork()\n    os.write(1, f"{worker}\\n".encode())'
    )
    with subprocess.Popen([sys.executable, "-c", forks, str(tmp_path)], stdout=subprocess.PIPE, text=True) as trainer:
        assert trainer.stdout is not None
        worker = max(int(trainer.stdout.readline()) for _ in range(2))
        trainer.kill()
        trainer.wait()
        try:
            os.kill(worker, 0)  # still there
            with alone(tmp_path):
                pass
        finally:
            os.kill(worker, 9)


def test_a_folder_that_cannot_be_written_to_is_said(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    with pytest.raises(TrainingError, match="cannot be written to"), alone(tmp_path):
        raise AssertionError

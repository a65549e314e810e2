"""What a run leaves for its reader: a line of JSON and TensorBoard's curves a logging step."""

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from i2i.files import write_text

Record = dict[str, Any]


class Log:
    """Appends records to log.jsonl and to TensorBoard's event files.

    A run that goes on from step N drops what an interrupted one wrote after it, so the log has no doubles.
    """

    def __init__(self, run: Path, resume_step: int = 0) -> None:
        from tensorboardX.event_file_writer import EventsWriter

        self.path = run / "log.jsonl"
        kept = [record for record in read(self.path) if record["step"] <= resume_step] if resume_step else []
        write_text(self.path, "".join(json.dumps(record) + "\n" for record in kept))
        self._file = self.path.open("a", encoding="utf-8")
        (run / "tensorboard").mkdir(exist_ok=True)
        # Not a SummaryWriter: its thread ends where a disk is full, and whoever writes next waits for ever.
        self._board = EventsWriter(str(run / "tensorboard" / "events"))
        if resume_step:
            self._board.write_event(_purge(resume_step + 1))

    def add(self, record: Record) -> None:
        """One line; the numbers under "losses" become curves. Raises OSError."""
        self._file.write(json.dumps(record) + "\n")
        self._file.flush()
        others = {name: record[name] for name in ("images_per_second", "data_wait", "learning_rate") if name in record}
        self._board.write_event(_scalars(record["losses"] | others, record["step"]))
        self._board.flush()

    def close(self) -> None:
        """Finish both files; what a full disk has no room for was said when it was written, and is left out."""
        for file in (self._file, self._board):
            with suppress(OSError):
                file.close()


def _scalars(values: Mapping[str, float], step: int) -> Any:
    """TensorBoard's event of some numbers at a step."""
    from tensorboardX.proto.event_pb2 import Event  # pyright: ignore[reportAttributeAccessIssue]
    from tensorboardX.proto.summary_pb2 import Summary  # pyright: ignore[reportAttributeAccessIssue]

    summary = Summary(value=[Summary.Value(tag=name, simple_value=value) for name, value in values.items()])
    return Event(wall_time=time.time(), step=step, summary=summary)


def _purge(step: int) -> Any:
    """TensorBoard's event that takes back what was written for this step and later ones."""
    from tensorboardX.proto.event_pb2 import Event, SessionLog  # pyright: ignore[reportAttributeAccessIssue]

    return Event(wall_time=time.time(), step=step, session_log=SessionLog(status=SessionLog.START))


def read(path: Path) -> list[Record]:
    """Every whole line of a log; a line that a crash cut short is left out."""
    if not path.exists():
        return []
    records: list[Record] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            record = json.loads(line)
        except json.JSONDecodeError:
            continue
        if isinstance(record, dict) and isinstance(record.get("step"), int):
            records.append(record)
    return records

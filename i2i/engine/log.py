"""What a run leaves for its reader: a line of JSON and TensorBoard's curves a logging step."""

import json
from pathlib import Path
from typing import Any

from i2i.files import write_text

Record = dict[str, Any]


class Log:
    """Appends records to log.jsonl and to TensorBoard's event files.

    A run that goes on from step N drops what an interrupted one wrote after it, so the log has no doubles.
    """

    def __init__(self, run: Path, resume_step: int = 0) -> None:
        from tensorboardX import SummaryWriter

        self.path = run / "log.jsonl"
        kept = [record for record in read(self.path) if record["step"] <= resume_step] if resume_step else []
        write_text(self.path, "".join(json.dumps(record) + "\n" for record in kept))
        self._file = self.path.open("a", encoding="utf-8")
        self._board = SummaryWriter(str(run / "tensorboard"), purge_step=resume_step + 1 if resume_step else None)

    def add(self, record: Record) -> None:
        """One line; the numbers under "losses" become curves."""
        self._file.write(json.dumps(record) + "\n")
        self._file.flush()
        for name, value in record["losses"].items():
            self._board.add_scalar(name, value, record["step"])
        for name in ("images_per_second", "data_wait", "learning_rate"):
            if name in record:
                self._board.add_scalar(name, record[name], record["step"])

    def close(self) -> None:
        """Finish both files."""
        self._file.close()
        self._board.close()


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

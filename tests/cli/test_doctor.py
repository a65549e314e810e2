import json
import subprocess
import sys
from pathlib import Path

import pytest

from i2i import cli


def run_with(folder: Path, *health: dict[str, object]) -> Path:
    folder.mkdir()
    lines = [
        {"step": 50 * i, "losses": {"G/gan": 1.0}, "health": {"AtoB/diversity": 0.9} | signs}
        for i, signs in enumerate(health, 1)
    ]
    (folder / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


@pytest.fixture
def collapsed(tmp_path: Path) -> Path:
    fine, sick = {"verdict": "healthy"}, {"AtoB/diversity": 0.01, "verdict": "mode collapse"}
    return run_with(tmp_path / "run", fine, fine, fine, *[sick | {"verdict": "healthy"}] * 2, sick, sick)


def test_an_ill_run_is_told_with_evidence_and_what_to_try_and_is_no_error(collapsed, capsys):
    assert cli.main(["doctor", str(collapsed)]) == 0
    said = capsys.readouterr().out
    assert "mode collapse, since step 200 (the log ends at step 350)." in said
    assert "1.0%" in said
    assert "What to try:\n  - " in said
    assert "step 50: healthy; step 300: mode collapse." in said


def test_a_healthy_run_is_told_with_its_numbers(tmp_path, capsys):
    assert cli.main(["doctor", str(run_with(tmp_path / "run", {}, {}, {}))]) == 0
    said = capsys.readouterr().out
    assert "healthy (the log ends at step 150)." in said
    assert "90%" in said
    assert "What to try" not in said


def test_json_holds_all_that_is_said(collapsed, capsys):
    assert cli.main(["doctor", str(collapsed), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["name"], said["healthy"], said["step"], said["last_step"]) == ("mode collapse", False, 200, 350)
    assert said["evidence"]
    assert said["advice"]
    assert said["history"] == [{"step": 50, "name": "healthy"}, {"step": 300, "name": "mode collapse"}]


@pytest.mark.parametrize(
    ("made", "wanted"),
    [("nothing", "no such run folder"), ("folder", "no log.jsonl in it"), ("empty", "no lines yet")],
)
def test_what_is_no_run_is_said_in_one_line(made, wanted, tmp_path, capsys):
    run = tmp_path / "run"
    if made != "nothing":
        run.mkdir()
    if made == "empty":
        (run / "log.jsonl").write_text("")
    assert cli.main(["doctor", str(run)]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"i2i: error: {run}")
    assert wanted in said
    assert said.count("\n") == 1


def test_one_run_is_wanted(capsys):
    assert cli.main(["doctor"]) == 2
    assert "wanted one run" in capsys.readouterr().err


def test_a_diagnosis_loads_no_torch(collapsed):
    code = (
        "import sys; from i2i.cli import main; "
        f"main(['doctor', {str(collapsed)!r}]); print('torch' in sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "False\n"

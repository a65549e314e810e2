"""What docs/adding-your-own.md shows lies in docs/examples, and trains: from Python, and as a part of i2i."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from i2i.data.day2night import write

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "adding-your-own.md").read_text(encoding="utf-8")
EXAMPLES = ROOT / "docs" / "examples"
PLACES = {
    "can.py": "networks/can.py",
    "can_settings.py": "networks/settings/can.py",
    "pearson.py": "losses/pearson.py",
    "simgan.py": "models/simgan.py",
    "simgan_settings.py": "models/settings/simgan.py",
}
BOTH = """
import sys
import i2i.recipes
from i2i.cli import main
assert i2i.__file__.startswith(sys.argv[1]), i2i.__file__
tiny = ["--steps", "2", "--size", "32", "--width", "4", "--workers", "0", "--device", "cpu", "--data", "my-pairs"]
own = ["--model.generator.kind", "can", "--model.generator.layers", "2", "--model.objective.kind", "pearson"]
assert main(["train", "pix2pix", "--out", "own", *tiny, *own]) == 0
assert main(["translate", "own", "my-pairs/test/A", "translated", "--device", "cpu"]) == 0
assert main(["train", "simgan", "--out", "refined", *tiny, "--model.generator.kind", "can"]) == 0
assert main(["train", "--resume", "refined", "--steps", "3", "--workers", "0", "--device", "cpu"]) == 0
assert main(["translate", "refined", "my-pairs/test/A", "refined-pictures", "--device", "cpu"]) == 0
assert main(["recipes", "simgan"]) == 0
"""


def _blocks(language: str) -> dict[str, list[str]]:
    """The page's fenced blocks of a language, by title."""
    found: dict[str, list[str]] = {}
    for title, text in re.findall(rf'(?ms)^```{language} title="([^"]+)"\n(.*?)^```$', PAGE):
        found.setdefault(title, []).append(text)
    return found


def _apply(diff: str, text: str) -> str:
    """A text with a page's diff applied. `...` at the end of lines, out and in, stands for the rest of a line."""
    for out, new in re.findall(r"(?m)((?:^-.*\n)*)((?:^\+.*\n?)+)", _sorted(diff)):
        (old,) = [line[1:] for line in out.splitlines()]
        lines = [line[1:] for line in new.splitlines()]
        begin, dots, _ = old.partition("...")
        (found,) = re.findall(rf"(?m)^{re.escape(begin)}{'.*' if dots else ''}$", text)
        rest = found[len(begin) :]
        text = text.replace(found, "\n".join(line.replace("...", rest) if dots else line for line in lines))
    return text


def _sorted(diff: str) -> str:
    """Lines that come before the one that they replace are put behind it, as diffs have them."""
    return re.sub(r"(?m)\A((?:^\+.*\n)+)(^-.*\n)", r"\2\1", diff)


@pytest.fixture
def here(tmp_path: Path) -> Path:
    write(tmp_path / "my-pairs", train=6, val=1, test=2, size=(32, 32))
    return tmp_path


def test_the_page_shows_the_files_as_they_are() -> None:
    shown = _blocks("python")
    assert set(shown) == {path.name for path in EXAMPLES.glob("*.py")}
    for name, texts in shown.items():
        assert texts == [(EXAMPLES / name).read_text(encoding="utf-8")]


def test_networks_and_objectives_of_ones_own_train_from_python(here: Path) -> None:
    command = [sys.executable, str(EXAMPLES / "train_in_python.py"), "my-pairs", "2"]
    done = subprocess.run(command, cwd=here, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("2 {")
    assert "G/l1" in done.stdout
    assert {path.name for path in (here / "translated").iterdir()} == {"0000.png", "0001.png"}
    assert (here / "can.pt").is_file()


def test_a_model_of_ones_own_trains_from_python(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from i2i.engine.schedule import Schedule
    from i2i.engine.settings import TrainingSettings
    from i2i.engine.trainer import Trainer
    from i2i.losses.adversarial import Vanilla
    from i2i.networks.patchgan import PatchGAN

    monkeypatch.syspath_prepend(str(EXAMPLES))
    from can import CAN  # pyright: ignore[reportMissingImports]
    from simgan import SimGAN  # pyright: ignore[reportMissingImports]

    from i2i.batches import Domains

    model = SimGAN(CAN(3, 3, width=4, layers=2), PatchGAN(3, width=4, layers=1), Vanilla())
    before = [weight.detach().clone() for weight in model.parameters()]
    settings = TrainingSettings(precision="fp32")
    trainer = Trainer(model, settings, steps=2, schedule=Schedule("constant", 2, 1), device=torch.device("cpu"))
    batch = Domains(torch.rand(1, 3, 32, 32) * 2 - 1, torch.rand(1, 3, 32, 32) * 2 - 1)
    trainer.fit(iter([batch, batch]), after_round=lambda trainer: None, stop=lambda: False)
    assert {"G/gan", "G/self", "D/gan/real", "D/gan/fake"} == set(trainer.fetch_losses())
    assert all(not torch.equal(old, new) for old, new in zip(before, model.parameters(), strict=True) if old.ndim == 4)


def test_as_a_part_of_i2i_they_have_flags_checkpoints_and_translators(here: Path) -> None:
    package = here / "i2i"
    shutil.copytree(ROOT / "i2i", package, ignore=shutil.ignore_patterns("__pycache__"))
    for name, place in PLACES.items():
        shutil.copy(EXAMPLES / name, package / place)
    for place, diffs in _blocks("diff").items():
        for diff in diffs:
            path = here / place
            path.write_text(_apply(diff, path.read_text(encoding="utf-8")), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", BOTH, str(here)], cwd=here, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "kind: simgan" in done.stdout
    assert {path.name for path in (here / "refined-pictures").iterdir()} == {"0000.png", "0001.png"}
    assert "own/translator.safetensors" in {path.relative_to(here).as_posix() for path in (here / "own").iterdir()}


def test_a_diff_is_applied_once_where_it_belongs() -> None:
    diff = "-A = B | ...\n+A = New | B | ...\n"
    assert _apply(diff, "x\nA = B | C\ny\n") == "x\nA = New | B | C\ny\n"
    assert _apply("+one\n+two\n-A\n+B\n", "A\n") == "one\ntwo\nB\n"
    with pytest.raises(ValueError, match="unpack"):
        _apply(diff, "A = Z\n")

"""tools/translate_ray.py on a Ray of this machine."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from i2i import conversion, images
from i2i.networks.settings import ResNet
from i2i.translator import Card, Translator, save_network

TOOL = Path(__file__).parents[1] / "tools" / "translate_ray.py"


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("translate_ray", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    architecture = ResNet(width=2, blocks=1)
    card = Card(architecture=architecture, in_channels=3, out_channels=3)
    save_network(architecture.build(3, 3, (8, 8)), card, Path("m.safetensors"))
    random = np.random.default_rng(0)
    for name in ("in/a.png", "in/deep/b.png", "in/deep/c.jpg"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        images.write(name, random.integers(0, 256, (12, 10, 3), np.uint8))
    Path("in/broken.png").write_bytes(b"broken")
    return tmp_path


def test_its_plan_and_its_refusals_are_those_of_translate(
    tool: ModuleType, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("ray")
    assert tool.main(["m.safetensors", "in", "out", "--format", "png", "--dry-run"]) == 0
    plan = conversion.make_plan([here / "in"], here / "out", "png")
    assert capsys.readouterr().out.splitlines() == [f"{source} -> {target}" for source, target in plan]
    Path("in/a.jpg").write_bytes(b"x")
    assert tool.main(["m.safetensors", "in", "out", "--format", "png"]) == 2
    assert "would both become" in capsys.readouterr().err
    Path("out").mkdir()
    images.write("out/a.png", np.zeros((2, 2, 3), np.uint8))
    assert tool.main(["m.safetensors", "in", "out"]) == 2
    assert "there already" in capsys.readouterr().err


def test_its_stage_does_what_the_translator_does(tool: ModuleType, here: Path) -> None:
    stage = tool.Convert("m.safetensors", "cpu", 2, {"half": None, "existing": "overwrite", "workers": 1})
    rows = {"input": [b"in/a.png", b"in/broken.png"], "output": [b"out/a.png", b"out/broken.png"]}
    records = [json.loads(record) for record in stage(rows)["record"]]
    found = {record["input"]: record for record in records}
    assert found["in/broken.png"]["error"]
    assert found["in/a.png"]["checksum"]
    expected = Translator.load("m.safetensors", device="cpu")(images.read("in/a.png"))
    assert np.array_equal(images.read("out/a.png"), expected)


@pytest.mark.slow
def test_a_local_ray_converts_a_tree_and_goes_on_with_it(
    tool: ModuleType, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("ray")
    words = ["m.safetensors", "in", "out", "--device", "cpu", "--manifest", "m.jsonl", "--rows", "2"]
    assert tool.main(words) == 1
    said = capsys.readouterr()
    assert "3 converted, 0 there already, 1 failed" in said.out
    assert "broken.png: cannot be read" in said.err
    found = sorted(path.relative_to("out").as_posix() for path in Path("out").rglob("*") if path.is_file())
    assert found == ["a.png", "deep/b.png", "deep/c.jpg"]
    assert len(Path("m.jsonl").read_text().splitlines()) == 4
    Path("in/broken.png").unlink()
    Path("out/a.png").unlink()
    assert tool.main([*words, "--skip-existing"]) == 0
    assert "1 converted" in capsys.readouterr().out
    assert len(Path("m.jsonl").read_text().splitlines()) == 5

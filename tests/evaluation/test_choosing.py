from pathlib import Path

import pytest

from i2i.evaluation.choosing import checkpoint_rule
from i2i.networks.settings import ResNet
from i2i.translator import Card

CARD = Card(architecture=ResNet(width=2, blocks=1), in_channels=3, out_channels=3, steps=1500)


@pytest.mark.parametrize(
    ("model", "rule"),
    [
        ("run", "last"),
        ("run/translator.safetensors", "last"),
        ("run/translator_BtoA.safetensors", "last"),
        ("run/best.safetensors", "best"),
        ("run/best_AtoB.safetensors", "best"),
        ("best.safetensors", "file"),
        ("net_G.pth", "file"),
        (None, "given"),
    ],
)
def test_the_rule_is_read_off_what_was_loaded(model: str | None, rule: str, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "experiment.yaml").write_text("recipe: pix2pix\n")
    said = checkpoint_rule(tmp_path / model if model else None, CARD)
    assert said.startswith(f"{rule}: ")
    assert "1,500 steps" in said
    assert ("flatter" in said) == (rule == "best")

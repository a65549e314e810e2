from pathlib import Path

import numpy as np
import pytest
from torch import Tensor, nn

from i2i import cli, images
from i2i.conversion import Shard, make_plan, translate
from i2i.conversion.frames import in_order
from i2i.errors import SettingsError
from i2i.networks.settings import ResNet, UNet
from i2i.translator import Card, Translator, save_network

CARD = Card(architecture=ResNet(width=2, blocks=1), in_channels=3, out_channels=3)


class Seen(nn.Module):
    """Passes pictures on, and notes their first value."""

    multiple = 8

    def __init__(self) -> None:
        super().__init__()
        self.values: list[int] = []

    def forward(self, x: Tensor) -> Tensor:
        self.values += [round(float(one + 1) * 127.5) for one in x[:, 0, 0, 0]]
        return x


def put(path: Path, value: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    images.write(path, np.full((8, 8, 3), value, np.uint8))


def test_frames_go_by_number_and_folder_by_folder(tmp_path):
    names = ["b/2.png", "b/10.png", "a/shot1_frame9.png", "a/shot1_frame10.png", "a/shot2_frame1.png", "a/x.png"]
    for name in names:
        put(tmp_path / "in" / name, 0)
    plan = in_order(make_plan([tmp_path / "in"], tmp_path / "out"), None)
    assert [source.relative_to(tmp_path / "in").as_posix() for source, _ in plan] == [*names[2:], *names[:2]]
    assert all(source.name == target.name for source, target in plan)


@pytest.mark.parametrize("steady", [True, False])
def test_only_a_steady_translator_wants_the_order_of_numbers(tmp_path, steady):
    for number in range(1, 13):
        put(tmp_path / "in" / f"{number}.png", 10 * number)
    network = Seen()
    translator = Translator(network, CARD, device="cpu", precision="fp32", batch_size=5, steady=steady)
    translate(translator, tmp_path / "in", tmp_path / "out", workers=4)
    assert (network.values == [10 * number for number in range(1, 13)]) == steady
    for number in range(1, 13):
        assert images.read(tmp_path / "out" / f"{number}.png")[0, 0, 0] == 10 * number


def test_a_part_of_the_frames_is_refused(tmp_path):
    put(tmp_path / "in" / "1.png", 0)
    translator = Translator(Seen(), CARD, device="cpu", steady=True)
    with pytest.raises(SettingsError, match=r"--steady --shard 0/2: frames share statistics"):
        translate(translator, tmp_path / "in", tmp_path / "out", shard=Shard(0, 2))


def test_the_command_says_where_steady_changes_nothing(tmp_path, capsys):
    put(tmp_path / "in" / "1.png", 0)
    for name, architecture in (("fixed", UNet(width=2, depth=4)), ("own", ResNet(width=2, blocks=1))):
        card = Card(architecture=architecture, in_channels=3, out_channels=3)
        save_network(architecture.build(3, 3, (16, 16)), card, tmp_path / f"{name}.safetensors")
        words = ["translate", str(tmp_path / f"{name}.safetensors"), str(tmp_path / "in"), str(tmp_path / name)]
        assert cli.main([*words, "--steady", "--device", "cpu"]) == 0
        assert ("Frames are steady already" in capsys.readouterr().err) == (name == "fixed")

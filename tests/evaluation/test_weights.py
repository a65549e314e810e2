import hashlib
import re

import pytest
import torch
from torchvision.models import alexnet

from i2i.errors import ModelFileError, SettingsError
from i2i.evaluation.lpips import CHANNELS
from i2i.evaluation.weights import read_weights


def saved(path, content):
    torch.save(content, path)
    return path


def linear(kind="alex"):
    return {f"lin{at}.model.1.weight": torch.rand(1, count, 1, 1) for at, count in enumerate(CHANNELS[kind])}


@pytest.fixture(scope="module")
def trunk():
    with torch.device("meta"):
        layers = alexnet(weights=None).features
    return {f"features.{name}": value for name, value in layers.to_empty(device="cpu").state_dict().items()}


def test_a_file_gives_features_named_by_its_checksum(dino, tmp_path):
    path = saved(tmp_path / "any name.pth", dino())
    (found,) = read_weights([path, path]).features
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert (found.name, found.hash, found.dimension) == (f"dino-vit224-{digest[:8]}", digest, 64)
    pictures = torch.zeros(2, 1, 8, 8)
    assert found(pictures).shape == (2, 64)
    assert found(pictures).dtype == torch.float32


def test_two_files_are_lpips(trunk, tmp_path):
    paths = [saved(tmp_path / "b.pth", linear()), saved(tmp_path / "a.pth", trunk)]
    given = read_weights(paths)
    assert not given.features
    assert [one.name for one in given.lpips] == ["lpips-alex"]


@pytest.mark.parametrize("which", [0, 1])
def test_half_of_lpips_is_one_line(trunk, tmp_path, which):
    path = saved(tmp_path / "half.pth", (trunk, linear())[which])
    lacking = ("not its linear layers", "not its network")[which]
    with pytest.raises(SettingsError, match=rf"LPIPS \(alex\).*{lacking}.*Understood are"):
        read_weights([path])


def test_a_name_that_promises_another_checksum_is_refused(dino, tmp_path):
    path = saved(tmp_path / "network-6726825d.pth", dino())
    with pytest.raises(
        ModelFileError, match=r"begins with 6726825d, and it begins with [0-9a-f]{8}: the file is damaged"
    ):
        read_weights([path])
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    right = path.rename(tmp_path / f"network-{digest[:8]}.pth")
    assert len(read_weights([right]).features) == 1
    dated = right.rename(tmp_path / "network-20151205.pth")
    assert len(read_weights([dated]).features) == 1


def test_what_is_not_understood_says_what_is(dino, tmp_path):
    strange = saved(tmp_path / "strange.pth", {"conv.weight": torch.zeros(1)})
    nested = saved(tmp_path / "nested.pth", {"state_dict": dino(), "epoch": 3})
    wrong = saved(tmp_path / "wrong.pth", dino() | {"blocks.1.norm1.weight": torch.zeros(3)})
    lacking = dino()
    del lacking["norm.bias"]
    text = tmp_path / "text.pth"
    text.write_text("no weights")
    for path, reason in (
        (strange, "not known here (conv.weight, ...)"),
        (nested, "no state dict"),
        (wrong, "another shape"),
        (saved(tmp_path / "lacking.pth", lacking), "another shape"),
        (text, "not weights"),
        (tmp_path / "nothing.pth", "cannot be read"),
    ):
        with pytest.raises(ModelFileError, match=re.escape(str(path))) as error:
            read_weights([path])
        said = str(error.value)
        assert reason in said
        assert "weights-inception-2015-12-05-6726825d.pth" in said
        assert "features are used that need no file" in said
        assert "\n" not in said


def test_nothing_in_a_file_runs(tmp_path):
    class Runs:
        def __reduce__(self):
            return (tmp_path.joinpath("ran").touch, ())

    with pytest.raises(ModelFileError):
        read_weights([saved(tmp_path / "runs.pth", Runs())])
    assert not (tmp_path / "ran").exists()

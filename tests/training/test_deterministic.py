"""--deterministic: switched on for as long as a run trains, the same bits on a GPU, and no matter to older runs."""

import sys
from pathlib import Path

import pytest
import torch
import yaml

from i2i.errors import SettingsError
from i2i.experiment import change, from_yaml, to_yaml
from i2i.recipes import RECIPES
from i2i.training import Listener, train

sys.path.insert(0, str(Path(__file__).parent))
from resuming import differences, folder, small


def switches() -> tuple[bool, bool]:
    return torch.are_deterministic_algorithms_enabled(), torch.backends.cudnn.deterministic


class Looks(Listener):
    def __init__(self) -> None:
        self.seen: set[tuple[bool, bool]] = set()

    def stepped(self, step: int) -> None:
        self.seen.add(switches())


class Fails(Listener):
    def stepped(self, step: int) -> None:
        raise RuntimeError("some_backward_cuda does not have a deterministic implementation, but you set ...")


def test_a_run_trains_with_the_switches_on_and_leaves_them_as_they_were(tmp_path: Path) -> None:
    data, plain, fixed, later = folder(tmp_path / "data"), Looks(), Looks(), Looks()
    train(small("pix2pix", steps=2), data=data, out=tmp_path / "plain", device="cpu", workers=0, listener=plain)
    options = {"data": data, "device": "cpu", "workers": 0}
    train(small("pix2pix", steps=2), out=tmp_path / "fixed", deterministic=True, listener=fixed, **options)
    assert (plain.seen, fixed.seen) == ({(False, False)}, {(True, True)})
    assert switches() == (False, False)
    assert from_yaml(tmp_path / "fixed" / "experiment.yaml").training.deterministic
    train(resume=tmp_path / "fixed", steps=3, listener=later, **options)
    assert later.seen == {(True, True)}
    with pytest.raises(SettingsError, match="some_backward_cuda has no deterministic form on cpu"):
        train(small("pix2pix", deterministic=True), out=tmp_path / "other", listener=Fails(), **options)
    assert switches() == (False, False)


def test_a_batch_size_by_the_clock_is_refused(tmp_path: Path) -> None:
    experiment = change(small("pix2pix"), {"training": {"batch_size": "auto", "deterministic": True}})
    with pytest.raises(SettingsError, match=r"batch size auto .*--batch-size 4"):
        train(experiment, data=folder(tmp_path / "data"), out=tmp_path / "run", device="cpu")
    assert not (tmp_path / "run").exists()


def test_an_experiment_of_before_is_not_deterministic(tmp_path: Path) -> None:
    tree = yaml.safe_load(to_yaml(RECIPES["pix2pix"]))
    del tree["training"]["deterministic"]
    (tmp_path / "experiment.yaml").write_text(yaml.safe_dump(tree))
    assert from_yaml(tmp_path / "experiment.yaml") == RECIPES["pix2pix"]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@pytest.mark.parametrize("name", sorted(RECIPES))
@pytest.mark.parametrize("upsample", ["transpose", "resize", "shuffle"])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_gpu_gives_the_same_bits_again(name: str, upsample: str, precision: str, tmp_path: Path) -> None:
    data, experiment = folder(tmp_path / "data"), small(name, deterministic=True, precision=precision, steps=20)
    if name != "dcgan" and hasattr(experiment.model.generator, "upsample"):
        experiment = change(experiment, {"model": {"generator": {"upsample": upsample}}})
    for out in ("one", "two"):
        train(experiment, data=data, out=tmp_path / out, device="cuda", workers=0)
    assert differences(tmp_path / "one", tmp_path / "two") == []

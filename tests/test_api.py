import ast
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import i2i
from i2i import images
from i2i.experiment import Experiment, change


def modules(code: str) -> set[str]:
    """Names of the modules that a fresh interpreter has loaded after some code."""
    ending = "\nimport sys; print(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code + ending], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return set(ast.literal_eval(done.stdout.splitlines()[-1]))


def test_importing_i2i_loads_no_torch():
    loaded = modules("import i2i; assert i2i.__version__ and 'Translator' in i2i.__all__")
    assert not loaded & {"torch", "numpy", "cv2", "PIL", "pydantic", "albumentations", "skimage", "torchvision"}


def test_recipes_and_experiments_load_no_torch():
    assert "torch" not in modules("import i2i; i2i.RECIPES['pix2pix']; i2i.Experiment; i2i.UserError")


def test_every_promised_name_is_there():
    for name in i2i.__all__:
        assert getattr(i2i, name).__name__ == name if name != "RECIPES" else i2i.RECIPES
    assert {"Translator", "translate", "train", "evaluate", "Experiment", "UserError"} <= set(i2i.__all__)


def test_another_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="translates"):
        _ = i2i.translates


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two pairs to train on and one to test with, side by side."""
    root = tmp_path_factory.mktemp("data") / "facades"
    generator = np.random.default_rng(0)
    for name in ("train/1.jpg", "train/2.jpg", "test/3.jpg"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        images.write(root / name, generator.integers(0, 256, (36, 72, 3), dtype=np.uint8))
    return root


@pytest.fixture(scope="module")
def run(pairs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The contract's call, with networks that are small enough for a test."""
    out = tmp_path_factory.mktemp("runs") / "f"
    found = i2i.train(tiny(), data=pairs, out=str(out), steps=2, direction="BtoA", device="cpu", workers=0)
    assert (found.path, found.steps) == (out, 2)
    assert all(isinstance(value, float) for value in found.losses.values())
    return out


def tiny() -> Experiment:
    small = {"generator": {"kind": "resnet", "width": 2, "blocks": 1}, "discriminator": {"width": 2, "layers": 1}}
    return change(i2i.RECIPES["pix2pix"], {"model": small, "data": {"size": "32"}})


def test_the_promised_lines_of_python_work(run, pairs, tmp_path):
    night = i2i.Translator.load(str(run), device="auto", direction=None, precision="auto", fit=None, norm_mode=None)
    assert night.card.direction == "BtoA"
    (tmp_path / "photos").mkdir()
    images.write(tmp_path / "photos" / "street.jpg", np.full((20, 30, 3), 90, np.uint8))

    picture = night(str(tmp_path / "photos" / "street.jpg"))
    assert isinstance(picture, Image.Image)
    assert picture.size == (30, 20)
    a, b, c = picture, np.zeros((9, 7, 3), np.uint16), np.zeros((9, 7, 3), np.float32)
    pictures = night([a, b, c])
    assert isinstance(pictures[0], Image.Image)
    assert [result.dtype for result in pictures[1:]] == [np.uint16, np.float32]

    summary = i2i.translate(night, f"{tmp_path}/photos/", f"{tmp_path}/night/")
    assert (summary.converted, summary.skipped, summary.failed) == (1, 0, 0)
    assert summary.seconds > 0
    assert (tmp_path / "night" / "street.jpg").is_file()

    scores = i2i.evaluate(night, str(pairs), split="test")
    assert {"l1", "psnr", "ssim"} <= scores.keys()
    assert all(type(value) is float for value in scores.values())


def test_translating_loads_neither_torchvision_nor_albumentations_nor_skimage_nor_a_compiler(run, tmp_path):
    images.write(tmp_path / "a.png", np.zeros((8, 8, 3), np.uint8))
    loaded = modules(
        f"import i2i\nt = i2i.Translator.load({str(run)!r}, device='cpu')\n"
        f"i2i.translate(t, {str(tmp_path / 'a.png')!r}, {str(tmp_path / 'out')!r})"
    )
    assert "torch" in loaded
    assert not loaded & {"torchvision", "albumentations", "skimage", "tensorboardX", "torch._inductor"}
    assert (tmp_path / "out" / "a.png").is_file()


def test_what_a_user_can_cause_is_a_user_error(tmp_path):
    with pytest.raises(i2i.UserError):
        i2i.Translator.load(tmp_path / "nothing")
    with pytest.raises(i2i.UserError):
        i2i.train("pix2pix", data=tmp_path / "nothing", out=tmp_path / "run")

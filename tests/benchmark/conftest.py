from pathlib import Path

import numpy as np
import pytest

from i2i import images
from i2i.experiment import Experiment, change, set_width
from i2i.recipes import recipe

FILES = {
    "options/train_options.py": """
import argparse
class TrainOptions:
    def parse(self):
        parser = argparse.ArgumentParser()
        for name in ("dataroot", "checkpoints_dir", "name", "model", "dataset_mode", "netG", "norm", "gan_mode",
                     "direction"):
            parser.add_argument(f"--{name}")
        for name in ("ngf", "ndf", "batch_size", "num_threads", "load_size", "crop_size"):
            parser.add_argument(f"--{name}", type=int)
        parser.add_argument("--no_dropout", action="store_true")
        parser.add_argument("--no_html", action="store_true")
        print("options, at length")
        opt = parser.parse_args()
        opt.print_freq, opt.display_freq, opt.update_html_freq, opt.save_latest_freq = 2, 4, 8, 8
        return opt
""",
    "models/__init__.py": """
import torch
class Fake:
    def __init__(self, opt):
        self.opt, self.calls = opt, []
        self.weight = torch.ones(opt.ngf, device=opt.device)
    def setup(self, opt):
        self.calls.append("setup")
    def set_input(self, batch):
        assert batch["A"].shape[0] == self.opt.batch_size
        self.batch = batch
    def optimize_parameters(self):
        self.weight = self.weight * self.batch["A"].mean()
        self.calls.append("step")
    def compute_visuals(self):
        self.calls.append("visuals")
    def get_current_visuals(self):
        return {}
    def get_current_losses(self):
        return {"G": 1.0}
    def save_networks(self, name):
        self.calls.append(f"save {name}")
    def update_learning_rate(self):
        self.calls.append("rate")
def create_model(opt):
    return Fake(opt)
""",
    "data/__init__.py": """
from pathlib import Path
import torch
def create_dataset(opt):
    found = sorted(Path(opt.dataroot).rglob("*.png"))
    return [{"A": torch.zeros(opt.batch_size, 3, opt.crop_size, opt.crop_size)} for _ in found]
""",
    "util/__init__.py": "",
    "util/visualizer.py": """
import wandb
class Visualizer:
    def __init__(self, opt):
        self.calls = []
    def reset(self):
        self.calls.append("reset")
    def display_current_results(self, visuals, epoch, iters, save):
        self.calls.append(("show", save))
    def print_current_losses(self, epoch, iters, losses, took, waited):
        self.calls.append(("losses", iters))
""",
}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with the interface of the reference, and nothing of it."""
    root = tmp_path / "reference"
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """Five pairs of 40 pixels, two to validate on."""
    random = np.random.default_rng(0)
    for split, count in (("train", 5), ("val", 2)):
        for side in "AB":
            for number in range(count):
                picture = random.integers(0, 256, (40, 40, 3), dtype=np.uint8)
                path = tmp_path / "pairs" / split / side / f"{number}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                images.write(path, picture)
    return tmp_path / "pairs"


@pytest.fixture
def small() -> Experiment:
    """pix2pix of width 4 at 32 pixels."""
    changes = {
        "model": {"generator": {"kind": "resnet", "blocks": 1}, "discriminator": {"layers": 1}},
        "data": {"size": "32"},
        "training": {"precision": "fp32"},
    }
    return set_width(change(recipe("pix2pix"), changes), 4)

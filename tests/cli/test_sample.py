"""`i2i sample`: pictures, walks and neighbours where they are promised, and nothing overwritten."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from i2i import cli, images
from i2i.networks.settings import DCGANGenerator, ResNet
from i2i.sampler import Card, PictureSampler, save_sampler
from i2i.translator import Card as TranslatorCard
from i2i.translator import save_network

CLASSES = ("cat", "a ../dog")


def model(folder: Path, classes: tuple[str, ...] = CLASSES) -> Path:
    folder.mkdir()
    card = Card(architecture=DCGANGenerator(width=2, latent=8), out_channels=3, size="28", classes=classes)
    torch.manual_seed(0)
    network = card.architecture.build(3, (28, 28), len(classes))
    with torch.no_grad():
        for value in network.parameters():
            value.copy_(0.4 * torch.randn(value.shape))
    save_sampler(network, card, folder / "sampler.safetensors")
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return model(tmp_path_factory.mktemp("runs") / "cats")


def sample(*words: object) -> int:
    return cli.main(["sample", *map(str, words), "--device", "cpu"])


def test_pictures_of_seeds_and_a_grid_with_a_column_a_class(run, tmp_path, capsys):
    out = tmp_path / "out"
    assert sample(run, "--count", 5, "--seed", 2, "--out", out, "--batch-size", 2) == 0
    names = ["00002-cat.png", "00003-a-dog.png", "00004-cat.png", "00005-a-dog.png", "00006-cat.png", "grid.png"]
    assert sorted(path.name for path in out.rglob("*")) == names
    wanted = list(PictureSampler.load(run, device="cpu", batch_size=2).arrays(range(2, 7)))
    for name, picture in zip(names, wanted, strict=False):
        assert np.array_equal(images.read(out / name), picture)
    grid = images.read(out / "grid.png")
    assert grid.shape == (2 + 3 * 30, 2 + 2 * 30, 3)
    assert np.array_equal(grid[32:60, 2:30], wanted[2])
    assert np.array_equal(grid[62:90, 2:30], wanted[4])
    assert np.unique(grid[62:90, 32:60]).tolist() == [22], "there is no sixth"
    said = capsys.readouterr().out
    assert "2 classes, 0 steps (a ../dog, cat)." in said
    assert f"5 pictures in {out}; all at a glance: {out / 'grid.png'}" in said


def test_of_one_class_alone_and_only_the_grid(run, tmp_path):
    assert sample(run, "--count", 4, "--label", "cat", "--only-grid", "--columns", 4, "--out", tmp_path / "out") == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["grid.png"]
    assert images.read(tmp_path / "out" / "grid.png").shape == (32, 122, 3)


def test_truncation_0_is_one_picture(run, tmp_path):
    assert sample(run, "--count", 2, "--label", "cat", "--truncation", 0, "--out", tmp_path) == 0
    one, two = (images.read(tmp_path / f"0000{seed}-cat.png") for seed in range(2))
    assert np.array_equal(one, two)


def test_nothing_is_overwritten_unless_it_is_said(run, tmp_path, capsys):
    assert sample(run, "--count", 2, "--out", tmp_path) == 0
    (tmp_path / "grid.png").unlink()
    before = (tmp_path / "00000-cat.png").read_bytes()
    assert sample(run, "--count", 2, "--label", "cat", "--out", tmp_path) == 2
    assert f"{tmp_path}: holds 00000-cat.png already, and nothing is overwritten" in capsys.readouterr().err
    assert not (tmp_path / "grid.png").exists()
    assert sample(run, "--count", 2, "--truncation", 0, "--out", tmp_path, "--overwrite") == 0
    assert (tmp_path / "00000-cat.png").read_bytes() != before


def test_a_walk_leaves_frames_a_sheet_and_what_moves(run, tmp_path, capsys):
    assert sample(run, "--out", tmp_path, "--frames", 4, "--interpolate", 3, 8, 1) == 0
    names = [f"{index:05d}.png" for index in range(9)]
    assert sorted(path.name for path in (tmp_path / "frames").iterdir()) == names
    sheet, moving = images.read(tmp_path / "walk.png"), Image.open(tmp_path / "walk.webp")
    assert sheet.shape == (2 + 2 * 30, 2 + 5 * 30, 3)
    middle = images.read(tmp_path / "frames" / "00004.png")
    assert np.array_equal(sheet[2:30, 122:150], middle)
    assert np.array_equal(sheet[32:60, 2:30], middle)
    assert getattr(moving, "n_frames") == 9  # noqa: B009
    moving.seek(4)
    assert np.array_equal(np.asarray(moving.convert("RGB")), middle)
    assert "9 frames" in capsys.readouterr().out
    assert sample(run, "--out", tmp_path, "--interpolate", 3, 8) == 2
    assert "already" in capsys.readouterr().err


@pytest.mark.parametrize("near", ["pixels", "features"])
def test_neighbours_are_found_where_the_pictures_were_learnt(run, tmp_path, capsys, near):
    wanted = list(PictureSampler.load(run, device="cpu").arrays(range(3)))
    noise = np.random.default_rng(0)
    for index in range(6):
        learnt = wanted[index][:, ::-1] if index < 3 else noise.integers(0, 256, (28, 28, 3), dtype=np.uint8)
        path = tmp_path / "data" / "train" / f"{index}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        images.write(path, learnt if near == "pixels" or index > 2 else wanted[index])
    out = tmp_path / "out"
    assert sample(run, "--count", 3, "--out", out, "--neighbours", tmp_path / "data", "--near", near) == 0
    assert f"The nearest of all 6 training pictures beside 3 of them: {out / 'neighbours.png'}" in (
        capsys.readouterr().out
    )
    assert images.read(out / "neighbours.png").shape[1] > 2 * 112
    (out / "grid.png").unlink()
    for path in out.glob("0*"):
        path.unlink()
    assert sample(run, "--count", 3, "--out", out, "--neighbours", tmp_path / "data") == 2
    assert not (out / "grid.png").exists(), "what cannot be finished is not begun"


def test_a_page_shows_the_pictures_by_seed_and_class_and_what_is_nearest(run, tmp_path, capsys):
    (tmp_path / "data" / "train").mkdir(parents=True)
    for index in range(2):
        images.write(tmp_path / "data" / "train" / f"{index}.png", np.zeros((28, 28, 3), np.uint8))
    page = tmp_path / "page.html"
    asked = ["--count", 3, "--seed", 4, "--out", tmp_path / "out", "--report", page, "--truncation", 0.5]
    assert sample(run, *asked, "--neighbours", tmp_path / "data") == 0
    assert f"Page: {page}" in capsys.readouterr().out
    text = page.read_text(encoding="utf-8")
    for seed, name in ((4, "cat"), (5, "a ../dog"), (6, "cat")):
        assert f'data-name="seed {seed}" data-label="{name}"' in text
    assert "4 to 6" in text
    assert "<dd>0.5</dd>" in text
    assert text.count('data-label="nearest"') == 3
    assert "0.png, " in text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "wanted one model"),
        (["{run}", "more"], "wanted one model"),
        (["--interpolate", "1", "2"], "--interpolate takes all the words behind it"),
        (["{run}", "--count", "0"], "--count 0: wanted 1 or more"),
        (["{run}", "--batch-size", "0"], "--batch-size 0"),
        (["{run}", "--label", "cot"], "did you mean cat?"),
        (["{run}", "--seed", "-3"], "seed -3: wanted 0 or more"),
        (["{run}", "--truncation", "-1"], "truncation -1.0"),
        (["{run}", "--frames", "3"], "--frames: is for a walk"),
        (["{run}", "--count", "3", "--interpolate", "1", "2"], "--count: is for pictures"),
        (["{run}", "--interpolate", "1"], "a walk has 2 seeds or more"),
        (["{run}", "--neighbours", "nowhere"], "nowhere: does not exist"),
    ],
)
def test_what_cannot_be_is_one_line(run, tmp_path, capsys, words, said, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["sample", *(word.format(run=run) for word in words)]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("i2i: error: ")
    assert said in error
    assert not (tmp_path / "sampled").exists(), "what cannot be finished is not begun"


def test_without_a_place_it_is_named_after_the_run(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert sample(run, "--count", 1) == 0
    assert (tmp_path / "sampled" / "cats" / "grid.png").is_file()


def test_a_translator_is_no_sampler(tmp_path, capsys):
    card = TranslatorCard(architecture=ResNet(width=2, blocks=1), in_channels=3, out_channels=3)
    save_network(card.architecture.build(3, 3, (16, 16)), card, tmp_path / "translator.safetensors")
    assert sample(tmp_path) == 2
    assert "translates pictures and makes none from noise. To translate: i2i translate" in capsys.readouterr().err

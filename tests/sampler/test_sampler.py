import dataclasses
import os
import resource
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

import i2i
from i2i.errors import ModelFileError, SettingsError
from i2i.networks.card_file import CardFile
from i2i.networks.sampler import Sampler
from i2i.networks.settings import DCGANGenerator, ResNet
from i2i.sampler import Card, PictureSampler, describe, holds_sampler, load_sampler, save_sampler
from i2i.sampler.card import CARD
from i2i.translator import Card as TranslatorCard
from i2i.translator import Translator, save_network

sys.path.insert(0, str(Path(__file__).parents[1] / "networks"))
from hostile_files import described, entry, headers, rewrite, with_header
from hostile_files import tensors as header_of

TINY = Card(
    architecture=DCGANGenerator(width=2, latent=8), out_channels=3, size="28", recipe="cgan", classes=("cat", "dog")
)
PLAIN = dataclasses.replace(TINY, classes=())


def network(card: Card = TINY) -> Sampler:
    """Weights and running statistics that are not those of the start."""
    torch.manual_seed(0)
    made = card.architecture.build(card.out_channels, (28, 28), len(card.classes))
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, value in made.state_dict().items():
            if value.is_floating_point():
                value.copy_(0.4 * torch.randn(value.shape, generator=generator))
                if name.endswith("running_var"):
                    value.abs_().add_(0.5)
    return made


def saved(path: Path, card: Card = TINY) -> Path:
    save_sampler(network(card), card, path)
    return path


def sampler(card: Card = TINY, **options: Any) -> PictureSampler:
    return PictureSampler(network(card), card, device="cpu", **options)


def stacked(pictures: Any) -> np.ndarray:
    return np.stack([np.asarray(one) for one in pictures]).astype(int)


# ---------------------------------------------------------------------------------------------------------- pictures


def test_a_picture_is_a_function_of_its_seed_whatever_is_made_beside_it():
    one = stacked(sampler(batch_size=7).arrays(range(20)))
    assert one.shape == (20, 28, 28, 3)
    for batch in (1, 20):
        other = stacked(sampler(batch_size=batch).arrays(range(20)))
        assert np.abs(one - other).max() <= 1, "the last bits of sums may differ by the size of a batch"
    alone = stacked(sampler().arrays([13]))[0]
    assert np.abs(alone - one[13]).max() <= 1
    assert np.abs(one[13] - one[11]).max() > 20


def test_sampling_counts_seeds_and_draws_nothing_of_the_global_generator():
    before = torch.get_rng_state()
    pictures = sampler().sample(3, seed=5)
    assert [picture.size for picture in pictures] == [(28, 28)] * 3
    assert np.abs(stacked(pictures) - stacked(sampler().arrays([5, 6, 7]))).max() == 0
    assert torch.equal(torch.get_rng_state(), before)
    assert sampler().sample(0) == []


def test_gray_pictures_are_gray():
    gray = dataclasses.replace(PLAIN, out_channels=1)
    assert sampler(gray).sample()[0].mode == "L"


def test_seeds_show_all_classes_in_turn_and_a_label_is_asked_for_by_name():
    one = sampler()
    assert one.labels([0, 1, 2, 5]) == [0, 1, 0, 1]
    assert one.labels([0, 1], "dog") == [1, 1]
    dog = stacked(one.arrays([1], label="dog"))
    assert np.array_equal(dog, stacked(one.arrays([1])))
    assert not np.array_equal(dog, stacked(one.arrays([1], label="cat")))


@pytest.mark.parametrize(
    ("card", "label", "said"),
    [(TINY, "dgo", "did you mean dog"), (TINY, "tree", "there are cat, dog"), (PLAIN, "cat", "knows no classes")],
)
def test_a_label_that_is_not_there_is_answered(card, label, said):
    with pytest.raises(SettingsError, match=said):
        sampler(card).sample(label=label)


@pytest.mark.parametrize("truncation", [-1.0, float("nan"), float("inf")])
def test_a_truncation_that_is_none_is_refused(truncation):
    with pytest.raises(SettingsError, match="truncation"):
        sampler().sample(truncation=truncation)


def test_a_seed_below_0_and_a_batch_of_none_are_refused():
    with pytest.raises(SettingsError, match="seed -1"):
        sampler().sample(seed=-1)
    with pytest.raises(SettingsError, match="batch size 0"):
        sampler(batch_size=0)


def test_truncation_0_is_one_picture_a_class_and_less_of_it_is_more_alike():
    def apart(truncation: float | None) -> float:
        return float(stacked(sampler().arrays(range(0, 40, 2), truncation=truncation)).std(axis=0).mean())

    assert apart(0.0) <= 0.5
    assert apart(0.0) < apart(0.5) < apart(None)
    cat, dog = stacked(sampler().arrays([0, 1], truncation=0.0))
    assert np.abs(cat - dog).max() > 2


# ------------------------------------------------------------------------------------------------------------ walks


def test_a_walk_begins_and_ends_at_its_seeds_and_stays_in_one_class():
    one = sampler()
    frames = stacked(one.walk([4, 9, 2], 5))
    assert len(frames) == 11
    stops = stacked(one.arrays([4, 9, 2], label="cat"))
    assert np.abs(frames[[0, 5, 10]] - stops).max() <= 1
    steps = np.abs(np.diff(frames, axis=0)).mean(axis=(1, 2, 3))
    assert steps.max() < np.abs(stops[0] - stops[1]).mean(), "no step is as large as the way"
    assert len(one.interpolate([4, 9], 3)) == 4


@pytest.mark.parametrize("arguments", [([1],), ([1, 2], 0)])
def test_a_walk_to_nowhere_is_refused(arguments):
    with pytest.raises(SettingsError, match="a walk has"):
        sampler().walk(*arguments)


# ------------------------------------------------------------------------------------------------------------ files


def test_a_file_gives_the_pictures_that_were_saved(tmp_path):
    saved(tmp_path / "sampler.safetensors")
    loaded = i2i.PictureSampler.load(tmp_path, device="cpu")
    assert loaded.card == TINY
    assert loaded.classes == ("cat", "dog")
    assert np.array_equal(stacked(loaded.arrays(range(4))), stacked(sampler().arrays(range(4))))
    assert not loaded.network.training, "batch norm by its running statistics"
    assert describe(TINY) == "cgan, dcgan of width 2, 3 channels, 28 pixels, 2 classes, 0 steps"


class Remembers(nn.Module):
    """What it computes when it is built is in no file."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(3))
        nn.init.normal_(self.weight)
        self.register_buffer("kernel", torch.tensor([0.0, 1.0, 2.0]), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight + self.kernel


def test_what_a_network_computes_for_itself_is_there_after_loading(tmp_path):
    one, file = Remembers(), CardFile("i2i-sampler", "sampler", CARD)
    file.save(one, TINY, tmp_path / "s.safetensors")
    before = torch.get_rng_state()
    found, _ = file.load(tmp_path / "s.safetensors", lambda card: Remembers())
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(found(torch.ones(3)), one(torch.ones(3)))


def other(tmp_path: Path, name: str) -> Path:
    """A model that makes nothing from noise."""
    card = TranslatorCard(architecture=ResNet(width=2, blocks=1), in_channels=3, out_channels=3)
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    save_network(card.architecture.build(3, 3, (16, 16)), card, path)
    return path


def test_the_one_kind_of_model_in_the_others_place_is_one_line(tmp_path):
    path = other(tmp_path, "run/translator.safetensors")
    with pytest.raises(ModelFileError, match="is no sampler: it translates pictures, as i2i translate does"):
        load_sampler(path)
    with pytest.raises(ModelFileError, match="translates pictures and makes none from noise"):
        load_sampler(path.parent)
    noisy = saved(tmp_path / "noise" / "sampler.safetensors") if (tmp_path / "noise").mkdir() is None else path
    with pytest.raises(ModelFileError, match="is no translator: it makes pictures from noise, as i2i sample does"):
        Translator.load(noisy)
    with pytest.raises(ModelFileError, match="makes pictures from noise and translates none"):
        Translator.load(noisy.parent)
    assert holds_sampler(noisy)
    assert holds_sampler(noisy.parent)
    assert not holds_sampler(path)
    assert not holds_sampler(path.parent)
    assert not holds_sampler(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("file", "reason"), [("experiment.yaml", "first checkpoint was not reached"), ("photo.png", "not a run folder")]
)
def test_a_folder_without_a_sampler_says_why(file, reason, tmp_path):
    (tmp_path / file).touch()
    with pytest.raises(ModelFileError, match=reason):
        load_sampler(tmp_path)


def broken(path: Path, how: str) -> None:
    saved(path)
    weights = load_file(path)
    first = next(iter(weights))
    match how:
        case "nothing":
            path.unlink()
        case "a pipe":
            path.unlink()
            os.mkfifo(path)
        case "text":
            path.write_text("no sampler\n")
        case "cut short":
            path.write_bytes(path.read_bytes()[:-100])
        case "of before":
            rewrite(path, metadata={"recipe": "dcgan"})
        case "no card":
            rewrite(path, metadata={"format": "i2i-sampler"})
        case "unknown network":
            described(path, architecture={"kind": "resnet"})
        case "wrong shape":
            rewrite(path, weights | {first: torch.zeros(1)})
        case "missing weight":
            rewrite(path, {name: value for name, value in weights.items() if name != first})
        case "unknown weight":
            rewrite(path, weights | {"more": torch.zeros(1)})
        case "other width":
            described(path, architecture={"width": 3})
        case "a million channels":
            described(path, architecture={"width": 1_000_000})
        case "the widest":
            described(path, architecture={"width": 4096}, size="1792")
        case "two channels":
            described(path, out_channels=2)
        case "a class more":
            described(path, classes=["a", "b", "c"])
        case "a million classes":
            described(path, classes=["a"] * 150_000)
        case "10 gigapixels":
            described(path, size="99999")
        case "a size that none has":
            described(path, size="30x28")


HOWS = [
    "nothing", "a pipe", "text", "cut short", "of before", "no card", "unknown network", "wrong shape",
    "missing weight", "unknown weight", "other width", "a million channels", "the widest", "two channels",
    "a class more", "a million classes", "10 gigapixels", "a size that none has",
]  # fmt: skip


@pytest.mark.parametrize("how", HOWS)
def test_a_file_that_cannot_be_used_is_one_message(how, tmp_path):
    path = tmp_path / "s.safetensors"
    broken(path, how)
    with pytest.raises(ModelFileError) as refusal:
        PictureSampler.load(path)
    assert str(refusal.value).startswith(f"{path}: ")
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 600


TOLD = {"architecture": {"kind": "dcgan", "width": 2}, "out_channels": 3, "size": "28"}
HEADERS = headers("i2i-sampler", TOLD)


@pytest.mark.parametrize("case", HEADERS)
def test_a_hostile_header_is_one_message(case, tmp_path):
    header, length = HEADERS[case]
    path = with_header(tmp_path / "s.safetensors", header, length, bytes(16))
    with pytest.raises(ModelFileError) as refusal:
        PictureSampler.load(path)
    assert str(refusal.value).startswith(f"{path}: ")
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 600


def test_weights_of_another_network_are_refused_before_they_are_read(tmp_path):
    """4 GB that are a hole in the file, and would be 4 GB in memory."""
    header = header_of("i2i-sampler", TOLD, a=entry(0, 4 << 30, [1 << 30]))
    path = with_header(tmp_path / "s.safetensors", header)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size + (4 << 30))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ModelFileError, match="not those of the network it describes"):
        PictureSampler.load(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000

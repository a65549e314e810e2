"""A run reads the captions of its pictures, keeps what it made of them, and ships it with its sampler."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from i2i import cli, images
from i2i.data.settings import DataSettings
from i2i.engine.settings import TrainingSettings
from i2i.errors import DatasetError, SettingsError
from i2i.experiment import Experiment, change, from_yaml
from i2i.models.settings import TextToImage
from i2i.networks.settings import TextDiscriminator, TextGenerator
from i2i.recipes import recipe
from i2i.sampler import PictureSampler
from i2i.training import train

TINY = Experiment(
    recipe="text-to-image",
    model=TextToImage(generator=TextGenerator(width=2, latent=4), discriminator=TextDiscriminator(width=2)),
    data=DataSettings(size="28", holdout=1),
    training=TrainingSettings(precision="fp32", steps=1, batch_size=2),
)
CAPTIONS = ["a red circle", "a blue circle", "a red square", "a green square"]


def told(root: Path, captions: list[str] = CAPTIONS) -> Path:
    for index, caption in enumerate(captions):
        path = root / "train" / f"{index}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        images.write(path, np.random.default_rng(index).integers(0, 256, (28, 28, 3), dtype=np.uint8))
        path.with_suffix(".txt").write_text(caption)
    return root


def run(experiment: Experiment, data: Path, out: Path, **options: Any) -> Path:
    return train(experiment, data=data, out=out, device="cpu", workers=0, **options).path


def test_a_run_knows_the_words_of_its_captions_and_so_does_its_sampler(tmp_path):
    out = run(TINY, told(tmp_path / "data"), tmp_path / "run")
    words = ("a", "circle", "red", "square", "blue", "green", "a red")
    assert from_yaml(out / "experiment.yaml").data.vocabulary == words
    sampler = PictureSampler.load(out, device="cpu")
    assert sampler.card.vocabulary == words
    assert len(sampler.classes) == 3, "of the picture that is held out nothing was learnt"
    assert set(sampler.classes) < set(CAPTIONS)
    assert sampler.network.text == 7
    (picture,) = sampler.sample(text="a blue square")
    assert picture.size == (28, 28)
    # What the samples of a run show: pictures made of held-out captions, beside their own.
    assert len(list((out / "samples").iterdir())) >= 1


def test_a_run_goes_on_with_the_words_that_it_began_with(tmp_path):
    out = run(TINY, told(tmp_path / "data"), tmp_path / "run")
    before = from_yaml(out / "experiment.yaml").data.vocabulary
    told(tmp_path / "data", [*CAPTIONS, "a purple pentagon"])
    longer = change(TINY, {"training": {"steps": 2}})
    run(longer, tmp_path / "data", out, existing="continue")
    assert from_yaml(out / "experiment.yaml").data.vocabulary == before


def test_embeddings_are_found_from_any_folder_and_their_length_is_kept(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = Path("vectors.safetensors")
    save_file({caption: np.random.default_rng(0).normal(size=6).astype(np.float32) for caption in CAPTIONS}, file)
    experiment = change(TINY, {"data": {"embeddings": str(file)}})
    out = run(experiment, told(tmp_path / "data"), tmp_path / "run")
    kept = from_yaml(out / "experiment.yaml").data
    assert (kept.embeddings, kept.embedding, kept.vocabulary) == (str(tmp_path / file), 6, ())
    sampler = PictureSampler.load(out, device="cpu", embeddings=file)
    assert (sampler.card.embedding, sampler.card.vocabulary, sampler.card.captions) == (6, (), ())
    sampler.sample(text="a red circle")
    file.rename("elsewhere.safetensors")
    with pytest.raises(DatasetError, match=r"vectors\.safetensors: cannot be used \(there is no such file\)"):
        train(resume=out, steps=2, device="cpu", workers=0)


def test_captions_without_a_word_are_refused(tmp_path):
    with pytest.raises(DatasetError, match="no caption has a word in it"):
        run(TINY, told(tmp_path / "data", ["!!!", "???"] * 2), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_embeddings_are_for_models_that_read_captions(tmp_path):
    experiment = change(recipe("dcgan"), {"data": {"embeddings": "vectors.safetensors"}})
    with pytest.raises(SettingsError, match=r"data\.embeddings vectors\.safetensors: dcgan reads no captions"):
        run(experiment, told(tmp_path / "data"), tmp_path / "run")


def command(*words: object) -> int:
    return cli.main(list(map(str, words)))


def test_from_captions_to_pictures_of_a_text_on_the_command_line(tmp_path, capsys):
    data, out = told(tmp_path / "data"), tmp_path / "run"
    small = ["--size", 32, "--width", 2, "--batch-size", 2, "--steps", 1, "--holdout", 0, "--device", "cpu"]
    assert command("train", "text-to-image", "--data", data, "--out", out, *small) == 0
    assert f"i2i sample {out} --text" in capsys.readouterr().out
    made = tmp_path / "made"
    assert command("sample", out, "--text", "a red circle", "--count", 2, "--out", made, "--device", "cpu") == 0
    names = ["00000-a-red-circle.png", "00001-a-red-circle.png", "grid.png"]
    assert sorted(path.name for path in made.iterdir()) == names
    assert command("sample", out, "--text", "a purple dog", "--out", tmp_path / "none", "--device", "cpu") == 2
    assert "no caption that it learnt from has 'dog', 'purple'" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()
    assert command("sample", out, "--count", 2, "--only-grid", "--out", tmp_path / "turns", "--device", "cpu") == 0
    (data / "train" / "1.txt").unlink()
    assert command("train", "text-to-image", "--data", data, "--out", tmp_path / "other", *small) == 2
    assert "1 of 4 pictures have no caption: 1.png" in capsys.readouterr().err


def test_a_text_is_refused_by_a_model_without_words(tmp_path, capsys):
    data, out = told(tmp_path / "data"), tmp_path / "run"
    small = ["--size", 32, "--width", 2, "--batch-size", 2, "--steps", 1, "--holdout", 0, "--device", "cpu"]
    assert command("train", "dcgan", "--data", data, "--out", out, *small) == 0
    capsys.readouterr()
    assert command("sample", out, "--text", "a dog", "--out", tmp_path / "made", "--device", "cpu") == 2
    assert "text 'a dog': this model reads none; leave it out" in capsys.readouterr().err

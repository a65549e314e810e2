import numpy as np
import pytest

from i2i import images
from i2i.data.settings import DataSettings
from i2i.engine.settings import TrainingSettings
from i2i.errors import DatasetError
from i2i.experiment import Experiment, change, from_yaml
from i2i.models import gan
from i2i.models.settings import GAN
from i2i.networks.settings import DCGANDiscriminator, DCGANGenerator
from i2i.training import train

CONDITIONAL = Experiment(
    model=GAN(generator=DCGANGenerator(width=2, latent=4), discriminator=DCGANDiscriminator(width=2), conditional=True),
    data=DataSettings(size="28", holdout=0),
    training=TrainingSettings(precision="fp32", steps=1, batch_size=2),
)


def folders(root, *names):
    for name in names:
        (root / "train" / name).mkdir(parents=True)
        for index in range(3):
            pixels = np.random.default_rng(index).integers(0, 256, (28, 28, 3), dtype=np.uint8)
            images.write(root / "train" / name / f"{index}.png", pixels)
    return root


def test_a_conditional_run_learns_the_class_folders_by_name(tmp_path):
    train(CONDITIONAL, data=folders(tmp_path / "data", "dog", "cat"), out=tmp_path / "run", device="cpu", workers=0)
    assert from_yaml(tmp_path / "run" / "experiment.yaml").model.classes == ("cat", "dog")


@pytest.mark.parametrize(("names", "found"), [(["cat"], "one class folder, cat"), ([""], "no class folders")])
def test_fewer_than_two_classes_are_refused(tmp_path, names, found):
    with pytest.raises(DatasetError, match=f"has {found}, but a conditional model"):
        train(CONDITIONAL, data=folders(tmp_path / "data", *names), out=tmp_path / "run", device="cpu", workers=0)
    assert not (tmp_path / "run" / "checkpoint.pt").exists()


def test_a_run_goes_on_with_its_own_classes_alone(tmp_path):
    run = tmp_path / "run"
    train(CONDITIONAL, data=folders(tmp_path / "data", "dog", "cat"), out=run, device="cpu", workers=0)
    others = folders(tmp_path / "others", "dog", "fish")
    with pytest.raises(DatasetError, match="has the class folders dog, fish, but the model knows cat, dog"):
        train(resume=run, data=others, steps=2, device="cpu", workers=0)


def test_a_class_whose_pictures_are_all_held_out_is_refused(tmp_path):
    data = folders(tmp_path / "data", "dog", "cat")
    (data / "train" / "cat" / "0.png").rename(data / "train" / "cat" / "one.png")
    for index in (1, 2):
        (data / "train" / "cat" / f"{index}.png").unlink()
    experiment = change(CONDITIONAL, {"data": {"holdout": 3}})
    with pytest.raises(DatasetError, match="all pictures of cat are held out of training, so nothing would be learnt"):
        train(experiment, data=data, out=tmp_path / "run", device="cpu", workers=0)
    plain = change(experiment, {"model": {"conditional": False}})
    train(plain, data=data, out=tmp_path / "plain", device="cpu", workers=0)


def test_a_balanced_run_draws_each_class_equally_often(tmp_path, monkeypatch):
    data = folders(tmp_path / "data", "dog", "cat")
    for index in (1, 2):
        (data / "train" / "cat" / f"{index}.png").unlink()
    drawn = []
    step = gan.GAN.step

    def watched(self, batch, progress):
        drawn.extend(batch.labels.tolist())
        return step(self, batch, progress)

    monkeypatch.setattr(gan.GAN, "step", watched)
    balanced = change(CONDITIONAL, {"data": {"balance": "classes"}, "training": {"steps": 6}})
    train(balanced, data=data, out=tmp_path / "run", device="cpu", workers=0)
    assert drawn.count(0) == drawn.count(1), "what the run tries beforehand is balanced, too"
    notes = (tmp_path / "run" / "notes.txt").read_text()
    assert "classes are uneven: cat has 1 pictures, dog has 3; each class is drawn equally often" in notes

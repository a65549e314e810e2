from functools import cache, partial

import numpy as np
import pytest
import torch

from i2i import images
from i2i.data.day2night import draw
from i2i.errors import DatasetError, ModelFileError, SettingsError
from i2i.evaluation.asked_features import own_features_for
from i2i.evaluation.kid import discrepancy
from i2i.evaluation.lots import represented
from i2i.evaluation.own_features import OwnFeatures, own_features
from i2i.evaluation.own_network import OwnNetwork, Tasks, contrast, train
from i2i.evaluation.own_views import DAMAGES, crops, damaged
from i2i.evaluation.sides import Picture


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@cache
def streets(count=20, first=0):
    """Days and nights, as pictures that are read when they are asked for."""
    drawn = [draw(first + seed, (16, 16)) for seed in range(count)]
    days, nights = (
        [Picture(f"{at}", partial(np.asarray, pair[side])) for at, pair in enumerate(drawn)] for side in (0, 1)
    )
    return days, nights


@pytest.fixture(scope="module")
def features():
    return own_features(streets(), steps=2)


def test_they_are_features(features):
    assert (features.name, features.dimension) == ("own64", 128)
    pictures = torch.randint(0, 256, (3, 1, 20, 30), generator=seeded()).to(torch.uint8)
    found = features(pictures)
    assert found.shape == (3, 128)
    assert found.dtype == torch.float32
    assert torch.allclose(found, features(pictures.float() / 127.5 - 1), atol=1e-4)
    assert torch.allclose(found[:1], features(pictures[:1]), atol=1e-4)
    assert features(pictures[:0]).shape == (0, 128)


def test_the_training_pictures_are_their_measure(features):
    days, nights = streets()
    kept = [images.resize(one.read(), (80, 80)) for one in [*days, *nights]]
    points = features(images.to_network(np.stack(kept)))
    assert torch.allclose(points.mean(0), torch.zeros(128), atol=1e-4)
    # With a ridge no direction is larger than 1.
    assert torch.linalg.eigvalsh(points.T.cov()).max() < 1.01


def test_the_same_seed_is_the_same_network_and_draws_nothing_from_training(features):
    torch.manual_seed(3)
    before = torch.get_rng_state()
    again = own_features(streets(), steps=2)
    assert torch.equal(torch.get_rng_state(), before)
    assert again.hash == features.hash
    assert own_features(streets(first=100), steps=2).hash != features.hash


def test_a_file_keeps_them_and_refuses_others(features, tmp_path):
    cache = tmp_path / "kept" / "own.safetensors"
    made = own_features(streets(), cache, steps=2)
    calls = []
    kept = own_features(streets(), cache, lambda done, total: calls.append(done), steps=2)
    assert not calls
    assert made.hash == kept.hash == features.hash
    pictures = torch.zeros(1, 3, 8, 8)
    assert torch.equal(kept(pictures), made(pictures))
    for other, steps in ((streets(first=1), 4), (streets(), 3)):
        with pytest.raises(ModelFileError, match="other training pictures or settings"):
            own_features(other, cache, steps=steps)
    days, nights = streets()
    with pytest.raises(ModelFileError, match="other training pictures"):
        own_features((nights, days), cache, steps=2)
    cache.write_text("no weights")
    with pytest.raises(ModelFileError, match="cannot be read"):
        own_features(streets(), cache, steps=2)


def test_a_picture_that_changes_sides_is_another_file(tmp_path):
    days, nights = streets(21)
    own_features((days, nights[:20]), tmp_path / "own", steps=1)
    with pytest.raises(ModelFileError, match="other training pictures"):
        own_features((days[:20], [days[20], *nights[:20]]), tmp_path / "own", steps=1)


def test_pictures_that_cannot_be_read_are_left_out_until_too_few_are_left(tmp_path):
    days, nights = (list(side) for side in streets(21))
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"nothing")
    days[3] = Picture("broken", partial(images.read, broken))
    assert own_features((days, nights), steps=1).dimension == 128
    days[4] = days[3]
    with pytest.raises(DatasetError, match=r"19 training pictures of A.*need 20 of each"):
        own_features((days, nights), steps=1)


def test_contrast_is_small_where_partners_meet():
    apart = torch.eye(4)
    same = float(contrast(torch.cat([apart, apart])))
    assert same == pytest.approx(np.log(1 + 6 * np.exp(-1 / 0.2)), rel=1e-4)
    assert float(contrast(torch.cat([apart, apart.roll(1, 0)]))) > same + 4
    assert float(contrast(torch.cat([3 * apart, apart]))) == pytest.approx(same)


def dark_and_bright():
    """20 dark pictures and 20 bright ones, and which is which."""
    pictures = torch.rand(40, 3, 80, 80, generator=seeded()) * 0.5
    pictures[:20] -= 0.9
    return pictures, (torch.arange(40) >= 20).long()


def test_training_parts_the_domains():
    pictures, domains = dark_and_bright()
    points = train(pictures, domains, 0, 12)(torch.nn.functional.interpolate(pictures, (64, 64)))
    assert torch.allclose(points.norm(dim=1), torch.ones(40), atol=1e-5)
    assert (points[:20] @ points[:20].T).mean() > (points[:20] @ points[20:].T).mean() + 0.1


def test_each_task_teaches_the_network():
    pictures, domains = dark_and_bright()
    for name in ("known", "domain", "damage"):
        network = OwnNetwork()
        losses = Tasks(network)(pictures[16:24], domains[16:24], seeded())
        assert losses.keys() == {"known", "domain", "damage"}
        losses[name].backward()
        assert all(weight.grad is not None and weight.grad.any() for weight in network.parameters())


def test_crops_stay_in_the_picture():
    ramp = torch.linspace(-1, 1, 80).expand(1, 3, 80, 80)
    found = crops(ramp.expand(30, -1, -1, -1), 64, 0.3, seeded())
    assert found.shape == (30, 3, 64, 64)
    assert found.abs().max() <= 1
    slopes = found[:, 0, 0, 40] - found[:, 0, 0, 20]
    assert (slopes > 0).any()
    assert (slopes < 0).any()
    # No crop of 30% or more of the area has less than 0.54 of the side, and none more than all.
    widths = slopes.abs() / 20 * 64 / 2 * 79 / 80
    assert widths.min() > 0.53
    assert widths.max() < 1.01


def test_every_damage_is_done_and_none_does_nothing():
    pictures = torch.rand(400, 3, 16, 16, generator=seeded()) * 1.6 - 0.8
    spoilt, classes = damaged(pictures, seeded(1))
    changed = (spoilt - pictures).abs().amax((1, 2, 3)) > 1e-3
    assert set(classes.tolist()) == set(range(len(DAMAGES)))
    assert not changed[classes == 0].any()
    shuffled = classes == DAMAGES.index("shuffled")
    assert changed[(classes != 0) & ~shuffled].all()
    assert changed[shuffled].float().mean() > 0.85  # one order of the 24 of 2 x 2 tiles is their own
    assert torch.allclose(spoilt[shuffled].flatten(1).sort(1).values, pictures[shuffled].flatten(1).sort(1).values)
    gridded = (spoilt - pictures)[classes == DAMAGES.index("gridded")]
    assert torch.allclose(gridded[:, :, 1:] + gridded[:, :, :-1], torch.zeros(1), atol=1e-5)


@pytest.mark.slow
def test_they_rank_what_is_worse_as_worse():
    days, nights = streets(80)
    network = own_features((days[:40], nights[:40]), steps=150)
    one, two = ([night.read() for night in part] for part in (nights[40:60], nights[60:]))
    real = represented(network, one)

    def distance(pictures):
        return discrepancy(real, represented(network, pictures))

    def tiles(picture):
        return np.concatenate([picture[8:], picture[:8]])

    same = distance(two)
    assert same < distance([tiles(night) for night in two])
    assert same < distance([day.read() for day in days[60:]])
    assert same < distance([two[0]] * 10 + [two[1]] * 10)


@pytest.fixture
def dataset(tmp_path):
    for split, count in (("train", 20), ("test", 3)):
        for side, folder in enumerate("AB"):
            (tmp_path / f"{split}{folder}").mkdir()
            for seed in range(count):
                name = f"{seed}{folder}.png"
                images.write(tmp_path / f"{split}{folder}" / name, draw(seed, (16, 16))[side])
    return tmp_path


def quick(monkeypatch):
    monkeypatch.setattr("i2i.evaluation.asked_features.own_features", partial(own_features, steps=1))


def test_they_are_made_where_two_domains_have_enough_pictures(dataset, monkeypatch):
    quick(monkeypatch)
    assert isinstance(own_features_for(dataset, "test", asked="auto"), OwnFeatures)
    assert own_features_for(dataset, "test", asked="random") is None
    assert own_features_for(dataset, "train", asked="auto") is None
    assert own_features_for(dataset, "test", asked="auto", kind="pairs") is None
    with pytest.raises(SettingsError, match="trained on the train split, which they cannot judge"):
        own_features_for(dataset, "train", asked="both")
    (dataset / "trainA" / "0A.png").unlink()
    assert own_features_for(dataset, "test", asked="auto") is None
    with pytest.raises(DatasetError, match="19 training pictures of A"):
        own_features_for(dataset, "test", asked="own")


def test_pairs_get_them_only_where_they_are_asked_for(tmp_path, monkeypatch):
    quick(monkeypatch)
    for split, count in (("train", 20), ("test", 1)):
        (tmp_path / split).mkdir()
        for seed in range(count):
            images.write(tmp_path / split / f"{seed}.png", np.concatenate(draw(seed, (16, 16)), axis=1))
    assert own_features_for(tmp_path, "test", asked="auto") is None
    assert isinstance(own_features_for(tmp_path, "test", asked="auto", kind="domains"), OwnFeatures)
    assert isinstance(own_features_for(tmp_path, "test", asked="own"), OwnFeatures)


def test_without_a_train_split_there_is_nothing_to_learn_from(dataset):
    for folder in "AB":
        for path in (dataset / f"train{folder}").iterdir():
            path.unlink()
        (dataset / f"train{folder}").rmdir()
    assert own_features_for(dataset, "test", asked="auto") is None
    with pytest.raises(DatasetError, match=r"no train split to learn features from, only test"):
        own_features_for(dataset, "test", asked="both")


def test_the_network_is_as_small_as_it_is_said_to_be():
    assert sum(weight.numel() for weight in OwnNetwork().parameters()) < 450_000

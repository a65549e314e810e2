import pickle

import numpy as np
import pytest
import torch

from i2i import images
from i2i.data import paired
from i2i.data.folders import find_pairs
from i2i.data.paired import PairedFolder
from i2i.data.settings import DataSettings
from i2i.errors import DatasetError

NATIVE = {"size": "16", "resize": "none", "flip": False}


def noise(*shape, dtype=np.uint8):
    return np.random.default_rng(0).integers(0, np.iinfo(dtype).max + 1, shape, dtype=dtype)


def side_by_side(root, pixels):
    (root / "train").mkdir()
    images.write(root / "train" / "1.png", pixels)
    return find_pairs(root).pairs


def test_the_left_half_is_the_source_and_the_right_half_the_target(tmp_path):
    pixels = noise(16, 32, 3)
    dataset = PairedFolder(side_by_side(tmp_path, pixels), DataSettings(**NATIVE))
    source, target = dataset[(3, 0)]
    assert source.dtype == torch.uint8
    assert np.array_equal(source.numpy(), pixels[:, :16].transpose(2, 0, 1))
    assert np.array_equal(target.numpy(), pixels[:, 16:].transpose(2, 0, 1))


def test_b_to_a_swaps_them(tmp_path):
    pairs = side_by_side(tmp_path, noise(16, 32, 3))
    forth = PairedFolder(pairs, DataSettings(**NATIVE))[0]
    back = PairedFolder(pairs, DataSettings(**NATIVE, direction="BtoA"))[0]
    assert torch.equal(forth.source, back.target)
    assert torch.equal(forth.target, back.source)


def test_16_bits_reach_the_tensor(tmp_path):
    pixels = noise(16, 32, 3, dtype=np.uint16)
    dataset = PairedFolder(side_by_side(tmp_path, pixels), DataSettings(**NATIVE), deep=True)
    source = dataset[0].source
    assert source.dtype == torch.float32
    assert np.array_equal(images.from_network(source, np.uint16), pixels[:, :16])


def test_each_side_has_its_own_channels(tmp_path):
    dataset = PairedFolder(side_by_side(tmp_path, noise(16, 32, 3)), DataSettings(**NATIVE), channels=(1, 3))
    assert [tensor.shape[0] for tensor in dataset[0]] == [1, 3]


def test_different_sizes_in_a_pair_name_both_files(tmp_path):
    for side, size in (("A", (20, 30)), ("B", (20, 31))):
        (tmp_path / f"train{side}").mkdir()
        images.write(tmp_path / f"train{side}" / "1.png", noise(*size, 3))
    dataset = PairedFolder(find_pairs(tmp_path).pairs, DataSettings(size="16"))
    with pytest.raises(DatasetError, match=r"trainA/1\.png is 30 x 20 and .*trainB/1\.png is 31 x 20"):
        dataset[0]


def test_an_odd_width_that_was_not_in_the_sample_is_refused_when_its_turn_comes(tmp_path):
    pairs = side_by_side(tmp_path, noise(16, 32, 3))
    images.write(tmp_path / "train" / "1.png", noise(16, 33, 3))
    with pytest.raises(DatasetError, match=r"1\.png: is 33 x 16, but a pair side by side is 2W x H"):
        PairedFolder(pairs, DataSettings(**NATIVE))[0]


def test_an_unreadable_picture_is_named(tmp_path):
    pairs = side_by_side(tmp_path, noise(16, 32, 3))
    (tmp_path / "train" / "1.png").write_bytes(b"no picture")
    with pytest.raises(DatasetError, match=r"1 of 1 pairs .*1\.png: cannot be read"):
        PairedFolder(pairs, DataSettings(**NATIVE))[0]


def test_items_are_the_same_after_pickling(tmp_path):
    settings = DataSettings(size="16", rotate=10.0, brightness=0.2)
    dataset = PairedFolder(side_by_side(tmp_path, noise(16, 32, 3)), settings, seed=3)
    copy = pickle.loads(pickle.dumps(dataset))
    for left, right in zip(dataset[(2, 0)], copy[(2, 0)], strict=True):
        assert torch.equal(left, right)


def smooth_pair(root, half, suffix="jpg", levels=(40, 200)):
    """Side by side, one level each: whatever crosses the middle shows."""
    pixels = np.full((half, 2 * half, 3), levels[0], np.uint8)
    pixels[:, half:] = levels[1]
    (root / "train").mkdir()
    images.write(root / "train" / f"1.{suffix}", pixels, quality=100)
    return find_pairs(root).pairs


@pytest.fixture
def decoded_sizes(monkeypatch):
    sizes = []
    whole = paired.read_reduced
    monkeypatch.setattr(
        paired, "read_reduced", lambda *args: (lambda found: (sizes.append(found[0].shape[:2]), found)[1])(whole(*args))
    )
    return sizes


@pytest.mark.parametrize(("half", "decoded"), [(256, (64, 128)), (260, (260, 520))])
def test_two_pictures_side_by_side_are_decoded_smaller_only_where_they_do_not_mix(
    half, decoded, tmp_path, decoded_sizes
):
    dataset = PairedFolder(smooth_pair(tmp_path, half), DataSettings(size="16", load=32, flip=False))
    source, target = dataset[0]
    assert decoded_sizes == [decoded]
    assert set(source.unique().tolist()) <= {39, 40, 41}
    assert set(target.unique().tolist()) <= {199, 200, 201}


@pytest.mark.parametrize(
    ("labels", "direction", "sizes"),
    [
        ("none", "AtoB", [(64, 64), (64, 64)]),
        ("source", "AtoB", [(256, 256), (64, 64)]),
        ("source", "BtoA", [(64, 64), (256, 256)]),
        ("both", "AtoB", [(256, 256), (256, 256)]),
    ],
)
def test_label_maps_are_decoded_whole(labels, direction, sizes, tmp_path, decoded_sizes):
    for side in "AB":
        (tmp_path / "train" / side).mkdir(parents=True)
        images.write(tmp_path / "train" / side / "1.jpg", noise(256, 256, 3))
    settings = DataSettings(size="16", load=32, labels=labels, direction=direction)
    dataset = PairedFolder(find_pairs(tmp_path).pairs, settings)
    assert dataset[0].source.shape == (3, 16, 16)
    assert decoded_sizes == sizes


def test_a_short_side_is_that_of_the_whole_picture(tmp_path):
    for side in "AB":
        (tmp_path / "train" / side).mkdir(parents=True)
        images.write(tmp_path / "train" / side / "1.jpg", noise(401, 603, 3))
    settings = DataSettings(size="32", load=36, resize="short")
    dataset = PairedFolder(find_pairs(tmp_path).pairs, settings)
    assert [picture.shape[:2] for picture in dataset.decode(0)] == [(36, 54)] * 2
    assert dataset.shapes(0) == [(3, 36, 54)] * 2

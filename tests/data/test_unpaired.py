import numpy as np
import pytest

from i2i import images
from i2i.data.settings import DataSettings
from i2i.data.unpaired import UnpairedFolder

SETTINGS = DataSettings(size="8", resize="none", flip=False)


@pytest.fixture
def domains(tmp_path):
    """Pictures that are one number each: 0, 1, 2 and 100 to 106."""
    paths = []
    for value in (0, 1, 2, *range(100, 107)):
        paths.append(tmp_path / f"{value}.png")
        images.write(paths[-1], np.full((8, 8, 1), value, np.uint8))
    return paths[:3], paths[3:]


def values(dataset, epoch):
    items = [dataset[(epoch, index)] for index in range(len(dataset))]
    return [tuple(int(tensor[0, 0, 0]) for tensor in item) for item in items]


def test_an_epoch_covers_the_larger_domain_and_draws_from_the_other(domains):
    dataset = UnpairedFolder(*domains, SETTINGS)
    assert len(dataset) == 7
    epochs = [values(dataset, epoch) for epoch in range(20)]
    for epoch in epochs:
        assert [y for _, y in epoch] == list(range(100, 107))
    assert {x for epoch in epochs for x, _ in epoch} == {0, 1, 2}
    assert epochs[0] != epochs[1]
    assert values(dataset, 0) == epochs[0]


def test_the_larger_domain_may_be_either(domains):
    dataset = UnpairedFolder(*domains[::-1], SETTINGS)
    assert [x for x, _ in values(dataset, 0)] == list(range(100, 107))


def test_domains_of_one_size_are_still_matched_at_random(domains):
    x, y = domains[0], domains[1][:3]
    dataset = UnpairedFolder(x, y, SETTINGS)
    matches = {item for epoch in range(30) for item in values(dataset, epoch)}
    assert len(matches) == 9


def test_validation_is_always_the_same_two_pictures(domains):
    dataset = UnpairedFolder(*domains, SETTINGS, train=False)
    assert values(dataset, 0) == values(dataset, 5)
    assert [x for x, _ in values(dataset, 0)] == [0, 1, 2, 0, 1, 2, 0]


def test_each_picture_is_cropped_for_itself(tmp_path):
    ramp = np.add.outer(np.arange(16), np.arange(16) * 16)[:, :, None].astype(np.uint8)
    images.write(tmp_path / "1.png", ramp)
    dataset = UnpairedFolder([tmp_path / "1.png"], [tmp_path / "1.png"], DataSettings(size="8", resize="none"))
    assert any(x != y for x, y in (values(dataset, epoch)[0] for epoch in range(5)))

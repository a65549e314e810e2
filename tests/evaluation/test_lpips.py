import numpy as np
import pytest
import torch
from torch import nn
from torchvision.models import alexnet, vgg16

from i2i.errors import PictureError
from i2i.evaluation.lpips import CHANNELS, LPIPS

CPU = torch.device("cpu")


def made(kind="alex"):
    """A distance, its layers and its weights; layers are made without the classes, which are most of a network."""
    torch.manual_seed(0)
    with torch.device("meta"):
        network = {"alex": alexnet, "vgg": vgg16}[kind](weights=None).features
    network.to_empty(device="cpu")
    for weight in network.parameters():
        nn.init.normal_(weight, std=0.05)
    weights = [torch.rand(1, count, 1, 1) for count in CHANNELS[kind]]
    return LPIPS(kind, network, weights, "0" * 64, CPU), network, weights


def pictures(count, side=64, seed=0):
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def test_a_picture_is_not_unlike_itself_and_both_ways_are_the_same():
    distance, *_ = made()
    x, y = pictures(2), pictures(2, seed=1)
    assert torch.equal(distance(x, x), torch.zeros(2))
    assert torch.allclose(distance(x, y), distance(y, x))
    assert (distance(x, y) > 0).all()


@pytest.mark.parametrize("kind", ["alex", "vgg"])
def test_it_is_the_papers_formula(kind):
    distance, network, weights = made(kind)
    network.eval()
    x, y = pictures(1, 32), pictures(1, 32, seed=1)

    def looked_at(picture):
        """Behind the ReLU of every layer that a pool follows, and of all convolutions of AlexNet."""
        maps = (picture - torch.tensor([-0.03, -0.088, -0.188])[:, None, None]) / torch.tensor([0.458, 0.448, 0.45])[
            :, None, None
        ]
        found = []
        for at, layer in enumerate([*network][:-1]):
            maps = layer(maps.clone())
            ends = at + 1 < len(network) and isinstance(network[at + 1], nn.MaxPool2d)
            if isinstance(layer, nn.ReLU) and (kind == "alex" or ends):
                found.append(maps)
        return found

    wanted = 0.0
    with torch.no_grad():
        for one, two, weight in zip(looked_at(x), looked_at(y), weights, strict=True):
            apart = (one / one.norm(dim=1, keepdim=True) - two / two.norm(dim=1, keepdim=True)).nan_to_num() ** 2
            wanted += float((apart * weight).sum(1).mean())
    assert float(distance(x, y)[0]) == pytest.approx(wanted, rel=1e-4)


def test_rows_are_scored_against_one_target():
    distance, *_ = made()
    draw = np.random.default_rng(0)
    target = draw.integers(0, 256, (40, 48, 3), dtype=np.uint8)
    other = draw.integers(0, 256, (40, 48, 3), dtype=np.uint8)
    found = distance.scores({"same": target, "other": other, "gray": other[:, :, :1]}, target)
    assert found["same"] == {"lpips-alex/lpips": pytest.approx(0, abs=1e-9)}
    assert found["other"]["lpips-alex/lpips"] > 0
    assert found["gray"] != found["other"]


def test_too_small_a_picture_is_one_line():
    distance, *_ = made()
    small = np.zeros((31, 40, 3), np.uint8)
    with pytest.raises(PictureError, match=r"40 x 31: LPIPS needs 32 pixels a side"):
        distance.scores({"same": small}, small)

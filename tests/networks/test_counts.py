"""Known sizes of the networks: parameters as in the reference implementation."""

import pytest
import torch
from torch import nn

from i2i.networks.patchgan import PatchGAN, PixelGAN
from i2i.networks.resnet import ResNet
from i2i.networks.unet import UNet

COUNTS = {
    "unet 256 batch": (lambda: UNet(3, 3, norm="batch"), 54_413_955),
    "unet 256 instance": (lambda: UNet(3, 3, norm="instance"), 54_409_603),
    "unet 128 batch": (lambda: UNet(3, 3, depth=7, norm="batch"), 41_828_995),
    "resnet 9 instance": (lambda: ResNet(3, 3, norm="instance"), 11_378_179),
    "resnet 9 batch": (lambda: ResNet(3, 3, norm="batch"), 11_383_427),
    "resnet 6 instance": (lambda: ResNet(3, 3, blocks=6, norm="instance"), 7_837_699),
    "patchgan instance": (lambda: PatchGAN(3, norm="instance"), 2_764_737),
    "patchgan pair batch": (lambda: PatchGAN(6, norm="batch"), 2_768_705),
    "patchgan 2": (lambda: PatchGAN(3, layers=2, norm="instance"), 662_977),
    "patchgan 4": (lambda: PatchGAN(3, layers=4, norm="instance"), 6_959_553),
    "patchgan 5": (lambda: PatchGAN(3, layers=5, norm="instance"), 11_154_369),
    "pixelgan instance": (lambda: PixelGAN(3, norm="instance"), 8_705),
}


@pytest.mark.parametrize("name", COUNTS)
def test_parameter_count_is_the_references(name):
    build, count = COUNTS[name]
    with torch.device("meta"):
        network: nn.Module = build()
    assert sum(weight.numel() for weight in network.parameters()) == count


@pytest.mark.parametrize(("layers", "side"), [(2, 62), (3, 30), (4, 14), (5, 6)])
def test_patchgan_scores_so_many_patches_of_256_pixels(layers, side):
    with torch.device("meta"):
        assert PatchGAN(3, layers=layers)(torch.empty(1, 3, 256, 256)).shape == (1, 1, side, side)

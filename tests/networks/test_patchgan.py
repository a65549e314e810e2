import pytest
import torch

from i2i.errors import SettingsError
from i2i.networks import settings
from i2i.networks.patchgan import PatchGAN, PixelGAN


def seen(network: torch.nn.Module, side: int) -> tuple[int, int]:
    """Rows and columns of the input that the middle score depends on."""
    x = torch.randn(1, 1, side, side, requires_grad=True)
    scores = network(x)
    middle = scores.shape[-1] // 2
    (gradient,) = torch.autograd.grad(scores[0, 0, middle, middle], x)
    touched = gradient[0, 0] != 0
    return int(touched.any(1).sum()), int(touched.any(0).sum())


@pytest.mark.parametrize(("layers", "pixels"), [(1, 16), (2, 34), (3, 70), (4, 142), (5, 286)])
def test_receptive_field_of_a_patchgan(layers, pixels):
    torch.manual_seed(0)
    assert seen(PatchGAN(1, width=2, layers=layers, norm="none"), 2 * pixels + 64) == (pixels, pixels)


def test_receptive_field_of_a_pixelgan_is_one_pixel():
    torch.manual_seed(0)
    assert seen(PixelGAN(1, width=4, norm="none"), 16) == (1, 1)


def test_a_patchgan_normalises_every_layer_but_the_first_and_last():
    network = PatchGAN(3, width=4, layers=3, norm="batch")
    kinds = [type(layer).__name__ for layer in network.layers]
    assert kinds == ["Conv2d", "LeakyReLU", *(["Conv2d", "BatchNorm", "LeakyReLU"] * 3), "Conv2d"]


def test_a_size_without_one_patch_is_refused():
    with pytest.raises(SettingsError, match="size 32x16: a PatchGAN of 3 layers needs 32 pixels"):
        settings.PatchGAN().build(3, (32, 16))


@pytest.mark.parametrize("layers", [1, 2, 3, 4, 5])
def test_the_smallest_size_that_is_allowed_gives_a_patch(layers):
    side = 4 * 2**layers
    network = settings.PatchGAN(width=2, layers=layers).build(3, (side, side))
    assert network(torch.randn(1, 3, side, side)).numel() > 0

import pytest
import torch

from i2i.errors import SettingsError
from i2i.networks import settings
from i2i.networks.settings.dcgan import dcgan_plan

SIZES = [28, 32, 64, 128]


@pytest.mark.parametrize("upsample", ["transpose", "resize", "shuffle"])
@pytest.mark.parametrize("side", SIZES)
def test_the_generator_makes_pictures_of_that_side(side, upsample):
    network = settings.DCGANGenerator(width=2, latent=5, upsample=upsample).build(3, (side, side))
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        picture = network(torch.randn(2, 5))
    assert picture.shape == (2, 3, side, side)
    assert picture.dtype is torch.float32
    assert float(picture.abs().max()) <= 1


@pytest.mark.parametrize("norm", ["batch", "instance", "none"])
@pytest.mark.parametrize("side", SIZES)
def test_the_discriminator_gives_a_picture_one_score(side, norm):
    network = settings.DCGANDiscriminator(width=2, norm=norm).build(3, (side, side))
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        score = network(torch.randn(2, 3, side, side))
    assert score.shape == (2, 1)
    assert score.dtype is torch.float32


def test_at_64_pixels_the_channels_are_those_of_the_papers_figure():
    with torch.device("meta"):
        network = settings.DCGANGenerator().build(3, (64, 64))
    shapes = [tuple(weight.shape[:2]) for weight in network.parameters() if weight.ndim == 4]
    assert shapes == [(100, 1024), (1024, 512), (512, 256), (256, 128), (128, 3)]


@pytest.mark.parametrize(
    ("side", "plan"), [(28, (7, 2)), (32, (4, 3)), (64, (4, 4)), (96, (6, 4)), (128, (4, 5)), (80, (5, 4))]
)
def test_a_side_is_four_to_seven_doubled(side, plan):
    assert dcgan_plan((side, side)) == plan


@pytest.mark.parametrize("size", [(30, 30), (64, 32), (8, 8), (1, 1), (7, 7)])
def test_other_sizes_are_refused(size):
    with pytest.raises(SettingsError, match=f"size {size[0]}x{size[1]}: DCGAN grows a square"):
        dcgan_plan(size)


def test_a_label_changes_what_is_made_and_how_it_is_scored():
    torch.manual_seed(0)
    G = settings.DCGANGenerator(width=2, latent=5).build(3, (28, 28), classes=3).eval()
    D = settings.DCGANDiscriminator(width=2).build(3, (28, 28), classes=3).eval()
    labels = torch.tensor([0, 1, 2])
    with torch.no_grad():
        one, other = (G(torch.ones(3, 5), order) for order in (labels, labels.flip(0)))
        assert torch.allclose(one, other.flip(0), atol=1e-6)
        assert not torch.allclose(one[0], one[1])
        alike = one[:1].expand(3, -1, -1, -1)
        assert len(set(D(alike, labels).flatten().tolist())) == 3


def test_labels_begin_too_quiet_to_drown_the_noise():
    torch.manual_seed(0)
    G = settings.DCGANGenerator(width=2).build(3, (28, 28), classes=50)
    assert float(G.embedding.weight.detach().std()) == pytest.approx(0.02, rel=0.1)

import copy

import pytest
import torch

from i2i.errors import SettingsError
from i2i.networks import settings
from i2i.networks.progan import Discriminator, Generator, Growth, doubled, halved
from i2i.networks.settings.progan import doublings_of


@pytest.fixture
def G() -> Generator:
    torch.manual_seed(0)
    return settings.ProGANGenerator(width=2, latent=5).build(3, (32, 32))


@pytest.fixture
def D() -> Discriminator:
    torch.manual_seed(0)
    return settings.ProGANDiscriminator(width=2).build(3, (32, 32))


@pytest.mark.parametrize("side", [8, 28, 32, 64])
def test_pictures_are_of_full_size_at_every_stage_and_so_are_those_that_are_judged(side):
    G = settings.ProGANGenerator(width=2, latent=5).build(3, (side, side))
    D = settings.ProGANDiscriminator(width=2).build(3, (side, side))
    for stage in range(G.growth.last + 1):
        for network in (G, D):
            network.growth.set(stage, 0.5)
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
            picture = G(torch.randn(2, 5))
            score = D(picture)
        assert picture.shape == (2, 3, side, side)
        assert score.shape == (2, 1)
        assert picture.dtype is score.dtype is torch.float32
        times = G.growth.last - stage
        assert torch.equal(doubled(halved(picture, times), times), picture)


def test_a_fade_begins_and_ends_without_a_jump(G, D):
    """At alpha 0 a stage is exactly the one before it, at 1 it is itself alone, and between both it is between."""
    z, x = torch.randn(4, 5), torch.randn(4, 3, 32, 32)
    with torch.no_grad():
        for stage in (1, 2, 3):
            made: list[list[torch.Tensor]] = []
            for where, alpha in ((stage - 1, 1.0), (stage, 0.0), (stage, 0.5), (stage, 1.0)):
                for network in (G, D):
                    network.growth.set(where, alpha)
                made.append([G(z), D(x), G.growth.faded_picture(x)])
            for before, start, middle, end in zip(*made, strict=True):
                assert torch.equal(before, start)
                assert not torch.equal(before, end)
                assert not torch.equal(middle, end)
            assert torch.allclose(made[2][0], (made[1][0] + made[3][0]) / 2, atol=1e-6)
            # Nothing of what is faded out is left.
            before = copy.deepcopy(made[3])
            for layer in (G.to_rgb[stage - 1], D.from_rgb[stage - 1][0]):
                layer.weight += 1
            assert torch.equal(G(z), before[0])
            assert torch.equal(D(x), before[1])


def test_noise_counts_by_its_direction_alone(G):
    z = torch.randn(4, 5)
    with torch.no_grad():
        G.start[0].bias.normal_()  # without it pixel norm alone would do
        assert torch.equal(G(z), G(4 * z))  # by a power of two not a bit changes
        assert not torch.allclose(G(z), G(-z))


def test_both_ends_of_a_fade_teach(G, D):
    """At alpha 0.5 half of the picture is that of the block before, and half of a score is of what it looks at."""
    for network in (G, D):
        network.growth.set(2, 0.5)
    z, x = torch.randn(2, 5), torch.randn(2, 3, 32, 32)
    for made, before, grown in ((G(z), G.to_rgb[1], G.to_rgb[2]), (D(x), D.from_rgb[1][0], D.from_rgb[2][0])):
        made.square().sum().backward()
        for layer in (before, grown):
            assert layer.weight.grad is not None
            assert layer.weight.grad.any()


def test_the_block_before_learns_through_the_faded_picture(G):
    """Where what is grown counts for nothing, all that teaches the earlier blocks is the picture that fades out."""
    G.growth.set(2, 0.0)
    G(torch.randn(2, 5)).square().sum().backward()
    for part in (G.start[0].weight, G.blocks[0][1].weight, G.to_rgb[1].weight):
        assert part.grad is not None
        assert part.grad.any()
    assert not G.blocks[1][1].weight.grad.any()


def test_a_real_picture_loses_what_has_not_been_grown_and_a_grown_network_takes_it_as_it_is(G):
    x = torch.randn(1, 3, 32, 32)
    assert torch.equal(G.growth.faded_picture(x), x)
    G.growth.set(0, 1.0)
    assert torch.equal(G.growth.faded_picture(x), doubled(halved(x, 3), 3))
    G.growth.set(3, 0.25)
    assert torch.allclose(G.growth.faded_picture(x), 0.75 * doubled(halved(x)) + 0.25 * x)


def test_the_discriminator_sees_no_more_detail_than_has_been_grown(D):
    D.growth.set(1, 0.5)
    x = torch.randn(2, 3, 32, 32)
    assert torch.allclose(D(x), D(doubled(halved(x, 2), 2)), atol=1e-5)
    assert not torch.allclose(D(x), D(doubled(halved(x, 3), 3)), atol=1e-5)


@pytest.mark.parametrize("kind", [settings.ProGANDiscriminator, settings.StyleGANDiscriminator])
def test_the_discriminator_sees_that_pictures_are_alike(kind):
    """The same picture is scored otherwise among its copies: the minibatch deviation."""
    torch.manual_seed(0)
    D = kind(width=4).build(3, (32, 32))
    one, other = torch.randn(2, 1, 3, 32, 32)
    with torch.no_grad():
        alike, unlike = D(torch.cat([one, one])), D(torch.cat([one, other]))
    assert float(alike[0]) == pytest.approx(float(alike[1]), abs=1e-6)
    assert abs(float(alike[0] - unlike[0])) > 1e-4


def test_every_pixel_of_every_block_has_a_mean_square_of_one(G):
    """Pixel norm ends each: what G makes cannot grow without bound."""
    x = G.start(3 * torch.randn(2, 5))
    for block in G.blocks:
        for made in (x, x := block(x)):
            square = made.detach().square().mean(1)
            assert torch.allclose(square, torch.ones_like(square), atol=1e-3)


def test_a_loaded_network_knows_its_stage(G):
    G.growth.set(2, 0.3)
    other = settings.ProGANGenerator(width=2, latent=5).build(3, (32, 32))
    other.load_state_dict(G.state_dict())
    z = torch.randn(2, 5)
    with torch.no_grad():
        assert torch.equal(other.eval()(z), G.eval()(z))


def test_a_stage_that_a_file_makes_up_is_brought_to_one_that_there_is(G):
    G.eval().growth.stage.fill_(99)
    assert G.growth.on == 3
    G.growth.stage.fill_(-1)
    assert G.growth.on == 0


def test_alpha_is_read_where_it_lies_while_training(G):
    """A captured round runs no Python: what changes within it is in a buffer."""
    z = torch.randn(2, 5)
    with torch.no_grad():
        G.growth.set(2, 0.7)
        wanted = G(z)
        G.growth.set(2, 0.1)
        G.growth.faded.fill_(round(0.7 * 2**20))
        assert torch.equal(G(z), wanted)


def test_growth_is_counted_in_whole_numbers():
    """The average of weights mixes what has a fraction, and copies what is counted."""
    assert not any(buffer.is_floating_point() for buffer in Growth(3).buffers())


def test_pictures_are_clipped_once_trained_and_not_before(G):
    z = torch.randn(16, 5)
    with torch.no_grad():
        G.to_rgb[3].weight *= 10
        assert float(G(z).abs().max()) > 1
        assert float(G.eval()(z).abs().max()) == 1


def test_a_label_changes_what_is_made_and_how_it_is_scored():
    torch.manual_seed(0)
    G = settings.ProGANGenerator(width=2, latent=5).build(3, (8, 8), classes=3)
    D = settings.ProGANDiscriminator(width=2).build(3, (8, 8), classes=3)
    labels = torch.tensor([0, 1, 2])
    with torch.no_grad():
        made = G(torch.ones(3, 5), labels)
        assert not torch.allclose(made[0], made[1])
        assert len(set(D(made[:1].expand(3, -1, -1, -1), labels).flatten().tolist())) == 3


def test_channels_double_at_every_halving_up_to_the_most():
    network = settings.ProGANGenerator(width=4, most=16, latent=4).build(3, (64, 64))
    assert [layer.weight.shape[1] for layer in network.to_rgb] == [16, 16, 16, 8, 4]


@pytest.mark.parametrize("size", [(30, 30), (64, 32), (4, 4), (33, 33), (1, 1)])
def test_sizes_that_doubling_cannot_reach_are_refused_in_a_line(size):
    with pytest.raises(SettingsError, match=rf"size {size[0]}x{size[1]}: ProGAN grows .* --size \d+\.") as caught:
        doublings_of(size, "ProGAN")
    assert "\n" not in str(caught.value)
    near = int(str(caught.value).split("--size ")[1].rstrip("."))
    assert doublings_of((near, near), "ProGAN")[0] == 4

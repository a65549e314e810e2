import pytest
import torch
from torch import Tensor, nn

from i2i.errors import SettingsError
from i2i.networks import residual_gan
from i2i.networks.attention import SelfAttention
from i2i.networks.conditional_norm import ConditionalBatchNorm
from i2i.networks.convolutions import Conv2d
from i2i.networks.sampler import Sampler
from i2i.networks.settings import ResidualDiscriminator, ResidualGenerator

SAGAN = {"embedding": 0, "skip_z": False}
BIGGAN = {"embedding": 5, "skip_z": True}


def generator(classes: int = 0, side: int = 32, **options: object) -> residual_gan.Generator:
    torch.manual_seed(0)
    made = ResidualGenerator(width=2, latent=9, **options).build(3, (side, side), classes)  # pyright: ignore[reportArgumentType]
    assert isinstance(made, residual_gan.Generator)
    return made


def discriminator(classes: int = 0, side: int = 32, **options: object) -> residual_gan.Discriminator:
    torch.manual_seed(0)
    made = ResidualDiscriminator(width=2, **options).build(3, (side, side), classes)  # pyright: ignore[reportArgumentType]
    assert isinstance(made, residual_gan.Discriminator)
    return made


@pytest.mark.parametrize("kind", [SAGAN, BIGGAN], ids=["sagan", "biggan"])
@pytest.mark.parametrize("classes", [0, 3])
@pytest.mark.parametrize("side", [28, 32, 64, 96])
def test_pictures_and_scores_of_that_side_in_float32(kind, classes, side):
    G, D = generator(classes, side, **kind), discriminator(classes, side)
    labels = torch.tensor([2, 0]) if classes else None
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        made = G(torch.randn(2, 9), labels)
        scores = D(made, labels)
    assert made.shape == (2, 3, side, side)
    assert float(made.abs().max()) <= 1
    assert scores.shape == (2, 1)
    assert made.dtype is scores.dtype is torch.float32


def largest_singular_value(weight: Tensor) -> float:
    return float(torch.linalg.matrix_norm(weight.detach().flatten(1), ord=2))


@pytest.mark.parametrize("kind", [SAGAN, BIGGAN], ids=["sagan", "biggan"])
def test_the_largest_singular_value_of_every_layer_of_both_is_held_at_1(kind):
    for network in (generator(3, **kind), discriminator(3)):
        with torch.no_grad():
            for weight in network.parameters():
                weight.mul_(3)
        layers = [m for m in network.modules() if isinstance(m, nn.Linear | nn.Conv2d)]
        for layer in layers:
            for _ in range(100):
                _ = layer.weight
        tables = [] if kind is BIGGAN else [m for m in network.modules() if isinstance(m, ConditionalBatchNorm)]
        free = {id(part) for table in tables for part in (table.gain, table.bias)}
        held = {id(layer): largest_singular_value(layer.weight) for layer in layers if id(layer) not in free}
        assert len(held) >= 11
        assert all(value == pytest.approx(1, abs=0.02) for value in held.values())
    assert largest_singular_value(discriminator(3).embedding.weight) == pytest.approx(1, abs=0.02)  # pyright: ignore[reportOptionalMemberAccess, reportArgumentType]


def test_without_it_weights_begin_orthogonal_all_the_same():
    convolutions = [
        m for m in discriminator(spectral_norm=False).modules() if isinstance(m, Conv2d) and m.bias is not None
    ]
    assert len(convolutions) == 11
    for layer in convolutions:
        rows = layer.weight.detach().flatten(1)
        small = rows @ rows.T if len(rows) <= rows.shape[1] else rows.T @ rows
        assert torch.allclose(small, torch.eye(len(small)), atol=1e-5)


@pytest.mark.parametrize(("attention", "side"), [("half", 16), (8, 8), (16, 16), (0, None)])
def test_attention_sits_at_the_map_that_was_asked_for_in_both(attention, side):
    for network, shown in (
        (generator(attention=attention), torch.randn(1, 9)),
        (discriminator(attention=attention), torch.randn(1, 3, 32, 32)),
    ):
        seen: list[int] = []
        for layer in network.modules():
            if isinstance(layer, SelfAttention):
                layer.register_forward_hook(lambda _, given, out, seen=seen: seen.append(given[0].shape[2]))
        network.eval()(shown)
        assert seen == ([side] if side else [])


def test_attention_at_a_side_that_no_map_has_is_refused():
    for build in (generator, discriminator):
        with pytest.raises(SettingsError, match=r"attention 20: at 32 pixels there are maps of 8 or 16\. Choose one"):
            build(attention=20)
    with pytest.raises(SettingsError, match="attention 32: at 32 pixels"):
        discriminator(attention=32)


@pytest.mark.parametrize("size", [(30, 30), (32, 64)])
def test_sizes_that_do_not_double_up_are_refused(size):
    for settings in (ResidualGenerator(), ResidualDiscriminator()):
        with pytest.raises(SettingsError, match=f"size {size[0]}x{size[1]}: a residual network from noise grows"):
            settings.build(3, size)


def test_noise_too_short_for_its_parts_is_refused():
    with pytest.raises(SettingsError, match=r"latent 3: at 32 pixels the noise is cut into 4 parts"):
        ResidualGenerator(latent=3, skip_z=True).build(3, (32, 32))


def norms(network: nn.Module) -> list[ConditionalBatchNorm]:
    return [layer for layer in network.modules() if isinstance(layer, ConditionalBatchNorm)]


def heard(network: residual_gan.Generator, z: Tensor, labels: Tensor) -> list[Tensor]:
    """The condition that reaches each norm."""
    found: list[Tensor] = []
    hooks = [
        layer.register_forward_pre_hook(lambda _, given: found.append(given[1].detach().clone()))
        for layer in norms(network)
    ]
    network(z, labels)
    for hook in hooks:
        hook.remove()
    return found


def test_a_class_begins_as_all_others_and_has_a_table_in_every_norm():
    G = generator(3, **SAGAN).eval()
    z, labels = torch.randn(1, 9).repeat(3, 1), torch.tensor([0, 1, 2])
    same = G(z, labels)
    assert torch.allclose(same[0], same[1], atol=1e-6)
    assert len(norms(G)) == 6
    for layer in norms(G):
        nn.init.normal_(layer.gain.weight)
        different = G(z, labels)
        assert not torch.allclose(different[0], different[1], atol=1e-4)
        nn.init.zeros_(layer.gain.weight)


def test_one_embedding_reaches_every_block_beside_a_part_of_the_noise():
    G = generator(3, **BIGGAN).eval()
    z, labels = torch.randn(2, 9), torch.tensor([2, 1])
    # 9 numbers for the first map and three blocks: 3, 2, 2, 2.
    assert G.parts == [3, 2, 2, 2]
    assert G.embedding is not None
    found = heard(G, z, labels)
    assert len(found) == 6
    for index, condition in enumerate(found):
        start = 3 + 2 * (index // 2)
        assert torch.equal(condition, torch.cat([G.embedding(labels), z[:, start : start + 2]], dim=1))


def test_without_classes_blocks_hear_the_noise_alone():
    G = generator(0, **BIGGAN).eval()
    z = torch.randn(1, 9)
    one, other = G(z), G(torch.cat([z[:, :-1], -z[:, -1:]], dim=1))
    assert not torch.allclose(one, other, atol=1e-4)


def test_conditional_batch_norm_by_hand():
    torch.manual_seed(0)
    layer = ConditionalBatchNorm(2, 3, one_hot=True)
    layer.gain.weight.data = torch.tensor([[0.0, 1.0, 0.0], [0.0, 0.0, 2.0]])
    layer.bias.weight.data = torch.tensor([[5.0, 0.0, 0.0], [0.0, 0.0, -1.0]])
    x, condition = torch.randn(3, 2, 4, 4), torch.eye(3)
    normal = layer.norm(x)
    made = layer(x, condition)
    assert torch.allclose(made[0], torch.stack([normal[0, 0] + 5, normal[0, 1]]))
    assert torch.allclose(made[1], torch.stack([2 * normal[1, 0], normal[1, 1]]))
    assert torch.allclose(made[2], torch.stack([normal[2, 0], 3 * normal[2, 1] - 1]))


def test_a_label_moves_the_score_by_the_projection_on_its_vector():
    D = discriminator(3).eval()
    x = torch.randn(2, 3, 32, 32)
    seen = D.layers(x).sum(dim=(2, 3))
    assert D.embedding is not None
    rows = D.embedding(torch.tensor([0, 2]))
    apart = D(x, torch.tensor([2, 2])) - D(x, torch.tensor([0, 0]))
    assert torch.allclose(apart.flatten(), seen @ (rows[1] - rows[0]), atol=1e-5)
    assert float(apart.detach().abs().min()) > 1e-6


def test_the_scores_label_part_is_linear_in_the_embedding():
    D = discriminator(3, spectral_norm=False).eval()
    x, labels = torch.randn(2, 3, 32, 32), torch.tensor([1, 0])
    bare = D.score(D.layers(x).sum(dim=(2, 3)))
    once = D(x, labels) - bare
    assert D.embedding is not None
    assert isinstance(D.embedding.weight, Tensor)
    D.embedding.weight.data.mul_(-3)
    assert torch.allclose(D(x, labels) - bare, -3 * once, atol=1e-5)


def test_truncation_0_is_one_picture_a_class():
    G: Sampler = generator(3, **BIGGAN).eval()
    labels = torch.tensor([0, 1, 0, 1])
    made = G.truncated(torch.randn(4, 9), labels, 0.0)
    assert torch.allclose(made[0], made[2], atol=1e-6)
    assert torch.allclose(made[1], made[3], atol=1e-6)
    assert not torch.allclose(made[0], made[1], atol=1e-4)
    free = G.truncated(torch.randn(4, 9), labels, 2.0)
    assert not torch.allclose(free[0], free[2], atol=1e-4)


def test_the_discriminators_first_block_alone_takes_the_picture_as_it_is():
    first, second = (layer for layer in discriminator(attention=0).layers[:2])
    assert isinstance(first, residual_gan.DownBlock)
    assert isinstance(second, residual_gan.DownBlock)
    for block, channels, sees in ((first, 3, True), (second, 2, False)):
        dark = -torch.rand(1, channels, 8, 8)
        assert torch.equal(block.layers(dark), block.layers(2 * dark)) is not sees

import pytest
import torch
from torch import Tensor, nn

from i2i.networks.patch_sampler import PatchSampler


def maps(seed: int = 0, count: int = 2) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(count, channels, side, side, generator=generator) for channels, side in ((3, 12), (8, 4))]


def sampler(patches: int = 10, width: int = 6) -> PatchSampler:
    torch.manual_seed(0)
    return PatchSampler([3, 8], width=width, patches=patches)


def test_there_are_so_many_positions_in_each_map_and_none_twice():
    drawn = sampler(patches=20).positions(maps())
    assert [len(chosen) for chosen in drawn] == [20, 16]  # a map of 4 x 4 has no more
    for chosen, side in zip(drawn, (12, 4), strict=True):
        assert len(set(chosen.tolist())) == len(chosen)
        assert 0 <= int(chosen.min()) <= int(chosen.max()) < side**2


def test_every_position_comes_as_often_as_any():
    one = sampler(patches=4)
    torch.manual_seed(1)
    counts = torch.zeros(16)
    for _ in range(2000):
        counts[one.positions([torch.zeros(1, 8, 4, 4)])[0]] += 1
    assert counts.tolist() == pytest.approx([500] * 16, abs=100)  # five standard deviations


def test_positions_follow_torchs_generator():
    one = sampler()
    torch.manual_seed(3)
    first, second = one.positions(maps()), one.positions(maps())
    torch.manual_seed(3)
    again = one.positions(maps())
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_a_vector_is_what_the_head_makes_of_the_feature_at_its_position(layout):
    one, features = sampler(), [map.contiguous(memory_format=layout) for map in maps()]
    positions = one.positions(features)
    vectors = one(features, positions)
    assert [vector.shape for vector in vectors] == [(2, 10, 6), (2, 10, 6)]
    for head, map, chosen, found in zip(one.heads, features, positions, vectors, strict=True):
        for place in (0, 7):
            row, column = divmod(int(chosen[place]), map.shape[3])
            made = head(map[1, :, row, column])
            torch.testing.assert_close(found[1, place], made / made.norm())


def test_input_and_output_are_looked_at_in_the_same_places():
    one = sampler()
    one.heads = nn.ModuleList([nn.Identity(), nn.Identity()])
    one_map, other = (torch.stack([torch.arange(25.0).view(5, 5) + 1, torch.full((5, 5), side)]) for side in (2.0, 3.0))
    features = [one_map[None], one_map[None]]
    positions = one.positions(features)
    here, there = one(features, positions)[0], one([other[None], other[None]], positions)[0]
    # The first channel counts positions, and the second is the same everywhere: their ratio tells the position.
    torch.testing.assert_close(here[..., 0] / here[..., 1] * 2, there[..., 0] / there[..., 1] * 3)


def test_vectors_have_length_1_in_float32_under_autocast_too():
    one, features = sampler(width=64), maps()
    with torch.autocast("cpu", torch.bfloat16):
        vectors = one(features, one.positions(features))
    for vector in vectors:
        assert vector.dtype is torch.float32
        torch.testing.assert_close(vector.norm(dim=2), torch.ones(2, 10))


def test_a_flat_pictures_features_break_nothing():
    """All zeros have no direction: the gradient of making them a unit vector would be of the order of 1e12."""
    one = sampler()
    features = [torch.zeros_like(map) for map in maps()]
    torch.stack([vector.sum() for vector in one(features, one.positions(features))]).sum().backward()
    for weight in one.parameters():
        assert weight.grad is not None
        assert float(weight.grad.abs().max()) < 1e7


def test_two_linear_layers_a_head_as_in_the_paper():
    one = PatchSampler([3, 128])
    shapes = [tuple(layer.weight.shape) for layer in one.modules() if isinstance(layer, nn.Linear)]
    assert shapes == [(256, 3), (256, 256), (256, 128), (256, 256)]

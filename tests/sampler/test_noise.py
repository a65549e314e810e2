import numpy as np
import torch

from i2i.sampler.noise import noise, slerp, walk


def test_noise_is_a_function_of_each_seed_and_normal():
    many = noise(range(400), 50)
    assert many.shape == (400, 50)
    assert torch.equal(many[7:9], noise([7, 8], 50))
    assert abs(float(many.mean())) < 0.02
    assert abs(float(many.std()) - 1) < 0.02
    between = np.corrcoef(many.numpy())[np.triu_indices(400, 1)]
    assert np.abs(between).max() < 0.8, "neighbouring seeds have nothing in common"
    assert noise([], 5).shape == (0, 5)


def test_the_way_lies_on_the_sphere_and_turns_evenly():
    one, two = torch.tensor([2.0, 0.0, 0.0]), torch.tensor([0.0, 2.0, 0.0])
    half = slerp(one, two, 0.5)
    assert torch.allclose(half, torch.tensor([2**0.5, 2**0.5, 0.0]))
    third = slerp(one, two, 1 / 3)
    assert torch.allclose(third, torch.tensor([3**0.5, 1.0, 0.0]))
    assert torch.equal(slerp(one, two, 0.0), one)
    assert torch.allclose(slerp(one, two, 1.0), two, atol=1e-6)


def test_directions_without_an_arc_are_joined_by_a_line():
    one = torch.tensor([1.0, 2.0])
    assert torch.allclose(slerp(one, one, 0.3), one)
    assert torch.allclose(slerp(one, 3 * one, 0.5), 2 * one)
    assert torch.allclose(slerp(one, -one, 0.5), torch.zeros(2))


def test_a_walk_passes_all_stops():
    stops = noise(range(3), 8)
    found = walk(stops, 4)
    assert found.shape == (9, 8)
    assert torch.allclose(found[[0, 4, 8]], stops, atol=1e-6)
    assert torch.equal(walk(stops[:1], 4), stops[:1])

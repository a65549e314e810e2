import math

import pytest
import torch
from torch.nn import functional

from i2i.losses.contrastive import patch_nce


def unit(*shape: int, seed: int = 0) -> torch.Tensor:
    drawn = torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return functional.normalize(drawn, dim=-1)


@pytest.mark.parametrize("count", [2, 5, 256])
@pytest.mark.parametrize("temperature", [0.07, 0.5, 1.0])
def test_of_orthogonal_patches_that_are_their_own_keys_it_is_known(count, temperature):
    patches = torch.eye(count, dtype=torch.float64)[None]
    # One similarity of 1, all others 0.
    wanted = math.log(1 + (count - 1) * math.exp(-1 / temperature))
    assert float(patch_nce(patches, patches, temperature)) == pytest.approx(wanted, abs=1e-12)


@pytest.mark.parametrize("count", [1, 2, 256])
def test_where_all_patches_look_alike_it_is_the_log_of_their_number(count):
    same = unit(1, 1, 8).expand(3, count, 8)
    assert patch_nce(same, same).tolist() == pytest.approx([math.log(count)] * 3)


def test_the_key_at_the_same_place_is_the_right_one():
    patches = torch.eye(4, dtype=torch.float64)[None]
    right, wrong = patch_nce(patches, patches), patch_nce(patches, patches.roll(1, dims=1))
    assert float(wrong - right) == pytest.approx(1 / 0.07)


def test_it_is_the_cross_entropy_over_the_keys_of_the_same_picture():
    query, keys = unit(3, 7, 5, seed=1), unit(3, 7, 5, seed=2)
    for picture in range(3):
        logits = query[picture] @ keys[picture].T / 0.07
        wanted = functional.cross_entropy(logits, torch.arange(7))
        torch.testing.assert_close(patch_nce(query, keys)[picture], wanted)


def test_a_lower_temperature_counts_the_most_similar_wrong_key_alone():
    query = torch.tensor([[[1.0, 0.0], [0.0, 1.0]]], dtype=torch.float64)
    keys = functional.normalize(torch.tensor([[[1.0, 0.2], [1.0, 0.1]]], dtype=torch.float64), dim=2)
    similar = (query @ keys.mT)[0]
    hinge = torch.stack([similar[0].max() - similar[0, 0], similar[1].max() - similar[1, 1]]).mean()
    assert float(0.001 * patch_nce(query, keys, 0.001)) == pytest.approx(float(hinge), abs=1e-6)


def test_the_gradient_moves_the_query_alone():
    query, keys = unit(2, 6, 4, seed=1).requires_grad_(), unit(2, 6, 4, seed=2).requires_grad_()
    patch_nce(query, keys).sum().backward()
    assert keys.grad is None
    assert query.grad is not None
    assert query.grad.abs().sum() > 0


def test_the_gradient_is_that_of_the_numbers():
    query, keys = unit(1, 4, 3, seed=1).requires_grad_(), unit(1, 4, 3, seed=2)
    assert torch.autograd.gradcheck(lambda x: patch_nce(x, keys, 0.5), (query,))


def test_autocast_does_not_round_it():
    query, keys = unit(1, 64, 32, seed=1).float(), unit(1, 64, 32, seed=2).float()
    with torch.autocast("cpu", torch.bfloat16):
        rounded = patch_nce(query, keys)
    assert rounded.dtype is torch.float32
    assert torch.equal(rounded, patch_nce(query, keys))

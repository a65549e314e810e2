import pytest
import torch
from skimage.metrics import structural_similarity

from i2i.losses.ssim import ssim


def pictures(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype).tanh()


@pytest.mark.parametrize("size", [(11, 11), (32, 24)])
@pytest.mark.parametrize("kept", [0.0, 0.7])
def test_it_is_one_minus_the_ssim_of_scikit_image(size, kept):
    one = pictures(2, 3, *size)
    two = kept * one + (1 - kept) * pictures(2, 3, *size, seed=1)
    wanted = [
        structural_similarity(
            *(picture.permute(1, 2, 0).numpy() for picture in pair),
            gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=2, channel_axis=2,
        )
        for pair in zip(one, two, strict=True)
    ]  # fmt: skip
    assert float(ssim(one, two)) == pytest.approx(1 - sum(wanted) / 2, abs=1e-9)
    assert float(ssim(one.float(), two.float())) == pytest.approx(1 - sum(wanted) / 2, abs=1e-5)


def test_of_flat_pictures_only_their_means_count():
    dark, bright = (torch.full((1, 1, 12, 12), value) for value in (-0.5, 0.25))
    light = (2 * -0.5 * 0.25 + 0.02**2) / (0.5**2 + 0.25**2 + 0.02**2)
    assert float(ssim(dark, bright)) == pytest.approx(1 - light, abs=1e-5)


def test_equal_pictures_are_no_distance_apart_and_nothing_pulls_on_them():
    one = pictures(1, 3, 16, 16, dtype=torch.float32).requires_grad_()
    distance = ssim(one, one.detach())
    distance.backward()
    assert float(distance.detach()) == pytest.approx(0, abs=1e-6)
    assert one.grad is not None
    assert float(one.grad.abs().max()) < 1e-6


def test_its_gradient_is_that_of_the_numbers():
    one, two = pictures(1, 1, 12, 12).requires_grad_(), pictures(1, 1, 12, 12, seed=1)
    assert torch.autograd.gradcheck(lambda x: ssim(x, two), (one,))


def test_autocast_does_not_round_it():
    one, two = (pictures(1, 3, 16, 16, seed=seed, dtype=torch.float32) for seed in (0, 1))
    with torch.autocast("cpu", torch.bfloat16):
        found = ssim(one, two)
    assert found.dtype is torch.float32
    assert torch.equal(found, ssim(one, two))

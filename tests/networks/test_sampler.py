import math

import pytest
import torch
from scipy import stats

from i2i.networks.sampler import Sampler, truncated_normal


class Doubles(Sampler):
    latent, classes = 3, 2

    def forward(self, z, labels=None):
        assert labels is not None
        return 2 * z[:, :, None, None] + labels[:, None, None, None]


@pytest.mark.parametrize("psi", [0.3, 1.0, 2.0])
def test_truncated_noise_is_the_normal_distribution_cut_off(psi):
    z = torch.randn(20000, generator=torch.Generator().manual_seed(0))
    found = truncated_normal(z, psi)
    assert float(found.abs().max()) <= psi
    assert stats.kstest(found.numpy(), stats.truncnorm(-psi, psi).cdf).pvalue > 0.01
    assert found[z.argsort()].diff().min() >= 0, "the order is kept"


def test_truncation_0_is_the_middle_and_much_of_it_changes_nothing():
    z = torch.linspace(-4, 4, 9)
    assert torch.equal(truncated_normal(z, 0.0), torch.zeros(9))
    assert torch.allclose(truncated_normal(z, 8.0), z, atol=1e-5)
    assert truncated_normal(torch.tensor([math.inf, 30.0, -30.0]), 1.0).tolist() == [1, 1, -1]


def test_a_network_is_asked_with_truncated_noise_and_the_same_labels():
    z, labels = torch.randn(4, 3), torch.tensor([0, 1, 0, 1])
    network = Doubles()
    assert torch.equal(network.truncated(z, labels, 0.5), network(truncated_normal(z, 0.5), labels))
    assert network.truncated(z, labels, 0.0)[:, 0, 0, 0].tolist() == [0, 1, 0, 1]

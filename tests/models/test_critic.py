import pytest
import torch

from i2i.models.critic import Critic
from i2i.networks.patchgan import PatchGAN


def pictures(seed: int) -> torch.Tensor:
    return torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("norm", ["batch", "instance", "none"])
@pytest.mark.parametrize("conditional", [False, True])
def test_real_and_fake_in_one_pass_score_as_in_two(norm, conditional):
    torch.manual_seed(0)
    channels = 6 if conditional else 3
    D = PatchGAN(channels, width=4, layers=2, norm=norm).double()
    other = PatchGAN(channels, width=4, layers=2, norm=norm).double()
    other.load_state_dict(D.state_dict())
    beside = pictures(3) if conditional else None
    calls: list[int] = []
    D.register_forward_pre_hook(lambda module, args: calls.append(len(args[0])))

    on_fake, on_real = Critic(D, beside).both(pictures(1), pictures(2))
    separately = Critic(other, beside)
    assert torch.allclose(on_fake, separately(pictures(1)))
    assert torch.allclose(on_real, separately(pictures(2)))
    assert calls == [4]
    # Batch norm's running statistics have seen the fakes first, then the reals.
    assert all(torch.allclose(a, b) for a, b in zip(D.buffers(), other.buffers(), strict=True))
    assert not torch.allclose(on_fake, on_real)


def test_a_spectral_norm_keeps_its_two_passes():
    D = PatchGAN(3, width=4, layers=2, norm="none", spectral_norm=True).double()
    calls: list[int] = []
    D.register_forward_pre_hook(lambda module, args: calls.append(len(args[0])))
    Critic(D).both(pictures(1), pictures(2))
    assert calls == [2, 2]


def test_after_a_pass_of_both_batch_norm_takes_a_batch_whole_again():
    D = PatchGAN(3, width=4, layers=2, norm="batch").double()
    before = [layer.parts for layer in D.modules() if hasattr(layer, "parts")]
    Critic(D).both(pictures(1), pictures(2))
    assert [layer.parts for layer in D.modules() if hasattr(layer, "parts")] == before == [1, 1]

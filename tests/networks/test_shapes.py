"""Networks of shapes alone have the shapes of real ones, and cost neither memory nor torch's compiler."""

import subprocess
import sys

import pytest
import torch
from torch import nn

from i2i.networks.blocks import conv
from i2i.networks.settings import MultiScale, ResidualDiscriminator, ResidualGenerator, SRResNet
from i2i.networks.shapes import only_shapes

BUILDS = {
    "spectral norm of a convolution": lambda: conv(2, 3, spectral_norm=True),
    "spectral norm of scales": lambda: MultiScale(width=2, layers=2, spectral_norm=True).build(3, (64, 64)),
    "attention": lambda: ResidualGenerator(width=8, latent=8, embedding=4, skip_z=True).build(3, (32, 32), 3),
    "a projection": lambda: ResidualDiscriminator(width=8).build(3, (32, 32), 3),
    "an enlarging one": lambda: SRResNet(width=4, blocks=1, scale=2).build(3, 3, (16, 16)),
}


def described(network: nn.Module) -> dict[str, tuple[torch.Size, torch.dtype]]:
    return {name: (value.shape, value.dtype) for name, value in network.state_dict().items()}


@pytest.mark.parametrize("name", BUILDS)
def test_shapes_are_those_of_real_networks(name):
    with only_shapes():
        network = BUILDS[name]()
    assert described(network) == described(BUILDS[name]())
    assert all(value.is_meta for value in network.state_dict().values())


def test_what_has_values_keeps_them():
    real = torch.tensor([3.0, 4.0])
    with only_shapes():
        assert torch.equal(nn.functional.normalize(real, dim=0), torch.tensor([0.6, 0.8], device="cpu"))
        assert (real / 2).tolist() == [1.5, 2]
    layer = conv(1, 1, spectral_norm=True)
    with torch.no_grad():
        layer.parametrizations["weight"].original.fill_(1)  # pyright: ignore
        layer(torch.zeros(1, 1, 4, 4))
    assert float(layer.weight.detach().norm()) == pytest.approx(1)  # pyright: ignore


def test_no_recipe_costs_the_compiler_before_it_starts():
    code = (
        "import sys\n"
        "from i2i.networks.shapes import only_shapes\n"
        "from i2i.recipes import RECIPES\n"
        "for name, experiment in RECIPES.items():\n"
        "    with only_shapes():\n"
        "        experiment.build(3, 3)\n"
        "    print(name, *{'torch._dynamo', 'sympy'} & set(sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert len(lines) > 20
    assert [line for line in lines if " " in line] == []

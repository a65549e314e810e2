import copy

import pytest
import torch
from torch import Tensor, nn

from i2i.engine.schedule import Schedule
from i2i.engine.settings import TrainingSettings
from i2i.engine.trainer import Trainer
from i2i.experiment import change
from i2i.networks.recompute import recomputed
from i2i.networks.resnet import ResNet
from i2i.recipes import recipe


def both(**options) -> tuple[ResNet, ResNet]:
    """The same network, keeping its activations and computing them again."""
    torch.manual_seed(0)
    keeping = ResNet(3, 3, width=4, blocks=2, **options)
    again = copy.deepcopy(keeping)
    again.checkpoint = True
    return keeping, again


def differentiated(network: nn.Module, x: Tensor) -> tuple[Tensor, list[Tensor]]:
    torch.manual_seed(1)
    made = network(x)
    weights = list(network.parameters())
    # As the engine asks: in chosen weights alone.
    torch.autograd.backward(made.square().mean(), inputs=weights)
    return made, [weight.grad for weight in weights if weight.grad is not None]


def close(one: list[Tensor], two: list[Tensor]) -> bool:
    return len(one) == len(two) > 0 and all(torch.allclose(a, b, 0, 1e-6) for a, b in zip(one, two, strict=True))


@pytest.mark.parametrize("options", [{}, {"dropout": True}, {"norm": "batch", "dropout": True}, {"norm": "none"}])
def test_gradients_and_buffers_are_the_same_and_so_are_the_random_numbers_drawn_after(options):
    keeping, again = both(**options)
    x = torch.randn(2, 3, 16, 16)
    made, gradients = differentiated(keeping, x)
    drawn = torch.rand(3)
    made_again, gradients_again = differentiated(again, x)
    assert torch.equal(drawn, torch.rand(3))
    assert torch.equal(made, made_again)
    assert close(gradients, gradients_again)
    buffers, others = dict(keeping.named_buffers()), dict(again.named_buffers())
    assert buffers.keys() == others.keys()
    assert all(torch.equal(buffer, others[name]) for name, buffer in buffers.items())


def test_the_same_under_autocast():
    keeping, again = both()
    x = torch.randn(1, 3, 16, 16)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        made, made_again = keeping(x), again(x)
    for output in (made, made_again):
        output.square().mean().backward()
    assert made_again.dtype is torch.float32
    gradients, others = (
        [weight.grad for weight in network.parameters() if weight.grad is not None] for network in (keeping, again)
    )
    assert close(gradients, others)


@pytest.mark.parametrize("blocks", [0, 1, 3])
def test_far_less_is_kept_for_the_gradient(blocks):
    def kept(network: nn.Module) -> int:
        held: list[Tensor] = []

        def hold(tensor: Tensor) -> Tensor:
            held.append(tensor)
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(hold, lambda tensor: tensor):
            made = network(torch.randn(1, 3, 32, 32))
        weights = {weight.untyped_storage().data_ptr() for weight in network.parameters()}
        sizes = {tensor.untyped_storage().data_ptr(): tensor.untyped_storage().nbytes() for tensor in (made, *held)}
        return sum(size for place, size in sizes.items() if place not in weights)

    keeping = ResNet(3, 3, width=8, blocks=blocks)
    again = ResNet(3, 3, width=8, blocks=blocks, checkpoint=True)
    assert kept(again) < kept(keeping) / 4
    assert kept(again.eval()) == pytest.approx(kept(keeping.eval()), rel=0.01)


def test_a_network_that_was_stepped_before_its_gradient_is_refused():
    layer = nn.Linear(2, 2)
    made = recomputed(layer, torch.randn(1, 2), draws=False)
    with torch.no_grad():
        layer.weight.mul_(2)
    with pytest.raises(RuntimeError, match="stepped before"):
        made.sum().backward()


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("cyclegan", {"history": 2, "generator": {"dropout": True}}),
        ("pix2pix", {"generator": {"kind": "resnet"}}),
        ("pix2pix", {"generator": {"kind": "resnet", "norm": "instance"}, "objective": {"kind": "wgan-gp"}}),
    ],
)
def test_a_game_learns_the_same(name, model):
    tiny = {"model": {"discriminator": {"width": 2, "layers": 1, "norm": "instance"}}, "data": {"size": "16"}}
    experiment = change(change(recipe(name), {"model": model}), tiny)
    experiment = change(experiment, {"model": {"generator": {"width": 2, "blocks": 1}}})
    states = []
    for checkpoint in (False, True):
        torch.manual_seed(0)
        asked = change(experiment, {"model": {"generator": {"checkpoint": checkpoint}}})
        # Unfused Adam says so where weights were stepped too early.
        trainer = Trainer(
            asked.build(3, 3),
            TrainingSettings(),
            steps=4,
            schedule=Schedule("constant", 4, 1),
            device=torch.device("cpu"),
            fused=False,
        )
        for seed in range(3):
            draw = torch.Generator().manual_seed(seed)
            halves = [(torch.rand(2, 3, 16, 16, generator=draw), torch.rand(2, 3, 16, 16, generator=draw))] * 2
            trainer.round(halves)
        states.append(trainer.model.state_dict())
    one, two = states
    assert one.keys() == two.keys()
    assert [key for key in one if not torch.allclose(one[key], two[key], 0, 1e-6)] == []

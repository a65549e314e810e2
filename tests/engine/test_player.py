import copy

import torch
from torch import nn

from i2i.engine.player import Player
from i2i.engine.settings import TrainingSettings

SETTINGS = TrainingSettings(lr=0.01)


def layers(last: bool) -> nn.Sequential:
    torch.manual_seed(0)
    made = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ConvTranspose2d(4, 3, 4, 2, 1)).double()
    return made.to(memory_format=torch.channels_last) if last else made


def play(network: nn.Module, player: Player, rounds: int) -> None:
    for index in range(rounds):
        player.forget()
        x = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(index), dtype=torch.float64)
        network(x).square().sum().backward()
        player.move()


def weights(network: nn.Module) -> list[torch.Tensor]:
    return [weight.detach() for weight in network.parameters()]


def test_adam_steps_alike_however_weights_lie_in_memory():
    results = []
    for last in (False, True):
        network = layers(last)
        play(network, Player(list(network.parameters()), SETTINGS), 3)
        results.append(weights(network))
    assert all(torch.allclose(a, b) for a, b in zip(*results, strict=True))


def test_adam_is_handed_every_weight_as_it_lies():
    network = layers(True)
    player = Player(list(network.parameters()), SETTINGS)
    play(network, player, 1)
    held = player.optimizer.param_groups[0]["params"]
    assert all(weight.is_contiguous() and weight.grad.is_contiguous() for weight in held)
    assert [weight.data_ptr() for weight in held] == [weight.data_ptr() for weight in network.parameters()]
    assert not all(weight.is_contiguous() for weight in network.parameters())


def test_a_state_goes_on_in_the_other_layout():
    first = layers(True)
    player = Player(list(first.parameters()), SETTINGS)
    play(first, player, 2)
    second = layers(False)
    second.load_state_dict(first.state_dict())
    other = Player(list(second.parameters()), SETTINGS)
    state = copy.deepcopy(player.state_dict())
    shapes = [moments["exp_avg"].shape for moments in state["state"].values()]
    assert shapes == [weight.shape for weight in first.parameters()]
    other.load_state_dict(state)
    play(first, player, 2)
    play(second, other, 2)
    assert all(torch.allclose(a, b) for a, b in zip(weights(first), weights(second), strict=True))


def test_forgotten_gradients_are_gone():
    network = layers(True)
    player = Player(list(network.parameters()), SETTINGS)
    play(network, player, 1)
    before = weights(copy.deepcopy(network))
    player.forget()
    player.move()
    assert all(torch.equal(a, b) for a, b in zip(before, weights(network), strict=True))

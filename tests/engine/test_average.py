import pytest
import torch
from torch import nn

from i2i.engine.average import Average
from i2i.networks.blocks import conv


def line(weight: float) -> nn.Linear:
    layer = nn.Linear(1, 1, bias=False)
    nn.init.constant_(layer.weight, weight)
    return layer


def test_the_ramp_by_hand():
    network = line(0)
    average = Average({"a": network}, decay=0.999)
    nn.init.constant_(network.weight, 1)
    average.set_decay(1)
    average.update()  # decay 2/11
    assert float(average.networks["a"].weight) == pytest.approx(9 / 11)
    nn.init.constant_(network.weight, 2)
    average.set_decay(2)
    average.update()  # decay 3/12
    assert float(average.networks["a"].weight) == pytest.approx(0.25 * 9 / 11 + 0.75 * 2)


def test_after_the_ramp_the_decay_is_the_one_asked_for():
    network = line(0)
    average = Average({"a": network}, decay=0.9)
    nn.init.constant_(network.weight, 1)
    average.set_decay(10**6)
    average.update()
    assert float(average.networks["a"].weight) == pytest.approx(0.1)


def test_running_statistics_are_averaged_and_the_counter_is_copied():
    norm = nn.BatchNorm2d(1)
    average = Average({"a": norm}, decay=0.9)
    norm.running_mean.fill_(10)
    norm.running_var.fill_(3)
    norm.num_batches_tracked.fill_(7)
    average.set_decay(10**6)
    average.update()
    ours = average.networks["a"]
    assert float(ours.running_mean) == pytest.approx(1)
    assert float(ours.running_var) == pytest.approx(1.2)
    assert int(ours.num_batches_tracked) == 7


def test_vectors_of_a_spectral_norm_are_copied():
    torch.manual_seed(0)
    layer = conv(2, 3, spectral_norm=True)
    average = Average({"a": layer}, decay=0.9)
    for _ in range(5):
        layer(torch.randn(1, 2, 5, 5))
    average.set_decay(10**6)
    average.update()
    theirs, ours = dict(layer.named_buffers()), dict(average.networks["a"].named_buffers())
    assert theirs
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_it_is_a_copy_in_eval_mode_without_gradients():
    network = line(1).train()
    average = Average({"a": network}, decay=0.9)
    nn.init.constant_(network.weight, 5)
    ours = average.networks["a"]
    assert float(ours.weight) == 1
    assert not ours.training
    assert not ours.weight.requires_grad
    assert network.training
    assert network.weight.requires_grad


def test_an_average_of_a_constant_is_the_constant():
    network = line(3)
    average = Average({"a": network}, decay=0.99)
    for rounds in range(1, 50):
        average.set_decay(rounds)
    average.update()
    assert float(average.networks["a"].weight) == pytest.approx(3)


def test_it_goes_on_from_its_state():
    network = line(0)
    one, two = Average({"a": network}, decay=0.9), Average({"a": network}, decay=0.9)
    nn.init.constant_(network.weight, 1)
    one.set_decay(1)
    one.update()
    two.load_state_dict({name: {k: v.clone() for k, v in state.items()} for name, state in one.state_dict().items()})
    nn.init.constant_(network.weight, 4)
    one.set_decay(2)
    one.update()
    two.set_decay(2)
    two.update()
    assert torch.equal(one.networks["a"].weight, two.networks["a"].weight)

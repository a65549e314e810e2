import torch

from i2i.game import Progress
from i2i.models.decay import Decay


def test_it_falls_linearly_over_the_images_and_is_over_then():
    decay = Decay(4.0, until=100)
    at = [decay.at(Progress(images=images)) for images in (0, 25, 50, 100, 1000)]
    assert at == [4.0, 3.0, 2.0, 0.0, 0.0]
    assert [decay.over(Progress(images=images)) for images in (0, 99, 100, 1000)] == [False, False, True, True]


def test_without_an_end_it_is_a_number_that_stays():
    decay = Decay(0.5)
    assert decay.now(Progress(images=10**9)) == 0.5
    assert isinstance(decay.now(Progress()), float)
    assert Decay(0.0).over(Progress())


def test_what_is_filled_in_before_a_round_is_what_the_round_reads_again():
    """A captured round reads the tensor that it saw once: only the numbers in it change."""
    decay = Decay(4.0, until=100)
    decay.fill(Progress())
    seen = decay.now(Progress())
    assert isinstance(seen, torch.Tensor)
    decay.fill(Progress(images=25))
    assert float(seen) == 3.0
    assert decay.now(Progress(images=25)) is seen


def test_without_an_engine_a_round_finds_it_itself():
    decay = Decay(4.0, until=100)
    assert float(decay.now(Progress(images=75))) == 1.0


def test_it_is_no_part_of_a_checkpoint():
    assert not Decay(4.0, until=100).state_dict()

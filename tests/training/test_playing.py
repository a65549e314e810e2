from i2i.engine.settings import TrainingSettings
from i2i.game import Progress
from i2i.training.playing import _schedule


def test_epochs_count_pictures_whatever_number_of_processes_saw_them():
    settings = TrainingSettings(epochs=4)
    alone = _schedule(settings, rounds=8, images=1, before=Progress())
    assert alone.shift == 0
    # Two epochs of 8 pictures later, two processes go on: 4 rounds an epoch, of 2 pictures each.
    before = Progress(rounds=16, images=16)
    two = _schedule(settings, rounds=4, images=2, before=before)
    assert settings.epochs * 4 - two.shift == 16 + 2 * 4
    assert two.factor(before) == alone.factor(before)
    assert two.factor(Progress(20, 24)) == alone.factor(Progress(24, 24))
    assert _schedule(settings, rounds=8, images=1, before=before).shift == 0
    by_steps = _schedule(TrainingSettings(steps=40), rounds=4, images=2, before=before)
    assert (by_steps.shift, by_steps.units) == (0, 40)

from collections.abc import Callable

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from i2i.engine.probe import apart, look
from i2i.game import View


def pictures(seed: int, count: int = 6, side: int = 64) -> Tensor:
    """Smooth ones, as photographs are."""
    rng = np.random.default_rng(seed)
    drawn = [cv2.resize(rng.uniform(-1, 1, (7, 7, 3)).astype(np.float32), (side, side)) for _ in range(count)]
    return torch.from_numpy(np.stack(drawn)).permute(0, 3, 1, 2) * 0.8


def seen(made: Callable[[Tensor], Tensor], real: Tensor | None = None, source: Tensor | None = None, **options):
    x = pictures(0) if source is None else source
    y = pictures(1) if real is None else real
    score = options.pop("score", lambda picture: picture.mean((1, 2, 3)))
    return look(View(y, lambda: made(x), score, source=x, paired=True), **options)


def test_one_picture_for_every_input_has_no_diversity_and_the_reals_themselves_have_all():
    assert seen(lambda x: x[:1].expand_as(x))["diversity"] == 0
    assert seen(lambda x: pictures(1))["diversity"] == pytest.approx(1)


def test_a_copy_changes_nothing_and_the_target_is_one_away():
    copy, target = seen(lambda x: x), seen(lambda x: pictures(1))
    assert copy["change"] == 0
    assert copy["correlation"] == pytest.approx(1)
    assert target["change"] == pytest.approx(1)
    assert target["correlation"] == pytest.approx(target["expected"])


def test_inverted_colours_correlate_negatively():
    assert seen(lambda x: -x, real=pictures(0) * 0.5)["correlation"] == pytest.approx(-1)
    assert seen(lambda x: -x, real=pictures(0) * 0.5)["expected"] == pytest.approx(1)


def test_channels_may_differ_between_input_and_output():
    found = seen(lambda x: 0.5 * x, source=pictures(0).mean(1, keepdim=True), real=pictures(1))
    assert found["change"] > 0


def test_a_checkerboard_raises_the_energy_at_the_stride():
    y = pictures(1)
    board = torch.ones(64, 64)
    board[::2, ::2] = board[1::2, 1::2] = -1
    assert seen(lambda x: y)["checkerboard"] == pytest.approx(1)
    assert seen(lambda x: y + 0.1 * board)["checkerboard"] > 2


def framed(batch: Tensor) -> Tensor:
    batch = batch.clone()
    batch[..., :4, :] = batch[..., -4:, :] = batch[..., :4] = batch[..., -4:] = -1
    return batch


def test_black_borders_of_the_reals_are_seen_and_whether_d_reads_them():
    def reads_border(picture: Tensor) -> Tensor:
        return -picture[..., 0].mean((1, 2))

    def reads_middle(picture: Tensor) -> Tensor:
        return -picture[..., 24:40, 24:40].mean((1, 2, 3))

    found = seen(lambda x: x + 0.2, real=framed(pictures(1)), score=reads_border)
    assert (found["border"], found["border made"], found["border source"]) == (1, 0, 0)
    assert found["border read"] == pytest.approx(1)
    assert seen(lambda x: x, score=reads_border)["border read"] == 0
    middle = seen(lambda x: x + 0.5, real=framed(pictures(1)) - 0.2, score=reads_middle)
    assert abs(middle["border read"]) < 0.01


@pytest.mark.parametrize("shift", [0, 3])
def test_a_jpeg_grid_is_seen_wherever_the_crop_begins(shift):
    def compressed(batch: Tensor) -> Tensor:
        done = []
        for picture in batch:
            pixels = ((picture.permute(1, 2, 0).numpy() + 1) * 127.5).astype(np.uint8)
            coded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 15])[1]
            done.append(torch.from_numpy(cv2.imdecode(coded, cv2.IMREAD_COLOR).astype(np.float32) / 127.5 - 1))
        return torch.stack(done).permute(0, 3, 1, 2)

    plain = (pictures(1, side=72) + 0.1 * torch.randn(6, 3, 72, 72, generator=torch.Generator().manual_seed(0))).clamp(
        -1, 1
    )
    found = seen(
        lambda x: plain[..., shift : shift + 64, shift : shift + 64],
        real=compressed(plain)[..., shift : shift + 64, shift : shift + 64],
    )
    assert found["grid"] > 4
    assert found["grid made"] < 2


def test_a_discriminator_that_knows_only_training_pictures_calls_others_fake():
    known = pictures(5)
    known_means = known.mean((1, 2, 3))

    def memory(picture: Tensor) -> Tensor:
        return -(picture.mean((1, 2, 3))[:, None] - known_means).abs().amin(1)

    held_out = View(pictures(1) + 0.5, lambda: pictures(0) + 0.5, memory, source=pictures(0))
    found = look(held_out, View(known, lambda: known, memory))
    assert found["trained-on"] == 1
    assert found["held-out"] < 0.7


def test_without_a_judge_the_pictures_are_looked_at_alone():
    found = seen(lambda x: x, judged=False)
    assert "diversity" in found
    assert not {"held-out", "fake", "border read"} & found.keys()


def test_a_single_picture_and_pictures_from_noise_can_be_looked_at():
    y = pictures(1)[:1]
    found = look(View(y, lambda: y, lambda picture: picture.mean((1, 2, 3))))
    assert "diversity" not in found
    assert "change" not in found


def test_the_scores_of_several_scales_are_read_as_those_of_all_their_patches():
    def fine(picture: Tensor) -> Tensor:
        return picture.mean(1, keepdim=True)

    def one(picture: Tensor) -> Tensor:
        return torch.cat([fine(picture).flatten(1), fine(picture)[..., ::2, ::2].flatten(1)], dim=1)

    train = View(pictures(3), lambda: pictures(3), one, source=pictures(0), paired=True)
    several = View(
        train.real, train.make, lambda x: [fine(x), fine(x)[..., ::2, ::2]], source=train.source, paired=True
    )
    assert seen(framed, score=several.score, trained_on=several) == seen(framed, score=one, trained_on=train)


def test_the_distance_of_all_pairs_is_that_of_each_pair():
    batch = torch.randn(7, 3, 5, 4, generator=torch.Generator().manual_seed(0))
    pairs = [(batch[i] - batch[j]).abs().mean() for i in range(7) for j in range(i)]
    assert apart(batch).item() == pytest.approx(torch.stack(pairs).mean().item())
    assert apart(batch[:1].repeat(3, 1, 1, 1)) == 0

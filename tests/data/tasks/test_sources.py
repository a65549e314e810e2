"""A source is what its task says of the picture, pixel for pixel."""

import numpy as np
import pytest

from i2i import images
from i2i.data.tasks.edges import drawn
from i2i.data.tasks.holes import GRAY, cut_by_alpha, filled, holes, without
from i2i.data.tasks.settings import Colorize, Inpaint, Sketch, SuperResolution, scale_of, source_channels
from i2i.data.tasks.sources import make_input, make_source, smaller
from i2i.data.transforms import generator
from i2i.errors import DatasetError

KEY = (1, 2, 3)
NOISE = np.random.default_rng(0).integers(0, 256, (32, 48, 3), dtype=np.uint8)
TASKS = [SuperResolution(), SuperResolution(scale=2, enlarged=True), Colorize(), Inpaint(), Sketch()]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_a_constant_made_smaller_is_the_same_constant(dtype):
    picture = np.full((16, 24, 3), 77, np.uint8)
    small = smaller(images.to_depth(picture, dtype), 4)
    assert small.shape == (4, 6, 3)
    assert np.array_equal(small, images.to_depth(picture, dtype)[:4, :6])


def test_a_ramp_made_smaller_is_the_mean_of_its_pixels():
    ramp = np.repeat(np.arange(64, dtype=np.float32)[None, :, None] / 64, 8, axis=0)
    small = smaller(ramp, 4)
    # Away from the borders a symmetric kernel leaves a straight line where it is.
    assert np.allclose(small[1, 2:-2, 0], ramp[0].reshape(16, 4).mean(1)[2:-2], atol=1e-6)


def test_super_resolution_refuses_what_it_cannot_divide():
    with pytest.raises(DatasetError, match=r"30 x 16 pixels cannot be divided by 4"):
        smaller(np.zeros((16, 30, 3), np.uint8), 4)


def test_an_enlarged_source_has_the_size_of_its_target():
    task = SuperResolution(scale=4, enlarged=True)
    source = make_source(task, NOISE, KEY, train=True)
    assert source.shape == NOISE.shape
    assert np.array_equal(source, images.resize(smaller(NOISE, 4), (32, 48)))
    assert make_input(task, NOISE, KEY).shape == (8, 12, 3)  # what a user has is small


def test_gray_is_the_luma_of_a_colour():
    colour = np.full((4, 4, 3), (200, 100, 50), np.uint8)
    gray = make_source(Colorize(), colour, KEY, train=True)
    assert gray.shape == (4, 4, 1)
    assert (gray == round(0.299 * 200 + 0.587 * 100 + 0.114 * 50)).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("kind", ["rectangles", "strokes", "both"])
def test_a_hole_leaves_the_rest_untouched(kind, dtype):
    picture = images.to_depth(NOISE, dtype)
    source = make_source(Inpaint(holes=kind), picture, KEY, train=True)
    assert source.dtype == dtype
    mask = source[:, :, 0] > 0
    assert (source[:, :, 0][mask] == images.white(dtype)).all()
    assert np.array_equal(source[:, :, 1:][~mask], picture[~mask])
    assert np.allclose(source[:, :, 1:][mask], GRAY[np.dtype(dtype).name])
    assert 0.1 <= mask.mean() < 0.75


def test_gray_is_the_same_of_every_depth():
    eight, deep = (np.full((1, 1, 1), GRAY[name], name) for name in ("uint8", "uint16"))
    assert np.array_equal(images.to_depth(eight, np.uint16), deep)
    assert np.isclose(images.to_depth(eight, np.float32), GRAY["float32"])


def test_holes_cover_what_is_asked_for():
    shares = [holes((64, 64), Inpaint(least=0.3, most=0.3), generator((0, 0, index))).mean() for index in range(40)]
    assert min(shares) >= 0.3
    assert np.mean(shares) < 0.4


def test_what_is_transparent_is_a_hole_and_comes_back_filled():
    alpha = np.full((32, 48), 255, np.uint8)
    alpha[4:9, 5:20] = 0
    source = cut_by_alpha(NOISE, alpha)
    assert np.array_equal(source, without(NOISE, alpha == 0))
    made = np.full_like(NOISE, 9)
    result = filled(made, NOISE, alpha)
    assert np.array_equal(result[alpha == 255], NOISE[alpha == 255])
    assert (result[alpha == 0] == 9).all()


def test_what_is_half_transparent_is_half_filled():
    result = filled(np.full((1, 2, 3), 1, np.float32), np.zeros((1, 2, 3), np.float32), np.float32([[0.25, 1]]))
    assert np.allclose(result[0, 0], 0.75)
    assert np.array_equal(result[0, 1], [0, 0, 0])


def test_the_edges_of_a_square_are_its_outline():
    picture = np.zeros((40, 40, 3), np.uint8)
    picture[10:30, 12:28] = 255
    lines = drawn(picture, 130, 1)[:, :, 0] == 0
    inside, outside = np.zeros((40, 40), bool), np.ones((40, 40), bool)
    inside[13:27, 15:25] = True
    outside[8:32, 10:30] = False
    assert not lines[inside].any()
    assert not lines[outside].any()
    # Every row and column through the square crosses two lines, one pixel thick.
    assert (lines[15:25].sum(axis=1) == 2).all()
    assert (lines[:, 17:23].sum(axis=0) == 2).all()


def test_lines_are_as_thick_as_asked_for():
    picture = np.zeros((40, 40, 1), np.uint8)
    picture[:, 20:] = 255
    assert [int((drawn(picture, 130, thickness)[20] == 0).sum()) for thickness in (1, 2, 3, 5)] == [1, 2, 3, 5]


def test_faint_edges_are_drawn_by_low_thresholds_alone():
    picture = np.full((40, 40, 1), 100, np.uint8)
    picture[:, 20:] = 130
    assert (drawn(picture, 30, 1) == 0).any()
    assert not (drawn(picture, 900, 1) == 0).any()


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.kind)
def test_a_source_is_a_function_of_its_picture_and_key(task):
    first = make_source(task, NOISE, KEY, train=True)
    np.random.seed(5)
    assert np.array_equal(make_source(task, NOISE.copy(), KEY, train=True), first)
    channels = first.shape[2] - (task.kind == "inpaint" and not task.mask)
    assert channels == source_channels(task, 3)


def test_holes_and_lines_are_others_in_another_epoch():
    for task in (Inpaint(), Sketch()):
        made = [make_source(task, NOISE, (0, epoch, 0), train=True).tobytes() for epoch in range(4)]
        assert len(set(made)) > 1
    validated = {make_source(Sketch(), NOISE, (0, epoch, 0), train=False).tobytes() for epoch in range(4)}
    assert len(validated) == 1


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.kind)
def test_what_a_user_would_give_is_what_validation_makes(task):
    given, source = make_input(task, NOISE, KEY), make_source(task, NOISE, KEY, train=False)
    if task.kind == "inpaint":
        assert np.array_equal(given[:, :, :3], NOISE)
        given = cut_by_alpha(given[:, :, :3], given[:, :, 3])
    if not getattr(task, "enlarged", False):
        assert np.array_equal(given, source)


def test_scales():
    assert [scale_of(task) for task in TASKS] == [4, 2, 1, 1, 1]

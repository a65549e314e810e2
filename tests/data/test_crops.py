import numpy as np

from i2i.data.crops import cut, frames, numbers


def drawn(keys, crop=(4, 6), size=(8, 7), flip=True):
    return frames(keys, np.full(len(keys), size[0]), np.full(len(keys), size[1]), crop, flip=flip)


def test_every_place_is_equally_likely_and_half_are_mirrored():
    found = drawn([(3, 0, index) for index in range(20_000)])
    outcomes, counts = np.unique(np.stack(found), axis=1, return_counts=True)
    assert outcomes.shape[1] == 5 * 2 * 2
    # Chi-squared with 19 degrees of freedom: 43.8 is passed once in a thousand.
    assert ((counts - 1000) ** 2 / 1000).sum() < 43.8


def test_draws_of_one_key_after_another_are_independent():
    for keys in ([(0, 0, i) for i in range(4000)], [(0, i, 0) for i in range(4000)], [(i, 0, 0) for i in range(4000)]):
        values = numbers(keys, 3)
        assert abs(values.mean() - 0.5) < 0.02
        assert np.abs(np.corrcoef(values.T) - np.eye(3)).max() < 0.06
        assert abs(np.corrcoef(values[:-1, 0], values[1:, 0])[0, 1]) < 0.06


def test_a_draw_depends_on_its_key_alone():
    keys = [(-1, 2, 3), (2**70 + 5, 0, 1), (0, 0, 0), (0, 0, 1), (0, 1, 0), (1, 0, 0)]
    together = numbers(keys, 2)
    for key, row in zip(keys, together, strict=True):
        assert np.array_equal(numbers([key], 2)[0], row)
    assert len(np.unique(together)) == 2 * len(keys)


def test_numbers_lie_in_the_unit_interval():
    values = numbers([(0, 0, index) for index in range(1000)], 4)
    assert values.min() >= 0
    assert values.max() < 1


def test_without_flip_nothing_is_mirrored_and_the_crops_stay():
    keys = [(0, 0, index) for index in range(50)]
    assert not drawn(keys, flip=False).mirrored.any()
    assert np.array_equal(drawn(keys, flip=False).top, drawn(keys).top)


def test_a_cut_is_the_pixels_of_its_frame():
    picture = np.arange(8 * 7).reshape(8, 7, 1)
    for index in range(20):
        frame = drawn([(0, 0, index)])
        top, left = int(frame.top[0]), int(frame.left[0])
        expected = picture[top : top + 4, left : left + 6]
        assert np.array_equal(cut(picture, frame, (4, 6)), expected[:, ::-1] if frame.mirrored[0] else expected)

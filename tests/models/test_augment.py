import pytest
import torch

from i2i.models.augment import Colour, Geometry, draw_colour, draw_geometry
from i2i.models.settings.sight import Operation

GEOMETRY: list[Operation] = ["flip", "rotation", "translation", "cutout"]


def pictures(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) + 1


def factors(*values: float) -> list[torch.Tensor]:
    return [torch.tensor(value, dtype=torch.float64).view(1, 1, 1, 1) for value in values]


def test_colour_by_hand():
    picture = torch.tensor([[[[0.0, 0.4]], [[0.2, 0.0]], [[0.4, -0.4]]]], dtype=torch.float64)
    brighter = Colour(*factors(0.25, 1, 1))(picture)
    torch.testing.assert_close(brighter, picture + 0.25)
    gray = Colour(*factors(0, 0, 1))(picture)
    torch.testing.assert_close(gray, torch.tensor([[[[0.2, 0.0]]]], dtype=torch.float64).expand(1, 3, 1, 2))
    flat = Colour(*factors(0, 1, 0.5))(picture)
    torch.testing.assert_close(flat, 0.1 + (picture - 0.1) / 2)


def test_each_picture_has_colours_of_its_own_within_the_ranges():
    torch.manual_seed(0)
    colour = draw_colour(torch.zeros(500, 3, 2, 2), None)
    for drawn, low, high in ((colour.brightness, -0.5, 0.5), (colour.saturation, 0, 2), (colour.contrast, 0.5, 1.5)):
        assert drawn.shape == (500, 1, 1, 1)
        assert low <= float(drawn.min()) < low + 0.05 * (high - low)
        assert high - 0.05 * (high - low) < float(drawn.max()) <= high


def test_translation_moves_whole_pictures_by_up_to_an_eighth_and_leaves_nothing_behind():
    torch.manual_seed(0)
    picture = pictures(1, 2, 16, 24).expand(300, -1, -1, -1)
    moved = draw_geometry(picture, ["translation"], None)(picture)
    found = set()
    for one in moved:
        rows, columns = one[0].any(dim=1).nonzero().flatten(), one[0].any(dim=0).nonzero().flatten()
        dy, dx = int(rows[0]) or int(rows[-1]) - 15, int(columns[0]) or int(columns[-1]) - 23
        found.add((dy, dx))
        wanted = torch.zeros_like(picture[0])
        wanted[:, max(0, dy) : 16 + min(0, dy), max(0, dx) : 24 + min(0, dx)] = picture[
            0, :, max(0, -dy) : 16 - max(0, dy), max(0, -dx) : 24 - max(0, dx)
        ]
        assert torch.equal(one, wanted)
    assert {dy for dy, _ in found} == set(range(-2, 3))
    assert {dx for _, dx in found} == set(range(-3, 4))


def test_cutout_takes_half_of_each_side_where_the_picture_has_it():
    torch.manual_seed(0)
    picture = pictures(1, 1, 8, 12).expand(300, -1, -1, -1)
    cut = draw_geometry(picture, ["cutout"], None)(picture)
    gone = (cut == 0)[:, 0]
    assert torch.equal(cut[~gone[:, None]], picture[~gone[:, None]])
    sizes = {(int(one.any(dim=1).sum()), int(one.any(dim=0).sum())) for one in gone}
    assert max(sizes) == (4, 6)
    assert {2, 3, 4} == {tall for tall, _ in sizes}
    assert all(int(one.sum()) == int(one.any(1).sum()) * int(one.any(0).sum()) for one in gone)  # one box


@pytest.mark.parametrize(("size", "turns"), [((6, 6), {0, 1, 2, 3}), ((6, 4), {0, 2})])
def test_rotation_is_by_quarters_or_by_halves_where_sides_differ(size, turns):
    torch.manual_seed(0)
    picture = pictures(1, 2, *size).expand(100, -1, -1, -1)
    turned = draw_geometry(picture, ["rotation"], None)(picture)
    known = {k: picture[0].rot90(k, (1, 2)) for k in turns}
    found = {k for one in turned for k, wanted in known.items() if torch.equal(one, wanted)}
    assert found == turns
    assert all(any(torch.equal(one, wanted) for wanted in known.values()) for one in turned)


def test_flip_mirrors_half_of_the_pictures():
    torch.manual_seed(0)
    picture = pictures(1, 2, 4, 6).expand(400, -1, -1, -1)
    flipped = draw_geometry(picture, ["flip"], None)(picture)
    mirrored = [torch.equal(one, picture[0].flip(2)) for one in flipped]
    assert all(m or torch.equal(one, picture[0]) for m, one in zip(mirrored, flipped, strict=True))
    assert 150 < sum(mirrored) < 250


@pytest.mark.parametrize("operation", GEOMETRY)
def test_at_a_chance_of_zero_nothing_is_done_and_at_a_half_to_half_of_the_pictures(operation):
    torch.manual_seed(0)
    picture = pictures(1, 1, 16, 16).expand(1000, -1, -1, -1)
    assert torch.equal(draw_geometry(picture, [operation], torch.zeros(()))(picture), picture)
    half = draw_geometry(picture, [operation], torch.tensor(0.5))(picture)
    whole = draw_geometry(picture, [operation], None)(picture)
    share = [float((made != picture).flatten(1).any(1).double().mean()) for made in (half, whole)]
    assert share[0] == pytest.approx(share[1] / 2, abs=0.06)
    assert share[1] > 0.4


def test_colour_at_a_chance_of_zero_is_the_picture_bit_by_bit():
    picture = pictures(5, 3, 4, 4) - 1.5
    assert torch.equal(draw_colour(picture, torch.zeros(()))(picture), picture)


def test_what_moves_together_moves_alike():
    torch.manual_seed(0)
    picture = pictures(7, 3, 8, 8)
    geometry = draw_geometry(picture, GEOMETRY, None)
    both = geometry(torch.cat([picture, 2 * picture], dim=1))
    assert torch.equal(both[:, 3:], 2 * both[:, :3])
    assert torch.equal(both[:, :3], geometry(picture))


def test_its_gradients_are_those_of_the_numbers_twice():
    torch.manual_seed(0)
    picture = pictures(2, 2, 4, 4).requires_grad_()
    colour, geometry = draw_colour(picture, None), draw_geometry(picture, GEOMETRY, None)

    def seen(x: torch.Tensor) -> torch.Tensor:
        return geometry(colour(x)) ** 2

    assert torch.autograd.gradcheck(seen, (picture,))
    assert torch.autograd.gradgradcheck(seen, (picture,))


def test_a_geometry_that_moves_nothing_is_the_picture():
    picture = pictures(1, 2, 2, 3)
    still = Geometry(torch.arange(6).view(1, 2, 3), torch.ones(1, 1, 2, 3, dtype=torch.bool))
    assert torch.equal(still(picture), picture)

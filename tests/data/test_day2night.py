"""The drawn set: one street, day and night, at any size."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from i2i.data import day2night
from i2i.data.day2night import draw, write
from i2i.data.drawn import light
from i2i.data.drawn.street import CURTAINS, DARK, GLASS
from i2i.data.drawn.town import plan
from i2i.errors import DatasetError

SEEDS = range(8)
SIZE = (64, 64)


@pytest.fixture(scope="module")
def pairs() -> list[Any]:
    return [draw(seed, SIZE) for seed in SEEDS]


def psnr(a: Any, b: Any) -> float:
    return float(10 * np.log10(255**2 / np.mean((np.float64(a) - np.float64(b)) ** 2)))


def edges(picture: Any) -> Any:
    gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return cv2.dilate(cv2.Canny(gray, 60, 140), np.ones((3, 3))) > 0


def test_the_same_seed_is_the_same_pair(pairs: list[Any]):
    for before, now in zip(pairs[3], draw(3, SIZE), strict=True):
        assert np.array_equal(before, now)


def test_another_seed_is_another_street(pairs: list[Any]):
    for side in (0, 1):
        scores = [psnr(a[side], b[side]) for i, a in enumerate(pairs) for b in pairs[:i]]
        assert max(scores) < 22


@pytest.mark.parametrize("size", [(16, 16), (48, 96), (96, 40)])
def test_pictures_have_the_asked_shape_and_type(size: tuple[int, int]):
    for picture in draw(0, size):
        assert picture.shape == (*size, 3)
        assert picture.dtype == np.uint8


def test_edges_of_the_day_are_edges_of_the_night(pairs: list[Any]):
    aligned = np.mean([edges(day)[edges(night)].mean() for day, night in pairs])
    shifted = np.mean([np.roll(edges(day), 16, axis=1)[edges(night)].mean() for day, night in pairs])
    assert aligned > 0.75
    assert aligned > shifted + 0.15


def test_a_seed_shows_one_street_at_any_size(pairs: list[Any]):
    for seed in SEEDS[:5]:
        for small, large in zip(pairs[seed], draw(seed, (256, 256)), strict=True):
            shrunk = cv2.resize(large, SIZE[::-1], interpolation=cv2.INTER_AREA)
            others = [psnr(picture, small) for pair in pairs[:seed] for picture in pair]
            assert psnr(shrunk, small) > max([24.0, *others])


def test_night_is_no_gain_of_day(pairs: list[Any]):
    day, night = (np.stack([pair[side] for pair in pairs]).astype(np.float64) for side in (0, 1))
    gain = (day * night).sum() / (day * day).sum()
    assert psnr(day * gain, night) < 16
    for a, b in zip(day, night, strict=True):
        assert psnr(a * ((a * b).sum() / (a * a).sum()), b) < 20


def test_what_a_face_glows_by_night_follows_from_its_colour_by_day():
    glow_of: dict[Any, Any] = {}
    for seed in range(8):
        for face in plan(seed).faces:
            assert glow_of.setdefault(face.material.day, face.material.glow) == face.material.glow
    assert sum(glow != DARK for glow in glow_of.values()) > 10


def test_every_light_comes_from_a_glowing_face_nearby():
    for seed in range(6):
        street = plan(seed)
        glowing = np.array([p for face in street.faces if face.material.glow != DARK for p in face.corners])
        for lamp in street.lights:
            assert np.linalg.norm(glowing - lamp.place, axis=1).min() < 12


def test_which_windows_are_lit_can_be_told_from_their_colours_by_day():
    lit_day, lit_night, dark_day, dark_night = [], [], [], []
    rooms = {room for _, room in CURTAINS}
    for seed in range(4):
        faces, (day, night) = plan(seed).faces, draw(seed, (256, 256))
        shown = light.Picture(plan(seed), 256, 256).ids
        for number in np.unique(shown[shown > 0]).tolist():
            face, pixels = faces[number - 1], shown == number
            if pixels.sum() < 100 or face.material not in {*rooms, GLASS}:
                continue
            lit = face.material in rooms
            (lit_day if lit else dark_day).append(day[pixels].mean())
            (lit_night if lit else dark_night).append(night[pixels].mean())
    assert min(len(lit_day), len(dark_day)) > 10
    assert np.quantile(lit_day, 0.05) > np.quantile(dark_day, 0.95) + 15
    assert np.quantile(lit_night, 0.05) > np.quantile(dark_night, 0.95) + 40


@pytest.mark.parametrize("size", [(15, 64), (64, 8), (5000, 5000), (16, 128), (0, 0)])
def test_an_impossible_size_is_one_clear_error(size: tuple[int, int], tmp_path: Path):
    with pytest.raises(DatasetError, match=f"not {size[0]} x {size[1]}"):
        draw(0, size)
    with pytest.raises(DatasetError, match=f"not {size[0]} x {size[1]}"):
        write(tmp_path / "set", size=size)
    assert not list(tmp_path.iterdir())


def files(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_a_written_set_is_complete_and_reads_back_as_drawn(tmp_path: Path):
    told: list[tuple[int, int]] = []
    root = write(
        tmp_path / "sets/d2n",
        train=3,
        val=1,
        test=2,
        size=(32, 48),
        progress=lambda done, total: told.append((done, total)),
    )
    assert told == [(i + 1, 6) for i in range(6)]
    names = {
        f"{s}/{side}/{i:04d}.png" for s, n in (("train", 3), ("val", 1), ("test", 2)) for side in "AB" for i in range(n)
    }
    assert set(files(root)) == {*names, "day2night.json"}
    assert [path.name for path in root.parent.iterdir()] == ["d2n"]
    pictures = draw(day2night.scene(0, "test", 1), (32, 48))
    for side, picture in zip("AB", pictures, strict=True):
        read = cv2.imread(str(root / "test" / side / "0001.png"))
        assert read is not None
        assert np.array_equal(read[..., ::-1], picture)


def test_no_scene_is_in_two_splits_or_seeds():
    scenes = [day2night.scene(seed, split, i) for seed in range(3) for split in day2night.SPLITS for i in range(300)]
    assert len(set(scenes)) == len(scenes)


def test_a_set_of_the_same_parameters_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    root = write(tmp_path / "set", train=1, val=0, test=1, size=(16, 16))
    before = files(root)
    monkeypatch.setattr(day2night, "draw", lambda *_: pytest.fail("drawn again"))
    assert write(root, train=1, val=0, test=1, size=(16, 16)) == root
    assert files(root) == before


def test_a_set_of_other_parameters_is_neither_kept_nor_lost(tmp_path: Path):
    root = write(tmp_path / "set", train=1, val=0, test=0, size=(16, 16))
    before = files(root)
    with pytest.raises(DatasetError, match="other parameters"):
        write(root, train=2, val=0, test=0, size=(16, 16))
    assert files(root) == before


def test_foreign_files_are_not_overwritten(tmp_path: Path):
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(DatasetError, match="something else"):
        write(tmp_path, train=1, val=0, test=0, size=(16, 16))
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_set_broken_off_leaves_nothing_and_can_be_written_again(tmp_path: Path):
    def stop(done: int, _total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    root = tmp_path / "set"
    with pytest.raises(KeyboardInterrupt):
        write(root, train=3, val=0, test=0, size=(16, 16), progress=stop)
    assert not list(tmp_path.iterdir())
    assert write(root, train=3, val=0, test=0, size=(16, 16)) == root
    assert json.loads((root / "day2night.json").read_text())["train"] == 3


def test_a_larger_set_begins_with_the_smaller_one(tmp_path: Path):
    small = write(tmp_path / "small", train=1, val=1, test=1, size=(16, 16))
    large = write(tmp_path / "large", train=2, val=1, test=1, size=(16, 16))
    for name in ("train/A/0000.png", "val/B/0000.png", "test/A/0000.png"):
        assert (small / name).read_bytes() == (large / name).read_bytes()


def test_only_lamps_in_the_picture_light_it():
    for seed in range(4):
        street = plan(seed)
        camera, shown = street.camera, light.Picture(street, 64, 64).lights
        for lamp in shown:
            angle = np.arctan2(lamp.place[0] - camera.x, lamp.place[2]) - camera.yaw
            assert abs(np.tan(angle)) * camera.focal < 0.5
        assert 0 < len(shown) < len(street.lights)

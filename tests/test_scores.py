import sys
from pathlib import Path

import numpy as np
import pytest

from i2i import images
from i2i.errors import DatasetError

# The commands lie beside the package, not in it, and find what they share as scripts do: in their own folder.
sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))
import night_score  # pyright: ignore[reportMissingImports]
import picture_scores as ps  # pyright: ignore[reportMissingImports]
import segmentation_score as seg  # pyright: ignore[reportMissingImports]

COLOURS = np.array([[0, 0, 170], [255, 0, 0], [0, 255, 255]], np.uint8)


def noise(seed=0, size=64):
    return np.random.default_rng(seed).integers(0, 256, (size, size, 3)).astype(np.uint8)


def smooth(seed=0, size=64):
    """Natural in that it has ever less energy at ever higher frequencies."""
    draw = np.random.default_rng(seed)
    far = np.hypot(*np.meshgrid(*[np.fft.fftfreq(size) * size] * 2))
    waves = np.fft.fft2(draw.standard_normal((size, size))) / np.maximum(far, 1) ** 1.5
    field = np.fft.ifft2(waves).real
    gray = (255 * (field / field.std() / 6 + 0.5).clip(0, 1)).round().astype(np.uint8)
    return np.repeat(gray[..., None], 3, 2)


def put(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    images.write(path, pixels)


def lamp(row, column, size=64):
    picture = np.zeros((size, size, 3), np.uint8)
    picture[row : row + 6, column : column + 7] = 255  # 42 pixels: 1% of 64 x 64 is 41
    return picture


def test_lights_are_one_percent_and_equal_lights_score_one():
    assert ps.lights(noise()).sum() == 41
    assert ps.lights(lamp(3, 3)).sum() == 41
    assert ps.lights_f1(lamp(20, 20), lamp(20, 20)) == 1


def test_lights_count_within_tolerance_and_not_beyond():
    assert ps.lights_f1(lamp(20, 20), lamp(20, 22)) == 1
    assert 0 < ps.lights_f1(lamp(20, 20), lamp(20, 25)) < 1
    assert ps.lights_f1(lamp(20, 20), lamp(20, 30)) == 0


def test_a_flat_picture_has_no_lights():
    flat = np.full((64, 64, 3), 90, np.uint8)
    assert ps.lights_f1(flat, flat) == 0


def test_structure_sees_no_gain_and_no_offset_but_sees_another_picture():
    picture = smooth(1) // 4
    assert ps.structure(picture, picture) == pytest.approx(1)
    assert ps.structure(picture, picture * 2 + 30) == pytest.approx(1, abs=0.01)
    assert ps.structure(picture, smooth(2)) < 0.5
    assert ps.structure(picture, np.zeros_like(picture)) < 0.5


@pytest.mark.parametrize("stride", ps.STRIDES)
def test_a_planted_grid_shows_and_a_smooth_picture_has_none(stride):
    def spectrum(first, planted=0):
        found = ps.Spectrum(64)
        lattice = (np.add.outer(np.arange(64) // (stride // 2), np.arange(64) // (stride // 2)) % 2)[..., None]
        for seed in range(first, first + 20):
            found.add((smooth(seed).clip(10, 245) + planted * (2 * lattice - 1)).astype(np.uint8))
        return found

    real = spectrum(0)
    assert ps.grid(spectrum(0), real) == 1
    assert ps.grid(spectrum(20), real) == pytest.approx(1.2, abs=0.4)  # the worst of three that scatter about 1
    assert ps.grid(spectrum(20, planted=4), real) > 2


def test_sharpness_is_the_slope_of_a_ramp_and_zero_of_nothing():
    ramp = np.repeat(np.repeat(np.arange(0, 192, 3, dtype=np.uint8)[None, :, None], 64, 0), 3, 2)
    assert ps.sharpness(ramp) == pytest.approx(3)
    assert ps.sharpness(np.zeros_like(ramp)) == 0


def test_a_translation_is_found_by_what_it_translates(tmp_path):
    for name in ("1.png", "12_fake_B.png", "12_real_A.png", "12_1.png"):
        put(tmp_path / name, lamp(0, 0))
    found = ps.translations(tmp_path, ["1", "12", "12_1"])
    assert {name: path.name for name, path in found.items()} == {
        "1": "1.png",
        "12": "12_fake_B.png",
        "12_1": "12_1.png",
    }
    with pytest.raises(DatasetError, match="no picture of 1 of 2: 2"):
        ps.translations(tmp_path, ["1", "2"])


def test_two_translations_of_one_picture_are_refused(tmp_path):
    for name in ("1_a.png", "1_b.png"):
        put(tmp_path / name, lamp(0, 0))
    with pytest.raises(DatasetError, match="all begin with 1"):
        ps.translations(tmp_path, ["1"])


def labels(seed=0, size=64):
    """Blocks of the three colours, smeared along their edges as JPEG does."""
    blocks = np.random.default_rng(seed).choice(3, (size // 16, size // 16), p=[0.6, 0.3, 0.1])
    grown = COLOURS[np.kron(blocks, np.ones((16, 16), int))]
    smeared = (grown.astype(np.uint16) + np.roll(grown, 1, 0) + np.roll(grown, 1, 1)) // 3
    return smeared.astype(np.uint8)


def test_perfect_pictures_score_one():
    maps = [labels(seed) for seed in range(3)]
    truth = [seg.classes_of(label, COLOURS.astype(np.float32)) for label in maps]
    scores = seg.score(
        maps,
        maps,
        truth,
        [lambda pictures: np.stack(truth)],
    )
    assert {name: scores[name] for name in ("pixel", "class", "iou", "l1", "ssim", "sharp", "grid")} == {
        "pixel": 1, "class": 1, "iou": 1, "l1": 0, "ssim": 1, "sharp": 1, "grid": 1
    }  # fmt: skip


@pytest.fixture
def pairs(tmp_path):
    """Photos that are their label maps in other colours; translations that are the photos."""
    for split, count in (("train", 4), ("val", 2)):
        for index in range(count):
            label = labels(index + 10 * len(split))
            put(tmp_path / "data" / split / f"{index}.png", np.hstack([255 - label, label]))
            if split == "val":
                put(tmp_path / "made" / f"{index}_fake_B.png", 255 - label)
    return tmp_path


def test_the_segmentation_command_scores_real_photos_as_real_and_keeps_its_segmenter(pairs, capsys):
    cache = pairs / "seg.safetensors"
    asked = [str(pairs / "data"), str(pairs / "made"), "--size=64", "--classes=3", "--epochs=2", "--width=4"]
    asked.append(f"--cache={cache}")
    assert seg.main(asked) == 0
    rows = [line.split()[-8:] for line in capsys.readouterr().out.splitlines()[1:3]]
    assert rows[0][:3] == rows[1][-5:][:3], "the translations are the photos"
    written = cache.read_bytes()
    assert seg.main(asked) == 0
    assert cache.read_bytes() == written
    assert seg.main([*asked, "--epochs=1"]) == 2
    assert "other settings" in capsys.readouterr().err


def test_the_night_command_gives_a_real_night_the_ceiling(tmp_path, capsys):
    for camera in (1, 2):
        for turn in range(3):
            night = lamp(10 * camera, 20) + smooth(camera) // 8
            night[0, turn] += 1
            put(tmp_path / f"data/testB/cam{camera}_{turn}.png", night)
            put(tmp_path / f"data/trainB/cam{camera + 2}_{turn}.png", lamp(50, 50))
        for folder in ("testA", "trainA"):
            put(tmp_path / f"data/{folder}/cam{camera}_9.png", smooth(camera))
        put(tmp_path / f"made/cam{camera}_9_fake.png", lamp(10 * camera, 20) + smooth(camera) // 8)
    asked = [str(tmp_path / "data"), str(tmp_path / "made"), "--size=64", f"--json={tmp_path / 'scores.json'}"]
    assert night_score.main(asked) == 0
    rows = {line[:26].strip(): line[26:].split() for line in capsys.readouterr().out.splitlines()[1:8]}
    assert float(rows["made"][3]) == 1
    assert float(rows["made"][0]) > 40 > float(rows["input"][0])
    assert float(rows["mean night, other cameras"][3]) == 0
    assert (tmp_path / "scores.json").is_file()
    (tmp_path / "made/cam2_9_fake.png").unlink()
    assert night_score.main(asked) == 2
    assert "no picture of 1 of 2" in capsys.readouterr().err

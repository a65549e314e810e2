import sys
from pathlib import Path

import pytest
import torch

from i2i import images

# The commands lie beside the package, not in it.
sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))
import count_modes  # pyright: ignore[reportMissingImports]


def test_a_target_draws_each_of_its_gaussians_as_often() -> None:
    for make, modes in ((count_modes.ring, 8), (count_modes.grid, 25)):
        target = make()
        points = target.points(20_000, torch.Generator().manual_seed(0))
        found = count_modes.count(points, target)
        assert found.modes == modes
        # Within three deviations of a Gaussian in the plane lie all but exp(-9 / 2).
        assert found.good == pytest.approx(1 - 0.0111, abs=0.003)
        assert float(points.abs().max()) < 1
        nearest = torch.cdist(points, target.centres).argmin(dim=1).bincount() / len(points)
        assert nearest.tolist() == pytest.approx([1 / modes] * modes, abs=0.012)


def test_modes_are_centres_with_a_good_sample_and_samples_between_them_are_none() -> None:
    target = count_modes.ring()
    near, far = (target.centres[:1] + torch.tensor([lead * target.deviation, 0]) for lead in (2.9, 3.1))
    found = count_modes.count(torch.cat([target.centres[:3], near, far, torch.zeros(3, 2)]), target)
    assert (found.modes, found.good) == (3, 4 / 8)


def test_a_picture_shows_samples_where_they_are() -> None:
    target = count_modes.ring()
    empty, drawn = (count_modes.scatter(samples, target) for samples in (torch.zeros(0, 2), torch.tensor([[0.0, 0.5]])))
    changed = (empty != drawn).any(axis=2).nonzero()
    middle = [float(places.mean()) / (count_modes.SIDE - 1) for places in changed]
    assert middle == pytest.approx([0.25, 0.5], abs=0.01)


def test_the_command_plays_counts_and_draws(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "modes.png"
    assert count_modes.main(["vanilla", "wgan", "--steps", "5", "--out", str(out)]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert [row.split(" | ")[0] for row in rows] == ["| objective", "|---|---|---|---|---|---|", "| vanilla", "| wgan"]
    assert "of 8" in rows[2]
    assert "of 25" in rows[2]
    assert images.read(out).shape[1] > 2 * count_modes.SIDE
    assert count_modes.main(["nonsense"]) == 2
    assert "no objective 'nonsense'; there are minimax" in capsys.readouterr().err


@pytest.mark.parametrize("name", count_modes.GAMES)
def test_every_objective_plays_on_points(name: str) -> None:
    found = count_modes.play(count_modes.GAMES[name], count_modes.ring(), steps=6, seed=0, width=4)
    assert found.samples.shape == (count_modes.SAMPLES, 2)
    assert found.samples.isfinite().all()


@pytest.mark.slow
def test_the_relativistic_game_of_both_penalties_finds_the_whole_ring() -> None:
    found = count_modes.play(count_modes.GAMES["R3GAN"], count_modes.ring(), steps=5000, seed=0)
    assert found.modes == 8
    assert found.good > 0.6

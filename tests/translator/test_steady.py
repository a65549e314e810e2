import dataclasses
from itertools import pairwise

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from i2i.data import day2night
from i2i.networks.settings import ResNet, UNet
from i2i.translator import Card, Translator
from i2i.translator.scenes import Scenes

CARD = Card(architecture=ResNet(width=8, blocks=2), in_channels=3, out_channels=3)


def street(seed: int = 7, size: int = 64) -> np.ndarray:
    return day2night.draw(seed, (size, size))[0]


def drive_through(count: int = 24, noise: float = 2.0) -> tuple[list[np.ndarray], np.ndarray]:
    """A still street with a sensor's noise and a van, float32; and where nothing moves."""
    draw = np.random.default_rng(0)
    picture = street()
    still = np.ones(picture.shape[:2], bool)
    still[40:] = False
    frames = []
    for index in range(count):
        frame = picture.copy()
        cv2.rectangle(frame, (3 * index - 12, 52), (3 * index, 58), (250, 250, 240), -1)
        frame = np.clip(np.rint(frame + draw.normal(0, noise, frame.shape)), 0, 255)
        frames.append(frame.astype(np.float32) / np.float32(255))
    return frames, still


def flicker(frames: list[np.ndarray], where: np.ndarray) -> float:
    return 255 * float(np.mean([np.abs(a - b)[where].mean() for a, b in pairwise(frames)]))


def translator(card: Card = CARD, **options: object) -> Translator:
    torch.manual_seed(0)
    network = card.architecture.build(3, 3, (64, 64))
    with torch.no_grad():
        for weights in network.parameters():
            weights.mul_(5)  # as far from its start as a trained network is
    return Translator(network, card, device="cpu", precision="fp32", **options)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("architecture", "norm_mode"),
    [
        (ResNet(width=8, blocks=2), None),
        (UNet(width=8, depth=4, norm="instance"), None),
        (UNet(width=8, depth=4), "picture"),
    ],
)
def test_a_still_street_flickers_less(architecture, norm_mode):
    frames, still = drive_through(noise=0)
    card = dataclasses.replace(CARD, architecture=architecture)
    own = flicker(translator(card, norm_mode=norm_mode)(frames), still)
    shared = flicker(translator(card, norm_mode=norm_mode, steady=True)(frames), still)
    print(f"flicker of 255: input {flicker(frames, still):.3f}, own {own:.3f}, shared {shared:.3f}")
    assert 0 < shared < 0.8 * own


def test_noise_alone_is_passed_on_and_no_more():
    frames, still = drive_through()
    own, shared = (flicker(translator(steady=steady)(frames), still) for steady in (False, True))
    assert shared < own


def test_frames_are_the_same_one_by_one_and_from_call_to_call():
    frames = [frame[:48, :40] for frame in drive_through(7)[0]]
    wanted = translator(steady=True, batch_size=8)(frames)
    alone = translator(steady=True, batch_size=2)
    results = [*alone(frames[:3]), *(alone(frame) for frame in frames[3:])]
    assert np.abs(np.array(results) - np.array(wanted)).max() < 1e-4


def test_a_cut_begins_anew_and_so_does_another_size_and_another_sequence():
    plain, steady = translator(), translator(steady=True)
    first, other = street(7), street(11)
    steady([first] * 4)
    assert np.abs(steady(other).astype(int) - plain(other)).max() <= 1
    small = np.ascontiguousarray(other[:48])
    assert np.abs(steady(small).astype(int) - plain(small)).max() <= 1
    dimmed = (small * 0.95).astype(np.uint8)  # no cut
    followed = steady(dimmed).astype(int)
    steady.new_sequence()
    begun = steady(dimmed).astype(int)
    assert np.abs(begun - plain(dimmed)).max() <= 1
    assert np.abs(begun - followed).max() > 1


def test_in_strips_frames_share_statistics_too():
    frames = drive_through(5)[0]
    whole = translator(steady=True, tile=0)(frames)
    strips = translator(steady=True, tile=16)(frames)
    assert np.abs(np.array(strips) - np.array(whole)).max() < 1e-3


def test_memory_that_runs_out_in_between_changes_nothing():
    frames = drive_through(6)[0]
    wanted = translator(steady=True)(frames)

    class Short(nn.Module):
        multiple = 8

        def __init__(self, network: nn.Module) -> None:
            super().__init__()
            self.network = network

        def forward(self, x: Tensor) -> Tensor:
            made = self.network(x)
            if len(x) > 1:
                raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
            return made

    short = Translator(Short(translator().network), CARD, device="cpu", precision="fp32", steady=True)
    assert np.abs(np.array(short(frames)) - np.array(wanted)).max() < 1e-4


def test_scenes_are_told_from_pans_and_noise():
    streets = [street(seed) for seed in range(5)]
    scenes = Scenes()
    assert scenes.begins(streets) == [True] * 5
    pan = [np.ascontiguousarray(street(3, 128)[:, at : at + 96]) for at in range(0, 30, 3)]
    assert Scenes().begins(pan) == [True] + [False] * 9
    assert Scenes().begins(drive_through(6, noise=8)[0]) == [True] + [False] * 5
    assert Scenes().begins([streets[0][:, :, :1], streets[0][:, :, :1]]) == [True, False]


def test_a_translator_says_whether_frames_matter():
    fixed = dataclasses.replace(CARD, architecture=UNet(width=2, depth=4))
    assert translator(steady=True).frames_matter
    assert not translator().frames_matter
    assert translator(fixed, steady=True).steady
    assert not translator(fixed, steady=True).frames_matter

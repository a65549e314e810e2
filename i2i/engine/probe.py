"""Signs of a game's health that need pictures: a look at a few of them every some hundred rounds, outside training."""

import math

import torch
from torch import Tensor
from torch.nn import functional

from i2i.game import View, patches

_FLAT = 0.02
"""Standard deviation along a border, of a range of 2, below which nobody drew it."""


@torch.inference_mode()
def look(held_out: View, trained_on: View | None = None, *, judged: bool = True) -> dict[str, float]:
    """Signs of one direction on held-out pictures, and on training pictures for comparison.

    diversity: mean distance between two outputs by that between two reals; 0 is one picture for every input.
    change: mean distance from input to output by that from input to (any of) the reals; 0 is a copy.
    correlation: of luminance between input and output; expected: the same between input and real.
    checkerboard: share of the outputs' energy at periods of 2 and 4 pixels by that of the reals.
    border, grid: how flat the reals' borders are and how strong their 8 x 8 grid; `... made` of the outputs and
    `... source` of the inputs. border read: share of the gap between D's scores on real and fake that closes when the
    fakes get the reals' borders; 0 where the reals' are not flat.
    held-out, trained-on: how often D scores a real patch above the middle between training reals and fakes.
    With `judged` false D is left out. Waits for the device.
    """
    real, source = held_out.real.float(), held_out.source
    made = held_out.make().float()
    found: dict[str, Tensor] = {"checkerboard": _periodic(made) / _periodic(real).clamp_min(1e-9)}
    if len(real) > 1:
        found["diversity"] = apart(made) / apart(real).clamp_min(1e-9)
    marks = {"": real, " made": made}
    if source is not None:
        marks[" source"] = source.float()
        found |= _kept(marks[" source"], made, real, held_out.paired)
    for name, pictures in marks.items():
        found |= {f"border{name}": _flat_borders(pictures), f"grid{name}": _grid(pictures)}
    if judged:
        found |= _judged(held_out, made, trained_on)
    return dict(zip(found, torch.stack([value.float() for value in found.values()]).tolist(), strict=True))


def _kept(source: Tensor, made: Tensor, real: Tensor, paired: bool) -> dict[str, Tensor]:
    """What of the input is kept."""
    before, after, wanted = (_luminance(pictures) for pictures in (source, made, real))
    if source.shape[1] != made.shape[1]:
        source, made, real = before, after, wanted
    if paired:
        usual, expected = (source - real).abs().mean(), _correlation(before, wanted).mean()
    else:
        usual = torch.stack([(one - real).abs().mean() for one in source]).mean()
        # What the pictures have in common, such as a bright sky; nothing else is known without pairs.
        expected = _correlation(before.mean(0, keepdim=True), wanted.mean(0, keepdim=True)).mean()
    return {
        "change": (made - source).abs().mean() / usual.clamp_min(1e-9),
        "correlation": _correlation(before, after).mean(),
        "expected": expected,
    }


def _judged(held_out: View, made: Tensor, trained_on: View | None) -> dict[str, Tensor]:
    """What D says."""
    real = held_out.real
    on_fake, on_held = patches(held_out.score(made)).float(), patches(held_out.score(real)).float()
    on_train = on_held if trained_on is None else patches(trained_on.score(trained_on.real)).float()
    middle = (on_train.mean() + on_fake.mean()) / 2
    found = {"held-out": (on_held > middle).float().mean(), "fake": (on_fake < middle).float().mean()}
    if trained_on is not None:
        found["trained-on"] = (on_train > middle).float().mean()
    gap = (on_held.mean() - on_fake.mean()).clamp_min(1e-6)
    # One more pass, where it can say anything.
    found["border read"] = torch.zeros_like(gap)
    if float(_flat_borders(real)) > 0.25:
        on_framed = patches(held_out.score(_with_border_of(made, real))).float()
        found["border read"] = (on_framed.mean() - on_fake.mean()) / gap
    return found


def apart(pictures: Tensor) -> Tensor:
    """Mean absolute difference between two of them, over all pairs, exactly and however many.

    Between the sorted values of a pixel lie gaps; the k-th is a part of the difference of k (N - k) pairs.
    Shape: (N, ...) floating point, N of 2 or more -> a number.
    """
    count = len(pictures)
    gaps = pictures.sort(0).values.diff(dim=0).flatten(1).mean(1)
    below = torch.arange(1, count, device=pictures.device)
    return (gaps * (below * (count - below))).sum() / (count * (count - 1) / 2)


def _luminance(pictures: Tensor) -> Tensor:
    if pictures.shape[1] != 3:
        return pictures.mean(1, keepdim=True)
    return (pictures * pictures.new_tensor([0.299, 0.587, 0.114])[:, None, None]).sum(1, keepdim=True)


def _correlation(one: Tensor, two: Tensor) -> Tensor:
    """Of each picture with its partner; 0 where one of them is flat. Shape: (N, 1, H, W) twice -> (N,)."""
    one, two = (side.flatten(1) - side.flatten(1).mean(1, keepdim=True) for side in (one, two))
    return (one * two).sum(1) / (one.norm(dim=1) * two.norm(dim=1)).clamp_min(1e-6)


def _periodic(pictures: Tensor) -> Tensor:
    """Share of the energy at the harmonics of a stride of 2 and 4, where transposed convolutions leave their mark."""
    grey = _luminance(pictures)[:, 0]
    height, width = grey.shape[1:]
    power = torch.fft.rfft2(grey - grey.mean((1, 2), keepdim=True)).abs().square().mean(0)
    lines = torch.zeros_like(power, dtype=torch.bool)
    lines[[height // 4, height // 2, height - height // 4]] = True
    lines[:, [width // 4, width // 2]] = True
    return power[lines].sum() / power.sum().clamp_min(1e-9)


def _flat_borders(pictures: Tensor) -> Tensor:
    """Share of the sides of the pictures that end in a strip of one colour, two pixels wide."""
    strips = (pictures[..., :2, :], pictures[..., -2:, :], pictures[..., :2], pictures[..., -2:])
    return torch.stack([(strip.flatten(2).std(2) < _FLAT).all(1).float().mean() for strip in strips]).mean()


def _grid(pictures: Tensor) -> Tensor:
    """How much less fine detail 8 x 8 blocks hold where JPEG would have cut them than elsewhere, wherever it began.

    JPEG rounds the high frequencies of a block to nothing: cut along its own grid a block has none, cut elsewhere it
    has the edges between blocks. Energy at the median of the 64 ways to cut by that at the best one; about 1 without a
    grid, more where few blocks make it a matter of chance. The median of the pictures.
    """
    grey = _luminance(pictures)
    energy = functional.conv2d(grey, _high_frequencies().to(grey)).square().sum(1)
    cuts = torch.stack([energy[:, y::8, x::8].mean((1, 2)) for y in range(8) for x in range(8)], 1)
    median = cuts.sort(1).values[:, 31]  # torch's own of an axis has no deterministic form on a GPU
    # What rounding to bytes leaves of nothing.
    return ((median + _ROUNDING) / (cuts.amin(1) + _ROUNDING)).median()


_ROUNDING = 28 * (2 / 255) ** 2 / 12


def _high_frequencies() -> Tensor:
    """The 28 waves of an 8 x 8 cosine transform whose frequencies add up to 8 or more. Shape: (28, 1, 8, 8)."""
    at = torch.arange(8)
    waves = torch.cos(math.pi / 8 * (at + 0.5) * at[:, None]) * 0.5
    waves[0] /= 2**0.5
    kept = [torch.outer(waves[u], waves[v]) for u in range(8) for v in range(8) if u + v >= 8]
    return torch.stack(kept)[:, None]


def _with_border_of(pictures: Tensor, other: Tensor) -> Tensor:
    """The pictures, framed by the outer sixteenth of others."""
    height, width = pictures.shape[-2:]
    rows, columns = max(2, height // 16), max(2, width // 16)
    framed = other.to(pictures.dtype).clone()
    framed[..., rows:-rows, columns:-columns] = pictures[..., rows:-rows, columns:-columns]
    return framed

"""What the own features' network learns from: crops of real pictures, and what was done to spoil some of them."""

import torch
from torch import Generator, Tensor
from torch.nn import functional

DAMAGES = ("none", "blurred", "noisy", "dark", "shuffled", "warped", "gridded", "tinted")
"""What a picture can be told to have suffered, in the order of the classes."""


def crops(pictures: Tensor, side: int, least: float, draw: Generator) -> Tensor:
    """Squares of `least` to all of the area, half of them mirrored. Shape: (N, 3, H, W) -> (N, 3, side, side)."""
    count = len(pictures)
    size = (least + (1 - least) * torch.rand(count, generator=draw)).sqrt()
    mirrored = torch.where(torch.rand(count, generator=draw) < 0.5, -1.0, 1.0)
    x, y = ((2 * torch.rand(count, generator=draw) - 1) * (1 - size) for _ in range(2))
    nothing = torch.zeros(count)
    rows = torch.stack([size * mirrored, nothing, x, nothing, size, y], 1)
    grid = functional.affine_grid(rows.reshape(count, 2, 3), [count, 3, side, side], align_corners=False)
    return functional.grid_sample(pictures, grid, padding_mode="reflection", align_corners=False)


def damaged(pictures: Tensor, draw: Generator) -> tuple[Tensor, Tensor]:
    """Each picture with one of DAMAGES, of a drawn strength. Shape: (N, 3, S, S) -> the same, (N,) classes."""
    classes = torch.randint(len(DAMAGES), (len(pictures),), generator=draw)
    spoilt = [_damaged(one, DAMAGES[which], draw) for one, which in zip(pictures, classes.tolist(), strict=True)]
    return torch.stack(spoilt).clamp(-1, 1), classes


def _damaged(picture: Tensor, damage: str, draw: Generator) -> Tensor:
    """Shape: (3, S, S) in [-1, 1] -> the same, perhaps beyond."""
    strength = float(torch.rand((), generator=draw))
    side = picture.shape[-1]
    match damage:
        case "blurred":
            small = round(side * (0.75 - 0.45 * strength))
            less = functional.interpolate(picture[None], (small, small), mode="bilinear", antialias=True)
            return functional.interpolate(less, (side, side), mode="bilinear")[0]
        case "noisy":
            return picture + torch.randn(picture.shape, generator=draw) * (0.04 + 0.3 * strength)
        case "dark":
            return (picture + 1) * (0.85 - 0.5 * strength) - 1
        case "shuffled":
            return _shuffled(picture, 2 if strength < 0.5 else 4, draw)
        case "warped":
            return _warped(picture, 0.04 + 0.08 * strength, draw)
        case "gridded":
            places = torch.arange(side)
            return picture + ((places[:, None] + places) % 2 * 2 - 1) * (0.03 + 0.1 * strength)
        case "tinted":
            gain, offset = (torch.rand(3, 1, 1, generator=draw) for _ in range(2))
            return picture * (0.6 + 0.8 * gain) + 0.4 * (offset - 0.5)
        case _:
            return picture


def _shuffled(picture: Tensor, tiles: int, draw: Generator) -> Tensor:
    side = picture.shape[-1] // tiles
    parts = picture.unfold(1, side, side).unfold(2, side, side).flatten(1, 2)
    parts = parts[:, torch.randperm(tiles**2, generator=draw)].unflatten(1, (tiles, tiles))
    return parts.permute(0, 1, 3, 2, 4).flatten(3, 4).flatten(1, 2)


def _warped(picture: Tensor, amount: float, draw: Generator) -> Tensor:
    """Moved by a smooth field; `amount` is its deviation by half a side."""
    size = [1, 3, *picture.shape[1:]]
    still = functional.affine_grid(torch.eye(2, 3)[None], size, align_corners=False)
    field = functional.interpolate(torch.randn(1, 2, 6, 6, generator=draw), size[2:], mode="bicubic")
    grid = still + amount * field.permute(0, 2, 3, 1)
    return functional.grid_sample(picture[None], grid, padding_mode="reflection", align_corners=False)[0]

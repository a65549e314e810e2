"""The small network that is trained on the user's own real pictures, and its training.

Three tasks at once, for which nobody has to label anything: to know a picture again among others by another crop of
it (SimCLR's contrast, Chen et al. 2020, arXiv 2002.05709), to tell what was done to spoil a crop, and to tell the two
domains apart. The first alone is blind to blur and noise, the second to colours and to few different pictures, and both
without the third find the other domain nearer than a blur.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from i2i.evaluation.own_views import DAMAGES, crops, damaged

SIDE = 64
WIDTHS = (24, 48, 96, 128)
STEPS = 400
BATCH = 32
_RATE = 2e-3
_TEMPERATURE = 0.2
_CROP_CONTRAST, _CROP_DAMAGE = 0.3, 0.5
_WEIGHT_CONTRAST = 0.5
_ALONE = -1e9


class OwnNetwork(nn.Module):
    """Four scales of two convolutions, pooled. Shape: (N, 3, 64, 64) in [-1, 1] -> (N, 128) of length 1."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 3
        for width in WIDTHS:
            for channels, stride in ((before, 2), (width, 1)):
                layers += [nn.Conv2d(channels, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
            before = width
        self.layers = nn.Sequential(*layers)

    def pooled(self, x: Tensor) -> Tensor:
        """What the tasks see, of any length. Shape: (N, 128)."""
        return self.layers(x).mean((2, 3))

    def forward(self, x: Tensor) -> Tensor:
        # What is far from all real pictures would otherwise have a length beyond all, and a cubic kernel of it.
        return functional.normalize(self.pooled(x), dim=1)


class Tasks(nn.Module):
    """A network and what is asked of it while it learns."""

    def __init__(self, network: OwnNetwork) -> None:
        super().__init__()
        self.network = network
        self.known = nn.Sequential(nn.Linear(WIDTHS[-1], 128), nn.ReLU(), nn.Linear(128, 64))
        self.domain, self.damage = nn.Linear(WIDTHS[-1], 2), nn.Linear(WIDTHS[-1], len(DAMAGES))

    def forward(self, pictures: Tensor, domains: Tensor, draw: torch.Generator) -> dict[str, Tensor]:
        """What to make small, by task. Shape: as for `train`, a batch of them."""
        one, two = (crops(pictures, SIDE, _CROP_CONTRAST, draw) for _ in range(2))
        spoilt, classes = damaged(crops(pictures, SIDE, _CROP_DAMAGE, draw), draw)
        points = self.network.pooled(torch.cat([one, two]))
        return {
            "known": _WEIGHT_CONTRAST * contrast(self.known(points)),
            "domain": functional.cross_entropy(self.domain(points), domains.repeat(2)),
            "damage": functional.cross_entropy(self.damage(self.network.pooled(spoilt)), classes),
        }


def train(
    pictures: Tensor,
    domains: Tensor,
    seed: int,
    steps: int = STEPS,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> OwnNetwork:
    """Learn from real pictures; the same seed gives the same network on the same machine and number of threads.

    `on_progress` hears of the steps done and all. Shape: (N, 3, H, W) float32 in [-1, 1], somewhat larger than SIDE;
    (N,) int64, 0 or 1.
    """
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(seed)
        draw = torch.Generator().manual_seed(seed)
        network = OwnNetwork().train().to(memory_format=torch.channels_last)
        tasks = Tasks(network)
        optimizer = torch.optim.AdamW(tasks.parameters(), _RATE, weight_decay=1e-3)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, total_steps=steps)
        for done in range(steps):
            # A batch without a picture twice, or the contrast would tell it from itself.
            chosen = torch.randperm(len(pictures), generator=draw)[:BATCH]
            optimizer.zero_grad()
            torch.stack(list(tasks(pictures[chosen], domains[chosen], draw).values())).sum().backward()
            optimizer.step()
            schedule.step()
            on_progress(done + 1, steps)
    return network.eval().to(memory_format=torch.contiguous_format)


def contrast(points: Tensor) -> Tensor:
    """NT-Xent: the first half and the second are the same pictures in the same order. Shape: (2 N, D) -> a number."""
    points = functional.normalize(points, dim=1)
    likeness = points @ points.T / _TEMPERATURE
    likeness = likeness.masked_fill(torch.eye(len(points), dtype=torch.bool), _ALONE)
    partner = torch.arange(len(points)).roll(len(points) // 2)
    return functional.cross_entropy(likeness, partner)

"""Features of a small network that learns from the user's own real pictures, in a minute or two on a CPU.

Random filters see no layout and nothing of what a picture shows; this network sees what tells the user's pictures
apart, at 64 pixels. It has learnt from the training pictures of both domains, never from the split that is scored.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from i2i import images
from i2i.data.listing import spread
from i2i.errors import DatasetError, ModelFileError, PictureError
from i2i.evaluation.features import fitted
from i2i.evaluation.own_network import BATCH, SIDE, STEPS, WIDTHS, OwnNetwork, train
from i2i.evaluation.own_views import DAMAGES
from i2i.evaluation.scores import Array
from i2i.evaluation.sides import Picture
from i2i.files import write_safetensors

LEAST = 20
"""Training pictures of either domain, below which nothing is learnt from them."""
MOST = 1000
"""Training pictures of either domain, evenly from all of them."""
_KEPT = 80
"""Side at which training pictures are kept: a crop of two thirds of the area has all of SIDE's detail."""
_SEED = 0
_VERSION = 1
_TOGETHER = 64

OnProgress = Callable[[int, int], None]


class OwnFeatures:
    """A trained network's features, whitened by what they are on the training pictures; always on the CPU."""

    def __init__(self, network: OwnNetwork, mean: Tensor, whitening: Tensor) -> None:
        """Shape: (D,) and (D, D) float64."""
        self.side = SIDE
        self.name = f"own{SIDE}"
        self.dimension = WIDTHS[-1]
        self.network, self.mean, self.whitening = network.eval(), mean, whitening
        digest = hashlib.sha256(self.name.encode())
        for name, tensor in sorted(self.tensors.items()):
            digest.update(name.encode() + tensor.numpy().tobytes())
        self.hash = digest.hexdigest()

    @property
    def tensors(self) -> dict[str, Tensor]:
        """All that a file has to keep of them."""
        return {**self.network.state_dict(), "mean": self.mean, "whitening": self.whitening}

    def __call__(self, pictures: Tensor) -> Tensor:
        """Shape: (N, 1 or 3, H, W), uint8 or floating point in [-1, 1], on any device -> (N, D) float32 on the CPU."""
        return ((pooled(self.network, pictures) - self.mean) @ self.whitening).float()


@torch.inference_mode()
def pooled(network: OwnNetwork, pictures: Tensor) -> Tensor:
    """What a network says, as it is. Shape: (N, 1 or 3, H, W) -> (N, D) float64."""
    found = [network(fitted(some, SIDE)).double() for some in pictures.split(_TOGETHER) if len(some)]
    return torch.cat([torch.zeros(0, WIDTHS[-1], dtype=torch.float64), *found])


def own_features(
    sides: tuple[Sequence[Picture], Sequence[Picture]],
    cache: Path | None = None,
    on_progress: OnProgress = lambda done, total: None,
    steps: int = STEPS,
) -> OwnFeatures:
    """Features from `cache`, or trained on the pictures of both domains and kept there.

    `on_progress` hears of the steps of training. Raises DatasetError for fewer than LEAST pictures of a domain,
    ModelFileError over a cache of other pictures or settings.
    """
    pictures, first = _read(sides)
    checksum = _checksum(pictures, first, steps)
    if cache is not None and cache.is_file():
        return _cached(cache, checksum)
    values = images.to_network(pictures)
    domains = (torch.arange(len(values)) >= first).long()
    network = train(values, domains, _SEED, steps, on_progress)
    found = OwnFeatures(network, *_calibrated(pooled(network, values)))
    if cache is not None:
        try:
            cache.parent.mkdir(parents=True, exist_ok=True)
            write_safetensors(found.tensors, {"checksum": checksum, "features": found.name}, cache)
        except OSError as error:
            reason = error.strerror or str(error)
            raise ModelFileError(f"{cache}: cannot be written ({reason}). Give another --features-cache.") from None
    return found


def _read(sides: tuple[Sequence[Picture], Sequence[Picture]]) -> tuple[Array, int]:
    """Training pictures at the size kept, and how many of them are the first domain's; what cannot be read is left out.

    Shape: (N, 80, 80, 3) uint8.
    """
    found: list[Array] = []
    before = 0
    for name, side in zip("AB", sides, strict=True):
        before = len(found)
        for picture in spread(side, MOST):
            try:
                pixels = images.to_depth(images.with_channels(picture.read(), 3), np.uint8)
            except (PictureError, DatasetError):
                continue
            found.append(images.resize(pixels, (_KEPT, _KEPT)))
        if len(found) - before < LEAST:
            raise DatasetError(
                f"{len(found) - before} training pictures of {name} could be read, too few to learn features from, "
                f"which need {LEAST} of each. Add pictures, or say --features random."
            )
    return np.stack(found), before


def _calibrated(points: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and a whitening with a ridge of the mean eigenvalue, as for the random features."""
    mean = points.mean(0)
    # A channel that is dead on all real pictures stays small where it wakes.
    deviation = points.std(0) + points.std(0).mean() / 10
    values, vectors = torch.linalg.eigh(((points - mean) / deviation).T.cov())
    scale = 1 / (values.clamp_min(0) + values.mean()).sqrt()
    return mean, (vectors * scale) @ vectors.T / deviation[:, None]


def _checksum(pictures: Array, first: int, steps: int) -> str:
    """Of the settings and of the training pictures as they are seen."""
    settings = [_VERSION, SIDE, WIDTHS, steps, BATCH, DAMAGES, _SEED, first, pictures.shape]
    digest = hashlib.sha256(json.dumps(settings).encode())
    digest.update(pictures.tobytes())
    return digest.hexdigest()


def _cached(cache: Path, checksum: str) -> OwnFeatures:
    try:
        with safe_open(cache, "pt") as file:
            if (file.metadata() or {}).get("checksum") != checksum:
                raise ModelFileError(
                    f"{cache}: holds features of other training pictures or settings, or something else. Give another "
                    f"--features-cache, or remove it."
                )
            names = file.keys()
            tensors = {name: file.get_tensor(name) for name in names}
    except (OSError, SafetensorError) as error:
        raise ModelFileError(f"{cache}: cannot be read ({error}). Give another --features-cache.") from None
    mean, whitening = tensors.pop("mean"), tensors.pop("whitening")
    network = OwnNetwork()
    network.load_state_dict(tensors)
    return OwnFeatures(network, mean, whitening)

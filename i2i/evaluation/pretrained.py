"""Features of networks whose weights the user has on disk: Inception-v3, DINO's and ResNet-50; nothing is downloaded.

Pictures are brought to a network's size as Parmar et al. 2022 (arXiv 2104.11222) advise, bicubic with antialiasing and
without rounding, whatever the network was used with first: numbers are near clean-fid's, not the first FID's.
"""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from i2i.evaluation.features import fitted

State = Mapping[str, Tensor]
_TOGETHER = 16
_INCEPTION = 299
_RESNET = 224


@dataclass(frozen=True, slots=True)
class Network:
    """A network without the classes it was trained for, and how it wants its pictures."""

    body: nn.Module
    """(N, 3, side, side) -> (N, D)."""
    dimension: int
    side: int
    scale: tuple[float, ...]
    """By which the three channels in [-1, 1] are multiplied, and what is then added."""
    offset: tuple[float, ...]
    classes: nn.Linear | None = None
    """From what `body` gives to the logits of classes, where the Inception score is taken of these."""


class PretrainedFeatures:
    """A network's features, in float32 on any device; named by network, size and the SHA-256 of its file."""

    def __init__(self, kind: str, network: Network, hash: str, device: torch.device) -> None:
        self.side = network.side
        self.name = f"{kind}{network.side}-{hash[:8]}"
        self.hash = hash
        self.dimension = network.dimension
        self._device = device
        self._body = network.body.to(device).eval().requires_grad_(False)
        self._scale, self._offset = (
            torch.tensor(part, device=device).reshape(1, 3, 1, 1) for part in (network.scale, network.offset)
        )

    @torch.inference_mode()
    def __call__(self, pictures: Tensor) -> Tensor:
        """Shape: (N, 1 or 3, H, W), uint8 or floating point in [-1, 1], on any device -> (N, D) float32 on the CPU."""
        # The tensor cores' 10 bits would be other features on other devices.
        with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            found = [self._body(self._seen(some)).float().cpu() for some in pictures.split(_TOGETHER) if len(some)]
        return torch.cat([torch.zeros(0, self.dimension), *found])

    def _seen(self, pictures: Tensor) -> Tensor:
        return fitted(pictures, self.side).to(self._device) * self._scale + self._offset


class ClassifierFeatures(PretrainedFeatures):
    """Those of a network whose classes the Inception score is taken of."""

    def __init__(self, kind: str, network: Network, hash: str, device: torch.device) -> None:
        super().__init__(kind, network, hash, device)
        assert network.classes is not None
        self._classes = network.classes.eval().requires_grad_(False)

    @torch.inference_mode()
    def probabilities(self, pictures: Tensor) -> Tensor:
        """Shape: as for features -> (N, K) float32 on the CPU; each row has the sum 1."""
        return self._classes(self(pictures)).softmax(1)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of weights file that is understood."""

    name: str
    file: str
    """How such a file is called where it is published; behind the last -, the beginning of its SHA-256."""
    recognises: Callable[[State], bool]
    build: Callable[[State], Network]
    """Raises KeyError or RuntimeError for weights of another shape."""


def features_of(state: State, hash: str, device: torch.device) -> PretrainedFeatures | None:
    """Features of the weights in a state dict, whose file has that SHA-256; None where no kind recognises them.

    Raises KeyError or RuntimeError for weights of another shape than their names'.
    """
    for kind in KINDS:
        if kind.recognises(state):
            network = kind.build(state)
            made = ClassifierFeatures if network.classes is not None else PretrainedFeatures
            return made(kind.name, network, hash, device)
    return None


def _shape(state: State, name: str) -> tuple[int, ...]:
    return tuple(state[name].shape) if name in state else ()


def _is_inception(classes: int, state: State) -> bool:
    return "Mixed_7c.branch_pool.conv.weight" in state and _shape(state, "fc.weight")[:1] == (classes,)


def _inception(state: State) -> Network:
    from i2i.evaluation.inception import CLASSES_TENSORFLOW, inception

    count = len(state["fc.bias"])
    network = inception(count)
    network.load_state_dict(dict(state))
    classes = network.fc
    if count == CLASSES_TENSORFLOW:
        # The graph takes bytes as (x - 128) / 128; the Inception score's logits lack the bias.
        classes.bias.data.zero_()
        scale, offset = 127.5 / 128, -0.5 / 128
    else:
        scale, offset = 1.0, 0.0
    network.add_module("fc", nn.Identity())
    network.AuxLogits = None
    return Network(network, 2048, _INCEPTION, (scale,) * 3, (offset,) * 3, classes)


_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_SCALE = tuple(0.5 / deviation for deviation in _DEVIATION)
_OFFSET = tuple((0.5 - mean) / deviation for mean, deviation in zip(_MEAN, _DEVIATION, strict=True))
"""ImageNet's mean and deviation of [0, 1], for values in [-1, 1]."""


def _is_resnet(classes: bool, state: State) -> bool:
    return (
        "layer4.2.conv3.weight" in state and "layer3.6.conv1.weight" not in state and ("fc.weight" in state) == classes
    )


def _resnet(state: State) -> Network:
    from torchvision.models import resnet50

    network = resnet50(weights=None)
    network.add_module("fc", nn.Identity())
    network.load_state_dict({name: value for name, value in state.items() if not name.startswith("fc.")})
    return Network(network, 2048, _RESNET, _SCALE, _OFFSET)


def _is_transformer(version: int, state: State) -> bool:
    there = {"cls_token", "pos_embed", "patch_embed.proj.weight", "blocks.0.mlp.fc1.weight"} <= state.keys()
    return there and "register_tokens" not in state and ("blocks.0.ls1.gamma" in state) == (version == 2)


def _transformer(state: State) -> Network:
    from i2i.evaluation.vision_transformer import SIDE, vision_transformer

    return Network(vision_transformer(state), len(state["patch_embed.proj.weight"]), SIDE, _SCALE, _OFFSET)


def _kind(name: str, file: str, recognises: Callable[..., bool], which: int, build: Callable[[State], Network]) -> Kind:
    return Kind(name, file, functools.partial(recognises, which), build)


KINDS = (
    _kind("inception", "weights-inception-2015-12-05-6726825d.pth", _is_inception, 1008, _inception),
    _kind("inception-torchvision", "inception_v3_google-0cc3c7bd.pth", _is_inception, 1000, _inception),
    _kind("dino-resnet", "dino_resnet50_pretrain.pth", _is_resnet, False, _resnet),
    _kind("resnet", "resnet50-11ad3fa6.pth", _is_resnet, True, _resnet),
    _kind("dino-vit", "dino_deitsmall16_pretrain.pth", _is_transformer, 1, _transformer),
    _kind("dinov2-vit", "dinov2_vits14_pretrain.pth", _is_transformer, 2, _transformer),
)
"""In the order in which they are asked."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor


@pytest.fixture(scope="session")
def dino() -> Callable[..., dict[str, Tensor]]:
    """A maker of state dicts like DINO's, with random weights."""
    return _dino


def _dino(patch=16, positions=14, layer_scale=False, width=64, depth=2) -> dict[str, Tensor]:
    """A state dict like DINO's, of one head and two blocks."""
    draw = torch.Generator().manual_seed(1)

    def normal(*shape, deviation=0.2):
        return torch.randn(shape, generator=draw) * deviation

    state = {
        "cls_token": normal(1, 1, width),
        "pos_embed": normal(1, 1 + positions**2, width),
        "patch_embed.proj.weight": normal(width, 3, patch, patch),
        "patch_embed.proj.bias": normal(width),
        "norm.weight": 1 + normal(width),
        "norm.bias": normal(width),
    }
    for at in range(depth):
        for name, shape in {
            "norm1": (width,),
            "norm2": (width,),
            "attn.qkv": (3 * width, width),
            "attn.proj": (width, width),
            "mlp.fc1": (96, width),
            "mlp.fc2": (width, 96),
        }.items():
            state[f"blocks.{at}.{name}.weight"] = normal(*shape)
            state[f"blocks.{at}.{name}.bias"] = normal(shape[0])
        if layer_scale:
            state |= {f"blocks.{at}.ls{which}.gamma": 1 + normal(width) for which in (1, 2)}
    if layer_scale:
        state["mask_token"] = normal(1, width)
    return state

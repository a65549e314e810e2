"""DINO's vision transformers, of either version, as torchvision's (arXiv 2104.14294, 2304.07193)."""

from collections.abc import Mapping
from functools import partial
from math import isqrt

import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models import VisionTransformer

SIDE = 224
"""Of the pictures that they see, in pixels: 16 x 16 patches of 14 or 14 x 14 of 16."""
_HEAD = 64
"""Channels of an attention head, in all of DINO's sizes."""
_OFFSET = 0.1
"""Added to the patches of a side where positions are brought to another number of them, as in DINO's own code."""
_NAMES = {
    "norm1": "ln_1",
    "norm2": "ln_2",
    "attn.qkv.": "self_attention.in_proj_",
    "attn.proj": "self_attention.out_proj",
    "mlp.fc1": "mlp.0",
    "mlp.fc2": "mlp.3",
}


def vision_transformer(state: Mapping[str, Tensor]) -> nn.Module:
    """The network of DINO's state dict, up to the class token. Shape: (N, 3, 224, 224) -> (N, D).

    Raises KeyError or RuntimeError where the state dict is another network's.
    """
    patches = state["patch_embed.proj.weight"]
    width, patch = patches.shape[0], patches.shape[-1]
    depth = 1 + max(int(name.split(".")[1]) for name in state if name.startswith("blocks."))
    network = VisionTransformer(
        image_size=SIDE,
        patch_size=patch,
        num_layers=depth,
        num_heads=max(1, width // _HEAD),
        hidden_dim=width,
        mlp_dim=state["blocks.0.mlp.fc1.weight"].shape[0],
        norm_layer=partial(nn.LayerNorm, eps=1e-6),
    )
    network.heads = nn.Sequential()
    network.load_state_dict(_converted(state, SIDE // patch))
    return network


def _converted(state: Mapping[str, Tensor], patches: int) -> dict[str, Tensor]:
    """Under torchvision's names; the scales that DINOv2 puts on what a block adds become part of its last weights."""
    state = dict(state)
    state.pop("mask_token", None)  # for training alone
    for name in [name for name in state if name.endswith((".ls1.gamma", ".ls2.gamma"))]:
        scale, block = state.pop(name), name.rpartition(".ls")[0]
        last = f"{block}.{'attn.proj' if '.ls1.' in name else 'mlp.fc2'}"
        state[f"{last}.weight"] = state[f"{last}.weight"] * scale[:, None]
        state[f"{last}.bias"] = state[f"{last}.bias"] * scale
    found = {
        "class_token": state.pop("cls_token"),
        "conv_proj.weight": state.pop("patch_embed.proj.weight"),
        "conv_proj.bias": state.pop("patch_embed.proj.bias"),
        "encoder.pos_embedding": _positions(state.pop("pos_embed"), patches),
        "encoder.ln.weight": state.pop("norm.weight"),
        "encoder.ln.bias": state.pop("norm.bias"),
    }
    for name, value in state.items():
        short = name
        for theirs, ours in _NAMES.items():
            short = short.replace(f".{theirs}", f".{ours}")
        found[short.replace("blocks.", "encoder.layers.encoder_layer_", 1)] = value
    return found


def _positions(embedding: Tensor, patches: int) -> Tensor:
    """Shape: (1, 1 + M^2, D) -> (1, 1 + patches^2, D)."""
    own = isqrt(embedding.shape[1] - 1)
    if own == patches:
        return embedding
    grid = embedding[:, 1:].reshape(1, own, own, -1).permute(0, 3, 1, 2)
    scale = (patches + _OFFSET) / own
    grid = functional.interpolate(grid, scale_factor=(scale, scale), mode="bicubic")
    return torch.cat([embedding[:, :1], grid.permute(0, 2, 3, 1).flatten(1, 2)], 1)

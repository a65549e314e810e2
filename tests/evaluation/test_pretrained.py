"""Networks with random weights: that they compute what their papers' code does, not how good they are."""

import hashlib
from typing import Any, cast

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models import Inception3, resnet50

from i2i.evaluation.features import Classifies
from i2i.evaluation.inception import inception
from i2i.evaluation.pretrained import features_of
from i2i.evaluation.vision_transformer import vision_transformer

HASH = hashlib.sha256(b"a file").hexdigest()
CPU = torch.device("cpu")
MEAN, DEVIATION = (torch.tensor(v).reshape(1, 3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))


def bytes_of(count=2, side=40):
    return torch.randint(0, 256, (count, 3, side, side), generator=torch.Generator().manual_seed(0)).to(torch.uint8)


def by_hand(state: dict[str, Tensor], x: Tensor) -> Tensor:
    """DINO's forward, written out for one head; positions as they are."""
    width = state["cls_token"].shape[-1]
    patch = state["patch_embed.proj.weight"].shape[-1]
    x = functional.conv2d(x, state["patch_embed.proj.weight"], state["patch_embed.proj.bias"], stride=patch)
    x = torch.cat([state["cls_token"].expand(len(x), 1, width), x.flatten(2).transpose(1, 2)], 1) + state["pos_embed"]

    def linear(x, name):
        return x @ state[f"{name}.weight"].T + state[f"{name}.bias"]

    def norm(x, name):
        return functional.layer_norm(x, (width,), state[f"{name}.weight"], state[f"{name}.bias"], 1e-6)

    for at in range(2):
        block = f"blocks.{at}"
        q, k, v = linear(norm(x, f"{block}.norm1"), f"{block}.attn.qkv").split(width, 2)
        seen = (q @ k.transpose(1, 2) / width**0.5).softmax(2) @ v
        x = x + linear(seen, f"{block}.attn.proj") * state.get(f"{block}.ls1.gamma", 1)
        inner = functional.gelu(linear(norm(x, f"{block}.norm2"), f"{block}.mlp.fc1"))
        x = x + linear(inner, f"{block}.mlp.fc2") * state.get(f"{block}.ls2.gamma", 1)
    return norm(x, "norm")[:, 0]


@pytest.mark.parametrize(("patch", "positions", "layer_scale"), [(16, 14, False), (14, 16, True)])
def test_dinos_transformers_are_torchvisions(patch, positions, layer_scale, dino):
    state = dino(patch, positions, layer_scale)
    x = torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        assert torch.allclose(vision_transformer(state).eval()(x), by_hand(state, x), atol=1e-4)


def test_positions_are_brought_to_the_patches_as_dino_does(dino):
    """A ramp over 37 x 37 places is read at the centres of 16.1 of them a side, which is DINO's odd scale."""
    state = dino(14, 37, layer_scale=True)
    ramp = torch.arange(37.0).reshape(1, 37, 1, 1).expand(1, 37, 37, 64).reshape(1, -1, 64)
    state["pos_embed"] = torch.cat([torch.full((1, 1, 64), 5.0), ramp], 1)
    found = cast(Any, vision_transformer(state)).encoder.pos_embedding.detach()[0, :, 0]
    assert found[0] == 5
    centres = (torch.arange(16.0) + 0.5) * 37 / 16.1 - 0.5
    read = found[1:].reshape(16, 16)[:, 3]
    # Without antialiasing a cubic of -0.75 strays by a few hundredths; a scale of 16 would be off by 0.2 at the end.
    assert torch.allclose(read[1:15], centres[1:15], atol=0.06)


def test_fids_inception_pools_as_tensorflow_does():
    torch.manual_seed(0)
    network = inception(1008).eval()
    theirs = Inception3(num_classes=1008, aux_logits=False, transform_input=False, init_weights=False)
    assert network.state_dict().keys() == theirs.state_dict().keys()
    x = torch.rand(1, 192, 5, 5) + 1
    block = network.get_submodule("Mixed_5b")
    pool = nn.AvgPool2d(3, 1, 1, count_include_pad=False)
    wanted = block.get_submodule("branch_pool")(pool(x))
    assert torch.allclose(block(x)[:, -32:], wanted)
    assert torch.equal(block(x)[:, :64], block.get_submodule("branch1x1")(x))
    for name, channels, other in (("Mixed_7b", 1280, pool), ("Mixed_7c", 2048, nn.MaxPool2d(3, 1, 1))):
        block, x = network.get_submodule(name), torch.rand(1, channels, 5, 5)
        assert torch.allclose(block(x)[:, -192:], block.get_submodule("branch_pool")(other(x)))


@pytest.mark.slow
def test_inception_gives_its_pooled_maps_and_classes_without_a_bias():
    torch.manual_seed(0)
    network = inception(1008).eval()
    network.fc.bias.data.normal_(0, 100)
    found = features_of(network.state_dict(), HASH, CPU)
    assert isinstance(found, Classifies)
    assert (found.name, found.dimension) == (f"inception299-{HASH[:8]}", 2048)
    pictures = bytes_of(1, 299)
    network.dropout = nn.Identity()
    logits = {}
    network.fc.register_forward_hook(lambda fc, inputs, _: logits.update(pooled=inputs[0]))
    with torch.no_grad():
        network((pictures.float() - 128) / 128)
    assert torch.allclose(found(pictures), logits["pooled"], atol=1e-5)
    wanted = (logits["pooled"] @ network.fc.weight.T).softmax(1)
    assert torch.allclose(found.probabilities(pictures), wanted, atol=1e-6)
    assert found(pictures[:0]).shape == (0, 2048)


def test_resnets_are_told_apart_by_their_classes():
    network = resnet50(weights=None).eval()
    state = network.state_dict()
    found = features_of(state, HASH, CPU)
    headless = {name: value for name, value in state.items() if not name.startswith("fc.")}
    other = features_of(headless, HASH, CPU)
    assert found is not None
    assert other is not None
    assert (found.name, other.name) == (f"resnet224-{HASH[:8]}", f"dino-resnet224-{HASH[:8]}")
    network.fc = nn.Identity()
    pictures = bytes_of(1, 224)
    with torch.no_grad():
        wanted = network((pictures / 255 - MEAN) / DEVIATION)
    assert torch.allclose(other(pictures), wanted, atol=1e-4)
    assert not isinstance(other, Classifies)


def test_pictures_are_resized_as_pillow_does_without_rounding(dino):
    seen = []
    found = features_of(dino(), HASH, CPU)
    assert found is not None
    found._body.register_forward_hook(lambda body, inputs, _: seen.append(inputs[0]))
    picture = bytes_of(1, 300)
    found(picture)
    channel = Image.fromarray(picture[0, 1].numpy().astype("float32"), "F").resize((224, 224), Image.Resampling.BICUBIC)
    wanted = (torch.from_numpy(np.array(channel)).clamp(0, 255) / 255 - 0.456) / 0.224
    assert torch.allclose(seen[0][0, 1], wanted, atol=2e-3)


def test_no_kind_is_guessed(dino):
    assert features_of({"conv.weight": torch.zeros(1)}, HASH, CPU) is None
    registers = dino(14, 16, layer_scale=True) | {"register_tokens": torch.zeros(1, 4, 64)}
    assert features_of(registers, HASH, CPU) is None

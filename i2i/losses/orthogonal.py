"""Keeping the filters of a layer apart."""

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize


def orthogonality(network: nn.Module) -> Tensor:
    """Sum over layers of |W W^T * (1 - I)|^2, W a row a filter (BigGAN, Brock et al. 2019, Eq. 3 with beta = 1).

    0 where the filters of every layer are orthogonal to each other; their lengths are free. Of the weights as they
    are learnt, before a spectral norm divides them. Embeddings are left out, as the authors leave them. -> scalar
    """
    found = []
    for layer in network.modules():
        if isinstance(layer, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
            filters = _learnt(layer).transpose(0, int(isinstance(layer, nn.ConvTranspose2d))).flatten(1).float()
            with torch.autocast(filters.device.type, enabled=False):
                overlaps = filters @ filters.T
            found.append((overlaps - overlaps.diag().diag()).square().sum())
    return torch.stack(found).sum()


def _learnt(layer: nn.Module) -> Tensor:
    if parametrize.is_parametrized(layer, "weight"):
        layer = layer.get_submodule("parametrizations.weight")
        return layer.get_parameter("original")
    return layer.get_parameter("weight")

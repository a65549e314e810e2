"""Inception-v3 as FID's TensorFlow graph of 2015 has it, on torchvision's layers.

Heusel et al. 2017 (arXiv 1706.08500) took features of that graph. It differs from torchvision's network in three
places: average pools leave padding out of the mean, the last block pools by the maximum, and there are 1008 classes.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models import Inception3
from torchvision.models.inception import InceptionA, InceptionC, InceptionE

CLASSES_TENSORFLOW = 1008


def inception(classes: int) -> Inception3:
    """FID's network for its 1008 classes, torchvision's own for any other number; without weights."""
    tensorflow = classes == CLASSES_TENSORFLOW
    network = Inception3(num_classes=classes, aux_logits=not tensorflow, transform_input=False, init_weights=False)
    if tensorflow:
        for name, block in [*network.named_children()]:
            if isinstance(block, (InceptionA, InceptionC, InceptionE)):
                network.add_module(name, _Pooled(block, by_maximum=name == "Mixed_7c"))
    return network


class _Pooled(nn.Module):
    """A block of torchvision's whose pooled branch is TensorFlow's; the names of its weights stay."""

    def __init__(self, block: InceptionA | InceptionC | InceptionE, by_maximum: bool) -> None:
        super().__init__()
        for name, layer in block.named_children():
            self.add_module(name, layer)
        # Outside of the module's children, so that its weights are not there twice.
        self._branches = block._forward
        self._by_maximum = by_maximum

    def forward(self, x: Tensor) -> Tensor:
        *branches, _ = self._branches(x)
        if self._by_maximum:
            pooled = functional.max_pool2d(x, 3, stride=1, padding=1)
        else:
            pooled = functional.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)
        return torch.cat([*branches, self.get_submodule("branch_pool")(pooled)], 1)

"""How far a picture is from the one it should be."""

from torch import Tensor
from torch.nn import functional


def l1(output: Tensor, target: Tensor) -> Tensor:
    """Mean absolute difference (pix2pix, Eq. 3; CycleGAN, Eq. 2). Two tensors of one shape -> scalar."""
    return functional.l1_loss(output, target)

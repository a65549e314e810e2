"""Telling what belongs together from what does not."""

import torch
from torch import Tensor


def patch_nce(query: Tensor, keys: Tensor, temperature: float = 0.07) -> Tensor:
    """How hard it is to tell each patch's own key from those of the picture's other patches (CUT, Eq. 3 and 4).

    The cross-entropy of picking, by similarity / temperature, the key at the query's place among all keys of the same
    picture: log(S) where all look alike, nearly 0 where each resembles its own alone. The mean over a picture's
    patches, as in the authors' code (Eq. 4 sums). Keys are taken as they are: the gradient moves the query alone.
    Shape: (N, S, C) unit vectors in float32, twice -> (N,).
    """
    with torch.autocast(query.device.type, enabled=False):  # bf16 would round a logit of 14 by a twentieth
        logits = query @ keys.detach().mT / temperature
        return (logits.logsumexp(dim=2) - logits.diagonal(dim1=1, dim2=2)).mean(dim=1)

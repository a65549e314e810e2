"""The 50 past fakes that CycleGAN shows its discriminators."""

import torch
from torch import Tensor, nn


class History(nn.Module):
    """A buffer of past fakes that steadies D (CycleGAN, Sec. 4, after Shrivastava et al. 2017).

    Until it is full every picture is stored and returned. Then, picture by picture and half of the time each, a
    random stored one is returned and replaced by the new one, or the new one is returned and forgotten.
    It lives where the model lives, draws on that device and never asks the host, so a round stays asynchronous;
    its buffers are part of the checkpoint.
    Shape: (N, C, H, W) -> same.
    """

    pictures: Tensor
    count: Tensor

    def __init__(self, capacity: int, shape: tuple[int, int, int]) -> None:
        super().__init__()
        self.capacity = capacity
        self.register_buffer("pictures", torch.zeros(capacity, *shape))
        self.register_buffer("count", torch.zeros(1, dtype=torch.long))

    @torch.no_grad()
    def forward(self, fakes: Tensor) -> Tensor:
        if self.capacity == 0:
            return fakes.detach()
        returned: list[Tensor] = []
        # One at a time and in order: two pictures of a batch may meet the same slot.
        for fake in fakes.detach().to(self.pictures.dtype).split(1):
            filling = self.count < self.capacity
            swap = torch.rand(1, device=fake.device) < 0.5
            anywhere = torch.randint(self.capacity, (1,), device=fake.device)
            slot = torch.where(filling, self.count, anywhere)
            stored = self.pictures.index_select(0, slot)
            returned.append(torch.where(swap & ~filling, stored, fake))
            self.pictures.index_copy_(0, slot, torch.where(filling | swap, fake, stored))
            self.count += filling
        return torch.cat(returned)

"""Torch, until another engine that is installed would have every picture done sooner, its own start-up included.

Measured on 2 cores, 256 pixels, width 64, batches of 4 (pictures a second; torch in channels_last):

| network, precision | torch | OpenVINO | ONNX Runtime |
|---|---|---|---|
| U-Net, bf16 | 27.5 | 17.5 | - |
| U-Net, float32 | 11.6 | 15.2 | 12.8 |
| ResNet 9, bf16 | 3.7 | 3.9 | - |
| ResNet 9, float32 | 1.87 | 1.99 | 1.82 |

In bf16 no engine is worth its start-up, so torch it is, as on every GPU. In float32 (processors without bf16, 16-bit
pictures) OpenVINO gains; whether that pays depends on how many pictures are left and how long each takes, which the
second batch tells.
"""

import time
from collections.abc import Callable, Sequence

from torch import Tensor

from i2i.errors import UserError
from i2i.networks.settings import Generator
from i2i.translator.backends.backend import Backend, Engine

FASTER: dict[tuple[str, Engine], float] = {
    ("unet", "openvino"): 1.3,
    ("unet", "onnxruntime"): 1.1,
    ("resnet", "openvino"): 1.06,
}
"""Times as many pictures a second as torch, in float32."""
EXPORT_S = 12.0
"""To export a network; once, as it is kept."""
START_S = 3.5
"""To hash the weights, read the kept export of a U-Net, load the engine, compile and compare it with torch."""
PARITY = 0.002
"""How far a result may lie from torch's, of the range [-1, 1]: a quarter of an 8-bit level."""


class Auto:
    """Begins with torch; may change, once, after it has seen how long a batch takes."""

    def __init__(
        self,
        torch: Backend,
        architecture: Generator,
        *,
        engines: Sequence[Engine],
        is_kept: Callable[[], bool],
        prepare: Callable[[Engine], Backend],
        tell: Callable[[str], None],
    ) -> None:
        """`engines` are installed. `is_kept` says whether an export is there already, `prepare` starts an engine."""
        self.left = 0
        """Pictures that are to come, as far as is known."""
        speeds: dict[Engine, float] = {name: FASTER.get((architecture.kind, name), 0.0) for name in engines}
        self._best: Engine | None = max(speeds, key=lambda name: speeds[name], default=None)
        self._gain = 1 - 1 / speeds[self._best] if self._best is not None and speeds[self._best] > 1 else 0.0
        self._torch, self._is_kept, self._prepare, self._tell = torch, is_kept, prepare, tell
        self._engine: Backend | None = None
        self._decided = not self._gain
        self._batches = 0

    @property
    def name(self) -> str:
        """The engine that float32 batches go to."""
        return (self._engine or self._torch).name

    def __call__(self, batch: Tensor, half: bool) -> Tensor:
        self.left = max(0, self.left - len(batch))
        if self._engine is not None and not half:
            return self._engine(batch, half)
        started = time.perf_counter()
        result = self._torch(batch, half)
        if not half and not self._decided:
            self._batches += 1
            if self._batches > 1:  # the first one also sets things up
                self._decide(batch, result, (time.perf_counter() - started) / len(batch))
        return result

    def _decide(self, batch: Tensor, result: Tensor, seconds: float) -> None:
        saved = self.left * seconds * self._gain
        if self._best is None or saved < START_S or (saved < START_S + EXPORT_S and not self._is_kept()):
            # What is left only becomes less, unless another conversion begins.
            return
        self._decided = True
        try:
            engine = self._prepare(self._best)
            apart = float((engine(batch, False) - result.cpu()).abs().max())
        except (UserError, RuntimeError, MemoryError) as error:
            self._tell(f"Stays with torch: {error}")
            return
        if not apart <= PARITY:
            self._tell(f"Stays with torch: {self._best} differs from it by {apart:.2g}, {PARITY} at most was wanted.")
            return
        self._engine = engine
        self._tell(f"Goes on with {engine.name}, which is faster here; it differs from torch by {apart:.1g} at most.")

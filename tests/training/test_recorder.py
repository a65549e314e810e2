from types import SimpleNamespace

import pytest
import torch

from i2i.training.listener import Listener
from i2i.training.recorder import Recorder


class Heard(Listener):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


@pytest.mark.parametrize(
    ("device", "fallback", "said"), [("cuda", "operation not permitted", 1), ("cuda", None, 0), ("cpu", "no graphs", 0)]
)
def test_a_gpu_that_plays_without_a_graph_says_why_once(device, fallback, said):
    recorder, heard = Recorder.__new__(Recorder), Heard()
    recorder.trainer = SimpleNamespace(fallback=fallback, device=torch.device(device))  # type: ignore[assignment]
    recorder.tell, recorder._fallback = heard, None
    for _ in range(3):
        recorder._tell_fallback()
    reason = "Rounds are played kernel by kernel, not as one CUDA graph: operation not permitted."
    assert heard.notes == [reason] * said

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from i2i.training.listener import Listener
from i2i.training.recorder import Recorder


class Heard(Listener):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


def recorder(device: str, fallback: str | None) -> tuple[Recorder, Heard, list[dict[str, Any]]]:
    """A recorder with nothing of a run but what one line of the log needs."""
    made, heard, lines = Recorder.__new__(Recorder), Heard(), []
    made.trainer = SimpleNamespace(  # type: ignore[assignment]
        fetch_losses=lambda: {"D/gan": 1.0},
        progress=SimpleNamespace(rounds=5, images=5),
        waited=0.0,
        replayed=3,
        fallback=fallback,
        device=torch.device(device),
        learning_rate=lambda: 2e-4,
    )
    made.tell, made.log = heard, SimpleNamespace(add=lines.append)  # type: ignore[assignment]
    made._start = made._earlier = made._logged_at = made._logged_wait = 0.0
    made._logged_images, made.images_per_epoch, made._fallback = 0, 10, None
    return made, heard, lines


def test_the_log_counts_replayed_rounds():
    made, heard, lines = recorder("cuda", None)
    made.add_to_log()
    assert lines[0]["replayed"] == 3
    assert not heard.notes


@pytest.mark.parametrize(("device", "said"), [("cuda", 1), ("cpu", 0)])
def test_a_gpu_that_plays_without_a_graph_says_why_once(device, said):
    made, heard, _ = recorder(device, "operation not permitted")
    for _ in range(3):
        made.add_to_log()
    reason = "Rounds are played kernel by kernel, not as one CUDA graph: operation not permitted."
    assert heard.notes == [reason] * said

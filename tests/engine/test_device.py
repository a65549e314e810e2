import os

import pytest
import torch

from i2i.engine.device import choose_device, choose_precision, describe, deterministically
from i2i.errors import SettingsError

CPU = torch.device("cpu")


@pytest.fixture
def gpus(monkeypatch):
    """Pretend that torch finds so many GPUs."""

    def pretend(count: int) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)

    return pretend


def test_auto_takes_the_gpu_where_there_is_one(gpus):
    gpus(1)
    assert choose_device("auto").type == "cuda"
    gpus(0)
    assert choose_device("auto") == CPU


def test_auto_takes_metal_where_there_is_no_cuda(gpus, monkeypatch):
    gpus(0)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert choose_device().type == "mps"


@pytest.mark.parametrize(("name", "index"), [("cuda", None), ("cuda:0", 0), ("cuda:1", 1)])
def test_a_gpu_is_taken_by_its_number(name, index, gpus):
    gpus(2)
    assert choose_device(name) == torch.device("cuda", index) if index is not None else torch.device("cuda")


@pytest.mark.parametrize("name", ["cuda:2", "cuda:300", "cuda:99999999999999999999"])
def test_a_gpu_beyond_the_last_is_refused(name, gpus):
    gpus(2)
    with pytest.raises(SettingsError, match=rf"device {name}: there are 2 GPUs"):
        choose_device(name)


@pytest.mark.parametrize("name", ["gpu", "CUDA", "cuda:", "cuda:one", "cuda:-1", "", "cpu:0", "cuda\n"])
def test_a_name_that_is_no_device_is_refused(name):
    with pytest.raises(SettingsError, match="not a device"):
        choose_device(name)


@pytest.mark.parametrize("name", ["cuda", "cuda:0", "mps"])
def test_a_device_that_is_not_here_is_refused_with_a_way_out(name, gpus):
    gpus(0)
    with pytest.raises(SettingsError, match=rf"device {name}: .*--device (cpu|auto)"):
        choose_device(name)


def test_a_named_precision_is_taken():
    assert choose_precision("fp32", CPU) == torch.float32
    assert choose_precision("bf16", CPU) == torch.bfloat16


@pytest.mark.parametrize(("here", "chosen"), [(True, torch.bfloat16), (False, torch.float32)])
def test_auto_takes_bf16_where_the_device_has_arithmetic_for_it(here, chosen, monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": here}, raising=False)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: here)
    assert choose_precision("auto", CPU) == chosen
    assert choose_precision("auto", torch.device("cuda")) == chosen


def test_metal_computes_in_fp32():
    assert choose_precision("auto", torch.device("mps")) == torch.float32


def test_a_device_is_described_in_a_few_words():
    assert describe(CPU, torch.float32) == f"cpu, {torch.get_num_threads()} threads, fp32"
    assert describe(CPU, torch.bfloat16).endswith("bf16")


def switches():
    cudnn = torch.backends.cudnn
    return (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        cudnn.deterministic,
        cudnn.benchmark,
        torch.utils.deterministic.fill_uninitialized_memory,
        os.environ.get("CUBLAS_WORKSPACE_CONFIG"),
    )


@pytest.mark.parametrize("workspace", [None, ":0:0", ":16:8"])
def test_all_that_makes_torch_deterministic_is_switched_on_and_back(workspace, monkeypatch):
    if workspace is None:
        monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    else:
        monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", workspace)
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", True)
    before = switches()
    with deterministically(CPU):
        assert switches() == (True, False, True, False, False, ":16:8" if workspace == ":16:8" else ":4096:8")
    assert switches() == before
    with pytest.raises(ZeroDivisionError), deterministically(CPU):
        raise ZeroDivisionError
    assert switches() == before


def test_what_has_no_deterministic_form_is_one_line():
    said = "reflection_pad2d_backward_cuda does not have a deterministic implementation, but you set 'torch.use_..."
    with pytest.raises(SettingsError, match=r"^deterministic: reflection_pad2d_backward_cuda has no .*without"):  # noqa: SIM117
        with deterministically(CPU):
            raise RuntimeError(said)
    with pytest.raises(RuntimeError, match="something else"), deterministically(CPU):
        raise RuntimeError("something else")


def test_cublas_that_was_used_before_is_one_line_with_the_way_out(monkeypatch):
    def refuse(*_, **__):
        raise RuntimeError("Deterministic behavior was enabled ... CuBLAS ... CUBLAS_WORKSPACE_CONFIG=:4096:8")

    monkeypatch.setattr(torch, "ones", refuse)
    before = switches()
    with pytest.raises(SettingsError, match="Start it with CUBLAS_WORKSPACE_CONFIG=:4096:8"):  # noqa: SIM117
        with deterministically(torch.device("cuda")):
            raise AssertionError("it was not refused")
    assert switches() == before

import pytest
import torch

from i2i.engine.device import choose_device, choose_precision, describe
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

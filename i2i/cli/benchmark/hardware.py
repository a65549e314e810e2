"""`i2i benchmark hardware`: the limits."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from i2i.cli.benchmark.flags import Common, read
from i2i.cli.benchmark.tables import flops, leave, number, table

if TYPE_CHECKING:
    from i2i.benchmark.hardware import Rates


def main(args: Sequence[str]) -> int:
    """Measure, and print."""
    asked = read(
        Common(),
        args,
        "hardware",
        "The best rates that torch reaches here: of matrix products, of 3 x 3 convolutions of 256 channels at 64 x 64, "
        "forward, and of copies.\n\nExample: i2i benchmark hardware",
    )
    import torch

    from i2i.benchmark.hardware import measure_rates
    from i2i.engine.device import choose_device, choose_precision

    device = choose_device(asked.device)
    both = {torch.float32, choose_precision("auto", device)}
    rates = measure_rates(device, sorted(both, key=str, reverse=True), repeats=asked.repeats)
    leave(asked.json, "hardware", rates)
    show(rates)
    return 0


def show(rates: "Rates") -> None:
    """The rates as a table."""
    known = {
        "matrix, fp32": rates.matrix_fp32,
        "matrix, bf16": rates.matrix_bf16,
        "convolution, fp32": rates.convolution_fp32,
        "convolution, bf16": rates.convolution_bf16,
    }
    rows = [(name, flops(value)) for name, value in known.items() if value is not None]
    table(f"Limits of {rates.device}", ("", "rate"), [*rows, ("copy", f"{number(rates.copy / 1e9)} GB/s")])

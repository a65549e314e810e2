"""`i2i benchmark check`: does every recipe play here, and does fast agree with fp32."""

import sys
from collections.abc import Sequence

from i2i.cli.benchmark.flags import Common, read
from i2i.cli.benchmark.tables import leave, share, table


def main(args: Sequence[str]) -> int:
    """Play, and print; returns 1 where something is wrong."""
    asked = read(
        Common(),
        args,
        "check",
        "A few tiny rounds of every recipe, and the losses of the first beside those of fp32, op by op.\n\n"
        "Example: i2i benchmark check",
    )
    from i2i.benchmark.check import check_recipes

    found = check_recipes(device=asked.device)
    leave(asked.json, "check", found)
    rows = [
        (
            one.recipe,
            share(one.difference),
            share(one.later),
            f"{one.replayed} of {one.rounds}",
            "ok" if one.problem is None else "WRONG",
        )
        for one in found
    ]
    head = ("recipe", "first round, beside fp32 eager", "the others", "replayed from a graph", "")
    table(f"Tiny rounds, {found[0].device}", head, rows)
    wrong = [one for one in found if one.problem is not None]
    for one in wrong:
        print(f"{one.recipe}: {one.problem}.", file=sys.stderr)
    return 1 if wrong else 0

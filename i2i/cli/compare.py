"""`i2i compare`: which of two translators people prefer, blind, on a page of this machine."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from i2i.cli.parsing import Where, flag, parse, positive
from i2i.errors import SettingsError
from i2i.settings import Direction

if TYPE_CHECKING:
    from i2i.comparing import Outcome
    from i2i.translator import Translator


@dataclasses.dataclass(frozen=True, kw_only=True)
class Compare:
    """The flags of a comparison; its words are A B DATA."""

    words: Annotated[tuple[str, ...], tyro.conf.Positional, flag(metavar="A B DATA")] = ()
    """Two models, or folders of pictures that are translated already and named like their inputs; a dataset, or a
    folder of inputs."""
    count: Annotated[int, tyro.conf.arg()] = 50
    """Pairs to vote on, evenly from all of them."""
    port: Annotated[int | None, flag(metavar="INT")] = None
    """Where the page is, on this machine alone; any free one where nothing is said."""
    out: Annotated[Path, flag(metavar="FILE.jsonl")] = Path("votes.jsonl")
    """The votes, a line each (votes.jsonl); a comparison that was left is gone on with."""
    split: Annotated[Literal["test", "val", "train"], tyro.conf.arg(metavar="test|val|train")] = "test"
    """Which pictures of a dataset: training never sees test."""
    direction: Annotated[Direction | None, flag(metavar="AtoB|BtoA")] = None
    """Which way is translated, where the models do not say it; of a dataset, A is the input of AtoB."""
    seed: Annotated[int, tyro.conf.arg()] = 0
    """Of the order, and of which stands left."""
    device: Annotated[str, flag(metavar=Where)] = "auto"
    """Where to compute; auto takes the GPU where there is one."""


def main(args: Sequence[str]) -> int:
    """Show pairs until Ctrl-C, then print what the votes say."""
    asked, behind = parse(
        Compare(),
        args,
        "i2i compare",
        "Vote on pairs of translations without knowing whose they are, on a page of this machine.\n\n"
        "Example: i2i compare runs/one runs/two facades --count 40",
    )
    words = [*asked.words, *behind]
    if len(words) != 3:
        raise SettingsError(
            f"wanted two candidates and a dataset, as in: i2i compare runs/one runs/two facades; got {len(words)} of "
            f"these. See i2i compare --help"
        )
    positive("--count", asked.count)
    if asked.port is not None:
        positive("--port", asked.port)

    from i2i import comparing
    from i2i.cli.progress import Bar, Stage
    from i2i.translator import Translator

    def load(model: str) -> "Translator":
        return Translator.load(model, device=asked.device, direction=asked.direction)

    a, b, data = words
    one, two = (comparing.open_candidate(place, load=load) for place in (a, b))
    direction = comparing.one_way(one, two, asked.direction)
    inputs = comparing.sources(Path(data), asked.split, direction)
    names = [source.name for source in comparing.chosen(inputs, asked.count)]
    about = {"A": a, "B": b, "data": data, "split": asked.split, "direction": direction}
    ballot = comparing.Ballot(names, about, asked.seed, asked.out)
    with Bar("picture", "pairs") as bar:
        shown = comparing.trios(one, two, inputs, asked.count, Stage(bar))
        server = comparing.serve(ballot, shown, (a, b), file=str(asked.out), port=asked.port or 0)
    with server:
        before = f", {ballot.done} voted on before" if ballot.done else ""
        print(f"{len(ballot)} pairs{before}. Open {server.url} on this machine; Ctrl-C ends.", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()
    print(said(ballot.outcome, a, b))
    if ballot.done:
        print(f"Votes: {asked.out}")
    return 0


def said(outcome: "Outcome", a: str, b: str) -> str:
    """The votes and what they say, in a line or two."""
    if not outcome.decided + outcome.same:
        return "No votes."
    low, high = outcome.interval
    return (
        f"A {outcome.a} ({a}), B {outcome.b} ({b}), cannot tell {outcome.same}, of {outcome.pairs} pairs: "
        f"{outcome.verdict}.\nA has {outcome.share:.0%} of the decided votes, 95% interval {low:.0%} to {high:.0%}."
    )

"""Convert a collection with Ray Data: on the cores or GPUs of this machine, or of a Ray cluster.

    python tools/translate_ray.py MODEL INPUT... OUTPUT [--actors 8] [--gpus-per-actor 1] [--address auto]

The plan is that of `i2i translate`: the same names, the same refusals. Ray Data reads it, hands it out to actors that
keep the model loaded, and gives a part to another actor where one is lost; that is safe to do again, since results
appear whole or not at all. Every machine has i2i installed, and sees MODEL, INPUT and OUTPUT under the same names.

Exit code 0: all done; 1: some inputs could not be converted; 2: nothing was done.
"""

import argparse
import collections
import dataclasses
import json
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from i2i import conversion
from i2i.conversion.plan import Plan, prepare_folder
from i2i.conversion.there import remove_unfinished, what_is_there
from i2i.errors import UserError
from i2i.images import shown


class Convert:
    """The stage of the map: a Translator that stays loaded, as many of them as there are actors."""

    def __init__(self, model: str, device: str, batch_size: int, options: dict[str, Any]) -> None:
        from i2i.translator import Translator

        self.translator = Translator.load(model, device=device, batch_size=batch_size)
        self.options = options

    def __call__(self, rows: dict[str, Any]) -> dict[str, list[str]]:
        pairs = [
            (Path(os.fsdecode(source)), Path(os.fsdecode(target)))
            for source, target in zip(rows["input"], rows["output"], strict=True)
        ]
        records = conversion.convert(self.translator, pairs, **self.options)
        return {"record": [json.dumps(dataclasses.asdict(record)) for record in records]}


def main(args: Sequence[str]) -> int:
    """Plan, convert, and say what became of it."""
    asked = _parser().parse_args(args)
    try:
        import ray  # pyright: ignore[reportMissingImports]
        import ray.data  # pyright: ignore[reportMissingImports]
        from ray.exceptions import RayError  # pyright: ignore[reportMissingImports]
    except ImportError:
        return _say("Ray is not installed; get it with: pip install 'i2i-toolkit[ray]'")
    # A retried part finds what it wrote before, which is its own.
    existing = "skip" if asked.skip_existing else "overwrite"
    try:
        plan = _plan(asked)
    except UserError as error:
        return _say(str(error))
    if asked.dry_run:
        for source, target in plan:
            print(f"{shown(source)} -> {shown(target)}")
        return 0
    if not len(plan):
        print(f"0 converted, all there already: {asked.output}")
        return 0
    ray.init(address=asked.address, log_to_driver=asked.verbose, configure_logging=asked.verbose)
    ray.data.DataContext.get_current().enable_progress_bars = asked.verbose
    if not asked.verbose:
        logging.getLogger("ray").setLevel(logging.ERROR)
        logging.getLogger("ray.data").setLevel(logging.ERROR)
    options = {"half": asked.half, "existing": existing, "workers": asked.workers}
    done: collections.Counter[str] = collections.Counter()
    manifest = asked.manifest.open("a", encoding="utf-8", errors="backslashreplace") if asked.manifest else None
    try:
        found = ray.data.from_arrow(list(_tables(plan, asked.rows))).map_batches(
            Convert,
            batch_size=asked.rows,
            fn_constructor_args=(str(Path(asked.model).absolute()), asked.device, asked.batch_size, options),
            compute=ray.data.ActorPoolStrategy(size=asked.actors),
            num_gpus=asked.gpus_per_actor or None,
            num_cpus=asked.cpus_per_actor,
        )
        for row in found.iter_rows():
            record = json.loads(row["record"])
            done["failed" if record["error"] else "skipped" if record["skipped"] else "converted"] += 1
            if record["error"]:
                print(f"{shown(record['input'])}: {record['error']}", file=sys.stderr)
            if manifest is not None:
                manifest.write(row["record"] + "\n")
                manifest.flush()
    except RayError as error:
        return _say(f"{str(error).strip().splitlines()[-1]} Converted so far stays; go on with --skip-existing.", 1)
    finally:
        if manifest is not None:
            manifest.close()
        ray.shutdown()
    print(f"{done['converted']} converted, {done['skipped']} there already, {done['failed']} failed: {asked.output}")
    return 0 if not done["failed"] else 1 if done["converted"] or done["skipped"] else 2


def _plan(asked: argparse.Namespace) -> Plan:
    """What is to be converted. Raises UserError."""
    output = Path(asked.output).absolute()
    names = [conversion.read_list(sys.stdin.buffer) if one == "-" else Path(one).absolute() for one in asked.inputs]
    whole = conversion.make_plan(names, output, asked.format, asked.half)
    there = what_is_there(whole, whole, refuse=not (asked.skip_existing or asked.overwrite))
    plan = whole.only(~there) if asked.skip_existing else whole
    if len(plan) and not asked.dry_run:
        prepare_folder(output)
        remove_unfinished(plan)
    return plan


def _tables(plan: Plan, rows: int) -> Iterator[Any]:
    """The plan as tables of names, which Ray shares out. Names need not be text, so they travel as bytes."""
    import pyarrow  # pyright: ignore[reportMissingImports]

    step = max(rows, 10_000)
    for start in range(0, len(plan), step):
        pairs = list(plan.only(slice(start, start + step)).text())
        columns = [[os.fsencode(Path(pair[side]).absolute()) for pair in pairs] for side in (0, 1)]
        yield pyarrow.table(columns, names=["input", "output"])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("model", help="a run, a translator file or a reference .pth")
    parser.add_argument("inputs", nargs="+", help="files, folders, globs, or - for names on standard input")
    parser.add_argument("output", help="a folder")
    parser.add_argument("--actors", type=int, default=1, help="processes, each with a model of its own")
    parser.add_argument("--gpus-per-actor", type=float, default=0, help="0.5 puts two on a GPU")
    parser.add_argument("--cpus-per-actor", type=float, default=1)
    parser.add_argument("--rows", type=int, default=256, help="files handed out together")
    parser.add_argument("--address", help="of a Ray cluster; 'auto' is the one this machine belongs to")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--workers", type=int, default=2, help="threads that read and write, in each actor")
    parser.add_argument("--format", choices=conversion.FORMATS, default="keep")
    parser.add_argument("--half", choices=["A", "B", "whole"])
    parser.add_argument("--manifest", type=Path, help="add a line of JSON a file to this one")
    parser.add_argument("--dry-run", action="store_true")
    parser.add_argument("--verbose", action="store_true", help="let Ray tell what it does")
    either = parser.add_mutually_exclusive_group()
    either.add_argument("--skip-existing", action="store_true")
    either.add_argument("--overwrite", action="store_true")
    return parser


def _say(message: str, code: int = 2) -> int:
    print(f"translate_ray: error: {message}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

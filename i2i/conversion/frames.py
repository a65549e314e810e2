"""Pictures as the frames of sequences: each folder one, in the order of their numbers."""

import os
import re

import numpy as np

from i2i.conversion.plan import Plan
from i2i.conversion.shards import Shard
from i2i.errors import SettingsError


def in_order(plan: Plan, shard: Shard | None) -> Plan:
    """The plan with the frames of each folder in a row, frame2 before frame10. Raises SettingsError for a part."""
    if shard is not None:
        raise SettingsError(
            f"--steady --shard {shard.index}/{shard.count}: frames share statistics with those before them, and "
            f"another part has these. Give every process folders of its own, or leave one of the two away."
        )
    keys = [_key(source) for source, _ in plan.text()]
    return plan.only(np.array(sorted(range(len(keys)), key=keys.__getitem__), np.int64))


def _key(source: str) -> tuple[str, list[tuple[int, str]]]:
    """The folder, and the name as numbers (value, as written) and text (0, text) in turns."""
    folder, name = os.path.split(source)
    parts = re.split(r"(\d+)", name)
    return folder, [(int(part) if index % 2 else 0, part) for index, part in enumerate(parts)]

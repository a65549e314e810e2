"""Pictures as the frames of sequences: each folder one, in the order of their numbers."""

import numpy as np

from i2i.conversion.plan import Plan
from i2i.conversion.shards import Shard
from i2i.data.tasks.frames import natural
from i2i.errors import SettingsError


def in_order(plan: Plan, shard: Shard | None) -> Plan:
    """The plan with the frames of each folder in a row, frame2 before frame10. Raises SettingsError for a part."""
    if shard is not None:
        raise SettingsError(
            f"--steady --shard {shard.index}/{shard.count}: frames share statistics with those before them, and "
            f"another part has these. Give every process folders of its own, or leave one of the two away."
        )
    keys = [natural(source) for source, _ in plan.text()]
    return plan.only(np.array(sorted(range(len(keys)), key=keys.__getitem__), np.int64))

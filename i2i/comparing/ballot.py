"""The order in which pairs are shown, and the votes, kept in a file a line a vote."""

import json
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from i2i.comparing.binomial import exact_interval, sign_test
from i2i.errors import DatasetError

Side = Literal["left", "right"]
Choice = Literal["left", "right", "same"]
"""What a voter presses."""
CHOICES: tuple[Choice, ...] = ("left", "right", "same")
_VOTES: Mapping[str, str] = {"A": "A", "B": "B", "same": "cannot tell"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """Votes, and what they say."""

    a: int
    b: int
    same: int
    pairs: int
    """Shown and yet to be shown."""

    @property
    def decided(self) -> int:
        """Votes for one of both."""
        return self.a + self.b

    @property
    def share(self) -> float:
        """Of the decided votes those for A; a half where there are none."""
        return self.a / self.decided if self.decided else 0.5

    @property
    def interval(self) -> tuple[float, float]:
        """95% of `share`, binomial (exact)."""
        return exact_interval(self.a, self.decided)

    @property
    def chance(self) -> float:
        """Of votes so uneven or more so, if nobody preferred anything (two-sided sign test)."""
        return sign_test(self.a, self.decided)

    @property
    def verdict(self) -> str:
        """One sentence."""
        low, high = self.interval
        if low > 0.5:
            return "A is preferred"
        if high < 0.5:
            return "B is preferred"
        return "no preference can be told from so many votes"


class Ballot:
    """Pairs in a shuffled order, which candidate stands left in each, and the votes so far."""

    def __init__(self, names: Sequence[str], about: Mapping[str, object], seed: int, votes: Path) -> None:
        """`about` says what is compared: votes on something else in the same file are refused, others are gone on with.

        Raises DatasetError where the file is another comparison's, or cannot be read or written.
        """
        draw = random.Random(seed)
        self.order = draw.sample(range(len(names)), len(names))
        # As often left as right: a voter's liking for one side cancels out.
        sides: list[Side] = ["left" if at % 2 else "right" for at in range(len(names))]
        draw.shuffle(sides)
        self._a_stands: list[Side] = sides
        self._names = names
        self._file = votes
        self._header = {"comparison": {**about, "seed": seed, "pairs": len(names)}}
        self._votes: list[str] = []
        self._begun = False  # the header comes with the first vote: a call that fails leaves nothing to be in the way
        self._shown: float | None = None
        self._open()

    def __len__(self) -> int:
        return len(self.order)

    @property
    def done(self) -> int:
        """Votes given, which is also the place of the pair to be shown."""
        return len(self._votes)

    def at(self, place: int, side: Side) -> tuple[int, Literal["A", "B"]]:
        """Which picture stands there: the index of its pair, and whose it is."""
        index = self.order[place]
        return index, "A" if self._a_stands[index] == side else "B"

    def vote(self, place: int, choice: Choice) -> bool:
        """Count a vote and write it down; False where it is not this pair's turn. Raises OSError."""
        if place != self.done or place >= len(self):
            return False
        index, now = self.order[place], time.monotonic()
        vote = "same" if choice == "same" else self.at(place, choice)[1]
        line = {
            "pair": self._names[index],
            "left": self.at(place, "left")[1],
            "vote": _VOTES[vote],
            "seconds": round(now - (now if self._shown is None else self._shown), 2),
        }
        written = [line] if self._begun else [self._header, line]
        with self._file.open("a", encoding="utf-8") as file:
            file.write("".join(json.dumps(one) + "\n" for one in written))
        self._begun = True
        self._votes.append(vote)
        self._shown = now
        return True

    def look(self) -> None:
        """Somebody looks at the first pair: its seconds count from now on, those of others from the vote before."""
        if self._shown is None:
            self._shown = time.monotonic()

    @property
    def outcome(self) -> Outcome:
        """So far."""
        a, b, same = (self._votes.count(one) for one in ("A", "B", "same"))
        return Outcome(a, b, same, len(self))

    def _open(self) -> None:
        try:
            text = self._file.read_text(encoding="utf-8") if self._file.exists() else ""
            if not text:
                self._try()
                return
            # By this letter alone: names may hold others that Python takes for the end of a line.
            read = [json.loads(line) for line in text.removesuffix("\n").split("\n")]
        except OSError as error:
            reason = error.strerror or str(error)
            raise DatasetError(f"{self._file}: cannot hold the votes ({reason}). Choose another with --out.") from None
        except ValueError:
            raise DatasetError(f"{self._file}: holds no votes of i2i. Choose another with --out.") from None
        if read[0] != self._header:
            raise DatasetError(
                f"{self._file}: holds votes on something else, {json.dumps(read[0])[:300]}. Wanted is "
                f"{json.dumps(self._header)[:300]}. Choose another with --out, or remove it."
            )
        self._begun = True
        back = {said: vote for vote, said in _VOTES.items()}
        for place, line in enumerate(read[1:]):
            expected = self._names[self.order[place]] if place < len(self) else None
            if not isinstance(line, dict) or line.get("vote") not in back or line.get("pair") != expected:
                raise DatasetError(f"{self._file}: line {place + 2} is no vote of this comparison. Remove the file.")
            self._votes.append(back[line["vote"]])

    def _try(self) -> None:
        """Whether the file can be written, before anybody votes. Raises OSError."""
        there = self._file.exists()
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open("a", encoding="utf-8"):
            pass
        if not there:
            self._file.unlink()

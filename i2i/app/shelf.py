"""The models that a page offers."""

import copy
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from i2i.app.turns import SharedTranslator
from i2i.errors import ModelFileError, SettingsError
from i2i.images import shown
from i2i.settings import Direction
from i2i.translator import Detail, Fit, Precision, load_network
from i2i.translator.files import FILE

KEPT = 4
"""Models that stay in memory; the one used longest ago goes first."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A model by the name that the page shows; pages never name a path."""

    name: str
    path: Path
    directions: tuple[Direction, ...]


class Shelf:
    """Models that were named, and those of runs in a folder, which may come while the page is open."""

    def __init__(
        self,
        models: Sequence[Path],
        runs: Path | None = None,
        *,
        device: str = "auto",
        precision: Precision = "auto",
    ) -> None:
        self.runs = runs
        self.device = device
        self.precision: Precision = precision
        self._loaded: OrderedDict[tuple[object, ...], SharedTranslator] = OrderedDict()
        self._lock = threading.Lock()
        self._named = [self._offer(path) for path in models]

    def offers(self) -> list[Offer]:
        """What can be chosen now, under names of their own: those that were named first."""
        found = list(self._named)
        known = {offer.path.resolve() for offer in found}
        for run in runs_in(self.runs) if self.runs else ():
            directions = directions_of(run)
            if directions and run.resolve() not in known:
                found.append(Offer(run.name, run, directions))
        names = [offer.name for offer in found]
        return [
            offer
            if names.count(offer.name) == 1
            else Offer(f"{offer.name} ({shown(offer.path.parent)})", offer.path, offer.directions)
            for offer in found
        ]

    def watched(self) -> dict[str, Path]:
        """Runs whose training can be watched, by name: those that were named, and those of the folder."""
        named = [offer.path for offer in self._named if (offer.path / "log.jsonl").is_file()]
        inside = [run for run in (runs_in(self.runs) if self.runs else ()) if (run / "log.jsonl").is_file()]
        found: dict[str, Path] = {}
        for run in dict.fromkeys(path.resolve() for path in [*named, *inside]):
            found[shown(run.name) if shown(run.name) not in found else shown(run)] = run
        return found

    def offer(self, name: str | None) -> Offer:
        """The model of that name. Raises SettingsError where there is none."""
        offers = self.offers()
        for offer in offers:
            if offer.name == name:
                return offer
        if not offers:
            raise SettingsError("no model yet: a run has one once its first checkpoint is written.")
        raise SettingsError(f"{name}: no such model here; choose one of {', '.join(one.name for one in offers)}.")

    def open(
        self, name: str | None, direction: str | None, *, fit: Fit | None = None, detail: Detail = "none"
    ) -> SharedTranslator:
        """A translator, kept in memory with its network. Raises SettingsError or ModelFileError."""
        offer = self.offer(name)
        ways: dict[str | None, Direction] = {way: way for way in offer.directions}
        way = ways.get(direction, offer.directions[0])
        found = copy.copy(self._load(offer.path, way))  # the network is shared
        if fit is not None:
            found.fit = fit
        if detail != "none" and found.card.task.kind == "none":
            found.detail = detail
        return found

    def _load(self, path: Path, direction: Direction) -> SharedTranslator:
        with self._lock:
            key = (path, direction, _written(path))
            if key not in self._loaded:
                self._loaded[key] = SharedTranslator(
                    *load_network(path, direction),
                    device=self.device,
                    precision=self.precision,
                    batch_size=4,
                    # Another engine is exported to for many pictures: half a minute in which a page would stand still.
                    backend="auto" if path.suffix.lower() == ".onnx" else "torch",
                )
                while len(self._loaded) > KEPT:
                    self._loaded.popitem(last=False)
            self._loaded.move_to_end(key)
            return self._loaded[key]

    def _offer(self, path: Path) -> Offer:
        """A model that was named, loaded once, so that the command ends where it cannot be used."""
        directions = directions_of(path)
        if not directions:
            directions = (load_network(path)[1].direction,)
        self._load(path, directions[0])
        return Offer(path.resolve().name, path, directions)


def runs_in(folder: Path) -> list[Path]:
    """Folders of runs in a folder, by name; the folder itself where it is one."""
    if (folder / "log.jsonl").is_file() or directions_of(folder):
        return [folder]
    try:
        inside = sorted(folder.iterdir())
    except OSError:
        return []
    return [run for run in inside if (run / "log.jsonl").is_file() or directions_of(run)]


def directions_of(run: Path) -> tuple[Direction, ...]:
    """Which ways a run translates; none where it has no translator yet, or is no run."""
    if (one := run / "translator.safetensors").is_file():
        try:
            return (FILE.read_card(one).direction,)
        except ModelFileError:
            return ()
    ways: tuple[Direction, ...] = ("AtoB", "BtoA")
    return tuple(way for way in ways if (run / f"translator_{way}.safetensors").is_file())


def _written(path: Path) -> tuple[int, ...]:
    """When a model was written last: a run that goes on writes it anew."""
    files = sorted(path.glob("translator*.safetensors")) if path.is_dir() else [path]
    return tuple(file.stat().st_mtime_ns for file in files if file.is_file())

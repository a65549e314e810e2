"""From the hub into a folder of one's own."""

from pathlib import Path

from i2i import hub
from i2i.errors import SettingsError
from i2i.files import written_whole
from i2i.translator import Card, load_network


def pull(name: hub.Name, out: Path | None = None) -> tuple[Path, list[Card]]:
    """Bring a translator, both directions where there are two, and its card; the folder, and what each says of itself.

    The folder is a model as a run is, for i2i translate and the others. Raises SettingsError where `out` (the model's
    name where nothing is said) is there already, ModelFileError where there is no such model, it cannot be had, or its
    file is not sound, and OSError.
    """
    out = out if out is not None else Path(name.model)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise SettingsError(
            f"{out}: is there already, and nothing is overwritten. Give another folder behind the name."
        )
    there = hub.files_of(name)
    translators = [file for file in (hub.ONE, *hub.TWO) if file in there] or hub.wanted(name, there, None)
    place = hub.download(name, [*translators, *(file for file in there if file == hub.CARD)])
    cards = [load_network(place / file)[1] for file in translators]
    out.mkdir(parents=True, exist_ok=True)
    for file in place.iterdir():
        if file.name in there:
            with written_whole(out / file.name) as copy, file.open("rb") as original:
                while piece := original.read(1 << 20):
                    copy.write(piece)
    return out, cards

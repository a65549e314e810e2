"""The card of a translator that is shared: README.md, which the hub shows and people read before they trust a model."""

import math
import re
from collections.abc import Sequence

import yaml

from i2i.hub import Name
from i2i.report.pages import duration
from i2i.sharing.facts import Facts, Scores
from i2i.translator import Card, describe

_TITLES = {"l1": "L1 (of 255)", "psnr": "PSNR (dB)", "ssim": "SSIM"}
_SCALES = {
    "none": "of pictures as they are",
    "square": "of pictures resized to a square",
    "short": "of pictures resized by the short side",
}
_MOST_SCORES = 16
_LIMITS = """\
What it makes is invented: likely at first sight, true of nothing. It knows pictures like those it learnt from, and does
something to any other as well. Do not take a translated picture for evidence of what was there, and show it as what it
is."""


def model_card(
    name: Name, cards: Sequence[Card], facts: Facts, *, licence: str = "unknown", picture: str | None = None
) -> str:
    """Markdown, with the hub's metadata in front. `picture` is the file beside it that shows what the model does."""
    first = cards[0]
    metadata = {
        "license": licence,
        "library_name": "i2i",
        "pipeline_tag": "image-to-image",
        "tags": ["i2i", "image-to-image", "gan", *([first.recipe] if first.recipe else [])],
    }
    tables = [table for scores in facts.scores if (table := _table(scores))]
    pieces = [
        f"---\n{yaml.safe_dump(metadata, sort_keys=False)}---",
        f"# {_plain(name.model)}",
        "\n".join(f"{_plain(describe(card))}." for card in cards),
        *([f"![What it makes of pictures]({picture})"] if picture else []),
        "## Use it",
        _use(name, cards),
        "## What it learnt from",
        _learnt(first, facts),
        *(["## How good it is", *tables] if tables else []),
        "## What not to believe",
        _LIMITS,
        "## Licence",
        _licence(licence),
        *(
            ["## Settings", f"<details><summary>experiment.yaml</summary>\n\n{_fenced(facts.settings)}\n\n</details>"]
            if facts.settings
            else []
        ),
    ]
    return "\n\n".join(pieces) + "\n"


def _use(name: Name, cards: Sequence[Card]) -> str:
    model = f"hf://{name.repository}"
    way = [f" --direction {card.direction}" if len(cards) > 1 else "" for card in cards]
    return "\n".join(
        [
            "```sh",
            "pip install 'i2i-toolkit[hub]'",
            *(f"i2i translate {model} photos/ translated/{one}" for one in way),
            "```",
            "",
            "```python",
            "import i2i",
            "",
            f'translator = i2i.Translator.load("{model}")',
            'picture = translator("photo.jpg")',
            "```",
        ]
    )


def _learnt(card: Card, facts: Facts) -> str:
    rows = [
        ("pictures", _plain(facts.data)),
        ("recipe", f"{_plain(card.recipe)} of i2i {_plain(card.version)}" if card.recipe else ""),
        ("crop", f"{card.size} pixels, {_SCALES[card.resize]}"),
        ("label maps", "its source is a label map" if card.labels else ""),
        ("steps", f"{card.steps:,}"),
        ("pictures seen", f"{facts.images:,}" if facts.images else ""),
        ("training time", duration(facts.seconds) if facts.seconds else ""),
    ]
    said = "\n".join(f"| {title} | {value} |" for title, value in rows if value)
    return f"| | |\n|---|---|\n{said}"


def _table(scores: Scores) -> str:
    """A score a row, the model beside what needs no learning; nothing where there is none."""
    keys = [key for key, value in scores.rows[0][1].items() if math.isfinite(value)][:_MOST_SCORES]
    if not keys:
        return ""
    head = "| | " + " | ".join(_plain(name) for name, _ in scores.rows) + " |"
    rule = "|---|" + "---:|" * len(scores.rows)
    lines = [
        f"| {_TITLES.get(key, _plain(key))} | " + " | ".join(_number(row.get(key)) for _, row in scores.rows) + " |"
        for key in keys
    ]
    way = f"{_plain(scores.direction)}, on" if scores.direction else "On"
    count = f"{way} {scores.pictures:,} pictures of the {_plain(scores.split)} split, by `i2i evaluate`:"
    return "\n".join([count, "", head, rule, *lines])


def _licence(licence: str) -> str:
    if licence == "unknown":
        return "Not said: ask the author before you use it for more than a look."
    return f"{_plain(licence)}, of this translator. The pictures that it learnt from have terms of their own."


def _number(value: float | None) -> str:
    if value is None or not math.isfinite(value):
        return ""
    return f"{value:.{2 if abs(value) >= 1 else 3}f}"


def _plain(text: str) -> str:
    """Text of a file or folder name, with nothing in it that Markdown or HTML would act on."""
    return re.sub(r"([\\`*_\[\]<>|#!])", r"\\\1", " ".join(text.split()))


def _fenced(text: str) -> str:
    # No line of YAML can end the block.
    return f"````yaml\n{text.replace('````', '')}````"

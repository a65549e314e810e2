"""The page of a comparison: a file each for its text, its looks and what it does."""

import base64
import hashlib
from functools import cache
from importlib import resources


@cache
def page() -> tuple[bytes, str]:
    """The page, and the policy under which a browser loads nothing but it and its own pictures."""
    style, script = (_read(f"compare.{suffix}") for suffix in ("css", "js"))
    text = _read("compare.html").replace("{style}", style).replace("{script}", script)
    policy = (
        f"default-src 'none'; img-src 'self'; connect-src 'self'; style-src {_hash(style)}; "
        f"script-src {_hash(script)}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return text.encode("utf-8"), policy


def _read(name: str) -> str:
    return resources.files(__name__).joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode('utf-8')).digest()).decode('ascii')}'"

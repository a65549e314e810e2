"""How templates become pages: strict, and everything in them escaped, for names and words may be a stranger's."""

import jinja2

from i2i import images


def templates_of(*packages: str) -> jinja2.Environment:
    """The templates of these packages; where two have one of a name, the first one's."""
    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader([jinja2.PackageLoader(package) for package in packages]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["shown"] = images.shown
    return environment

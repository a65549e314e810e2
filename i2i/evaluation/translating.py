"""Pictures through a translator at its own scale."""

from collections.abc import Sequence

from i2i.evaluation.scores import Array
from i2i.translator import Translator


def together(translator: Translator, sources: Sequence[Array]) -> list[Array]:
    """Prepared sources, in one pass where they are alike."""
    kinds = {(source.shape, source.dtype.name) for source in sources}
    if len(kinds) == 1:
        return translator.translate_prepared(sources)
    return [translator.translate_prepared([source])[0] for source in sources]

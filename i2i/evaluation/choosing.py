"""By which rule the weights that are scored were chosen: a best step of several flatters itself."""

from pathlib import Path

from i2i.translator import Card


def checkpoint_rule(model: Path | None, card: Card) -> str:
    """One line, which begins with last, best, file or given."""
    steps = f", {card.steps:,} steps" if card.steps else ""
    if model is None:
        return f"given: the weights that were handed over{steps}; who chose them knows by what"
    if model.is_dir():
        return f"last: the weights at the end of the run{steps}, never the best of several"
    if model.name.startswith("best") and (model.parent / "experiment.yaml").is_file():
        return (
            f"best: the step that did best on held-out pictures in training{steps}; where those are scored again here, "
            f"the scores flatter: score it on a split that training did not look at"
        )
    if model.stem.startswith("translator") and (model.parent / "experiment.yaml").is_file():
        return f"last: the weights at the end of the run{steps}, never the best of several"
    return f"file: {model.name}{steps}; who chose it knows by what"

"""The stages of a network that grows, laid over a run."""

from i2i.errors import SettingsError
from i2i.experiment import Experiment, change
from i2i.models.settings import ProGAN


def with_stages(experiment: Experiment, pictures: int, processes: int = 1) -> tuple[Experiment, list[str]]:
    """The experiment with the length of its stages, and what there is to say of them to who waits for full size.

    `pictures` is how many it trains on, by so many `processes`. Raises SettingsError where the run is shorter than
    growing takes pictures.
    """
    model, training = experiment.model, experiment.training
    if not isinstance(model, ProGAN):
        return experiment, []
    images = training.epochs * pictures
    if training.steps:
        images = training.steps * training.batch * training.accumulate * processes
    # The first stage plays for one length alone, every other fades in over one and stays for one.
    lengths = 2 * (model.stages(experiment.data.crop) - 1)
    if not model.stage_images:
        if images < 2 * lengths:
            raise SettingsError(
                f"a run of {images} pictures is too short to grow in: there are {lengths} lengths of a stage before "
                f"full size. Give it more --steps or --epochs, or say --model.stage-images."
            )
        experiment = change(experiment, {"model": {"stage_images": images // (2 * lengths)}})
        model = experiment.model
        assert isinstance(model, ProGAN)
    grown = lengths * model.stage_images
    said = f"Grows over {grown} images, {model.stage_images} to fade a stage in and as many to stay"
    if grown > images:
        said += (
            f"; the run sees {images} and ends before it is grown. More --steps or --epochs, or a smaller "
            f"--model.stage-images, make it larger"
        )
    return experiment, [f"{said}."]

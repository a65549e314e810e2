"""An experiment in the words of the reference's own command line."""

from pathlib import Path

from i2i.errors import SettingsError
from i2i.experiment import Experiment
from i2i.models.settings import CycleGAN, Pix2Pix
from i2i.networks.settings import ResNet, UNet, unet_depth

WANTED = ("options/train_options.py", "models/__init__.py", "data/__init__.py")
"""What a checkout of the reference holds."""
GAMES = {"vanilla": "vanilla", "least-squares": "lsgan"}
THREADS = 4
"""The reference's own number of loader processes."""


def check_checkout(folder: Path) -> Path:
    """The folder, made absolute. Raises SettingsError where it is no checkout of the reference."""
    missing = [name for name in WANTED if not (folder / name).is_file()]
    if missing:
        raise SettingsError(
            f"{folder}: no checkout of PyTorch CycleGAN and pix2pix, {missing[0]} is not in it. Give the folder that "
            f"holds its train.py."
        )
    return folder.resolve()


def reference_flags(experiment: Experiment, *, data: Path | None, scratch: Path) -> list[str]:
    """Flags for the reference's `train.py`: the same networks, pictures and batches. Raises SettingsError.

    Its channels, learning rate, weights and schedule cost no time, so they stay as it has them.
    """
    model, settings = experiment.model, experiment.data
    if not isinstance(model, (Pix2Pix, CycleGAN)):
        raise SettingsError(f"the reference has no {experiment.recipe}: it trains pix2pix and cyclegan.")
    if model.objective.kind not in GAMES:
        raise SettingsError(f"--model.objective.kind {model.objective.kind}: the reference has {' and '.join(GAMES)}.")
    generator, (height, width) = model.generator, settings.crop
    if model.discriminator.kind != "patchgan":
        raise SettingsError(f"the reference's discriminator is a PatchGAN, not a {model.discriminator.kind}.")
    flags = {
        "dataroot": str(data.resolve() if data is not None else scratch),
        "checkpoints_dir": str(scratch),
        "name": "benchmark",
        "model": "pix2pix" if isinstance(model, Pix2Pix) else "cycle_gan",
        "dataset_mode": "aligned" if isinstance(model, Pix2Pix) else "unaligned",
        "netG": _generator(generator, (height, width)),
        "ngf": str(generator.width),
        "ndf": str(model.discriminator.width),
        "norm": generator.norm,
        "gan_mode": GAMES[model.objective.kind],
        "batch_size": str(experiment.training.batch),
        "direction": settings.direction,
        "num_threads": str(THREADS),
    }
    if model.discriminator.layers != 3:
        flags |= {"netD": "n_layers", "n_layers_D": str(model.discriminator.layers)}
    if isinstance(model, CycleGAN):
        flags |= {"lambda_identity": str(model.lambda_identity), "pool_size": str(model.history)}
    if data is not None:
        if height != width or settings.resize != "square":
            raise SettingsError(
                f"--size {settings.size} --resize {settings.resize}: beside the reference pictures are read as it "
                f"reads them, resized to a square and cropped to one."
            )
        flags |= {"load_size": str(settings.loaded[0]), "crop_size": str(height)}
    said = [word for name, value in flags.items() for word in (f"--{name}", value)]
    return said + ([] if getattr(generator, "dropout", False) else ["--no_dropout"])


def _generator(generator: object, size: tuple[int, int]) -> str:
    if isinstance(generator, UNet) and generator.upsample == "transpose":
        depth = generator.depth or unet_depth(size)
        if depth in (7, 8):
            return f"unet_{2**depth}"
        raise SettingsError(f"the reference has U-Nets of depth 7 and 8, not of {depth}. Use --size 128 or --size 256.")
    if isinstance(generator, ResNet) and generator.upsample == "transpose" and generator.blocks in (6, 9):
        return f"resnet_{generator.blocks}blocks"
    raise SettingsError(
        "the reference has a U-Net and ResNets of 6 and 9 blocks, with transposed convolutions; this generator is none."
    )

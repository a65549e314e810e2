"""The recipes: one entry a published setting."""

from i2i.data.settings import DataSettings
from i2i.data.tasks import settings as tasks
from i2i.engine.settings import TrainingSettings
from i2i.errors import SettingsError
from i2i.experiment import Experiment
from i2i.losses import settings as losses
from i2i.models import settings as models
from i2i.networks import settings as networks
from i2i.settings import did_you_mean

_NOISE = DataSettings(size="64", resize="short", load="crop")
_DCGAN = TrainingSettings(batch_size=128, schedule="constant", epochs=25)

RECIPES: dict[str, Experiment] = {
    # Isola et al. 2017, as the reference implementation runs it.
    "pix2pix": Experiment(recipe="pix2pix", model=models.Pix2Pix()),
    # Ours: what docs/numbers.md measures beside pix2pix. Resize-convolution (Odena et al. 2016), two scales and feature
    # matching (pix2pixHD), spectral norm (Miyato et al. 2018) and hinge, an average of the generators.
    "pix2pix-plus": Experiment(
        recipe="pix2pix-plus",
        model=models.Pix2Pix(
            generator=networks.UNet(upsample="resize"),
            discriminator=networks.MultiScale(scales=2, norm="none", spectral_norm=True),
            objective=losses.Hinge(),
            lambda_l1=20.0,
            lambda_features=10.0,
        ),
        training=TrainingSettings(ema=0.999),
    ),
    # Zhu et al. 2017, as the reference implementation runs it.
    "cyclegan": Experiment(recipe="cyclegan", model=models.CycleGAN()),
    # Park et al. 2020, App. C.1, as the authors' code runs it: it takes the mean of both domains where Eq. 5 adds.
    "cut": Experiment(recipe="cut", model=models.CUT(), training=TrainingSettings(epochs=400)),
    # Ours: what docs/numbers.md measures beside cut and cyclegan. A mask that leaves the source where it can stay (Tang
    # et al. 2019), an average of the generators, and a discriminator that few pictures cannot fill (Zhao et al. 2020).
    "cut-plus": Experiment(
        recipe="cut-plus",
        model=models.CUT(
            generator=networks.ResNet(downsample="blur", upsample="bilinear", mask=True),
            sight=models.Sight(augment="always"),
        ),
        training=TrainingSettings(epochs=400, ema=0.999),
    ),
    # As cut, with lambda_X = 10 and lambda_Y = 0, half as long.
    "fastcut": Experiment(recipe="fastcut", model=models.CUT(lambda_nce=10.0, identity=False, flip_equivariance=True)),
    # Ledig et al. 2017: batches of 16 crops of 96 pixels at the pictures' own scale (Sec. 3.2), and an adversarial term
    # of a thousandth (Eq. 3). Without norms and on top of the enlarged source it learns sooner: docs/tasks.md.
    "super-resolution": Experiment(
        recipe="super-resolution",
        model=models.Pix2Pix(generator=networks.SRResNet(norm="none", residual=True), lambda_l1=1000.0),
        data=DataSettings(size="96", resize="none", task=tasks.SuperResolution()),
        training=TrainingSettings(batch_size=16),
    ),
    # Pix2pix where a task makes the sources; photos keep their aspect.
    "colorize": Experiment(recipe="colorize", data=DataSettings(resize="short", task=tasks.Colorize())),
    "inpaint": Experiment(recipe="inpaint", data=DataSettings(resize="short", task=tasks.Inpaint())),
    "sketch": Experiment(recipe="sketch", data=DataSettings(resize="short", task=tasks.Sketch())),
    "next-frame": Experiment(recipe="next-frame", data=DataSettings(resize="short", task=tasks.NextFrame())),
    # Li et al. 2020, Sec. 3.1 and 4.1; the weights are pix2pix's. The teacher's file says size and direction.
    "distill": Experiment(recipe="distill", model=models.Distill()),
    # Goodfellow et al. 2014, Sec. 5: fully connected networks with dropout in D, here of LeakyReLU for maxout, and
    # Adam for momentum. 28 pixels are MNIST's.
    "gan": Experiment(
        recipe="gan",
        model=models.GAN(generator=networks.MLPGenerator(), discriminator=networks.MLPDiscriminator()),
        data=DataSettings(size="28", resize="short", load="crop"),
        training=TrainingSettings(batch_size=100, schedule="constant", epochs=100),
    ),
    # Radford et al. 2016, Sec. 4: batches of 128, no decay of the rate.
    "dcgan": Experiment(recipe="dcgan", model=models.GAN(), data=_NOISE, training=_DCGAN),
    # Mirza & Osindero 2014, on DCGAN's networks: the label reaches both.
    "cgan": Experiment(recipe="cgan", model=models.GAN(conditional=True), data=_NOISE, training=_DCGAN),
    # Mao et al. 2017: DCGAN's networks and training, least squares.
    "lsgan": Experiment(
        recipe="lsgan", model=models.GAN(objective=losses.LeastSquares()), data=_NOISE, training=_DCGAN
    ),
    # Arjovsky et al. 2017, Algorithm 1: clipped at 0.01, five moves of D for each of G, a slow rate. Adam without a
    # mean of gradients stands for RMSProp, which it is but for its first steps. Clipping would crush a batch norm in D.
    "wgan": Experiment(
        recipe="wgan",
        model=models.GAN(
            discriminator=networks.DCGANDiscriminator(norm="none"), objective=losses.WGAN(), critic_steps=5
        ),
        data=_NOISE,
        training=TrainingSettings(batch_size=64, lr=5e-5, beta1=0.0, beta2=0.99, schedule="constant", epochs=100),
    ),
    # Gulrajani et al. 2017, Algorithm 1: five moves of D, Adam at 1e-4 (0, 0.9), no batch norm in D.
    "wgan-gp": Experiment(
        recipe="wgan-gp",
        model=models.GAN(
            discriminator=networks.DCGANDiscriminator(norm="none"), objective=losses.WGANGP(), critic_steps=5
        ),
        data=_NOISE,
        training=TrainingSettings(batch_size=64, lr=1e-4, beta1=0.0, beta2=0.9, schedule="constant", epochs=100),
    ),
    # Zhang et al. 2019, Sec. 4: Adam (0, 0.9), hinge, spectral norm in both; batches of 64 for 256.
    "sagan": Experiment(
        recipe="sagan",
        model=models.GAN(
            generator=networks.ResidualGenerator(),
            discriminator=networks.ResidualDiscriminator(),
            objective=losses.Hinge(),
            conditional=True,
        ),
        data=_NOISE,
        training=TrainingSettings(
            batch_size=64, lr=1e-4, lr_discriminator=4e-4, beta1=0.0, beta2=0.9, schedule="constant", epochs=100
        ),
    ),
    # Brock et al. 2019, App. B and C, with SAGAN's rates, which batches of 64 for 2048 can take; narrower. The average
    # follows every move of D, two for each of G: 0.9998 a move of G, where theirs is 0.9999.
    "biggan": Experiment(
        recipe="biggan",
        model=models.GAN(
            generator=networks.ResidualGenerator(latent=120, embedding=128, skip_z=True),
            discriminator=networks.ResidualDiscriminator(),
            objective=losses.Hinge(),
            conditional=True,
            critic_steps=2,
            lambda_orthogonal=1e-4,
        ),
        data=_NOISE,
        training=TrainingSettings(
            batch_size=64,
            lr=1e-4,
            lr_discriminator=4e-4,
            beta1=0.0,
            beta2=0.999,
            schedule="constant",
            ema=0.9999,
            epochs=200,
        ),
    ),
    # Zhao et al. 2017, App. C, on DCGAN's generator; the margin is of mean errors.
    "ebgan": Experiment(
        recipe="ebgan",
        model=models.GAN(discriminator=networks.StridedAutoencoder(), objective=losses.EBGAN()),
        data=_NOISE,
        training=TrainingSettings(batch_size=64, schedule="constant", epochs=50),
    ),
    # Berthelot et al. 2017, Sec. 4.1: Adam at 1e-4, batches of 16, gamma = 0.5, codes of 64.
    "began": Experiment(
        recipe="began",
        model=models.GAN(
            generator=networks.DecoderGenerator(), discriminator=networks.DenseAutoencoder(), objective=losses.BEGAN()
        ),
        data=_NOISE,
        training=TrainingSettings(batch_size=16, lr=1e-4, schedule="constant", epochs=50),
    ),
    # Karras et al. 2018, App. A: Adam at 1e-3 (0, 0.99), batches of 16; narrower, for sides of 32 and 64.
    "progan": Experiment(
        recipe="progan",
        model=models.ProGAN(),
        data=_NOISE,
        training=TrainingSettings(
            batch_size=16, lr=1e-3, beta1=0.0, beta2=0.99, schedule="constant", ema=0.999, epochs=200
        ),
    ),
    # Karras et al. 2020, App. B, and the authors' code at 32 pixels: Adam at 0.0025 (0, 0.99); narrower.
    "stylegan": Experiment(
        recipe="stylegan",
        model=models.StyleGAN(),
        data=_NOISE,
        training=TrainingSettings(
            batch_size=32, lr=2.5e-3, beta1=0.0, beta2=0.99, schedule="constant", ema=0.998, epochs=200
        ),
    ),
    # Reed et al. 2016, Sec. 5: DCGAN's rates, batches of 64, 600 epochs.
    "text-to-image": Experiment(
        recipe="text-to-image",
        model=models.TextToImage(),
        data=_NOISE,
        training=TrainingSettings(batch_size=64, schedule="constant", epochs=600),
    ),
}


def recipe(name: str) -> Experiment:
    """The recipe of that name. Raises SettingsError, which suggests the likely one."""
    if name not in RECIPES:
        raise SettingsError(f"{name!r} is no recipe; {did_you_mean(name, RECIPES)}")
    return RECIPES[name]

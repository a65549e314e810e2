"""Train networks of your own from Python, with nothing of i2i changed: python train_in_python.py my-pairs 2000."""

import sys
from pathlib import Path

import torch
from can import CAN
from pearson import Pearson

from i2i import Translator, translate
from i2i.data.feeding import Feeding, feed
from i2i.data.opening import open_dataset
from i2i.data.sampler import EpochSampler
from i2i.data.settings import DataSettings
from i2i.engine.device import choose_device
from i2i.engine.schedule import Schedule
from i2i.engine.settings import TrainingSettings
from i2i.engine.trainer import Trainer
from i2i.models.pix2pix import Pix2Pix
from i2i.networks.patchgan import PatchGAN
from i2i.networks.settings import ResNet
from i2i.translator import Card

data, steps = Path(sys.argv[1]), int(sys.argv[2])
settings, device = TrainingSettings(batch_size=4), choose_device("auto")

# The folder, found and paired, in crops of 32 pixels. "domains" gives Domains(x, y) for SimGAN or CycleGAN.
opened = open_dataset("pairs", data, DataSettings(size="32", resize="none"))
sampler = EpochSampler(opened.counts["train"], settings.batch, seed=0)
batches = feed(opened.train, sampler, Feeding(workers=0), device=device, passes=1)

# Constructors take built networks: any nn.Module with this shape of input and output.
source, target = opened.channels
model = Pix2Pix(G=CAN(source, target), D=PatchGAN(source + target, width=16, layers=2), objective=Pearson())

trainer = Trainer(model, settings, steps=steps, schedule=Schedule("linear", steps, 1), device=device)


def after_round(trainer: Trainer) -> None:
    if trainer.progress.rounds % 100 == 0 or trainer.progress.rounds == steps:
        print(trainer.progress.rounds, trainer.fetch_losses())


trainer.fit(batches, after_round=after_round, stop=lambda: False)
torch.save(model.G.state_dict(), "can.pt")

# Whole folders with it. The card says how pictures reach the network; i2i's own files are of its own architectures, so
# the one that it names stands for CAN where memory is estimated.
card = Card(architecture=ResNet(), in_channels=source, out_channels=target, size="32")
translate(Translator(model.G, card), data / "test" / "A", "translated")

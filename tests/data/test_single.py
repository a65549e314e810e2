import numpy as np
import torch

from i2i import images
from i2i.data.settings import DataSettings
from i2i.data.single import PictureFolder


def test_a_picture_comes_with_its_label(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    images.write(tmp_path / "1.png", pixels)
    settings = DataSettings(size="8", resize="none", flip=False, brightness=0.9)
    dataset = PictureFolder([tmp_path / "1.png"], [4], settings)
    images_, label = dataset[(1, 0)]
    assert np.array_equal(images_.numpy(), pixels.transpose(2, 0, 1))  # nothing photometric: it is a target
    assert label.dtype == torch.int64
    assert label.item() == 4

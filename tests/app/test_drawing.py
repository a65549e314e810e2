import numpy as np
import pytest
from PIL import Image

from i2i import images
from i2i.app.drawing import FACADES, INK, Canvas, as_hex, canvas_for, from_hex, palette_of
from i2i.errors import DatasetError
from i2i.networks.settings import ResNet
from i2i.translator import Card

RED, GREEN, BLUE = (250, 0, 0), (0, 250, 0), (0, 0, 250)


def card(**fields) -> Card:
    return Card(architecture=ResNet(width=2, blocks=1), in_channels=3, out_channels=3, **fields)


def test_label_models_get_their_colours_and_others_a_pen():
    assert canvas_for(card(labels=True)).colours == tuple(FACADES)
    assert canvas_for(card()).colours == INK
    assert canvas_for(card(), [RED, BLUE]) == Canvas("labels", (RED, BLUE), 512, 512)


def test_a_canvas_has_the_shape_that_the_model_was_trained_at():
    canvas = canvas_for(card(size="64x128"))
    assert (canvas.width, canvas.height) == (1024, 512)
    assert canvas.paper.shape == (512, 1024, 3)


def test_a_drawing_lies_on_the_paper():
    canvas = Canvas("ink", INK, 2, 1)
    drawn = np.array([[[0, 0, 0, 255], [9, 9, 9, 0]]], np.uint8)
    assert canvas.source(drawn).tolist() == [[[0, 0, 0], [255, 255, 255]]]


def test_blurred_edges_of_labels_become_labels():
    canvas = Canvas("labels", (BLUE, RED, GREEN), 3, 1)
    drawn = np.array([[[250, 0, 0, 200], [240, 20, 9, 255], [250, 0, 0, 50]]], np.uint8)
    assert canvas.source(drawn).tolist() == [[list(RED), list(RED), list(BLUE)]]


def test_a_pen_keeps_its_soft_edges():
    canvas = Canvas("ink", INK, 1, 1)
    assert canvas.source(np.array([[[0, 0, 0, 51]]], np.uint8)).tolist() == [[[204, 204, 204]]]


def test_paper_alone_is_blank():
    canvas = Canvas("labels", (BLUE, RED), 4, 4)
    assert canvas.is_blank(canvas.paper)
    assert canvas.is_blank(np.zeros((4, 4, 4), np.uint8))
    drawn = canvas.paper
    drawn[1, 2] = RED
    assert not canvas.is_blank(drawn)


def test_the_colours_of_a_label_map_are_found_although_a_jpeg_smeared_them(tmp_path):
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[:] = BLUE
    pixels[20:60, 10:50] = RED
    pixels[30:44, 20:36] = GREEN
    images.write(tmp_path / "exact.png", pixels)
    assert palette_of(tmp_path / "exact.png") == (BLUE, RED, GREEN)
    Image.fromarray(pixels).save(tmp_path / "smeared.jpg", quality=80)
    found = np.array(palette_of(tmp_path / "smeared.jpg"))
    assert np.abs(found - [BLUE, RED, GREEN]).max() < 12


def test_a_photo_is_no_palette(tmp_path):
    images.write(tmp_path / "photo.png", np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8))
    with pytest.raises(DatasetError, match=r"photo\.png: no label map"):
        palette_of(tmp_path / "photo.png")


def test_colours_as_the_web_writes_them():
    assert as_hex((255, 85, 0)) == "#ff5500"
    assert from_hex("#ff5500") == (255, 85, 0)
    with pytest.raises(DatasetError, match="no colour"):
        from_hex("red")

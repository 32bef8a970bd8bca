"""One line of arithmetic is the same as the steps that a published file lists."""

import numpy as np
import pytest

from seethrough.errors import SpecError
from seethrough.model.hub.preprocessing import preprocessing

PLAIN = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225], "size": 224}
HALF = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "size": {"shortest_edge": 48}}


def _step_by_step(pixel, stored):
    """As the library's own steps follow each other."""
    value = np.full(3, float(pixel))
    if stored.get("do_rescale", True):
        value = value * stored.get("rescale_factor", 1 / 255)
        if stored.get("rescale_offset"):
            value = value - 1
    if stored.get("do_normalize", True):
        mean, std = np.array(stored["image_mean"]), np.array(stored["image_std"])
        value = (value - mean) / std
        if stored.get("include_top"):
            value = (value - 0) / std
    return value


@pytest.mark.parametrize(
    "stored",
    [
        PLAIN,
        HALF,
        PLAIN | {"do_normalize": False},
        PLAIN | {"do_rescale": False, "image_mean": [120, 115, 100], "image_std": [60, 59, 61]},
        HALF | {"rescale_factor": 1 / 127.5, "rescale_offset": True, "do_normalize": False},
        HALF | {"rescale_factor": 1 / 127.5, "rescale_offset": True},
        PLAIN | {"include_top": True, "image_processor_type": "EfficientNetImageProcessor"},
    ],
)
def test_mean_and_deviation_say_what_the_steps_say(stored):
    found = preprocessing(stored, "it")
    for pixel in (0, 1, 77, 255):
        ours = (pixel / 255 - np.array(found.mean)) / np.array(found.std)
        np.testing.assert_allclose(ours, _step_by_step(pixel, stored), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("fields", "image_px"),
    [
        ({"size": 224}, 224),
        ({"size": [96, 96]}, 96),
        ({"size": {"shortest_edge": 256}, "crop_size": {"height": 224, "width": 224}}, 256),
        (
            {
                "size": {"shortest_edge": 256},
                "crop_size": {"height": 224, "width": 224},
                "do_center_crop": True,
            },
            224,
        ),
        ({"size": {"height": 160, "width": 160}, "do_center_crop": True}, 160),
    ],
)
def test_the_size_is_that_of_the_square_that_reaches_the_network(fields, image_px):
    assert preprocessing(PLAIN | fields, "it").image_px == image_px


def test_one_number_stands_for_all_colours():
    found = preprocessing(PLAIN | {"image_mean": 0.5, "image_std": 0.25}, "it")
    assert (found.mean, found.std) == ((0.5,) * 3, (0.25,) * 3)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"image_mean": None}, "image_mean is None"),
        ({"image_std": [1, 2]}, "image_std"),
        ({"size": None}, "size is None"),
        ({"size": {"height": 96, "width": 128}}, "no squares"),
        ({"size": {}}, "size is {}"),
    ],
)
def test_a_file_that_does_not_say_it_is_refused_with_what_to_write(fields, why):
    with pytest.raises(SpecError, match="does not say how it standardises") as caught:
        preprocessing(PLAIN | fields, "hf:some/body")
    assert why in caught.value.why
    assert "image_mean" in caught.value.fix

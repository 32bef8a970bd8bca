"""views.py: against views that are written out, and what a score says of them."""

import dataclasses

import numpy as np
import pytest
import torch
from tests.train.tinted import tinted

import seethrough as see
from seethrough.data.split import Split
from seethrough.model.build import build
from seethrough.model.spec import parse
from seethrough.predict.probabilities import answers, probabilities
from seethrough.predict.views import VIEWS, averaged, views

rng = np.random.default_rng(8)
IMAGES = rng.integers(0, 256, (5, 9, 7, 3), dtype=np.uint8)


def pixel(image, row, column):
    """A pixel of an image whose border is reflected."""
    height, width, _ = image.shape
    row = abs(row) if row < height else 2 * (height - 1) - row
    column = abs(column) if column < width else 2 * (width - 1) - column
    return image[row, column]


def moved(images, by):
    changed = np.empty_like(images)
    for image, other in zip(images, changed, strict=True):
        for row, column in np.ndindex(image.shape[:2]):
            other[row, column] = pixel(image, row + by, column + by)
    return changed


def test_six_views_are_two_mirrored_places_and_two_moves_of_each():
    found = list(views(IMAGES, 6))
    wanted = [IMAGES, moved(IMAGES, -1), moved(IMAGES, 1)]
    wanted = [view for each in wanted for view in (each, each[:, :, ::-1])]
    assert [weight for weight, _ in found] == [0.25, 0.25, 0.125, 0.125, 0.125, 0.125]
    for (_, view), expected in zip(found, wanted, strict=True):
        assert np.array_equal(view, expected)


@pytest.mark.parametrize("count", VIEWS)
def test_weights_add_up_to_one_and_one_view_is_the_image(count):
    found = list(views(IMAGES, count))
    assert len(found) == count
    assert sum(weight for weight, _ in found) == 1
    assert found[0][1] is IMAGES


@pytest.fixture(scope="module")
def photos():
    return tinted(20, 8)


@pytest.fixture(scope="module")
def module(photos):
    spec = parse("conv 4 k3, relu, flatten, dense", image_px=12)
    mean, std = photos.mean_std()
    return build(spec, num_classes=3, mean=mean, std=std, seed=2)


def test_logits_are_averaged_before_softmax(photos, module):
    images = photos.images[:6]
    logits = 0.5 * answers(module, images) + 0.5 * answers(module, images[:, :, ::-1])
    expected = torch.from_numpy(logits).double().softmax(1).numpy()
    assert probabilities(module, images, views=2) == pytest.approx(expected, abs=1e-6)
    one = averaged(lambda each: answers(module, each), images, 1)
    assert np.array_equal(one, answers(module, images))


def test_a_score_carries_the_number_of_its_views(photos, module):
    classifier = see.wrap(module, classes=photos.classes, image_px=12)
    classifier = dataclasses.replace(classifier, trained_on=photos.fingerprint)
    reports = {count: classifier.evaluate(photos, views=count) for count in VIEWS}
    assert {count: report.views for count, report in reports.items()} == {1: 1, 2: 2, 6: 6}
    assert "6 views of each" in str(reports[6])
    assert "views" not in str(reports[1])
    assert reports[1] == classifier.evaluate(photos)
    for split, found in (
        (Split.TEST, reports[6].accuracy),
        (Split.TRAIN, reports[6].train_accuracy),
    ):
        index = photos.indices(split)
        said = probabilities(classifier.module, photos.images[index], views=6).argmax(1)
        assert found == (said == photos.labels[index]).mean()

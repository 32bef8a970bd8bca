"""duration.py: the epochs that a measured speed and some minutes give, and `train(minutes=)`."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seethrough.errors import RecipeError
from seethrough.model.presets import asked_for
from seethrough.runs.duration import in_numbers, lasting
from seethrough.runs.record import train
from seethrough.train.forecast import Forecast
from seethrough.train.place import Place
from seethrough.train.precision import quickest
from seethrough.train.recipe import Precision, Recipe

RECIPE = Recipe(epochs=9, batch=8, peak_lr=0.02, shift_px=1, seed=7)
SHARES = st.floats(1e-6, 0.1)


@given(
    images=st.integers(2, 5000),
    test_images=st.integers(0, 500),
    step_s=SHARES,
    evaluation_s=SHARES,
    minutes=st.floats(1e-3, 40),  # 100,000 epochs are the most
)
def test_no_other_number_of_epochs_comes_nearer_to_the_minutes(
    images, test_images, step_s, evaluation_s, minutes
):
    speed = Forecast(
        images=images, test_images=test_images, step_s=step_s, evaluation_s=evaluation_s
    )
    epochs = lasting(RECIPE, speed, minutes).epochs

    def miss(count):
        return abs(speed.total_s(count) - 60 * minutes)

    assert epochs >= 1

    assert miss(epochs) <= miss(epochs + 1) + 1e-6
    assert epochs == 1 or miss(epochs) <= miss(epochs - 1) + 1e-6


def test_only_the_epochs_of_the_recipe_change():
    speed = Forecast(images=1000, test_images=0, step_s=0.00097, evaluation_s=0.0)  # 1 s an epoch
    assert lasting(RECIPE, speed, 2.0) == replace(RECIPE, epochs=120)


@pytest.mark.parametrize("minutes", [0.0, -1.0, math.nan, math.inf, 1e9])
def test_minutes_that_cannot_be_are_refused_before_a_photo_is_read(minutes, tmp_path):
    with pytest.raises(RecipeError, match="no time to train for"):
        train(tmp_path / "nowhere", minutes=minutes)


def test_products_are_rounded_only_where_that_is_quicker(photos):
    small = asked_for("conv 4 k3 s2 p1, relu, flatten, dense", photos.image_px)
    assert in_numbers(photos, small, RECIPE, place=Place(threads=1)) is RECIPE
    wide = asked_for("conv 300 k3 p1, relu, conv 400 k3 p1, flatten, dense", photos.image_px)
    chosen = in_numbers(photos, wide, RECIPE, place=Place(threads=1))
    assert replace(chosen, precision=Precision.FLOAT32) == RECIPE
    assert chosen is RECIPE or quickest() is Precision.BFLOAT16


def test_a_training_of_next_to_no_minutes_is_one_epoch_and_its_recipe_says_so(photos, tmp_path):
    run = train(
        photos,
        network="conv 4 k3 s2 p1, relu, flatten, dense",
        recipe=RECIPE,
        runs_dir=tmp_path,
        place=Place(threads=1),
        minutes=1e-6,
    )
    assert run.manifest.recipe == replace(RECIPE, epochs=1)
    assert (run.summary.state, run.summary.epoch, run.summary.epochs) == ("finished", 1, 1)

"""shrink.py: smaller photos for the first epochs, and which networks take them."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from tests.train.tinted import tinted
from torch import nn

from seethrough.errors import RecipeError
from seethrough.model.make import make
from seethrough.model.presets import asked_for
from seethrough.model.recorded import measured
from seethrough.train.batches import Batches
from seethrough.train.events import EpochEnd, Remark, Snapshot
from seethrough.train.forecast import forecast
from seethrough.train.loop import train
from seethrough.train.place import Place
from seethrough.train.recipe import Recipe
from seethrough.train.shrink import check_small, multiply_adds, shrunk

HERE = Place(threads=1)
SLIDING = "conv 4 k3 p1, norm, relu, maxpool 8, flatten, dense"  # one window in 8 to 15 px
COUNTING = "conv 4 k3 p1, norm, relu, maxpool 3, flatten, dense"
RECIPE = Recipe(epochs=4, batch=16, shift_px=1, small_px=8, seed=3)


def network(text, image_px=12):
    spec = asked_for(text, image_px)
    return make(spec, num_classes=3, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25), seed=0)


@pytest.mark.parametrize("side", [9, 16, 25])
def test_photos_are_shrunk_as_pillow_shrinks_them(side):
    rng = np.random.default_rng(side)
    photos = rng.integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    smaller = shrunk(torch.from_numpy(photos).permute(0, 3, 1, 2), side)
    assert smaller.is_contiguous(memory_format=torch.channels_last)
    for photo, found in zip(photos, smaller.permute(0, 2, 3, 1).numpy(), strict=True):
        wanted = np.asarray(Image.fromarray(photo).resize((side, side), Image.Resampling.BILINEAR))
        assert np.abs(found.astype(int) - wanted.astype(int)).max() <= 1  # both round on the way


def test_only_the_first_epochs_are_small_and_they_show_the_same_photos(photos):
    small, whole = Batches.of(photos, RECIPE), Batches.of(photos, replace(RECIPE, small_px=0))
    for epoch, side in ((1, 8), (2, 8), (3, 12), (4, 12), (5, 12)):
        pairs = zip(small.epoch(epoch), whole.epoch(epoch), strict=True)
        for (images, labels), (as_they_are, same_labels) in pairs:
            assert images.shape[2:] == (side, side)
            assert torch.equal(labels, same_labels)
            assert torch.equal(images, shrunk(as_they_are, side))


@pytest.mark.parametrize(("share", "first"), [(0.0, 0), (0.3, 2), (0.5, 3), (0.99, 6), (1.0, 7)])
def test_how_many_epochs_are_the_first_ones(share, first):
    recipe = Recipe(epochs=7, small_px=8, small_share=share)
    assert [recipe.side(epoch, 32) for epoch in range(1, 8)] == [8] * first + [32] * (7 - first)
    assert recipe.side(0, 32) == 32


def test_training_says_of_which_size_its_photos_are(photos):
    events = list(train(network(SLIDING), photos, RECIPE, place=HERE))
    assert [e.image_px for e in events if isinstance(e, EpochEnd)] == [12, 8, 8, 12, 12]
    said = [event.text for event in events if isinstance(event, Remark)]
    assert said == [
        "The first 2 of 4 epochs learn from photos shrunk from 12 to 8 px; all are judged at 12 px."
    ]


@pytest.mark.parametrize("stop_after", [1, 2, 3, 6, 7, 10])
def test_a_stop_before_or_after_the_change_of_size_changes_nothing(photos, stop_after):
    alone = network(SLIDING)
    list(train(alone, photos, RECIPE, place=HERE))
    asked = itertools.count()
    events = train(
        network(SLIDING), photos, RECIPE, place=HERE, should_stop=lambda: next(asked) >= stop_after
    )
    *_, state = (event.state for event in events if isinstance(event, Snapshot))
    resumed = network(SLIDING)
    list(train(resumed, photos, RECIPE, place=HERE, resume=state))
    for name, tensor in alone.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[name]), name


@pytest.mark.parametrize(
    ("text", "small_px", "said"),
    [
        (COUNTING, 8, "small_px=8 does not suit this network"),
        (SLIDING, 12, None),
        (SLIDING, 13, "small_px=13 is not small: the photos have 12 px"),
        (SLIDING, 8, None),
    ],
)
def test_networks_that_count_cells_are_refused_before_anything_is_learned(text, small_px, said):
    recipe, module = replace(RECIPE, small_px=small_px), network(text)
    if said is None:
        check_small(module, recipe, 12)
        return
    with pytest.raises(RecipeError, match=said):
        check_small(module, recipe, 12)
    with pytest.raises(RecipeError, match=said):
        next(iter(train(module, tinted(44, 9), recipe, place=HERE)))


class Strict(nn.Sequential):
    """A network that takes one size and says nothing."""

    def forward(self, images):
        if images.shape[-1] != 12:
            raise ValueError
        return super().forward(images)


def test_a_network_of_one_s_own_may_refuse_without_a_word():
    with pytest.raises(RecipeError, match="small_px=8 does not suit") as said:
        check_small(Strict(*network(SLIDING)), RECIPE, 12)
    assert "ValueError" in said.value.why


def test_checking_and_counting_leave_the_network_as_it_is():
    module = network(SLIDING)
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    module.train()
    check_small(module, RECIPE, 12)
    assert module.training
    assert all(torch.equal(tensor, module.state_dict()[name]) for name, tensor in before.items())


@pytest.mark.parametrize("image_px", [25, 32])
def test_products_are_counted_as_the_sizes_of_layers_say(image_px):
    sizes = measured(asked_for("cifar-small", image_px), 3)
    counted = multiply_adds(network("cifar-small", image_px), image_px)
    assert counted == sum(size.multiply_adds for size in sizes)
    assert multiply_adds(network("cifar-small", 32), image_px) == counted  # made for 32 px


def test_a_forecast_measures_both_sizes(photos):
    told = forecast(network(SLIDING), photos, RECIPE, place=HERE, budget_s=0.2)
    assert told.small_step_s is not None
    assert told.small_share == 0.5
    judged_s = 6 * 9 * told.evaluation_s + 44 * told.evaluation_s
    steps_s = 2 * 44 * (told.step_s + told.small_step_s)
    assert told.total_s(4) == pytest.approx(steps_s + judged_s + 4 * 0.03)
    assert told.epochs_in(told.total_s(40) / 60) == 40

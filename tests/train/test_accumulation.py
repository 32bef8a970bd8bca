"""A batch in parts: the same step as the whole batch, where no layer looks at its neighbours."""

from dataclasses import replace

import pytest
import torch
from tests.train.small import NORMALISED, PLAIN, learn, network
from torch import nn

from seethrough.errors import RecipeError
from seethrough.train.events import EpochEnd, Step
from seethrough.train.recipe import Recipe

WHOLE = Recipe(epochs=2, batch=16, peak_lr=0.02, shift_px=1, label_smoothing=0.1)


def trained(photos, recipe, text):
    module = network(photos, text)
    seen = list(learn(module, photos, recipe))
    losses = [event.loss for event in seen if isinstance(event, Step)]
    ends = [event for event in seen if isinstance(event, EpochEnd)][1:]
    return torch.cat([p.detach().flatten() for p in module.parameters()]), losses, ends


@pytest.mark.parametrize("parts", [3, 5, 8, 64])
@pytest.mark.parametrize("mixup", [0.0, 0.5])
def test_without_normalisation_parts_give_the_step_of_the_whole(photos, parts, mixup):
    whole, losses, ends = trained(photos, replace(WHOLE, mixup=mixup), PLAIN)
    recipe = replace(WHOLE, mixup=mixup, micro_batch=parts)
    found, others, other_ends = trained(photos, recipe, PLAIN)
    torch.testing.assert_close(found, whole, rtol=1e-4, atol=1e-5)
    assert others == pytest.approx(losses, rel=1e-4)
    assert [e.train_accuracy for e in other_ends] == [e.train_accuracy for e in ends]


def test_with_batch_normalisation_parts_are_another_training(photos):
    recipe = replace(WHOLE, micro_batch=4)
    assert not torch.allclose(
        trained(photos, recipe, NORMALISED)[0], trained(photos, WHOLE, NORMALISED)[0], rtol=1e-2
    )


class Counting(nn.Module):
    """Remembers how many images it was given at once."""

    def __init__(self, inner):
        super().__init__()
        self.inner, self.counts = inner, []

    def forward(self, images):
        if self.training:
            self.counts.append(len(images))
        return self.inner(images)


def test_no_more_images_are_computed_at_once_and_none_is_alone(photos):
    module = Counting(network(photos))
    list(learn(module, photos, Recipe(epochs=1, batch=16, shift_px=1, micro_batch=5)))
    # 44 images: 16, 16, 12; one image left over joins the part before it
    assert module.counts == [5, 5, 6, 5, 5, 6, 5, 5, 2]


def test_parts_of_one_image_are_refused():
    with pytest.raises(RecipeError, match="micro_batch=1 is too small"):
        Recipe(micro_batch=1)

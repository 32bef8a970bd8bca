"""whiten.py: what the first convolution answers, measured; and what learns afterwards."""

import numpy as np
import pytest
import torch
from torch import nn

from seethrough.errors import RecipeError
from seethrough.model.make import make
from seethrough.model.presets import asked_for
from seethrough.train.evaluation import evaluating
from seethrough.train.loop import train
from seethrough.train.recipe import Recipe
from seethrough.train.whiten import whiten


def smooth(count, side=24):
    """Photo-like images: neighbouring pixels are close, colours too."""
    rng = np.random.default_rng(0)
    coarse = rng.normal(128, 60, (count, side // 4, side // 4, 1)).repeat(4, 1).repeat(4, 2)
    levels = coarse + rng.normal(0, 25, (count, side, side, 3))
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8)


def network(text="cifar-small", image_px=32):
    spec = asked_for(text, image_px)
    return make(spec, num_classes=3, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25), seed=0)


def first_of(module):
    return next(part for part in module.modules() if isinstance(part, nn.Conv2d))


def test_the_answers_of_the_first_convolution_are_uncorrelated_and_about_equally_large():
    images = smooth(200, side=32)
    module = network()
    before = answers(module, images)
    whiten(module, images)
    after = answers(module, images)
    assert abs(np.corrcoef(before) - np.eye(12)).max() > 0.3
    # NumPy's own covariance of what the convolution says; the photos' noise is well above epsilon
    moments = after @ after.T / after.shape[1]
    np.testing.assert_allclose(moments, np.eye(12), atol=0.02)


def answers(module, images):
    """Of the first half of the units, at all places: (12, places)."""
    convolution = first_of(module)
    pixels = torch.from_numpy(images).permute(0, 3, 1, 2)
    with torch.no_grad():
        said = nn.functional.conv2d(module[0](pixels), convolution.weight)
    return said[:, :12].transpose(0, 1).flatten(1).double().numpy()


def test_the_second_half_of_the_units_says_the_opposite():
    module = network()
    whiten(module, smooth(50, side=32))
    kernels = first_of(module).weight
    assert torch.equal(kernels[12:], -kernels[:12])


def test_the_same_images_give_the_same_kernels_and_leave_the_rest_alone():
    images = smooth(50, side=32)
    one, other = network(), network()
    rest = {name: tensor.clone() for name, tensor in one.state_dict().items()}
    one.train()
    whiten(one, images)
    whiten(other, images)
    assert one.training
    assert torch.equal(first_of(one).weight, first_of(other).weight)
    changed = [name for name, was in rest.items() if not torch.equal(was, one.state_dict()[name])]
    assert changed == ["conv.weight"]


def test_kernels_that_whiten_are_kept_while_everything_else_learns(photos):
    module = network("conv 8 k3 p1, norm, relu, conv 4 k3, relu, flatten, dense", photos.image_px)
    recipe = Recipe(epochs=1, batch=8, whiten=True, shift_px=1)
    kernels, learned = first_of(module).weight, {}
    events = train(module, photos, recipe)
    next(events)
    whitening = kernels.detach().clone()
    learned = {name: p.detach().clone() for name, p in module.named_parameters()}
    for _ in events:
        pass
    assert torch.equal(kernels, whitening)
    moved = [n for n, p in module.named_parameters() if not torch.equal(p, learned[n])]
    assert set(learned) - set(moved) == {"conv1.weight"}
    with evaluating(module):
        assert torch.isfinite(module(torch.zeros(1, 3, photos.image_px, photos.image_px))).all()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("flatten, dense", "it has no convolution"),
        ("conv 7 k3, relu, flatten, dense", "7 units on windows of 27 numbers"),
        ("conv 30 k2, relu, flatten, dense", "30 units on windows of 12 numbers"),
    ],
)
def test_a_network_whose_first_convolution_cannot_whiten_is_refused(text, why):
    with pytest.raises(RecipeError, match=why):
        whiten(network(text), smooth(4, side=32))


def test_a_first_convolution_in_groups_cannot_whiten():
    module = nn.Sequential(nn.Conv2d(3, 6, 3, groups=3), nn.Flatten(), nn.LazyLinear(2))
    with pytest.raises(RecipeError, match="in 3 groups"):
        whiten(module, smooth(4))

"""How much each photo of a batch pulls at a weight, against plain torch, one photo at a time."""

import copy
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from tests.train.tinted import tinted
from torch import nn

from seethrough.errors import LayerError
from seethrough.learning.continuation import Continuation, Origin
from seethrough.model.build import Normalise, build
from seethrough.model.spec import parse
from seethrough.train.batches import Batches
from seethrough.train.place import Place
from seethrough.train.recipe import Recipe


@pytest.fixture(scope="module")
def photos():
    return tinted(20, 4)


PLAIN = Recipe(epochs=1, batch=10, seed=5, shift_px=1, focal=1.5)


def taken(module, photos, recipe=PLAIN):
    origin = Origin(batches=Batches.of(photos, recipe), step=0, place=Place(threads=1))
    return Continuation(module, origin).take()


def ours(text, photos):
    mean, std = photos.mean_std()
    return build(parse(text, image_px=12), num_classes=3, mean=mean, std=std, seed=2)


def pixels():
    return Normalise((0.5,) * 3, (0.3,) * 3)


def strided():
    torch.manual_seed(1)
    return nn.Sequential(
        pixels(),
        nn.Conv2d(3, 4, 3, stride=2, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(4, 6, (3, 2), padding="same", dilation=2, groups=2, padding_mode="reflect"),
        nn.GroupNorm(3, 6),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.LayerNorm(24),
        nn.Linear(24, 3),
    )


def places(step, count=3):
    random = np.random.default_rng(0)
    for name, weights in step.weights.items():
        for _ in range(count):
            yield name, tuple(int(random.integers(size)) for size in weights.shape)


def holds(pulls, step, name, index):
    assert pulls.framework == float(step.gradients[name][index])
    assert pulls.gradient == pytest.approx(sum(pulls.values), rel=1e-12, abs=1e-300)
    scale = max(abs(value) for value in pulls.values)
    assert abs(pulls.difference) <= 1e-5 * scale + 1e-12, name
    shown = [each.shown for each in pulls.largest] + [pulls.shown_others or "0"]
    assert sum(map(Decimal, shown)) == Decimal(pulls.shown_gradient)
    assert pulls.adds_up
    sizes = [abs(each.value) for each in pulls.largest]
    assert sizes == sorted(sizes, reverse=True)
    assert len(pulls.largest) + pulls.others == pulls.photos == len(step.batch)
    for each in pulls.largest:
        assert each.photo == step.batch.photos[each.place]
        assert each.value == pulls.values[each.place]


def test_without_batch_statistics_it_is_the_gradient_of_each_photo_s_own_loss(photos):
    """Photo by photo, each alone through the network, with torch's own autograd."""
    module = strided()
    step = taken(module, photos)
    own = copy.deepcopy(module).double()
    alone = []
    for image, target in zip(step.batch.images, step.batch.targets, strict=True):
        own.zero_grad()
        logs = own(image[None].double()).log_softmax(1)
        smooth = F.one_hot(target[None], 3) * 0.9 + 0.1 / 3
        (-(1 - logs.exp()).pow(1.5) * smooth * logs).sum().backward()
        alone.append({name: p.grad.clone() for name, p in own.named_parameters()})
    for name, index in places(step):
        pulls = step.pulls(name, *index)
        holds(pulls, step, name, index)
        expected = [float(each[name][index]) / len(alone) for each in alone]
        np.testing.assert_allclose(pulls.values, expected, rtol=2e-4, atol=1e-7)


class Apart(nn.Module):
    """A convolution, a dense layer or a normalisation with a copy of its weights per photo."""

    def __init__(self, layer, photos):
        super().__init__()
        self.layer = layer
        self.own = nn.ParameterDict(
            {
                name.replace(".", "_"): nn.Parameter(
                    p.detach().expand(photos, *p.shape).clone().double()
                )
                for name, p in layer.named_parameters()
            }
        )

    def forward(self, x):
        w, b = self.own["weight"], self.own.get("bias", None)
        if isinstance(self.layer, nn.BatchNorm2d):
            mean, variance = x.mean((0, 2, 3)), x.var((0, 2, 3), unbiased=False)
            straight = (x - mean[:, None, None]) / (variance[:, None, None] + self.layer.eps) ** 0.5
            return straight * w[:, :, None, None] + b[:, :, None, None]
        rows = []
        for n in range(len(x)):
            one = None if b is None else b[n]
            if isinstance(self.layer, nn.Linear):
                rows.append(F.linear(x[n : n + 1], w[n], one))
            else:
                layer = self.layer
                rows.append(F.conv2d(x[n : n + 1], w[n], one, layer.stride, layer.padding))
        return torch.cat(rows)


def test_with_batch_statistics_it_is_the_gradient_of_the_photo_s_own_copy_of_the_weight(photos):
    module = ours("conv 4 k3 p1 bias, norm, relu, conv 5 k3, norm, relu, flatten, dense", photos)
    step = taken(module, photos)
    apart = copy.deepcopy(module).double().train()
    for name, layer in list(apart.named_children()):
        if dict(layer.named_parameters()):
            setattr(apart, name, Apart(layer, len(step.batch)))
    logs = apart(step.batch.images.double()).log_softmax(1)
    smooth = F.one_hot(step.batch.targets, 3) * 0.9 + 0.1 / 3
    (-(1 - logs.exp()).pow(1.5) * smooth * logs).sum(1).mean().backward()
    for name, index in places(step):
        layer, _, part = name.rpartition(".")
        pulls = step.pulls(name, *index)
        holds(pulls, step, name, index)
        expected = apart.get_submodule(layer).own[part].grad
        np.testing.assert_allclose(
            pulls.values, expected[(slice(None), *index)].numpy(), rtol=2e-3, atol=1e-6
        )


@pytest.mark.parametrize(
    "changes",
    [{"micro_batch": 4}, {"slices": 3}, {"slices": 2, "micro_batch": 3}, {"mixup": 0.5}],
    ids=str,
)
def test_parts_slices_and_mixtures_are_added_up_as_training_adds_them(changes, photos):
    module = ours("conv 4 k3 p1, norm, relu, maxpool 3, flatten, dense", photos)
    step = taken(module, photos, replace(PLAIN, **changes))
    for name, index in places(step):
        holds(step.pulls(name, *index), step, name, index)
    mixed = [step.pulls("dense1.weight", 0, 1).largest[0].mixed_with]
    assert (mixed == [None]) == ("mixup" not in changes)


def test_a_photo_that_is_mixed_in_is_named(photos):
    step = taken(strided(), photos, replace(PLAIN, mixup=0.5))
    for each in step.pulls("1.weight", 0, 0, 0, 0).largest:
        assert each.mixed_with == step.batch.photos[(each.place + 1) % 10]


def test_a_module_in_which_photos_meet_is_not_divided(photos):
    class Meeting(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.ones(3))

        def forward(self, x):
            return (x - x.mean(0)) * self.scale

    module = nn.Sequential(pixels(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), Meeting())
    step = taken(module, photos)
    assert np.abs(step.gradients["3.scale"]).max() > 0
    with pytest.raises(LayerError, match=r"The gradient of 3 cannot be divided"):
        step.pulls("3.scale", 1)


def test_a_module_that_is_used_twice_has_both_uses(photos):
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 3, 3, padding=1)

        def forward(self, x):
            return self.conv(torch.relu(self.conv(x / 255)))

    torch.manual_seed(0)
    module = nn.Sequential(Twice(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    step = taken(module, photos)
    holds(step.pulls("0.conv.weight", 1, 2, 0, 0), step, "0.conv.weight", (1, 2, 0, 0))


def test_a_number_that_is_not_there_is_named(photos):
    step = taken(strided(), photos)
    with pytest.raises(LayerError, match=r"There is no weight '19\.weight'"):
        step.pulls("19.weight", 0)
    with pytest.raises(LayerError, match=r"1\.bias has no number at 4"):
        step.pulls("1.bias", 4)


def test_the_text_shows_the_sum(photos):
    text = str(taken(strided(), photos).pulls("9.bias", 1))
    assert text.startswith("9.bias 1: mean over 10 photos\n")
    digits = [Decimal(line.split()[-1]) for line in text.splitlines()[1:]]
    assert sum(digits[:-1]) == digits[-1]

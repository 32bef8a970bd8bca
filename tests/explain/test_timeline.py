"""timeline.py and sighting.py: many photos against one photo's trace, and against counting."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from seethrough.explain.sighting import LOGITS, Sighting, Sights, sighting, sights
from seethrough.explain.timeline import MOST_NUMBERS, num_photos, plane, since, timeline
from seethrough.explain.trace import trace


class Written(nn.Module):
    """Its ReLUs are a module, a function and a method; one of its units is dead."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, stride=2)
        self.relu = nn.ReLU(inplace=True)
        self.second = nn.Conv2d(4, 5, 3)
        self.hidden = nn.Linear(5 * 5 * 5, 6)
        self.answer = nn.Linear(6, 3)
        with torch.no_grad():
            self.first.bias[2] = -1e6

    def forward(self, images):
        seen = functional.relu(self.second(self.relu(self.first(images / 255))))
        return self.answer(self.hidden(seen.flatten(1)).relu())


@pytest.fixture
def module():
    torch.manual_seed(3)
    return Written()


@pytest.fixture
def images():
    return np.random.default_rng(2).integers(0, 256, (70, 16, 16, 3), dtype=np.uint8)


def test_many_photos_at_once_are_each_photo_by_itself(module, images):
    names = sights(module, images[0])
    seen = sighting(module, images, names)
    assert names == Sights(relus=("relu", "relu:2", "relu:3"), features="relu:3", num_features=6)
    living = {name: np.zeros_like(units) for name, units in seen.living.items()}
    for row, image in enumerate(images):
        alone = trace(module, image)
        assert seen.logits[row] == pytest.approx(alone.logits, rel=1e-4, abs=1e-5)
        assert seen.probabilities[row] == pytest.approx(alone.probabilities, rel=1e-4)
        assert seen.features[row] == pytest.approx(alone.layer("relu:3").output, rel=1e-4, abs=1e-5)
        for name in living:
            living[name] |= np.array(alone.layer(name).active_units)
    for name, units in seen.living.items():
        assert np.array_equal(units, living[name]), name
    assert not seen.living["relu"][2]
    assert all(units.any() for units in seen.living.values())


def test_looking_at_many_leaves_the_module_as_it_was(module, images):
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    module.train()
    sighting(module, images[:3], sights(module, images[0]))
    assert module.training
    assert all(not part._forward_hooks and not part._forward_pre_hooks for part in module.modules())
    assert all(torch.equal(before[name], tensor) for name, tensor in module.state_dict().items())


def test_without_a_dense_layer_the_logits_are_the_features(images):
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    names = sights(module, images[0])
    seen = sighting(module, images[:5], names)
    assert (names.features, names.num_features, names.relus) == (LOGITS, 4, ())
    assert np.array_equal(seen.features, seen.logits)


@given(
    holds=st.lists(st.lists(st.booleans(), min_size=3, max_size=3), min_size=1, max_size=8),
)
def test_since_is_the_first_moment_after_which_it_always_holds(holds):
    steps = [0, 1, 2, 4, 8, 16, 32, 64][: len(holds)]
    found = since(steps, np.array(holds))
    for column, step in enumerate(found):
        own = [row[column] for row in holds]
        from_on = [steps[at] for at in range(len(own)) if all(own[at:])]
        assert step == (min(from_on) if from_on else None)


@pytest.mark.parametrize(("photos", "features"), [(40, 6), (5, 30), (60, 200), (20, 2), (9, 1)])
def test_positions_are_the_two_directions_of_largest_variance(photos, features):
    rng = np.random.default_rng(photos)
    given_rows = rng.normal(size=(4, photos, features)) * np.geomspace(5, 0.1, features)
    given_rows = given_rows.astype(np.float32) + 3
    placed, shares = plane(given_rows)
    rows = given_rows.reshape(-1, features).astype(np.float64)
    _, sizes, directions = np.linalg.svd(rows - rows.mean(0), full_matrices=False)
    for axis in range(min(2, features)):
        own = (rows - rows.mean(0)) @ directions[axis]
        found = placed[..., axis].ravel()
        assert np.abs(found) == pytest.approx(np.abs(own), rel=1e-3, abs=1e-3)
        assert shares[axis] == pytest.approx(sizes[axis] ** 2 / (sizes**2).sum(), rel=1e-6)
    if features > 1:
        assert abs(np.corrcoef(placed[..., 0].ravel(), placed[..., 1].ravel())[0, 1]) < 1e-3
    again, _ = plane(given_rows)
    assert np.array_equal(placed, again)


def test_photos_that_never_differ_stand_in_one_place():
    placed, shares = plane(np.ones((3, 4, 5), dtype=np.float32))
    assert not placed.any()
    assert shares == (0.0, 0.0)


def seen_as(classes, living):
    logits = np.eye(3, dtype=np.float32)[classes] * 4
    return Sighting(logits=logits, features=logits, living={"relu1": np.array(living)})


def test_a_timeline_says_when_photos_were_learned_and_units_died():
    names = Sights(relus=("relu1",), features="flatten", num_features=3)
    moments = [
        seen_as([0, 0, 0, 2], [True, False, True]),
        seen_as([0, 1, 0, 1], [False, True, True]),
        seen_as([0, 1, 2, 2], [False, True, False]),
        seen_as([0, 1, 2, 1], [False, True, True]),
    ]
    told = timeline([0, 1, 2, 4], moments, names, [7, 8, 9, 11], np.array([0, 1, 2, 2]))
    assert told.learned == (0, 1, 2, None)
    assert told.died == {"relu1": (1, None, None)}
    assert told.accuracy.tolist() == [0.5, 0.5, 1.0, 0.75]
    assert told.photos == (7, 8, 9, 11)
    assert told.positions.shape == (4, 4, 2)


@given(num_features=st.integers(1, 100_000), num_moments=st.integers(1, 120))
def test_so_many_photos_are_followed_as_fit(num_features, num_moments):
    count = num_photos(num_features, num_moments)
    assert 24 <= count <= 160
    assert count == 24 or count * num_features * num_moments <= MOST_NUMBERS

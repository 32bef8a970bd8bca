"""compare: differences are the second minus the first, in the first one's order."""

import math

import numpy as np
import pytest
from tests.explain.test_matching import built, pairs

from seethrough.errors import LayerError
from seethrough.explain import compare
from seethrough.explain.compare import Beside
from seethrough.explain.matching import match


@pytest.fixture(scope="module")
def both():
    photos = np.random.default_rng(3).integers(0, 256, (3, 12, 12, 3), dtype=np.uint8)
    return pairs(built(seed=0), built(seed=1), photos)


@pytest.fixture(scope="module")
def matching(both):
    return match(both)


def test_a_difference_of_maps_is_that_of_the_matched_cells(both, matching):
    first, second = both[1]
    beside = compare.maps(first, second, matching, "relu2")
    for unit in range(5):
        partner = matching.unit("relu2", unit)
        wanted = second.layer("relu2").output[partner] - first.layer("relu2").output[unit]
        assert (beside.difference[unit] == wanted).all()
    assert beside.largest == np.abs(beside.difference).max() > 0


def test_a_difference_of_kernels_is_that_of_matched_units_and_matched_channels(both, matching):
    first, second = both[0]
    beside = compare.kernels(first, second, matching, "conv2")
    weights = [side.layer("conv2").parameters["weight"] for side in both[0]]
    for unit in range(5):
        for channel in range(6):
            partner = matching.unit("conv2", unit), matching.unit("relu1", channel)
            wanted = weights[1][partner] - weights[0][unit, channel]
            assert (beside.difference[unit, channel] == wanted).all()


def test_the_distance_is_0_of_equals_1_at_right_angles_and_root_2_of_opposites():
    one = np.array([3.0, 4.0], dtype=np.float32)
    side = np.array([-4.0, 3.0], dtype=np.float32)
    assert Beside(first=one, second=one).distance == 0
    assert Beside(first=one, second=side).distance == pytest.approx(1)
    assert Beside(first=one, second=-one).distance == pytest.approx(math.sqrt(2))
    nothing = np.full(2, np.nan, dtype=np.float32)
    assert math.isnan(Beside(first=one, second=nothing).distance)
    assert math.isnan(Beside(first=one, second=nothing).largest)


def test_probabilities_stand_side_by_side_by_the_name_of_the_class(both):
    first, _ = both[0]
    _, second = pairs(
        built(seed=0),
        built(seed=1),
        first.photo.transpose(1, 2, 0)[None].astype("uint8"),
        "abc",
        "bcd",
    )[0]
    rows = {row.label: row for row in compare.probabilities(first, second)}
    assert list(rows) == ["a", "b", "c", "d"]
    assert rows["a"].second is None
    assert rows["d"].first is None
    assert rows["a"].difference is None
    assert rows["b"].difference == pytest.approx(second.probabilities[0] - first.probabilities[1])


@pytest.mark.parametrize("layer", ["relu1", "norm1"])
def test_a_layer_without_kernels_is_named_and_those_that_have_some(both, matching, layer):
    with pytest.raises(LayerError, match=f"weights of {layer} and {layer}") as caught:
        compare.kernels(*both[0], matching, layer)
    assert "has no kernels" in caught.value.why
    assert "conv1, conv2, dense1, dense2" in caught.value.fix


def test_the_least_alike_layer_stands_first(both, matching):
    rows = compare.most_different(compare.layer_differences(*both[0], matching))
    assert {row.first for row in rows} == {"conv1", "conv2", "dense1", "dense2"}
    assert [row.similarity for row in rows] == sorted(row.similarity for row in rows)
    assert all(0 < row.distance < math.sqrt(2) for row in rows)

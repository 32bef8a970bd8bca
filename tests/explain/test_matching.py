"""matching: a network whose units were put in another order by hand is found out, unit by unit."""

import copy
from itertools import permutations

import numpy as np
import pytest
import torch
from torch import nn

from seethrough.errors import LayerError
from seethrough.explain import compare, trace
from seethrough.explain.matching import NONE, How, match
from seethrough.explain.unit_sums import assigned
from seethrough.model.build import build
from seethrough.model.spec import parse

from .conftest import ChannelsLast, Concatenating, LeNet, Residual, trained

CLASSES = ("a", "b", "c")
TEXT = "conv 6 k3 p1, norm, relu, conv 5 k3, norm, relu, maxpool 2, flatten, dense 7, relu, dense"


@pytest.fixture(scope="module")
def photos():
    return np.random.default_rng(3).integers(0, 256, (4, 12, 12, 3), dtype=np.uint8)


def built(text=TEXT, seed=0, classes=3):
    module = build(
        parse(text, name="net", image_px=12),
        num_classes=classes,
        mean=(0.4, 0.5, 0.5),
        std=(0.2, 0.3, 0.2),
        seed=seed,
    )
    torch.manual_seed(seed)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.normal_()
            part.running_var.uniform_(0.5, 2)
            nn.init.normal_(part.weight)
            nn.init.normal_(part.bias)
    return module


def permuted(module, orders):
    """The same function with the units of conv1, conv2 and dense1 in another order, by hand."""
    other = copy.deepcopy(module)
    conv1, conv2, dense1 = (torch.tensor(orders[name]) for name in ("conv1", "conv2", "dense1"))
    with torch.no_grad():
        for norm, order in ((other.norm1, conv1), (other.norm2, conv2)):
            for tensor in (norm.weight, norm.bias, norm.running_mean, norm.running_var):
                tensor.copy_(tensor[order])
        other.conv1.weight.copy_(other.conv1.weight[conv1])
        other.conv2.weight.copy_(other.conv2.weight[conv2][:, conv1])
        by_channel = other.dense1.weight.reshape(7, 5, -1)
        other.dense1.weight.copy_(by_channel[dense1][:, conv2].reshape(7, -1))
        other.dense1.bias.copy_(other.dense1.bias[dense1])
        other.dense2.weight.copy_(other.dense2.weight[:, dense1])
    return other


def pairs(first, second, photos, classes=CLASSES, others=CLASSES):
    return [
        (trace(first, photo, classes=classes), trace(second, photo, classes=others))
        for photo in photos
    ]


def orders(seed):
    rng = np.random.default_rng(seed)
    sizes = {"conv1": 6, "conv2": 5, "dense1": 7}
    return {name: rng.permutation(size) for name, size in sizes.items()}


@pytest.mark.parametrize("seed", range(4))
def test_it_finds_the_order_and_every_difference_of_kernels_and_maps_becomes_zero(photos, seed):
    module, order = built(seed=seed), orders(seed)
    assert any((order[name] != np.arange(len(order[name]))).any() for name in order)
    both = pairs(module, permuted(module, order), photos)
    found = match(both)
    for name, units in order.items():
        # place k of the other network holds unit units[k]: the partner of units[k] is k
        assert found.layer(name).units[units].tolist() == list(range(len(units)))
        assert found.layer(name).similarity == pytest.approx(1.0)
        assert found.layer(name).how is How.CORRELATION
    first, second = both[0]
    weighted = compare.weighted(first, second, found)
    assert weighted == ["conv1", "conv2", "dense1", "dense2"]
    for name in weighted:
        beside = compare.kernels(first, second, found, name)
        assert beside.first.size
        assert (beside.difference == 0).all()
        assert beside.distance == 0
    for layer in first.layers:
        beside = compare.maps(first, second, found, layer.name)
        assert np.abs(beside.difference).max() <= 1e-5 * max(1.0, np.abs(beside.first).max())
    assert found.alone == ()
    assert found.photos == len(photos)


def test_without_matching_the_same_kernels_would_differ(photos):
    module = built()
    other = permuted(module, orders(0))
    assert float((module.conv2.weight - other.conv2.weight).detach().abs().max()) > 0.1


def test_it_finds_the_order_of_a_residual_stream_and_of_a_functional_network(photos):
    large = np.random.default_rng(4).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    module = trained(Residual)
    other, order = copy.deepcopy(module), torch.tensor([3, 1, 7, 0, 2, 6, 4, 5])
    with torch.no_grad():
        for conv, norm in ((other.conv1, other.norm1), (other.conv2, other.norm2)):
            conv.weight.copy_(conv.weight[order])
            conv.weight.copy_(conv.weight[:, order] if conv is other.conv2 else conv.weight)
            for part in (norm.weight, norm.bias, norm.running_mean, norm.running_var):
                part.copy_(part[order])
        other.conv2.bias.copy_(other.conv2.bias[order])
        other.fc.weight.copy_(other.fc.weight[:, order])
    both = pairs(module, other, large, "abcd", "abcd")
    found = match(both)
    for name in compare.weighted(*both[0], found):
        assert (compare.kernels(*both[0], found, name).difference == 0).all(), name
    assert found.layer("conv2").units[order.numpy()].tolist() == list(range(8))

    module = trained(LeNet)
    other = copy.deepcopy(module)
    with torch.no_grad():
        other.conv1.weight.copy_(other.conv1.weight.flip(0))
        other.conv1.bias.copy_(other.conv1.bias.flip(0))
        other.conv2.weight.copy_(other.conv2.weight.flip(1))
    both = pairs(module, other, large, "abcd", "abcd")
    found = match(both)
    assert found.layer("conv1").units.tolist() == [5, 4, 3, 2, 1, 0]
    for name in compare.weighted(*both[0], found):
        assert (compare.kernels(*both[0], found, name).difference == 0).all(), name


def test_a_unit_that_never_fires_is_found_too(photos):
    module = built()
    with torch.no_grad():
        module.norm1.bias[2] = -1000.0
    order = orders(1)
    first, second = pairs(module, permuted(module, order), photos[:1])[0]
    assert not first.layer("relu1").output[2].any()
    found = match([(first, second)])
    assert found.layer("conv1").units[order["conv1"]].tolist() == list(range(6))


def test_one_network_at_two_moments_keeps_its_units_where_they_are(photos):
    module, order = built(), orders(0)
    both = pairs(module, permuted(module, order), photos[:1])
    found = match(both, is_one_network=True)
    for name, units in order.items():
        assert found.layer(name).units.tolist() == list(range(len(units)))
        assert found.layer(name).how is How.ITSELF
    assert found.layer("conv1").mean_similarity < 0.9
    beside = compare.kernels(*both[0], found, "conv2")
    weights = [side.layer("conv2").parameters["weight"] for side in both[0]]
    assert (beside.difference == weights[1] - weights[0]).all()


def test_the_correlation_is_numpy_s_over_all_cells_of_all_photos(photos):
    first, second = built(seed=0), built(seed=1)
    both = pairs(first, second, photos)
    found = match(both)
    rows = [
        np.concatenate([side.layer("norm2").output.reshape(5, -1) for side in sides], axis=1)
        for sides in zip(*both, strict=True)
    ]
    table = np.corrcoef(rows[0].astype(float), rows[1].astype(float))[:5, 5:]
    conv2 = found.layer("conv2")
    assert conv2.measured_at == "norm2"
    assert conv2.similarity == pytest.approx(table[np.arange(5), conv2.units], abs=1e-9)
    best = max(permutations(range(5)), key=lambda order: table[np.arange(5), order].sum())
    assert conv2.units.tolist() == list(best)
    assert found.layer("relu2").units.tolist() == found.layer("pool1").units.tolist() == list(best)
    assert conv2.mean_similarity == pytest.approx(conv2.similarity.mean())


def test_flattened_numbers_follow_their_channel(photos):
    first, second = built(seed=0), built(seed=1)
    found = match(pairs(first, second, photos))
    conv2, flat = found.layer("conv2"), found.layer("flatten")
    cells = len(flat.units) // 5
    for unit in range(5):
        partner = conv2.units[unit]
        assert flat.units[unit * cells : (unit + 1) * cells].tolist() == list(
            range(partner * cells, (partner + 1) * cells)
        )


def test_classes_are_matched_by_name_and_colours_by_colour(photos):
    module = built()
    both = pairs(module, module, photos[:1], ("a", "b", "c"), ("c", "x", "a"))
    found = match(both)
    assert found.layer("dense2").units.tolist() == [2, NONE, 0]
    assert found.layer("softmax").units.tolist() == [2, NONE, 0]
    assert found.layer("softmax").how is found.layer("dense2").how is How.CLASSES
    assert found.layer("softmax").alone_in_second == (1,)
    assert found.layer("normalise").how is How.COLOURS
    with pytest.raises(LayerError, match="dense2, unit 1 has no partner"):
        found.unit("dense2", 1)


def test_a_wider_network_keeps_units_for_itself_and_says_so(photos):
    wider = built(TEXT.replace("conv 6", "conv 9").replace("dense 7", "dense 4"), seed=2)
    both = pairs(built(), wider, photos)
    found = match(both)
    conv1 = found.layer("conv1")
    assert sorted(set(conv1.units)) == sorted(conv1.units)
    assert NONE not in conv1.units
    assert len(conv1.alone_in_second) == 3
    assert (found.layer("dense1").units == NONE).sum() == 3
    beside = compare.kernels(*both[0], found, "dense2")
    assert np.isnan(beside.second).any()
    assert np.isfinite(beside.second).any()
    rows = compare.layer_differences(*both[0], found)
    assert [row.why is None for row in rows] == [True, True, False, False]


def test_a_deeper_network_is_compared_as_far_as_both_go_and_says_where_it_ends(photos):
    deeper = built(
        "conv 6 k3 p1, norm, relu, conv 5 k5, norm, relu, conv 4 k3 p1, relu, maxpool 2, flatten, "
        "dense 7, gelu, dense"
    )
    both = pairs(built(), deeper, photos)
    found = match(both)
    alone = {(one.layer, one.is_first): one.why for one in found.alone}
    assert ("conv3", False) in alone
    assert ("gelu1", False) in alone
    with pytest.raises(LayerError, match="weights of conv2 and conv2 cannot be compared") as caught:
        compare.kernels(*both[0], found, "conv2")
    assert "3 × 3 and 5 × 5" in caught.value.why
    with pytest.raises(LayerError, match="maps of conv2 and conv2 differ in size"):
        compare.maps(*both[0], found, "conv2")
    with pytest.raises(LayerError, match="conv7 has no partner"):
        found.layer("conv7")
    rows = {row.first: row for row in compare.layer_differences(*both[0], found)}
    assert rows["conv2"].distance is None
    assert "differ in size" in rows["conv2"].why
    assert rows["conv2"].similarity is not None  # by the means of the maps


def test_networks_that_share_no_name_are_paired_by_kind_and_order(photos):
    named = built("conv 4 k3, relu, maxpool 2, flatten, dense")
    plain = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(100, 3)
    )
    found = match(pairs(named, plain, photos[:2]))
    assert [(one.first, one.second) for one in found.layers if one.kind == "conv"] == [
        ("conv1", "0")
    ]
    assert found.layer("dense1").second == "4"


def test_kernels_that_are_read_in_groups_are_not_subtracted(photos):
    large = np.random.default_rng(4).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    for make, layer in ((ChannelsLast, "depthwise"), (Concatenating, "pointwise")):
        both = pairs(trained(make), trained(make), large, "abcd", "abcd")
        found = match(both)
        beside = compare.kernels(*both[0], found, layer)
        assert (beside.difference == 0).all()
        assert all(one.why is None for one in found.layers if one.kind in {"concat", "add"})


def test_nothing_to_look_at_is_an_error_that_says_what_to_give():
    with pytest.raises(LayerError, match="no photo to compare"):
        match([])


def test_what_is_constant_is_assigned_what_is_left():
    table = np.array([[np.nan, 0.2], [np.nan, 0.9]])
    assert assigned(table).tolist() == [0, 1]

"""shapes.py against its own definition, against torch, and against what gradients reach."""

import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.model.networks import drafts, fitting
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from seethrough.errors import LayerError, ShapeError
from seethrough.model.build import build
from seethrough.model.presets import preset
from seethrough.model.shapes import View, Window, measure, sees, slide
from seethrough.model.spec import AvgPool, Conv, MaxPool, NetworkSpec, parse

windows = st.integers(1, 5).flatmap(
    lambda kernel: st.builds(
        Window,
        layer=st.just("conv"),
        kernel=st.just(kernel),
        stride=st.integers(1, 3),
        pad=st.integers(0, kernel - 1),
        dilation=st.integers(1, 2),
    )
)


@given(image_px=st.integers(120, 150), stack=st.lists(windows, max_size=3))
def test_each_view_is_what_sliding_windows_touch(image_px, stack):
    # Every cell as the set of pixels that it reads; padding is pixels outside of the image.
    view = View(image_px)
    cells = {pixel: {pixel} for pixel in range(-200, image_px + 200)}
    for window in stack:
        size = view.size
        view = slide(view, window)
        offsets = [window.dilation * step for step in range(window.kernel)]
        first = {
            cell: [cell * window.stride - window.pad + offset for offset in offsets]
            for cell in range(-20, size + 20)
        }
        inside = [
            cell
            for cell, reads in first.items()
            if reads[0] >= -window.pad and reads[-1] < size + window.pad
        ]
        assert inside == list(range(view.size))
        cells = {
            cell: set().union(*(cells[read] for read in reads))
            for cell, reads in first.items()
            if all(read in cells for read in reads)
        }
        assert view.start == min(cells[0])
        assert view.reach == max(cells[0]) - min(cells[0]) + 1
        assert view.jump == min(cells[1]) - min(cells[0])


@settings(max_examples=40, deadline=None)
@given(drafts())
def test_sizes_and_counts_are_those_of_torch(draft):
    spec = fitting(draft)
    network = build(spec, num_classes=3, mean=(0.5,) * 3, std=(0.2,) * 3, seed=0).eval()
    sizes = measure(spec, 3)
    flowing = torch.zeros(1, 3, spec.image_px, spec.image_px)
    for size, (name, layer) in zip(sizes, network.named_children(), strict=False):
        with FlopCounterMode(display=False) as counter:
            flowing = layer(flowing)
        assert size.name == name
        assert size.shape == tuple(flowing.shape[1:])
        assert size.parameters == sum(tensor.numel() for tensor in layer.parameters())
        assert 2 * size.multiply_adds == counter.get_total_flops()
    assert len(sizes) == len(network) + 1
    assert sizes[-1].name == "softmax"
    assert sizes[-1].shape == (3,)


def test_multiply_adds_are_counted_one_by_one():
    spec = parse("conv 2 k2 s2 p1, flatten, dense 3, dense", image_px=5)
    conv, dense = 0, 0
    for _unit in range(2):
        for _row in range(3):  # (5 + 2 − 2) // 2 + 1
            for _column in range(3):
                for _channel in range(3):
                    conv += 2 * 2
    for _unit in range(3):
        for _input in range(2 * 3 * 3):
            dense += 1
    counts = {size.name: size.multiply_adds for size in measure(spec, 4)}
    assert counts["conv1"] == conv
    assert counts["dense1"] == dense
    assert counts["dense2"] == 3 * 4


def _averaging(spec: NetworkSpec) -> nn.Module:
    """The network's windows with equal weights: its gradient is not 0 where a cell sees a pixel."""
    layers: list[nn.Module] = []
    for layer in spec.layers:
        if isinstance(layer, Conv | MaxPool | AvgPool):
            layers.append(nn.AvgPool2d(layer.kernel, layer.stride, 0))
            pad = layer.pad
            layers.insert(-1, nn.ConstantPad2d(pad, 0.0))
    return nn.Sequential(*layers).double()


@settings(max_examples=50, deadline=None)
@given(drafts(), st.data())
def test_a_cell_sees_exactly_the_pixels_that_its_gradient_reaches(draft, data):
    spec = fitting(draft)
    sizes = [size for size in measure(spec, 3) if len(size.shape) == 3]
    last = sizes[-1]
    row = data.draw(st.integers(0, last.shape[1] - 1))
    column = data.draw(st.integers(0, last.shape[2] - 1))
    image = torch.ones(1, 1, spec.image_px, spec.image_px, dtype=torch.float64, requires_grad=True)
    _averaging(spec)(image)[0, 0, row, column].backward()
    reached = image.grad[0, 0].nonzero()
    top, left = reached.min(dim=0).values.tolist()
    bottom, right = (reached.max(dim=0).values + 1).tolist()
    assert sees(sizes, last.name, row, column, spec.image_px) == (top, left, bottom, right)


@settings(max_examples=40, deadline=None)
@given(drafts())
def test_after_flatten_a_layer_sees_what_all_cells_of_the_last_map_see(draft):
    spec = fitting(draft)
    sizes = measure(spec, 3)
    last = [size for size in sizes if len(size.shape) == 3][-1]
    boxes = [
        sees(sizes, last.name, row, column, spec.image_px)
        for row in range(last.shape[1])
        for column in range(last.shape[2])
    ]
    whole = (min(b[0] for b in boxes), min(b[1] for b in boxes))
    whole += (max(b[2] for b in boxes), max(b[3] for b in boxes))
    for name in ("flatten", "softmax"):
        assert sees(sizes, name, None, None, spec.image_px) == whole


def test_the_receptive_field_of_the_demo_is_49_px():
    # Each window adds (kernel - 1) times the jump below it: 2·1, then at jump 2 and 4
    # two convolutions and a pooling each, then 2·8.
    sizes = {size.name: size for size in measure(preset("demo"), 6)}
    assert sizes["conv1"].reach == 1 + 2
    assert sizes["conv2"].reach == 1 + 2 + 2 * 2
    assert sizes["conv6"].reach == 1 + 2 + (2 + 2 + 1) * (2 + 4) + 2 * 8 == 49
    assert sizes["flatten"].reach is None
    assert sizes["normalise"].reach == 1


def test_a_window_wider_than_its_map_names_the_layer_and_a_way_out():
    spec = parse("maxpool 2, maxpool 2, conv 8 k5, flatten, dense", image_px=16)
    what = re.escape("conv1: a window of 5 does not fit a map of 4.")
    with pytest.raises(ShapeError, match=what) as caught:
        measure(spec, 3)
    assert "4 × 4 cells" in caught.value.why
    assert "drop a pooling or a stride before conv1" in caught.value.fix


def test_padding_counts_as_room_for_a_window():
    spec = parse("conv 8 k5 p1, flatten, dense", image_px=2)
    with pytest.raises(ShapeError, match="a window of 5 does not fit a map of 4") as caught:
        measure(spec, 3)
    assert "1 of padding" in caught.value.why
    assert measure(parse("conv 8 k5 p2, flatten, dense", image_px=2), 3)[1].shape == (8, 2, 2)


def test_a_last_layer_with_another_number_than_the_classes_is_refused():
    spec = parse("flatten, dense 10")
    assert measure(spec, 10)[-1].shape == (10,)
    with pytest.raises(ShapeError, match="dense1 has 10 units, and there are 3 classes") as caught:
        measure(spec, 3)
    assert "without a number" in caught.value.fix


@pytest.mark.parametrize("num_classes", [-1, 0, 1])
def test_fewer_than_two_classes_are_refused(num_classes):
    with pytest.raises(ShapeError, match=f"{num_classes} classes cannot be told apart"):
        measure(preset("demo"), num_classes)


def test_a_network_too_large_for_the_memory_is_refused_before_it_exists():
    # 60 · 3 weights, then 65,536 units with 60 · 32² inputs and a bias each
    assert 60 * 3 + 65_536 * (60 * 32**2 + 1) == 4_026_597_556
    with pytest.raises(ShapeError, match=r"dense1: .* 4,026,597,556 parameters"):
        measure(parse("conv 60 k1 nobias, flatten, dense 65536, dense", image_px=32), 2)
    with pytest.raises(ShapeError, match=r"conv1: .* cells"):
        measure(parse("conv 4096 k1, maxpool 63, flatten, dense", image_px=512), 2)


@pytest.mark.parametrize(
    ("layer", "row", "column", "message"),
    [
        ("conv9", 0, 0, "no layer 'conv9'"),
        ("conv1", 32, 0, "conv1 has no row 32"),
        ("conv1", 0, -1, "conv1 has no column -1"),
        ("conv1", None, 0, "conv1 has no row None"),
        ("dense1", 0, 0, "dense1 has no rows and columns"),
    ],
)
def test_a_cell_that_does_not_exist_is_refused(layer, row, column, message):
    with pytest.raises(LayerError, match=message):
        sees(measure(preset("demo"), 6), layer, row, column, 32)

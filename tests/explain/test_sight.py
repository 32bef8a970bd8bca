"""What a cell sees, against brute force: light one pixel after another and look who notices."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from seethrough.explain import trace

PX = 11
KINDS = ("conv", "max", "avg", "depthwise")


@st.composite
def windows(draw):
    kind = draw(st.sampled_from(KINDS))
    kernel, stride = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    pad = draw(st.integers(0, kernel // 2))
    if kind == "max":
        return nn.MaxPool2d(kernel, stride, pad)
    if kind == "avg":
        return nn.AvgPool2d(kernel, stride, pad)
    dilation = draw(st.integers(1, 2))
    groups = 3 if kind == "depthwise" else 1
    return nn.Conv2d(3, 3, kernel, stride, pad, dilation, groups)


def lit(module, unit, row, column, px=PX):
    """Top, left, bottom, right of the pixels that brighten this cell when they are lit, alone."""
    photos = torch.zeros(px * px, 3, px, px)
    places = torch.arange(px * px)
    photos[places, :, places // px, places % px] = 255.0
    with torch.no_grad():
        cell = module(photos)[:, unit, row, column].reshape(px, px)
        dark = module(torch.zeros(1, 3, px, px))[0, unit, row, column]
    rows, columns = np.nonzero((cell > dark * (1 + 1e-5) + 1e-5).numpy())
    if not len(rows):
        return (0, 0, 0, 0)
    return (rows.min(), columns.min(), rows.max() + 1, columns.max() + 1)


def positive(module):
    """Every lit pixel must show: no weight may take away what another gives."""
    for parameter in module.parameters():
        nn.init.uniform_(parameter, 0.5, 1.5)
    return module.eval()


def answering(body):
    return nn.Sequential(body, nn.AdaptiveAvgPool2d(1), nn.Flatten())


@settings(deadline=None, max_examples=50)
@given(st.lists(windows(), min_size=1, max_size=3), st.integers(0, 999))
def test_a_cell_sees_exactly_the_pixels_that_can_change_it(layers, seed):
    body = positive(nn.Sequential(*layers))
    try:
        shape = body(torch.zeros(1, 3, PX, PX)).shape
    except RuntimeError:
        return  # the windows do not fit
    cell = tuple(int(np.random.default_rng(seed).integers(size)) for size in shape[1:])
    seen = trace(answering(body), np.zeros((PX, PX, 3), np.uint8))
    layer = f"0.{len(layers) - 1}"
    found = seen.sees(layer, *cell[1:], unit=cell[0])
    assert found == lit(body, *cell)
    assert seen.equation(layer, *cell).sees == found


class Branches(nn.Module):
    def __init__(self):
        super().__init__()
        self.near, self.far = nn.Conv2d(3, 2, 1), nn.Conv2d(3, 2, 5, padding=2)
        self.down = nn.Conv2d(4, 4, 2, stride=2, groups=2)

    def forward(self, x):
        both = torch.cat([self.near(x), self.far(x)], 1)
        return self.down(both), both


@pytest.mark.parametrize("unit", range(4))
def test_branches_are_followed_channel_by_channel(unit):
    body = positive(Branches())

    class Whole(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = body

        def forward(self, x):
            return self.body(x)[0].mean((2, 3))

    seen = trace(Whole(), np.zeros((PX, PX, 3), np.uint8))
    wanted = lit(lambda x: body(x)[0], unit, 2, 3)
    assert seen.sees("body.down", 2, 3, unit=unit) == wanted
    assert wanted[2] - wanted[0] == (2 if unit < 2 else 6)
    assert seen.sees("body.down", 2, 3) == lit(lambda x: body(x)[0], 3, 2, 3)  # of all units


def test_flattened_and_dense_numbers_know_their_pixels():
    module = positive(nn.Sequential(nn.Conv2d(3, 2, 3), nn.Flatten(), nn.Linear(162, 2)))
    seen = trace(module, np.zeros((PX, PX, 3), np.uint8))
    flat = lit(lambda x: module[:2](x)[:, :, None, None], 100, 0, 0)
    assert seen.equation("1", 100).sees == flat
    assert seen.equation("1", 100).sees == seen.sees("0", (100 - 81) // 9, (100 - 81) % 9)
    assert seen.equation("2", 0).sees == (0, 0, PX, PX)
    assert seen.equation("softmax", 0).sees == (0, 0, PX, PX)


def test_adaptive_windows_and_moved_cells_are_followed():
    class Moving(nn.Module):
        def __init__(self):
            super().__init__()
            self.pool, self.fc = nn.AdaptiveAvgPool2d((4, 3)), nn.Linear(3, 2)

        def forward(self, x):
            return self.fc(self.turned(x).mean((2, 3)))

        def turned(self, x):
            return self.pool(x[:, :, 2:, :].flip(3)).transpose(2, 3)

    module = Moving()
    seen = trace(module, np.zeros((PX, PX, 3), np.uint8))
    name = next(layer.name for layer in seen.layers if layer.text == "transpose")
    for row, column in np.ndindex(3, 4):
        assert seen.equation(name, 1, row, column).sees == lit(module.turned, 1, row, column)

"""Pooling against autograd: a gradient goes to the winner, and 1/n of it to each cell of a mean."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn

from seethrough.explain import trace


class Pooled(nn.Module):
    def __init__(self, pool):
        super().__init__()
        self.pool, self.fc = pool, nn.Linear(3, 2)

    def forward(self, x):
        return self.fc(self.pool(x).mean((2, 3)))


def photo_of(seed, size=(7, 8)):
    return np.random.default_rng(seed).integers(0, 9, (*size, 3), dtype=np.uint8)  # many ties


pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))


@st.composite
def pools(draw):
    kernel, stride = draw(pairs), draw(st.none() | pairs)
    padding = draw(st.tuples(st.integers(0, kernel[0] // 2), st.integers(0, kernel[1] // 2)))
    ceil_mode = draw(st.booleans())
    if draw(st.booleans()):
        dilation = draw(st.integers(1, 2))
        return nn.MaxPool2d(kernel, stride, padding, dilation, ceil_mode=ceil_mode)
    return nn.AvgPool2d(
        kernel,
        stride,
        padding,
        ceil_mode=ceil_mode,
        count_include_pad=draw(st.booleans()),
        divisor_override=draw(st.none() | st.integers(1, 9)),
    )


def check_against_autograd(seen, pool, unit, row, column):
    below = torch.from_numpy(seen.photo)[None].requires_grad_()
    output = pool(below)
    (slope,) = torch.autograd.grad(output[0, unit, row, column], below)
    equation = seen.equation("pool", unit, row, column)
    found = np.zeros(slope.shape[1:])
    for term in equation.terms:
        if not term.is_padding:
            found[term.channel, term.row, term.column] += term.weight
        assert term.channel == unit
    np.testing.assert_allclose(found, slope[0].numpy(), rtol=1e-6)
    assert equation.framework == output[0, unit, row, column].item()
    assert equation.relative_difference < 1e-6
    assert equation.adds_up
    return equation


@settings(deadline=None, max_examples=60)
@given(pools(), st.integers(0, 999))
def test_any_pooling_weighs_its_cells_as_the_framework_does(pool, seed):
    photo = photo_of(seed)
    try:
        seen = trace(Pooled(pool), photo)
    except RuntimeError:
        assume(False)  # the dilated window does not fit
    unit, row, column = (
        int(np.random.default_rng(seed).integers(size)) for size in seen.layer("pool").map_shape
    )
    check_against_autograd(seen, pool, unit, row, column)


@pytest.mark.parametrize("ceil_mode", [False, True])
@pytest.mark.parametrize("counts_padding", [False, True])
@pytest.mark.parametrize("divisor", [None, 5])
def test_every_border_cell_of_a_padded_mean_counts_as_it_was_told(
    ceil_mode, counts_padding, divisor
):
    pool = nn.AvgPool2d(
        3, 2, 1, ceil_mode=ceil_mode, count_include_pad=counts_padding, divisor_override=divisor
    )
    seen = trace(Pooled(pool), photo_of(2))
    _, rows, columns = seen.layer("pool").map_shape
    for row, column in np.ndindex(rows, columns):
        check_against_autograd(seen, pool, 1, row, column)


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 7), st.integers(1, 8), st.booleans(), st.integers(0, 999))
def test_adaptive_pooling_cuts_the_map_as_the_framework_does(rows, columns, is_max, seed):
    pool = (nn.AdaptiveMaxPool2d if is_max else nn.AdaptiveAvgPool2d)((rows, columns))
    seen = trace(Pooled(pool), photo_of(seed))
    check_against_autograd(seen, pool, seed % 3, seed % rows, seed % columns)


def test_of_equals_the_first_wins():
    seen = trace(Pooled(nn.MaxPool2d(2)), np.full((4, 4, 3), 9, np.uint8))
    equation = check_against_autograd(seen, nn.MaxPool2d(2), 1, 1, 0)
    assert [term.is_winner for term in equation.terms] == [True, False, False, False]
    assert [(term.row, term.column) for term in equation.terms] == [(2, 0), (2, 1), (3, 0), (3, 1)]


def test_the_winners_digits_are_those_of_the_result():
    class Small(nn.Module):
        def __init__(self):
            super().__init__()
            self.pool, self.fc = nn.MaxPool2d(2), nn.Linear(3, 2)

        def forward(self, x):
            return self.fc(self.pool(x / 777).mean((2, 3)))

    seen = trace(Small(), photo_of(8))
    for row, column in np.ndindex(3, 4):
        equation = seen.equation("pool", 1, row, column)
        (winner,) = [term for term in equation.terms if term.is_winner]
        assert winner.shown_input == winner.shown_product == equation.shown_sum
        assert winner.shown_weight == "1"
        digits = {len(term.shown_input) for term in equation.terms}
        assert digits == {len(equation.shown_sum)}


def test_padding_never_wins_even_against_negative_numbers():
    class Negative(nn.Module):
        def __init__(self):
            super().__init__()
            self.pool, self.fc = nn.MaxPool2d(3, 1, 1), nn.Linear(3, 2)

        def forward(self, x):
            return self.fc(self.pool(-1 - x).mean((2, 3)))

    seen = trace(Negative(), photo_of(1))
    equation = seen.equation("pool", 0, 0, 0)
    assert sum(term.is_padding for term in equation.terms) == 5
    assert sum(term.is_winner for term in equation.terms) == 1
    assert not any(term.is_padding and term.is_winner for term in equation.terms)
    assert equation.sum == float(seen.layer("pool").output[0, 0, 0]) < 0
    assert ": the largest of 4 numbers of " in equation.sentence


@pytest.mark.parametrize(
    ("pool", "kind"),
    [
        (nn.AdaptiveAvgPool2d(1), "global_avg_pool"),
        (lambda x: x.mean((2, 3), keepdim=True), "global_avg_pool"),
        (lambda x: torch.mean(x, dim=[-1, -2], keepdim=True), "global_avg_pool"),
        (lambda x: F.adaptive_max_pool2d(x, 1), "global_max_pool"),
        (lambda x: x.amax((2, 3), keepdim=True), "global_max_pool"),
        (lambda x: F.max_pool2d(x, 2, return_indices=True)[0], "max_pool"),
        (lambda x: F.adaptive_avg_pool2d(x, (2, 3)), "adaptive_avg_pool"),
    ],
)
def test_all_ways_to_write_a_pooling_are_recognised(pool, kind):
    class Way(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(3, 2)

        def forward(self, x):
            return self.fc(pool(x).mean((2, 3)))

    seen = trace(Way(), photo_of(3))
    layer = seen.layers[0]
    assert layer.kind == kind
    equation = seen.equation(layer.name, 2, 0, 0)
    assert equation.relative_difference < 1e-6
    assert len(equation.terms) == (4 if kind == "max_pool" else len(equation.terms))

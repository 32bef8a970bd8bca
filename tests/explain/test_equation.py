"""Equations: their steps, their texts, their errors, and the message they travel in."""

import json
import math
from dataclasses import fields

import numpy as np
import pytest
import torch
from torch import nn

from seethrough.errors import LayerError
from seethrough.explain import ChannelSum, Equation, EquationStep, Term, trace
from seethrough.explain.verify import reads_true
from seethrough.serve import wire


def cells(layer, count, seed=0):
    random = np.random.default_rng(seed)
    for _ in range(count):
        unit, row, column = (int(random.integers(size)) for size in layer.map_shape)
        yield (unit,) if layer.output.ndim == 1 else (unit, row, column)


def test_every_layer_of_every_stranger_is_recomputed_and_reads_true(stranger, photo):
    seen = trace(stranger, photo)
    for layer in seen.layers:
        assert layer.known, layer.text
        for cell in cells(layer, 5):
            equation = seen.equation(layer.name, *cell)
            assert equation.worst_difference < 1e-6, (layer.name, cell)
            assert equation.adds_up
            assert reads_true(equation)
            after = equation.steps[-1].framework if equation.steps else equation.framework
            assert equation.activation == pytest.approx(after, rel=1e-4, abs=1e-4)


def test_steps_follow_while_each_reads_just_the_one_before(residual, photo):
    seen = trace(residual, photo)
    first = seen.equation("conv1", 3, 10, 12)
    assert [(step.layer, step.kind) for step in first.steps] == [
        *(("norm1", "norm"), ("relu", "relu")),
    ]  # relu is read twice, by conv2 and by add, but it is a step itself
    assert [step.layer for step in seen.equation("conv2", 3, 10, 12).steps] == ["norm2", "relu:2"]
    assert seen.equation("fc", 0).steps == ()
    for step, name in zip(first.steps, ("norm1", "relu"), strict=True):
        assert step.framework == float(seen.layer(name).output[3, 10, 12])
        assert step.difference == step.value - step.framework
    assert first.activation == first.steps[-1].value


def test_a_layer_with_two_readers_ends_the_steps(photo):
    class Forked(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.fc = nn.Conv2d(3, 4, 3), nn.Linear(4, 2)

        def forward(self, x):
            y = self.conv(x)
            return self.fc((y.relu() + y.sigmoid()).mean((2, 3)))

    assert trace(Forked(), photo).equation("conv", 0, 0, 0).steps == ()


def test_the_digits_that_leave_one_step_enter_the_next(residual, photo):
    seen = trace(residual, photo)
    for unit in range(8):
        equation = seen.equation("conv1", unit, 4, 30)
        norm, relu = (step.shown for step in equation.steps)
        assert norm.startswith(f"{equation.shown_sum} × ")
        left, _, folded = norm.partition("; ")
        assert left.split(" ≈ ")[1] == folded.split(" ")[0]
        assert relu == f"max(0, {folded.split(' = ')[1]}) = {equation.shown_activation}"


def test_the_sum_is_a_fresh_one_and_not_the_frameworks(residual, photo):
    """A framework's number that is wrong must show: here its tensor is changed after the fact."""
    seen = trace(residual, photo)
    right = seen.equation("conv1", 2, 5, 6)
    seen.layer("conv1").output[2, 5, 6] += 0.5
    wrong = seen.equation("conv1", 2, 5, 6)
    assert wrong.sum == right.sum
    assert wrong.difference == pytest.approx(-0.5, abs=1e-4)
    assert wrong.relative_difference > 1e-3


def test_numbers_that_are_not_finite_are_shown_and_do_not_add_up(photo):
    module = nn.Sequential(nn.Conv2d(3, 2, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    with torch.no_grad():
        module[0].weight[0, 0] = math.nan
        module[0].weight[1, 0] = math.inf
    seen = trace(module, photo)
    for unit in (0, 1):
        equation = seen.equation("0", unit, 3, 4)
        assert not equation.adds_up
        assert not reads_true(equation)
        assert not equation.worst_difference <= 1e-5
        assert math.isnan(equation.sum) or math.isinf(equation.sum)
        assert str(equation)


# ---------------------------------------------------------------- the message


def test_an_equation_is_the_servers_message_field_by_field(stranger, photo):
    seen = trace(stranger, photo)
    for layer in seen.layers:
        (cell,) = cells(layer, 1)
        equation = seen.equation(layer.name, *cell)
        plain = json.loads(json.dumps(equation.to_dict()))
        message = wire.EquationMessage(**plain)
        assert message.model_dump() == plain
        assert list(plain) == [name for name in wire.EquationMessage.model_fields if name in plain]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(Term, "TermMessage"), (ChannelSum, "ChannelSum"), (EquationStep, "EquationStep")],
)
def test_the_pieces_have_the_fields_of_their_messages(ours, theirs):
    assert [item.name for item in fields(ours)] == list(getattr(wire, theirs).model_fields)


def test_the_three_fields_that_do_not_travel_are_for_the_check_alone():
    ours = {item.name for item in fields(Equation)}
    assert ours - set(wire.EquationMessage.model_fields) == {
        "magnitude",
        "tiny",
        "step_differences",
    }


def test_the_servers_message_of_a_layer_can_be_filled(concatenating, photo):
    for layer in trace(concatenating, photo).layers:
        wire.TracedLayerMessage(
            name=layer.name,
            kind=layer.kind,
            text=layer.text,
            shape=list(layer.shape),
            offset=0,
            minimum=layer.minimum,
            maximum=layer.maximum,
            inputs=list(layer.inputs),
            parameters=layer.num_parameters,
            receptive_field_px=layer.receptive_field_px,
            known=layer.known,
            active_units=list(layer.active_units),
        )


# ---------------------------------------------------------------- texts


def test_the_sentence_says_the_whole_equation(residual, photo):
    equation = trace(residual, photo).equation("conv2", 1, 0, 31)
    assert equation.sentence == (
        f"conv2, unit 1, row 0, column 31: 72 products over 8 channels and the bias "
        f"{equation.shown_bias} make {equation.shown_sum}. Then norm2: {equation.steps[0].shown}. "
        f"Then relu:2: {equation.steps[1].shown}."
    )


SENTENCES = {
    "scale": "{input} of photo × 0.003922 is {sum}",
    "conv1": "75 products over 3 channels and the bias {bias} make {sum}",
    "relu": "{sum} of conv1",
    "max_pool": "the largest of 4 numbers of relu is {sum}",
    "flatten": "channel 2, row 3, column 1 of max_pool:2, which is {sum}",
    "fc2": "20 products over 20 channels and the bias {bias} make {sum}",
    "softmax": "e^(logit - {largest}) of all 4 logits make {sum}",
}


@pytest.mark.parametrize("name", SENTENCES)
def test_every_kind_has_its_own_sentence(lenet, photo, name):
    seen = trace(lenet, photo)
    cell = (2, 3, 1) if seen.layer(name).output.ndim == 3 else (66 if name == "flatten" else 2,)
    equation = seen.equation(name, *cell)
    said = SENTENCES[name].format(
        input=equation.terms[0].shown_input,
        bias=equation.shown_bias,
        sum=equation.shown_sum,
        largest=max(equation.terms, key=lambda term: term.input).shown_input,
    )
    assert equation.sentence.partition(": ")[2].startswith(f"{said}.")


def test_the_printed_equation_has_the_largest_channels_and_folds_the_rest(residual, photo):
    equation = trace(residual, photo).equation("conv2", 1, 0, 31)
    text = str(equation)
    assert text.startswith(f"conv2, unit 1, row 0, column 31: {equation.shown_activation}\n")
    order = [line.split()[0] for line in text.splitlines() if line.startswith("  #")]
    assert order == [f"#{channel.channel}" for channel in equation.channels[:3]]
    assert "5 more channels, 45 products" in text
    assert "the digits add up as displayed" in text
    assert text.count("·") == 3 * 5  # five padded cells in each window that is drawn
    assert max(map(len, text.splitlines())) <= 100


@pytest.mark.parametrize("kernel", [1, 2, 3, 5, 7, 9])
def test_a_printed_equation_is_never_wider_than_a_terminal(kernel, photo):
    conv = nn.Conv2d(3, 2, kernel, stride=2, padding=kernel // 2)
    module = nn.Sequential(conv, nn.AdaptiveAvgPool2d(1), nn.Flatten())
    lines = str(trace(module, photo).equation("0", 1, 5, 5)).splitlines()
    assert max(map(len, lines)) <= 110
    factors = [line for line in lines[2:] if "×" in line]
    assert len(factors) == (24 if kernel == 9 else 3)  # the largest eight of each channel, or grids


def test_the_right_column_of_the_printed_equation_adds_up(residual, photo):
    seen = trace(residual, photo)
    for unit in range(8):
        text = str(seen.equation("conv2", unit, 7, 9))
        numbers = {}
        for line in text.splitlines():
            words = line.split()
            if words and (line.startswith(("  #", "  bias", "  sum")) or "more channels" in line):
                numbers.setdefault("sum" if words[0] == "sum" else "parts", []).append(words[-1])
        digits = [round(float(number) * 10**4) for number in numbers["parts"]]
        assert sum(digits) == round(float(numbers["sum"][0]) * 10**4)


@pytest.mark.parametrize("layer", ["relu", "max_pool", "tanh", "flatten", "fc1", "fc2", "softmax"])
def test_every_kind_prints(lenet, photo, layer):
    seen = trace(lenet, photo)
    (cell,) = cells(seen.layer(layer), 1)
    text = str(seen.equation(layer, *cell))
    assert text.startswith(f"{layer}, unit {cell[0]}")
    assert ("recomputed; differs from" in text) or ("recomputed; equal to" in text)


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (("conv7", 0, 0, 0), "There is no layer 'conv7'"),
        (("conv1", 8, 0, 0), "conv1 has no unit 8"),
        (("conv1", -1, 0, 0), "conv1 has no unit -1"),
        (("conv1", 0, 32, 0), "conv1 has no row 32"),
        (("conv1", 0, 0, -1), "conv1 has no column -1"),
        (("conv1", 0), "conv1 needs a row and a column"),
        (("conv1", 0, 3), "conv1 needs a row and a column"),
        (("fc", 0, 1, 0), "fc has no row 1, column 0"),
    ],
)
def test_a_cell_that_does_not_exist_is_answered_with_the_range(residual, photo, asked, message):
    with pytest.raises(LayerError, match=message) as caught:
        trace(residual, photo).equation(*asked)
    assert caught.value.fix


def test_a_map_of_one_cell_needs_no_row_and_column(concatenating, photo):
    seen = trace(concatenating, photo)
    equation = seen.equation("global_avg_pool", 2)
    assert (equation.row, equation.column) == (0, 0)
    assert seen.equation("fc", 1, 0, 0).row is None

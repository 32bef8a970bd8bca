"""verify: it visits every layer, and it notices what is wrong."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from seethrough.errors import LayerError
from seethrough.explain import backward, trace, verify
from seethrough.explain.reading import reads_true
from seethrough.explain.verify import difference_of


@pytest.fixture
def equation(residual, photo):
    return trace(residual, photo).equation("conv2", 3, 10, 12)


def test_random_cells_of_every_stranger_hold(stranger, photo):
    photos = np.stack([photo, photo[::-1], photo[:, ::-1]])
    found = verify(stranger, photos, cells=60)
    assert found.cells == 60
    assert found.forward_worst < 1e-6
    assert found.adds_up == 1
    assert found.wrong == ()
    assert found.unknown == ()
    assert list(found.layers) == [layer.name for layer in trace(stranger, photo).layers]
    assert max(found.layers.values()) == max(found.kinds.values()) == found.forward_worst


def test_every_layer_is_visited_even_where_fewer_cells_were_asked_for(residual, photo):
    found = verify(residual, [photo], cells=1)
    assert found.cells == len(found.layers) == 13


def test_the_seed_alone_chooses_the_cells(residual, photo):
    once, again, other = (verify(residual, [photo], cells=26, seed=seed) for seed in (5, 5, 6))
    assert once == again
    assert once.layers != other.layers


def test_the_worst_cell_is_named(residual, photo):
    found = verify(residual, [photo], cells=40)
    layer, unit, row, column, _ = found.worst.split(", ")
    numbers = [int(word.split()[1]) for word in (unit, row, column)]
    again = trace(residual, photo).equation(layer, *numbers)
    assert difference_of(again) == found.forward_worst
    assert found.worst in str(found)
    assert "digits that add up as displayed: 100 %" in str(found)
    assert set(found.to_dict()) >= {"cells", "layers", "forward_worst", "adds_up"}


def test_unknown_layers_are_listed_and_left_out(photo):
    module = nn.Sequential(nn.Conv2d(3, 2, 3), nn.Threshold(0.1, 0.0), nn.AdaptiveAvgPool2d(1))
    module.append(nn.Flatten())
    found = verify(module, [photo], cells=10)
    assert found.unknown == ("1",)
    assert "1" not in found.layers
    assert "not known: 1" in str(found)


def test_nothing_to_check_is_said(residual):
    with pytest.raises(LayerError, match="There is nothing to check"):
        verify(residual, [])


def test_a_wrong_number_of_the_framework_is_noticed(equation):
    assert difference_of(equation) < 1e-6
    assert difference_of(replace(equation, framework=equation.framework + 0.01)) > 1e-4
    terms = (replace(equation.terms[0], product=9.0), *equation.terms[1:])
    assert difference_of(replace(equation, terms=terms)) > 1e-2
    assert difference_of(replace(equation, step_differences=(0.0, 3e-3))) == 3e-3
    assert difference_of(replace(equation, framework=float("nan"))) == float("inf")


def one_more(text):
    """The last digit, one higher."""
    return f"{float(text) + 0.0001:.4f}"


def test_every_digit_that_does_not_add_up_is_noticed(equation):
    assert reads_true(equation)
    term, channel = equation.terms[4], equation.channels[2]
    wrong = [
        replace(equation, shown_sum=one_more(equation.shown_sum)),
        replace(equation, shown_bias=one_more(equation.shown_bias)),
        replace(equation, shown_activation=one_more(equation.shown_activation)),
        replace(
            equation,
            terms=tuple(
                replace(each, shown_product=one_more(each.shown_product)) if each is term else each
                for each in equation.terms
            ),
        ),
        replace(
            equation,
            channels=tuple(
                replace(each, shown=one_more(each.shown)) if each is channel else each
                for each in equation.channels
            ),
        ),
    ]
    assert not any(map(reads_true, wrong))


def test_digits_that_add_up_but_are_not_the_numbers_are_noticed(equation):
    first, second, *rest = equation.terms
    swapped = (
        replace(first, shown_product=f"{float(first.shown_product) + 1:.4f}"),
        replace(second, shown_product=f"{float(second.shown_product) - 1:.4f}"),
        *rest,
    )
    assert first.channel == second.channel
    assert not reads_true(replace(equation, terms=swapped))


@pytest.mark.parametrize(
    "shown",
    [
        "0.5000 × 0.5434 ≈ 0.2717; 0.2717 + 1.5480 = 1.8197",  # does not enter with the sum
        "{sum} × 0.5434 ≈ 0.2717; 0.2717 + 1.5480 = 1.8198",  # does not add up
        "max(0, {sum}) = 99.0000",
    ],
)
def test_a_step_that_does_not_follow_is_noticed(equation, shown):
    text = shown.format(sum=equation.shown_sum)
    last = text.split(" ")[-1]
    steps = (replace(equation.steps[0], shown=text),)
    changed = replace(
        equation,
        steps=steps,
        shown_activation=last,
        activation=float(last),
        step_differences=(0.0,),
    )
    assert not reads_true(changed)


def test_half_precision_shows_its_size(residual, photo):
    found = verify(residual.to(torch.bfloat16), [photo], cells=60)
    assert 1e-5 < found.forward_worst < 2e-2
    assert found.adds_up == 1


TYPES = {torch.float16: ("float16", 4 * 2**-11), torch.bfloat16: ("bfloat16", 4 * 2**-8)}


@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_half_precision_holds_on_raw_pixels_both_ways(lenet, photo, dtype):
    found = verify(lenet.to(dtype), [photo, photo[::-1]], cells=60)
    name, bound = TYPES[dtype]
    assert (found.precision, found.tolerance) == (name, pytest.approx(bound))
    assert found.holds
    assert found.beyond == found.not_finite == ()
    assert max(found.forward_worst, found.backward_worst) <= bound
    assert found.gradients >= 60


def test_gradients_too_small_for_half_precision_are_held_against_its_smallest_steps(photo):
    # Logits 12 apart, as raw pixels give them: from the third class on the gradient is below 6e-8,
    # the smallest number of float16, and the framework has 0.
    module = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 6))
    with torch.no_grad():
        module[2].weight.fill_(0.0)
        module[2].bias.copy_(-12.0 * torch.arange(6))
    module.half()
    back = backward(module, photo, 0)
    assert (back.gradient("2") == 0).tolist()[2:] == [True] * 4
    for unit in range(2, 6):
        equation = back.equation("2", unit)
        assert equation.sum > 0
        assert equation.framework == 0
        assert difference_of(equation) <= equation.tolerance
    assert verify(module, [photo], cells=30).holds


def test_what_half_precision_cannot_hold_is_called_not_comparable(photo):
    module = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2))
    with torch.no_grad():
        module[2].weight.fill_(1000.0)  # times three means of 100 and more: above 65,504
    found = verify(module.half(), [np.maximum(photo, 120)], cells=12)
    assert not found.holds
    assert any(place.startswith("2, unit") for place in found.not_finite)
    assert set(found.not_finite) <= set(found.beyond)
    assert found.forward_worst == float("inf")
    assert "not finite" in str(found)
    assert found.to_dict()["not_finite"] == list(found.not_finite)


def test_a_wrong_number_is_beyond_what_its_type_explains(residual, photo):
    module = residual.half()
    seen = trace(module, photo)
    equation = seen.equation("conv2", 3, 10, 12)
    assert difference_of(equation) <= equation.tolerance < 3e-3
    moved = equation.framework + 5e-3 * equation.magnitude
    assert difference_of(replace(equation, framework=moved)) > equation.tolerance

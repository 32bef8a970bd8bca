"""trace: what it does not know, and what computes in unusual ways, is shown and named as such."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from tests.explain.looking import answer, batch, ready, small
from torch import nn

from seethrough.errors import LayerError
from seethrough.explain import backward, trace


class Strange(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.fc = nn.Conv2d(3, 8, 3), nn.Linear(8, 4)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, x):
        if x.mean() > 1e9:  # a question that is no layer
            x = x * 0
        tokens = self.conv(x / 255).flatten(2).transpose(1, 2)
        tokens = tokens + self.attention(tokens, tokens, tokens, need_weights=False)[0]
        return self.fc(torch.cumsum(tokens, 1).mean(1))


def test_the_unknown_is_a_box_with_values_and_the_known_around_it_stays_known(photo):
    module = Strange().eval()
    seen = trace(module, photo)
    unknown = [layer for layer in seen.layers if not layer.known]
    assert {layer.text for layer in unknown} >= {"multi_head_attention_forward", "cumsum", "mean"}
    assert seen.layer("conv").known
    assert seen.layer("fc").known
    assert "gt" not in {layer.text for layer in seen.layers}
    # not to the last bit: while it is watched, the framework takes attention's slow path
    np.testing.assert_allclose(seen.logits, answer(module, photo), rtol=1e-5)
    name = next(layer.name for layer in unknown if layer.text == "cumsum")
    with pytest.raises(LayerError, match="cumsum has no equation"):
        seen.equation(name, 0, 0, 0)


def test_a_number_that_is_written_into_a_map_makes_a_box(photo):
    class Writing(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.fc = nn.Conv2d(3, 4, 3), nn.Linear(4, 3)

        def forward(self, x):
            x = self.conv(x)
            x[:, 0] = 7.0
            return self.fc(x.mean((2, 3)))

    seen = trace(Writing(), photo)
    assert [layer.name for layer in seen.layers] == [
        *("conv", "changed", "global_avg_pool", "fc", "softmax"),
    ]
    assert not seen.layer("changed").known
    assert (seen.layer("changed").output[0] == 7).all()
    assert not (seen.layer("conv").output[0] == 7).any()
    assert seen.equation("global_avg_pool", 0).relative_difference < 1e-6


def test_a_view_that_was_changed_changes_the_map_it_belongs_to(photo):
    class Viewing(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.fc = nn.Conv2d(3, 4, 3), nn.Linear(4 * 30 * 30, 3)

        def forward(self, x):
            x = self.conv(x)
            x.view(1, -1).mul_(2.0)
            return self.fc(x.flatten(1))

    module = Viewing()
    seen = trace(module, photo)
    assert np.array_equal(seen.logits, answer(module, photo))
    assert seen.layer("changed").output.sum() == pytest.approx(2 * seen.layer("conv").output.sum())
    assert seen.equation("fc", 1).relative_difference < 1e-6


def test_what_computes_out_of_sight_is_one_box(photo):
    class Hidden(torch.autograd.Function):
        @staticmethod
        def forward(context, x):
            return x.sin()

    class Sine(nn.Module):
        def forward(self, x):
            return Hidden.apply(x)

    module = ready(small(nn.Conv2d(3, 4, 3), Sine()), photo)
    seen = trace(module, photo)
    assert [layer.name for layer in seen.layers] == ["0", "1", "2", "3", "softmax"]
    assert [layer.known for layer in seen.layers] == [True, False, True, True, True]
    assert seen.layer("1").inputs == ("0",)
    np.testing.assert_allclose(seen.layer("1").output, np.sin(seen.layer("0").output), atol=1e-6)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_scripted_modules_are_boxes(photo):
    scripted = torch.jit.script(ready(small(nn.Conv2d(3, 4, 3)), photo))
    whole = trace(scripted, photo)
    assert [(layer.known, layer.inputs) for layer in whole.layers] == [
        *((False, ("photo",)), (True, (whole.layers[0].name,))),
    ]
    assert np.array_equal(whole.logits, answer(scripted, photo))

    class Holding(nn.Module):
        def __init__(self):
            super().__init__()
            self.part, self.fc = torch.jit.script(nn.Conv2d(3, 4, 3)), nn.Linear(4, 2)

        def forward(self, x):
            return self.fc(self.part(x).mean((2, 3)))

    assert [layer.known for layer in trace(Holding(), photo).layers] == [False, True]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_compiled_module_is_traced_as_what_it_was_compiled_from(residual, photo):
    names = [layer.name for layer in trace(torch.compile(residual), photo).layers]
    assert names == [layer.name for layer in trace(residual, photo).layers]


def test_dropout_that_insists_shows_its_mask(photo):
    class Insisting(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(3, 3)

        def forward(self, x):
            return self.fc(F.dropout(x.mean((2, 3)), 0.5, training=True))

    with torch.random.fork_rng():
        torch.manual_seed(3)
        seen = trace(Insisting(), photo)
    layer = seen.layer("dropout")
    assert layer.options == {"share": 0.5, "is_on": True}
    for unit in range(3):
        equation = seen.equation("dropout", unit)
        assert equation.terms[0].weight in {0.0, 2.0}
        assert equation.sum == pytest.approx(float(layer.output[unit]), abs=1e-5)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_other_precisions_are_shown_in_float32(residual, photo, dtype):
    module = residual.to(dtype)
    seen = trace(module, photo)
    assert {layer.output.dtype for layer in seen.layers} == {np.dtype(np.float32)}
    with torch.no_grad():
        wanted = module.eval()(batch(photo).to(dtype))[0].float().numpy()
    assert np.array_equal(seen.logits, wanted)
    cell = seen.equation("conv2", 3, 5, 6)
    assert cell.relative_difference < (1e-6 if dtype == torch.float64 else 1e-2)


class Handmade(nn.Module):
    """A function that is not known, among others in one module, and one that is given no weight."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.weight = nn.Parameter(torch.ones(4, 2, 3, 3))

    def forward(self, x):
        x = F.conv_transpose2d(self.conv(x), self.weight)
        return x.cumsum(2).mean((2, 3))


@pytest.mark.parametrize("with_gradients", [False, True])
def test_a_layer_that_is_not_known_has_the_learned_numbers_of_its_module(photo, with_gradients):
    shared = nn.ConvTranspose2d(4, 4, 3)

    def boxes(module):
        if with_gradients:
            return {layer.name: layer for layer in backward(module, photo, 0).trace.layers}
        return {layer.name: layer for layer in trace(module, photo).layers}

    head = nn.Flatten(), nn.Linear(8 * 32 * 32, 3)
    up = boxes(nn.Sequential(nn.Conv2d(3, 8, 3), nn.ConvTranspose2d(8, 8, 3), *head))
    assert not up["1"].known
    assert up["1"].num_parameters == 8 * 8 * 3 * 3 + 8 == 584
    head = nn.Flatten(), nn.Linear(4 * 34 * 34, 3)
    twice = boxes(nn.Sequential(nn.Conv2d(3, 4, 3), nn.Sequential(shared, shared), *head))
    own = [layer.num_parameters for layer in twice.values() if layer.kind == "unknown"]
    assert own == [4 * 4 * 9 + 4] * 2
    strange = Strange()
    (attention,) = (layer for layer in boxes(strange).values() if layer.name == "attention")
    assert attention.num_parameters == sum(each.numel() for each in strange.attention.parameters())
    by_hand = boxes(Handmade())
    assert by_hand["conv_transpose2d"].num_parameters == 4 * 2 * 3 * 3
    assert by_hand["conv"].num_parameters == 3 * 4 * 9 + 4
    assert by_hand["cumsum"].num_parameters == 0

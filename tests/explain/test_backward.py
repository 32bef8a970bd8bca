"""The way back: every gradient has an equation, and it is the framework's gradient."""

import copy

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from tests.explain.conftest import STRANGERS, trained
from torch import nn

from seethrough.errors import LayerError
from seethrough.explain import backward, trace
from seethrough.explain.reading import reads_true
from seethrough.explain.verify import difference_of

WORST = 1e-6  # of float32 against float64, relative to what was added up
GO_BACK = sorted(set(STRANGERS) - {"Residual"})  # that one writes over what autograd needs


@pytest.fixture(params=GO_BACK)
def module(request):
    return trained(STRANGERS[request.param])


def as_batch(photo):
    return torch.from_numpy(photo.transpose(2, 0, 1).astype(np.float32))[None]


def loss_of(module, batch, label):
    """−log p without any of our code; a module that ends in softmax gives p itself."""
    said = module.eval()(batch)
    is_share = isinstance(list(module.modules())[-1], nn.Softmax)
    return -said[0, label].log() if is_share else F.cross_entropy(said, torch.tensor([label]))


def test_every_gradient_adds_up_to_the_framework_s(module, photo):
    back = backward(module, photo, 1)
    random = np.random.default_rng(0)
    places = [(layer, None) for layer in back.layers]
    places += [(layer, name) for layer, own in back.parameters.items() for name in own]
    assert len(places) > 15
    for layer, name in places:
        gradients = back.gradient(layer) if name is None else back.parameters[layer][name]
        for _ in range(4):
            at = [int(random.integers(size)) for size in gradients.shape]
            if name is None:
                equation = back.equation(layer, *at)
            else:
                equation = back.parameter_equation(layer, name, *at)
            assert equation.framework == gradients[tuple(at)]
            assert difference_of(equation) < WORST, (layer, name, at)
            assert reads_true(equation), (layer, name, at)


def test_what_comes_back_is_what_autograd_says_without_us(module, photo):
    back = backward(module, photo, 2)
    batch = as_batch(photo).requires_grad_()
    loss = loss_of(copy.deepcopy(module), batch, 2)
    loss.backward()
    assert back.loss == pytest.approx(loss.item(), rel=1e-6)
    np.testing.assert_allclose(back.gradient("photo"), batch.grad[0].numpy(), rtol=1e-3, atol=1e-9)


def test_parameters_get_what_training_would_give_them(photo):
    module = trained(STRANGERS["LeNet"])
    back = backward(module, photo, 3)
    own = copy.deepcopy(module).eval()
    F.cross_entropy(own(as_batch(photo)), torch.tensor([3])).backward()
    for layer, name in (("conv1", "weight"), ("conv2", "bias"), ("fc1", "weight"), ("fc2", "bias")):
        expected = own.get_submodule(layer).get_parameter(name).grad.numpy()
        np.testing.assert_array_equal(back.parameters[layer][name], expected)


def test_at_the_logits_it_is_the_probability_minus_one_for_the_true_class(lenet, photo):
    back = backward(lenet, photo, 2)
    for unit, probability in enumerate(back.trace.probabilities):
        equation = back.equation("fc2", unit)
        assert equation.bias == (-1.0 if unit == 2 else 0.0)
        assert equation.terms[0].input == probability
        assert equation.sum == float(probability) - (unit == 2)
    assert back.loss == pytest.approx(-np.log(back.trace.probabilities[2]), rel=1e-6)


@pytest.mark.parametrize(
    ("layer", "name", "index"),
    [("conv1", "weight", (1, 2, 3, 0)), ("conv2", "weight", (3, 1, 0, 4)), ("fc2", "bias", (1,))],
)
def test_finite_differences_agree(lenet, photo, layer, name, index):
    """(loss(w + h) − loss(w − h)) / 2h in float64, by a module that was never recorded."""
    gradient = backward(lenet, photo, 0).parameter_equation(layer, name, *index).sum
    own, step = copy.deepcopy(lenet).double(), 1e-5
    number = own.get_submodule(layer).get_parameter(name).data
    losses = []
    for sign in (1, -1):
        number[index] += sign * step
        losses.append(loss_of(own, as_batch(photo).double(), 0).item())
        number[index] -= sign * step
    assert gradient == pytest.approx((losses[0] - losses[1]) / (2 * step), rel=1e-4, abs=1e-7)


def test_looking_back_leaves_nothing_behind(lenet, photo):
    lenet.conv1.weight.requires_grad_(False)
    lenet.fc1.weight.grad = torch.full_like(lenet.fc1.weight, 5.0)
    before = {name: tensor.clone() for name, tensor in lenet.state_dict().items()}
    said = lenet.eval()(as_batch(photo))
    back = backward(lenet, photo, 1)
    assert np.abs(back.parameters["conv1"]["weight"]).max() > 0  # frozen, and known all the same
    assert not lenet.conv1.weight.requires_grad
    assert (lenet.fc1.weight.grad == 5).all()
    assert lenet.fc2.weight.grad is None
    assert not any(part._forward_hooks or part._backward_hooks for part in lenet.modules())
    assert all(torch.equal(tensor, before[name]) for name, tensor in lenet.state_dict().items())
    assert torch.equal(lenet(as_batch(photo)), said)
    assert torch.is_grad_enabled()


def test_forwards_the_numbers_are_the_same_as_without_the_way_back(module, photo):
    alone, with_it = trace(module, photo), backward(module, photo, 0).trace
    assert [layer.name for layer in alone.layers] == [layer.name for layer in with_it.layers]
    for one, other in zip(alone.layers, with_it.layers, strict=True):
        np.testing.assert_array_equal(one.output, other.output)


class Shared(nn.Module):
    """One convolution, used twice."""

    def __init__(self):
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 3, 3, padding=1), nn.Linear(3, 4)

    def forward(self, x):
        x = self.conv(F.gelu(self.conv(x / 255)))
        return self.head(x.mean((2, 3)))


def test_the_uses_of_a_shared_weight_add_up_to_its_gradient(photo):
    module = trained(Shared)
    back = backward(module, photo, 1)
    uses = [back.parameters[name]["weight"] for name in ("conv", "conv:2")]
    loss_of(module, as_batch(photo), 1).backward()
    np.testing.assert_allclose(sum(uses), module.conv.weight.grad.numpy(), rtol=1e-4, atol=1e-8)
    assert np.abs(uses[0] - uses[1]).max() > 1e-4


def test_a_cell_that_two_layers_read_gathers_from_both(photo):
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem, self.conv = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3, padding=1)
            self.head = nn.Linear(4, 4)

        def forward(self, x):
            x = F.relu(self.stem(x / 255))
            return self.head((x + self.conv(x)).mean((2, 3)))

    equation = backward(trained(Block), photo, 0).equation("relu", 2, 5, 6)
    assert [(r.layer, r.first, r.units) for r in equation.readers] == [
        ("conv", 0, 4),
        ("add", 4, 4),
    ]
    assert sorted({term.channel for term in equation.terms}) == [0, 1, 2, 3, 6]
    assert equation.kind == "sum"
    assert difference_of(equation) < WORST
    assert [step.layer for step in equation.steps] == ["relu"]


def test_only_the_winner_of_a_pool_gets_the_gradient(lenet, photo):
    back = backward(lenet, photo, 0)
    seen = back.trace.layer("relu:1" if "relu:1" in back.layers else back.trace.layers[2].name)
    pooled = np.argwhere(seen.output[0][:2, :2] == seen.output[0][:2, :2].max())[0]
    for row in range(2):
        for column in range(2):
            (term,) = back.equation(seen.name, 0, row, column).terms
            assert term.weight == float([row, column] == pooled.tolist())


def test_equals_share_the_gradient_where_the_framework_lets_them(photo):
    class Largest(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = nn.Linear(3, 4)

        def forward(self, x):
            return self.head(F.relu(x - 300).amax((2, 3)))

    equation = backward(trained(Largest), photo, 0).equation("relu", 1, 3, 4)
    assert equation.terms[0].weight == 1 / (32 * 32)
    assert difference_of(equation) < WORST


ACTIVATIONS = {
    "relu": F.relu,
    "relu6": F.relu6,
    "hardtanh": F.hardtanh,
    "clamp": lambda x: x.clamp(0, 2),
    "clamp_min": lambda x: x.clamp_min(0),
    "leaky_relu": lambda x: F.leaky_relu(x, 0.2),
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "gelu": F.gelu,
    "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "silu": F.silu,
    "hardsigmoid": F.hardsigmoid,
    "hardswish": F.hardswish,
    "softplus": F.softplus,
    "mish": F.mish,
    "elu": lambda x: F.elu(x, 0.7),
    "celu": lambda x: F.celu(x, 1.3),
    "selu": F.selu,
    "softsign": F.softsign,
    "logsigmoid": F.logsigmoid,
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_has_the_framework_s_slope_kinks_included(name):
    """Pixels 0 to 12 become −6 to 6 in steps of one half: every kink is among them."""

    class Pointwise(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = nn.Linear(3 * 25, 3)

        def forward(self, x):
            return self.head(torch.flatten(ACTIVATIONS[name](x / 2 - 6), 1))

    photo = np.arange(25, dtype=np.uint8).reshape(5, 5)[..., None].repeat(3, axis=2)
    back = backward(trained(Pointwise), photo, 1)
    layer = back.trace.layers[2].inputs[0] if back.trace.layers[1].kind == "scale" else "scale"
    for row, column in np.ndindex(5, 5):
        equation = back.equation(layer, 0, row, column)
        assert difference_of(equation) < 1e-5, equation.terms


def test_a_network_without_gradients_is_refused(photo):
    class Closed(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = nn.Linear(3, 4)

        @torch.no_grad()
        def forward(self, x):
            return self.head((x / 255).mean((2, 3)))

    with pytest.raises(LayerError, match="No gradient goes through"):
        backward(trained(Closed), photo, 0)


def test_writing_over_what_autograd_needs_is_refused_in_words(residual, photo):
    with pytest.raises(LayerError, match="cannot go back") as refused:
        backward(residual, photo, 0)
    assert "inplace" in refused.value.fix


def test_an_unknown_layer_has_a_gradient_map_and_no_equation(photo):
    def make():
        layers = nn.Conv2d(3, 2, 3), nn.Threshold(0.1, 0.0), nn.AdaptiveAvgPool2d(1), nn.Flatten()
        nn.init.constant_(layers[0].weight, 0.001)  # so that no probability is 1
        return nn.Sequential(*layers)

    back = backward(trained(make), photo, 1)
    assert np.abs(back.gradient("0")).max() > 0
    with pytest.raises(LayerError, match="has no equation"):
        back.equation("0", 1, 4, 4)


def test_what_does_not_exist_is_named(lenet, photo):
    back = backward(lenet, photo, 0)
    with pytest.raises(LayerError, match="There is no class 4"):
        backward(lenet, photo, 4)
    with pytest.raises(LayerError, match="There is no layer 'conv9'"):
        back.equation("conv9", 0)
    with pytest.raises(LayerError, match="No gradient comes back to softmax"):
        back.equation("softmax", 0)
    with pytest.raises(LayerError, match="conv1 has no learned scale"):
        back.parameter_equation("conv1", "scale", 0)
    with pytest.raises(LayerError, match="conv1 has no weight at 0, 0, 0"):
        back.parameter_equation("conv1", "weight", 0, 0, 0)
    with pytest.raises(LayerError, match="photo has no unit 3"):
        back.equation("photo", 3, 0, 0)

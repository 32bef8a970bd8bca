"""workbench.py: every change, bit by bit against a whole trace of a network that really has it."""

import copy

import numpy as np
import pytest
import torch
from tests.explain.conftest import STRANGERS, trained
from torch import nn

from seethrough.data.alter import Alteration, altered
from seethrough.errors import DataError, LayerError
from seethrough.explain.tape import taped
from seethrough.explain.trace import trace
from seethrough.explain.what_if import Change, what_if
from seethrough.explain.workbench import Workbench
from seethrough.model.make import make
from seethrough.model.presets import preset

DARK = Alteration(cover=(2, 3, 20, 25), brightness=-40, noise=4)


class Sharing(nn.Module):
    """One convolution used twice, one weight under two names, and a copy written in place."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.shared = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
        self.tied = nn.Conv2d(4, 4, 3, padding=1)
        self.tied.weight = self.shared.weight
        self.norm, self.act, self.fc = nn.BatchNorm2d(4), nn.ReLU(), nn.Linear(4, 3)

    def forward(self, x):
        x = self.act(self.norm(self.first(x / 255)))
        y = self.shared(self.shared(x)).clone()
        y[:, 0] = 0.25
        parts = [y]
        parts.append(self.tied(y))
        return self.fc(torch.cat([*parts[1:], x * 1], 1)[:, :4].mean((2, 3)))


def ours(name):
    """A network of ours, untrained."""
    spec = preset(name, image_px=32)
    return make(spec, num_classes=4, mean=[0.5] * 3, std=[0.25] * 3, seed=2)


@pytest.fixture(
    params=["Sharing", *STRANGERS, "demo", pytest.param("resnet-18", marks=pytest.mark.full)]
)
def network(request):
    if request.param in {"demo", "resnet-18"}:
        return ours(request.param)
    return trained(STRANGERS.get(request.param, Sharing))


def bench(module, photo):
    return Workbench(module, photo, trace(module, photo))


def some_weights(module):
    """The first number of the first parameter, a middle one and the last of the last."""
    names = [name for name, _ in module.named_parameters()]
    parameters = dict(module.named_parameters())
    chosen = {names[0]: 0, names[len(names) // 2]: 0, names[-1]: -1}
    return {
        (name, tuple(int(i) for i in np.unravel_index(at % p.numel(), p.shape))): 0.625
        for name, at in chosen.items()
        for p in [parameters[name]]
    }


def with_weights(module, weights):
    """What the change says, done by hand to a copy."""
    own = copy.deepcopy(module)
    parameters = dict(own.named_parameters())
    with torch.no_grad():
        for (name, index), value in weights.items():
            parameters[name][index] = value
    return own


def assert_is(found, seen):
    """Every layer's numbers are those of this trace, bit by bit, and so is the answer."""
    assert list(found.outputs) == [layer.name for layer in seen.layers]
    for layer in seen.layers:
        assert found.outputs[layer.name].tobytes() == layer.output.tobytes(), layer.name
    assert found.logits.tobytes() == seen.logits.tobytes()
    assert found.probabilities.tobytes() == seen.probabilities.tobytes()


def test_the_tape_of_every_network_can_be_played(network, photo):
    assert taped(network, photo) is not None


def test_weights_and_photo_are_a_whole_trace_of_a_network_that_has_them(network, photo):
    weights = some_weights(network)
    on_it = bench(network, photo)
    own = with_weights(network, weights)
    for _ in range(2):  # the first answer is made otherwise than those after it
        assert_is(on_it.outcome(Change(weights=weights)), trace(own, photo))
        both = on_it.outcome(Change(weights=weights, photo=DARK))
        assert_is(both, trace(own, altered(photo, DARK)))
        assert np.array_equal(both.pixels, altered(photo, DARK))
        assert_is(on_it.outcome(Change()), trace(network, photo))


def test_units_that_are_off_and_a_temperature_are_what_a_whole_trace_says(network, photo):
    before = trace(network, photo)
    parts = dict(network.named_modules())
    used_once = [
        layer.name
        for layer in before.layers
        if isinstance(parts.get(layer.name), nn.Conv2d | nn.ReLU | nn.SiLU)
        and not any(other.name == f"{layer.name}:2" for other in before.layers)
    ]
    off = tuple((name, 1) for name in (used_once[0], used_once[len(used_once) // 2]))
    on_it = bench(network, photo)
    for change in (
        Change(off=off),
        Change(off=off, temperature=2.5, photo=DARK, weights=some_weights(network)),
        Change(temperature=0.25),
    ):
        whole = what_if(network, photo, change, before=before)
        assert_is(on_it.outcome(change), whole.after)
        assert list(on_it.outcome(change).changes()) == list(whole.outcome.changes())
    assert_is(on_it.outcome(Change()), before)


def test_exchanged_functions_go_together_with_everything_else(photo):
    module = ours("demo")
    on_it = bench(module, photo)
    for functions in ({"relu1": "gelu"}, {"relu1": "gelu", "relu2": "tanh"}, {"relu1": "gelu"}):
        for change in (
            Change(functions=functions),
            Change(functions=functions, weights=some_weights(module), off=(("relu2", 3),)),
        ):
            assert_is(on_it.outcome(change), what_if(module, photo, change).after)


def test_a_weight_of_a_function_that_is_exchanged_is_of_no_account(photo):
    module = trained(STRANGERS["nameless"])
    change = Change(weights={("4.weight", (1,)): 0.75}, functions={"4": "relu"})
    assert_is(bench(module, photo).outcome(change), what_if(module, photo, change).after)


def test_numbers_that_are_none_are_answered_bit_by_bit_too(photo):
    module = ours("demo")
    first = next(name for name, _ in module.named_parameters())
    weights = {(first, (0, 0, 0, 0)): 3e38, (first, (0, 0, 0, 1)): -3e38}
    found = bench(module, photo).outcome(Change(weights=weights))
    assert not np.isfinite(found.probabilities).all()
    assert_is(found, trace(with_weights(module, weights), photo))


def test_nothing_is_attached_and_no_number_of_the_module_is_another(network, photo):
    network.train()
    numbers = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    on_it = bench(network, photo)
    for _ in range(2):
        on_it.outcome(Change(weights=some_weights(network), photo=DARK))
    assert all(torch.equal(numbers[name], now) for name, now in network.state_dict().items())
    for part in network.modules():
        assert part.training
        assert not part._forward_hooks
        assert not part._forward_pre_hooks


def test_a_module_that_has_learned_on_is_taped_again(photo):
    module = ours("demo")
    on_it = bench(module, photo)
    on_it.outcome(Change())
    with torch.no_grad():
        next(module.parameters()).mul_(0.5)
    assert_is(on_it.outcome(Change()), trace(module, photo))


# ---------------------------------------------------------------- what has no tape


class Asking(nn.Module):
    """Two ways, chosen by a number of the photo."""

    def __init__(self) -> None:
        super().__init__()
        self.bright, self.dark = nn.Linear(3, 4), nn.Linear(3, 4)

    def forward(self, x):
        x = x.mean((2, 3)) / 255
        return self.choose(x)

    def choose(self, x):
        return self.bright(x) + self.dark(x) * (1.0 if x.mean() > 0.4 else -2.0)


class Reading(Asking):
    def choose(self, x):
        return self.bright(x) * x.max().item()


class Leaving(Asking):
    def choose(self, x):
        return self.bright(x) * torch.from_numpy(x.numpy() * 2).mean()


class Listing(Asking):
    def choose(self, x):
        return self.bright(x) + self.dark(x * torch.tensor(x.tolist()))


class Counting(Asking):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("seen", torch.zeros(3))

    def choose(self, x):
        self.seen.copy_(x[0])
        return self.bright(x) * self.seen.mean()


class Drawing(Asking):
    def choose(self, x):
        return self.bright(x) + 0 * torch.rand(4)


class Holding(Asking):
    """A tensor of its own that it tells nobody of, and that may be another one every time."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = torch.tensor([1.0, 2.0, 3.0])

    def choose(self, x):
        return self.bright(x * self.scale)


class Casting(Asking):
    """Under a setting of the framework that no call tells of."""

    def choose(self, x):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return self.bright(x).float()


@pytest.mark.parametrize("kind", [Asking, Reading, Leaving, Listing, Counting, Drawing, Holding])
def test_where_numbers_go_other_ways_every_change_is_a_whole_trace(kind, photo):
    module = trained(kind)
    assert taped(module, photo) is None
    on_it = bench(module, photo)
    for change in (
        Change(photo=Alteration(brightness=-90)),
        Change(weights={("bright.weight", (1, 2)): 0.5}),
    ):
        assert_is(on_it.outcome(change), what_if(module, photo, change).after)


def test_a_setting_that_no_call_tells_of_leads_to_the_same_bits(photo):
    module = trained(Casting)
    change = Change(weights={("bright.weight", (1, 2)): 0.5})
    found = bench(module, photo).outcome(change)
    assert_is(found, what_if(module, photo, change).after)
    assert not np.array_equal(found.logits, what_if(module, photo, Change()).after.logits)


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        (Change(weights={("conv9.weight", (0,)): 1.0}), LayerError, "no weight 'conv9.weight'"),
        (Change(weights={("fc.bias", (4,)): 1.0}), LayerError, "fc.bias has no number at 4"),
        (Change(weights={("fc.bias", (1,)): 1e39}), DataError, "cannot be a weight"),
        (Change(off=(("relu9", 1),)), LayerError, "There is no layer 'relu9'"),
        (Change(off=(("conv1", 8),)), LayerError, "conv1 has no unit 8"),
        (Change(off=(("relu", 1),)), LayerError, "relu is used more than once"),
        (Change(off=(("add", 1),)), LayerError, "stands in the code of a forward"),
        (Change(functions={"conv1": "relu"}), LayerError, "conv1 has no activation function"),
        (Change(temperature=0.0), DataError, "The temperature is 0.0"),
    ],
)
def test_what_cannot_be_changed_is_said_as_ever(residual, photo, change, error, said):
    on_it = bench(residual, photo)
    with pytest.raises(error, match=said):
        on_it.outcome(change)
    with pytest.raises(error, match=said):
        what_if(residual, photo, change)


def test_maps_that_lie_channels_last_are_refused(channels_last, photo):
    with pytest.raises(LayerError, match="channels first"):
        bench(channels_last, photo).outcome(Change(off=(("up", 1),)))

"""trace: it sees every layer of any module, and leaves the module as it found it."""

import copy
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from tests.explain.looking import answer, batch, hooks, kinds, ready, small
from torch import nn

from seethrough.errors import LayerError, ShapeError
from seethrough.explain import trace
from seethrough.model.build import build
from seethrough.model.presets import resolve
from seethrough.model.shapes import measure

# ---------------------------------------------------------------- what it must not do


def test_the_traced_answer_is_the_untraced_one_to_the_last_bit(stranger, photo):
    plain = answer(stranger, photo)
    seen = trace(stranger, photo)
    ends_in_softmax = isinstance(stranger, nn.Sequential)
    assert np.array_equal(seen.probabilities if ends_in_softmax else seen.logits, plain)
    assert np.array_equal(answer(stranger, photo), plain)


def test_nothing_stays_attached_and_every_flag_is_as_it_was(stranger, photo):
    stranger.train()
    next(stranger.children()).eval()
    next(stranger.parameters()).requires_grad_(requires_grad=False)
    weights = copy.deepcopy(stranger.state_dict())
    flags = [part.training for part in stranger.modules()]
    wanted = [parameter.requires_grad for parameter in stranger.parameters()]
    attached = hooks(stranger)
    random = torch.get_rng_state()

    trace(stranger, photo)

    assert hooks(stranger) == attached
    assert [part.training for part in stranger.modules()] == flags
    assert [parameter.requires_grad for parameter in stranger.parameters()] == wanted
    assert torch.is_grad_enabled()
    assert torch.equal(torch.get_rng_state(), random)
    assert all(torch.equal(value, weights[name]) for name, value in stranger.state_dict().items())


class Broken(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, x):
        self.conv(x)
        raise ValueError("no answer today")


def test_everything_comes_off_even_when_the_forward_fails(photo):
    module = Broken().train()
    with pytest.raises(ValueError, match="no answer today"):
        trace(module, photo)
    assert not any(hooks(module))
    assert all(part.training for part in module.modules())
    assert torch.is_grad_enabled()


def test_arrays_are_copies(residual, photo):
    seen = trace(residual, photo)
    before = seen.layer("conv1").parameters["weight"].copy(), seen.logits.copy()
    with torch.no_grad():
        residual.conv1.weight.zero_()
        residual.fc.weight.zero_()
    assert np.array_equal(seen.layer("conv1").parameters["weight"], before[0])
    assert np.array_equal(seen.logits, before[1])


def test_a_module_that_writes_into_its_input_does_not_write_into_the_photo(photo):
    class Writing(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(3, 2)

        def forward(self, x):
            return self.fc(x.div_(255).mean((2, 3)))

    seen = trace(Writing(), photo)
    assert np.array_equal(seen.photo, photo.transpose(2, 0, 1))
    assert seen.layer("scale").maximum == 1
    assert seen.equation("scale", 1, 2, 3).relative_difference < 1e-6


def test_looking_works_in_inference_mode_and_in_another_thread(residual, photo):
    wanted = trace(residual, photo).logits
    with torch.inference_mode():
        seen = trace(residual, photo)
        assert torch.is_inference_mode_enabled()
    assert np.array_equal(seen.logits, wanted)
    with ThreadPoolExecutor(1) as other:
        assert np.array_equal(other.submit(trace, residual, photo).result().logits, wanted)


def test_another_thread_may_use_the_module_meanwhile(photo):
    class Asking(nn.Module):
        """While it is traced, another thread runs a part of it."""

        def __init__(self):
            super().__init__()
            self.part, self.fc = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()), nn.Linear(4, 2)

        def forward(self, x):
            with ThreadPoolExecutor(1) as other:
                other.submit(self.part, batch(photo)).result()
            return self.fc(self.part(x).mean((2, 3)))

    names = [layer.name for layer in trace(Asking(), photo).layers]
    assert names == ["part.0", "part.1", "global_avg_pool", "fc", "softmax"]


# ---------------------------------------------------------------- what it must see


def test_our_own_network_keeps_its_names_and_measures(photo):
    spec = resolve("demo", None)
    module = build(spec, num_classes=6, mean=[0.5] * 3, std=[0.25] * 3, seed=1)
    seen = trace(module, photo)
    sizes = measure(spec, 6)
    assert [layer.name for layer in seen.layers] == [size.name for size in sizes]
    assert [layer.kind for layer in seen.layers] == [size.kind for size in sizes]
    assert [layer.shape for layer in seen.layers] == [tuple(size.shape) for size in sizes]
    assert [layer.num_parameters for layer in seen.layers] == [size.parameters for size in sizes]
    assert [layer.receptive_field_px for layer in seen.layers] == [size.reach for size in sizes]


def test_functional_calls_are_layers_with_the_names_of_what_they_do(lenet, photo):
    seen = trace(lenet, photo)
    assert [layer.name for layer in seen.layers] == [
        *("scale", "conv1", "relu", "max_pool", "conv2", "tanh", "max_pool:2", "flatten"),
        *("fc1", "relu:2", "dropout", "fc2", "softmax"),
    ]
    assert all(layer.known for layer in seen.layers)
    assert seen.layer("scale").inputs == ("photo",)
    assert seen.layer("max_pool:2").inputs == ("tanh",)


def test_a_module_that_is_used_again_is_another_layer(residual, photo):
    seen = trace(residual, photo)
    assert [layer.name for layer in seen.layers if layer.kind == "relu"] == [
        *("relu", "relu:2", "relu:3"),
    ]
    assert seen.layer("add").inputs == ("relu:2", "relu")
    assert seen.layer("global_avg_pool").inputs == ("relu:3",)


def test_what_was_overwritten_in_place_is_still_shown_as_it_was(residual, photo):
    residual.eval()
    seen = trace(residual, photo)
    with torch.no_grad():
        x = (batch(photo) - 127.5) / 127.5
        before = residual.norm1(residual.conv1(x))
    assert np.array_equal(seen.layer("norm1").output, before[0].numpy())
    assert seen.layer("norm1").minimum < 0 == seen.layer("relu").minimum


def test_every_recorded_output_is_what_a_hook_sees(concatenating, photo):
    concatenating.eval()
    caught = {}
    handles = [
        part.register_forward_hook(
            lambda _, __, output, name=name: caught.update({name: output.clone()})
        )
        for name, part in concatenating.named_modules()
        if name
    ]
    with torch.no_grad():
        concatenating(batch(photo))
    for handle in handles:
        handle.remove()
    seen = trace(concatenating, photo)
    assert set(caught) <= {layer.name for layer in seen.layers}
    for name, output in caught.items():
        assert np.array_equal(seen.layer(name).output, output[0].numpy())


def test_modules_without_names_are_called_by_their_place(photo):
    seen = trace(ready(small(nn.Conv2d(3, 4, 3), nn.Sequential(nn.ReLU())), photo), photo)
    assert [layer.name for layer in seen.layers] == ["0", "1.0", "2", "3", "softmax"]


def test_blocks_may_be_nested_and_share_parts(photo):
    class Block(nn.Module):
        def __init__(self, conv):
            super().__init__()
            self.conv, self.other = conv, nn.Conv2d(4, 4, 1)

        def forward(self, x):
            return F.relu(self.conv(x)) + self.other(x)

    shared = nn.Conv2d(4, 4, 3, padding=1)
    module = ready(small(nn.Conv2d(3, 4, 3), Block(shared), Block(shared)), photo)
    names = [layer.name for layer in trace(module, photo).layers]
    assert names == [
        *("0", "1.conv", "1.relu", "1.other", "1.add"),
        *("1.conv:2", "2.relu", "2.other", "2.add", "3", "4", "softmax"),
    ]


def test_a_softmax_of_its_own_is_not_doubled(photo):
    module = ready(nn.Sequential(small(), nn.Softmax(dim=1)), photo)
    seen = trace(module, photo)
    assert kinds(seen).count("softmax") == 1
    with torch.no_grad():
        assert np.array_equal(seen.logits, module[0](batch(photo))[0].numpy())
        assert np.array_equal(seen.probabilities, module(batch(photo))[0].numpy())


def test_probabilities_of_a_log_softmax_are_those_of_softmax(photo):
    module = ready(nn.Sequential(small(), nn.LogSoftmax(dim=1)), photo)
    seen = trace(module, photo)
    assert kinds(seen)[-2:] == ["log_softmax", "softmax"]
    with torch.no_grad():
        wanted = module[0](batch(photo) * 1).softmax(1)[0].numpy()
    np.testing.assert_allclose(seen.probabilities, wanted, atol=1e-6)


def test_a_classifier_may_answer_with_a_tuple_or_a_dictionary(photo):
    class Answering(nn.Module):
        def __init__(self, pack):
            super().__init__()
            self.body, self.pack = ready(small(nn.Conv2d(3, 2, 3)), photo), pack

        def forward(self, x):
            return self.pack(self.body(x))

    for pack in (lambda y: (y, None), lambda y: {"logits": y}):
        assert len(trace(Answering(pack), photo).logits) == 3


# ---------------------------------------------------------------- errors and texts


def test_an_unknown_layer_is_answered_with_the_names_there_are(residual, photo):
    with pytest.raises(LayerError, match="There is no layer 'conv9'") as caught:
        trace(residual, photo).layer("conv9")
    assert "conv1, norm1, relu, conv2" in caught.value.fix


def test_an_answer_that_is_not_a_row_of_logits_is_refused(photo):
    with pytest.raises(ShapeError, match="not a row of logits") as caught:
        trace(nn.Conv2d(3, 4, 3), photo)
    assert "(1, 4, 30, 30)" in caught.value.why


def test_as_many_classes_as_logits(residual, photo):
    assert trace(residual, photo, classes=("a", "b", "c", "d")).classes == ("a", "b", "c", "d")
    assert trace(residual, photo).classes == ("0", "1", "2", "3")
    with pytest.raises(ShapeError, match="4 numbers for 2 classes"):
        trace(residual, photo, classes=("cat", "dog"))


def test_a_trace_prints_as_a_table_of_its_layers(residual, photo):
    seen = trace(residual, photo)
    lines = str(seen).splitlines()
    assert len(lines) == len(seen.layers)
    assert lines[2].split() == [
        *("conv1", "conv", "8", "k3", "p1", "nobias", "8", "×", "32", "×", "32"),
        *(f"{seen.layer('conv1').minimum:.4f}", "…", f"{seen.layer('conv1').maximum:.4f}"),
        *("reads", "scale:2"),
    ]


def test_what_python_shows_of_a_trace_is_one_line(residual, photo):
    seen = trace(residual, photo, classes=("a", "b", "c", "d"))
    assert repr(seen).startswith("Trace(13 layers, '")
    assert len(repr(seen.layer("conv1"))) < 200
    assert len(repr(seen.equation("conv1", 0, 0, 0))) < 1500


def test_units_that_are_zero_everywhere_are_not_active(residual, photo):
    with torch.no_grad():
        residual.norm1.weight[2] = 0
        residual.norm1.bias[2] = -1
    seen = trace(residual, photo)
    alive = seen.layer("relu").active_units
    assert not alive[2]
    assert [bool(unit.max() > 0) for unit in seen.layer("relu").output] == list(alive)


@pytest.mark.parametrize("photo_px", [8, 33])
def test_the_receptive_field_of_strided_dilated_stacks_is_counted_in_pixels(photo_px):
    module = nn.Sequential(
        nn.Conv2d(3, 2, 3, stride=2, padding=1),  # 3, jump 2
        nn.Conv2d(2, 2, 3, dilation=2, padding=2),  # 3 + 4 · 2 = 11
        nn.AvgPool2d(2, stride=1, padding=1),  # 11 + 2 = 13
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )
    photo = np.zeros((photo_px, photo_px, 3), np.uint8)
    reach = [layer.receptive_field_px for layer in trace(module, photo).layers]
    assert reach == [3, 11, 13, None, None, None]

"""Whole networks of the reference: against autograd, small changes, and while they learn."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from seethrough.explain import reference as ref
from seethrough.explain.reference.__main__ import small_network, striped

FOLDER = Path(ref.__file__).parent


def pair(rng, c):
    return rng.normal(size=c) + 1, rng.normal(size=c)


def photographer(rng):
    """The usual order of layers, and all their torch twins."""
    network = ref.Network(
        {
            "normalise": ref.Normalise(np.array([0.4, 0.5, 0.6]), np.array([0.2, 0.3, 0.25])),
            "conv1": ref.Convolution(rng.normal(size=(6, 3, 3, 3)), stride=(2, 2), padding=(1, 1)),
            "norm1": ref.batch_norm(*pair(rng, 6)),
            "relu1": ref.ReLU(),
            "pool1": ref.MaxPool(ref.window((3, 3), (2, 2), (1, 1))),
            "conv2": ref.Convolution(rng.normal(size=(4, 3, 3, 3)), rng.normal(size=4), groups=2),
            "gelu2": ref.GELU(),
            "flatten": ref.Flatten(),
            "dense": ref.Dense(rng.normal(size=(5, 64)) / 8, rng.normal(size=5)),
        }
    )
    w = {name: torch.tensor(v, requires_grad=True) for name, v in network.parameters.items()}
    mean, std = (
        torch.tensor(each, dtype=torch.float64)[:, None, None]
        for each in ([0.4, 0.5, 0.6], [0.2, 0.3, 0.25])
    )
    twins = (
        lambda x: (x / 255 - mean) / std,
        lambda x: F.conv2d(x, w["conv1.weight"], stride=2, padding=1),
        lambda x: F.batch_norm(x, None, None, w["norm1.weight"], w["norm1.bias"], training=True),
        F.relu,
        lambda x: F.max_pool2d(x, 3, 2, 1),
        lambda x: F.conv2d(x, w["conv2.weight"], w["conv2.bias"], groups=2),
        F.gelu,
        lambda x: x.flatten(1),
        lambda x: F.linear(x, w["dense.weight"], w["dense.bias"]),
    )
    return network, w, twins


def assert_near(ours, theirs):
    theirs = theirs.detach().numpy()
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12 * abs(theirs).max())


def test_every_number_of_a_whole_network_is_autograds():
    rng = np.random.default_rng(3)
    network, w, twins = photographer(rng)
    x = rng.integers(0, 256, (3, 3, 24, 24)).astype(float)
    t, loss = np.array([4, 0, 2]), ref.CrossEntropy(smoothing=0.1)

    made = [torch.tensor(x, requires_grad=True)]
    for twin in twins:
        made.append(twin(made[-1]))
        made[-1].retain_grad()
    wrong = F.cross_entropy(made[-1], torch.tensor(t), label_smoothing=0.1)
    wrong.backward()

    ours = network.activations(x)
    assert loss.forward(ours[-1], t) == pytest.approx(wrong.item(), rel=1e-13)
    slopes = network.slopes(ours, loss.backward(ours[-1], t))
    gradients = network.gradients_at(ours, slopes)
    assert len(ours) == len(slopes) == len(made) == 10
    for activation, slope, theirs in zip(ours, slopes, made, strict=True):
        assert_near(activation, theirs)
        assert_near(slope, theirs.grad)
    assert gradients.keys() == w.keys()
    for name, gradient in gradients.items():
        assert_near(gradient, w[name].grad)
    assert (network.forward(x) == ours[-1]).all()
    assert (network.backward(x, slopes[-1]) == slopes[0]).all()
    for name, gradient in network.gradients(x, slopes[-1]).items():
        assert (gradient == gradients[name]).all()


class Gated(nn.Module):
    """A residual block with a gate for its channels, and a part put beside what it read."""

    def __init__(self, w):
        super().__init__()
        self.w = w

    def forward(self, x):
        w = self.w
        seen = F.conv2d(x, w["block.curve.conv.weight"], w["block.curve.conv.bias"], padding=1)
        seen = F.silu(seen)
        gate = torch.sigmoid(seen.mean((2, 3), keepdim=True))
        x = x + seen * gate
        x = torch.cat([x, F.conv2d(x, w["beside.new.weight"])], 1)
        return F.linear(x.mean((2, 3)), w["dense.weight"], w["dense.bias"])


def test_networks_within_networks_are_autograds():
    rng = np.random.default_rng(4)
    conv = ref.Convolution(rng.normal(size=(4, 4, 3, 3)), rng.normal(size=4), padding=(1, 1))
    gate = ref.Network({"mean": ref.AdaptiveAveragePool(), "squash": ref.Sigmoid()})
    gated = ref.Branches({"all": ref.Network({}), "gate": gate}, ref.Product())
    curve = ref.Network({"conv": conv, "silu": ref.SiLU(), "gated": gated})
    new = ref.Convolution(rng.normal(size=(2, 4, 1, 1)))
    network = ref.Network(
        {
            "block": ref.Branches({"here": ref.Network({}), "curve": curve}, ref.Sum()),
            "beside": ref.Branches({"old": ref.Network({}), "new": new}, ref.Concat()),
            "mean": ref.AdaptiveAveragePool(),
            "flatten": ref.Flatten(),
            "dense": ref.Dense(rng.normal(size=(3, 6)), rng.normal(size=3)),
        }
    )
    w = {name: torch.tensor(v, requires_grad=True) for name, v in network.parameters.items()}
    x, dy = rng.normal(size=(2, 4, 6, 5)), rng.normal(size=(2, 3))
    below = torch.tensor(x, requires_grad=True)
    y = Gated(w)(below)
    y.backward(torch.tensor(dy))
    assert_near(network.forward(x), y)
    assert_near(network.backward(x, dy), below.grad)
    gradients = network.gradients(x, dy)
    assert gradients.keys() == w.keys()
    for name, gradient in gradients.items():
        assert_near(gradient, w[name].grad)


def test_slopes_and_gradients_say_what_a_small_change_does():
    """The definition itself: move one number up and down by h and look at the loss."""
    rng = np.random.default_rng(5)
    network, _, _ = photographer(rng)
    x, t = rng.uniform(0, 255, (2, 3, 24, 24)), np.array([1, 3])
    loss, h = ref.CrossEntropy(), 1e-6
    made = network.activations(x)
    slopes = network.slopes(made, loss.backward(made[-1], t))
    gradients = network.gradients_at(made, slopes)
    arrays = {"photo": (x, slopes[0])}
    arrays |= {name: (w, gradients[name]) for name, w in network.parameters.items()}
    for name, (array, slope) in arrays.items():
        for place in rng.integers(0, array.size, 5):
            old = array.flat[place]
            around = []
            for moved in (old + h, old - h):
                array.flat[place] = moved
                around.append(loss.forward(network.forward(x), t))
            array.flat[place] = old
            measured = (around[0] - around[1]) / (2 * h)
            assert measured == pytest.approx(slope.flat[place], rel=1e-5, abs=1e-8), name


@pytest.mark.parametrize("kind", [ref.HardSigmoid(), ref.HardSwish(), ref.GELU(), ref.Mish()])
def test_a_curve_rises_as_its_slope_says(kind):
    x, h = np.linspace(-4, 4, 41) + 0.013, 1e-5
    measured = (kind.forward(x + h) - kind.forward(x - h)) / (2 * h)
    np.testing.assert_allclose(measured, kind.slope(x), rtol=0, atol=1e-9)


def test_a_network_that_learns_takes_torchs_way_step_by_step():
    rng = np.random.default_rng(6)
    network = small_network(rng)
    theirs = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(144, 2)
    ).double()
    twins = dict(zip(network.parameters, theirs.parameters(), strict=True))
    for name, w in network.parameters.items():
        twins[name].data = torch.tensor(w)
    rules = {name: ref.AdamW(decay=0.01) for name in network.parameters}
    optimizer = torch.optim.AdamW(theirs.parameters(), lr=0.01, weight_decay=0.01)
    loss = ref.CrossEntropy(smoothing=0.1)
    for _ in range(5):
        x, t = striped(8, rng)
        logits = theirs((torch.tensor(x) / 255 - 0.5) / 0.25)
        wrong = F.cross_entropy(logits, torch.tensor(t), label_smoothing=0.1)
        optimizer.zero_grad()
        wrong.backward()
        optimizer.step()
        assert ref.learn(network, loss, rules, x, t, 0.01) == pytest.approx(wrong.item(), rel=1e-11)
        for name, w in network.parameters.items():
            np.testing.assert_allclose(w, twins[name].detach(), rtol=0, atol=1e-10)


def test_the_folder_needs_nothing_but_numpy_and_python(tmp_path):
    for path in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                roots = {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                roots = {(node.module or "").split(".")[0]}
            else:
                assert not isinstance(node, ast.ImportFrom) or node.level == 1
                continue
            assert roots <= {"numpy"} | sys.stdlib_module_names, path.name


def test_a_copy_of_the_folder_runs_by_itself_and_learns(tmp_path):
    shutil.copytree(FOLDER, tmp_path / "reference")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "reference"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    *steps, last = done.stdout.splitlines()
    losses = [float(line.split()[-1]) for line in steps]
    assert len(losses) == 6
    assert losses[-1] < losses[0] / 4
    assert float(last.split()[4]) > 95

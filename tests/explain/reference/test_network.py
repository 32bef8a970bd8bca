"""A whole network of the reference against autograd: every activation, slope and gradient."""

import numpy as np
import torch
import torch.nn.functional as F

from seethrough.explain import reference as ref


def test_every_number_of_a_whole_network_is_autograds():
    rng = np.random.default_rng(3)
    halves = ref.window((2, 2), (2, 2))
    network = ref.Network(
        {
            "conv1": ref.Convolution(
                rng.normal(size=(6, 3, 3, 3)), rng.normal(size=6), padding=(1, 1)
            ),
            "relu1": ref.ReLU(),
            "pool1": ref.MaxPool(halves),
            "conv2": ref.Convolution(rng.normal(size=(4, 6, 3, 3)) / 5, rng.normal(size=4)),
            "relu2": ref.ReLU(),
            "flatten": ref.Flatten(),
            "dense": ref.Dense(rng.normal(size=(5, 4 * 36)) / 9, rng.normal(size=5)),
        }
    )
    x, classes, loss = rng.normal(size=(2, 3, 16, 16)), np.array([4, 0]), ref.CrossEntropy()
    theirs = {k: torch.tensor(v, requires_grad=True) for k, v in network.parameters.items()}

    made = [torch.tensor(x, requires_grad=True)]
    for function in (
        lambda x: F.conv2d(x, theirs["conv1.weight"], theirs["conv1.bias"], padding=1),
        F.relu,
        lambda x: F.max_pool2d(x, 2),
        lambda x: F.conv2d(x, theirs["conv2.weight"], theirs["conv2.bias"]),
        F.relu,
        lambda x: x.flatten(1),
        lambda x: F.linear(x, theirs["dense.weight"], theirs["dense.bias"]),
    ):
        made.append(function(made[-1]))
        made[-1].retain_grad()
    F.cross_entropy(made[-1], torch.tensor(classes)).backward()

    ours = network.activations(x)
    slopes = network.slopes(ours, loss.backward(ours[-1], classes))
    gradients = network.gradients_at(ours, slopes)
    assert len(ours) == len(slopes) == len(made) == 8
    for own, slope, their in zip(ours, slopes, made, strict=True):
        np.testing.assert_allclose(own, their.detach(), rtol=0, atol=1e-12 * abs(own).max())
        np.testing.assert_allclose(slope, their.grad, rtol=0, atol=1e-12 * abs(slope).max())
    assert gradients.keys() == theirs.keys()
    for name, gradient in gradients.items():
        atol = 1e-12 * abs(gradient).max()
        np.testing.assert_allclose(gradient, theirs[name].grad, rtol=0, atol=atol)
    assert (network.forward(x) == ours[-1]).all()
    assert (network.backward(x, loss.backward(ours[-1], classes)) == slopes[0]).all()

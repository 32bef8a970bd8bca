"""Learning: forward, loss, backward, step. And again, with other photos."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from .layer import Array
from .loss import CrossEntropy
from .network import Network
from .update import Update


def learn(
    network: Network,
    loss: CrossEntropy,
    updates: Mapping[str, Update],
    x: Array,
    t: NDArray[np.int64],
    lr: float,
) -> float:
    """One step on photos x of classes t; the answer is what the loss was before it."""
    made = network.activations(x)
    wrong = loss.forward(made[-1], t)
    slopes = network.slopes(made, loss.backward(made[-1], t))
    for name, g in network.gradients_at(made, slopes).items():
        w = network.parameters[name]
        w[...] = updates[name].step(w, g, lr)
    return wrong

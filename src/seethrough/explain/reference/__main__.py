"""A small network learns to tell lying stripes from standing ones.

python -m seethrough.explain.reference
python -m reference                        where a copy of this folder lies, with NumPy only
"""

import numpy as np
from numpy.typing import NDArray

from .activation import ReLU
from .convolution import Convolution
from .dense import Dense, Flatten
from .layer import Array
from .learning import learn
from .loss import CrossEntropy
from .network import Network
from .photo import Normalise
from .pooling import MaxPool
from .update import Momentum
from .window import window


def striped(n: int, rng: np.random.Generator) -> tuple[Array, NDArray[np.int64]]:
    """Grey photos n 1 12 12 in bytes, 0..255, and their classes: 0 lies, 1 stands."""
    t = rng.integers(0, 2, n)
    phase = rng.integers(0, 4, (n, 1, 1, 1))
    lying = (np.arange(12)[:, None] + np.zeros(12, dtype=int) + phase) % 4 < 2
    light = np.where(t[:, None, None, None] == 0, lying, lying.mT)
    return np.clip(np.round(128 + 75 * (light - 0.5) + rng.normal(0, 60, light.shape)), 0, 255), t


def drawn(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Weights to begin with: of such a size that a ReLU network's numbers neither grow nor shrink.

    Source: He et al., "Delving deep into rectifiers" (2015), arXiv:1502.01852, equation 10.
    """
    return rng.normal(0, np.sqrt(2 / np.prod(shape[1:])), shape)


def small_network(rng: np.random.Generator) -> Network:
    """Four kernels of 3 × 3, and two classes."""
    return Network(
        {
            "normalise": Normalise(mean=np.array([0.5]), std=np.array([0.25])),
            "conv": Convolution(drawn((4, 1, 3, 3), rng), np.zeros(4), padding=(1, 1)),
            "relu": ReLU(),
            "pool": MaxPool(window((2, 2), stride=(2, 2))),
            "flatten": Flatten(),
            "dense": Dense(drawn((2, 4 * 6 * 6), rng), np.zeros(2)),
        }
    )


def main() -> None:
    """Sixty steps of sixteen photos each, and what the network then makes of new ones."""
    rng = np.random.default_rng(0)
    network, loss = small_network(rng), CrossEntropy()
    updates = {
        name: Momentum(momentum=0.9, decay=5e-4 if w.ndim > 1 else 0.0)
        for name, w in network.parameters.items()
    }
    for step in range(60):
        wrong = learn(network, loss, updates, *striped(16, rng), lr=0.01)
        if step % 10 == 0:
            print(f"step {step:2}  loss {wrong:.3f}")
    x, t = striped(500, rng)
    right = np.mean(network.forward(x).argmax(1) == t)
    print(f"of 500 new photos {100 * right:.1f} % are recognised")


if __name__ == "__main__":
    main()

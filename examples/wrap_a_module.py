"""Look through a network that was not made here, and check every equation against torch.

    python examples/wrap_a_module.py

A residual block with group normalisation, written and initialised with torch alone. Its equations
are recomputed in float64 at 400 random cells of two images of noise.
"""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

import seethrough as see
from seethrough.explain import verify


class Block(nn.Module):
    """Two convolutions and the way around them."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=2, dilation=2, bias=False)
        self.norm = nn.GroupNorm(2, channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, groups=2)

    def forward(self, x: Tensor) -> Tensor:
        """The block's own change, added to what came in."""
        return functional.silu(x + self.conv2(functional.silu(self.norm(self.conv1(x)))))


class Network(nn.Module):
    """A stem with stride 2, one block, global pooling, one dense layer."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 5, stride=2, padding=2)
        self.block = Block(8)
        self.head = nn.Linear(8, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Logits of images n 3 h w, standardised."""
        maps = self.block(functional.relu(self.stem(images)))
        return self.head(functional.adaptive_avg_pool2d(maps, 1).flatten(1))


def main() -> None:
    """Wrap it, print one equation, check 400 cells."""
    torch.manual_seed(0)
    network = Network(classes=3)
    classifier = see.wrap(
        network,
        classes=["cat", "dog", "owl"],
        image_px=32,
        mean=(0.485, 0.456, 0.406),
        std=(0.229, 0.224, 0.225),
    )
    noise = np.random.default_rng(0)
    images = noise.integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    trace = classifier.trace(images[0])
    print(trace, end="\n\n")
    print(trace.equation("network.stem", unit=2, row=0, column=15), end="\n\n")
    print(verify(classifier.module, images, cells=400))


if __name__ == "__main__":
    main()

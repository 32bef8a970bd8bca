"""How far the equations are from the framework: random values of every kind of layer, both ways.

python -m benchmarks exactness [--quick]

Every ready network and some that are awkward (a Python branch, one module used twice, half
precision), with random weights, at 32 px. Half of the values are activations, half gradients at
cells and at learned numbers, with a random class as the true one.

    forward, backward   largest |sum − framework| / Σ |product|, the equation's terms added up anew
    adds_up             share of the equations whose displayed digits add up exactly
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from seethrough.explain import verify
from seethrough.model.make import make
from seethrough.model.networks.table import READY
from seethrough.model.presets import PRESETS, preset

IMAGE_PX = 32
CLASSES = 10
PHOTOS = 2
VALUES = 10_000
QUICK_VALUES = 600


class Branching(nn.Module):
    """Which way it goes depends on the photo."""

    def __init__(self) -> None:
        super().__init__()
        self.bright, self.dark = nn.Conv2d(3, 8, 3), nn.Conv2d(3, 8, 3, dilation=2, padding=1)
        self.head = nn.Linear(8, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """Pixels 0..255, n 3 h w, to logits n k."""
        x = self.bright(x) if x.mean() > 0.5 else self.dark(x)
        logits: Tensor = self.head(functional.mish(x).mean((2, 3)))
        return logits


class Sharing(nn.Module):
    """One convolution and one normalisation, used three times, with a skip connection."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.head = nn.Conv2d(3, 8, 3, stride=2), nn.Linear(8 * 4, CLASSES)
        self.conv, self.norm = nn.Conv2d(8, 8, 3, padding=1, groups=2), nn.GroupNorm(4, 8)

    def forward(self, x: Tensor) -> Tensor:
        """Pixels 0..255, n 3 h w, to logits n k."""
        x = self.stem(x / 255)
        for _ in range(3):
            x = x + functional.gelu(self.norm(self.conv(x)))
        logits: Tensor = self.head(torch.flatten(functional.adaptive_max_pool2d(x, 2), 1))
        return logits


def networks() -> dict[str, Callable[[], nn.Module]]:
    """By name, each made anew."""
    made: dict[str, Callable[[], nn.Module]] = {}
    for name in (*PRESETS, *READY):
        made[name] = lambda name=name: make(  # type: ignore[misc]
            preset(name, image_px=IMAGE_PX),
            num_classes=CLASSES,
            mean=(0.5, 0.5, 0.5),
            std=(0.25, 0.25, 0.25),
            seed=0,
        )
    made["branching"] = Branching
    made["sharing"] = Sharing
    made["demo, half"] = lambda: made["demo"]().to(torch.bfloat16)
    return made


def run(values: int = VALUES) -> dict[str, Any]:
    """The worst of every network and of every kind of layer."""
    photos = np.random.default_rng(1).integers(
        0, 256, (PHOTOS, IMAGE_PX, IMAGE_PX, 3), dtype=np.uint8
    )
    made = networks()
    share = values // (2 * len(made))
    found: dict[str, Any] = {"values": 0, "forward_worst": 0.0, "backward_worst": 0.0}
    kinds: dict[str, float] = {}
    for name, maker in made.items():
        torch.manual_seed(0)
        seen = verify(maker(), photos, cells=share)
        found[name] = {
            "layers": len(seen.layers),
            "activations": seen.cells,
            "forward": seen.forward_worst,
            "gradients": seen.gradients,
            "backward": seen.backward_worst,
            "adds_up": seen.adds_up,
            "unknown": len(seen.unknown),
        }
        found["values"] += seen.cells + seen.gradients
        if "half" not in name:  # whose framework rounds at 4e-3
            found["forward_worst"] = max(found["forward_worst"], seen.forward_worst)
            found["backward_worst"] = max(found["backward_worst"], seen.backward_worst)
            for kind, worst in seen.kinds.items():
                kinds[kind] = max(kinds.get(kind, 0.0), worst)
    return {**found, "kinds": dict(sorted(kinds.items()))}

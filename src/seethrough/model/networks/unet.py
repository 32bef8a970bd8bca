"""A small U: down to coarse maps and up again, each step up beside the map of its size before.

Source: Ronneberger et al., U-Net (2015), arXiv:1505.04597, for the shape. What differs: it is a
classifier (the mean of the last maps goes into a dense layer), has 16 to 64 units in three sizes,
padding, batch normalisation, and doubles maps by repeating cells instead of learned convolutions.
"""

from collections import OrderedDict

import torch
from torch import Tensor, nn
from torch.nn import functional

from seethrough.model.networks.start import he

_WIDTHS = (16, 32, 64)


def _pair(channels: int, units: int) -> nn.Sequential:
    """Two convolutions of 3 × 3."""
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for place in (1, 2):
        below = channels if place == 1 else units
        layers[f"conv{place}"] = nn.Conv2d(below, units, 3, padding=1, bias=False)
        layers[f"norm{place}"] = nn.BatchNorm2d(units)
        layers[f"relu{place}"] = nn.ReLU()
    return nn.Sequential(layers)


class Unet(nn.Module):
    """Three sizes down, two up, the mean, one dense layer."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        one, two, three = _WIDTHS
        self.down1, self.down2, self.bottom = _pair(3, one), _pair(one, two), _pair(two, three)
        self.pool1, self.pool2 = nn.MaxPool2d(2), nn.MaxPool2d(2)
        self.up2, self.up1 = _pair(three + two, two), _pair(two + one, one)
        self.mean, self.flatten = nn.AdaptiveAvgPool2d(1), nn.Flatten()
        self.dense = nn.Linear(one, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits."""
        fine = self.down1(x)
        middle = self.down2(self.pool1(fine))
        coarse = self.bottom(self.pool2(middle))
        y = self.up2(torch.cat((_as_large(coarse, middle), middle), 1))
        y = self.up1(torch.cat((_as_large(y, fine), fine), 1))
        logits: Tensor = self.dense(self.flatten(self.mean(y)))
        return logits


def _as_large(x: Tensor, other: Tensor) -> Tensor:
    """Every cell repeated until the map has the other's size."""
    return functional.interpolate(x, size=other.shape[2:], mode="nearest")


def unet_small(num_classes: int, image_px: int) -> nn.Module:
    """Any size from 4 px on; the weights do not depend on it."""
    network = Unet(num_classes)
    he(network)
    return network

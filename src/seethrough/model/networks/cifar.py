"""A network that learns small photos in few epochs: 2 × 2 first, three blocks, GELU.

Source: Jordan, 94% on CIFAR-10 in 3.29 seconds on a single GPU (2024), arXiv:2404.00498. Like its
network: a first convolution of 24 units on 2 × 2 px, widths 64, 256, 256, pooling before the
normalisation of each block, no scale in batch normalisation, further convolutions that begin by
handing their input on (Dirac), logits divided by 9. What differs: the first convolution begins
orthogonal and learns, where the paper's is set to whitening filters of the photos and kept; the
paper's optimizer, augmentation and averaging of answers are no part of the network.
"""

from collections import OrderedDict

import torch
from torch import Tensor, nn

from seethrough.errors import ShapeError

_WIDTHS = (64, 256, 256)
_FIRST = 24  # two for each of the 12 numbers of a window
_SCALE = 1 / 9
_WINDOW = 3  # cells of the last pooling
_MOMENTUM = 0.4  # share of the newest batch in the running statistics


class Scale(nn.Module):
    """Every number times a constant."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        """x · factor."""
        return x * self.factor


def _norm(units: int) -> nn.BatchNorm2d:
    """Batch normalisation that shifts and does not scale."""
    norm = nn.BatchNorm2d(units, momentum=_MOMENTUM, eps=1e-12)
    norm.weight.requires_grad = False
    return norm


def cifar_small(num_classes: int, image_px: int) -> nn.Sequential:
    """Seven convolutions; images from 25 px on."""
    first = nn.Conv2d(3, _FIRST, 2)
    layers: OrderedDict[str, nn.Module] = OrderedDict(conv=first, gelu=nn.GELU())
    channels, cells = _FIRST, image_px - 1
    for block, units in enumerate(_WIDTHS, start=1):
        parts: OrderedDict[str, nn.Module] = OrderedDict(
            conv1=nn.Conv2d(channels, units, 3, padding=1, bias=False),
            pool=nn.MaxPool2d(2),
            norm1=_norm(units),
            gelu1=nn.GELU(),
            conv2=nn.Conv2d(units, units, 3, padding=1, bias=False),
            norm2=_norm(units),
            gelu2=nn.GELU(),
        )
        layers[f"block{block}"] = nn.Sequential(parts)
        channels, cells = units, cells // 2
    if cells < _WINDOW:
        raise ShapeError(
            f"cifar-small does not fit images of {image_px} × {image_px} px.",
            why=f"its last pooling reads {_WINDOW} × {_WINDOW} cells, not {cells} × {cells}.",
            fix="take larger images: it was made for 32 px.",
        )
    layers["pool"] = nn.MaxPool2d(_WINDOW)
    layers["flatten"] = nn.Flatten()
    layers["dense"] = nn.Linear(channels * (cells // _WINDOW) ** 2, num_classes, bias=False)
    layers["scale"] = Scale(_SCALE)
    network = nn.Sequential(layers)
    _begin(network, first)
    return network


def _begin(network: nn.Module, first: nn.Conv2d) -> None:
    """An orthogonal beginning, and identities above it as far as there are channels."""
    with torch.no_grad():
        half = torch.empty(_FIRST // 2, first.weight[0].numel())
        nn.init.orthogonal_(half)
        pairs = torch.cat((half, -half))
        first.weight.copy_(pairs.reshape(first.weight.shape))
        nn.init.zeros_(first.bias)  # type: ignore[arg-type]
        for part in network.modules():
            if isinstance(part, nn.Conv2d) and part is not first:
                nn.init.dirac_(part.weight[: part.in_channels])

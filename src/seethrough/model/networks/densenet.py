"""DenseNet of 40 layers, growth 12: every convolution reads the maps of all before it in its block.

Source: Huang et al., Densely connected convolutional networks (2017), arXiv:1608.06993, sections 3
and 4.2, without bottlenecks. Images from 64 px on are halved by the first convolution.
"""

from collections import OrderedDict

import torch
from torch import Tensor, nn

from seethrough.model.networks.start import he

_HALVED_PX = 64
_GROWTH = 12
_BLOCKS = 3
_DEPTH = 12  # convolutions in a block


class Dense(nn.Module):
    """Twelve maps more, made of all that came before."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU()
        self.conv = nn.Conv2d(channels, _GROWTH, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """x and conv(relu(norm(x))), one behind the other."""
        return torch.cat((x, self.conv(self.relu(self.norm(x)))), 1)


def densenet_40(num_classes: int, image_px: int) -> nn.Sequential:
    """Three blocks of twelve; 1 × 1 convolutions and poolings between them."""
    channels = 16
    first = nn.Conv2d(3, channels, 3, 1 if image_px < _HALVED_PX else 2, 1, bias=False)
    layers: OrderedDict[str, nn.Module] = OrderedDict(conv=first)
    for block in range(1, _BLOCKS + 1):
        steps = [Dense(channels + place * _GROWTH) for place in range(_DEPTH)]
        layers[f"block{block}"] = nn.Sequential(*steps)
        channels += _DEPTH * _GROWTH
        layers[f"norm{block}"] = nn.BatchNorm2d(channels)
        layers[f"relu{block}"] = nn.ReLU()
        if block < _BLOCKS:
            layers[f"conv{block}"] = nn.Conv2d(channels, channels, 1, bias=False)
            layers[f"pool{block}"] = nn.AvgPool2d(2)
    layers["mean"] = nn.AdaptiveAvgPool2d(1)
    layers["flatten"] = nn.Flatten()
    layers["dense"] = nn.Linear(channels, num_classes)
    network = nn.Sequential(layers)
    he(network)
    return network

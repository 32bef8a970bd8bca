"""ConvNeXt-T: wide windows on each channel alone, then two 1 × 1 convolutions around a GELU.

Source: Liu et al., A ConvNet for the 2020s (2022), arXiv:2201.03545. What differs: blocks are not
left out at random in training (stochastic depth). Images below 64 px begin with windows of 2 × 2
cells instead of 4 × 4.
"""

from collections import OrderedDict

import torch
from torch import Tensor, nn

from seethrough.model.networks.start import narrow

_SMALL_PX = 64
_WIDTHS = (96, 192, 384, 768)
_DEPTHS = (3, 3, 9, 3)
_SCALE = 1e-6  # of a block before training
_EPSILON = 1e-6


class ChannelNorm(nn.LayerNorm):
    """Layer normalisation over the channels of every cell of a map n c h w."""

    def forward(self, x: Tensor) -> Tensor:
        """(x − mean) / deviation of the cell, × weight + bias of the channel."""
        result: Tensor = super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        return result


class Block(nn.Module):
    """x + scale · narrow(gelu(widen(norm(each(x)))))."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.each = nn.Conv2d(width, width, 7, padding=3, groups=width)
        self.norm = ChannelNorm(width, eps=_EPSILON)
        self.widen = nn.Conv2d(width, 4 * width, 1)
        self.gelu = nn.GELU()
        self.narrow = nn.Conv2d(4 * width, width, 1)
        self.scale = nn.Parameter(torch.full((width, 1, 1), _SCALE))

    def forward(self, x: Tensor) -> Tensor:
        """The block's sum."""
        y = self.narrow(self.gelu(self.widen(self.norm(self.each(x)))))
        result: Tensor = x + self.scale * y
        return result


def convnext_tiny(num_classes: int, image_px: int) -> nn.Sequential:
    """Eighteen blocks in four stages."""
    patch = 2 if image_px < _SMALL_PX else 4
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        conv=nn.Conv2d(3, _WIDTHS[0], patch, patch),
        norm=ChannelNorm(_WIDTHS[0], eps=_EPSILON),
    )
    for stage, (width, depth) in enumerate(zip(_WIDTHS, _DEPTHS, strict=True), start=1):
        if stage > 1:
            below = _WIDTHS[stage - 2]
            layers[f"norm{stage}"] = ChannelNorm(below, eps=_EPSILON)
            layers[f"conv{stage}"] = nn.Conv2d(below, width, 2, 2)
        layers[f"stage{stage}"] = nn.Sequential(*(Block(width) for _ in range(depth)))
    layers["mean"] = nn.AdaptiveAvgPool2d(1)
    layers["flatten"] = nn.Flatten()
    layers["last_norm"] = nn.LayerNorm(_WIDTHS[-1], eps=_EPSILON)
    layers["dense"] = nn.Linear(_WIDTHS[-1], num_classes)
    network = nn.Sequential(layers)
    narrow(network, 0.02)
    return network

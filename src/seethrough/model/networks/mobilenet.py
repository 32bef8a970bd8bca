"""MobileNetV2: blocks that widen, look at each channel alone, and narrow without an activation.

Source: Sandler et al., MobileNetV2: inverted residuals and linear bottlenecks (2018),
arXiv:1801.04381, table 2, width 1. Images below 64 px keep their size in the first convolution and
in the second stage, which halve it otherwise.
"""

from collections import OrderedDict

from torch import Tensor, nn

from seethrough.model.networks.start import he, narrow

_SMALL_PX = 64
# Widening, channels, blocks, stride of the first block.
_STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
_LAST = 1280


class InvertedResidual(nn.Module):
    """1 × 1 wider, 3 × 3 for each channel alone, 1 × 1 narrower; added where sizes agree."""

    def __init__(self, channels: int, units: int, stride: int, widening: int) -> None:
        super().__init__()
        wide = channels * widening
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        if widening > 1:
            layers["widen"] = nn.Conv2d(channels, wide, 1, bias=False)
            layers["norm1"] = nn.BatchNorm2d(wide)
            layers["relu1"] = nn.ReLU6()
        layers["each"] = nn.Conv2d(wide, wide, 3, stride, 1, groups=wide, bias=False)
        layers["norm2"] = nn.BatchNorm2d(wide)
        layers["relu2"] = nn.ReLU6()
        layers["narrow"] = nn.Conv2d(wide, units, 1, bias=False)
        layers["norm3"] = nn.BatchNorm2d(units)
        self.path = nn.Sequential(layers)
        self.adds = stride == 1 and channels == units

    def forward(self, x: Tensor) -> Tensor:
        """x + path(x), or path(x) alone where sizes differ."""
        y: Tensor = self.path(x)
        return x + y if self.adds else y


def mobilenet_v2(num_classes: int, image_px: int) -> nn.Sequential:
    """Seventeen inverted residuals between two convolutions."""
    is_small = image_px < _SMALL_PX
    channels = 32
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        conv=nn.Conv2d(3, channels, 3, 1 if is_small else 2, 1, bias=False),
        norm=nn.BatchNorm2d(channels),
        relu=nn.ReLU6(),
    )
    for stage, (widening, units, depth, stride) in enumerate(_STAGES, start=1):
        first = 1 if is_small and stage == 2 else stride
        blocks = []
        for place in range(depth):
            blocks.append(InvertedResidual(channels, units, first if place == 0 else 1, widening))
            channels = units
        layers[f"stage{stage}"] = nn.Sequential(*blocks)
    layers["last"] = nn.Conv2d(channels, _LAST, 1, bias=False)
    layers["last_norm"] = nn.BatchNorm2d(_LAST)
    layers["last_relu"] = nn.ReLU6()
    layers["mean"] = nn.AdaptiveAvgPool2d(1)
    layers["flatten"] = nn.Flatten()
    layers["dropout"] = nn.Dropout(0.2)
    layers["dense"] = nn.Linear(_LAST, num_classes)
    network = nn.Sequential(layers)
    he(network)
    narrow(layers["dense"], 0.01)
    return network

"""ResNets of 18, 34 and 50 layers: every block adds what it learned to what it read.

Source: He et al., Deep residual learning (2015), arXiv:1512.03385, table 1. The stride of a
bottleneck stands in its 3 × 3 convolution instead of its first 1 × 1, as is usual since. Images
below 64 px have another beginning: one 3 × 3 convolution, and neither stride nor pooling.
"""

from collections import OrderedDict

from torch import Tensor, nn

from seethrough.model.networks.start import he

_SMALL_PX = 64
_WIDTHS = (64, 128, 256, 512)


class Basic(nn.Module):
    """Two 3 × 3 convolutions beside the way that skips them."""

    growth = 1

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(width)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(width)
        self.skip = _skip(channels, width, stride)
        self.relu2 = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """relu(skip(x) + norm(conv(relu(norm(conv(x))))))."""
        y = self.relu1(self.norm1(self.conv1(x)))
        y = self.norm2(self.conv2(y))
        result: Tensor = self.relu2(y + self.skip(x))
        return result


class Bottleneck(nn.Module):
    """A 3 × 3 convolution between two 1 × 1 that narrow and widen four times."""

    growth = 4

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(width)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(width)
        self.relu2 = nn.ReLU()
        self.conv3 = nn.Conv2d(width, width * self.growth, 1, bias=False)
        self.norm3 = nn.BatchNorm2d(width * self.growth)
        self.skip = _skip(channels, width * self.growth, stride)
        self.relu3 = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """relu(skip(x) + three convolutions, each normalised)."""
        y = self.relu1(self.norm1(self.conv1(x)))
        y = self.relu2(self.norm2(self.conv2(y)))
        y = self.norm3(self.conv3(y))
        result: Tensor = self.relu3(y + self.skip(x))
        return result


def _skip(channels: int, units: int, stride: int) -> nn.Sequential:
    """Nothing where sizes agree, else a 1 × 1 convolution that makes them agree (option B)."""
    if channels == units and stride == 1:
        return nn.Sequential()
    conv = nn.Conv2d(channels, units, 1, stride, bias=False)
    return nn.Sequential(OrderedDict(conv=conv, norm=nn.BatchNorm2d(units)))


def _resnet(
    block: type[Basic] | type[Bottleneck],
    depths: tuple[int, ...],
    num_classes: int,
    image_px: int,
) -> nn.Sequential:
    is_small = image_px < _SMALL_PX
    kernel, stride, pad = (3, 1, 1) if is_small else (7, 2, 3)
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        conv=nn.Conv2d(3, _WIDTHS[0], kernel, stride, pad, bias=False),
        norm=nn.BatchNorm2d(_WIDTHS[0]),
        relu=nn.ReLU(),
    )
    if not is_small:
        layers["pool"] = nn.MaxPool2d(3, 2, 1)
    channels = _WIDTHS[0]
    for stage, (width, depth) in enumerate(zip(_WIDTHS, depths, strict=True), start=1):
        blocks = []
        for place in range(depth):
            blocks.append(block(channels, width, 2 if stage > 1 and place == 0 else 1))
            channels = width * block.growth
        layers[f"stage{stage}"] = nn.Sequential(*blocks)
    layers["mean"] = nn.AdaptiveAvgPool2d(1)
    layers["flatten"] = nn.Flatten()
    layers["dense"] = nn.Linear(channels, num_classes)
    network = nn.Sequential(layers)
    he(network)
    return network


def resnet_18(num_classes: int, image_px: int) -> nn.Sequential:
    """Eight blocks of two convolutions."""
    return _resnet(Basic, (2, 2, 2, 2), num_classes, image_px)


def resnet_34(num_classes: int, image_px: int) -> nn.Sequential:
    """Sixteen blocks of two convolutions."""
    return _resnet(Basic, (3, 4, 6, 3), num_classes, image_px)


def resnet_50(num_classes: int, image_px: int) -> nn.Sequential:
    """Sixteen blocks of three convolutions."""
    return _resnet(Bottleneck, (3, 4, 6, 3), num_classes, image_px)

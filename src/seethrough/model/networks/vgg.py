"""VGG-11 with batch normalisation: 3 × 3 convolutions, a pooling after each widening.

Source: Simonyan and Zisserman, Very deep convolutional networks (2015), arXiv:1409.1556, table 1,
column A; batch normalisation after every convolution. From 128 px on the paper's three dense layers
read 7 × 7 cells; smaller images have one dense layer, and a map of one cell is not pooled further.
"""

from collections import OrderedDict

from torch import nn

from seethrough.model.networks.start import he

_STAGES = ((64,), (128,), (256, 256), (512, 512), (512, 512))
_LARGE_PX = 128
_DENSE = 4096
_CELLS = 7


def vgg_11(num_classes: int, image_px: int) -> nn.Sequential:
    """Standardised floats n 3 h w to logits."""
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    channels, cells = 3, image_px
    for stage, widths in enumerate(_STAGES, start=1):
        for place, units in enumerate(widths, start=1):
            layers[f"conv{stage}_{place}"] = nn.Conv2d(channels, units, 3, padding=1)
            layers[f"norm{stage}_{place}"] = nn.BatchNorm2d(units)
            layers[f"relu{stage}_{place}"] = nn.ReLU()
            channels = units
        if cells > 1:
            layers[f"pool{stage}"] = nn.MaxPool2d(2)
            cells //= 2
    if image_px < _LARGE_PX:
        layers["flatten"] = nn.Flatten()
        layers["dense"] = nn.Linear(channels * cells**2, num_classes)
    else:
        layers["pool"] = nn.AdaptiveAvgPool2d(_CELLS)
        layers["flatten"] = nn.Flatten()
        inputs = channels * _CELLS**2
        for place in (1, 2):
            layers[f"dense{place}"] = nn.Linear(inputs, _DENSE)
            layers[f"relu{place}"] = nn.ReLU()
            layers[f"dropout{place}"] = nn.Dropout(0.5)
            inputs = _DENSE
        layers["dense3"] = nn.Linear(inputs, num_classes)
    network = nn.Sequential(layers)
    he(network)
    return network

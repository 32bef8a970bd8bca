"""Which function makes which ready network; `presets` says for which images and from where."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from torch import nn

from seethrough.model.networks.cifar import cifar_small
from seethrough.model.networks.convnext import convnext_tiny
from seethrough.model.networks.densenet import densenet_40
from seethrough.model.networks.mobilenet import mobilenet_v2
from seethrough.model.networks.resnet import resnet_18, resnet_34, resnet_50
from seethrough.model.networks.unet import unet_small
from seethrough.model.networks.vgg import vgg_11

# (number of classes, side of the images in px) → a module of standardised floats n 3 h w
READY: Mapping[str, Callable[[int, int], nn.Module]] = MappingProxyType(
    {
        "cifar-small": cifar_small,
        "vgg-11": vgg_11,
        "resnet-18": resnet_18,
        "resnet-34": resnet_34,
        "resnet-50": resnet_50,
        "mobilenet-v2": mobilenet_v2,
        "convnext-tiny": convnext_tiny,
        "densenet-40": densenet_40,
        "unet-small": unet_small,
    }
)

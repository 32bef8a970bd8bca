"""Networks that are ready to use, each with its source and what differs from it.

| name     | image px | parameters, 10 classes | from                                            |
|----------|----------|------------------------|-------------------------------------------------|
| demo     | 32       | 14,714                 | made for this program: at most 16 units a layer |
| tiny-vgg | 64       | 19,920                 | Wang et al., CNN Explainer (2020)               |
| lenet-5  | 32       | 62,006                 | LeCun et al., Gradient-based learning (1998)    |

Those above are texts; those below are code in `networks`, because they branch. They take any size
of images; the one named is their source's.

| name          | image px | parameters, 1,000 classes there | from                              |
|---------------|----------|---------------------------------|-----------------------------------|
| cifar-small   | 32       | 2,226,232                       | Jordan, 94% on CIFAR-10 (2024)    |
| vgg-11        | 224      | 132,868,840                     | Simonyan and Zisserman (2015)     |
| resnet-18     | 224      | 11,689,512                      | He et al. (2015)                  |
| resnet-34     | 224      | 21,797,672                      | He et al. (2015)                  |
| resnet-50     | 224      | 25,557,032                      | He et al. (2015)                  |
| mobilenet-v2  | 224      | 3,504,872                       | Sandler et al. (2018)             |
| convnext-tiny | 224      | 28,589,128                      | Liu et al. (2022)                 |
| densenet-40   | 32       | 1,464,232                       | Huang et al. (2017)               |
| unet-small    | 32       | 135,576                         | Ronneberger et al. (2015)         |
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal, overload

from seethrough.errors import SpecError
from seethrough.model.coded import ModuleSpec, Network, Origin, referred
from seethrough.model.source import is_reference
from seethrough.model.spec import DEFAULT_IMAGE_PX, NetworkSpec, parse

MAX_FILE = 1_000_000  # bytes of a network's TOML file


_FEW_CELLS = 7  # along one axis: the demo's network stops halving there


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A network's text, the image size that it was made for, and where it comes from."""

    text: str
    image_px: int
    source: str


def _demo(image_px: int) -> str:
    """A convolution that halves, blocks of two and a pooling, one more: 32 px → 16, 8, 4 cells."""
    cells, blocks = (image_px + 1) // 2, 0
    while cells > _FEW_CELLS:
        cells, blocks = cells // 2, blocks + 1
    block = "conv 16 k3 p1, norm, relu, conv 16 k3 p1, norm, relu, maxpool 2, "
    return (
        f"conv 16 k3 s2 p1, norm, relu, {block * blocks}conv 16 k3 p1, norm, relu, flatten, dense"
    )


PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        "demo": Preset(
            text=_demo(32),
            image_px=32,
            source="Made for this program: six convolutions of 16 units, drawn whole on a screen. "
            "For larger or smaller images it has more or fewer blocks.",
        ),
        "tiny-vgg": Preset(
            text="conv 10 k3, relu, conv 10 k3, relu, maxpool 2, "
            "conv 10 k3, relu, conv 10 k3, relu, maxpool 2, flatten, dense",
            image_px=64,
            source="Wang et al., CNN Explainer, IEEE TVCG 27 (2020), "
            "doi:10.1109/TVCG.2020.3030418: the network of that page, with as many classes as "
            "your images have.",
        ),
        "lenet-5": Preset(
            text="conv 6 k5, tanh, avgpool 2, conv 16 k5, tanh, avgpool 2, "
            "conv 120 k5, tanh, flatten, dense 84, tanh, dense",
            image_px=32,
            source="LeCun, Bottou, Bengio and Haffner, Gradient-based learning applied to "
            "document recognition, Proc. IEEE 86 (1998), doi:10.1109/5.726791. What differs: it "
            "reads three colours instead of grey; every map of the second convolution reads all "
            "six maps before it instead of a chosen few; pooling is a plain mean without a "
            "weight, a bias and a squashing function of its own; tanh is not scaled; the last "
            "layer is dense with softmax instead of radial basis functions.",
        ),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyNetwork:
    """Of a network that is code: the image size of its source, and where it comes from."""

    image_px: int
    source: str


_RESNET = (
    "He, Zhang, Ren and Sun, Deep residual learning for image recognition (2015), "
    "arXiv:1512.03385, table 1; a bottleneck's stride stands in its 3 × 3 convolution. Below 64 px "
    "the first convolution is 3 × 3 without stride, and no pooling follows it."
)

NETWORKS: Mapping[str, ReadyNetwork] = MappingProxyType(
    {
        "cifar-small": ReadyNetwork(
            image_px=32,
            source="Jordan, 94% on CIFAR-10 in 3.29 seconds on a single GPU (2024), "
            "arXiv:2404.00498: its network, with a first convolution that is not set to whitening "
            "filters of the photos but begins orthogonal and learns; without its optimizer, its "
            "augmentation and its averaging of answers.",
        ),
        "vgg-11": ReadyNetwork(
            image_px=224,
            source="Simonyan and Zisserman, Very deep convolutional networks for large-scale image "
            "recognition (2015), arXiv:1409.1556, column A, with batch normalisation. Below 128 px "
            "it has one dense layer instead of three.",
        ),
        "resnet-18": ReadyNetwork(image_px=224, source=_RESNET),
        "resnet-34": ReadyNetwork(image_px=224, source=_RESNET),
        "resnet-50": ReadyNetwork(image_px=224, source=_RESNET),
        "mobilenet-v2": ReadyNetwork(
            image_px=224,
            source="Sandler et al., MobileNetV2: inverted residuals and linear bottlenecks (2018), "
            "arXiv:1801.04381, table 2. Below 64 px it halves the image twice less often.",
        ),
        "convnext-tiny": ReadyNetwork(
            image_px=224,
            source="Liu et al., A ConvNet for the 2020s (2022), arXiv:2201.03545, without "
            "stochastic depth. Below 64 px its first windows have 2 × 2 px instead of 4 × 4.",
        ),
        "densenet-40": ReadyNetwork(
            image_px=32,
            source="Huang et al., Densely connected convolutional networks (2017), "
            "arXiv:1608.06993: 40 layers, growth 12, no bottlenecks. From 64 px on its first "
            "convolution halves the image.",
        ),
        "unet-small": ReadyNetwork(
            image_px=32,
            source="Ronneberger, Fischer and Brox, U-Net (2015), arXiv:1505.04597, for its shape: "
            "three sizes of 16 to 64 units, a map repeated instead of a learned step up, and the "
            "mean of the last maps into a dense layer.",
        ),
    }
)


@overload
def preset(
    name: Literal["demo", "tiny-vgg", "lenet-5"], *, image_px: int | None = None
) -> NetworkSpec: ...
@overload
def preset(name: str, *, image_px: int | None = None) -> Network: ...
def preset(name: str, *, image_px: int | None = None) -> Network:
    """The ready network of that name, for its own image size or for another."""
    if name in NETWORKS:
        size = NETWORKS[name].image_px if image_px is None else image_px
        return ModuleSpec(name=name, image_px=size, text=name, origin=Origin.READY)
    known = PRESETS.get(name)
    if known is None:
        near = difflib.get_close_matches(name, [*PRESETS, *NETWORKS], n=1)
        raise SpecError(
            f"There is no network {name!r}.",
            why=f"the ready networks are {', '.join([*PRESETS, *NETWORKS])}.",
            fix=(f"did you mean {near[0]}? " if near else "")
            + "take one of them, or write the layers: conv 16 k3 p1, relu, flatten, dense.",
        )
    size = known.image_px if image_px is None else image_px
    text = _demo(size) if name == "demo" else known.text
    return parse(text, name=name, image_px=size)


def resolve(text_or_name: str, image_px: int | None = None) -> Network:
    """The network that a name, the path of a .toml file, or a text means: never others' code.

    `image_px` outranks what the preset or the file says; None leaves it to them.
    """
    asked = text_or_name.strip()
    if asked in PRESETS or asked in NETWORKS:
        return preset(asked, image_px=image_px)
    if asked.endswith(".toml") and "\n" not in asked:
        path = Path(asked)
        return parse(_read(path), name=None, image_px=image_px)
    if asked and all(letter.isalnum() or letter in "-_" for letter in asked) and asked != "dense":
        return preset(asked)
    return parse(asked, image_px=image_px)


def asked_for(words: str, image_px: int | None = None) -> Network:
    """What `resolve` knows, and a function of one's own: for words that the user typed here.

    Nothing is imported yet. Words from elsewhere (a run's folder, a request) go to `resolve`.
    """
    if is_reference(words.strip()) or words.strip().endswith(".py"):
        size = DEFAULT_IMAGE_PX if image_px is None else image_px
        return referred(words, image_px=size)
    return resolve(words, image_px)


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE + 1)
        text = content.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(
            f"The network's file {path} cannot be read.",
            why=f"{error}.",
            fix="give the path of a TOML file, the name of a network, or its layers.",
        ) from None
    if len(content) > MAX_FILE:
        raise SpecError(
            f"The network's file {path} is larger than {MAX_FILE:,} bytes.",
            why="a file of this size is not a network that a person wrote.",
            fix="give the file with the network.",
        )
    return text

"""Networks that are ready to use, each with its source and what differs from it.

| name     | image px | parameters, 10 classes | from                                            |
|----------|----------|------------------------|-------------------------------------------------|
| demo     | 32       | 14,714                 | made for this program: at most 16 units a layer |
| tiny-vgg | 64       | 19,920                 | Wang et al., CNN Explainer (2020)               |
| lenet-5  | 32       | 62,006                 | LeCun et al., Gradient-based learning (1998)    |
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from seethrough.errors import SpecError
from seethrough.model.spec import NetworkSpec, parse

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


def preset(name: str, *, image_px: int | None = None) -> NetworkSpec:
    """The network of that name, for its own image size or for another."""
    known = PRESETS.get(name)
    if known is None:
        near = difflib.get_close_matches(name, PRESETS, n=1)
        raise SpecError(
            f"There is no network {name!r}.",
            why=f"the ready networks are {', '.join(PRESETS)}.",
            fix=(f"did you mean {near[0]}? " if near else "")
            + "take one of them, or write the layers: conv 16 k3 p1, relu, flatten, dense.",
        )
    size = known.image_px if image_px is None else image_px
    text = _demo(size) if name == "demo" else known.text
    return parse(text, name=name, image_px=size)


def resolve(text_or_name: str, image_px: int | None = None) -> NetworkSpec:
    """The network that a name, the path of a .toml file, or a text means.

    `image_px` outranks what the preset or the file says; None leaves it to them.
    """
    asked = text_or_name.strip()
    if asked in PRESETS:
        return preset(asked, image_px=image_px)
    if asked.endswith(".toml") and "\n" not in asked:
        path = Path(asked)
        return parse(_read(path), name=None, image_px=image_px)
    if asked and all(letter.isalnum() or letter in "-_" for letter in asked) and asked != "dense":
        return preset(asked)
    return parse(asked, image_px=image_px)


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

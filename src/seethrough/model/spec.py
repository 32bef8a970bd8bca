"""A network as a short text that a person can read and write, and as frozen data.

    conv 16 k3 p1, norm, relu, maxpool 2, flatten, dense 64, relu, dense

    layers    separated by commas or line ends
    conv N    N units; k kernel (3), s stride (1), p padding (0), bias or nobias
    norm      batch normalisation; a convolution directly before it has no bias unless it says so
    relu leaky_relu gelu silu tanh sigmoid
    maxpool N, avgpool N   N cells wide; s stride (N), p padding (0)
    flatten   once, before the first dense layer
    dense N   N units; the last dense layer is written without a number: one unit for every class

The same network as TOML; a layer is a string as above or a table of its fields:

    name = "mine"
    image_px = 32
    layers = [
      "conv 16 k3 p1",
      { layer = "maxpool", kernel = 2 },
      "flatten",
      "dense",
    ]

Raises SpecError naming the word, its place (characters are counted from 1) and what is allowed.
It knows no sizes of maps and no number of classes: see `shapes`. The network's first layer,
`normalise`, and the closing softmax are not written: every network has them.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from seethrough.errors import SpecError
from seethrough.model import notation
from seethrough.model.layer import (
    Activation,
    AvgPool,
    Conv,
    Dense,
    Flatten,
    Function,
    LayerSpec,
    MaxPool,
    Norm,
    Pool,
    written,
)

__all__ = [
    "Activation",
    "AvgPool",
    "Conv",
    "Dense",
    "Flatten",
    "Function",
    "LayerSpec",
    "MaxPool",
    "NetworkSpec",
    "Norm",
    "Pool",
    "layer_names",
    "layer_texts",
    "parse",
    "to_text",
    "to_toml",
]

DEFAULT_IMAGE_PX = 32
MAX_IMAGE_PX = 2_048
MAX_LAYERS = 1_000
MAX_NAME = 100  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSpec:
    """A network whose order of layers is possible; sizes are measured by `shapes`."""

    name: str
    image_px: int
    layers: tuple[LayerSpec, ...]

    def __post_init__(self) -> None:
        if not re.fullmatch(rf"[^\x00-\x1f\x7f]{{1,{MAX_NAME}}}", self.name):
            raise SpecError(
                f"{self.name[:MAX_NAME]!r} cannot be a network's name.",
                why="a name is shown in lists and written into files.",
                fix=f"take 1 to {MAX_NAME} characters, without line ends.",
            )
        if isinstance(self.image_px, bool) or not 1 <= self.image_px <= MAX_IMAGE_PX:
            raise SpecError(
                f"image_px is {self.image_px!r}.",
                why="the network reads square images of this many pixels a side.",
                fix=f"write a whole number from 1 to {MAX_IMAGE_PX:,}, 32 for instance.",
            )
        fault = notation.misplaced(self.layers, MAX_LAYERS)
        if fault is not None:
            raise SpecError(f"Layer {fault.index + 1}: {fault.what}", why=fault.why, fix=fault.fix)


def parse(text: str, *, name: str | None = None, image_px: int | None = None) -> NetworkSpec:
    """The network that a line or a TOML text describes; what is given here outranks the TOML."""
    if "=" in text:
        layers, own_name, own_image_px = notation.from_toml(text, MAX_LAYERS)
    else:
        layers, own_name, own_image_px = notation.from_line(text, MAX_LAYERS), None, None
    size = image_px if image_px is not None else own_image_px
    return NetworkSpec(
        name=name if name is not None else own_name if own_name is not None else "custom",
        image_px=size if size is not None else DEFAULT_IMAGE_PX,
        layers=layers,
    )


def layer_texts(layers: Sequence[LayerSpec]) -> tuple[str, ...]:
    """Every layer as it is written."""
    following = [*layers[1:], None]
    return tuple(written(layer, after) for layer, after in zip(layers, following, strict=True))


def to_text(spec: NetworkSpec) -> str:
    """The network's layers in one line; `parse` reads them back."""
    return ", ".join(layer_texts(spec.layers))


def to_toml(spec: NetworkSpec) -> str:
    """The whole network as TOML: name, image size and layers; `parse` reads it back."""
    lines = [f"  {json.dumps(text)}," for text in layer_texts(spec.layers)]
    head = [f"name = {json.dumps(spec.name)}", f"image_px = {spec.image_px}", "layers = ["]
    return "\n".join([*head, *lines, "]", ""])


def layer_names(layers: Sequence[LayerSpec]) -> tuple[str, ...]:
    """conv1, norm1, relu1, pool1, …, flatten, dense1: counted for every kind, pools together."""
    seen: dict[str, int] = {}
    names = []
    for layer in layers:
        stem = "pool" if isinstance(layer, Pool) else layer.kind
        seen[stem] = seen.get(stem, 0) + 1
        names.append(stem if isinstance(layer, Flatten) else f"{stem}{seen[stem]}")
    return tuple(names)

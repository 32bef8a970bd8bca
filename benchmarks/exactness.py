"""How far the equations are from the framework: random values of every kind of layer, both ways.

python -m benchmarks exactness [--quick]

Every ready network, some that are awkward (a Python branch, one module used twice, half precision)
and those of `kinds`, which hold every kind of layer that can be taken apart; random weights, photos
of random pixels, 32 px, a random class as the true one. Three sorts of values:

    forward   an activation, and the functions that follow it
    backward  the gradient of the loss at a cell, filed under the layer through which it comes back
    learned   the gradient of a weight or bias, filed under its own layer

    relative difference = |Σ terms − framework| / Σ |terms|

The terms of the equation (products and bias) are added up anew, exactly; the divisor is the size
of what is added up, because the result may be near 0 and a sum's rounding error does not shrink
with it.
Half precision stands in its own row and counts nowhere else: its framework rounds at 4e-3.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from rich.table import Table
from torch import Tensor, nn
from torch.nn import functional

from benchmarks import kinds
from seethrough.explain import TracedLayer, backward, trace
from seethrough.explain.operations.affine import Statistics
from seethrough.explain.verify import Check, backward_checks, forward_checks
from seethrough.model.make import make
from seethrough.model.networks.table import READY
from seethrough.model.presets import PRESETS, preset

IMAGE_PX = 32
CLASSES = 10
PHOTOS = 2
VALUES = 10_000  # forwards, and as many backwards
QUICK_VALUES = 600
OFTENER = 4  # a network of `kinds` gets so many times the values of another one
HALF = "demo in bfloat16"
SORTS = ("forward", "backward", "learned")
NORMS = {
    Statistics.TRAINING: "norm, what training remembered",
    Statistics.MAP: "norm, of the map itself",
    Statistics.CELL: "norm, of one cell's channels",
}


class Branching(nn.Module):
    """Which way it goes depends on the photo."""

    def __init__(self) -> None:
        super().__init__()
        self.bright, self.dark = nn.Conv2d(3, 8, 3), nn.Conv2d(3, 8, 3, dilation=2, padding=1)
        self.head = nn.Linear(8, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """Pixels 0..255, n 3 h w, to logits n k."""
        x = self.bright(x) if x.mean() > 0.5 else self.dark(x)
        logits: Tensor = self.head(functional.mish(x).mean((2, 3)))
        return logits


class Sharing(nn.Module):
    """One convolution and one normalisation, used three times, with a skip connection."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.head = nn.Conv2d(3, 8, 3, stride=2), nn.Linear(8 * 4, CLASSES)
        self.conv, self.norm = nn.Conv2d(8, 8, 3, padding=1, groups=2), nn.GroupNorm(4, 8)

    def forward(self, x: Tensor) -> Tensor:
        """Pixels 0..255, n 3 h w, to logits n k."""
        x = self.stem(x / 255)
        for _ in range(3):
            x = x + functional.gelu(self.norm(self.conv(x)))
        logits: Tensor = self.head(torch.flatten(functional.adaptive_max_pool2d(x, 2), 1))
        return logits


def networks() -> dict[str, Callable[[], nn.Module]]:
    """By name, each made anew."""
    made: dict[str, Callable[[], nn.Module]] = {}
    for name in (*PRESETS, *READY):
        made[name] = lambda name=name: make(  # type: ignore[misc]
            preset(name, image_px=IMAGE_PX),
            num_classes=CLASSES,
            mean=(0.5, 0.5, 0.5),
            std=(0.25, 0.25, 0.25),
            seed=0,
        )
    made["branching"] = Branching
    made["sharing"] = Sharing
    for name in kinds.NETWORKS:
        made[name] = lambda name=name: kinds.network(name)  # type: ignore[misc]
    made[HALF] = lambda: made["demo"]().to(torch.bfloat16)
    return made


def kind_of(layer: TracedLayer) -> str:
    """The kind of a layer, with what makes it a different arithmetic."""
    options, kind = layer.options, layer.kind
    if kind == "conv":
        groups, units = options["groups"], layer.parameters["weight"].shape
        marks = {
            "depthwise": groups != 1 and units[1] == 1,
            "in groups": groups != 1,
            "dilated": options["dilation"] != (1, 1),
            "1 × 1": units[2:] == (1, 1),
            "with a stride": options["stride"] != (1, 1),
        }
        mark = next((word for word, holds in marks.items() if holds), "")
        return f"conv, {mark}" if mark else kind
    if kind == "pad":
        modes = {"reflect", "replicate", "circular"} & set(layer.name.split("."))
        return f"pad, {next(iter(modes), 'constant')}"
    if kind == "norm":
        return NORMS[layer.operation.statistics]  # type: ignore[attr-defined]
    if kind == "dropout":
        return "dropout, with its mask" if options["is_on"] else "dropout, off"
    if kind == "gelu" and "tanh" in layer.operation.formula:
        return "gelu, approximated with tanh"
    return kind


def filed(check: Check) -> tuple[str, str]:
    """The kind and the sort of value that a check belongs to."""
    equation = check.equation
    if equation.direction == "forward":
        return kind_of(check.of[0]), "forward"
    if equation.direction == "parameter":
        return kind_of(check.of[0]), "learned"
    if equation.kind == "loss":
        return "the loss, at the logits", "backward"
    found = {kind_of(layer) for layer in check.of}
    return found.pop() if len(found) == 1 else "several that read the same", "backward"


@dataclass(slots=True)
class Worst:
    """How many values were held against the framework, and how far off the worst of them was."""

    values: int = 0
    difference: float = 0.0
    place: str = ""
    wrong: int = 0  # whose displayed digits do not add up

    def add(self, check: Check, network: str = "") -> None:
        """Count one in."""
        self.values += 1
        self.wrong += not check.adds_up
        if not self.place or check.difference > self.difference:
            self.difference = check.difference
            self.place = f"{network}, {check.place}".removeprefix(", ")

    def to_dict(self) -> dict[str, Any]:
        """The same, ready for JSON."""
        return {
            "values": self.values,
            "difference": self.difference,
            "place": self.place,
            "wrong": self.wrong,
        }


def checks(module: nn.Module, values: int) -> Iterator[Check]:
    """So many activations and as many gradients, or one of every layer where it has more."""
    photos = np.random.default_rng(1).integers(
        0, 256, (PHOTOS, IMAGE_PX, IMAGE_PX, 3), dtype=np.uint8
    )
    random = np.random.default_rng(0)
    torch.manual_seed(0)  # for dropout that is on
    forwards = backwards = 0
    for photo, image in enumerate(photos):
        share = math.ceil(values / PHOTOS)
        for check in forward_checks(
            trace(module, image), random, share, start=forwards, photo=photo
        ):
            forwards += 1
            yield check
        back = backward(module, image, int(random.integers(CLASSES)))
        for check in backward_checks(back, random, share, start=backwards, photo=photo):
            backwards += 1
            yield check


def run(values: int = VALUES) -> dict[str, Any]:
    """The worst of every network and of every kind of layer."""
    made = networks()
    share = math.ceil(values / (len(made) - 1 + (OFTENER - 1) * len(kinds.NETWORKS)))
    by_network: dict[str, dict[str, Worst]] = {}
    by_kind: dict[str, dict[str, Worst]] = {}
    total = {sort: Worst() for sort in SORTS}
    for name, maker in made.items():
        torch.manual_seed(0)
        own = by_network[name] = {sort: Worst() for sort in SORTS}
        for check in checks(maker(), OFTENER * share if name in kinds.NETWORKS else share):
            kind, sort = filed(check)
            own[sort].add(check)
            if name != HALF:
                rows = by_kind.setdefault(kind, {sort: Worst() for sort in SORTS})
                rows[sort].add(check, name)
                total[sort].add(check, name)
    return {
        "all": _told(total),
        "networks": {name: _told(own) for name, own in by_network.items()},
        "kinds": {kind: _told(by_kind[kind]) for kind in sorted(by_kind)},
    }


def _told(own: Mapping[str, Worst]) -> dict[str, Any]:
    return {sort: worst.to_dict() for sort, worst in own.items()}


def tables(found: Mapping[str, Any]) -> Iterator[Table]:
    """What `run` found, to be read: by network, then by kind; the worst of all below each."""
    for of in ("networks", "kinds"):
        table = Table(
            of.removesuffix("s"),
            *(word for sort in SORTS for word in (sort, "worst")),
            "wrong digits",
            title="|Σ terms − framework| / Σ |terms|",
        )
        for name, own in (*found[of].items(), ("all in float32", found["all"])):
            cells = [cell for sort in SORTS for cell in _cells(own[sort])]
            table.add_row(name, *cells, str(sum(own[sort]["wrong"] for sort in SORTS)))
        yield table
    places = Table("worst of all", "at", show_header=False)
    for sort in SORTS:
        worst = found["all"][sort]
        places.add_row(sort, f"{worst['difference']:.1e}", worst["place"])
    yield places


def _cells(own: Mapping[str, Any]) -> tuple[str, str]:
    if not own["values"]:
        return "–", "–"
    difference = own["difference"]
    return f"{own['values']:,}", f"{difference:.1e}" if difference else "0"

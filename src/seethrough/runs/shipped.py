"""Networks that come with the program, trained by it, to begin with (`--from cifar10`).

    weights/cifar10.safetensors   kernels rounded to half precision, everything else as it was
        name, network, image_px, classes (JSON)     what it is
        recipe (TOML), weights_sha256               how it was made: the weights before rounding
        test_accuracy, test_accuracy_6_views        of the rounded weights, on test_images photos

`python -m benchmarks.ship` makes the file. Raises CheckpointError for a file that was changed.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from seethrough.model import checkpoint
from seethrough.model.make import restore
from seethrough.model.presets import preset
from seethrough.runs.start import Source
from seethrough.train.recipe import Recipe

SHIPPED = ("cifar10",)
_FOLDER = Path(__file__).parent / "weights"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a shipped network is, how it was made, and how good it is; shares are 0..1."""

    name: str
    network: str
    image_px: int
    classes: tuple[str, ...]
    recipe: Recipe
    weights_sha256: str
    test_images: int
    test_accuracy: float
    test_accuracy_6_views: float


def shipped(name: str) -> Source:
    """A shipped network; its weights are read when they are asked for."""
    tensors, facts = read(name)
    network = preset(facts.network, image_px=facts.image_px)
    return Source(
        id=name,
        network=network,
        buildable=lambda: network,
        classes=facts.classes,
        module=partial(restore, network, len(facts.classes), tensors),
    )


def read(name: str) -> tuple[dict[str, Tensor], Facts]:
    """Weights, as 32-bit numbers, and facts of a shipped network."""
    assert name in SHIPPED
    return unpack((_FOLDER / f"{name}.safetensors").read_bytes(), name=name)


def unpack(content: bytes, *, name: str) -> tuple[dict[str, Tensor], Facts]:
    """Weights and facts of a file that `pack` made."""
    tensors, notes = checkpoint.unpack(content, name=name)
    facts = Facts(
        name=notes["name"],
        network=notes["network"],
        image_px=int(notes["image_px"]),
        classes=tuple(json.loads(notes["classes"])),
        recipe=Recipe.from_toml(notes["recipe"]),
        weights_sha256=notes["weights_sha256"],
        test_images=int(notes["test_images"]),
        test_accuracy=float(notes["test_accuracy"]),
        test_accuracy_6_views=float(notes["test_accuracy_6_views"]),
    )
    halves = {name for name, tensor in tensors.items() if tensor.dtype == torch.float16}
    return {n: t.float() if n in halves else t for n, t in tensors.items()}, facts


def pack(tensors: Mapping[str, Tensor], facts: Facts) -> bytes:
    """The file of a network whose kernels are `rounded` already."""
    notes = {
        "schema": "1",
        "name": facts.name,
        "network": facts.network,
        "image_px": str(facts.image_px),
        "classes": json.dumps(facts.classes),
        "recipe": facts.recipe.to_toml(),
        "weights_sha256": facts.weights_sha256,
        "test_images": str(facts.test_images),
        "test_accuracy": str(facts.test_accuracy),
        "test_accuracy_6_views": str(facts.test_accuracy_6_views),
    }
    halves = {name: t.half() if t.ndim > 1 else t for name, t in tensors.items()}
    return checkpoint.pack(halves, notes)


def rounded(module: nn.Module) -> dict[str, Tensor]:
    """The module's state with its kernels rounded to what half precision can say."""
    return {
        name: tensor.half().float() if tensor.ndim > 1 else tensor.clone()
        for name, tensor in module.state_dict().items()
    }

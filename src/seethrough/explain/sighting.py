"""What one network makes of many photos at once: its logits, its features, its living units.

    features      what the last dense layer reads, one row a photo; without one, the logits
    living        a unit of a ReLU that is not 0 in some cell of some photo

Takes any module; the module stays as it is. Numbers are those of a batch: against one photo alone
(`trace`) the last bit may differ, because a framework adds in another order.
Raises ShapeError where the module does not answer with one row of numbers for each photo.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Bool, Float32, UInt8
from torch import Tensor, nn

from seethrough.errors import ShapeError
from seethrough.explain.recording import Argument, Call, ModuleCall, looking
from seethrough.explain.trace import Trace, trace
from seethrough.model.mode import place_of
from seethrough.model.several import check_one_label

RELU = ("relu", "relu6")
LOGITS = "logits"
_BATCH = 64


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sighting:
    """Some photos in one state of a network."""

    logits: Float32[np.ndarray, "n k"]
    features: Float32[np.ndarray, "n d"]
    living: Mapping[str, Bool[np.ndarray, " u"]]  # by the ReLU's name, in their order

    @property
    def probabilities(self) -> Float32[np.ndarray, "n k"]:
        """Softmax of the logits, computed in float64."""
        return torch.from_numpy(self.logits).double().softmax(1).float().numpy()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sights:
    """What there is to see in a network: the same at all moments of a run."""

    relus: tuple[str, ...]  # in the order in which they are computed
    features: str  # the layer whose numbers the last dense layer reads; "logits" without one
    num_features: int


def sights(module: nn.Module, image: UInt8[np.ndarray, "h w 3"]) -> Sights:
    """The names, from one photo on its way through the module."""
    seen = trace(module, image)
    name, count = _features(seen)
    relus = tuple(layer.name for layer in seen.layers if layer.kind in RELU)
    return Sights(relus=relus, features=name, num_features=count)


def sighting(module: nn.Module, images: UInt8[np.ndarray, "n h w 3"], names: Sights) -> Sighting:
    """All photos through the module."""
    check_one_label(module, "A timeline")
    device, dtype = place_of(module)
    parts: list[tuple[np.ndarray, np.ndarray]] = []
    living: dict[str, np.ndarray] = {}
    for start in range(0, len(images), _BATCH):
        pixels = images[start : start + _BATCH].transpose(0, 3, 1, 2).astype(np.float32)
        batch = torch.from_numpy(np.ascontiguousarray(pixels)).to(device, dtype)
        watcher = _Watcher()
        with looking(module, watcher):
            answer = module(batch)
        is_read = watcher.read is not None and names.features != LOGITS
        read = watcher.read if is_read else answer
        parts.append((_rows(answer, len(batch)), _rows(read, len(batch))))
        own = watcher.living if len(watcher.living) == len(names.relus) else []
        for name, found in zip(names.relus, own, strict=False):
            living[name] = found | living.get(name, np.zeros_like(found))
    logits, features = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Sighting(logits=logits, features=features, living=living)


def _features(seen: Trace) -> tuple[str, int]:
    dense = [layer for layer in seen.layers if layer.kind == "dense"]
    if not dense:
        return LOGITS, len(seen.logits)
    below = dense[-1].inputs[0]
    return below, int(seen.inputs(dense[-1].name)[0].size)


@dataclass(slots=True)
class _Watcher:
    """Hears every call; keeps which units live, and what the newest dense layer read."""

    living: list[Bool[np.ndarray, " u"]] = field(default_factory=list)
    read: Tensor | None = None

    def before(self, tensors: Sequence[Tensor], module: ModuleCall) -> None:
        """Nothing to remember."""

    def after(self, call: Call) -> None:
        """A dense layer, or a ReLU."""
        if call.name == "linear":
            given = call.argument(0, "input")
            self.read = given if isinstance(given, Tensor) else None
        if call.name in RELU and isinstance(call.result, Tensor):
            units = (
                call.result.detach().flatten(2) if call.result.ndim > 2 else call.result[..., None]
            )
            self.living.append((units != 0).any(2).any(0).cpu().numpy())

    def left(self, call: ModuleCall, inputs: Argument, output: Argument) -> None:
        """Nothing to keep."""


def _rows(answer: Argument, count: int) -> Float32[np.ndarray, "n k"]:
    if not isinstance(answer, Tensor) or answer.ndim < 2 or len(answer) != count:
        found = f"shape {tuple(answer.shape)}" if isinstance(answer, Tensor) else f"{type(answer)}"
        raise ShapeError(
            f"The network answers {count} images with {found}.",
            why="a classifier answers with one row for every image: one number for every class.",
            fix="give a network whose output has the shape (images, classes).",
        )
    rows: np.ndarray = answer.detach().to("cpu", torch.float32).flatten(1).numpy()
    return rows

"""A file of weights for a network that was made elsewhere: any safetensors, ours or not.

    ours        read as `checkpoint` does: one flipped bit is noticed; it knows its classes and size
    another's   as `safetensors.torch.save_file(module.state_dict(), path)` writes it

Names are those of the module's own state. A file without `normalise.…` leaves the normalisation
as it is. Floats are widened or narrowed to the module's type. Pickles are refused, never read.
Raises CheckpointError.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import safetensors
import safetensors.torch
from torch import Tensor, nn

from seethrough.errors import CheckpointError
from seethrough.model import checkpoint

_OURS = "normalise."
_BEHIND = "network."  # what `reference.joined` puts before the names of a module that is no chain
_COUNTER = "num_batches_tracked"  # of batch normalisation; older files leave it out


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """Tensors by name, and what the file says of the network."""

    tensors: Mapping[str, Tensor]
    classes: tuple[str, ...]  # empty: it does not say
    image_px: int | None

    @property
    def normalises(self) -> bool:
        """Whether mean and deviation of the photos are among them."""
        return any(name.startswith(_OURS) for name in self.tensors)


def read_weights(path: Path) -> Weights:
    """What is in a file."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CheckpointError(
            f"{path} cannot be read.",
            why=f"{error.strerror or error}.",
            fix="check the path and that you may read it.",
        ) from None
    if content[:4] == b"PK\x03\x04" or (content[:1] == b"\x80" and content[1:2] <= b"\x05"):
        raise CheckpointError(
            f"{path} is a pickle.",
            why="reading one can run any program that was hidden in it, so it is never read.",
            fix="write the weights with safetensors.torch.save_file(module.state_dict(), path).",
        )
    if checkpoint.DIGEST.encode() in content[: checkpoint.MAX_HEADER]:
        tensors, said = checkpoint.unpack(content, name=str(path))
        size = said.get("image_px")
        return Weights(
            tensors=tensors,
            classes=tuple(json.loads(said.get("classes", "[]"))),
            image_px=int(size) if size else None,
        )
    try:
        return Weights(tensors=safetensors.torch.load(content), classes=(), image_px=None)
    except (safetensors.SafetensorError, ValueError, KeyError, RuntimeError) as error:
        raise CheckpointError(
            f"{path} cannot be read as safetensors.",
            why=f"{error}.",
            fix="write the weights with safetensors.torch.save_file(module.state_dict(), path).",
        ) from None


def load_weights(whole: nn.Sequential, weights: Weights) -> None:
    """Give them to a module that begins with `normalise`; all is checked before one changes."""
    own = whole.state_dict()
    given = dict(weights.tensors)
    is_chain = any(not name.startswith((_OURS, _BEHIND)) for name in own)
    if not is_chain and not any(name.startswith((_OURS, _BEHIND)) for name in given):
        given = {_BEHIND + name: tensor for name, tensor in given.items()}
    for name, tensor in own.items():
        if name.startswith(_OURS) or name.endswith(_COUNTER):
            given.setdefault(name, tensor)
        if name in given and tensor.is_floating_point() and given[name].is_floating_point():
            given[name] = given[name].to(tensor.dtype)
    checkpoint.load_into(whole, given)

"""Weights as safetensors bytes that know when they are damaged.

    8 bytes   N, the header's length, unsigned, little-endian; at most 8 MiB
    N bytes   JSON: {"__metadata__": {"seethrough.sha256": D, …},
                     name: {"dtype": …, "shape": …, "data_offsets": …}, …}
    the rest  the tensors, as safetensors lays them out

D is the SHA-256 of the whole file, written with D itself as 64 zeros. Whatever is cut off, added
or flipped, anywhere in the file, is noticed before a tensor is made. It is not a signature: it
guards against accidents, not against somebody who writes a new file. Any safetensors reader opens
the file. The same tensors and metadata give the same bytes.

Raises CheckpointError. Pickles (.pt, .pth) are refused, never read.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from seethrough.errors import CheckpointError

MAX_HEADER = 8 * 1024 * 1024  # bytes
DIGEST = "seethrough.sha256"
_ZEROS = "0" * 64


def pack(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> bytes:
    """The file's bytes; equal tensors and metadata give equal bytes."""
    assert DIGEST not in metadata
    plain = {
        name: tensor.detach().to("cpu").clone(memory_format=torch.contiguous_format)
        for name, tensor in tensors.items()
    }
    content = safetensors.torch.save(plain)
    length = int.from_bytes(content[:8], "little")
    entries = json.loads(content[8 : 8 + length])
    entries.pop("__metadata__", None)
    notes = {DIGEST: _ZEROS, **dict(sorted(metadata.items()))}
    header = json.dumps({"__metadata__": notes, **entries}, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)  # so that the tensors begin at a multiple of 8
    if len(header) > MAX_HEADER:
        raise CheckpointError(
            f"The header of these weights would have {len(header):,} bytes.",
            why=f"names and metadata together may have {MAX_HEADER:,}.",
            fix="store less metadata beside the weights.",
        )
    blank = len(header).to_bytes(8, "little") + header + content[8 + length :]
    digest = hashlib.sha256(blank).hexdigest()
    return blank.replace(_ZEROS.encode(), digest.encode(), 1)


def read(path: str | Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and metadata of a file, whole and unchanged since it was written."""
    place = Path(path)
    try:
        content = place.read_bytes()
    except OSError as error:
        raise CheckpointError(
            f"{place} cannot be read.",
            why=f"{error.strerror or error}.",
            fix="check the path and that you may read it.",
        ) from None
    return unpack(content, name=str(place))


def unpack(content: bytes, *, name: str) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Like `read`, from bytes; `name` stands in the error's text."""
    header = _header(content, name)
    metadata = header["__metadata__"]
    try:
        tensors = safetensors.torch.load(content)
    except (safetensors.SafetensorError, ValueError, KeyError, RuntimeError) as error:
        raise _damaged(name, f"its tensors do not fit together: {error}.") from None
    return tensors, {key: value for key, value in metadata.items() if key != DIGEST}


def _header(content: bytes, name: str) -> dict[str, dict[str, str]]:
    """The header of a file whose digest is right."""
    length = int.from_bytes(content[:8], "little")
    if len(content) < 8 or not 2 <= length <= MAX_HEADER or len(content) < 8 + length:
        # Their first bytes, read as a length, are always too large.
        if content[:4] == b"PK\x03\x04" or (content[:1] == b"\x80" and content[1:2] <= b"\x05"):
            raise CheckpointError(
                f"{name} is a pickle.",
                why="reading one can run any program that was hidden in it, so it is never read.",
                fix="give a .safetensors file that this program wrote.",
            )
        raise _damaged(name, f"it has {len(content):,} bytes, and its header does not fit in them.")
    raw = content[8 : 8 + length]
    try:
        header = json.loads(raw)
        digest = header["__metadata__"][DIGEST]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise _damaged(name, "its header has no digest that this program wrote.") from None
    mark = f'"{DIGEST}":"{digest}"'.encode(errors="replace")
    if re.fullmatch("[0-9a-f]{64}", str(digest)) is None or raw.count(mark) != 1:
        raise _damaged(name, "its header has no digest that this program wrote.")
    place = 8 + raw.index(mark) + len(mark) - 65
    check = hashlib.sha256(content[:place])
    check.update(_ZEROS.encode())
    check.update(memoryview(content)[place + 64 :])
    if check.hexdigest() != digest:
        raise _damaged(name, "its bytes are not those that were written.")
    assert isinstance(header, dict)
    return header


def _damaged(name: str, why: str) -> CheckpointError:
    return CheckpointError(
        f"{name} is damaged, or was not written by this program.",
        why=why,
        fix="take an older checkpoint of the run, or train again.",
    )


def load_into(module: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Give the module these weights: exactly its names, shapes and types, and only finite numbers.

    All is checked before the first weight changes.
    """
    own = module.state_dict()
    missing, foreign = sorted(own.keys() - tensors.keys()), sorted(tensors.keys() - own.keys())
    if missing or foreign:
        parts = [f"missing: {', '.join(missing[:5])}"] if missing else []
        parts += [f"not in the network: {', '.join(foreign[:5])}"] if foreign else []
        raise _foreign(f"{'; '.join(parts)}.")
    for name, wanted in own.items():
        given = tensors[name]
        if given.shape != wanted.shape or given.dtype != wanted.dtype:
            raise _foreign(
                f"{name} is {given.dtype} {tuple(given.shape)}, "
                f"and the network's is {wanted.dtype} {tuple(wanted.shape)}."
            )
        if given.is_floating_point() and not bool(torch.isfinite(given).all()):
            raise CheckpointError(
                f"The weights of {name} are not all numbers.",
                why="the training that wrote them had diverged: they hold NaN or infinity.",
                fix="take an older checkpoint, or train again with a smaller peak_lr.",
            )
    module.load_state_dict(dict(tensors))


def _foreign(why: str) -> CheckpointError:
    return CheckpointError(
        "These weights belong to another network.",
        why=why,
        fix="load them into the network that they were trained with.",
    )


def weights_sha256(module: nn.Module) -> str:
    """SHA-256 over name, type, shape and bytes of every tensor of the state, in its order."""
    digest = hashlib.sha256()
    for name, tensor in module.state_dict().items():
        plain = tensor.detach().to("cpu").contiguous()
        digest.update(f"{name} {plain.dtype} {tuple(plain.shape)}\n".encode())
        digest.update(plain.reshape(-1).view(torch.uint8).numpy().tobytes())  # of any type
    return digest.hexdigest()

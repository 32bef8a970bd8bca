"""A network as an ONNX file that takes a photo's pixels: its normalisation is inside.

    input   pixels         float32 n 3 s s, 0..255: upright RGB, the short side s px, centre crop
    output  probabilities  float32 n k, softmax of the logits

The metadata hold the class names and s, so the file is complete: `seethrough.wrap(path)` reads it.
What was written is read back and computed by onnx's own reference before it has its name.
"""

import errno
import json
import logging
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor, nn

from seethrough.errors import CheckpointError, DataError
from seethrough.model.mode import evaluating, one_thread, place_of
from seethrough.model.onnx.reading import CLASSES, IMAGE_PX, INPUT, PIXELS, require
from seethrough.model.several import check_one_label

_TOLERANCE = 1e-4  # of a probability


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """What was written."""

    path: Path
    size: int  # bytes
    opset: int
    images: int  # on which it was compared
    largest_difference: float  # of a probability, 0..1, from the network's own


class _Answering(nn.Module):
    """From pixels to probabilities."""

    def __init__(self, network: nn.Module, *, ends_in_softmax: bool) -> None:
        super().__init__()
        self.network, self.ends_in_softmax = network, ends_in_softmax
        self.device, self.dtype = place_of(network)

    def forward(self, pixels: Tensor) -> Tensor:
        answer: Tensor = self.network(pixels.to(self.dtype)).float()
        return answer if self.ends_in_softmax else torch.softmax(answer, dim=1)


def write(
    module: nn.Module,
    path: Path,
    images: UInt8[np.ndarray, "n h w 3"],
    *,
    classes: Sequence[str],
    ends_in_softmax: bool = False,
) -> Export:
    """Write `module` (pixel values n 3 s s to logits n k), and compare the answers on `images`.

    Raises DataError where the file exists or the extra `onnx` is missing, CheckpointError where
    the network cannot be exported or the file would answer differently.
    """
    require()
    check_one_label(module, "An ONNX file")
    if path.exists():
        raise DataError(
            f"{path} exists already.",
            why="an export never overwrites a file.",
            fix="give another name, or remove it.",
        )
    metadata = {
        INPUT: PIXELS,
        IMAGE_PX: str(images.shape[1]),
        CLASSES: json.dumps(list(classes)),
    }
    whole = _Answering(module, ends_in_softmax=ends_in_softmax)
    pixels = torch.from_numpy(images.transpose(0, 3, 1, 2).astype(np.float32)).to(whole.device)
    needed = sum(tensor.nbytes for tensor in whole.state_dict().values())
    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".seethrough-") as folder:
            draft = Path(folder) / "network.onnx"
            with torch.no_grad(), one_thread(), evaluating(whole):
                opset = _export(whole, pixels, metadata, draft)
                wanted = whole(pixels).cpu().numpy()
            difference = float(np.abs(_computed(draft, pixels.cpu().numpy()) - wanted).max())
            _check(difference)
            content = draft.read_bytes()
        needed = len(content)
        _put(content, path)
    except OSError as error:
        room = _room(path, needed) if error.errno in _FULL else ""
        raise DataError(
            f"{path} cannot be written{room}.",
            why=error.strerror or str(error),
            fix="choose a folder that exists, has room, and may be written to.",
        ) from error
    return Export(
        path=path, size=len(content), opset=opset, images=len(images), largest_difference=difference
    )


_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def _room(path: Path, needed: int) -> str:
    """Of a full disk, in bytes."""
    free = shutil.disk_usage(path.parent).free
    return f": at least {needed:,} bytes needed, {free:,} free"


def _check(difference: float) -> None:
    if not difference <= _TOLERANCE:
        raise CheckpointError(
            "The exported network answers differently.",
            why=f"a probability differs by {difference:.1e} on the images tried.",
            fix="report this; nothing was written.",
        )


def _put(content: bytes, path: Path) -> None:
    """All of it or nothing; refuses where something has come there meanwhile."""
    with path.open("xb") as file:
        try:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            path.unlink()
            raise


def _export(whole: nn.Module, pixels: Tensor, metadata: dict[str, str], path: Path) -> int:
    try:
        with _quiet():
            program = torch.onnx.export(
                whole,
                (pixels[:2],),
                dynamo=True,
                input_names=[PIXELS],
                output_names=["probabilities"],
                dynamic_shapes=({0: torch.export.Dim("n")},),
                verbose=False,
            )
    except Exception as error:  # whatever a stranger's module makes the exporter raise
        raise CheckpointError(
            "The network cannot be exported to ONNX.",
            why=f"torch's exporter says: {str(error).strip().splitlines()[-1][:300]}",
            fix="a forward that does not branch on the numbers it computes can be exported.",
        ) from error
    assert program is not None
    program.model.metadata_props.update(metadata)
    program.save(str(path), external_data=False)
    return int(program.model.opset_imports[""])


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what the exporter says about its own code."""
    logger = logging.getLogger("torch.onnx._internal.exporter")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)


def _computed(path: Path, pixels: np.ndarray) -> np.ndarray:
    """The answers by onnx's reference, which is NumPy and none of torch."""
    from onnx.reference import ReferenceEvaluator

    evaluator = ReferenceEvaluator(str(path))
    answers: list[np.ndarray] = []
    for pixel in pixels:
        found: Any = evaluator.run(None, {PIXELS: pixel[None]})
        answers.append(found[0][0])
    return np.stack(answers)

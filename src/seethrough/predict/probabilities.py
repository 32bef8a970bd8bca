"""Images through a network to probabilities.

    logits         what the network answers: one number z for every class, float32
    probabilities  p = exp(z) / Σ exp(z), computed in float64, given as float32; what a network
                   that ends with softmax itself, or with a sigmoid for each of several labels,
                   answers is passed on as it is

Two ways in, and they may differ in a last bit, because a framework adds in another order when it
works on several images at once, or in several threads:

    judge          one image alone, in one thread. The way of every file, wherever it comes from:
                   the terminal, Python and HTTP give identical numbers.
    probabilities  many images, in batches and threads. The way of whole data sets.

The network gets pixel values 0..255 as float32, n c h w. It is in evaluation mode while it is
asked, and afterwards in the mode that it was in. Raises ShapeError.
"""

from enum import Enum, auto

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from torch import Tensor, nn

from seethrough.errors import ShapeError
from seethrough.model.mode import evaluating, one_thread, place_of
from seethrough.model.several import is_several
from seethrough.predict.views import averaged


class Ending(Enum):
    """What a network answers with."""

    LOGITS = auto()  # every network that is built here
    PROBABILITIES = auto()  # a stranger's that ends with softmax
    EACH_LABEL = auto()  # with a probability for each of several labels (`model.several`)


def ending_of(module: nn.Module) -> Ending:
    """What a network that was built here answers with."""
    return Ending.EACH_LABEL if is_several(module) else Ending.LOGITS


def answers(
    module: nn.Module, images: UInt8[np.ndarray, "n h w 3"], *, batch: int = 128
) -> Float32[np.ndarray, "n k"]:
    """What the network answers to each image, asked `batch` images at a time."""
    if len(images) == 0:
        raise ShapeError(
            "There is no image to judge.",
            why="the number of classes is known from the network's first answer only.",
            fix="give at least one image.",
        )
    assert batch > 0
    device, _ = place_of(module)
    with evaluating(module), torch.inference_mode():
        rows = [
            _answer(module, images[start : start + batch], device)
            for start in range(0, len(images), batch)
        ]
    return np.concatenate(rows)


def probabilities(
    module: nn.Module,
    images: UInt8[np.ndarray, "n h w 3"],
    *,
    ending: Ending = Ending.LOGITS,
    batch: int = 128,
    views: int = 1,
) -> Float32[np.ndarray, "n k"]:
    """How sure the network is of each class, for each image, in so many views of it."""
    assert (ending is Ending.EACH_LABEL) == is_several(module), "never softmax of several labels"
    said = averaged(lambda view: answers(module, view, batch=batch), images, views)
    return softmax(said) if ending is Ending.LOGITS else said


def judge(
    module: nn.Module, image: UInt8[np.ndarray, "h w 3"], *, ending: Ending = Ending.LOGITS
) -> Float32[np.ndarray, " k"]:
    """The probabilities of one image, which is alone in its batch."""
    with one_thread():
        return np.asarray(probabilities(module, image[None], ending=ending)[0])


def softmax(logits: Float32[np.ndarray, "n k"]) -> Float32[np.ndarray, "n k"]:
    """Logits to probabilities, as in the module's formula."""
    return torch.from_numpy(logits).double().softmax(dim=1).float().numpy()


def _answer(
    module: nn.Module, images: UInt8[np.ndarray, "n h w 3"], device: torch.device
) -> Float32[np.ndarray, "n k"]:
    pixels = np.ascontiguousarray(images.transpose(0, 3, 1, 2), dtype=np.float32)
    answer = module(torch.from_numpy(pixels).to(device))
    if not isinstance(answer, Tensor) or answer.ndim != 2 or len(answer) != len(images):
        found = f"shape {tuple(answer.shape)}" if isinstance(answer, Tensor) else f"{type(answer)}"
        raise ShapeError(
            f"The network answers {len(images)} images with {found}.",
            why="a classifier answers with one row for every image: one number for every class.",
            fix="give a network whose output has the shape (images, classes).",
        )
    return answer.to("cpu", torch.float32).numpy()

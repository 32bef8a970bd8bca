"""A first convolution that is computed from the photos instead of learned.

    C       mean of x·xᵀ over the windows x that the convolution reads in the training photos
    C       = Σ λᵢ · vᵢ·vᵢᵀ, the eigenvalues falling
    unit i  vᵢ / √(λᵢ + ε)       and as many units more: − vᵢ / √(λᵢ + ε)

What the units answer is uncorrelated and equally large: neighbouring pixels, which say almost the
same, no longer drown what they differ in. The kernels are kept as they are; biases learn.
Source: Jordan (2024), arXiv:2404.00498, section 3.2, after Page, "How to train your ResNet" (2018).
"""

import contextlib

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch.nn import functional

from seethrough.errors import RecipeError
from seethrough.train.evaluation import evaluating

PHOTOS = 5_000  # at most, of those that learn: enough for a window's few numbers
_AT_ONCE = 500  # photos
EPSILON = 5e-4  # of the pixels' variance, which is 1: keeps noise from being blown up


def hold(network: nn.Module) -> nn.Conv2d:
    """The first convolution, whose kernels learn no more."""
    first = next((part for part in network.modules() if isinstance(part, nn.Conv2d)), None)
    if first is None:
        raise _unfit("it has no convolution.")
    numbers = first.weight[0].numel()
    if first.groups > 1:
        raise _unfit(f"its first convolution reads channels in {first.groups} groups.")
    if first.out_channels % 2 or first.out_channels > 2 * numbers:
        raise _unfit(
            f"its first convolution has {first.out_channels} units on windows of {numbers} "
            f"numbers: an even number of units up to {2 * numbers} can whiten them."
        )
    first.weight.requires_grad_(False)
    return first


def whiten(network: nn.Module, images: UInt8[np.ndarray, "n h w 3"]) -> None:
    """Give the first convolution the kernels that whiten its windows of these images, and hold it.

    Raises RecipeError for a network whose first convolution cannot.
    """
    first = hold(network)
    pixels = torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2)
    correlation = _correlation(_read(network, first, pixels), first)
    strengths, directions = torch.linalg.eigh(correlation)
    half = first.out_channels // 2
    chosen = (directions / (strengths + EPSILON).sqrt()).T.flip(0)[:half]
    # An eigenvector's sign is the library's choice; here its largest number is positive.
    largest = chosen.gather(1, chosen.abs().argmax(1, keepdim=True))
    kernels = (chosen * largest.sign()).float().reshape(half, *first.weight.shape[1:])
    with torch.no_grad():
        first.weight.copy_(torch.cat((kernels, -kernels)))


class _EnoughError(Exception):
    """What was looked for has been read; the layers behind it need not compute."""


def _read(network: nn.Module, layer: nn.Conv2d, pixels: Tensor) -> Float[Tensor, "n c h w"]:
    """What the layer reads where the network is given these pixels."""
    seen: list[Tensor] = []

    def keep(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        seen.append(inputs[0])
        raise _EnoughError

    handle = layer.register_forward_pre_hook(keep)
    try:
        with evaluating(network):
            for part in torch.split(pixels, _AT_ONCE):
                with contextlib.suppress(_EnoughError):
                    network(part.to(layer.weight.device))
    finally:
        handle.remove()
    return torch.cat(seen)


def _correlation(read: Float[Tensor, "n c h w"], layer: nn.Conv2d) -> Float[Tensor, "d d"]:
    numbers = layer.weight[0].numel()
    total, count = read.new_zeros(numbers, numbers, dtype=torch.float64), 0
    for part in torch.split(read, _AT_ONCE):
        windows = functional.unfold(part, layer.kernel_size, layer.dilation)
        columns = windows.transpose(0, 1).flatten(1).double()
        total, count = total + columns @ columns.T, count + columns.shape[1]
    return total / count


def _unfit(why: str) -> RecipeError:
    return RecipeError(
        "whiten=true does not suit this network.",
        why=why,
        fix="leave whiten out, or take a network such as cifar-small.",
    )

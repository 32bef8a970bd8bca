"""Photos made smaller for the first epochs: less to compute while the network learns roughly.

    side of the photos   small_px in epochs 1 … ⌊small_share · epochs⌋, then as they were loaded
    a smaller pixel      the mean of those it covers, weighted by a triangle as wide as two of it

A network that slides over a photo and ends in pooling takes other sizes too; one whose dense layer
counts the cells of one size does not. Whatever judges or shows the network takes photos as loaded.
Source: Howard, in Coleman et al., "DAWNBench" (2017), progressive resizing; here in two sizes.
"""

import copy

import torch
from jaxtyping import UInt8
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from seethrough.errors import RecipeError
from seethrough.train.recipe import Recipe

_PHOTOS = 2  # as many as batch normalisation needs
# What a network of anybody's says of photos that it was not made for.
_UNFIT = (RuntimeError, ValueError, TypeError, AssertionError, LookupError, ArithmeticError)


def shrunk(images: UInt8[Tensor, "n 3 h w"], side: int) -> UInt8[Tensor, "n 3 side side"]:
    """Smaller copies of photos, channels last; photos of that side as they are."""
    if images.shape[-1] == side:
        return images
    smaller = functional.interpolate(images, size=(side, side), mode="bilinear", antialias=True)
    return smaller.contiguous(memory_format=torch.channels_last)


def check_small(network: nn.Module, recipe: Recipe, image_px: int) -> None:
    """Raise RecipeError where the first epochs cannot be learned from smaller photos."""
    side = recipe.side(1, image_px)
    if side == image_px:
        return
    if side > image_px:
        raise RecipeError(
            f"small_px={side} is not small: the photos have {image_px} px.",
            why="it is the side to which they are shrunk in the first epochs.",
            fix=f"write a number below {image_px}, such as {image_px * 3 // 4}, or 0 for none.",
        )
    try:
        multiply_adds(network, side)
    except _UNFIT as error:
        raise RecipeError(
            f"small_px={side} does not suit this network.",
            why=f"it does not take photos of {side} px: {_first_line(error)}.",
            fix="take a size between, or leave small_px out: a network whose dense layer counts "
            "the cells of one image size takes no other.",
        ) from error


def multiply_adds(network: nn.Module, side: int) -> int:
    """Products of a forward pass of one photo of that side, of a copy; as torch counts them."""
    own = copy.deepcopy(network).eval()
    device = next((p.device for p in own.parameters()), torch.device("cpu"))
    photos = torch.zeros(_PHOTOS, 3, side, side, dtype=torch.uint8, device=device)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        own(photos)
    return int(counter.get_total_flops()) // (2 * _PHOTOS)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")

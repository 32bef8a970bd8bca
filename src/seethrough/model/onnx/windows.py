"""Operators that move a window over maps, with borders of every kind."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from seethrough.model.onnx.node import Attributes, Inputs, Operator


def pads(attributes: Attributes, size: tuple[int, ...], kernel: Sequence[int]) -> list[int]:
    """Rows before, columns before, rows after, columns after."""
    stride = attributes.get("strides", [1] * len(kernel))
    dilation = attributes.get("dilations", [1] * len(kernel))
    how = attributes.get("auto_pad", "NOTSET")
    if how in {"NOTSET", "VALID"}:
        given: list[int] = list(attributes.get("pads", [0] * 2 * len(kernel)))
        return given if how == "NOTSET" else [0] * len(given)
    first, last = [], []
    for n, k, s, d in zip(size, kernel, stride, dilation, strict=True):
        total = max((math.ceil(n / s) - 1) * s + d * (k - 1) + 1 - n, 0)
        small, large = total // 2, total - total // 2
        first.append(small if how == "SAME_UPPER" else large)
        last.append(large if how == "SAME_UPPER" else small)
    return first + last


def _even(borders: Sequence[int]) -> bool:
    half = len(borders) // 2
    return list(borders[:half]) == list(borders[half:])


def _bordered(x: Tensor, borders: Sequence[int], value: float = 0.0) -> Tensor:
    top, left, bottom, right = borders
    return functional.pad(x, (left, right, top, bottom), value=value)


def conv(attributes: Attributes) -> Operator:
    """Convolution; a border that is not the same on both sides is put around the input first."""
    stride = attributes.get("strides", [1, 1])
    dilation = attributes.get("dilations", [1, 1])
    groups = attributes.get("group", 1)

    def call(x: Tensor, weight: Tensor, bias: Inputs = None) -> Tensor:
        borders = pads(attributes, tuple(x.shape[2:]), weight.shape[2:])
        padding = borders[:2] if _even(borders) else [0, 0]
        x = x if _even(borders) else _bordered(x, borders)
        return functional.conv2d(x, weight, bias, stride, padding, dilation, groups)

    return call


def conv_transpose(attributes: Attributes) -> Operator:
    """The way back through a convolution: every number spreads over a window."""
    stride = attributes.get("strides", [1, 1])
    extra = attributes.get("output_padding", [0, 0])
    dilation = attributes.get("dilations", [1, 1])
    groups = attributes.get("group", 1)
    borders = list(attributes.get("pads", [0] * 4))
    if not _even(borders) or attributes.get("auto_pad", "NOTSET") != "NOTSET":
        raise ValueError("a ConvTranspose with different borders on its sides is not read")

    def call(x: Tensor, weight: Tensor, bias: Inputs = None) -> Tensor:
        return functional.conv_transpose2d(
            x, weight, bias, stride, borders[:2], extra, groups, dilation
        )

    return call


def max_pool(attributes: Attributes) -> Operator:
    """The largest of each window; the border never wins."""
    kernel = attributes["kernel_shape"]
    stride = attributes.get("strides", [1] * len(kernel))
    dilation = attributes.get("dilations", [1] * len(kernel))
    ceil = bool(attributes.get("ceil_mode", 0))

    def call(x: Tensor) -> Tensor:
        borders = pads(attributes, tuple(x.shape[2:]), kernel)
        fits = _even(borders) and all(2 * b <= k for b, k in zip(borders, kernel, strict=False))
        padding = borders[:2] if fits else [0, 0]
        x = x if fits else _bordered(x, borders, -math.inf)
        return functional.max_pool2d(x, kernel, stride, padding, dilation, ceil_mode=ceil)

    return call


def average_pool(attributes: Attributes) -> Operator:
    """The mean of each window, of its border too only where `count_include_pad` says so."""
    kernel = attributes["kernel_shape"]
    stride = attributes.get("strides", [1] * len(kernel))
    ceil = bool(attributes.get("ceil_mode", 0))
    counts = bool(attributes.get("count_include_pad", 0))

    def call(x: Tensor) -> Tensor:
        borders = pads(attributes, tuple(x.shape[2:]), kernel)
        if _even(borders):
            return functional.avg_pool2d(x, kernel, stride, borders[:2], ceil, counts)
        inside = functional.avg_pool2d(_bordered(x, borders), kernel, stride, 0, ceil)
        if counts:
            return inside
        ones = _bordered(torch.ones_like(x), borders)
        return inside / functional.avg_pool2d(ones, kernel, stride, 0, ceil)

    return call

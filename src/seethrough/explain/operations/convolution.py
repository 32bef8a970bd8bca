"""Convolution, which is a cross-correlation: the kernel is laid on the map, not turned.

    y[u, r, c] = b[u] + Σ_i Σ_p Σ_q  w[u, i, p, q] · x[g(u) + i, r·s − a + p·d, c·s − a + q·d]

with stride s, padding a, dilation d, and g(u) the first channel of the group that unit u reads.
Cells outside the map hold 0. A dense layer is the same on a map of one cell: see `dense`.

Backwards, with g = ∂loss/∂y:

    ∂loss/∂x[i, r, c]    = Σ_u Σ_p Σ_q  g[u, (r + a − p·d)/s, (c + a − q·d)/s] · w[u, i, p, q]
    ∂loss/∂w[u, i, p, q] = Σ_r Σ_c      x[g(u) + i, r·s − a + p·d, c·s − a + q·d] · g[u, r, c]
    ∂loss/∂b[u]          = Σ_r Σ_c      g[u, r, c]

The first is a full correlation of the gradient maps with the turned kernels (only taps where the
divisions leave no rest took part), the second a correlation of the input with the gradient map.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float32

from seethrough.explain.operations.arithmetic import (
    Arithmetic,
    Axis,
    Cell,
    Map,
    Products,
    Value,
    products,
)
from seethrough.explain.operations.region import Region, Shape, Span, slid

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Convolution:
    """Padding is what is added before the map: rows above, columns to the left."""

    weight: Float32[np.ndarray, "units c h w"]
    bias: Float32[np.ndarray, " units"] | None
    stride: Pair
    padding: Pair
    dilation: Pair
    groups: int
    kind: ClassVar[str] = "conv"
    formula: ClassVar[str] = "sum over all input channels of (window × kernel), plus bias"

    @property
    def text(self) -> str:
        """As in a network's text: conv 16 k3 s2 p1; d: dilation, g: groups."""
        units, _, height, width = self.weight.shape
        words = [f"conv {units}", f"k{_pair((height, width))}"]
        words += [f"s{_pair(self.stride)}"] * (self.stride != (1, 1))
        words += [f"p{_pair(self.padding)}"] * (self.padding != (0, 0))
        words += [f"d{_pair(self.dilation)}"] * (self.dilation != (1, 1))
        words += [f"g{self.groups}"] * (self.groups != 1)
        words += ["nobias"] * (self.bias is None)
        return " ".join(words)

    @property
    def options(self) -> Mapping[str, Value]:
        """Kernel, stride, padding and dilation as rows, columns."""
        return {
            "kernel": self.kernel,
            "stride": self.stride,
            "padding": self.padding,
            "dilation": self.dilation,
            "groups": self.groups,
        }

    @property
    def parameters(self) -> Mapping[str, Float32[np.ndarray, "..."]]:
        """The kernels, and the biases if there are any."""
        bias = {} if self.bias is None else {"bias": self.bias}
        return {"weight": self.weight, **bias}

    @property
    def kernel(self) -> Pair:
        """Rows and columns of a kernel."""
        return self.weight.shape[2], self.weight.shape[3]

    @property
    def spans(self) -> tuple[Span, Span]:
        """From the first to the last cell that the dilated kernel touches."""
        rows, columns = (
            Span(size, stride, pad, dilation)
            for size, stride, pad, dilation in zip(
                self.kernel, self.stride, self.padding, self.dilation, strict=True
            )
        )
        return rows, columns

    def first_channel(self, unit: int) -> int:
        """The first input channel that a unit reads; it reads as many as its kernel has."""
        units, channels = len(self.weight), self.weight.shape[1]
        return int(unit // (units // self.groups) * channels)

    def arithmetic(self, inputs: Sequence[Map], cell: Cell) -> Arithmetic:
        """Every factor pair of one cell, channel by channel, in reading order."""
        (below,) = inputs
        kernel = self.weight[cell.unit]
        first = self.first_channel(cell.unit)
        places = np.indices(kernel.shape).reshape(3, -1)
        channel = places[0] + first
        row = cell.row * self.stride[0] - self.padding[0] + places[1] * self.dilation[0]
        column = cell.column * self.stride[1] - self.padding[1] + places[2] * self.dilation[1]
        _, height, width = below.shape
        outside = (row < 0) | (row >= height) | (column < 0) | (column >= width)
        window = np.zeros(len(row), np.float32)
        inside = ~outside
        window[inside] = below[channel[inside], row[inside], column[inside]]
        return Arithmetic(
            products=products(channel, row, column, window, kernel.ravel(), is_padding=outside),
            bias=None if self.bias is None else float(self.bias[cell.unit]),
        )

    def input_gradient(
        self, inputs: Sequence[Map], upstream: Map, which: int, cell: Cell
    ) -> Products:
        """Every tap of every unit that read the cell, in the order of the gradient map's cells."""
        units, channels = len(self.weight) // self.groups, self.weight.shape[1]
        group = cell.unit // channels
        kernels = self.weight[group * units : (group + 1) * units, cell.unit % channels]
        rows, taps_down = self._readers(cell.row, axis=0)
        columns, taps_across = self._readers(cell.column, axis=1)
        unit, down, across = (
            side.ravel()
            for side in np.meshgrid(
                np.arange(units), np.arange(len(rows)), np.arange(len(columns)), indexing="ij"
            )
        )
        row, column = rows[down], columns[across]
        _, height, width = upstream.shape
        outside = (row < 0) | (row >= height) | (column < 0) | (column >= width)
        gradients = np.zeros(len(row), np.float32)
        inside = ~outside
        channel = unit + group * units
        gradients[inside] = upstream[channel[inside], row[inside], column[inside]]
        weights = kernels[unit, taps_down[down], taps_across[across]]
        return products(channel, row, column, gradients, weights, is_padding=outside)

    def parameter_gradient(
        self, inputs: Sequence[Map], upstream: Map, name: str, index: tuple[int, ...]
    ) -> Products:
        """A weight: what it read × what came back, cell by cell; a bias: what came back."""
        unit = index[0]
        _, height, width = upstream.shape
        row, column = (side.ravel() for side in np.indices((height, width)))
        gradients = upstream[unit].ravel()
        if name == "bias":
            return products(np.full(len(row), unit), row, column, gradients, np.ones(len(row)))
        (below,) = inputs
        channel = self.first_channel(unit) + index[1]
        row = row * self.stride[0] - self.padding[0] + index[2] * self.dilation[0]
        column = column * self.stride[1] - self.padding[1] + index[3] * self.dilation[1]
        outside = (row < 0) | (row >= below.shape[1]) | (column < 0) | (column >= below.shape[2])
        read = np.zeros(len(row), np.float32)
        read[~outside] = below[channel, row[~outside], column[~outside]]
        channels = np.full(len(row), channel)
        return products(channels, row, column, read, gradients, is_padding=outside)

    def _readers(self, place: int, axis: int) -> tuple[Axis, Axis]:
        """Along one axis: the output cells whose windows reach a place, and with which tap."""
        taps = np.arange(self.kernel[axis])[::-1]
        starts = place + self.padding[axis] - taps * self.dilation[axis]
        reached = starts % self.stride[axis] == 0
        return starts[reached] // self.stride[axis], taps[reached]

    def partials(self, below: Map, unit: int, shape: Pair) -> Map:
        """One map for each channel that the unit reads, before they are added up; no bias."""
        first = self.first_channel(unit)
        kernel = self.weight[unit].astype(np.float64)
        channels = below[first : first + len(kernel)]
        (top, left), (step, stride) = self.padding, self.stride
        rows = np.arange(shape[0]) * step - top
        columns = np.arange(shape[1]) * stride - left
        total = np.zeros((len(kernel), *shape))
        for p, q in np.ndindex(self.kernel):
            row, column = rows + p * self.dilation[0], columns + q * self.dilation[1]
            inside = (row >= 0) & (row < below.shape[1]), (column >= 0) & (column < below.shape[2])
            window = channels[:, row[inside[0]]][:, :, column[inside[1]]]
            total[:, inside[0][:, None] & inside[1]] += (
                kernel[:, p, q, None, None] * window
            ).reshape(len(kernel), -1)
        return total.astype(np.float32)

    def below(self, region: Region, shapes: Sequence[Shape]) -> list[Region]:
        """Its window, of the channels that the units' groups read."""
        (shape,) = shapes
        channels = np.zeros(shape[0], bool)
        for unit in np.flatnonzero(region.channels):
            first = self.first_channel(int(unit))
            channels[first : first + self.weight.shape[1]] = True
        return [slid(region, self.spans, channels, shape)]


def _pair(pair: Pair) -> str:
    return str(pair[0]) if pair[0] == pair[1] else f"{pair[0]}x{pair[1]}"

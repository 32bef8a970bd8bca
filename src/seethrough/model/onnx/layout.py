"""Operators that only move numbers: shapes, axes, borders, parts."""

import math

import torch
from torch import Tensor
from torch.nn import functional

from seethrough.model.onnx.node import Attributes, Inputs, Operator, ints


def flatten(attributes: Attributes) -> Operator:
    """Two axes: those before `axis`, and the rest."""
    axis = attributes.get("axis", 1)
    if axis == 1:
        return lambda x: torch.flatten(x, 1)
    return lambda x: x.reshape(math.prod(x.shape[:axis]), -1)


def reshape(attributes: Attributes) -> Operator:
    """Another shape; a 0 keeps the size, a −1 is what is left."""
    keeps = not attributes.get("allowzero", 0)

    def call(x: Tensor, shape: Tensor) -> Tensor:
        sizes = [
            x.shape[place] if size == 0 and keeps else size
            for place, size in enumerate(ints(shape))
        ]
        return x.reshape(sizes)

    return call


def shape(attributes: Attributes) -> Operator:
    """The sizes of some axes."""
    first, last = attributes.get("start", 0), attributes.get("end")
    return lambda x: torch.tensor(x.shape[first:last])


def transpose(attributes: Attributes) -> Operator:
    """Axes in another order; without one, turned round."""

    def call(x: Tensor) -> Tensor:
        return x.permute(attributes.get("perm", list(range(x.ndim))[::-1]))

    return call


def squeeze(attributes: Attributes) -> Operator:
    """Without axes of size 1."""

    def call(x: Tensor, axes: Inputs = None) -> Tensor:
        found = ints(attributes.get("axes") if axes is None else axes)
        return x.squeeze(tuple(found)) if found else x.squeeze()

    return call


def unsqueeze(attributes: Attributes) -> Operator:
    """With new axes of size 1."""

    def call(x: Tensor, axes: Inputs = None) -> Tensor:
        found = ints(attributes.get("axes") if axes is None else axes)
        rank = x.ndim + len(found)
        for axis in sorted(axis % rank for axis in found):
            x = x.unsqueeze(axis)
        return x

    return call


def concat(attributes: Attributes) -> Operator:
    """One behind the other along an axis."""
    return lambda *parts: torch.cat(parts, dim=attributes["axis"])


def split(attributes: Attributes) -> Operator:
    """Parts along an axis."""
    axis = attributes.get("axis", 0)

    def call(x: Tensor, sizes: Inputs = None) -> tuple[Tensor, ...]:
        found = ints(attributes.get("split") if sizes is None else sizes)
        if found:
            return torch.split(x, found, dim=axis)
        count = attributes["num_outputs"]
        return torch.split(x, math.ceil(x.shape[axis] / count), dim=axis)

    return call


def pad(attributes: Attributes) -> Operator:
    """A border: constant, reflected or repeated."""
    mode: str = attributes.get("mode", "constant")
    how = {"edge": "replicate", "wrap": "circular"}.get(mode, mode)

    def call(x: Tensor, borders: Tensor, value: Inputs = None, axes: Inputs = None) -> Tensor:
        given = ints(borders)
        half = len(given) // 2
        places = [axis % x.ndim for axis in ints(axes)] or list(range(half))
        sides = {axis: (given[i], given[half + i]) for i, axis in enumerate(places)}
        first = min((axis for axis, side in sides.items() if any(side)), default=x.ndim)
        flat = [n for axis in reversed(range(first, x.ndim)) for n in sides.get(axis, (0, 0))]
        if not flat:
            return x
        if how != "constant":
            return functional.pad(x, flat, mode=how)
        return functional.pad(x, flat, value=0.0 if value is None else value.item())

    return call


def slice_(attributes: Attributes) -> Operator:
    """A part along some axes."""

    def call(
        x: Tensor, starts: Tensor, ends: Tensor, axes: Inputs = None, steps: Inputs = None
    ) -> Tensor:
        first, last = ints(starts), ints(ends)
        along = ints(axes) or list(range(len(first)))
        every = ints(steps) or [1] * len(first)
        if min(every) < 1:
            raise ValueError("slices that run backwards are not read")
        cut = [slice(None)] * x.ndim
        for axis, a, b, step in zip(along, first, last, every, strict=True):
            cut[axis] = slice(a, b, step)
        return x[tuple(cut)]

    return call


def gather(attributes: Attributes) -> Operator:
    """Chosen places along an axis."""

    def call(x: Tensor, places: Tensor) -> Tensor:
        axis = attributes.get("axis", 0) % x.ndim
        if places.ndim == 0:
            return x.select(axis, int(places))
        flat = x.index_select(axis, places.flatten() % x.shape[axis])
        return flat.reshape(*x.shape[:axis], *places.shape, *x.shape[axis + 1 :])

    return call


def cast(attributes: Attributes) -> Operator:
    """Another kind of number; float stays as wide as it is."""
    whole = {6: torch.int32, 7: torch.int64, 9: torch.bool}.get(attributes["to"])
    return lambda x: x.to(whole) if whole else (x if x.is_floating_point() else x.float())


def constant(attributes: Attributes) -> Operator:
    """A tensor that the file holds."""
    if "value" in attributes:
        value: Tensor = attributes["value"]
        return lambda: value
    given = next(attributes[name] for name in attributes if name.startswith("value_"))
    return lambda: torch.tensor(given)


def constant_of_shape(attributes: Attributes) -> Operator:
    """One number everywhere."""
    value = attributes.get("value", torch.zeros(1))
    return lambda shape: torch.full(ints(shape), value.item(), dtype=value.dtype)


def resize(attributes: Attributes) -> Operator:
    """Maps made larger or smaller: the nearest cell, or between cells."""
    how = attributes.get("mode", "nearest")
    place = attributes.get("coordinate_transformation_mode", "half_pixel")
    rounding = attributes.get("nearest_mode", "round_prefer_floor")
    is_nearest = how == "nearest" and (place, rounding) == ("asymmetric", "floor")
    is_between = how == "linear" and place in {
        "half_pixel",
        "pytorch_half_pixel",
        "align_corners",
    }
    if not is_nearest and not is_between:
        raise ValueError(f"Resize by {how}, {place}, {rounding} is not read")
    mode = "nearest" if is_nearest else "bilinear"
    corners = None if is_nearest else place == "align_corners"

    def call(x: Tensor, roi: Inputs = None, scales: Inputs = None, sizes: Inputs = None) -> Tensor:
        if sizes is not None:
            return functional.interpolate(x, size=ints(sizes)[2:], mode=mode, align_corners=corners)
        assert scales is not None
        return functional.interpolate(
            x, scale_factor=scales.tolist()[2:], mode=mode, align_corners=corners
        )

    return call

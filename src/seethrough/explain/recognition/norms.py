"""Calls that normalise: batch, instance, group and layer normalisation, folded to scale and shift.

With running statistics the scale belongs to the channel. Without, mean and (biased) variance are
taken from the map itself: of each channel (instance, and a batch norm without statistics: there is
one image), of each group of channels, or over the trailing axes (layer).
"""

import numpy as np
from jaxtyping import Float32, Float64
from torch import Tensor

from seethrough.explain.operations.affine import Affine, Statistics
from seethrough.explain.recognition.question import (
    Question,
    Recognised,
    Recogniser,
    map_shape,
    number,
    optional,
    values,
    whole,
)

Learned = Float32[np.ndarray, "..."] | None
FORMULA = "(x - mean) / √(variance + ε) × weight + bias, folded: x × scale + shift"


def batch_norm(asked: Question) -> Recognised | None:
    """batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)."""
    image = asked.image
    mean, variance = asked.argument(1, "running_mean"), asked.argument(2, "running_var")
    learned = asked.argument(3, "weight"), asked.argument(4, "bias")
    epsilon = number(asked.argument(7, "eps", 1e-5))
    if image is None:
        return None
    is_from_the_map = asked.argument(5, "training", default=False)
    weight, bias = (_per_channel(optional(each)) for each in learned)
    if isinstance(mean, Tensor) and isinstance(variance, Tensor) and not is_from_the_map:
        known = values(mean)[:, None, None], values(variance)[:, None, None]
        return _norm(image, *known, weight, bias, epsilon, Statistics.TRAINING)
    return _of_the_map(image, (1, 2), weight, bias, epsilon)


def instance_norm(asked: Question) -> Recognised | None:
    """instance_norm(input, running_mean, running_var, weight, bias, use_input_stats, …, eps)."""
    image = asked.image
    if image is None or not asked.argument(5, "use_input_stats", default=True):
        return batch_norm(asked)  # with running statistics it is the same
    weight, bias = (
        _per_channel(optional(asked.argument(place, name)))
        for place, name in ((3, "weight"), (4, "bias"))
    )
    epsilon = number(asked.argument(7, "eps", 1e-5))
    return _of_the_map(image, (1, 2), weight, bias, epsilon)


def group_norm(asked: Question) -> Recognised | None:
    """group_norm(input, num_groups, weight, bias, eps)."""
    image = asked.image
    shape = None if image is None else map_shape(image)
    if image is None or shape is None:
        return None
    groups = whole(asked.argument(1, "num_groups"))
    weight = _per_channel(optional(asked.argument(2, "weight")))
    bias = _per_channel(optional(asked.argument(3, "bias")))
    epsilon = number(asked.argument(4, "eps", 1e-5))
    grouped = values(image).astype(np.float64).reshape(groups, -1)
    mean, variance = grouped.mean(axis=1), grouped.var(axis=1)
    means, variances = (
        np.repeat(each, shape[0] // groups)[:, None, None] for each in (mean, variance)
    )
    return _norm(image, means, variances, weight, bias, epsilon, Statistics.MAP)


def layer_norm(asked: Question) -> Recognised | None:
    """layer_norm(input, normalized_shape, weight, bias, eps)."""
    image, over = asked.image, asked.argument(1, "normalized_shape")
    shape = None if image is None else map_shape(image)
    if image is None or shape is None or not isinstance(over, tuple | list):
        return None
    axes = (0,) if image.ndim <= 2 else tuple(range(3 - len(over), 3))
    learned = optional(asked.argument(2, "weight")), optional(asked.argument(3, "bias"))
    weight, bias = (
        each if each is None or image.ndim > 2 else each[:, None, None] for each in learned
    )
    return _of_the_map(image, axes, weight, bias, number(asked.argument(4, "eps", 1e-5)))


def layer_norm_of_cells(asked: Question) -> Recognised | None:
    """Over the channels of each cell, for a map that was turned."""
    image, over = asked.image, asked.argument(1, "normalized_shape")
    if image is None or not isinstance(over, tuple | list) or len(over) != 1:
        return None
    weight = _per_channel(optional(asked.argument(2, "weight")))
    bias = _per_channel(optional(asked.argument(3, "bias")))
    return _of_the_map(image, (0,), weight, bias, number(asked.argument(4, "eps", 1e-5)))


def _of_the_map(
    image: Tensor, axes: tuple[int, ...], weight: Learned, bias: Learned, epsilon: float
) -> Recognised | None:
    shape = map_shape(image)
    if shape is None:
        return None
    numbers = values(image).astype(np.float64).reshape(shape)
    mean = numbers.mean(axis=axes, keepdims=True)
    variance = numbers.var(axis=axes, keepdims=True)
    statistics = Statistics.CELL if axes == (0,) else Statistics.MAP
    return _norm(image, mean, variance, weight, bias, epsilon, statistics)


def _norm(
    image: Tensor,
    mean: Float32[np.ndarray, "..."] | Float64[np.ndarray, "..."],
    variance: Float32[np.ndarray, "..."] | Float64[np.ndarray, "..."],
    weight: Learned,
    bias: Learned,
    epsilon: float,
    statistics: Statistics,
) -> Recognised | None:
    shape = map_shape(image)
    if shape is None:
        return None
    scale = 1 / np.sqrt(variance.astype(np.float64) + epsilon)
    scale = scale if weight is None else scale * weight
    shift = -mean * scale if bias is None else bias - mean * scale
    learned = {"weight": weight, "bias": bias}
    operation = Affine(
        kind="norm",
        text="norm",
        formula=FORMULA,
        scale=np.broadcast_to(scale, shape),
        shift=np.broadcast_to(shift, shape),
        statistics=statistics,
        options={"epsilon": epsilon},
        parameters={
            **{name: _flat(array) for name, array in learned.items() if array is not None},
            "mean": _flat(mean),
            "variance": _flat(variance),
        },
    )
    return Recognised((image,), operation)


def _per_channel(array: Learned) -> Learned:
    return array if array is None else array[:, None, None]


def _flat(
    array: Float32[np.ndarray, "..."] | Float64[np.ndarray, "..."],
) -> Float32[np.ndarray, "..."]:
    flat = array[:, 0, 0] if array.ndim == 3 and array.shape[1:] == (1, 1) else array
    return flat.astype(np.float32)


NORMS: dict[str, Recogniser] = {
    "batch_norm": batch_norm,
    "instance_norm": instance_norm,
    "group_norm": group_norm,
    "layer_norm": layer_norm,
}

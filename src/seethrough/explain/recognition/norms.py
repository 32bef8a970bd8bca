"""Calls that normalise: batch, instance, group and layer normalisation, folded to scale and shift.

With running statistics the scale belongs to the channel. Without, mean and (biased) variance are
taken from the map itself: of each channel (instance, and a batch norm without statistics: there is
one image), of each group of channels, or over the trailing axes (layer).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, Int64
from torch import Tensor

from seethrough.explain.operations.affine import Affine, Statistics
from seethrough.explain.recognition.question import (
    Question,
    Recognised,
    Recogniser,
    map_shape,
    number,
    optional,
    tensors,
    values,
    whole,
)

FORMULA = "(x - mean) / √(variance + ε) × weight + bias, folded: x × scale + shift"


def batch_norm(asked: Question) -> Recognised | None:
    """batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)."""
    image = asked.image
    mean, variance = asked.argument(1, "running_mean"), asked.argument(2, "running_var")
    epsilon = number(asked.argument(7, "eps", 1e-5))
    if image is None:
        return None
    is_from_the_map = asked.argument(5, "training", default=False)
    learned = _Learned.of(asked, 3, per_channel=True)
    if isinstance(mean, Tensor) and isinstance(variance, Tensor) and not is_from_the_map:
        known = values(mean)[:, None, None], values(variance)[:, None, None]
        return _norm(image, *known, learned, epsilon)
    return _of_the_map(image, (1, 2), learned, epsilon)


def instance_norm(asked: Question) -> Recognised | None:
    """instance_norm(input, running_mean, running_var, weight, bias, use_input_stats, …, eps)."""
    image = asked.image
    if image is None or not asked.argument(5, "use_input_stats", default=True):
        return batch_norm(asked)  # with running statistics it is the same
    epsilon = number(asked.argument(7, "eps", 1e-5))
    return _of_the_map(image, (1, 2), _Learned.of(asked, 3, per_channel=True), epsilon)


def group_norm(asked: Question) -> Recognised | None:
    """group_norm(input, num_groups, weight, bias, eps)."""
    image = asked.image
    shape = None if image is None else map_shape(image)
    if image is None or shape is None:
        return None
    groups = whole(asked.argument(1, "num_groups"))
    epsilon = number(asked.argument(4, "eps", 1e-5))
    grouped = values(image).astype(np.float64).reshape(groups, -1)
    mean, variance = grouped.mean(axis=1), grouped.var(axis=1)
    means, variances = (
        np.repeat(each, shape[0] // groups)[:, None, None] for each in (mean, variance)
    )
    learned = _Learned.of(asked, 2, per_channel=True)
    sharing = np.repeat(np.arange(groups), shape[0] // groups)[:, None, None]
    return _norm(image, means, variances, learned, epsilon, Statistics.MAP, sharing)


def layer_norm(asked: Question) -> Recognised | None:
    """layer_norm(input, normalized_shape, weight, bias, eps)."""
    image, over = asked.image, asked.argument(1, "normalized_shape")
    shape = None if image is None else map_shape(image)
    if image is None or shape is None or not isinstance(over, tuple | list):
        return None
    axes = (0,) if image.ndim <= 2 else tuple(range(3 - len(over), 3))
    learned = _Learned.of(asked, 2, per_channel=image.ndim <= 2)
    return _of_the_map(image, axes, learned, number(asked.argument(4, "eps", 1e-5)))


def layer_norm_of_cells(asked: Question) -> Recognised | None:
    """Over the channels of each cell, for a map that was turned."""
    image, over = asked.image, asked.argument(1, "normalized_shape")
    if image is None or not isinstance(over, tuple | list) or len(over) != 1:
        return None
    learned = _Learned.of(asked, 2, per_channel=True)
    return _of_the_map(image, (0,), learned, number(asked.argument(4, "eps", 1e-5)))


@dataclass(frozen=True, slots=True, eq=False)
class _Learned:
    """Scale and shift as arrays that spread over the map, and the tensors they came from."""

    arrays: dict[str, Float32[np.ndarray, "..."]]
    tensors: dict[str, Tensor]

    @classmethod
    def of(cls, asked: Question, place: int, *, per_channel: bool) -> "_Learned":
        """The arguments weight and bias; the weight stands at `place`."""
        arguments = {"weight": asked.argument(place, "weight")}
        arguments["bias"] = asked.argument(place + 1, "bias")
        arrays = {
            name: array[:, None, None] if per_channel else array
            for name, array in ((name, optional(tensor)) for name, tensor in arguments.items())
            if array is not None
        }
        return cls(arrays, tensors(**arguments))


def _of_the_map(
    image: Tensor, axes: tuple[int, ...], learned: _Learned, epsilon: float
) -> Recognised | None:
    shape = map_shape(image)
    if shape is None:
        return None
    numbers = values(image).astype(np.float64).reshape(shape)
    mean = numbers.mean(axis=axes, keepdims=True)
    variance = numbers.var(axis=axes, keepdims=True)
    statistics = Statistics.CELL if axes == (0,) else Statistics.MAP
    sharing = np.arange(mean.size).reshape(mean.shape)
    return _norm(image, mean, variance, learned, epsilon, statistics, sharing)


def _norm(
    image: Tensor,
    mean: Float32[np.ndarray, "..."] | Float64[np.ndarray, "..."],
    variance: Float32[np.ndarray, "..."] | Float64[np.ndarray, "..."],
    learned: _Learned,
    epsilon: float,
    statistics: Statistics = Statistics.TRAINING,
    sharing: Int64[np.ndarray, "_ _ _"] | None = None,
) -> Recognised | None:
    shape = map_shape(image)
    if shape is None:
        return None
    deviation = 1 / np.sqrt(variance.astype(np.float64) + epsilon)
    weight, bias = learned.arrays.get("weight"), learned.arrays.get("bias")
    scale = deviation if weight is None else deviation * weight
    shift = -mean * scale if bias is None else bias - mean * scale
    numbers = values(image).astype(np.float64).reshape(shape)
    operation = Affine(
        kind="norm",
        text="norm",
        formula=FORMULA,
        scale=np.broadcast_to(scale, shape),
        shift=np.broadcast_to(shift, shape),
        statistics=statistics,
        options={"epsilon": epsilon},
        parameters={
            **{name: _flat(array) for name, array in learned.arrays.items()},
            "mean": _flat(mean),
            "variance": _flat(variance),
        },
        standardised=(numbers - mean) * deviation,
        groups=None if sharing is None else np.broadcast_to(sharing, shape),
        places={
            name: np.broadcast_to(np.arange(array.size).reshape(array.shape), shape)
            for name, array in learned.arrays.items()
        },
    )
    return Recognised((image,), operation, learned.tensors)


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

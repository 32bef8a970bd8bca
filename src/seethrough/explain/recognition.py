"""From a call of the framework to an operation that can explain itself.

Each recogniser takes one call and answers with the tensors that it reads and the operation, or with
None where it cannot be sure: what is not recognised stays a box with shapes and values.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from jaxtyping import Float32, Float64
from torch import Tensor

from seethrough.explain.operations import activation as act
from seethrough.explain.operations.activation import Activation, Curve
from seethrough.explain.operations.affine import Affine
from seethrough.explain.operations.arithmetic import Operation
from seethrough.explain.operations.combination import Add, Concat, Multiply
from seethrough.explain.operations.convolution import Convolution
from seethrough.explain.operations.dense import Dense
from seethrough.explain.operations.dropout import Dropout
from seethrough.explain.operations.pooling import Adaptive, AveragePool, MaxPool, Sliding
from seethrough.explain.operations.softmax import LogSoftmax, Softmax
from seethrough.explain.recording import Argument, Call


@dataclass(frozen=True, slots=True)
class Recognised:
    """The activations that are read, in order, and what is done with them."""

    inputs: tuple[Tensor, ...]
    operation: Operation


Recogniser = Callable[[Call], Recognised | None]


def recognise(call: Call) -> Recognised | None:
    """The operation behind a call; None where it is not known."""
    recogniser = _RECOGNISERS.get(call.name)
    if recogniser is None or not isinstance(call.result, Tensor):
        return None
    return recogniser(call)


def values(tensor: Tensor) -> Float32[np.ndarray, "..."]:
    """A copy of a tensor's numbers, in the order of its axes."""
    on_cpu = tensor.detach().to("cpu", torch.float32)
    return np.array(on_cpu.numpy(), order="C", copy=True)


def map_shape(tensor: Tensor) -> tuple[int, int, int] | None:
    """Channels, rows, columns of the one image in a batch; None for any other arrangement."""
    if tensor.ndim == 4 and tensor.shape[0] == 1:
        return tensor.shape[1], tensor.shape[2], tensor.shape[3]
    if tensor.ndim == 2 and tensor.shape[0] == 1:
        return tensor.shape[1], 1, 1
    if tensor.ndim == 1:
        return tensor.shape[0], 1, 1
    return None


# ---------------------------------------------------------------- windows


def _convolution(call: Call) -> Recognised | None:
    image, weight = call.argument(0, "input"), call.argument(1, "weight")
    if not isinstance(image, Tensor) or not isinstance(weight, Tensor):
        return None
    dilation = _pair(call.argument(5, "dilation", 1))
    padding = call.argument(4, "padding", 0)
    if padding == "same":
        rows, columns = (
            spread * (size - 1) // 2
            for spread, size in zip(dilation, weight.shape[2:], strict=True)
        )
        pad = (rows, columns)
    else:
        pad = (0, 0) if padding == "valid" else _pair(padding)
    return Recognised(
        (image,),
        Convolution(
            weight=values(weight),
            bias=_optional(call.argument(2, "bias")),
            stride=_pair(call.argument(3, "stride", 1)),
            padding=pad,
            dilation=dilation,
            groups=_whole(call.argument(6, "groups", 1)),
        ),
    )


def _dense(call: Call) -> Recognised | None:
    vector, weight = call.argument(0, "input"), call.argument(1, "weight")
    if not isinstance(vector, Tensor) or not isinstance(weight, Tensor) or vector.ndim > 2:
        return None
    bias = _optional(call.argument(2, "bias"))
    return Recognised((vector,), Dense(weight=values(weight), bias=bias))


def _max_pool(call: Call) -> Recognised | None:
    image = _image(call)
    if image is None or call.argument(6, "return_indices", default=False):
        return None
    windows = _sliding(call, dilation=_pair(call.argument(4, "dilation", 1)))
    return Recognised((image,), MaxPool(kind="max_pool", windows=windows))


def _average_pool(call: Call) -> Recognised | None:
    image = _image(call)
    if image is None:
        return None
    divisor = call.argument(6, "divisor_override")
    pool = AveragePool(
        kind="avg_pool",
        windows=_sliding(call, dilation=(1, 1)),
        counts_padding=bool(call.argument(5, "count_include_pad", default=True)),
        divisor=None if divisor is None else _whole(divisor),
    )
    return Recognised((image,), pool)


def _sliding(call: Call, dilation: tuple[int, int]) -> Sliding:
    kernel = _pair(call.argument(1, "kernel_size"))
    stride = call.argument(2, "stride")
    return Sliding(
        kernel=kernel,
        stride=kernel if stride is None or stride == [] else _pair(stride),
        padding=_pair(call.argument(3, "padding", 0)),
        dilation=dilation,
    )


def _adaptive_average(call: Call) -> Recognised | None:
    image = _image(call)
    size = _result_size(call)
    if image is None or size is None:
        return None
    kind = "global_avg_pool" if size == (1, 1) else "adaptive_avg_pool"
    return Recognised((image,), AveragePool(kind=kind, windows=Adaptive(size=size)))


def _adaptive_max(call: Call) -> Recognised | None:
    image = _image(call)
    size = _result_size(call)
    if image is None or size is None or call.argument(2, "return_indices", default=False):
        return None
    kind = "global_max_pool" if size == (1, 1) else "adaptive_max_pool"
    return Recognised((image,), MaxPool(kind=kind, windows=Adaptive(size=size)))


def _mean(call: Call) -> Recognised | None:
    image = _over_rows_and_columns(call)
    windows = Adaptive(size=(1, 1))
    if image is None:
        return None
    return Recognised((image,), AveragePool(kind="global_avg_pool", windows=windows))


def _largest(call: Call) -> Recognised | None:
    image = _over_rows_and_columns(call)
    windows = Adaptive(size=(1, 1))
    if image is None:
        return None
    return Recognised((image,), MaxPool(kind="global_max_pool", windows=windows))


def _over_rows_and_columns(call: Call) -> Tensor | None:
    image, dims = call.argument(0, "input"), call.argument(1, "dim")
    if not isinstance(image, Tensor) or image.ndim != 4 or not isinstance(dims, tuple | list):
        return None
    return image if sorted(_whole(dim) % 4 for dim in dims) == [2, 3] else None


# ---------------------------------------------------------------- number by number


def _batch_norm(call: Call) -> Recognised | None:
    image = call.argument(0, "input")
    mean, variance = call.argument(1, "running_mean"), call.argument(2, "running_var")
    if not isinstance(image, Tensor):
        return None
    if call.argument(5, "training", default=False) or mean is None or variance is None:
        return _normalised(
            call, image, groups=image.shape[1], epsilon=call.argument(7, "eps", 1e-5)
        )
    return _norm(
        image,
        cast(Tensor, mean),
        cast(Tensor, variance),
        weight=call.argument(3, "weight"),
        bias=call.argument(4, "bias"),
        epsilon=_number(call.argument(7, "eps", 1e-5)),
    )


def _norm(
    image: Tensor,
    mean: Tensor,
    variance: Tensor,
    *,
    weight: Argument,
    bias: Argument,
    epsilon: float,
) -> Recognised | None:
    shape = map_shape(image)
    if shape is None:
        return None
    gains, offsets = _optional(weight), _optional(bias)
    means, variances = values(mean), values(variance)
    scale = _wide(gains, len(means), 1.0) / np.sqrt(variances.astype(np.float64) + epsilon)
    shift = _wide(offsets, len(means), 0.0) - means.astype(np.float64) * scale
    learned = {"weight": gains, "bias": offsets}
    parameters = {name: array for name, array in learned.items() if array is not None}
    operation = Affine(
        kind="norm",
        text="norm",
        formula="(x - mean) / √(variance + ε) × weight + bias, folded: x × scale + shift",
        scale=_over_map(scale, shape),
        shift=_over_map(shift, shape),
        options={"epsilon": epsilon},
        parameters={**parameters, "mean": means, "variance": variances},
    )
    return Recognised((image,), operation)


def _normalised(call: Call, image: Tensor, groups: int, epsilon: Argument) -> Recognised | None:
    return None  # statistics of the map itself


def _wide(array: Float32[np.ndarray, " c"] | None, count: int, default: float) -> np.ndarray:
    return np.full(count, default) if array is None else array.astype(np.float64)


def _over_map(
    channels: Float64[np.ndarray, " c"], shape: tuple[int, int, int]
) -> Float64[np.ndarray, "c h w"]:
    return np.broadcast_to(channels[:, None, None], shape)


def _curve(kind: str, curve: Curve) -> Recogniser:
    def recogniser(call: Call) -> Recognised | None:
        image = _image(call)
        return (
            image if image is None else Recognised((image,), Activation(kind=kind, curves=(curve,)))
        )

    return recogniser


def _gelu(call: Call) -> Recognised | None:
    image = _image(call)
    approximate = call.argument(1, "approximate", "none")
    curve = act.GELU if approximate == "none" else act.GELU_TANH
    return (
        image if image is None else Recognised((image,), Activation(kind="gelu", curves=(curve,)))
    )


def _leaky_relu(call: Call) -> Recognised | None:
    image = _image(call)
    slope = _number(call.argument(1, "negative_slope", 0.01))
    operation = Activation(
        kind="leaky_relu", curves=(act.leaky_relu(slope),), options={"slope": slope}
    )
    return image if image is None else Recognised((image,), operation)


def _dropout(call: Call) -> Recognised | None:
    image = _image(call)
    share = _number(call.argument(1, "p", 0.5))
    if image is None or call.argument(2, "training", default=True):
        return None
    return Recognised((image,), Dropout(share=share, weight=None))


# ---------------------------------------------------------------- several inputs


def _add(call: Call) -> Recognised | None:
    first, second = call.argument(0, "input"), call.argument(1, "other")
    if not isinstance(first, Tensor) or not isinstance(second, Tensor):
        return None
    weight = _number(call.argument(2, "alpha", 1))
    return Recognised((first, second), Add(weights=(1.0, weight)))


def _subtract(call: Call) -> Recognised | None:
    added = _add(call)
    if added is None:
        return None
    weight = -_number(call.argument(2, "alpha", 1))
    return Recognised(added.inputs, Add(weights=(1.0, weight)))


def _multiply(call: Call) -> Recognised | None:
    first, second = call.argument(0, "input"), call.argument(1, "other")
    if not isinstance(first, Tensor) or not isinstance(second, Tensor):
        return None
    return Recognised((first, second), Multiply())


def _concat(call: Call) -> Recognised | None:
    parts = call.argument(0, "tensors")
    dim = _whole(call.argument(1, "dim", call.keywords.get("axis", 0)))
    if not isinstance(parts, tuple | list) or not all(isinstance(part, Tensor) for part in parts):
        return None
    tensors = tuple(cast(list[Tensor], parts))
    if any(tensor.ndim not in {2, 4} or dim % tensor.ndim != 1 for tensor in tensors):
        return None
    return Recognised(tensors, Concat(channels=tuple(tensor.shape[1] for tensor in tensors)))


def _softmax(call: Call) -> Recognised | None:
    vector = _over_a_vector(call)
    return vector if vector is None else Recognised((vector,), Softmax())


def _log_softmax(call: Call) -> Recognised | None:
    vector = _over_a_vector(call)
    return vector if vector is None else Recognised((vector,), LogSoftmax())


def _over_a_vector(call: Call) -> Tensor | None:
    vector, dim = call.argument(0, "input"), call.argument(1, "dim")
    if not isinstance(vector, Tensor) or vector.ndim > 2 or dim is None:
        return None
    return vector if _whole(dim) % vector.ndim == vector.ndim - 1 else None


# ---------------------------------------------------------------- arguments


def _image(call: Call) -> Tensor | None:
    image = call.argument(0, "input")
    return image if isinstance(image, Tensor) else None


def _result_size(call: Call) -> tuple[int, int] | None:
    shape = map_shape(cast(Tensor, call.result))
    return None if shape is None else shape[1:]


def _pair(value: Argument) -> tuple[int, int]:
    if isinstance(value, tuple | list):
        numbers = [_whole(number) for number in value]
        return (numbers[0], numbers[-1])
    return (_whole(value), _whole(value))


def _whole(value: Argument) -> int:
    return int(cast(int, value))


def _number(value: Argument) -> float:
    return float(cast(float, value))


def _optional(value: Argument) -> Float32[np.ndarray, "..."] | None:
    return values(value) if isinstance(value, Tensor) else None


_RECOGNISERS: dict[str, Recogniser] = {
    "conv2d": _convolution,
    "linear": _dense,
    "max_pool2d": _max_pool,
    "avg_pool2d": _average_pool,
    "adaptive_avg_pool2d": _adaptive_average,
    "adaptive_max_pool2d": _adaptive_max,
    "mean": _mean,
    "amax": _largest,
    "batch_norm": _batch_norm,
    "relu": _curve("relu", act.RELU),
    "relu6": _curve("relu6", act.RELU6),
    "gelu": _gelu,
    "silu": _curve("silu", act.SILU),
    "sigmoid": _curve("sigmoid", act.SIGMOID),
    "tanh": _curve("tanh", act.TANH),
    "hardswish": _curve("hardswish", act.HARDSWISH),
    "hardsigmoid": _curve("hardsigmoid", act.HARDSIGMOID),
    "selu": _curve("selu", act.SELU),
    "leaky_relu": _leaky_relu,
    "dropout": _dropout,
    "dropout2d": _dropout,
    "add": _add,
    "sub": _subtract,
    "mul": _multiply,
    "cat": _concat,
    "softmax": _softmax,
    "log_softmax": _log_softmax,
}

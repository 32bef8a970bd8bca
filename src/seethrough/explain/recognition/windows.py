"""Calls that read windows of maps, or everything: convolution, dense layers, pooling."""

from torch import Tensor

from seethrough.explain.operations.convolution import Convolution
from seethrough.explain.operations.dense import Dense
from seethrough.explain.operations.pooling import Adaptive, AveragePool, MaxPool, Sliding
from seethrough.explain.recognition.question import (
    Question,
    Recognised,
    Recogniser,
    optional,
    pair,
    tensors,
    values,
    whole,
)


def convolution(asked: Question) -> Recognised | None:
    """conv2d; `same` pads more below and to the right where the sum is odd."""
    image, weight = asked.image, asked.argument(1, "weight")
    if image is None or not isinstance(weight, Tensor) or asked.is_activation(weight):
        return None
    dilation = pair(asked.argument(5, "dilation", 1))
    padding = asked.argument(4, "padding", 0)
    if padding == "same":
        pad = (
            dilation[0] * (weight.shape[2] - 1) // 2,
            dilation[1] * (weight.shape[3] - 1) // 2,
        )
    else:
        pad = (0, 0) if padding == "valid" else pair(padding)
    bias = asked.argument(2, "bias")
    operation = Convolution(
        weight=values(weight),
        bias=optional(bias),
        stride=pair(asked.argument(3, "stride", 1)),
        padding=pad,
        dilation=dilation,
        groups=whole(asked.argument(6, "groups", 1)),
    )
    return Recognised((image,), operation, tensors(weight=weight, bias=bias))


def dense(asked: Question) -> Recognised | None:
    """linear(input, weight, bias) on one vector."""
    vector, weight = asked.image, asked.argument(1, "weight")
    if vector is None or not isinstance(weight, Tensor) or vector.ndim > 2:
        return None
    bias = asked.argument(2, "bias")
    operation = Dense(weight=values(weight), bias=optional(bias))
    return Recognised((vector,), operation, tensors(weight=weight, bias=bias))


def matrix_product(asked: Question) -> Recognised | None:
    """x @ weight: a dense layer that keeps its weights the other way round."""
    vector, weight = asked.image, asked.argument(1, "other", asked.argument(1, "mat2"))
    if vector is None or not isinstance(weight, Tensor) or vector.ndim > 2 or weight.ndim != 2:
        return None
    operation = Dense(weight=values(weight.T), bias=None)
    return Recognised((vector,), operation, tensors(weight=weight), is_turned=True)


def added_matrix_product(asked: Question) -> Recognised | None:
    """addmm(bias, x, weight): a dense layer in one call."""
    bias, vector = asked.argument(0, "input"), asked.argument(1, "mat1")
    weight = asked.argument(2, "mat2")
    factors = asked.argument(3, "beta", 1), asked.argument(4, "alpha", 1)
    if not isinstance(bias, Tensor) or not isinstance(weight, Tensor) or factors != (1, 1):
        return None
    if not isinstance(vector, Tensor) or asked.is_activation(bias) or vector.ndim > 2:
        return None
    offsets = values(bias.expand(weight.shape[1]))
    operation = Dense(weight=values(weight.T), bias=offsets)
    learned = tensors(weight=weight, bias=bias if bias.ndim == 1 else None)
    return Recognised((vector,), operation, learned, is_turned=True)


def max_pool(asked: Question) -> Recognised | None:
    """max_pool2d, with or without the winners' places."""
    image = asked.image
    if image is None:
        return None
    windows = _sliding(asked, dilation=pair(asked.argument(4, "dilation", 1)))
    return Recognised((image,), MaxPool(kind="max_pool", windows=windows))


def average_pool(asked: Question) -> Recognised | None:
    """avg_pool2d; padded cells count unless told otherwise."""
    image = asked.image
    if image is None:
        return None
    divisor = asked.argument(6, "divisor_override")
    pool = AveragePool(
        kind="avg_pool",
        windows=_sliding(asked, dilation=(1, 1)),
        counts_padding=bool(asked.argument(5, "count_include_pad", default=True)),
        divisor=None if divisor is None else whole(divisor),
    )
    return Recognised((image,), pool)


def adaptive_average(asked: Question) -> Recognised | None:
    """adaptive_avg_pool2d."""
    return _average_to(asked, asked.image)


def adaptive_max(asked: Question) -> Recognised | None:
    """adaptive_max_pool2d, with or without the winners' places."""
    return _max_to(asked, asked.image, shares=False)


def mean(asked: Question) -> Recognised | None:
    """x.mean((2, 3)): global pooling by another name."""
    return _average_to(asked, _over_rows_and_columns(asked))


def largest(asked: Question) -> Recognised | None:
    """x.amax((2, 3)): global pooling by another name; backwards all equals get their share."""
    return _max_to(asked, _over_rows_and_columns(asked), shares=True)


def _average_to(asked: Question, image: Tensor | None) -> Recognised | None:
    if image is None or asked.shape is None:
        return None
    size = asked.shape[1:]
    kind = "global_avg_pool" if size == (1, 1) else "adaptive_avg_pool"
    return Recognised((image,), AveragePool(kind=kind, windows=Adaptive(size=size)))


def _max_to(asked: Question, image: Tensor | None, *, shares: bool) -> Recognised | None:
    if image is None or asked.shape is None:
        return None
    size = asked.shape[1:]
    kind = "global_max_pool" if size == (1, 1) else "adaptive_max_pool"
    return Recognised((image,), MaxPool(kind=kind, windows=Adaptive(size=size), shares=shares))


def _sliding(asked: Question, dilation: tuple[int, int]) -> Sliding:
    kernel = pair(asked.argument(1, "kernel_size"))
    stride = asked.argument(2, "stride")
    return Sliding(
        kernel=kernel,
        stride=kernel if stride is None or stride in ([], ()) else pair(stride),
        padding=pair(asked.argument(3, "padding", 0)),
        dilation=dilation,
    )


def _over_rows_and_columns(asked: Question) -> Tensor | None:
    image, dims = asked.image, asked.argument(1, "dim", asked.argument(1, "axis"))
    if image is None or image.ndim != 4 or not isinstance(dims, tuple | list):
        return None
    return image if sorted(whole(dim) % 4 for dim in dims) == [2, 3] else None


WINDOWS: dict[str, Recogniser] = {
    "conv2d": convolution,
    "linear": dense,
    "matmul": matrix_product,
    "mm": matrix_product,
    "addmm": added_matrix_product,
    "max_pool2d": max_pool,
    "max_pool2d_with_indices": max_pool,
    "avg_pool2d": average_pool,
    "adaptive_avg_pool2d": adaptive_average,
    "adaptive_max_pool2d": adaptive_max,
    "adaptive_max_pool2d_with_indices": adaptive_max,
    "mean": mean,
    "amax": largest,
}

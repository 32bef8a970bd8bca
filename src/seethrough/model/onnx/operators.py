"""ONNX operators as calls of torch functions, so that whoever watches torch sees the network.

`OPERATORS[name](attributes)` gives a function of the node's inputs, in the order of the ONNX
operator specification (opsets 11 to 23); an input that is left out is None. Images are n c h w, as
in ONNX itself. Shapes, axes and pads arrive as int64 tensors.

Source: https://onnx.ai/onnx/operators/
"""

import functools
import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional

from seethrough.model.onnx import layout, windows
from seethrough.model.onnx.node import Attributes, Inputs, Operator, ints


def batch_normalization(attributes: Attributes) -> Operator:
    """(x − mean) / √(variance + ε) · scale + shift, with the running numbers."""
    eps = attributes.get("epsilon", 1e-5)

    def call(x: Tensor, scale: Tensor, shift: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
        return functional.batch_norm(x, mean, variance, scale, shift, eps=eps)

    return call


def layer_normalization(attributes: Attributes) -> Operator:
    """Standardised over the axes from `axis` on."""
    axis, eps = attributes.get("axis", -1), attributes.get("epsilon", 1e-5)

    def call(x: Tensor, scale: Tensor, shift: Inputs = None) -> Tensor:
        return functional.layer_norm(x, list(x.shape[axis:]), scale, shift, eps)

    return call


def group_normalization(attributes: Attributes) -> Operator:
    """Standardised over groups of channels."""
    groups, eps = attributes["num_groups"], attributes.get("epsilon", 1e-5)

    def call(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        per_channel = len(scale) == x.shape[1]  # since opset 21; one number a group before
        repeats = 1 if per_channel else x.shape[1] // groups
        scale, shift = (t.repeat_interleave(repeats) for t in (scale, shift))
        return functional.group_norm(x, groups, scale, shift, eps)

    return call


def instance_normalization(attributes: Attributes) -> Operator:
    """Standardised over each channel of each image."""
    eps = attributes.get("epsilon", 1e-5)
    return lambda x, scale, shift: functional.instance_norm(x, weight=scale, bias=shift, eps=eps)


def gemm(attributes: Attributes) -> Operator:
    """α · a · b + β · c, either factor turned."""
    alpha, beta = attributes.get("alpha", 1.0), attributes.get("beta", 1.0)
    turns_a, turns_b = attributes.get("transA", 0), attributes.get("transB", 0)

    def call(a: Tensor, b: Tensor, c: Inputs = None) -> Tensor:
        weight = (b if turns_b else b.T) * alpha if alpha != 1 else (b if turns_b else b.T)
        bias = None if c is None or beta == 0 else (c if beta == 1 else c * beta)
        return functional.linear(a.T if turns_a else a, weight, bias)

    return call


def clip(attributes: Attributes) -> Operator:
    """Held between two bounds, either of which may be missing."""

    def call(x: Tensor, low: Inputs = None, high: Inputs = None) -> Tensor:
        lowest = attributes.get("min") if low is None else low.item()
        highest = attributes.get("max") if high is None else high.item()
        if (lowest, highest) == (0, 6):
            return functional.relu6(x)
        return torch.clamp(x, lowest, highest)

    return call


def gelu(attributes: Attributes) -> Operator:
    """x · Φ(x), exactly or by tanh."""
    how = attributes.get("approximate", "none")
    return lambda x: functional.gelu(x, approximate=how)


def leaky_relu(attributes: Attributes) -> Operator:
    """x above 0, slope · x below."""
    return lambda x: functional.leaky_relu(x, attributes.get("alpha", 0.01))


def elu(attributes: Attributes) -> Operator:
    """x above 0, α · (eˣ − 1) below."""
    return lambda x: functional.elu(x, attributes.get("alpha", 1.0))


def hard_sigmoid(attributes: Attributes) -> Operator:
    """max(0, min(1, α · x + β)); torch's own where it is the same."""
    alpha, beta = attributes.get("alpha", 0.2), attributes.get("beta", 0.5)
    if math.isclose(alpha, 1 / 6, rel_tol=1e-6) and beta == 0.5:
        return functional.hardsigmoid
    return lambda x: torch.clamp(alpha * x + beta, 0.0, 1.0)


def softmax(attributes: Attributes) -> Operator:
    """Shares that add up to 1 along an axis."""
    return lambda x: functional.softmax(x, dim=attributes.get("axis", -1))


def log_softmax(attributes: Attributes) -> Operator:
    """Their logarithms."""
    return lambda x: functional.log_softmax(x, dim=attributes.get("axis", -1))


def _reduce(function: Callable[..., Tensor]) -> Callable[[Attributes], Operator]:
    """One number for some axes, or for all."""

    def build(attributes: Attributes) -> Operator:
        keeps = bool(attributes.get("keepdims", 1))

        def call(x: Tensor, axes: Inputs = None) -> Tensor:
            found = ints(attributes.get("axes") if axes is None else axes)
            if not found and attributes.get("noop_with_empty_axes", 0):
                return x
            return function(x, found or list(range(x.ndim)), keepdim=keeps)

        return call

    return build


def dropout(attributes: Attributes) -> Operator:
    """Nothing is dropped when a network is asked."""
    return lambda x, ratio=None, training=None: functional.dropout(x, training=False)


def _plain(function: Callable[..., Tensor]) -> Callable[[Attributes], Operator]:
    return lambda attributes: function


OPERATORS: Mapping[str, Callable[[Attributes], Operator]] = {
    "Add": _plain(torch.add),
    "AveragePool": windows.average_pool,
    "BatchNormalization": batch_normalization,
    "Cast": layout.cast,
    "Clip": clip,
    "Concat": layout.concat,
    "Constant": layout.constant,
    "ConstantOfShape": layout.constant_of_shape,
    "Conv": windows.conv,
    "Div": _plain(torch.div),
    "Dropout": dropout,
    "Abs": _plain(torch.abs),
    "Ceil": _plain(torch.ceil),
    "ConvTranspose": windows.conv_transpose,
    "Elu": elu,
    "Erf": _plain(torch.erf),
    "Exp": _plain(torch.exp),
    "Expand": _plain(lambda x, shape: x * torch.ones(ints(shape), dtype=x.dtype)),
    "Flatten": layout.flatten,
    "Floor": _plain(torch.floor),
    "Gather": layout.gather,
    "Gelu": gelu,
    "Gemm": gemm,
    "GlobalAveragePool": _plain(lambda x: functional.adaptive_avg_pool2d(x, 1)),
    "GlobalMaxPool": _plain(lambda x: functional.adaptive_max_pool2d(x, 1)),
    "GroupNormalization": group_normalization,
    "HardSigmoid": hard_sigmoid,
    "HardSwish": _plain(functional.hardswish),
    "Identity": _plain(lambda x: x),
    "InstanceNormalization": instance_normalization,
    "LayerNormalization": layer_normalization,
    "LeakyRelu": leaky_relu,
    "LogSoftmax": log_softmax,
    "MatMul": _plain(torch.matmul),
    "Max": _plain(lambda *parts: functools.reduce(torch.maximum, parts)),
    "MaxPool": windows.max_pool,
    "Min": _plain(lambda *parts: functools.reduce(torch.minimum, parts)),
    "Mish": _plain(functional.mish),
    "Mul": _plain(torch.mul),
    "Neg": _plain(torch.neg),
    "PRelu": _plain(lambda x, slope: functional.prelu(x, slope.flatten())),
    "Pad": layout.pad,
    "Pow": _plain(torch.pow),
    "Range": _plain(lambda *ends: torch.arange(*(end.item() for end in ends))),
    "Reciprocal": _plain(torch.reciprocal),
    "ReduceMax": _reduce(torch.amax),
    "ReduceMean": _reduce(torch.mean),
    "ReduceSum": _reduce(torch.sum),
    "Relu": _plain(functional.relu),
    "Reshape": layout.reshape,
    "Resize": layout.resize,
    "Selu": _plain(functional.selu),
    "Shape": layout.shape,
    "Sigmoid": _plain(torch.sigmoid),
    "Slice": layout.slice_,
    "Softmax": softmax,
    "Softplus": _plain(functional.softplus),
    "Softsign": _plain(functional.softsign),
    "Split": layout.split,
    "Sqrt": _plain(torch.sqrt),
    "Squeeze": layout.squeeze,
    "Sub": _plain(torch.sub),
    "Sum": _plain(lambda *parts: sum(parts[1:], parts[0])),
    "Swish": lambda attributes: (
        functional.silu
        if attributes.get("alpha", 1.0) == 1
        else lambda x: x * torch.sigmoid(attributes["alpha"] * x)
    ),
    "Tanh": _plain(torch.tanh),
    "Transpose": layout.transpose,
    "Unsqueeze": layout.unsqueeze,
}

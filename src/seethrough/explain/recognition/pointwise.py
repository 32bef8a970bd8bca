"""Calls that change every number on its own: activation functions, dropout, constants."""

import numpy as np
from jaxtyping import Float64
from torch import Tensor

from seethrough.explain.operations import activation as act
from seethrough.explain.operations.activation import Activation, Curve
from seethrough.explain.operations.affine import Affine
from seethrough.explain.operations.dropout import Dropout
from seethrough.explain.operations.region import Shape
from seethrough.explain.recognition.question import (
    Question,
    Recognised,
    Recogniser,
    number,
    optional,
    tensors,
    values,
)
from seethrough.explain.recording import Argument


def _curve(kind: str, curve: Curve) -> Recogniser:
    def recogniser(asked: Question) -> Recognised | None:
        return _applied(asked, kind, curve)

    return recogniser


def _applied(asked: Question, kind: str, curve: Curve, **options: float) -> Recognised | None:
    image = asked.image
    if image is None:
        return None
    return Recognised((image,), Activation(kind=kind, curves=(curve,), options=options))


def gelu(asked: Question) -> Recognised | None:
    """Exact, or approximated with tanh."""
    exact = asked.argument(1, "approximate", "none") == "none"
    return _applied(asked, "gelu", act.GELU if exact else act.GELU_TANH)


def leaky_relu(asked: Question) -> Recognised | None:
    """A fixed slope below zero."""
    slope = number(asked.argument(1, "negative_slope", 0.01))
    return _applied(asked, "leaky_relu", act.leaky_relu(slope), slope=slope)


def prelu(asked: Question) -> Recognised | None:
    """A learned slope below zero, one or one for each channel."""
    image, tensor = asked.image, asked.argument(1, "weight")
    weight = optional(tensor)
    if image is None or weight is None:
        return None
    curves = tuple(act.leaky_relu(float(slope)) for slope in weight.ravel())
    activation = Activation(kind="prelu", curves=curves, parameters={"weight": weight})
    return Recognised((image,), activation, tensors(weight=tensor))


def hardtanh(asked: Question) -> Recognised | None:
    """hardtanh(input, min_val, max_val), which is also how nn.ReLU6 computes."""
    bounds = asked.argument(1, "min_val", -1.0), asked.argument(2, "max_val", 1.0)
    return _clamped(asked, *bounds, passes_bounds=False)


def clamp(asked: Question) -> Recognised | None:
    """clamp(input, min, max) with constant bounds."""
    return _clamped(asked, asked.argument(1, "min"), asked.argument(2, "max"))


def clamp_min(asked: Question) -> Recognised | None:
    """clamp_min(input, min) with a constant bound."""
    return _clamped(asked, asked.argument(1, "min"), None)


def clamp_max(asked: Question) -> Recognised | None:
    """clamp_max(input, max) with a constant bound."""
    return _clamped(asked, None, asked.argument(1, "max"))


def _clamped(
    asked: Question, low: Argument, high: Argument, *, passes_bounds: bool = True
) -> Recognised | None:
    if isinstance(low, Tensor) or isinstance(high, Tensor):
        return None
    bounds = [None if bound is None else number(bound) for bound in (low, high)]
    kind: dict[tuple[float | None, ...], str] = {(0.0, None): "relu", (0.0, 6.0): "relu6"}
    curve = act.clamp(bounds[0], bounds[1], passes_bounds=passes_bounds)
    return _applied(asked, kind.get((bounds[0], bounds[1]), "clamp"), curve)


def elu(asked: Question) -> Recognised | None:
    """elu(input, alpha)."""
    alpha = number(asked.argument(1, "alpha", 1.0))
    return _applied(asked, "elu", act.elu_of(alpha), alpha=alpha)


def celu(asked: Question) -> Recognised | None:
    """celu(input, alpha): a continuously differentiable elu."""
    alpha = number(asked.argument(1, "alpha", 1.0))
    return _applied(asked, "celu", act.celu_of(alpha), alpha=alpha)


def softplus(asked: Question) -> Recognised | None:
    """softplus(input, beta, threshold)."""
    beta = number(asked.argument(1, "beta", 1.0))
    threshold = number(asked.argument(2, "threshold", 20.0))
    return _applied(asked, "softplus", act.softplus_of(beta, threshold), beta=beta)


def dropout(asked: Question) -> Recognised | None:
    """Off outside training; where it is on all the same, the mask is read off the result."""
    image = asked.image
    share = number(asked.argument(1, "p", 0.5))
    if image is None:
        return None
    if not asked.argument(2, "training", default=True):
        return Recognised((image,), Dropout(share=share, weight=None))
    if asked.shape is None or share >= 1:
        return None
    kept = values(asked.result).reshape(asked.shape) != 0
    weight = (kept / np.float32(1 - share)).astype(np.float32)
    return Recognised((image,), Dropout(share=share, weight=weight))


# ---------------------------------------------------------------- with a constant


def scaled(asked: Question) -> Recognised | None:
    """x × constant, either way round."""
    image, constant = _with_constant(asked)
    numbers = _spread(asked, constant)
    if image is None or numbers is None:
        return None
    return _affine(asked, image, f"x × {_word(constant)}", numbers, None, {"weight": constant})


def divided(asked: Question) -> Recognised | None:
    """x / constant."""
    image, constant = asked.image, asked.argument(1, "other")
    numbers = _spread(asked, constant)
    if image is None or numbers is None or asked.argument(2, "rounding_mode") is not None:
        return None
    with np.errstate(divide="ignore"):
        scale = 1 / numbers
    return _affine(asked, image, f"x / {_word(constant)}", scale, None, {})


def shifted(asked: Question) -> Recognised | None:
    """x + constant, either way round."""
    image, constant = _with_constant(asked)
    numbers = _spread(asked, constant)
    if image is None or numbers is None or asked.argument(2, "alpha", 1) != 1:
        return None
    text = f"x + {_word(constant)}"
    return _affine(asked, image, text, np.ones_like(numbers), numbers, {"bias": constant})


def lowered(asked: Question) -> Recognised | None:
    """x − constant, or constant − x."""
    image, constant = _with_constant(asked)
    numbers = _spread(asked, constant)
    if image is None or numbers is None or asked.argument(2, "alpha", 1) != 1:
        return None
    is_first = image is asked.argument(0, "input")
    if is_first is (asked.call.name in {"rsub", "__rsub__"}):
        text, scale, shift = f"{_word(constant)} - x", -np.ones_like(numbers), numbers
    else:
        text, scale, shift = f"x - {_word(constant)}", np.ones_like(numbers), -numbers
    return _affine(asked, image, text, scale, shift, {})


def negated(asked: Question) -> Recognised | None:
    """−x."""
    image = asked.image
    if image is None or asked.shape is None:
        return None
    return _affine(asked, image, "-x", np.full(asked.shape, -1.0), None, {})


def _with_constant(asked: Question) -> tuple[Tensor | None, Argument]:
    first, second = asked.argument(0, "input"), asked.argument(1, "other")
    if isinstance(second, Tensor) and asked.is_activation(second):
        first, second = second, first
    is_alone = isinstance(first, Tensor) and not asked.is_activation(second)
    return (first if is_alone and isinstance(first, Tensor) else None), second


def _spread(asked: Question, constant: Argument) -> Float64[np.ndarray, "c h w"] | None:
    """The constant for every cell of the result."""
    if asked.shape is None or not isinstance(constant, Tensor | int | float):
        return None
    if not isinstance(constant, Tensor):
        return np.full(asked.shape, float(constant))
    try:
        wide = np.broadcast_to(values(constant), tuple(asked.result.shape))
    except ValueError:
        return None
    return wide.astype(np.float64).reshape(asked.shape)


def _word(constant: Argument) -> str:
    return "constant" if isinstance(constant, Tensor) else f"{constant:g}"


def _affine(
    asked: Question,
    image: Tensor,
    formula: str,
    scale: Float64[np.ndarray, "c h w"],
    shift: Float64[np.ndarray, "c h w"] | None,
    learned: dict[str, Argument],
) -> Recognised | None:
    """Only where the map keeps its shape: a constant that is larger than it would copy cells."""
    shape: Shape | None = asked.shape
    if shape is None or tuple(image.shape) != tuple(asked.result.shape):
        return None
    behind = tensors(**learned)
    parameters = {name: values(tensor) for name, tensor in behind.items()}
    places = {
        name: np.broadcast_to(
            np.arange(array.size).reshape(array.shape), tuple(asked.result.shape)
        ).reshape(shape)
        for name, array in parameters.items()
    }
    operation = Affine(
        kind="scale",
        text=formula,
        formula=formula,
        scale=scale,
        shift=shift,
        parameters=parameters,
        places=places,
    )
    return Recognised((image,), operation, behind)


POINTWISE: dict[str, Recogniser] = {
    "relu": _curve("relu", act.RELU),
    "relu6": _curve("relu6", act.RELU6),
    "silu": _curve("silu", act.SILU),
    "sigmoid": _curve("sigmoid", act.SIGMOID),
    "tanh": _curve("tanh", act.TANH),
    "hardswish": _curve("hardswish", act.HARDSWISH),
    "hardsigmoid": _curve("hardsigmoid", act.HARDSIGMOID),
    "selu": _curve("selu", act.SELU),
    "mish": _curve("mish", act.MISH),
    "softsign": _curve("softsign", act.SOFTSIGN),
    "logsigmoid": _curve("logsigmoid", act.LOGSIGMOID),
    "log_sigmoid": _curve("logsigmoid", act.LOGSIGMOID),
    "gelu": gelu,
    "leaky_relu": leaky_relu,
    "prelu": prelu,
    "hardtanh": hardtanh,
    "clamp": clamp,
    "clip": clamp,
    "clamp_min": clamp_min,
    "clamp_max": clamp_max,
    "elu": elu,
    "celu": celu,
    "softplus": softplus,
    "dropout": dropout,
    "dropout2d": dropout,
    "feature_dropout": dropout,
    "neg": negated,
    "div": divided,
    "true_divide": divided,
    "__truediv__": divided,
}

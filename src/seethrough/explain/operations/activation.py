"""Activation functions: each number on its own, in float64 from the standard library's functions.

    relu         max(0, x)
    relu6        min(6, max(0, x))
    clamp        min(high, max(low, x))
    leaky_relu   x, below 0: slope · x;   prelu: the same, its slope learned
    sigmoid      1 / (1 + e^−x)
    tanh         (e^x − e^−x) / (e^x + e^−x)
    gelu         x · Φ(x),   Φ(x) = (1 + erf(x / √2)) / 2, or its approximation with tanh
    silu         x · sigmoid(x)
    hardsigmoid  min(6, max(0, x + 3)) / 6
    hardswish    x · hardsigmoid(x)
    softplus     log(1 + e^(β·x)) / β
    mish         x · tanh(softplus(x))
    elu          x, below 0: α · (e^x − 1)
    selu         λ · elu(x, α),   λ and α fixed

What is displayed is a chain: the digits that enter, then the digits that leave. `=` is exact as
displayed, `≈` is a rounded value of the function.

Sources: GELU: Hendrycks and Gimpel, arXiv:1606.08415; SiLU: Elfwing et al., arXiv:1702.03118;
hard variants: Howard et al., arXiv:1905.02244; SELU: Klambauer et al., arXiv:1706.02515.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float32

from seethrough.explain.operations.arithmetic import (
    Arithmetic,
    Cell,
    Map,
    Stepped,
    Value,
    one_product,
)
from seethrough.explain.operations.region import Region, Shape, Span
from seethrough.explain.rounding import show

SELU_SCALE = 1.0507009873554805  # arXiv:1706.02515, equation 14
SELU_ALPHA = 1.6732632423543772


@dataclass(frozen=True, slots=True)
class Curve:
    """A function of one number and the text between the digits that enter and those that leave."""

    formula: str
    value: Callable[[float], float]
    # (x, its digits, decimals) → what is displayed before the result, with its = or ≈
    left: Callable[[float, str, int], str]
    # the digits that leave, where they are those that enter; None: f(x) rounded
    passes: Callable[[float], bool] = lambda _: False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Activation:
    """`curves` holds one function for all channels, or one for each."""

    kind: str
    curves: tuple[Curve, ...]
    options: Mapping[str, Value] = field(default_factory=dict)
    parameters: Mapping[str, Float32[np.ndarray, "..."]] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """As in a network's text."""
        return self.kind

    @property
    def formula(self) -> str:
        """In letters."""
        return self.curves[0].formula

    @property
    def spans(self) -> tuple[Span, Span]:
        """A single cell."""
        return Span(), Span()

    def arithmetic(self, inputs: Sequence[Map], cell: Cell) -> Arithmetic:
        """The number that enters, × 1; the function is the step that follows."""
        value = float(inputs[0][cell.unit, cell.row, cell.column])
        return Arithmetic(products=one_product(cell, value), framework=value, own=self)

    def apply(
        self, value: float, shown: str, cell: Cell, magnitude: float, decimals: int
    ) -> Stepped:
        """f of the number that enters."""
        curve = self.curves[cell.unit % len(self.curves)]
        result = curve.value(value)
        digits = shown if curve.passes(value) else show(result, decimals)
        left = curve.left(value, shown, decimals)
        # No function here is steeper than its largest slope, about 1.13 unless it was told more.
        steeper = max(1.0, abs(result) / abs(value)) if value and math.isfinite(result) else 1.0
        return Stepped(
            value=result,
            shown=f"{left} {digits}",
            shown_value=digits,
            magnitude=magnitude * steeper,
        )

    def below(self, region: Region, shapes: Sequence[Shape]) -> list[Region]:
        """The same cells."""
        return [region]


def clamp(low: float | None, high: float | None) -> Curve:
    """Between two bounds; relu is clamp(0, None), relu6 is clamp(0, 6)."""

    def value(x: float) -> float:
        if math.isnan(x):
            return x
        x = x if low is None else max(low, x)
        return x if high is None else min(high, x)

    def left(_: float, shown: str, __: int) -> str:
        inner = shown if low is None else f"max({low:g}, {shown})"
        return f"{inner} =" if high is None else f"min({high:g}, {inner}) ="

    inner = "x" if low is None else f"max({low:g}, x)"
    formula = inner if high is None else f"min({high:g}, {inner})"
    return Curve(formula, value, left, passes=lambda x: value(x) == x)


def leaky_relu(slope: float) -> Curve:
    """Below zero, a share of the number passes."""

    def left(x: float, shown: str, _: int) -> str:
        return f"{shown} =" if x > 0 else f"{shown} × {slope:.6g} ≈"

    return Curve(
        f"x, below zero {slope:.6g} · x",
        lambda x: x if x > 0 else x * slope,
        left,
        passes=lambda x: x > 0,
    )


def gated(formula: str, gate: Callable[[float], float]) -> Curve:
    """x times a share of it that depends on x."""

    def left(x: float, shown: str, decimals: int) -> str:
        return f"{shown} × {show(gate(x), decimals)} ≈"

    return Curve(formula, lambda x: x * gate(x), left)


def named(name: str, formula: str, value: Callable[[float], float]) -> Curve:
    """A function that is written as its name."""
    return Curve(formula, value, lambda _, shown, __: f"{name}({shown}) ≈")


def sigmoid(x: float) -> float:
    """1 / (1 + e^−x), without overflow."""
    if math.isnan(x):
        return x
    small = math.exp(-abs(x))
    return 1 / (1 + small) if x >= 0 else small / (1 + small)


def hardsigmoid(x: float) -> float:
    """A sigmoid of three straight lines."""
    return x if math.isnan(x) else min(max(x + 3, 0.0), 6.0) / 6


def softplus(x: float, beta: float = 1.0, threshold: float = 20.0) -> float:
    """A smooth relu; straight above the threshold, as in the framework."""
    return x if x * beta > threshold else math.log1p(math.exp(x * beta)) / beta


def elu(x: float, alpha: float = 1.0) -> float:
    """Below zero, a curve that ends at −α."""
    return x if x > 0 else alpha * math.expm1(x)


def normal_share(x: float) -> float:
    """Φ(x): the share of a standard normal distribution that lies below x."""
    return math.erfc(-x / math.sqrt(2)) / 2


def normal_share_tanh(x: float) -> float:
    """Φ(x) by the approximation with tanh."""
    return (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2


RELU = clamp(0.0, None)
RELU6 = clamp(0.0, 6.0)
GELU = gated("x · Φ(x)", normal_share)
GELU_TANH = gated("x · (1 + tanh(√(2/π) · (x + 0.044715 · x³))) / 2", normal_share_tanh)
SILU = gated("x · 1 / (1 + e^-x)", sigmoid)
HARDSWISH = gated("x · min(6, max(0, x + 3)) / 6", hardsigmoid)
MISH = gated("x · tanh(log(1 + e^x))", lambda x: math.tanh(softplus(x)))
SIGMOID = named("sigmoid", "1 / (1 + e^-x)", sigmoid)
TANH = named("tanh", "tanh(x)", math.tanh)
HARDSIGMOID = named("hardsigmoid", "min(6, max(0, x + 3)) / 6", hardsigmoid)
SELU = named("selu", "λ · (x, below zero α · (e^x − 1))", lambda x: SELU_SCALE * elu(x, SELU_ALPHA))
SOFTSIGN = named("softsign", "x / (1 + |x|)", lambda x: x / (1 + abs(x)))
LOGSIGMOID = named("logsigmoid", "log(1 / (1 + e^-x))", lambda x: -softplus(-x, threshold=700.0))


def elu_of(alpha: float) -> Curve:
    """elu with its α."""
    return named("elu", f"x, below zero {alpha:.6g} · (e^x - 1)", lambda x: elu(x, alpha))


def celu_of(alpha: float) -> Curve:
    """celu with its α."""

    def value(x: float) -> float:
        return x if x > 0 else alpha * math.expm1(x / alpha)

    return named("celu", f"x, below zero {alpha:.6g} · (e^(x / {alpha:.6g}) - 1)", value)


def softplus_of(beta: float, threshold: float) -> Curve:
    """softplus with its β; straight above the threshold."""
    formula = f"log(1 + e^({beta:.6g} · x)) / {beta:.6g}"
    return named("softplus", formula, lambda x: softplus(x, beta, threshold))

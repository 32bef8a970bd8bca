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

Backwards what came back is multiplied by the slope f′(x): a gate that is 0 or 1 for relu. Where a
function has a kink the slope is the framework's choice: 0 for relu at 0.

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
    Products,
    Stepped,
    Value,
    one_product,
    products_at,
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
    slope: Callable[[float], float]
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

    def input_gradient(
        self, inputs: Sequence[Map], upstream: Map, which: int, cell: Cell
    ) -> Products:
        """What came back × f′ of the number that entered."""
        place = (cell.unit, cell.row, cell.column)
        slope = self.slope(cell, float(inputs[0][place]))
        return one_product(cell, float(upstream[place]), slope)

    def parameter_gradient(
        self, inputs: Sequence[Map], upstream: Map, name: str, index: tuple[int, ...]
    ) -> Products:
        """A learned slope: Σ of what entered below 0 × what came back, over its channels."""
        units = np.arange(len(inputs[0]))
        own = units[units % len(self.curves) == (index[0] if index else 0)]
        channel, row, column = np.nonzero(inputs[0][own] <= 0)
        cells = own[channel], row, column
        return products_at(cells, inputs[0][cells], upstream[cells])

    def slope(self, cell: Cell, value: float) -> float:
        """f′ at a number that enters this cell."""
        return self.curves[cell.unit % len(self.curves)].slope(value)

    def below(self, region: Region, shapes: Sequence[Shape]) -> list[Region]:
        """The same cells."""
        return [region]


def clamp(low: float | None, high: float | None, *, passes_bounds: bool = True) -> Curve:
    """Between two bounds; relu is clamp(0, None), relu6 is clamp(0, 6).

    Backwards the bounds themselves pass in `clamp` and do not in `relu` and `hardtanh`.
    """

    def value(x: float) -> float:
        if math.isnan(x):
            return x
        x = x if low is None else max(low, x)
        return x if high is None else min(high, x)

    def left(_: float, shown: str, __: int) -> str:
        inner = shown if low is None else f"max({low:g}, {shown})"
        return f"{inner} =" if high is None else f"min({high:g}, {inner}) ="

    def slope(x: float) -> float:
        if x in (low, high):
            return float(passes_bounds)
        return float((low is None or x > low) and (high is None or x < high))

    inner = "x" if low is None else f"max({low:g}, x)"
    formula = inner if high is None else f"min({high:g}, {inner})"
    return Curve(formula, value, slope, left, passes=lambda x: value(x) == x)


def leaky_relu(slope: float) -> Curve:
    """Below zero, a share of the number passes."""

    def left(x: float, shown: str, _: int) -> str:
        return f"{shown} =" if x > 0 else f"{shown} × {slope:.6g} ≈"

    return Curve(
        f"x, below zero {slope:.6g} · x",
        lambda x: x if x > 0 else x * slope,
        lambda x: 1.0 if x > 0 else slope,
        left,
        passes=lambda x: x > 0,
    )


def gated(
    formula: str, gate: Callable[[float], float], steepness: Callable[[float], float]
) -> Curve:
    """x times a share of it that depends on x; `steepness` is the slope of the gate."""

    def left(x: float, shown: str, decimals: int) -> str:
        return f"{shown} × {show(gate(x), decimals)} ≈"

    return Curve(formula, lambda x: x * gate(x), lambda x: gate(x) + x * steepness(x), left)


def named(
    name: str, formula: str, value: Callable[[float], float], slope: Callable[[float], float]
) -> Curve:
    """A function that is written as its name."""
    return Curve(formula, value, slope, lambda _, shown, __: f"{name}({shown}) ≈")


def sigmoid(x: float) -> float:
    """1 / (1 + e^−x), without overflow."""
    if math.isnan(x):
        return x
    small = math.exp(-abs(x))
    return 1 / (1 + small) if x >= 0 else small / (1 + small)


def hardsigmoid(x: float) -> float:
    """A sigmoid of three straight lines."""
    return x if math.isnan(x) else min(max(x + 3, 0.0), 6.0) / 6


def sigmoid_slope(x: float) -> float:
    """σ(x) · (1 − σ(x))."""
    return sigmoid(x) * sigmoid(-x)


def hardsigmoid_slope(x: float) -> float:
    """The middle line's 1/6; the flat ones, ends included, have none."""
    return 1 / 6 if -3 < x < 3 else 0.0


def tanh_slope(x: float) -> float:
    """1 − tanh(x)²."""
    return 1 - math.tanh(x) ** 2


def softplus(x: float, beta: float = 1.0, threshold: float = 20.0) -> float:
    """A smooth relu; straight above the threshold, as in the framework."""
    return x if x * beta > threshold else math.log1p(math.exp(x * beta)) / beta


def softplus_slope(x: float, beta: float = 1.0, threshold: float = 20.0) -> float:
    """sigmoid(β·x); 1 above the threshold."""
    return 1.0 if x * beta > threshold else sigmoid(x * beta)


def elu(x: float, alpha: float = 1.0) -> float:
    """Below zero, a curve that ends at −α."""
    return x if x > 0 else alpha * math.expm1(x)


def elu_slope(x: float, alpha: float = 1.0) -> float:
    """1; below zero α·e^x."""
    return 1.0 if x > 0 else alpha * math.exp(x)


def normal_share(x: float) -> float:
    """Φ(x): the share of a standard normal distribution that lies below x."""
    return math.erfc(-x / math.sqrt(2)) / 2


def normal_density(x: float) -> float:
    """Φ′(x) = e^(−x²/2) / √(2π)."""
    return math.exp(-x * x / 2) / math.sqrt(2 * math.pi)


def normal_share_tanh(x: float) -> float:
    """Φ(x) by the approximation with tanh."""
    return (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2


def normal_density_tanh(x: float) -> float:
    """The slope of that approximation."""
    inner = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
    return tanh_slope(inner) * math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * x**2) / 2


def mish_gate(x: float) -> float:
    """tanh(softplus(x))."""
    return math.tanh(softplus(x))


RELU = clamp(0.0, None, passes_bounds=False)
RELU6 = clamp(0.0, 6.0, passes_bounds=False)
GELU = gated("x · Φ(x)", normal_share, normal_density)
GELU_TANH = gated(
    "x · (1 + tanh(√(2/π) · (x + 0.044715 · x³))) / 2", normal_share_tanh, normal_density_tanh
)
SILU = gated("x · 1 / (1 + e^-x)", sigmoid, sigmoid_slope)
HARDSWISH = gated("x · min(6, max(0, x + 3)) / 6", hardsigmoid, hardsigmoid_slope)
MISH = gated(
    "x · tanh(log(1 + e^x))", mish_gate, lambda x: tanh_slope(softplus(x)) * softplus_slope(x)
)
SIGMOID = named("sigmoid", "1 / (1 + e^-x)", sigmoid, sigmoid_slope)
TANH = named("tanh", "tanh(x)", math.tanh, tanh_slope)
HARDSIGMOID = named("hardsigmoid", "min(6, max(0, x + 3)) / 6", hardsigmoid, hardsigmoid_slope)
SELU = named(
    "selu",
    "λ · (x, below zero α · (e^x − 1))",
    lambda x: SELU_SCALE * elu(x, SELU_ALPHA),
    lambda x: SELU_SCALE * elu_slope(x, SELU_ALPHA),
)
SOFTSIGN = named(
    "softsign", "x / (1 + |x|)", lambda x: x / (1 + abs(x)), lambda x: 1 / (1 + abs(x)) ** 2
)
LOGSIGMOID = named(
    "logsigmoid",
    "log(1 / (1 + e^-x))",
    lambda x: -softplus(-x, threshold=700.0),
    lambda x: sigmoid(-x),
)


def elu_of(alpha: float) -> Curve:
    """elu with its α."""
    formula = f"x, below zero {alpha:.6g} · (e^x - 1)"
    return named("elu", formula, lambda x: elu(x, alpha), lambda x: elu_slope(x, alpha))


def celu_of(alpha: float) -> Curve:
    """celu with its α."""

    def value(x: float) -> float:
        return x if x > 0 else alpha * math.expm1(x / alpha)

    formula = f"x, below zero {alpha:.6g} · (e^(x / {alpha:.6g}) - 1)"
    return named("celu", formula, value, lambda x: 1.0 if x > 0 else math.exp(x / alpha))


def softplus_of(beta: float, threshold: float) -> Curve:
    """softplus with its β; straight above the threshold."""
    return named(
        "softplus",
        f"log(1 + e^({beta:.6g} · x)) / {beta:.6g}",
        lambda x: softplus(x, beta, threshold),
        lambda x: softplus_slope(x, beta, threshold),
    )

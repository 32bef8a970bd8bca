"""Logits to probabilities: exponentials, and each one's share of their sum.

    p[u] = e^(x[u] − m) / Σ_i e^(x[i] − m)      m = max x, so that no exponential overflows

Terms of the equation: one a class, its input the logit, its weight 1, its product e^(logit − m):
here the product is not input × weight. The sum is Σ; the step that follows divides.

Backwards ∂p[j]/∂x[i] = p[j] · ([i = j] − p[i]); of the logarithm [i = j] − p[i].
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float32, Float64

from seethrough.explain.operations.arithmetic import (
    Arithmetic,
    Cell,
    Map,
    Products,
    Stepped,
    Value,
    one_product,
    products,
)
from seethrough.explain.operations.region import Region, Shape, whole
from seethrough.explain.rounding import show


@dataclass(frozen=True, slots=True, kw_only=True)
class Softmax:
    """Over all numbers of a vector."""

    kind: ClassVar[str] = "softmax"
    text: ClassVar[str] = "softmax"
    formula: ClassVar[str] = "e^(logit - largest logit) / sum of these over all classes"
    options: ClassVar[Mapping[str, Value]] = {}
    parameters: ClassVar[Mapping[str, Float32[np.ndarray, "..."]]] = {}
    spans: ClassVar[None] = None

    def arithmetic(self, inputs: Sequence[Map], cell: Cell) -> Arithmetic:
        """One exponential for each class; the framework's sum of them is asked for here."""
        logits = inputs[0].ravel()
        exponentials = _exponentials(logits)
        tensor = torch.from_numpy(logits.copy())
        count = len(logits)
        none = np.zeros(count, np.int64)
        return Arithmetic(
            products=products(
                np.arange(count), none, none, logits, np.ones(count), product=exponentials
            ),
            framework=float((tensor - tensor.max()).exp().sum()),
            own=Share(float(exponentials[cell.unit])),
        )

    def input_gradient(
        self, inputs: Sequence[Map], upstream: Map, which: int, cell: Cell
    ) -> Products:
        """One product for each class: every probability depends on every logit."""
        shares, is_own = _shares(inputs[0], cell)
        return _over_classes(upstream, shares * (is_own - shares[cell.unit]))

    def below(self, region: Region, shapes: Sequence[Shape]) -> list[Region]:
        """All of it."""
        return [whole(shapes[0])]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSoftmax:
    """The logarithm of softmax: every number minus log Σ e^x."""

    kind: ClassVar[str] = "log_softmax"
    text: ClassVar[str] = "log_softmax"
    formula: ClassVar[str] = "logit - log(sum of e^logit over all classes)"
    options: ClassVar[Mapping[str, Value]] = {}
    parameters: ClassVar[Mapping[str, Float32[np.ndarray, "..."]]] = {}
    spans: ClassVar[None] = None

    def arithmetic(self, inputs: Sequence[Map], cell: Cell) -> Arithmetic:
        """One term, the logit; the bias is −log Σ."""
        logits = inputs[0].ravel()
        total = math.fsum(_exponentials(logits))
        largest = float(logits.max())
        return Arithmetic(
            products=one_product(cell, float(logits[cell.unit])),
            bias=-(largest + math.log(total)) if total > 0 else math.nan,
        )

    def input_gradient(
        self, inputs: Sequence[Map], upstream: Map, which: int, cell: Cell
    ) -> Products:
        """One product for each class."""
        shares, is_own = _shares(inputs[0], cell)
        return _over_classes(upstream, is_own - shares[cell.unit])

    def below(self, region: Region, shapes: Sequence[Shape]) -> list[Region]:
        """All of it."""
        return [whole(shapes[0])]


@dataclass(frozen=True, slots=True)
class Share:
    """One exponential over the sum of all; `shown` are the digits of its term."""

    exponential: float
    shown: str = ""
    kind: ClassVar[str] = "divide"
    formula: ClassVar[str] = "e^(logit - largest logit) / sum"

    def apply(
        self, value: float, shown: str, cell: Cell, magnitude: float, decimals: int
    ) -> Stepped:
        """The probability."""
        probability = self.exponential / value if value else math.nan
        digits = show(probability, decimals)
        # an error in the exponent, which is in proportion to it, is a relative one in the result
        exponent = abs(math.log(self.exponential)) if self.exponential > 0 else 0.0
        return Stepped(
            value=probability,
            shown=f"{self.shown} / {shown} ≈ {digits}",
            shown_value=digits,
            magnitude=probability * (1 + exponent),
        )


def _shares(below: Map, cell: Cell) -> tuple[Float64[np.ndarray, " k"], Float64[np.ndarray, " k"]]:
    """The probabilities, and 1 at the cell's own class."""
    exponentials = _exponentials(below.ravel())
    return exponentials / math.fsum(exponentials), np.eye(len(exponentials))[cell.unit]


def _over_classes(upstream: Map, weights: Float64[np.ndarray, " k"]) -> Products:
    none = np.zeros(len(weights), np.int64)
    return products(np.arange(len(weights)), none, none, upstream.ravel(), weights)


def _exponentials(logits: Float32[np.ndarray, " k"]) -> np.ndarray:
    largest = float(logits.max())
    return np.array([math.exp(float(logit) - largest) for logit in logits])

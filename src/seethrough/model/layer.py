"""The layers a network can be made of: frozen, and checked on integers when they are made.

| written       | class      | fields                           | limits                |
|---------------|------------|----------------------------------|-----------------------|
| conv 16 k3 p1 | Conv       | units, kernel, stride, pad, bias | pad < kernel          |
| norm          | Norm       |                                  |                       |
| relu          | Activation | function                         | one of `Function`     |
| maxpool 2     | MaxPool    | kernel, stride, pad              | pad ≤ kernel / 2      |
| avgpool 2     | AvgPool    | kernel, stride, pad              | pad ≤ kernel / 2      |
| flatten       | Flatten    |                                  |                       |
| dense 64      | Dense      | units                            | None: one for a class |

Kernel, stride and pad are in cells of the map below, the same along both axes. A padded cell holds
0 (in a maximum pool: minus infinity), and an average pool counts it in its mean, as PyTorch does.
Raises SpecError where a number is outside its limits. It knows no sizes of maps: see `shapes`.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from seethrough.errors import SpecError

MAX_UNITS = 65_536
MAX_KERNEL = 63  # cells; wider windows are dense layers in disguise


class Function(StrEnum):
    """The activation functions; each is the word that is written in a network's text."""

    RELU = "relu"
    LEAKY_RELU = "leaky_relu"  # x < 0 becomes x / 100
    GELU = "gelu"  # x · Φ(x), the exact form with the error function
    SILU = "silu"  # x · sigmoid(x)
    TANH = "tanh"
    SIGMOID = "sigmoid"


def _check(layer: str, field: str, value: int, low: int, high: int, why: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise SpecError(
            f"{layer}: {field} is {value!r}.",
            why=why,
            fix=f"write a whole number from {low} to {high:,}.",
        )


def _check_window(layer: str, kernel: int, stride: int) -> None:
    why = "a window is at least one cell wide."
    _check(layer, "kernel", kernel, 1, MAX_KERNEL, why)
    _check(layer, "stride", stride, 1, MAX_KERNEL, "a window moves on by at least one cell.")


@dataclass(frozen=True, slots=True)
class Conv:
    """`units` kernels slide over all input channels; each makes one activation map."""

    units: int
    kernel: int = 3
    stride: int = 1
    pad: int = 0
    bias: bool = True
    kind: ClassVar[str] = "conv"
    word: ClassVar[str] = "conv"

    def __post_init__(self) -> None:
        _check("conv", "units", self.units, 1, MAX_UNITS, "a convolution makes at least one map.")
        _check_window("conv", self.kernel, self.stride)
        why = f"with a kernel of {self.kernel}, a wider border would give cells that see no pixel."
        _check("conv", "pad", self.pad, 0, self.kernel - 1, why)


@dataclass(frozen=True, slots=True)
class Norm:
    """Batch normalisation: every channel to mean 0 and deviation 1, then × scale + shift."""

    kind: ClassVar[str] = "norm"
    word: ClassVar[str] = "norm"


@dataclass(frozen=True, slots=True)
class Activation:
    """A function of one number, applied to every cell alone."""

    function: Function

    def __post_init__(self) -> None:
        if not isinstance(self.function, Function):
            raise SpecError(
                f"{self.function!r} is no activation function.",
                why="an activation is named by its function.",
                fix=f"take one of {', '.join(Function)}.",
            )

    @property
    def kind(self) -> str:
        """The function's own word: a relu is a relu."""
        return self.function.value

    @property
    def word(self) -> str:
        """What is written in a network's text."""
        return self.function.value


def _check_pool(word: str, kernel: int, stride: int, pad: int) -> None:
    _check_window(word, kernel, stride)
    why = f"with a kernel of {kernel}, a wider border would give cells that see no pixel."
    _check(word, "pad", pad, 0, kernel // 2, why)


@dataclass(frozen=True, slots=True)
class MaxPool:
    """The largest cell of every window is passed on."""

    kernel: int
    stride: int
    pad: int = 0
    kind: ClassVar[str] = "max_pool"
    word: ClassVar[str] = "maxpool"

    def __post_init__(self) -> None:
        _check_pool(self.word, self.kernel, self.stride, self.pad)


@dataclass(frozen=True, slots=True)
class AvgPool:
    """The mean of every window is passed on."""

    kernel: int
    stride: int
    pad: int = 0
    kind: ClassVar[str] = "avg_pool"
    word: ClassVar[str] = "avgpool"

    def __post_init__(self) -> None:
        _check_pool(self.word, self.kernel, self.stride, self.pad)


@dataclass(frozen=True, slots=True)
class Flatten:
    """All cells of all maps in one row: channel by channel, row by row."""

    kind: ClassVar[str] = "flatten"
    word: ClassVar[str] = "flatten"


@dataclass(frozen=True, slots=True)
class Dense:
    """Every unit reads every number of the layer before it."""

    units: int | None = None  # None: as many as there are classes
    kind: ClassVar[str] = "dense"
    word: ClassVar[str] = "dense"

    def __post_init__(self) -> None:
        if self.units is not None:
            _check(
                "dense", "units", self.units, 1, MAX_UNITS, "a dense layer has at least one unit."
            )


LayerSpec = Conv | Norm | Activation | MaxPool | AvgPool | Flatten | Dense
Pool = MaxPool | AvgPool
WORDS = ("conv", "norm", *Function, "maxpool", "avgpool", "flatten", "dense")


def written(layer: LayerSpec, following: LayerSpec | None = None) -> str:
    """The layer as text; the layer that follows decides what a convolution's bias is by default."""
    match layer:
        case Conv():
            words = [f"conv {layer.units} k{layer.kernel}"]
            words += [f"s{layer.stride}"] if layer.stride != 1 else []
            words += [f"p{layer.pad}"] if layer.pad else []
            if layer.bias != has_bias_by_default(following):
                words.append("bias" if layer.bias else "nobias")
            return " ".join(words)
        case MaxPool() | AvgPool():
            words = [f"{layer.word} {layer.kernel}"]
            words += [f"s{layer.stride}"] if layer.stride != layer.kernel else []
            words += [f"p{layer.pad}"] if layer.pad else []
            return " ".join(words)
        case Dense(units=int()):
            return f"dense {layer.units}"
        case _:
            return layer.word


def has_bias_by_default(following: LayerSpec | None) -> bool:
    """False where batch normalisation follows at once: its shift takes the bias's place."""
    return not isinstance(following, Norm)

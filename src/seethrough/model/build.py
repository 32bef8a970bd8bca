"""From a checked text to a torch module: named layers, seeded weights, normalisation first.

The module takes pixel values 0..255 (uint8 or float) as n c h w and answers with logits n k.

    normalise   y = (x / 255 − mean) / std, one mean and one std for each colour

    weights     uniform in ±bound, bound = gain·√(3 / inputs of a unit)
                gain √2 before relu, leaky_relu, gelu, silu; 5/3 before tanh; 1 otherwise; biases 0
    norm        scale 1, shift 0, running mean 0, running variance 1

Source of the bound: He et al., Delving deep into rectifiers (2015), arXiv:1502.01852, eq. 10.
The weights depend on the seed alone: the global random generator is neither read nor moved.
"""

import math
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Num
from torch import Tensor, nn

from seethrough.errors import ShapeError
from seethrough.model.shapes import COLOURS, measure
from seethrough.model.spec import (
    Activation,
    AvgPool,
    Conv,
    Dense,
    Flatten,
    Function,
    LayerSpec,
    MaxPool,
    NetworkSpec,
    Norm,
    layer_names,
)

# A colour without contrast is divided by one grey level instead of by (almost) nothing.
MIN_STD = 1 / 255

FUNCTIONS: dict[Function, type[nn.Module]] = {
    Function.RELU: nn.ReLU,
    Function.LEAKY_RELU: nn.LeakyReLU,
    Function.GELU: nn.GELU,
    Function.SILU: nn.SiLU,
    Function.TANH: nn.Tanh,
    Function.SIGMOID: nn.Sigmoid,
}

_GAINS = {Function.TANH: 5 / 3, Function.SIGMOID: 1.0}


class Normalise(nn.Module):
    """Pixel values 0..255 to mean 0 and deviation 1; `mean` and `std` travel with the weights."""

    mean: Tensor
    std: Tensor

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        if len(mean) != COLOURS or len(std) != COLOURS:
            raise ShapeError(
                f"mean has {len(mean)} numbers and std has {len(std)}.",
                why="an image has three colours: red, green, blue.",
                fix="give three numbers for each.",
            )
        if not all(math.isfinite(value) for value in (*mean, *std)) or min(std) < 0:
            raise ShapeError(
                f"mean {list(mean)} and std {list(std)} cannot normalise an image.",
                why="both must be finite, and a deviation is not negative.",
                fix="take them from images: mean and std of pixel / 255, for each colour.",
            )
        floor = [max(float(value), MIN_STD) for value in std]
        self.register_buffer("mean", torch.tensor([float(value) for value in mean]))
        self.register_buffer("std", torch.tensor(floor))

    def forward(self, pixels: Num[Tensor, "n 3 h w"]) -> Float[Tensor, "n 3 h w"]:
        """(pixels / 255 − mean) / std."""
        shares = pixels.to(self.mean.dtype) / 255
        return (shares - self.mean[:, None, None]) / self.std[:, None, None]


def build(
    spec: NetworkSpec,
    *,
    num_classes: int,
    mean: Sequence[float] | Float[np.ndarray, "3"],
    std: Sequence[float] | Float[np.ndarray, "3"],
    seed: int,
) -> nn.Sequential:
    """The network with its untrained weights, in training mode."""
    sizes = measure(spec, num_classes)
    generator = torch.Generator().manual_seed(seed)
    normalise = Normalise([float(value) for value in mean], [float(value) for value in std])
    layers: OrderedDict[str, nn.Module] = OrderedDict(normalise=normalise)
    for index, name in enumerate(layer_names(spec.layers)):
        inputs, outputs = sizes[index].shape[0], sizes[index + 1].shape[0]
        module = _module(spec.layers[index], inputs, outputs)
        if isinstance(module, nn.Conv2d | nn.Linear):
            _initialise(module, _gain(spec.layers[index + 1 :]), generator)
        layers[name] = module
    return nn.Sequential(layers)


def _module(layer: LayerSpec, inputs: int, outputs: int) -> nn.Module:
    match layer:
        case Conv():
            with _empty():
                conv = nn.Conv2d(
                    inputs, outputs, layer.kernel, layer.stride, layer.pad, bias=layer.bias
                )
            return conv.to_empty(device="cpu")
        case Norm():
            return nn.BatchNorm2d(inputs)
        case Activation():
            return FUNCTIONS[layer.function]()
        case MaxPool():
            return nn.MaxPool2d(layer.kernel, layer.stride, layer.pad)
        case AvgPool():
            return nn.AvgPool2d(layer.kernel, layer.stride, layer.pad)
        case Flatten():
            return nn.Flatten()
        case Dense():
            with _empty():
                dense = nn.Linear(inputs, outputs)
            return dense.to_empty(device="cpu")


def _empty() -> torch.device:
    """Weights made here have no values yet, so that no global random number is drawn for them."""
    return torch.device("meta")


def _gain(following: Sequence[LayerSpec]) -> float:
    """How much the weights must make up for what the next activation function takes away."""
    for layer in following:
        if isinstance(layer, Activation):
            return _GAINS.get(layer.function, math.sqrt(2))
        if isinstance(layer, Conv | Dense):
            break
    return 1.0


def _initialise(module: nn.Conv2d | nn.Linear, gain: float, generator: torch.Generator) -> None:
    bound = gain * math.sqrt(3 / module.weight[0].numel())
    with torch.no_grad():
        module.weight.uniform_(-bound, bound, generator=generator)
        if module.bias is not None:
            module.bias.zero_()

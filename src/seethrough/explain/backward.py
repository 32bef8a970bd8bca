"""The way back: from the loss of one photo and its true label to every activation and weight.

    loss = −log p[label]              ∂loss/∂logit[k] = p[k] − [k = label]    (`explain.truth`)
    ∂loss/∂x = Σ ∂loss/∂y · ∂y/∂x     over all numbers y that were computed from x

The module runs once, in evaluation mode, and the framework's autograd goes back once. What came
back to every layer's output and to every learned number is kept; nobody's `.grad` is written.

Every one of these numbers has an equation (`Backward.equation`, `Backward.parameter_equation`),
recomputed independently as forwards: its inputs are the framework's numbers one layer further
on, its products are float64, its sum is compared with the framework's. Weights used twice have
a gradient for each use; training adds them up.

Raises LayerError where no gradient arrives, ShapeError where the module does not give logits.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from torch import Tensor, nn

from seethrough.errors import LayerError
from seethrough.explain.derivative import Slopes, gradient_equation, parameter_equation
from seethrough.explain.equation import Equation
from seethrough.explain.graph import Node
from seethrough.explain.layer import PHOTO
from seethrough.explain.trace import Recorded, Trace, record
from seethrough.explain.truth import Truth, truth_of


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Backward:
    """One photo, forwards and backwards."""

    trace: Trace
    truth: Truth  # what the photo shows
    loss: float  # of that, as the framework computed it
    slopes: Slopes

    def gradient(self, layer: str) -> Float32[np.ndarray, "..."]:
        """∂loss/∂output of a layer, in its shape; of "photo": for one step of a pixel's 0..255."""
        return self.slopes.of(layer)

    @property
    def layers(self) -> tuple[str, ...]:
        """What has a gradient: the photo and every layer up to the logits."""
        return tuple(self.slopes.outputs)

    @property
    def parameters(self) -> Mapping[str, Mapping[str, Float32[np.ndarray, "..."]]]:
        """∂loss/∂parameter by layer and name (weight, bias), in the parameter's shape."""
        return self.slopes.parameters

    def equation(
        self, layer: str, unit: int, row: int | None = None, column: int | None = None
    ) -> Equation:
        """The gradient at one cell: a sum over everything that read it."""
        return gradient_equation(self.slopes, layer, unit, row, column)

    def parameter_equation(self, layer: str, name: str, *index: int) -> Equation:
        """The gradient of one learned number: a sum over everything that it took part in.

        The index of a convolution's weight is unit, channel, row, column; of a dense layer's unit,
        input; of a bias and of a normalisation the channel.
        """
        return parameter_equation(self.slopes, layer, name, index)

    def __repr__(self) -> str:
        said = [
            f"{self.trace.classes[label]!r}, probability {self.trace.probabilities[label]:.4f}"
            for label in self.truth.labels
        ]
        return f"Backward({', '.join([*said, f'loss {self.loss:.4f}'])})"


def backward(
    module: nn.Module,
    image: UInt8[np.ndarray, "h w 3"],
    label: int | Collection[int],
    *,
    classes: Sequence[str] = (),
) -> Backward:
    """Run the module once on one image, and back once from the loss of its true class.

    A network for several labels is told all that the photo has, none included.
    """
    recorded = record(module, image, classes, with_gradients=True)
    truth = truth_of(getattr(module, "_orig_mod", module), label, len(recorded.trace.classes))
    scores = recorded.logits.tensor
    if scores is None:
        raise LayerError(
            "No gradient goes through this network.",
            why="its forward runs without gradients (no_grad, inference_mode, detach).",
            fix="wrap the module without them; looking forwards works as it is.",
        )
    with torch.enable_grad():
        loss = truth.loss(scores.reshape(1, -1).float())
        learned = _go_back(recorded, loss)
    outputs = {PHOTO: _array(recorded.photo.grad, recorded.trace.photo.shape)}
    for node in recorded.nodes:
        gradient = node.gradient
        if gradient is not None:
            upright = gradient.permute(0, 3, 1, 2) if node.is_last else gradient
            outputs[node.name] = _array(upright, node.output.shape)
    parameters: dict[str, dict[str, Float32[np.ndarray, ...]]] = {}
    for node, name, gradient in learned:
        turned = node.is_turned and name == "weight" and gradient is not None
        own = gradient.T if turned and gradient is not None else gradient
        shape = node.operation.parameters[name].shape
        parameters.setdefault(node.name, {})[name] = _array(own, shape)
    slopes = Slopes(
        layers=recorded.trace.recorded,
        logits=recorded.logits.name,
        probabilities=recorded.trace.probabilities,
        truth=truth,
        outputs=outputs,
        parameters=parameters,
    )
    return Backward(trace=recorded.trace, truth=truth, loss=float(loss.detach()), slopes=slopes)


def _go_back(recorded: Recorded, loss: Tensor) -> list[tuple[Node, str, Tensor | None]]:
    """Everything that came back to learned tensors; hooks keep what came back to the layers."""
    learned = [
        (node, name, tensor) for node in recorded.nodes for name, tensor in node.learned.items()
    ]
    try:
        photo, *found = torch.autograd.grad(
            loss, [recorded.photo, *(tensor for *_, tensor in learned)], allow_unused=True
        )
    except RuntimeError as error:
        raise LayerError(
            "The framework cannot go back through this network.",
            why=f"it says: {str(error).splitlines()[0]}",
            fix="avoid changing tensors in place (inplace=True, +=) after they were used.",
        ) from error
    recorded.photo.grad = photo
    return [(node, name, slope) for (node, name, _), slope in zip(learned, found, strict=True)]


def _array(gradient: Tensor | None, shape: tuple[int, ...]) -> Float32[np.ndarray, "..."]:
    """As float32; zeros where nothing came back."""
    if gradient is None:
        return np.zeros(shape, np.float32)
    on_cpu = gradient.detach().to("cpu", torch.float32).numpy()
    return np.array(on_cpu.reshape(shape), order="C", copy=True)

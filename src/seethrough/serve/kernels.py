"""A layer's weights, and the maps that each input channel adds to one unit.

    partial[c] = kernel[unit, c] slid over input channel c        Σ partial + bias = the unit's map

Needs torch; only the worker calls it.
"""

from typing import TYPE_CHECKING, Literal

import numpy as np
from jaxtyping import Float32

from seethrough.errors import LayerError

if TYPE_CHECKING:
    from seethrough.classifier import Classifier
    from seethrough.explain.trace import Trace


def weights(
    classifier: "Classifier", layer: str, part: Literal["weight", "bias"]
) -> Float32[np.ndarray, "..."]:
    """That part of a layer's parameters."""
    parameters = dict(classifier.module.named_parameters())
    if f"{layer}.{part}" not in parameters:
        having = sorted({name.rpartition(".")[0] for name in parameters if name.endswith(part)})
        raise LayerError(
            f"The layer {layer[:80]!r} has no {part}.",
            why=f"these have: {', '.join(having)}.",
            fix="name one of them.",
        )
    return parameters[f"{layer}.{part}"].detach().cpu().numpy()


def partial_maps(trace: "Trace", layer: str, unit: int) -> Float32[np.ndarray, "c h w"]:
    """What each input channel adds to a unit of a convolution, before the bias."""
    from torch import from_numpy
    from torch.nn.functional import conv2d

    from seethrough.explain.operations.convolution import Convolution

    convolution = trace.layer(layer).operation
    if not isinstance(convolution, Convolution):
        raise LayerError(
            f"{layer} has no partial maps.",
            why="only a convolution adds up one map for each input channel.",
            fix="choose a convolution.",
        )
    if unit >= len(convolution.weight):
        raise LayerError(
            f"{layer} has no unit {unit}.",
            why=f"its units are 0 to {len(convolution.weight) - 1}.",
            fix="choose one of them.",
        )
    kernel = convolution.weight[unit][:, None]
    first = convolution.first_channel(unit)
    (below,) = trace.inputs(layer)
    maps = conv2d(
        from_numpy(below[first : first + len(kernel)])[None],
        from_numpy(kernel),
        stride=convolution.stride,
        padding=convolution.padding,
        dilation=convolution.dilation,
        groups=len(kernel),
    )
    return maps[0].numpy()

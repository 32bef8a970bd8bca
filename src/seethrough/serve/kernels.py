"""A layer's weights, by the layer's name. Needs torch; only the worker calls it."""

from typing import TYPE_CHECKING, Literal

import numpy as np
from jaxtyping import Float32

from seethrough.errors import LayerError

if TYPE_CHECKING:
    from seethrough.classifier import Classifier


def weights(
    classifier: "Classifier", layer: str, part: Literal["weight", "bias"]
) -> Float32[np.ndarray, "..."]:
    """That part of a layer's parameters.

    A layer that is no module, such as `x @ w`, is found by sending a black photo through.
    """
    parameters = dict(classifier.module.named_parameters())
    if f"{layer}.{part}" not in parameters:
        black = np.zeros((classifier.image_px, classifier.image_px, 3), np.uint8)
        for called in classifier.trace(black).layers:
            if called.name == layer and part in called.parameters:
                return called.parameters[part]
        having = sorted({name.rpartition(".")[0] for name in parameters if name.endswith(part)})
        raise LayerError(
            f"The layer {layer[:80]!r} has no {part}.",
            why=f"these have: {', '.join(having)}.",
            fix="name one of them.",
        )
    return parameters[f"{layer}.{part}"].detach().float().cpu().numpy()

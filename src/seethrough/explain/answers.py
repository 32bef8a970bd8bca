"""What every layer of a network answers to one photo after the other, without a trace for each.

The first photo of a size is traced; where its forward can be played again as a tape, the others are
played, which gives the same numbers bit for bit. Where it cannot, each photo is traced.
"""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
from jaxtyping import Float32, UInt8
from torch import nn

from seethrough.explain.tape import Tape, taped
from seethrough.explain.trace import Trace, trace

Answers = Mapping[str, Float32[np.ndarray, "..."]]
"""The output of each layer, by its name: c h w or n."""


def answers(module: nn.Module, images: Iterable[UInt8[np.ndarray, "_ _ 3"]]) -> Iterator[Answers]:
    """Every layer's output, photo by photo."""
    tapes: dict[tuple[int, ...], Tape | None] = {}
    for image in images:
        if image.shape not in tapes:
            tapes[image.shape] = taped(module, image)
        tape = tapes[image.shape]
        if tape is None:
            yield traced_answers(trace(module, image))
        else:
            yield dict(zip(tape.layers, tape.play(image, {}, {}).outputs, strict=True))


def traced_answers(traced: Trace) -> Answers:
    """Those of one trace."""
    return {layer.name: layer.output for layer in traced.layers}

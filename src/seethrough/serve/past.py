"""A run's moments as messages and arrays. What needs torch is called by the worker only."""

import numpy as np
from jaxtyping import Float32

from seethrough.errors import LayerError
from seethrough.runs.folder import Run
from seethrough.serve.wire import MomentMessage, MomentsMessage

WEIGHT = ".weight"


def moments(run: Run) -> MomentsMessage:
    """What was kept, and how good the network was then where that was measured."""
    found = run.moments
    accuracy = {
        event["step"]: event["test_accuracy"] for _, event in run.log() if event["kind"] == "epoch"
    }
    kept = {name.rpartition(".")[0] for name in (found[0].names if found else ())}
    order = [size.name for size in run.sizes if size.name in kept]
    return MomentsMessage(
        moments=[
            MomentMessage(
                step=moment.step, epoch=moment.epoch, test_accuracy=accuracy.get(moment.step)
            )
            for moment in found
        ],
        is_whole=all(moment.is_whole for moment in found),
        kept=order + sorted(kept.difference(order)),
        kept_bytes=sum(moment.length for moment in found),
    )


def kernels(run: Run, layer: str) -> Float32[np.ndarray, "m ..."]:
    """A layer's weights at every moment."""
    from seethrough.runs.past import tensors

    found = run.moments
    names = found[0].names if found else ()
    if layer + WEIGHT not in names:
        layers = [name.removesuffix(WEIGHT) for name in names if name.endswith(WEIGHT)]
        raise LayerError(
            f"No weights of the layer {layer[:80]!r} were kept over time.",
            why=f"of these they were: {', '.join(layers) or 'none'}.",
            fix="name one of them, or train anew where the run has no moments.",
        )
    return np.stack([tensors(run, moment)[layer + WEIGHT].float().numpy() for moment in found])

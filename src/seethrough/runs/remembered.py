"""What the optimizer remembered when a run's newest checkpoint was made.

Named as `Classifier.learning_step` takes it: conv1.weight.momentum, or mean, square and steps.
Of a run that averages its weights it belongs to those that learn, not to the averaged ones.
"""

from torch import Tensor

from seethrough.errors import RunError
from seethrough.runs import checkpoints
from seethrough.runs.folder import Run

_PREFIX = "optimizer."


def optimizer_memory(run: Run, weights_sha256: str | None = None) -> dict[str, Tensor]:
    """The memory beside these weights, or beside the newest; RunError where none was kept."""
    kept = checkpoints.newest(run.folder)
    if kept is None or weights_sha256 not in {None, kept.weights_sha256}:
        raise RunError(
            f"{run.id} does not hold what its optimizer remembered then.",
            why="that is kept in its newest checkpoint only, for the weights that lie there.",
            fix="look at the newest weights, or take a step with an empty memory.",
        )
    tensors = kept.state.tensors
    return {
        name.removeprefix(_PREFIX): tensor
        for name, tensor in tensors.items()
        if name.startswith(_PREFIX)
    }

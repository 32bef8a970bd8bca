"""How strongly each layer is pulled, and how far it moves.

    gradient norm   ‖g‖ of all numbers that a layer learns, mean over the steps of an epoch that
                    were taken; g is the gradient of the batch's loss, without weight decay
    update share    ‖w′ − w‖ / ‖w‖ of the same numbers, at the last step of the epoch

Both are Euclidean norms without a unit; a layer is the module that holds the parameters. The norm
of every gradient is known anyway, because a step is taken only where all are finite; the update is
measured once an epoch, so that no step pays for a copy of the weights. Nothing here changes a
weight. The sums of the epoch under way belong to the snapshot.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

_GRADIENT, _UPDATE, _STEPS = "gradient.", "update.", "gradient_steps"


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerMotion:
    """One layer in one epoch; None: no step was taken, or there is no number."""

    name: str
    gradient_norm: float | None
    update_share: float | None  # 0.001: the last step changed it by a thousandth of its size


class Motion:
    """The sums of an epoch, over the parameters of a network that learn."""

    def __init__(self, network: nn.Module) -> None:
        named = [(name, p) for name, p in network.named_parameters() if p.requires_grad]
        self._parameters = [p for _, p in named]
        self._layer_of = [name.rpartition(".")[0] for name, _ in named]
        self.begin_epoch()

    def begin_epoch(self) -> None:
        """Set the sums to zero."""
        self._gradient = dict.fromkeys(self._layer_of, 0.0)
        self._update: dict[str, float] = {}
        self._steps = 0

    def norms(self) -> Tensor:
        """The norm of each parameter's gradient, as one vector on the device."""
        norms = [
            p.new_zeros(()) if p.grad is None else torch.linalg.vector_norm(p.grad)
            for p in self._parameters
        ]
        return torch.stack(norms) if norms else torch.zeros(0)

    def weights(self) -> list[Tensor]:
        """A copy of what is learned."""
        return [p.detach().clone() for p in self._parameters]

    def follow(self, norms: Tensor, before: list[Tensor] | None = None) -> None:
        """Take in a step with these norms; `before` are the weights as they were."""
        for layer, norm in self._of_layers(norms.tolist()).items():
            self._gradient[layer] += norm
        self._steps += 1
        if before is None:
            return
        changes = [p.detach() - w for p, w in zip(self._parameters, before, strict=True)]
        moved, sizes = (
            self._of_layers([float(torch.linalg.vector_norm(each)) for each in tensors])
            for tensors in (changes, before)
        )
        shares = {layer: moved[layer] / size for layer, size in sizes.items() if size}
        self._update = {layer: each for layer, each in shares.items() if math.isfinite(each)}

    def layers(self) -> tuple[LayerMotion, ...]:
        """The epoch so far, in the order in which the network lists its layers."""
        return tuple(
            LayerMotion(
                name=layer,
                gradient_norm=total / self._steps if self._steps else None,
                update_share=self._update.get(layer),
            )
            for layer, total in self._gradient.items()
        )

    def scalars(self) -> dict[str, float | int]:
        """The sums, for a snapshot."""
        return {
            _STEPS: self._steps,
            **{f"{_GRADIENT}{layer}": total for layer, total in self._gradient.items()},
            **{f"{_UPDATE}{layer}": share for layer, share in self._update.items()},
        }

    def restore(self, scalars: Mapping[str, float | int]) -> None:
        """Put back what `scalars` gave; a snapshot without them leaves the sums at zero."""
        self.begin_epoch()
        self._steps = int(scalars.get(_STEPS, 0))
        for layer in self._gradient:
            self._gradient[layer] = float(scalars.get(f"{_GRADIENT}{layer}", 0.0))
            if f"{_UPDATE}{layer}" in scalars:
                self._update[layer] = float(scalars[f"{_UPDATE}{layer}"])

    def _of_layers(self, norms: list[float]) -> dict[str, float]:
        squares = dict.fromkeys(self._layer_of, 0.0)
        for layer, norm in zip(self._layer_of, norms, strict=True):
            squares[layer] += norm * norm
        return {layer: math.sqrt(total) for layer, total in squares.items()}

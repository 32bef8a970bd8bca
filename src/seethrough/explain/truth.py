"""What a photo shows, as the loss of a single photo takes it.

                    targets t            loss                                    ∂loss/∂logit[c]
    one label       one 1, else 0        − Σ t[c] · log p[c]                     p[c] − t[c]
    several labels  1 for each that is   − 1/k · Σ ( t[c] · log p[c]             (p[c] − t[c]) / k
                    there, else 0               + (1 − t[c]) · log(1 − p[c]) )

p is the softmax of the k logits, of several labels the sigmoid of each. Nothing of a recipe (label
smoothing, class weights) is in it.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from seethrough.errors import LayerError
from seethrough.model.several import is_several


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """The classes that a photo shows, out of so many."""

    labels: tuple[int, ...]  # one; of several labels any number, in their order
    num_classes: int
    is_several: bool

    @property
    def targets(self) -> Float32[np.ndarray, " k"]:
        """1 for what is there, 0 for what is not."""
        found = np.zeros(self.num_classes, np.float32)
        found[list(self.labels)] = 1
        return found

    @property
    def share(self) -> float:
        """What a logit's difference counts in the loss."""
        return 1 / self.num_classes if self.is_several else 1.0

    def loss(self, logits: Float[Tensor, "1 k"]) -> Float[Tensor, ""]:
        """In nats."""
        if self.is_several:
            targets = torch.from_numpy(self.targets)[None].to(logits)
            return binary_cross_entropy_with_logits(logits, targets)
        return cross_entropy(logits, torch.tensor(self.labels, device=logits.device))

    def loss_of_probabilities(self, probabilities: Float[Tensor, "1 k"]) -> Float[Tensor, ""]:
        """The same, of a network of one label that ends with softmax itself."""
        assert not self.is_several
        return -probabilities[0, self.labels[0]].log()


def truth_of(module: nn.Module, label: int | Collection[int], num_classes: int) -> Truth:
    """What the network's loss is taken from: a class, or those of several that are there.

    Raises LayerError for a class that there is not, and for several of a network that names one.
    """
    labels = (label,) if isinstance(label, int) else tuple(sorted(set(label)))
    several = is_several(module)
    if not several and len(labels) != 1:
        raise LayerError(
            f"A photo has one true class here, not {len(labels)}.",
            why="the network names one class, and its loss is taken from that one's probability.",
            fix="name one class.",
        )
    if wrong := [each for each in labels if not 0 <= each < num_classes]:
        raise LayerError(
            f"There is no class {wrong[0]}.",
            why=f"the network has {num_classes} classes, counted from 0.",
            fix=f"choose a label from 0 to {num_classes - 1}.",
        )
    return Truth(labels=labels, num_classes=num_classes, is_several=several)

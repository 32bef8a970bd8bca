"""What a network learns to say: one label of each photo, or each of several labels, yes or no.

The network itself tells: one that ends with `model.several.EachLabel` learns several.

                    targets                    loss of a photo                    right
    one label       labels (n, int64), or      cross-entropy (`train.loss`)       its label has the
                    shares (n k) if mixed                                         largest logit
    several labels  a table (n k, float32)     mean over the labels of their      every label is on
                                               binary cross-entropies             its side of ½

`right` counts photos: of several labels a photo is right only where all its labels are.
"""

from abc import ABC, abstractmethod

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Float64, Shaped
from torch import Tensor, nn
from torch.nn import functional

from seethrough.data.dataset import Dataset
from seethrough.errors import RecipeError
from seethrough.model.several import is_several, logits_of
from seethrough.train.loss import binary_loss, loss
from seethrough.train.precision import widened
from seethrough.train.recipe import Recipe


class Goal(ABC):
    """How answers are held against labels."""

    @abstractmethod
    def logits(self, network: nn.Module, images: Tensor) -> Float[Tensor, "n k"]:
        """What the network makes of images, before probabilities are made of it."""

    @abstractmethod
    def loss(
        self,
        logits: Float[Tensor, "n k"],
        targets: Shaped[Tensor, " n *k"],
        recipe: Recipe,
        class_weights: Float32[Tensor, "..."] | None,
    ) -> Float[Tensor, ""]:
        """What a step makes smaller: the mean over the photos."""

    @abstractmethod
    def plain_loss(
        self, logits: Float[Tensor, "n k"], targets: Shaped[Tensor, " n *k"]
    ) -> Float[Tensor, ""]:
        """The sum over the photos, with nothing of a recipe in it."""

    @abstractmethod
    def right(
        self, logits: Float[Tensor, "n k"], targets: Shaped[Tensor, " n *k"]
    ) -> Bool[Tensor, " n"]:
        """Whether each photo is judged right."""

    @abstractmethod
    def probabilities(self, logits: Float[Tensor, "n k"]) -> Float64[Tensor, "n k"]:
        """Of each class or label."""

    @abstractmethod
    def named(self, probabilities: list[float], classes: tuple[str, ...]) -> str:
        """What is said of a photo, in words."""


class OneLabel(Goal):
    """A photo shows one class."""

    def logits(self, network: nn.Module, images: Tensor) -> Float[Tensor, "n k"]:
        """Its answers."""
        answers: Tensor = network(images)
        return widened(answers)

    def loss(
        self,
        logits: Float[Tensor, "n k"],
        targets: Shaped[Tensor, " n *k"],
        recipe: Recipe,
        class_weights: Float32[Tensor, "..."] | None,
    ) -> Float[Tensor, ""]:
        """The recipe's cross-entropy."""
        return loss(logits, targets, recipe, class_weights)

    def plain_loss(
        self, logits: Float[Tensor, "n k"], targets: Shaped[Tensor, " n *k"]
    ) -> Float[Tensor, ""]:
        """The cross-entropy, in nats."""
        return functional.cross_entropy(logits, targets, reduction="sum")

    def right(
        self, logits: Float[Tensor, "n k"], targets: Shaped[Tensor, " n *k"]
    ) -> Bool[Tensor, " n"]:
        """Where the largest logit is the label's; of a mixed photo the label of its larger part."""
        labels = targets if targets.ndim == 1 else targets.argmax(1)
        return logits.argmax(1) == labels

    def probabilities(self, logits: Float[Tensor, "n k"]) -> Float64[Tensor, "n k"]:
        """Softmax."""
        return logits.double().softmax(1)

    def named(self, probabilities: list[float], classes: tuple[str, ...]) -> str:
        """The most probable class."""
        return classes[max(range(len(classes)), key=probabilities.__getitem__)]


class SeveralLabels(Goal):
    """A photo has any number of labels."""

    def logits(self, network: nn.Module, images: Tensor) -> Float[Tensor, "n k"]:
        """What its last layer reads."""
        answers: Tensor = logits_of(network)(images)
        return widened(answers)

    def loss(
        self,
        logits: Float[Tensor, "n k"],
        targets: Shaped[Tensor, " n *k"],
        recipe: Recipe,
        class_weights: Float32[Tensor, "..."] | None,
    ) -> Float[Tensor, ""]:
        """The recipe's binary cross-entropy."""
        return binary_loss(logits, targets, recipe, class_weights)

    def plain_loss(
        self, logits: Float[Tensor, "n k"], targets: Shaped[Tensor, " n *k"]
    ) -> Float[Tensor, ""]:
        """The mean over the labels of their binary cross-entropies, in nats."""
        each = functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")
        return each.mean(1).sum()

    def right(
        self, logits: Float[Tensor, "n k"], targets: Shaped[Tensor, " n *k"]
    ) -> Bool[Tensor, " n"]:
        """Where all labels are said that are there, at ½ or more, and no other."""
        return ((logits >= 0) == (targets >= 0.5)).all(1)

    def probabilities(self, logits: Float[Tensor, "n k"]) -> Float64[Tensor, "n k"]:
        """The sigmoid of each."""
        return logits.double().sigmoid()

    def named(self, probabilities: list[float], classes: tuple[str, ...]) -> str:
        """The labels that are said, or that there is none."""
        said = [name for name, share in zip(classes, probabilities, strict=True) if share >= 0.5]
        return ", ".join(said) or NONE


NONE = "no label"  # said of a photo for which every label is below ½
_ONE, _SEVERAL = OneLabel(), SeveralLabels()


def goal_of(network: nn.Module) -> Goal:
    """What this network learns."""
    return _SEVERAL if is_several(network) else _ONE


def targets_of(dataset: Dataset, chosen: Shaped[np.ndarray, " n"]) -> Shaped[np.ndarray, " n *k"]:
    """The labels of images as a loss takes them: int64, of several labels float32."""
    labels: np.ndarray = dataset.labels[chosen]
    return labels.astype(np.float32 if dataset.is_several else np.int64)


def check_goal(network: nn.Module, dataset: Dataset) -> None:
    """RecipeError where the network answers another question than the labels do."""
    if is_several(network) != dataset.is_several:
        asked = "several labels a photo" if dataset.is_several else "one label a photo"
        raise RecipeError(
            f"{dataset.name} has {asked}, and the network is not made for that.",
            why="its last layer is another one.",
            fix="let the run be made for these photos: seethrough train, or seethrough.train.",
        )


def torch_targets(dataset: Dataset, chosen: Shaped[np.ndarray, " n"]) -> Tensor:
    """`targets_of` as a tensor."""
    return torch.from_numpy(targets_of(dataset, chosen))

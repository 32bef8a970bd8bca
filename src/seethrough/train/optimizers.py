"""From gradients to updates: stochastic gradient descent with momentum, and AdamW.

Weight decay pulls on kernels (everything with two or more dimensions) and leaves biases and the
scales and shifts of batch normalisation alone, which have no size that decay would limit.
Momentum and averages start at zero and exist before the first step, so that every snapshot has
the same tensors. The rules are torch's own; its optimizer classes are left out because making one
loads torch's compiler, more than a second that nobody gets back.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.optim.adamw import adamw
from torch.optim.sgd import sgd

from seethrough.errors import CheckpointError
from seethrough.train.pace import EVERYTHING
from seethrough.train.recipe import Optimizer, Recipe

# Kingma and Ba (2015), arXiv:1412.6980, section 2.
BETA2 = 0.999
ADAM_EPSILON = 1e-8


class Updates(ABC):
    """What an optimizer remembers of every parameter that learns, and its step."""

    slots: Sequence[str]

    def __init__(self, network: nn.Module, recipe: Recipe) -> None:
        self.recipe = recipe
        learning = [(name, p) for name, p in network.named_parameters() if p.requires_grad]
        self._memory = {name: (p, self._blank(p)) for name, p in learning}

    def step(self, lr: float, shares: Mapping[str, float] = EVERYTHING) -> None:
        """Change every parameter by its gradient, at its share of the learning rate.

        One that is not named has all of it; at a share of 0 neither value nor memory change.
        """
        groups: dict[tuple[bool, float], list[tuple[Tensor, Tensor, dict[str, Tensor]]]] = {}
        for name, (p, memory) in self._memory.items():
            share = shares.get(name, 1.0)
            if p.grad is not None and share > 0:
                groups.setdefault((p.ndim >= 2, share), []).append((p, p.grad, memory))
        for (is_kernel, share), chosen in sorted(groups.items(), key=lambda group: not group[0][0]):
            parameters, gradients, memories = zip(*chosen, strict=True)
            decay = self.recipe.weight_decay if is_kernel else 0.0
            kept = [[memory[slot] for memory in memories] for slot in self.slots]
            with torch.no_grad():
                self._apply(list(parameters), list(gradients), kept, decay, lr * share)

    def tensors(self) -> Iterator[tuple[str, Tensor]]:
        """Everything remembered, named by its parameter: conv1.weight.momentum."""
        for name, (_, memory) in self._memory.items():
            for slot in self.slots:
                yield f"{name}.{slot}", memory[slot]

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Put back what `tensors` gave; the names must be the same."""
        wanted = dict(self.tensors())
        if wanted.keys() != tensors.keys():
            odd = sorted(wanted.keys() ^ tensors.keys())
            raise CheckpointError(
                f"The checkpoint's optimizer differs in {', '.join(odd[:3])}.",
                why="it was written by another recipe or for another network.",
                fix="resume the run that wrote it, or start a new one.",
            )
        for name, tensor in wanted.items():
            tensor.copy_(tensors[name])

    def _blank(self, parameter: nn.Parameter) -> dict[str, Tensor]:
        """A memory before the first step."""
        return {slot: torch.zeros_like(parameter, requires_grad=False) for slot in self.slots}

    @abstractmethod
    def _apply(
        self,
        parameters: list[Tensor],
        gradients: list[Tensor],
        kept: list[list[Tensor]],
        decay: float,
        lr: float,
    ) -> None: ...


class Momentum(Updates):
    """Stochastic gradient descent; `momentum` is the sum of past gradients."""

    slots = ("momentum",)

    def _apply(
        self,
        parameters: list[Tensor],
        gradients: list[Tensor],
        kept: list[list[Tensor]],
        decay: float,
        lr: float,
    ) -> None:
        momentum = self.recipe.momentum
        sgd(
            parameters,
            gradients,
            list(kept[0]),
            fused=True,
            weight_decay=decay,
            momentum=momentum,
            lr=lr,
            dampening=0.0,
            nesterov=self.recipe.nesterov and momentum > 0,
            maximize=False,
        )


class Adam(Updates):
    """AdamW: running means of gradients and of their squares; `steps` counts."""

    slots = ("mean", "square", "steps")

    def _blank(self, parameter: nn.Parameter) -> dict[str, Tensor]:
        blank = {slot: torch.zeros_like(parameter, requires_grad=False) for slot in self.slots[:2]}
        return {**blank, "steps": torch.zeros(())}

    def _apply(
        self,
        parameters: list[Tensor],
        gradients: list[Tensor],
        kept: list[list[Tensor]],
        decay: float,
        lr: float,
    ) -> None:
        mean, square, steps = kept
        adamw(
            parameters,
            gradients,
            mean,
            square,
            [],
            steps,
            fused=True,
            amsgrad=False,
            beta1=self.recipe.momentum,
            beta2=BETA2,
            lr=lr,
            weight_decay=decay,
            eps=ADAM_EPSILON,
            maximize=False,
        )


def updates_for(network: nn.Module, recipe: Recipe) -> Updates:
    """The recipe's optimizer over the parameters that learn, with its memory at zero."""
    return (
        Adam(network, recipe) if recipe.optimizer is Optimizer.ADAMW else Momentum(network, recipe)
    )

"""From gradients to updates: stochastic gradient descent with momentum, AdamW, and Muon.

`train.way` says which parameter follows which rule, with which numbers. Weight decay pulls on
kernels (everything with two or more dimensions) and leaves biases and the scales and shifts of
batch normalisation alone, which have no size that decay would limit.
Momentum and averages start at zero and exist before the first step, so that every snapshot has
the same tensors. The rules of the first two are torch's own; its optimizer classes are left out
because making one loads torch's compiler, more than a second that nobody gets back.

Muon       v' = μ·v + (1 − μ)·g      u = (1 − μ)·g + μ·v'  or  v'      as matrices: units × the rest
           x₀ = u / ‖u‖      x ← a·x + (b·x·xᵀ + c·(x·xᵀ)²)·x, five times
           w' = w − η·λ·w − η · 0.2·√max(rows, columns) · x₅
           with unit_kernels  w ← w · √rows / ‖w‖  comes first: a row's length is 1 on average,
           and  w' = w − η·λ·w − η · x₅: the rate is a step's share of that length

The factor 0.2·√max gives its steps the length of AdamW's, so that one learning rate serves both.
In float32: torch's own rule rounds to bfloat16 and takes no kernels of four dimensions.
`unit_kernels` changes nothing that a network computes whose kernels are all followed by
normalisation, and keeps steps from getting shorter beside kernels that grow; without normalisation
it is a limit to what a network can say.
Sources: Jordan, "Muon: An optimizer for hidden layers in neural networks" (2024),
kellerjordan.github.io/posts/muon; Liu et al. (2025), arXiv:2502.16982, section 2.2 (the factor).
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.optim.adamw import adamw
from torch.optim.sgd import sgd

from seethrough.errors import CheckpointError
from seethrough.train.pace import EVERYTHING
from seethrough.train.recipe import Optimizer, Recipe
from seethrough.train.way import Way, ways

# Kingma and Ba (2015), arXiv:1412.6980, section 2.
BETA2 = 0.999
ADAM_EPSILON = 1e-8

# Jordan (2024): the quintic whose slope at 0 is steepest while five steps stay near 1.
NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
NEWTON_SCHULZ_STEPS = 5
MUON_EPSILON = 1e-7
MUON_SCALE = 0.2  # Liu et al. (2025), equation 4: root mean square of an AdamW step


class Rule(ABC):
    """How some parameters follow their gradients, and what is remembered of each."""

    slots: Sequence[str]

    def __init__(self, way: Way) -> None:
        self.way = way

    @abstractmethod
    def blank(self, parameter: nn.Parameter) -> dict[str, Tensor]:
        """A memory before the first step."""

    @abstractmethod
    def apply(
        self,
        parameters: list[Tensor],
        gradients: list[Tensor],
        kept: list[list[Tensor]],
        lr: float,
    ) -> None:
        """Change parameters and memories, slot by slot, in place."""


class Updates:
    """What an optimizer remembers of every parameter that learns, and its step."""

    def __init__(self, network: nn.Module, way_of: Mapping[str, Way]) -> None:
        """Over the parameters that learn; `way_of` says how."""
        rules = {way: _RULES[way.optimizer](way) for way in way_of.values()}
        self.ways = {n: way_of[n] for n, p in network.named_parameters() if p.requires_grad}
        self._memory = {
            name: (p, rules[self.ways[name]], rules[self.ways[name]].blank(p))
            for name, p in network.named_parameters()
            if name in self.ways
        }

    def step(self, lr: float, shares: Mapping[str, float] = EVERYTHING) -> None:
        """Change every parameter by its gradient, at its share of the learning rate.

        One that is not named has all of it; at a share of 0 neither value nor memory change.
        """
        groups: dict[tuple[Rule, float], list[tuple[Tensor, Tensor, dict[str, Tensor]]]] = {}
        for name, (p, rule, memory) in self._memory.items():
            share = shares.get(name, 1.0)
            if p.grad is not None and share > 0:
                groups.setdefault((rule, share), []).append((p, p.grad, memory))
        for (rule, share), chosen in groups.items():
            parameters, gradients, memories = zip(*chosen, strict=True)
            kept = [[memory[slot] for memory in memories] for slot in rule.slots]
            with torch.no_grad():
                rule.apply(list(parameters), list(gradients), kept, lr * share * rule.way.rate)

    def tensors(self) -> Iterator[tuple[str, Tensor]]:
        """Everything remembered, named by its parameter: conv1.weight.momentum."""
        for name, (_, rule, memory) in self._memory.items():
            for slot in rule.slots:
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


class Momentum(Rule):
    """Stochastic gradient descent; `momentum` is the sum of past gradients."""

    slots = ("momentum",)

    def blank(self, parameter: nn.Parameter) -> dict[str, Tensor]:
        """No gradient yet."""
        return {"momentum": torch.zeros_like(parameter, requires_grad=False)}

    def apply(
        self,
        parameters: list[Tensor],
        gradients: list[Tensor],
        kept: list[list[Tensor]],
        lr: float,
    ) -> None:
        """Along the momentum."""
        sgd(
            parameters,
            gradients,
            list(kept[0]),
            fused=True,
            weight_decay=self.way.decay,
            momentum=self.way.momentum,
            lr=lr,
            dampening=0.0,
            nesterov=self.way.nesterov,
            maximize=False,
        )


class Adam(Rule):
    """AdamW: running means of gradients and of their squares; `steps` counts."""

    slots = ("mean", "square", "steps")

    def blank(self, parameter: nn.Parameter) -> dict[str, Tensor]:
        """No gradient yet."""
        blank = {slot: torch.zeros_like(parameter, requires_grad=False) for slot in self.slots[:2]}
        return {**blank, "steps": torch.zeros((), device=parameter.device)}

    def apply(
        self,
        parameters: list[Tensor],
        gradients: list[Tensor],
        kept: list[list[Tensor]],
        lr: float,
    ) -> None:
        """Along the mean, each weight by its own measure."""
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
            beta1=self.way.momentum,
            beta2=BETA2,
            lr=lr,
            weight_decay=self.way.decay,
            eps=ADAM_EPSILON,
            maximize=False,
        )


class Muon(Rule):
    """Momentum, made orthogonal; of a convolution every unit's window is one row of the matrix."""

    slots = ("momentum",)

    def blank(self, parameter: nn.Parameter) -> dict[str, Tensor]:
        """No gradient yet."""
        return {"momentum": torch.zeros_like(parameter, requires_grad=False)}

    def apply(
        self,
        parameters: list[Tensor],
        gradients: list[Tensor],
        kept: list[list[Tensor]],
        lr: float,
    ) -> None:
        """Along all directions of the momentum alike."""
        for p, gradient, momentum in zip(parameters, gradients, kept[0], strict=True):
            momentum.lerp_(gradient, 1 - self.way.momentum)
            matrix = as_matrix(ahead(gradient, momentum, self.way))
            if self.way.is_unit:
                p.mul_(to_unit(p))
            p.mul_(1 - lr * self.way.decay)
            size = muon_scale(*matrix.shape, is_unit=self.way.is_unit)
            p.add_(orthogonal(matrix).reshape(p.shape), alpha=-lr * size)


def ahead(gradient: Tensor, momentum: Tensor, way: Way) -> Tensor:
    """What Muon makes orthogonal: the momentum, or with `nesterov` what it would be next."""
    return gradient.lerp(momentum, way.momentum) if way.nesterov else momentum


def as_matrix(kernel: Float[Tensor, "units ..."]) -> Float[Tensor, "units rest"]:
    """A row for every unit."""
    return kernel.reshape(len(kernel), -1)


def to_unit(kernel: Float[Tensor, "units ..."]) -> Float[Tensor, ""]:
    """The factor after which the kernel's rows have a length of 1 on average (mean square)."""
    factor: Tensor = math.sqrt(len(kernel)) / kernel.norm().clamp(min=MUON_EPSILON)
    return factor


def muon_scale(rows: int, columns: int, *, is_unit: bool) -> float:
    """How much of what is orthogonal a step is: all of it, or what is as long as one of AdamW."""
    return 1.0 if is_unit else MUON_SCALE * math.sqrt(max(rows, columns))


def orthogonal(matrix: Float[Tensor, "m n"]) -> Float[Tensor, "m n"]:
    """Nearly U·Vᵀ of the matrix U·S·Vᵀ: five steps bring singular values near 1 (0.7 to 1.2)."""
    a, b, c = NEWTON_SCHULZ
    x, is_tall = _wide(matrix)
    # `newton_schulz` without its products with x: all it multiplies by are polynomials of one gram.
    gram, whole = x @ x.T, torch.eye(len(x), dtype=x.dtype, device=x.device)
    for _ in range(NEWTON_SCHULZ_STEPS):
        step = torch.addmm(gram, gram, gram, beta=b, alpha=c)
        step.diagonal().add_(a)
        whole, gram = step @ whole, step @ gram @ step
    x = whole @ x
    return x.T if is_tall else x


def newton_schulz(matrix: Float[Tensor, "m n"]) -> Iterator[Float[Tensor, "m n"]]:
    """The matrix by its length, and what every step makes of it."""
    a, b, c = NEWTON_SCHULZ
    x, is_tall = _wide(matrix)
    yield x.T if is_tall else x
    for _ in range(NEWTON_SCHULZ_STEPS):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
        yield x.T if is_tall else x


def _wide(matrix: Float[Tensor, "m n"]) -> tuple[Tensor, bool]:
    """The matrix by its length, turned where it is taller than wide, and whether it was."""
    is_tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if is_tall else matrix
    return x / x.norm().clamp(min=MUON_EPSILON), is_tall


def updates_for(network: nn.Module, recipe: Recipe) -> Updates:
    """The recipe's optimizer over the parameters that learn, with its memory at zero."""
    return Updates(network, ways({name: p.ndim for name, p in network.named_parameters()}, recipe))


_RULES: Mapping[Optimizer, type[Rule]] = {
    Optimizer.SGD: Momentum,
    Optimizer.ADAMW: Adam,
    Optimizer.MUON: Muon,
}

"""From gradients to updates: stochastic gradient descent with momentum, and AdamW.

Weight decay pulls on kernels (everything with two or more dimensions) and leaves biases and the
scales and shifts of batch normalisation alone, which have no size that decay would limit.
Momentum and averages start at zero and exist before the first step, so that every snapshot has
the same tensors.
"""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

from seethrough.errors import CheckpointError
from seethrough.train.recipe import Optimizer, Recipe

# Kingma and Ba (2015), arXiv:1412.6980, section 2.
_BETA2 = 0.999


def optimizer_for(network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """The recipe's optimizer over the parameters that learn, with its state at zero."""
    learning = [parameter for parameter in network.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in learning if p.ndim >= 2], "weight_decay": recipe.weight_decay},
        {"params": [p for p in learning if p.ndim < 2], "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    if recipe.optimizer is Optimizer.ADAMW:
        optimizer: torch.optim.Optimizer = torch.optim.AdamW(
            groups, lr=recipe.peak_lr, betas=(recipe.momentum, _BETA2), fused=True
        )
        names: tuple[str, ...] = ("exp_avg", "exp_avg_sq")
    else:
        optimizer = torch.optim.SGD(
            groups,
            lr=recipe.peak_lr,
            momentum=recipe.momentum,
            nesterov=recipe.nesterov and recipe.momentum > 0,
            fused=True,
        )
        names = ("momentum_buffer",) if recipe.momentum else ()
    for parameter in learning:
        state = {name: torch.zeros_like(parameter, requires_grad=False) for name in names}
        if recipe.optimizer is Optimizer.ADAMW:
            state["step"] = torch.zeros((), dtype=torch.float32)
        optimizer.state[parameter] = state
    return optimizer


def slots(network: nn.Module, optimizer: torch.optim.Optimizer) -> Iterator[tuple[str, Tensor]]:
    """Every tensor the optimizer remembers, named by its parameter: conv1.weight.exp_avg."""
    for name, parameter in network.named_parameters():
        for slot, tensor in sorted(optimizer.state.get(parameter, {}).items()):
            yield f"{name}.{slot}", tensor


def restore(
    network: nn.Module, optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]
) -> None:
    """Put back what `slots` gave; the names and shapes must be the same."""
    wanted = dict(slots(network, optimizer))
    if wanted.keys() != tensors.keys():
        odd = sorted(wanted.keys() ^ tensors.keys())
        raise CheckpointError(
            f"The checkpoint's optimizer differs in {', '.join(odd[:3])}.",
            why="it was written by another recipe or for another network.",
            fix="resume the run that wrote it, or start a new one.",
        )
    with torch.no_grad():
        for name, tensor in wanted.items():
            tensor.copy_(tensors[name])

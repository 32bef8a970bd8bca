"""What closes a network whose photos can have several labels: a probability for each, on its own.

    p[c] = σ(z[c]) = 1 / (1 + e^(−z[c]))         z: the logits, one a label

A network of one label a photo answers with logits, and softmax follows them when it is asked. This
layer is part of the network instead, the last one: whoever runs the module gets probabilities, and
nobody can take its answers for logits by mistake. Training and losses read what it reads.
"""

from jaxtyping import Float
from torch import Tensor, nn

from seethrough.errors import LayerError

NAME = "sigmoid"


class EachLabel(nn.Module):
    """Logits to probabilities that know nothing of each other."""

    def forward(self, logits: Float[Tensor, "n k"]) -> Float[Tensor, "n k"]:
        """The sigmoid of each."""
        return logits.sigmoid()


def closed(network: nn.Sequential) -> nn.Sequential:
    """The network, which answers for each label from now on."""
    network.add_module(NAME, EachLabel())
    return network


def is_several(module: nn.Module) -> bool:
    """Whether a network answers for each label on its own."""
    whole = getattr(module, "_orig_mod", module)  # what torch.compile wraps
    return isinstance(whole, nn.Sequential) and len(whole) > 0 and isinstance(whole[-1], EachLabel)


def logits_of(module: nn.Module) -> nn.Module:
    """The network as it answers with logits; it shares its layers with the module."""
    return module[:-1] if isinstance(module, nn.Sequential) and is_several(module) else module


def check_one_label(module: nn.Module, what: str) -> None:
    """LayerError where the network answers for several labels; `what` is not told of these yet."""
    if is_several(module):
        raise LayerError(
            f"{what} is not told of several labels a photo.",
            why="so far it knows the loss of networks that name one class, which is another one.",
            fix="look at the photo forwards (explain, Look), and at the report (evaluate).",
        )

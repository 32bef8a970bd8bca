"""How quickly each layer learns where a network does not begin from nothing.

    first epochs    the parameters named `first` alone; all others keep their values
    afterwards      learning rate of a layer = learning rate × smallest^(distance / longest)

The distance of a layer is the number of layers with parameters between it and the end, in the
order in which the module lists them; the last one has 1, the first one `smallest`.
Source: Howard and Ruder, Universal language model fine-tuning (2018), arXiv:1801.06146, section
3.2: discriminative learning rates and, in two stages instead of many, gradual unfreezing.
Running statistics of batch normalisation follow the photos from the beginning.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from torch import nn

EVERYTHING: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """The share of the learning rate that every parameter gets; those not named get all of it."""

    first: frozenset[str] = frozenset()  # parameters that learn before the others do
    first_epochs: int = 0
    shares: Mapping[str, float] = field(default_factory=lambda: EVERYTHING)  # 0..1

    def in_epoch(self, epoch: int) -> Mapping[str, float]:
        """Shares in an epoch, counted from 1."""
        if epoch > self.first_epochs:
            return self.shares
        return {name: 1.0 if name in self.first else 0.0 for name in self.shares}


def slower_below(
    network: nn.Module, *, smallest: float, first: Collection[str], first_epochs: int
) -> Pace:
    """Layers learn the slower the nearer they are to the photo."""
    layers = list(dict.fromkeys(name.rpartition(".")[0] for name, _ in network.named_parameters()))
    longest = max(1, len(layers) - 1)
    share = {layer: smallest ** ((longest - place) / longest) for place, layer in enumerate(layers)}
    return Pace(
        first=frozenset(first),
        first_epochs=first_epochs,
        shares={name: share[name.rpartition(".")[0]] for name, _ in network.named_parameters()},
    )

"""From any network, text or code, to a torch module with seeded weights, normalisation first.

A text is built by `build`, a ready network by its function in `networks`, a published one by the
library that its family belongs to, a reference by importing the user's function: whoever calls
`make` with a reference has the user's word that it may run.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float
from torch import Tensor, nn

from seethrough.errors import SpecError
from seethrough.model.build import Normalise, build
from seethrough.model.checkpoint import load_into
from seethrough.model.coded import Network, Origin
from seethrough.model.hub import architecture
from seethrough.model.networks.table import READY
from seethrough.model.reference import joined, load_module, seeded
from seethrough.model.several import closed
from seethrough.model.spec import NetworkSpec


def make(
    network: Network,
    *,
    num_classes: int,
    mean: Sequence[float] | Float[np.ndarray, "3"],
    std: Sequence[float] | Float[np.ndarray, "3"],
    seed: int,
    is_several: bool = False,
) -> nn.Sequential:
    """The network with its untrained weights, in training mode: pixels 0..255 to logits n k.

    Of several labels to probabilities n k: a sigmoid follows (`model.several`). The weights depend
    on the seed alone; nobody's random numbers are moved.
    """
    made = _open(network, num_classes=num_classes, mean=mean, std=std, seed=seed)
    return closed(made) if is_several else made


def _open(
    network: Network,
    *,
    num_classes: int,
    mean: Sequence[float] | Float[np.ndarray, "3"],
    std: Sequence[float] | Float[np.ndarray, "3"],
    seed: int,
) -> nn.Sequential:
    """The network up to its logits."""
    if isinstance(network, NetworkSpec):
        return build(network, num_classes=num_classes, mean=mean, std=std, seed=seed)
    means, deviations = [float(value) for value in mean], [float(value) for value in std]
    if network.origin is Origin.REFERENCE:
        return load_module(
            network.text,
            num_classes=num_classes,
            image_px=network.image_px,
            mean=means,
            std=deviations,
            seed=seed,
        )
    if network.origin is Origin.HF:
        with seeded(seed):
            module: nn.Module = architecture.build(network.source or "", num_classes)
        return joined(Normalise(means, deviations), module)
    if network.text not in READY:
        raise SpecError(
            f"There is no ready network {network.text[:100]!r}.",
            why=f"this version has {', '.join(READY)}.",
            fix="install the version that the run was made with, or train again.",
        )
    with seeded(seed):
        module = READY[network.text](num_classes, network.image_px)
    return joined(Normalise(means, deviations), module)


def restore(
    network: Network, num_classes: int, tensors: Mapping[str, Tensor], *, is_several: bool = False
) -> nn.Sequential:
    """The network with these weights, its normalisation included, in evaluation mode."""
    nothing, one = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    module = make(
        network, num_classes=num_classes, mean=nothing, std=one, seed=0, is_several=is_several
    )
    load_into(module, tensors)
    return module.eval()

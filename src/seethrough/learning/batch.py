"""The photos of one step of training, as the run takes them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64, Shaped, UInt8
from torch import Tensor

from seethrough.train.slices import bounds


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Batch:
    """Pixels and targets of a step, and where they come from."""

    images: UInt8[Tensor, "n 3 h w"]  # varied as the recipe says
    targets: Shaped[Tensor, " n *k"]  # labels, or shares of the classes where photos are mixed
    photos: Int64[np.ndarray, " n"]  # where they lie in the data set
    is_mixed: bool  # each with the next one, the last with the first
    step: int  # from 1, over all epochs
    epoch: int  # from 1
    number: int  # of the step in its epoch, from 1
    of: int  # steps of an epoch
    slices: int  # parts with statistics of their own
    shares: Mapping[str, float]  # of the learning rate, by parameter; those not named have all

    def __len__(self) -> int:
        return len(self.photos)

    def mixed_with(self, place: int) -> int | None:
        """Which photo of the data set is mixed into the one at this place; None: none."""
        return int(self.photos[(place + 1) % len(self)]) if self.is_mixed else None

    def weights(self) -> Float64[np.ndarray, " n"]:
        """What the gradient of each photo's slice counts in the batch's; 1 without slices."""
        found = np.ones(len(self))
        if self.slices > 1:
            for start, end in bounds(len(self), self.slices):
                found[start:end] = (end - start) / len(self)
        return found

    def __repr__(self) -> str:
        place = f"epoch {self.epoch}, {self.number} of {self.of}"
        return f"Batch(step {self.step}: {place}, {len(self)} photos)"

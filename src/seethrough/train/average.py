"""The exponential moving average of a network's weights, which is what is judged, kept and used.

    average ← s · average + (1 − s) · weights              after every step t that was taken
    s = min(ema, (1 + t) / (10 + t))                       so that a short training is not held back

Running statistics are averaged too; whole numbers are taken over. Source: Polyak and Juditsky,
"Acceleration of stochastic approximation by averaging" (1992), doi:10.1137/0330046, in the
exponential form; the rise of s as in TensorFlow's ExponentialMovingAverage (num_updates).
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from seethrough.errors import CheckpointError


class Average:
    """The average beside a network's own weights; `trade` exchanges the two."""

    def __init__(self, network: nn.Module, ema: float) -> None:
        self._ema = ema
        self._live = network.state_dict()  # shares its memory with the network
        self._kept = {name: tensor.clone() for name, tensor in self._live.items()}
        self.is_in_use = False  # whether the network computes with the average

    def follow(self, step: int) -> None:
        """Come closer to the weights after step `step`, counted from 1."""
        share = min(self._ema, (1 + step) / (10 + step))
        with torch.no_grad():
            for name, kept in self._kept.items():
                if kept.is_floating_point():
                    kept.lerp_(self._live[name], 1 - share)
                else:
                    kept.copy_(self._live[name])

    def trade(self) -> None:
        """Put the average into the network and keep its weights, or the other way round."""
        with torch.no_grad():
            for name, kept in self._kept.items():
                live = self._live[name]
                between = live.clone()
                live.copy_(kept)
                kept.copy_(between)
        self.is_in_use = not self.is_in_use

    def average(self) -> Mapping[str, Tensor]:
        """The averaged state."""
        return self._live if self.is_in_use else self._kept

    def weights(self) -> Mapping[str, Tensor]:
        """The state that learns."""
        return self._kept if self.is_in_use else self._live

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Go back to the average that `average` gave."""
        if tensors.keys() != self._kept.keys():
            raise CheckpointError(
                "The checkpoint's average does not fit the network.",
                why="it was written by another recipe or for another network.",
                fix="resume the run that wrote it, or start a new one.",
            )
        for name, kept in self._kept.items():
            kept.copy_(tensors[name])

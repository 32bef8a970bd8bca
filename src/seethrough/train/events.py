"""What happens in training, as frozen events; their fields are the words of the log.

Started, then per epoch its Steps, its EpochEnd and a Snapshot; at the end Done, or Stopped.
After some steps, and before the first one, a MomentDue.
Shares are 0..1. A number that is not finite is None: it is shown as missing, never repaired.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32
from torch import Tensor

from seethrough.train.motion import LayerMotion


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The first event of a run that is not resumed: what will happen."""

    epochs: int
    steps: int  # in all epochs together
    images: int  # training images in an epoch
    test_images: int
    classes: tuple[str, ...]
    watched: tuple[int, ...]  # indices of the images whose predictions are followed


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One gradient-descent step."""

    step: int  # from 1, over all epochs
    epoch: int  # from 1: the epoch this step belongs to
    loss: float | None  # of this batch, with label smoothing; None: not finite, step not taken
    lr: float
    elapsed_s: float  # seconds of training so far, evaluation included


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What the network says of one followed image."""

    index: int  # of the image in the data set
    label: str
    probabilities: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EpochEnd:
    """After every epoch; epoch 0 is the untrained network."""

    epoch: int
    step: int
    train_loss: float | None  # running, over the epoch's augmented batches
    train_accuracy: float | None  # likewise
    test_loss: float | None  # without label smoothing
    test_accuracy: float | None
    images_per_second: float | None  # training images, evaluation not counted
    image_px: int  # side of those that it learned from
    elapsed_s: float
    time_s: Mapping[str, float]  # input, forward, backward, update, evaluation; saving the last one
    kernels: Float32[np.ndarray, "units channels rows columns"] | None  # of the first convolution
    watched: tuple[Watched, ...]  # without those for which the network overflows
    layers: tuple[LayerMotion, ...] = ()  # that learn, in the network's order


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrainState:
    """Everything that training needs to go on as if nothing had happened."""

    step: int  # steps taken
    epoch: int  # epochs finished, evaluation included
    # weights.NAME and optimizer.NAME.SLOT, running statistics too; where weights are averaged,
    # these are the averaged ones, and learning.NAME are those that learn
    tensors: Mapping[str, Tensor]
    scalars: Mapping[str, float | int]  # sums of the epoch that is under way, seconds so far


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Snapshot:
    """A state worth keeping: after every epoch, and where training was stopped."""

    state: TrainState


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MomentDue:
    """The network as it would be judged after this step, to be kept; see `train.moments`."""

    step: int
    epoch: int  # that the step belongs to; 0: nothing was learned yet
    tensors: Mapping[str, Tensor]  # of the module's state; the average where weights are averaged
    is_whole: bool  # all of that state


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """A sentence about the training, for whoever reads its log."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """The last event of a training that was asked to stop; resume from the last snapshot."""

    step: int
    epoch: int  # epochs finished
    elapsed_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The last event of a training that went through its epochs."""

    step: int
    epoch: int
    elapsed_s: float


Event = Started | Step | EpochEnd | MomentDue | Snapshot | Remark | Stopped | Done

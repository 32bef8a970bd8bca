"""A run through time: its moments, and what was different at each of them."""

from seethrough.serve.wire.message import Message
from seethrough.serve.wire.runs import Photo


class MomentMessage(Message):
    """The network as it was judged after one step."""

    step: int  # steps taken; 0: nothing was learned yet
    epoch: int  # from 1: that the step belongs to; 0 before the first step
    test_accuracy: float | None  # 0..1, where it was measured at this very step


class MomentsMessage(Message):
    """All moments of a run so far, the first one first."""

    moments: list[MomentMessage]
    is_whole: bool  # all weights were kept: any photo can be sent through, as it was
    kept: list[str]  # layers whose parameters were kept at every moment
    kept_bytes: int  # on the disk


class PhotoMomentsMessage(Message):
    """What the network said of one photo at every moment."""

    photo: Photo
    classes: list[str]
    steps: list[int]
    probabilities: list[list[float]]  # for each moment, for each class
    learned: int | None  # the step from which on it is right until the end; None: it is not


class FollowedPhoto(Message):
    """One of the photos that a timeline follows."""

    photo: str  # its id
    label: str
    learned: int | None  # as in PhotoMomentsMessage


class LayerLife(Message):
    """The units of a ReLU: dead is one that is 0 in every cell of every photo that is followed."""

    layer: str
    died: list[int | None]  # for each unit the step from which on it is dead; None: it lives


class TimelineMessage(Message):
    """Some test photos at every moment."""

    classes: list[str]
    steps: list[int]
    photos: list[FollowedPhoto]
    predicted: list[list[int]]  # for each moment, for each photo: the class
    accuracy: list[float]  # for each moment: of these photos, 0..1
    features: str  # the layer whose numbers the positions are made of
    num_features: int
    shares: list[float]  # of the features' variance: what the two directions show, 0..1
    layers: list[LayerLife]

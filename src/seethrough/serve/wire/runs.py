"""Runs, their logs, their reports and their photos."""

from typing import Annotated, Literal

from pydantic import Field, RootModel

from seethrough.serve.wire.message import ErrorMessage, Message

# ---------------------------------------------------------------- runs


RunState = Literal["waiting", "training", "paused", "stopped", "finished", "failed"]


class RunSummary(Message):
    """One line of the list of runs."""

    id: str
    created: str  # ISO 8601, UTC
    state: RunState
    dataset: str  # the data set's name
    network: str  # the network's name
    epoch: int  # epochs finished
    epochs: int  # epochs asked for
    test_accuracy: float | None  # 0..1, after the newest epoch
    train_seconds: float
    steered: bool  # its learning rate was turned by hand
    edited: bool  # its network was changed by hand and learned nothing
    several: bool  # its photos have several labels: test_accuracy counts those all right
    # whose weights it began with, or whose copy it is: a run, cifar10, hf:OWNER/NAME@COMMIT
    start: str | None
    licence: str | None  # of these, where others published them and named one


class TurnMessage(Message):
    """From this step on, the learning rate is the schedule's times this factor."""

    step: int
    rate_factor: float


class LayerSize(Message):
    """One layer of the network as text and integers."""

    name: str  # conv1
    kind: str  # conv, norm, relu, max_pool, avg_pool, flatten, dense, normalise, softmax, ...
    text: str  # conv 16 k3 p1
    shape: list[int]  # output: [c, h, w] or [n]
    parameters: int
    receptive_field_px: (
        int | None
    )  # image pixels, along one axis, that one cell sees; None after flatten


class SplitCount(Message):
    """Images of one class in every split."""

    label: str
    train: int
    validation: int
    test: int


class ProblemMessage(Message):
    """A file that was found and could not be used."""

    path: str
    what: str
    why: str
    fix: str


class DatasetMessage(Message):
    """The images a run learns from."""

    name: str
    source: str
    fingerprint: str
    image_px: int
    classes: list[str]
    counts: list[SplitCount]
    problems: list[ProblemMessage]
    notes: list[str]  # whole sentences
    labels: str | None  # absolute path of the CSV that says them; None: the folders do
    is_several: bool  # a photo has any number of labels
    images: list[int]  # train, validation, test: of several labels not the sum of the counts


class EditedMessage(Message):
    """A network that was changed by hand instead of trained."""

    run: str  # whose network it was
    step: int | None  # of the moment that was changed; None: its newest weights
    changes: list[str]  # a sentence each


class RunDetail(Message):
    """Everything about a run but its log."""

    summary: RunSummary
    dataset: DatasetMessage
    network_text: str
    layers: list[LayerSize]
    parameters: int
    recipe: dict[str, float | int | str | bool]
    environment: dict[str, str]
    weights_sha256: str | None
    watched: list[str]  # ids of the test photos whose predictions the log follows
    steering: list[TurnMessage]  # how its learning rate was turned by hand
    edited: EditedMessage | None


# ---------------------------------------------------------------- the log, as an event stream


class StartedEvent(Message):
    """The first event: what will happen."""

    kind: Literal["started"]
    epochs: int
    steps: int  # in all epochs together
    images: int  # training images in an epoch
    test_images: int
    classes: list[str]
    watched: list[str]


class StepEvent(Message):
    """One gradient-descent step."""

    kind: Literal["step"]
    step: int  # 1-based, over all epochs
    epoch: int  # 1-based: the epoch this step belongs to
    loss: float | None  # training loss of this batch; None: not a number
    lr: float
    elapsed_s: float  # seconds of training so far, evaluation included


class WatchedPrediction(Message):
    """What the network says of one watched test photo."""

    photo: str
    label: str
    probabilities: list[float]


class LayerMotionMessage(Message):
    """How strongly a layer was pulled in an epoch, and how far it moved."""

    name: str
    gradient_norm: float | None  # Euclidean, mean over the steps; None: no step was taken
    update_share: float | None  # of the layer's own norm, at the epoch's last step


class EpochEvent(Message):
    """After every epoch; epoch 0 is the untrained network."""

    kind: Literal["epoch"]
    epoch: int
    step: int
    train_loss: float | None
    train_accuracy: float | None
    test_loss: float | None
    test_accuracy: float | None
    images_per_second: float | None
    image_px: int | None = None  # side of those it learned from; None: an older log
    share_of_limit: float | None  # of what a product of matrices reaches here, 0..1
    elapsed_s: float
    # seconds of this epoch: input, forward, backward, update, evaluation; saving the one before
    time_s: dict[str, float]
    kernels: list[list[list[list[float]]]]  # first convolution: unit, channel, row, column
    watched: list[WatchedPrediction]
    layers: list[LayerMotionMessage]  # that learn, in the network's order


class CheckpointEvent(Message):
    """A checkpoint is on disk, verified."""

    kind: Literal["checkpoint"]
    step: int
    epoch: int
    weights_sha256: str


class SteeredEvent(Message):
    """From this step on, the learning rate is the schedule's times this factor."""

    kind: Literal["steered"]
    step: int
    rate_factor: float


class PausedEvent(Message):
    """Training holds after this step, which is on disk; a later line says that it went on."""

    kind: Literal["paused"]
    step: int
    epoch: int  # epochs finished


class WentOnEvent(Message):
    """The pause after this step is over."""

    kind: Literal["went_on"]
    step: int


class NoteEvent(Message):
    """A sentence for the reader of the log: resumed, stopped by the user, a checkpoint skipped."""

    kind: Literal["note"]
    text: str


class EndEvent(Message):
    """The last event."""

    kind: Literal["end"]
    state: RunState
    epoch: int
    train_seconds: float
    test_accuracy: float | None
    weights_sha256: str | None
    error: ErrorMessage | None


class LogEvent(
    RootModel[
        Annotated[
            StartedEvent
            | StepEvent
            | EpochEvent
            | CheckpointEvent
            | SteeredEvent
            | PausedEvent
            | WentOnEvent
            | NoteEvent
            | EndEvent,
            Field(discriminator="kind"),
        ]
    ]
):
    """One line of a run's log."""


# ---------------------------------------------------------------- photos


class Photo(Message):
    """One image and what the network says of it."""

    id: str  # t123: image 123 of the data set; u-…: dropped by the user
    path: str  # the file's name inside its data set, or the name it was dropped with
    # given: with a network that was opened and is no run; dropped: by the user
    split: Literal["train", "validation", "test", "given", "dropped"]
    label: str | None  # None: nobody said; of several labels their names, or "no label"
    labels: list[str] | None = None  # of several labels each that it has; None: it has one
    predicted: str | None  # None: the network was not asked yet; of several labels likewise
    # of `predicted`; of several labels how sure it is of the one that it is least sure of
    probability: float | None
    width: int  # px, of the file before it was fitted to the network
    height: int
    note: str | None  # what fitting cut off, in a sentence; None in lists


class PhotoList(Message):
    """A page of photos; `total` counts all that match."""

    total: int
    photos: list[Photo]


class PredictionMessage(Message):
    """One file judged; the same fields as `seethrough predict --json`."""

    path: str
    label: str
    probability: float
    probabilities: dict[str, float]
    labels: list[str] | None = None  # those of 0.5 and more, of a network with several labels


# ---------------------------------------------------------------- opened networks


class CollectionMessage(Message):
    """The photos with which a network was opened."""

    name: str
    source: str
    total: int
    labelled: int  # lie in a folder that is called like a class
    problems: list[ProblemMessage]
    notes: list[str]  # whole sentences


class OpenedMessage(Message):
    """A network that was opened to be looked at; it is no run."""

    id: str  # n-…: stands where a run's name does
    name: str  # model.onnx
    origin: str  # the end of a sentence: opened from an ONNX file
    graph: str  # how it is known which layer reads which: a whole sentence
    classes: list[str]
    image_px: int
    parameters: int
    weights_sha256: str
    photos: CollectionMessage | None  # None: it was opened without


# ---------------------------------------------------------------- the page


class OpeningMessage(Message):
    """What the program is still doing before there is anything to show."""

    what: str
    done: int
    total: int  # 0: not known yet


class WindowMessage(Message):
    """Session facts the page needs before anything else."""

    version: str
    runs: int
    newest_run: str | None
    opening: OpeningMessage | None  # None: nothing, the runs are what there is

"""Looking inside: traces, ways back, equations."""

from typing import Literal, TypeAlias

from seethrough.serve.wire.message import Message
from seethrough.serve.wire.runs import Photo


class TracedLayerMessage(Message):
    """Where one layer's output lies in the photo's activations, and what it is."""

    name: str
    kind: str
    text: str
    shape: list[int]  # [c, h, w] or [n]
    offset: int  # of its first float32 in the activations
    minimum: float
    maximum: float
    inputs: list[str]  # names of the layers (or "photo") whose outputs it reads
    parameters: int
    receptive_field_px: int | None
    known: bool  # False: a box with shapes and values, no arithmetic
    active_units: list[bool]  # per unit: any cell differs from zero


class TraceMessage(Message):
    """One photo through one network: the head of the activations."""

    photo: Photo
    weights_sha256: str  # of the network that was traced; while it trains, the newest checkpoint
    layers: list[TracedLayerMessage]
    floats: int  # in the activations, all layers together
    classes: list[str]
    logits: list[float]
    probabilities: list[float]
    is_several: bool  # each probability is one of a label on its own: they need not add up to 1
    # −log p of the label, of several labels the mean over them of their answers'; None without
    loss: float | None
    elapsed_ms: float


class TermMessage(Message):
    """One product: a cell of the window times a weight of the kernel."""

    channel: int  # of the input
    row: int  # of the input map; outside it where `is_padding`
    column: int
    input: float
    weight: float
    product: float
    shown_input: str
    shown_weight: str
    shown_product: str
    is_padding: bool
    is_winner: bool  # max pooling: this cell was passed on


class ChannelSum(Message):
    """All products of one input channel together."""

    channel: int
    sum: float
    shown: str


class EquationStep(Message):
    """What is done with the sum afterwards: batch normalisation, the activation function."""

    layer: str
    kind: str
    formula: str  # relu: max(0, x)
    shown: str  # max(0, 2.0814) = 2.0814, its digits as displayed
    value: float
    framework: float
    difference: float


class GradientMessage(Message):
    """Where the gradient of one layer's output lies in the photo's gradients."""

    name: str  # of a layer, or "photo"
    shape: list[int]  # that of the layer's output
    offset: int  # of its first float32 in the gradients
    minimum: float
    maximum: float


class ParameterGradientMessage(Message):
    """What came back to one learned parameter of a layer."""

    layer: str
    name: str  # weight, bias
    shape: list[int]
    minimum: float
    maximum: float


class BackwardMessage(Message):
    """One photo's way back, from the loss of a class to the pixels: the head of the gradients."""

    weights_sha256: str
    label: str  # the class that is taken for the true one
    loss: float  # −log of its probability
    layers: list[GradientMessage]
    floats: int  # in the gradients, all layers together
    parameters: list[ParameterGradientMessage]
    elapsed_ms: float


class ParameterChange(Message):
    """What one step changes a learned parameter by."""

    name: str  # as in the state dict: conv1.weight
    shape: list[int]
    gradient_norm: float  # square root of the sum of squares
    change_norm: float
    weight_norm: float  # before the step


Memory: TypeAlias = Literal["empty", "run"]  # of an optimizer: nothing, or as the run left it


StepBatch: TypeAlias = Literal["one", "run"]  # what a step learns from: the photo, or its batch


class BatchMessage(Message):
    """The batch of the run that a step learned from."""

    step: int  # from 1, over all epochs of the run
    epoch: int  # from 1
    number: int  # of the step in its epoch, from 1
    of: int  # steps of an epoch
    photos: int
    photo_ids: list[str]  # in the order of the batch
    is_mixed: bool  # each photo with the next one, by the run's recipe
    loss: float  # of the batch before the step, as training counts it
    loss_after: float | None  # of the same batch with the new weights; None: not finite
    is_exact: bool  # the run itself has, had or will have these very weights


class PullMessage(Message):
    """What one photo of a batch adds to the gradient of one weight."""

    place: int  # in the batch, from 0
    photo: str  # its id
    label: str
    mixed_with: str | None  # the id of the photo that is mixed into it
    value: float
    shown: str


class PullsMessage(Message):
    """One gradient, divided among the photos of its batch; the shown digits add up."""

    name: str
    index: list[int]
    photos: int
    largest: list[PullMessage]  # by size, largest first
    others: int
    others_sum: float
    shown_others: str | None  # None: there are no others
    values: list[float]  # of all photos, in the order of the batch
    gradient: float  # their sum
    shown_gradient: str
    framework: float
    difference: float  # gradient − framework
    decimals: int
    adds_up: bool


class LearningStepMessage(Message):
    """Steps of learning, on a copy: the photo's loss and probabilities before and after."""

    weights_sha256: str
    label: str
    optimizer: str
    learning_rate: float
    momentum: float
    nesterov: bool
    weight_decay: float
    memory: Memory
    steps: int
    losses: list[float]  # before each step, of what it learned from: the photo or its batch
    batch: BatchMessage | None  # of the last step; None: the photo alone
    loss: float
    loss_after: float | None  # None: not finite, the step was too large
    probabilities: list[float]
    probabilities_after: list[float]
    parameters: list[ParameterChange]


class WeightTrialMessage(Message):
    """One weight moved a little to both sides; the shown digits follow from each other."""

    step: float
    loss_above: float  # with the weight plus the step
    loss_below: float
    slope: float  # (above − below) / 2 steps
    kinks: int  # cells of relu, max and their like that change sides in between
    shown_step: str
    shown_above: str
    shown_below: str
    shown_slope: str
    shown_gradient: str
    shown_apart: str  # slope − gradient


class GradientCheckMessage(Message):
    """The gradient of one weight, computed, and tried by moving the weight; in float64."""

    name: str
    index: list[int]
    weight: float
    gradient: float  # autograd's
    trials: list[WeightTrialMessage]  # of ever smaller steps
    relative_difference: float  # of the best trial


class UpdateLine(Message):
    """One operation of an update: its name, in letters, in digits, its result."""

    name: str
    formula: str
    shown: str
    value: float
    note: str  # what letters and digits leave out; often empty
    framework: float | None  # the same number by the framework; None: it has none of its own
    difference: float | None  # value − framework


class UpdateMessage(Message):
    """How one weight changes in that step; the digits behind = add up."""

    name: str
    index: list[int]
    weight: float
    gradient: float
    learning_rate: float
    lines: list[UpdateLine]
    change: float
    new_weight: float
    shown_new_weight: str
    framework: float
    difference: float  # new_weight − framework
    tolerance: float  # a difference that the framework's float32 explains
    decimals: int


Direction = Literal["forward", "backward", "parameter"]


class Reader(Message):
    """The terms' channels from `first` on are the units of this layer, from 0 on."""

    layer: str
    kind: str
    first: int
    units: int


class EquationMessage(Message):
    """The arithmetic behind one activation or gradient; the shown digits add up."""

    kind: str
    layer: str
    unit: int
    row: int | None
    column: int | None
    formula: str  # the general form, in words and letters
    sentence: str  # for screen readers: what was computed, whole
    terms: list[TermMessage]
    channels: list[ChannelSum]  # largest first
    bias: float | None  # None: this layer has none
    shown_bias: str | None
    sum: float
    shown_sum: str
    steps: list[EquationStep]
    activation: float  # after the last step
    shown_activation: str
    framework: float  # what the framework computed for `sum`
    difference: float  # sum − framework
    relative_difference: float
    worst_difference: float  # the largest relative one, of the sum and of every step
    adds_up: bool  # the shown terms and bias add up to the shown sum, to the last digit
    decimals: int  # of the shown digits
    sees: list[
        int
    ]  # [top, left, bottom, right] in pixels of the fitted photo, half open, clipped to it
    kernel: list[int]  # [height, width], [1, 1] where there is none
    stride: list[int]
    padding: list[int]
    direction: Direction
    readers: list[Reader]  # backward: the layers that read the cell
    parameter: str | None  # direction parameter: weight or bias
    index: list[int]  # its place in the parameter
    precision: str  # the number type that the framework rounds to: float32, float16, bfloat16
    tolerance: float  # the largest relative difference that its rounding explains

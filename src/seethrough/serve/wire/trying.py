"""Changing something: what is asked, and what becomes of the photo's numbers."""

from typing import Annotated, Literal

from pydantic import Field, FiniteFloat

from seethrough.serve.wire.message import Message

WEIGHTS = 256  # that one question may change
UNITS = 256
PAINTED = 4096  # pixels

Part = Annotated[int, Field(ge=0, le=255)]  # of a colour
Place = Annotated[int, Field(ge=0, le=1_000_000)]
Name = Annotated[str, Field(max_length=200)]
By = Annotated[int, Field(ge=-100_000, le=100_000)]
Painted = tuple[Place, Place, Part, Part, Part]
FunctionName = Literal["relu", "leaky_relu", "gelu", "silu", "tanh", "sigmoid"]


class WeightEdit(Message):
    """One learned number as it shall be."""

    name: Name  # as in the state dict: conv1.weight
    index: Annotated[tuple[Place, ...], Field(max_length=8)]
    value: FiniteFloat


class UnitOff(Message):
    """A unit that puts out 0."""

    layer: Name
    unit: Place


class AlterationQuestion(Message):
    """What is done to the photo; see `data.alter` for the order and the rules."""

    cover: tuple[Place, Place, Place, Place] | None = None  # top, left, bottom, right; half open
    shift: tuple[By, By] = (0, 0)  # rows down, columns to the right
    turn_degrees: FiniteFloat = 0.0  # anticlockwise
    blur_px: FiniteFloat = 0.0
    noise: FiniteFloat = 0.0  # deviation, in grey levels
    noise_seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = 0
    brightness: FiniteFloat = 0.0  # grey levels that are added
    contrast: FiniteFloat = 1.0
    plain: tuple[Part, Part, Part] | None = None
    # row, column, red, green, blue
    paint: Annotated[tuple[Painted, ...], Field(max_length=PAINTED)] = ()


class WhatIfQuestion(Message):
    """What is changed; an empty one changes nothing."""

    weights: Annotated[tuple[WeightEdit, ...], Field(max_length=WEIGHTS)] = ()
    off: Annotated[tuple[UnitOff, ...], Field(max_length=UNITS)] = ()
    functions: Annotated[dict[Name, FunctionName], Field(default_factory=dict, max_length=UNITS)]
    photo: AlterationQuestion = AlterationQuestion()
    temperature: FiniteFloat = 1.0  # probabilities = softmax(logits / temperature)
    weights_sha256: str | None = None  # of the trace that is on screen
    step: Place | None = None  # a moment of the run; None: the network as it is now


class ChangedLayerMessage(Message):
    """The units of a layer whose maps differ."""

    layer: str
    units: list[int]
    # of each: |after − before| where it is largest; None: not a finite number
    largest: list[float | None]


class WhatIfMessage(Message):
    """The photo with the change, beside the network as it is."""

    change_id: str  # of these answers' activations
    weights_sha256: str
    classes: list[str]
    probabilities: list[float]
    probabilities_after: list[float | None]  # None: no number
    logits_after: list[float | None]
    changed: list[ChangedLayerMessage]  # in the order of the layers
    floats: int  # in the activations after, all layers together, at the trace's offsets
    photo_offset: int  # behind them: the altered photo's pixel values, 3 h w
    elapsed_ms: float

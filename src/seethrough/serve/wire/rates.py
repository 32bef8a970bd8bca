"""A learning-rate range test: whether there is one, and what it tells."""

from typing import Annotated, Literal

from pydantic import Field, RootModel

from seethrough.serve.wire.message import ErrorMessage, Message


class RangeTestMessage(Message):
    """Where the newest range test of a run stands; its events tell the rest."""

    run: str
    state: Literal["none", "trying", "finished", "stopped", "failed"]


class RangeTestStarted(Message):
    """The photos are read and the network is made: what will be tried."""

    kind: Literal["started"]
    lowest: float  # learning rates
    highest: float
    steps: int  # at most
    network: str
    optimizer: str
    batch: int  # images per step
    seed: int


class TrialEvent(Message):
    """One step at one learning rate."""

    kind: Literal["trial"]
    step: int  # 1-based
    rate: float
    loss: float | None  # of its batch, in nats, before the step; None: not a number
    smoothed: float | None


class RangeTestEnded(Message):
    """The last event, and what the trials say; without an end of their own they say nothing."""

    kind: Literal["end"]
    state: Literal["finished", "stopped", "failed"]
    steepest: float | None  # the rate at which the smoothed loss falls fastest
    diverged: float | None  # the rate at which the loss ran away; None: every rate was borne
    suggested: float | None  # a peak to try
    error: ErrorMessage | None


class RangeTestEvent(
    RootModel[
        Annotated[
            RangeTestStarted | TrialEvent | RangeTestEnded,
            Field(discriminator="kind"),
        ]
    ]
):
    """One line that a range test tells."""

"""A run through time: its moments, and what was different at each of them."""

from seethrough.serve.wire.message import Message


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

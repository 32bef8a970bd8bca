"""Two networks beside each other: what they were told, who is right where, which unit is which."""

from typing import Literal

from seethrough.serve.wire.message import Message
from seethrough.serve.wire.runs import Photo

Right = Literal["first", "second", "neither"]


class CostMessage(Message):
    """What a training took."""

    train_seconds: float
    epochs: int  # finished
    train_images: int  # in an epoch
    parameters: int
    multiply_adds: int  # of one photo, forwards


class SideMessage(Message):
    """One of the two."""

    run: str
    step: int | None  # as it was after this step; None: as it is now
    network: str  # its text
    weights_sha256: str
    cost: CostMessage


class SettingMessage(Message):
    """One setting in which they differ; null: that run does not know it."""

    subject: Literal["recipe", "network", "photos", "machine"]
    name: str
    first: float | int | str | bool | None
    second: float | int | str | bool | None


class PairedMessage(Message):
    """Both on the same test photos, counted."""

    images: int
    both: int  # right
    only_first: int
    only_second: int
    neither: int
    neither_agrees: int  # of these: both name the same wrong class
    accuracy: list[float]  # first, second
    difference: float  # second minus first
    interval: list[float]  # [low, high] of the difference: 95 %, Newcombe, paired
    p_value: float  # McNemar's exact test


class ComparisonMessage(Message):
    """What the second learned differently, as far as the runs and their answers say."""

    first: SideMessage
    second: SideMessage
    settings: list[SettingMessage]
    paired: PairedMessage | None  # None: there is no test photo that both set aside
    disagreements: int  # photos of which they name different classes
    notes: list[str]  # what is left out, in whole sentences


class AnswerMessage(Message):
    """What one network says of a photo."""

    label: str
    probability: float
    of_label: float  # of what the photo shows


class DisagreementMessage(Message):
    """A test photo of which they name different classes."""

    photo: str  # its id in the first run
    other_photo: str
    path: str
    label: str
    right: Right  # who names it right
    first: AnswerMessage
    second: AnswerMessage


class DisagreementList(Message):
    """A page of them; `total` counts all that match."""

    total: int
    photos: list[DisagreementMessage]


class PhotoPairMessage(Message):
    """The same photo for both: by the file's content, whatever it is called."""

    photo: Photo
    other_photo: Photo


class LayerMatchMessage(Message):
    """Two layers, and for each unit of the first its partner in the second."""

    first: str
    second: str
    kind: str
    how: Literal["colours", "classes", "carried", "correlation", "itself", "not"]
    units: list[int | None]  # None: no partner
    similarity: list[float | None]  # correlation with the partner, −1..1; None: not measured
    mean_similarity: float | None
    measured_at: str | None  # the first network's layer whose numbers were correlated
    num_second: int  # units of the second layer
    has_equal_maps: bool  # cell by cell they can be subtracted
    why: str | None  # no units were matched
    weights_layer: str | None  # the first network's layer whose weights make these units
    channels: list[int | None] | None  # of what its weights read; None: each unit its own
    why_no_kernels: str | None  # its weights cannot be subtracted; None: they can
    distance: float | None  # of its weights: 0 equal, 1 at right angles, √2 opposite


class AloneMessage(Message):
    """A layer without a partner."""

    layer: str
    is_first: bool  # of the first network
    why: str


class MatchingMessage(Message):
    """Every pair of layers in the first network's order, and what has no partner."""

    layers: list[LayerMatchMessage]
    alone: list[AloneMessage]
    photos: int  # on which units were matched
    weights_sha256: str  # of the first network
    other_weights_sha256: str

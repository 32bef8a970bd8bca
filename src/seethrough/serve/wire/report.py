"""How good a network is: the report of one label a photo, and that of several."""

from seethrough.serve.wire.message import Message


class ClassScore(Message):
    """One class of the report."""

    label: str
    images: int
    precision: float | None  # None: the network never said this class
    recall: float | None
    f1: float | None
    most_often_taken_for: str | None
    taken_for_count: int


class Confusion(Message):
    """A pair of classes that is confused."""

    label: str
    predicted: str
    images: int


class LabelScore(Message):
    """One label of the report on several labels; None where nothing can be divided."""

    label: str
    images: int  # test photos that show it
    said: int  # test photos of which it was said
    precision: float | None
    recall: float | None
    f1: float | None
    average_precision: float | None
    accuracy: float  # share of all test photos for which its yes or no is right
    chance: float  # the same of always giving the more frequent answer


class MeanScore(Message):
    """A plain mean over the labels."""

    value: float | None
    interval: list[float] | None  # [low, high]: 95 %, bootstrap


class SeveralReportMessage(Message):
    """How good a network is on photos it never saw that have several labels."""

    accuracy: float  # share with all labels right
    interval: list[float]  # [low, high]: 95 %, Wilson
    images: int
    chance: float  # accuracy of always saying the most frequent combination
    label_accuracy: float  # how often a single label is right
    label_chance: float  # the same of always giving the more frequent answer
    train_accuracy: float | None
    train_images: int
    loss: float
    classes: list[str]
    per_label: list[LabelScore]
    macro: dict[str, MeanScore]  # precision, recall, f1, average_precision
    verdict: str
    explanation: str
    warnings: list[str]
    views: int


class ReportMessage(Message):
    """How good the network is on photos it never saw."""

    accuracy: float
    interval: list[float]  # [low, high]: 95 %, Wilson
    images: int
    chance: float  # accuracy of always saying the most frequent class
    train_accuracy: float | None
    train_images: int
    loss: float
    classes: list[str]
    confusion: list[list[int]]  # row: label, column: predicted
    per_class: list[ClassScore]
    most_confused: list[Confusion]  # most frequent first
    verdict: str  # one short sentence
    explanation: str  # what the gap means, and what would help
    warnings: list[str]
    views: int  # of each photo, whose answers were averaged

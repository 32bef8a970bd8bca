"""How good a network is, and what that means: arrays in, numbers and sentences out; no torch."""

from seethrough.evaluate.confusion import Confusion
from seethrough.evaluate.interval import Interval, difference, wilson
from seethrough.evaluate.paired import Paired, paired
from seethrough.evaluate.report import Report, evaluate
from seethrough.evaluate.scores import ClassScore
from seethrough.evaluate.several import LabelScore, SeveralReport, evaluate_several

__all__ = [
    "ClassScore",
    "Confusion",
    "Interval",
    "LabelScore",
    "Paired",
    "Report",
    "SeveralReport",
    "difference",
    "evaluate",
    "evaluate_several",
    "paired",
    "wilson",
]

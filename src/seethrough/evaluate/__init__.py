"""How good a network is, and what that means: arrays in, numbers and sentences out; no torch."""

from seethrough.evaluate.confusion import Confusion
from seethrough.evaluate.interval import Interval, difference, wilson
from seethrough.evaluate.paired import Paired, paired
from seethrough.evaluate.report import Report, evaluate
from seethrough.evaluate.scores import ClassScore

__all__ = [
    "ClassScore",
    "Confusion",
    "Interval",
    "Paired",
    "Report",
    "difference",
    "evaluate",
    "paired",
    "wilson",
]

"""Look inside any torch module: every layer of one photo, every number's arithmetic."""

from seethrough.explain.backward import Backward, backward
from seethrough.explain.equation import Equation
from seethrough.explain.layer import TracedLayer
from seethrough.explain.matching import Matching, match
from seethrough.explain.term import ChannelSum, EquationStep, Term
from seethrough.explain.trace import Trace, trace
from seethrough.explain.verify import Verification, verify

__all__ = [
    "Backward",
    "ChannelSum",
    "Equation",
    "EquationStep",
    "Matching",
    "Term",
    "Trace",
    "TracedLayer",
    "Verification",
    "backward",
    "match",
    "trace",
    "verify",
]

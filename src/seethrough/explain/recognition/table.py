"""Which function of the framework is which operation.

Each recogniser answers None where it cannot be sure: what is not recognised stays a box with
shapes and values.
"""

from seethrough.explain.recognition.combinations import COMBINATIONS
from seethrough.explain.recognition.norms import NORMS
from seethrough.explain.recognition.pointwise import POINTWISE
from seethrough.explain.recognition.question import Question, Recognised, Recogniser
from seethrough.explain.recognition.windows import WINDOWS

RECOGNISERS: dict[str, Recogniser] = {**WINDOWS, **NORMS, **POINTWISE, **COMBINATIONS}


def recognise(asked: Question) -> Recognised | None:
    """The operation behind a call; None where it is not known."""
    recogniser = RECOGNISERS.get(asked.call.name)
    return None if recogniser is None else recogniser(asked)

"""What is asked of a step of learning: the words of every address that tells of one."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Query

from seethrough.serve import wire

MOST_STEPS = 100

Label = Annotated[str | None, Query(description="The class that is taken for the true one.")]
Rate = Annotated[
    float | None,
    Query(
        gt=0,
        le=1000,
        description="Learning rate; without it the recipe's peak, or, on the run's batch, its own.",
    ),
]
Remembered = Annotated[
    wire.Memory,
    Query(description="The optimizer's memory: empty, or as the run's newest checkpoint has it."),
]
LearnedFrom = Annotated[
    wire.StepBatch,
    Query(description="What a step learns from: the photo alone, or the run's own next batch."),
]
Steps = Annotated[
    int,
    Query(ge=1, le=MOST_STEPS, description="One after the other; told of is the last one."),
]


@dataclass(frozen=True, slots=True)
class StepQuestion:
    """Which steps, and for which class the loss is shown."""

    label: Label = None
    learning_rate: Rate = None
    memory: Remembered = "empty"
    batch: LearnedFrom = "one"
    steps: Steps = 1

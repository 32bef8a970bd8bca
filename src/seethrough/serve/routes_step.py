"""The addresses that tell of a step of learning: on a photo, or on the run's own next batch."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from seethrough.serve import answers, wire
from seethrough.serve.answers import Floats, Picture
from seethrough.serve.desk import TheDesk
from seethrough.serve.looks import floats_of
from seethrough.serve.question import StepQuestion
from seethrough.serve.routes_inside import Index, Moment, Weights
from seethrough.serve.steps import Place
from seethrough.serve.tellings import parameter_floats, update_message

router = APIRouter(prefix="/api/runs/{run}/photos/{photo}")


class Asked:
    """Which steps, of which photo, in which network."""

    def __init__(
        self,
        desk: TheDesk,
        run: str,
        photo: str,
        question: Annotated[StepQuestion, Depends()],
        weights_sha256: Weights = None,
        step: Moment = None,
    ) -> None:
        self.desk, self.question = desk, question
        self._run, self._photo, self._sha256, self._step = run, photo, weights_sha256, step

    def place(self) -> Place:
        """Where the page looks; for the worker."""
        look = self.desk.look(self._run, self._photo, self._sha256, self._step)
        return Place(look, self._run, self._step)


The = Annotated[Asked, Depends()]


@router.get("/learning-step")
async def learning_step(asked: The, request: Request) -> wire.LearningStepMessage:
    """What learning would change, by the run's optimizer; the run stays as it is."""
    steps = asked.desk.steps
    return await asked.desk.worker.do_while_wanted(
        request, lambda breath: steps.message(asked.place(), asked.question, breath)
    )


@router.get("/activations-after", response_class=Floats)
async def activations_after(asked: The, request: Request) -> Response:
    """Every layer's output after the steps, at the offsets that the trace tells."""
    steps = asked.desk.steps
    content = await asked.desk.worker.do_while_wanted(
        request, lambda breath: floats_of(steps.after(asked.place(), asked.question, breath))
    )
    return Floats(content)


@router.get("/learning-parameter", response_class=Floats)
async def learning_parameter(asked: The, request: Request, name: str) -> Response:
    """One learned parameter before the last step, and behind it the gradient that it follows."""
    steps = asked.desk.steps
    array = await asked.desk.worker.do_while_wanted(
        request,
        lambda breath: parameter_floats(steps.change(asked.place(), asked.question, breath), name),
    )
    return answers.floats(array)


@router.get("/learning-update")
async def learning_update(
    asked: The, request: Request, name: str, index: Index
) -> wire.UpdateMessage:
    """How one weight changes in the last step, line by line."""
    steps = asked.desk.steps
    return await asked.desk.worker.do_while_wanted(
        request,
        lambda breath: update_message(
            steps.change(asked.place(), asked.question, breath), name, index
        ),
    )


@router.get("/learning-photos", response_class=Picture)
async def learning_photos(asked: The, request: Request) -> Response:
    """The photos of the last batch as its step took them: side by side, the first 256, as PNG."""
    steps = asked.desk.steps
    png = await asked.desk.worker.do_while_wanted(
        request, lambda breath: steps.pictures(asked.place(), asked.question, breath)
    )
    return Picture(png, headers={"cache-control": "no-store"})


@router.get("/learning-pulls")
async def learning_pulls(
    asked: The, request: Request, name: str, index: Index
) -> wire.PullsMessage:
    """How much each photo of the last batch pulls at one weight; the shown digits add up."""
    steps = asked.desk.steps
    return await asked.desk.worker.do_while_wanted(
        request,
        lambda breath: steps.pulls(asked.place(), asked.question, name, index, breath),
    )

"""The addresses that look inside a network: forwards for a photo, backwards from a class.

A way back begins at the loss −log p of one class: `label`, or without it the photo's own.
"""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from seethrough.serve import answers, wire
from seethrough.serve.answers import Floats
from seethrough.serve.desk import TheDesk
from seethrough.serve.looks import gradients_of
from seethrough.serve.question import Label
from seethrough.serve.tellings import check_message

router = APIRouter(prefix="/api/runs/{run}/photos/{photo}")

Cell = Annotated[int | None, Query(ge=0)]
Unit = Annotated[int, Query(ge=0)]
Weights = Annotated[
    str | None,
    Query(description="Of the trace that is on screen; 409 when the network has learned on since."),
]
Moment = Annotated[
    int | None,
    Query(ge=0, description="As the network was after this step: one of the run's moments."),
]
Index = Annotated[list[int], Query(description="The parameter's place: one number for each axis.")]


@router.get("/trace")
async def trace(
    desk: TheDesk, request: Request, run: str, photo: str, step: Moment = None
) -> wire.TraceMessage:
    """The photo's way through the network: what each layer is, and where its numbers lie."""
    return await desk.worker.do(request, lambda: desk.look(run, photo, step=step).message)


@router.get("/activations", response_class=Floats)
async def activations(
    desk: TheDesk,
    request: Request,
    run: str,
    photo: str,
    weights_sha256: Weights = None,
    step: Moment = None,
) -> Response:
    """Every layer's output, one after another, at the offsets that the trace tells."""
    content = await desk.worker.do(
        request, lambda: desk.look(run, photo, weights_sha256, step).floats()
    )
    return Floats(content)


@router.get("/equation")
async def equation(
    desk: TheDesk,
    request: Request,
    run: str,
    photo: str,
    layer: str,
    unit: Unit,
    row: Cell = None,
    column: Cell = None,
    weights_sha256: Weights = None,
    step: Moment = None,
) -> wire.EquationMessage:
    """The arithmetic behind one activation; the shown digits add up."""
    found = await desk.worker.do(
        request,
        lambda: desk.look(run, photo, weights_sha256, step).trace.equation(
            layer, unit=unit, row=row, column=column
        ),
    )
    return wire.EquationMessage.model_validate(found.to_dict())


@router.get("/partials", response_class=Floats)
async def partials(
    desk: TheDesk,
    request: Request,
    run: str,
    photo: str,
    layer: str,
    unit: Unit,
    weights_sha256: Weights = None,
    step: Moment = None,
) -> Response:
    """One map for each input channel, before they are added up; shape in the header X-Shape."""
    maps = await desk.worker.do(
        request,
        lambda: desk.look(run, photo, weights_sha256, step).trace.partials(layer, unit),
    )
    return answers.floats(maps)


# ---------------------------------------------------------------- backwards


@router.get("/backward")
async def backward(
    desk: TheDesk,
    request: Request,
    run: str,
    photo: str,
    label: Label = None,
    weights_sha256: Weights = None,
    step: Moment = None,
) -> wire.BackwardMessage:
    """What came back from the loss: to which layers and parameters, and where it lies."""
    return await desk.worker.do(
        request, lambda: desk.look(run, photo, weights_sha256, step).back(label).message
    )


@router.get("/gradients", response_class=Floats)
async def gradients(
    desk: TheDesk,
    request: Request,
    run: str,
    photo: str,
    label: Label = None,
    weights_sha256: Weights = None,
    step: Moment = None,
) -> Response:
    """The gradient at the photo and at every layer, at the offsets that `backward` tells."""
    content = await desk.worker.do(
        request, lambda: desk.look(run, photo, weights_sha256, step).back(label).floats()
    )
    return Floats(content)


@router.get("/gradient-equation")
async def gradient_equation(
    desk: TheDesk,
    request: Request,
    run: str,
    photo: str,
    layer: str,
    unit: Unit,
    row: Cell = None,
    column: Cell = None,
    label: Label = None,
    weights_sha256: Weights = None,
    step: Moment = None,
) -> wire.EquationMessage:
    """The arithmetic behind the gradient at one cell of a layer or of the photo."""
    found = await desk.worker.do(
        request,
        lambda: (
            desk.look(run, photo, weights_sha256, step)
            .back(label)
            .backward.equation(layer, unit, row, column)
        ),
    )
    return wire.EquationMessage.model_validate(found.to_dict())


@router.get("/parameter-gradients", response_class=Floats)
async def parameter_gradients(
    desk: TheDesk,
    request: Request,
    run: str,
    photo: str,
    layer: str,
    name: str = "weight",
    label: Label = None,
    weights_sha256: Weights = None,
    step: Moment = None,
) -> Response:
    """What came back to a learned parameter; its shape stands in the header X-Shape."""
    array = await desk.worker.do(
        request,
        lambda: gradients_of(desk.look(run, photo, weights_sha256, step).back(label), layer, name),
    )
    return answers.floats(array)


@router.get("/parameter-equation")
async def parameter_equation(
    desk: TheDesk,
    request: Request,
    run: str,
    photo: str,
    layer: str,
    index: Index,
    name: str = "weight",
    label: Label = None,
    weights_sha256: Weights = None,
    step: Moment = None,
) -> wire.EquationMessage:
    """The arithmetic behind the gradient of one learned number."""
    found = await desk.worker.do(
        request,
        lambda: (
            desk.look(run, photo, weights_sha256, step)
            .back(label)
            .backward.parameter_equation(layer, name, *index)
        ),
    )
    return wire.EquationMessage.model_validate(found.to_dict())


@router.get("/gradient-check")
async def gradient_check(
    desk: TheDesk,
    request: Request,
    run: str,
    photo: str,
    name: str,
    index: Index,
    label: Label = None,
    weights_sha256: Weights = None,
    step: Moment = None,
) -> wire.GradientCheckMessage:
    """The gradient of one weight (conv1.weight), tried by moving the weight to both sides."""
    return await desk.worker.do_while_wanted(
        request,
        lambda breath: check_message(
            desk.look(run, photo, weights_sha256, step).check(label, name, index, breath)
        ),
    )

"""Every address of the API, as a list to read: parse, call one function, answer.

Runs, photos and layers are named by id, never by path. Arrays travel as little-endian float32.
What needs torch goes through the worker; everything else has threads of its own. Looking inside has
its addresses in `routes_inside`.
"""

from typing import Annotated, Literal

from anyio.to_thread import run_sync
from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import StreamingResponse

from seethrough.evaluate.several import SeveralReport
from seethrough.runs import launch, steering
from seethrough.serve import answers, kernels, wire
from seethrough.serve.answers import Floats, Picture
from seethrough.serve.body import picture_bytes, picture_name
from seethrough.serve.desk import TheDesk
from seethrough.serve.photos import Order, SplitName
from seethrough.serve.stream import start_of

router = APIRouter(prefix="/api")

PICTURE_BODY: dict[str, object] = {
    "requestBody": {
        "required": True,
        "content": {"image/*": {"schema": {"type": "string", "format": "binary"}}},
    }
}
Moment = Annotated[
    int | None,
    Query(ge=0, description="As the network was after this step: one of the run's moments."),
]
PhotoName = Annotated[
    str | None, Header(alias="X-Photo-Name", description="The file's name, percent-encoded.")
]


class EventStream(StreamingResponse):
    """Server-sent events."""

    media_type = "text/event-stream"


# ---------------------------------------------------------------- runs


@router.get("/window")
def window(desk: TheDesk) -> wire.WindowMessage:
    """Session facts the page needs before anything else."""
    opening = desk.opening.message if desk.opening is not None else None
    return answers.window(desk.shelf.summaries(), opening)


@router.get("/runs")
def runs(desk: TheDesk) -> list[wire.RunSummary]:
    """Every run, newest first."""
    return [answers.summary(found) for found in desk.shelf.summaries()]


@router.get("/opened")
def opened(desk: TheDesk) -> list[wire.OpenedMessage]:
    """The networks that were opened and are no runs; `{run}` may be the id of one."""
    return [answers.opened(each) for each in desk.shelf.opened.values()]


@router.get("/runs/{run}")
def run_detail(desk: TheDesk, run: str) -> wire.RunDetail:
    """Everything about a run but its log."""
    return answers.detail(desk.shelf.run(run))


@router.get(
    "/runs/{run}/events",
    response_class=EventStream,
    responses={
        200: {"model": wire.LogEvent, "description": "One line of the log an event."},
        204: {"description": "Nothing came after that offset, and nothing will: do not reconnect."},
    },
)
async def run_events(
    desk: TheDesk,
    run: str,
    after: Annotated[int, Query(ge=0, description="Byte offset to go on from.")] = 0,
    last_event_id: Annotated[int | None, Header(ge=0)] = None,
) -> Response:
    """The run's log from `after` on; follows it while the run trains, closes after `end`."""
    desk.audience.check()
    found = await run_sync(desk.shelf.run, run)
    log = found.folder / "log.jsonl"
    offset = start_of(log, after if last_event_id is None else last_event_id)
    if 0 < offset == log.stat().st_size and await run_sync(answers.end, found) is not None:
        return Response(status_code=204)
    return EventStream(desk.follow(found, log, offset))


@router.post("/runs/{run}/stop")
def stop_run(desk: TheDesk, run: str) -> wire.RunSummary:
    """Stop the training at its next step; what was learned so far stays."""
    found = desk.shelf.run(run)
    launch.stop(found)
    return answers.summary(found.summary)


@router.post("/runs/{run}/steer")
def steer_run(
    desk: TheDesk,
    run: str,
    *,
    is_paused: bool | None = None,
    rate_factor: Annotated[float | None, Query(description="Of the planned rate.")] = None,
) -> wire.RunSummary:
    """Ask a training to hold after its next step, to go on, or to learn at another rate."""
    found = desk.shelf.run(run)
    steering.ask(found.folder, is_paused=is_paused, rate_factor=rate_factor)
    return answers.summary(found.summary)


@router.get("/runs/{run}/report")
def run_report(desk: TheDesk, run: str) -> wire.ReportMessage | wire.SeveralReportMessage:
    """How good the network is on photos it never saw."""
    report = desk.shelf.run(run).report
    if isinstance(report, SeveralReport):
        return wire.SeveralReportMessage.model_validate(report.to_dict())
    return wire.ReportMessage.model_validate(report.to_dict())


@router.get("/runs/{run}/weights", response_class=Floats)
async def layer_weights(
    desk: TheDesk,
    request: Request,
    run: str,
    layer: str,
    part: Literal["weight", "bias"] = "weight",
    step: Moment = None,
) -> Response:
    """A layer's weights; their shape stands in the header X-Shape."""
    found = await run_sync(desk.shelf.subject, run)
    array = await desk.worker.do(
        request, lambda: kernels.weights(desk.shelf.network(found, step).classifier, layer, part)
    )
    return answers.floats(array)


@router.post("/runs/{run}/predict", openapi_extra=PICTURE_BODY, response_model_exclude_unset=True)
async def predict(
    desk: TheDesk, request: Request, run: str, x_photo_name: PhotoName = None
) -> wire.PredictionMessage:
    """Judge the picture in the body; nothing of it is kept."""
    found = await run_sync(desk.shelf.subject, run)
    async with desk.uploads:
        content, name = await picture_bytes(request), picture_name(x_photo_name)
        judged = await desk.worker.do(
            request, lambda: desk.shelf.network(found).classifier.predict(content, name=name)
        )
    return wire.PredictionMessage.model_validate(judged.to_dict())


# ---------------------------------------------------------------- photos


@router.get("/runs/{run}/photos")
def photos(
    desk: TheDesk,
    run: str,
    split: SplitName | None = None,
    label: str | None = None,
    predicted: str | None = None,
    order: Order = "file",
    limit: Annotated[int, Query(ge=1, le=1000)] = 60,
    offset: Annotated[int, Query(ge=0)] = 0,
) -> wire.PhotoList:
    """Photos of one split, filtered and in order; without one, those it did not learn from."""
    album = desk.album(run)
    return album.page(
        split, label=label, predicted=predicted, order=order, limit=limit, offset=offset
    )


@router.post("/runs/{run}/photos", openapi_extra=PICTURE_BODY, status_code=201)
async def drop_photo(
    desk: TheDesk, request: Request, run: str, x_photo_name: PhotoName = None
) -> wire.Photo:
    """Hand in a picture to look at; it stays in memory until the server ends or needs the room."""
    async with desk.uploads:
        content, name = await picture_bytes(request), picture_name(x_photo_name)
        return await desk.worker.do(request, lambda: desk.drop(run, content, name))


@router.get("/runs/{run}/photos/{photo}")
def photo(desk: TheDesk, run: str, photo: str) -> wire.Photo:
    """One photo, and what the finished network said of it."""
    return desk.album(run).opened(photo)[0]


@router.get("/runs/{run}/photos/{photo}/image", response_class=Picture)
def photo_image(desk: TheDesk, run: str, photo: str, *, fitted: bool = False) -> Response:
    """The picture as PNG: as it was found, or exactly the pixels that the network reads."""
    album = desk.album(run)
    return answers.picture(album.fitted(photo) if fitted else album.shown(photo))

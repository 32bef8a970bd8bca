"""Every address of the server, as a list to read: parse, call one function, answer.

Runs, photos and layers are named by id, never by path. Arrays travel as little-endian float32.
"""

from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import StreamingResponse

from seethrough.errors import ServerError
from seethrough.serve import wire

router = APIRouter(prefix="/api")

PICTURE_BODY: dict[str, object] = {
    "requestBody": {
        "required": True,
        "content": {"image/*": {"schema": {"type": "string", "format": "binary"}}},
    }
}

SplitName = Literal["train", "validation", "test", "dropped"]
Order = Literal["sure", "unsure", "file"]
Cell = Annotated[int | None, Query(ge=0)]
Unit = Annotated[int, Query(ge=0)]
Weights = Annotated[
    str | None,
    Query(description="Of the trace that is on screen; 409 when the network has learned on since."),
]
PhotoName = Annotated[
    str | None, Header(alias="X-Photo-Name", description="The file's name, percent-encoded.")
]


class EventStream(StreamingResponse):
    """Server-sent events."""

    media_type = "text/event-stream"


class Floats(Response):
    """Little-endian float32."""

    media_type = "application/octet-stream"


class Picture(Response):
    """A picture that was decoded and written anew: nothing of the file's own bytes."""

    media_type = "image/png"


def _soon() -> ServerError:
    return ServerError("This is not built yet.", why="the room is new.", fix="wait for it.")


@router.get("/window")
async def window() -> wire.WindowMessage:
    """Session facts the page needs before anything else."""
    raise _soon()


@router.get("/runs")
async def runs() -> list[wire.RunSummary]:
    """Every run, newest first."""
    raise _soon()


@router.get("/runs/{run}")
async def run_detail(run: str) -> wire.RunDetail:
    """Everything about a run but its log."""
    raise _soon()


@router.get(
    "/runs/{run}/events",
    response_class=EventStream,
    responses={200: {"model": wire.LogEvent, "description": "One log line an event."}},
)
async def run_events(
    run: str,
    after: Annotated[int | None, Query(ge=0, description="Byte offset to go on from.")] = None,
    last_event_id: Annotated[str | None, Header()] = None,
) -> EventStream:
    """The run's log from `after` on; follows it while the run trains, closes after `end`."""
    raise _soon()


@router.post("/runs/{run}/stop")
async def stop_run(run: str) -> wire.RunSummary:
    """Stop the training; what was learned so far stays."""
    raise _soon()


@router.get("/runs/{run}/report")
async def run_report(run: str) -> wire.ReportMessage:
    """How good the network is on photos it never saw."""
    raise _soon()


@router.get("/runs/{run}/weights", response_class=Floats)
async def layer_weights(
    run: str, layer: str, part: Literal["weight", "bias"] = "weight"
) -> Response:
    """A layer's weights; their shape stands in the header X-Shape."""
    raise _soon()


@router.post("/runs/{run}/predict", openapi_extra=PICTURE_BODY)
async def predict(run: str, x_photo_name: PhotoName = None) -> wire.PredictionMessage:
    """Judge the picture in the body; nothing of it is kept."""
    raise _soon()


@router.get("/runs/{run}/photos")
async def photos(
    run: str,
    split: SplitName = "test",
    label: str | None = None,
    predicted: str | None = None,
    order: Order = "file",
    limit: Annotated[int, Query(ge=1, le=1000)] = 60,
    offset: Annotated[int, Query(ge=0)] = 0,
) -> wire.PhotoList:
    """Photos of one split, filtered and in order."""
    raise _soon()


@router.post("/runs/{run}/photos", openapi_extra=PICTURE_BODY, status_code=201)
async def drop_photo(run: str, x_photo_name: PhotoName = None) -> wire.Photo:
    """Hand in a picture to look at; it stays in memory until the server ends or needs the room."""
    raise _soon()


@router.get("/runs/{run}/photos/{photo}")
async def photo(run: str, photo: str) -> wire.Photo:
    """One photo and what the network says of it."""
    raise _soon()


@router.get("/runs/{run}/photos/{photo}/image", response_class=Picture)
async def photo_image(run: str, photo: str, *, fitted: bool = False) -> Response:
    """The picture as PNG: as it was found, or exactly the pixels that the network reads."""
    raise _soon()


@router.get("/runs/{run}/photos/{photo}/trace")
async def trace(run: str, photo: str) -> wire.TraceMessage:
    """The photo's way through the network: what each layer is, and where its numbers lie."""
    raise _soon()


@router.get("/runs/{run}/photos/{photo}/activations", response_class=Floats)
async def activations(run: str, photo: str, weights_sha256: Weights = None) -> Response:
    """Every layer's output, one after another, at the offsets that the trace tells."""
    raise _soon()


@router.get("/runs/{run}/photos/{photo}/equation")
async def equation(
    run: str,
    photo: str,
    layer: str,
    unit: Unit,
    row: Cell = None,
    column: Cell = None,
    weights_sha256: Weights = None,
) -> wire.EquationMessage:
    """The arithmetic behind one activation; the shown digits add up."""
    raise _soon()


@router.get("/runs/{run}/photos/{photo}/partials", response_class=Floats)
async def partials(
    run: str, photo: str, layer: str, unit: Unit, weights_sha256: Weights = None
) -> Response:
    """One map for each input channel, before they are added up; shape in the header X-Shape."""
    raise _soon()

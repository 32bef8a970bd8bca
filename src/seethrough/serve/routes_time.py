"""The addresses that look at a run through time, moment by moment.

Every other address that looks inside takes a moment's `step` too. What takes all moments is done
one moment at a time, so that other questions are answered in between.
"""

from collections.abc import Iterator
from typing import Annotated, Literal, TypeVar

import numpy as np
from anyio.to_thread import run_sync
from fastapi import APIRouter, Query, Request, Response

from seethrough.runs.folder import Run
from seethrough.serve import answers, past, wire
from seethrough.serve.answers import Film, Floats
from seethrough.serve.desk import Desk, TheDesk
from seethrough.serve.timelines import timeline_message

T = TypeVar("T")
Units = Annotated[
    list[Annotated[int, Query(ge=0)]] | None, Query(description="Only these, in this order.")
]

router = APIRouter(prefix="/api/runs/{run}")


async def _in_turns(desk: Desk, request: Request, parts: Iterator[T]) -> list[T]:
    """Everything that an iterator gives, each piece in a turn of its own."""
    found: list[T] = []
    while piece := await desk.worker.do(request, lambda: [*_next(parts)]):
        found += piece
    return found


def _next(parts: Iterator[T]) -> Iterator[T]:
    for part in parts:
        yield part
        return


@router.get("/moments")
def moments(desk: TheDesk, run: str) -> wire.MomentsMessage:
    """The steps after which the network was kept as it was."""
    return past.moments(desk.shelf.run(run))


@router.get("/moments/kernels", response_class=Floats)
async def kernels_over_time(
    desk: TheDesk, request: Request, run: str, layer: str, unit: Units = None
) -> Response:
    """A layer's weights at every moment: one axis more than `weights`, first, in X-Shape."""
    found = await run_sync(desk.shelf.run, run)
    array = await desk.worker.do(request, lambda: past.kernels(found, layer, unit or []))
    return answers.floats(array)


@router.get("/moments/timeline")
async def timeline(desk: TheDesk, request: Request, run: str) -> wire.TimelineMessage:
    """Some test photos at every moment: when they were learned, and which units died."""
    found = await _watched(desk, request, run)
    told = await desk.worker.do(request, lambda: desk.timelines.timeline(found))
    return timeline_message(told, found.manifest.dataset.classes)


@router.get("/moments/positions", response_class=Floats)
async def positions(desk: TheDesk, request: Request, run: str) -> Response:
    """Where the timeline's photos stand in feature space: moments, photos, 2 in X-Shape."""
    found = await _watched(desk, request, run)
    told = await desk.worker.do(request, lambda: desk.timelines.timeline(found))
    return answers.floats(told.positions)


@router.get("/photos/{photo}/moments")
async def photo_moments(
    desk: TheDesk, request: Request, run: str, photo: str
) -> wire.PhotoMomentsMessage:
    """What the network said of a photo at every moment, and when it was learned."""
    album = desk.run_album(run)
    opened, pixels = await desk.worker.do(request, lambda: album.opened(photo))
    said = await _in_turns(desk, request, past.probabilities(album.run, pixels))
    return past.photo_moments(album.run, opened, said)


@router.get("/photos/{photo}/moments/maps", response_class=Floats)
async def maps_over_time(
    desk: TheDesk,
    request: Request,
    run: str,
    photo: str,
    layer: str,
    unit: Units = None,
) -> Response:
    """A layer's output for the photo at every moment: one axis more, first, in X-Shape."""
    album = desk.run_album(run)
    _, pixels = await desk.worker.do(request, lambda: album.opened(photo))
    frames = await _in_turns(desk, request, past.maps(album.run, pixels, layer, unit or []))
    return answers.floats(np.stack(frames))


@router.get("/photos/{photo}/moments/film", response_class=Film)
async def film(
    desk: TheDesk,
    request: Request,
    run: str,
    photo: str,
    layer: Annotated[str | None, Query(description="A convolution; none: the first.")] = None,
    kind: Literal["gif", "webp"] = "gif",
) -> Response:
    """A picture of every moment, one after the other: kernels, maps and probabilities."""
    album = desk.run_album(run)
    opened, pixels = await desk.worker.do(request, lambda: album.opened(photo))
    shown = await _in_turns(desk, request, past.frames(album.run, pixels, layer))
    content = await run_sync(past.film, album.run, pixels, opened.label, shown, kind)
    return answers.film(content, f"{album.run.id}-{photo}.{kind}")


async def _watched(desk: Desk, request: Request, run: str) -> Run:
    found = await run_sync(desk.shelf.run, run)
    await _in_turns(desk, request, desk.timelines.watch(found))
    return found

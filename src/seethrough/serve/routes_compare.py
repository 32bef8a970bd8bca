"""The addresses that put a second network beside the first.

Maps, weights and equations of either come from its own addresses; here stands what takes both.
`step` and `other_step` name moments of the runs; without them both are as they are now.
"""

from typing import Annotated

from anyio.to_thread import run_sync
from fastapi import APIRouter, Query, Request

from seethrough.serve import wire
from seethrough.serve.comparisons import Moment, disagreements, photo_pair
from seethrough.serve.desk import Desk, TheDesk

router = APIRouter(prefix="/api/runs/{run}/compare/{other}")

Step = Annotated[
    int | None, Query(ge=0, description="As the first run's network was after this step.")
]
OtherStep = Annotated[
    int | None, Query(ge=0, description="As the second run's network was after this step.")
]


@router.get("")
async def comparison(
    desk: TheDesk,
    request: Request,
    run: str,
    other: str,
    step: Step = None,
    other_step: OtherStep = None,
) -> wire.ComparisonMessage:
    """What the second was told differently, and who is right where."""
    pair = await _pair(desk, (run, step), (other, other_step))
    return await desk.worker.do(request, lambda: desk.comparisons.message(*pair))


@router.get("/photos")
async def comparison_photos(
    desk: TheDesk,
    request: Request,
    run: str,
    other: str,
    step: Step = None,
    other_step: OtherStep = None,
    right: Annotated[
        wire.Right | None, Query(description="Only those that this one names right.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 60,
    offset: Annotated[int, Query(ge=0)] = 0,
) -> wire.DisagreementList:
    """The test photos of which they name different classes, the most different first."""
    pair = await _pair(desk, (run, step), (other, other_step))
    judged = await desk.worker.do(request, lambda: desk.comparisons.judged(*pair))
    return disagreements(judged, right, limit=limit, offset=offset)


@router.get("/photos/{photo}")
def comparison_photo(desk: TheDesk, run: str, other: str, photo: str) -> wire.PhotoPairMessage:
    """The same photo for both, whatever each calls it."""
    return photo_pair(desk.run_album(run), desk.run_album(other), photo)


@router.get("/matching")
async def matching(
    desk: TheDesk,
    request: Request,
    run: str,
    other: str,
    step: Step = None,
    other_step: OtherStep = None,
) -> wire.MatchingMessage:
    """Which unit of the second does what each unit of the first does."""
    pair = await _pair(desk, (run, step), (other, other_step))
    return await desk.worker.do(request, lambda: desk.comparisons.matching(*pair))


async def _pair(
    desk: Desk, first: tuple[str, int | None], second: tuple[str, int | None]
) -> tuple[Moment, Moment]:
    """Both runs, found in a thread: their manifests are read."""
    one = await run_sync(desk.shelf.run, first[0])
    other = await run_sync(desk.shelf.run, second[0])
    return (one, first[1]), (other, second[1])

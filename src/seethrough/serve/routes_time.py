"""The addresses that look at a run through time, moment by moment.

Every other address that looks inside takes a moment's `step` too.
"""

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request, Response

from seethrough.serve import answers, past, wire
from seethrough.serve.answers import Floats
from seethrough.serve.desk import TheDesk

router = APIRouter(prefix="/api/runs/{run}")


@router.get("/moments")
def moments(desk: TheDesk, run: str) -> wire.MomentsMessage:
    """The steps after which the network was kept as it was."""
    return past.moments(desk.shelf.run(run))


@router.get("/moments/kernels", response_class=Floats)
async def kernels_over_time(desk: TheDesk, request: Request, run: str, layer: str) -> Response:
    """A layer's weights at every moment: one axis more than `weights`, first, in X-Shape."""
    found = await run_sync(desk.shelf.run, run)
    array = await desk.worker.do(request, lambda: past.kernels(found, layer))
    return answers.floats(array)

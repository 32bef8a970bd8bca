"""The address that keeps what was tried: a network with changes by hand, as a new run.

It is judged in a process of its own, which outlives the server; the run that it was copied from
stays as it is.
"""

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request

from seethrough.runs.folder import Run
from seethrough.serve import answers, wire
from seethrough.serve.desk import Desk, TheDesk
from seethrough.serve.looks import check_same
from seethrough.serve.routes_try import BoundedRoute
from seethrough.serve.trying import change_of

router = APIRouter(prefix="/api/runs/{run}", route_class=BoundedRoute)


@router.post("/keep", status_code=201)
async def keep(
    desk: TheDesk, request: Request, run: str, question: wire.WhatIfQuestion
) -> wire.RunSummary:
    """Keep the changed network as a run; the photo and the temperature are no part of it."""
    from seethrough.runs import launch

    new = await desk.worker.do(request, lambda: _kept(desk, run, question))
    await run_sync(launch.launch, new)
    return answers.summary(new.summary)


def _kept(desk: Desk, run: str, question: wire.WhatIfQuestion) -> Run:
    from seethrough.runs.edited import edited

    found = desk.shelf.run(run)
    network = desk.shelf.network(found, question.step)
    check_same(network, question.weights_sha256)
    return edited(
        found,
        change_of(question),
        step=question.step,
        dataset=desk.shelf.dataset(found),
        runs_dir=desk.shelf.runs_dir,
    )

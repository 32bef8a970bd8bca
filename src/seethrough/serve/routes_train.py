"""The addresses that begin something: a range test of learning rates, and another training.

Both work in processes of their own: the server's torch is never used for learning.
"""

from typing import Annotated

from anyio.to_thread import run_sync
from fastapi import APIRouter, Header, Query, Response

from seethrough.serve import answers, wire
from seethrough.serve.desk import TheDesk
from seethrough.serve.rate_tests import told
from seethrough.serve.routes import EventStream

router = APIRouter(prefix="/api/runs/{run}")


@router.get("/range-test")
def range_test(desk: TheDesk, run: str) -> wire.RangeTestMessage:
    """Where the run's newest range test stands."""
    return desk.rate_tests.message(desk.shelf.run(run))


@router.post("/range-test", status_code=201)
def start_range_test(desk: TheDesk, run: str) -> wire.RangeTestMessage:
    """Try growing learning rates on the run's photos and an untrained network of its kind."""
    return desk.rate_tests.start(desk.shelf.run(run))


@router.post("/range-test/stop")
def stop_range_test(desk: TheDesk, run: str) -> wire.RangeTestMessage:
    """End the range test; nothing was written."""
    return desk.rate_tests.stop(desk.shelf.run(run))


@router.get(
    "/range-test/events",
    response_class=EventStream,
    responses={
        200: {"model": wire.RangeTestEvent, "description": "One line of the test an event."},
        204: {"description": "It has ended, and all of it was told: do not reconnect."},
    },
)
async def range_test_events(
    desk: TheDesk,
    run: str,
    after: Annotated[int, Query(ge=0, description="Events that are known already.")] = 0,
    last_event_id: Annotated[int | None, Header(ge=0)] = None,
) -> Response:
    """The newest range test from its start, and on while it goes on."""
    desk.audience.check()
    test = desk.rate_tests.test(await run_sync(desk.shelf.run, run))
    known = after if last_event_id is None else last_event_id
    if test.message.state != "trying" and known >= len(test.events):
        return Response(status_code=204)
    return EventStream(told(test, known, desk.audience, desk.is_closing))


@router.post("/again", status_code=201)
def train_again(
    desk: TheDesk,
    run: str,
    *,
    peak_lr: Annotated[float | None, Query(description="The largest learning rate.")] = None,
    epochs: Annotated[int | None, Query(description="Times through the photos.")] = None,
    seed: Annotated[int | None, Query(description="Of weights, order and variation.")] = None,
) -> wire.RunSummary:
    """Begin a new run like this one, but for the values that are given; it trains on its own."""
    from seethrough.runs import launch
    from seethrough.runs.again import again

    found = desk.shelf.run(run)
    given = {"peak_lr": peak_lr, "epochs": epochs, "seed": seed}
    changes = {name: value for name, value in given.items() if value is not None}
    dataset = desk.shelf.dataset(found)
    new = again(found, changes, dataset=dataset, runs_dir=desk.shelf.runs_dir)
    launch.launch(new)
    return answers.summary(new.summary)

"""The addresses that change something on a copy: of the network, of the photo.

The run on the disk stays as it is. A question is JSON, counted while it arrives.
"""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Query, Request, Response
from fastapi.routing import APIRoute

from seethrough.serve import wire
from seethrough.serve.answers import Floats
from seethrough.serve.body import WHOLE_S
from seethrough.serve.desk import TheDesk
from seethrough.serve.refusal import Refusal

LIMIT_BYTES = 400_000  # 4,096 painted pixels, 256 weights and 256 units fit in


class BoundedRoute(APIRoute):
    """Takes in a body only up to LIMIT_BYTES, and only JSON, before anything reads it."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """What the web framework does, after the body was counted."""
        answer = super().get_route_handler()

        async def counted(request: Request) -> Response:
            if request.method == "POST":
                request._body = await _json_bytes(request)
            return await answer(request)

        return counted


router = APIRouter(prefix="/api/runs/{run}/photos/{photo}/what-if", route_class=BoundedRoute)


@router.post("")
async def what_if(
    desk: TheDesk, request: Request, run: str, photo: str, question: wire.WhatIfQuestion
) -> wire.WhatIfMessage:
    """What the network would say with something changed, and which units that reaches."""
    return await desk.worker.do(
        request,
        lambda: desk.look(run, photo, question.weights_sha256, question.step).what_if(question),
    )


@router.post("/whole", response_class=Floats)
async def what_if_whole(
    desk: TheDesk, request: Request, run: str, photo: str, question: wire.WhatIfQuestion
) -> Response:
    """The answer and its activations in one: length of the JSON, the JSON, floats."""
    content = await desk.worker.do(
        request,
        lambda: desk.look(run, photo, question.weights_sha256, question.step).what_if_whole(
            question
        ),
    )
    return Floats(content)


@router.get("/activations", response_class=Floats)
async def what_if_activations(
    desk: TheDesk,
    request: Request,
    run: str,
    photo: str,
    change_id: Annotated[str, Query(description="Of the answer whose numbers these are.")],
    weights_sha256: str | None = None,
    step: Annotated[int | None, Query(ge=0)] = None,
) -> Response:
    """Every layer's output with the change, at the trace's offsets; then the altered photo."""
    content = await desk.worker.do(
        request, lambda: desk.look(run, photo, weights_sha256, step).tried_floats(change_id)
    )
    return Floats(content)


async def _json_bytes(request: Request) -> bytes:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Refusal(
            415,
            f"A body of type {kind[:80] or 'nothing'} is not taken.",
            why="this address takes a question as JSON.",
            fix="send it with Content-Type application/json.",
        )
    pieces: list[bytes] = []
    size = 0
    with anyio.move_on_after(WHOLE_S) as scope:
        async for piece in request.stream():
            size += len(piece)
            if size > LIMIT_BYTES:
                raise Refusal(
                    413,
                    f"The question is larger than {LIMIT_BYTES // 1000} kB.",
                    why="larger bodies are not taken in, so that memory stays free.",
                    fix="change less at once.",
                )
            pieces.append(piece)
    if scope.cancelled_caught:
        raise Refusal(
            408,
            "The question stopped arriving.",
            why=f"not all of it came within {WHOLE_S:.0f} s.",
            fix="send it again.",
        )
    return b"".join(pieces)

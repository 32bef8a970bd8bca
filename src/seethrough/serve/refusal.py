"""How a refused request is answered: always the same three parts, what, why and how to fix it.

400 the request itself   401 no token   403 wrong host or origin   404 no such thing
409 not in this state    413 too large  415 wrong kind of body     422 cannot be used
503 too busy, disk full  500 our own mistake: an id only, its traceback goes to the terminal
"""

import logging
import secrets

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from seethrough.errors import (
    CheckpointError,
    LayerError,
    RunError,
    SeethroughError,
    ServerError,
    StorageError,
)
from seethrough.serve.wire import ErrorMessage

log = logging.getLogger("seethrough.serve")


class Refusal(ServerError):  # noqa: N818  it is an answer
    """A request that is answered with `status` instead of what it asked for."""

    def __init__(self, status: int, what: str, why: str, fix: str) -> None:
        super().__init__(what, why, fix)
        self.status = status


def status_of(error: SeethroughError) -> int:
    """The HTTP status that fits an error of the tree."""
    match error:
        case Refusal():
            return error.status
        case LayerError():
            return 404
        case RunError() | CheckpointError():
            return 409
        case StorageError() | ServerError():
            return 503
        case _:
            return 422


def answer(error: SeethroughError) -> Response:
    """The error as its three parts."""
    message = ErrorMessage(what=error.what, why=error.why, fix=error.fix)
    return JSONResponse(message.model_dump(), status_code=status_of(error))


def nothing_here() -> Refusal:
    """For an address that no route has."""
    return Refusal(
        404,
        "There is nothing at this address.",
        why="no page and no part of the API has this name.",
        fix="start at / or see /api/openapi.json.",
    )


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, SeethroughError)
    return answer(error)


async def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place, name = first["loc"][0], ".".join(str(part) for part in first["loc"][1:])
    return answer(
        Refusal(
            422,
            f"{name} is not what this address takes.",
            why=f"{first['msg']} (found in the {place}).",
            fix="correct it; /api/openapi.json lists what every address takes.",
        )
    )


async def _http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        refusal = nothing_here()
    else:
        refusal = Refusal(
            error.status_code,
            f"This request is refused: {error.detail}.",
            why="the address is there, and answers to other methods or bodies.",
            fix="see /api/openapi.json for what every address takes.",
        )
    response = answer(refusal)
    response.headers.update(error.headers or {})
    return response


class OwnMistakes:
    """Answers what nobody expected with an id and prints the traceback to the terminal."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and catch what comes back."""
        has_started = False

        async def noticing(message: Message) -> None:
            nonlocal has_started
            has_started = has_started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, noticing)
        except Exception:
            mistake = secrets.token_hex(4)
            log.exception("mistake %s at %r", mistake, scope.get("path"))
            if has_started or scope["type"] != "http":
                return
            refusal = Refusal(
                500,
                f"Seethrough made a mistake (id {mistake}).",
                why="something happened that its authors did not foresee.",
                fix="the terminal shows the details beside this id; please report them.",
            )
            await answer(refusal)(scope, receive, send)


def install(app: FastAPI) -> None:
    """Make every error of the application answer in the three parts."""
    app.add_exception_handler(SeethroughError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_middleware(OwnMistakes)

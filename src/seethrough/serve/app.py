"""The application: the API behind the guard, and the studio's page for every other address."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from operator import attrgetter
from pathlib import Path

from anyio.to_thread import run_sync
from fastapi import FastAPI
from starlette.responses import Response

from seethrough.serve import refusal, wire
from seethrough.serve.desk import desk
from seethrough.serve.guard import Guard
from seethrough.serve.opened import Opened
from seethrough.serve.opening import Opening
from seethrough.serve.pages import pages
from seethrough.serve.routes import router
from seethrough.serve.routes_compare import router as comparing
from seethrough.serve.routes_inside import router as inside
from seethrough.serve.routes_keep import router as keeping
from seethrough.serve.routes_step import router as stepping
from seethrough.serve.routes_time import router as time
from seethrough.serve.routes_train import router as training
from seethrough.serve.routes_try import router as trying
from seethrough.version import __version__

REFUSED: dict[int | str, dict[str, object]] = {
    "default": {
        "description": "Refused: what, why, how to fix it.",
        "content": {
            "application/json": {
                "schema": {"$ref": f"#/components/schemas/{wire.ErrorMessage.__name__}"}
            }
        },
    }
}


def _is_never_closing() -> bool:
    return False


@asynccontextmanager
async def _lifetime(app: FastAPI) -> AsyncIterator[None]:
    """What was begun for the studio ends with the server."""
    yield
    await run_sync(app.state.desk.rate_tests.close)


def create_app(
    runs_dir: Path,
    *,
    token: str,
    port: int,
    is_closing: Callable[[], bool] = _is_never_closing,
    opening: Opening | None = None,
    opened: Sequence[Opened] = (),
) -> FastAPI:
    """The application for the runs in `runs_dir`, open only to whoever has the token."""
    app = FastAPI(
        title="Seethrough",
        version=__version__,
        description="Everything the studio shows, for programs.",
        docs_url=None,  # its page loads scripts from elsewhere
        redoc_url=None,
        openapi_url="/api/openapi.json",
        redirect_slashes=False,
        generate_unique_id_function=attrgetter("name"),
        # the web framework can export measurements of every request: nothing leaves this machine
        telemetry={
            "tracing": False,
            "metrics": False,
            "logs": False,
            "operation_spans": False,
            "auto_configure": False,
        },
        responses=REFUSED,
        lifespan=_lifetime,
    )
    app.state.desk = desk(runs_dir, is_closing, opening, opened)
    app.include_router(router)
    app.include_router(inside)
    app.include_router(stepping)
    app.include_router(comparing)
    app.include_router(trying)
    app.include_router(keeping)
    app.include_router(time)
    app.include_router(training)
    studio = pages()

    @app.get("/{address:path}", include_in_schema=False)
    def page(address: str) -> Response:
        if address == "api" or address.startswith("api/"):
            raise refusal.nothing_here()
        return studio.page(address)

    refusal.install(app)
    app.add_middleware(Guard, token=token, port=port)  # added last: it stands before all
    return app

"""The application: the routes of the API behind the guard, and the studio beside them."""

from pathlib import Path

from fastapi import FastAPI
from fastapi.routing import APIRoute

from seethrough.serve import wire
from seethrough.serve.routes import router
from seethrough.version import __version__

REFUSALS: dict[int | str, dict[str, object]] = {
    "default": {"model": wire.ErrorMessage, "description": "Refused: what, why, how to fix it."}
}


def _operation_id(route: APIRoute) -> str:
    return route.name


def create_app(runs_dir: Path, *, token: str, port: int) -> FastAPI:
    """The server's application for the runs in `runs_dir`, opened only to whoever has the token."""
    app = FastAPI(
        title="Seethrough",
        version=__version__,
        description="Everything the studio shows, for programs.",
        docs_url=None,  # its page loads scripts from elsewhere
        redoc_url=None,
        openapi_url="/api/openapi.json",
        generate_unique_id_function=_operation_id,
        # the web framework can export measurements of every request: nothing leaves this machine
        telemetry={
            "tracing": False,
            "metrics": False,
            "logs": False,
            "operation_spans": False,
            "auto_configure": False,
        },
        responses=REFUSALS,
    )
    app.include_router(router)
    return app

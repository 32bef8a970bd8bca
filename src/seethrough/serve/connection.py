"""A connection that must say what it wants: who sends no whole head in time is let go.

uvicorn waits for the head of a first request without limit, so that a few hundred silent
connections would hold all its sockets.
"""

import asyncio
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

HEAD_S = 10.0


def connection(
    config: Config,
    server_state: ServerState,
    app_state: dict[str, Any],
    _loop: asyncio.AbstractEventLoop | None = None,
) -> H11Protocol:
    """uvicorn's protocol for one connection, with HEAD_S for its first head."""
    protocol = H11Protocol(config, server_state, app_state, _loop)

    def let_go() -> None:
        # The cycle is the request that was read; there is none before a head has come.
        if protocol.cycle is None and protocol in server_state.connections:
            protocol.transport.close()

    protocol.loop.call_later(HEAD_S, let_go)
    return protocol

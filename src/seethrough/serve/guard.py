"""Who may talk to the server: the first thing every request meets.

In this order, on every route, whatever is behind it:

    Host    exactly one header, a name of this machine with our port or none, else 403: a foreign
            page whose name was re-pointed to 127.0.0.1 still sends its own name
    socket  403: there are no socket routes
    Origin  a foreign one is 403 on every method; changing something also needs proof that our own
            page asks: Sec-Fetch-Site same-origin or none, or our Origin
    token   a cookie or `Authorization: Bearer`, else 401

What is allowed derives from the port that the server was started with, never from the request.
The link in the terminal carries the token once; it becomes a cookie that scripts cannot read.
"""

import base64
import hashlib
import html
import secrets
from collections.abc import Iterable
from urllib.parse import parse_qsl, quote, urlencode

from starlette.datastructures import MutableHeaders
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from seethrough.serve.refusal import Refusal, answer

NAMES = ("127.0.0.1", "[::1]", "localhost")
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
OWN_SITES = frozenset({"same-origin", "none"})

STYLE = (
    "body{max-width:34em;margin:20vh auto;padding:0 16px;"
    "font:16px/1.5 system-ui,sans-serif;color-scheme:light dark}code{font-size:.9em}"
)
STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
PLAIN_POLICY = f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; frame-ancestors 'none'"
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}


def cookie_name(port: int) -> str:
    """Cookies are shared by all ports of a host: the name keeps two servers apart."""
    return f"seethrough-{port}"


def plain_page(title: str, *paragraphs: str, status: int, head: str = "") -> Response:
    """A page that stands on its own: no script, one style, nothing loaded."""
    body = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    text = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">{head}'
        f'<meta name="viewport" content="width=device-width"><title>{title}</title>'
        f"<style>{STYLE}</style></head><body><h1>{title}</h1>{body}</body></html>"
    )
    headers = {"content-security-policy": PLAIN_POLICY}
    return HTMLResponse(text, status_code=status, headers=headers)


class Guard:
    """Stands before the application; `port` and `token` are those of this server."""

    def __init__(self, app: ASGIApp, *, token: str, port: int) -> None:
        self.app = app
        self.token = token.encode()
        self.cookie = cookie_name(port)
        self.hosts = {*NAMES, *(f"{name}:{port}" for name in NAMES)}
        self.origins = {f"http://{name}:{port}" for name in NAMES}
        if port == 80:  # browsers leave the standard port out
            self.origins |= {f"http://{name}" for name in NAMES}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request in, or answer it here."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        response = self._refusal(scope)
        if response is None:
            await self.app(scope, receive, with_headers)
        else:
            await response(scope, receive, with_headers)

    def _refusal(self, scope: Scope) -> Response | None:
        """The answer to a request that does not get in; None: it does."""
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        is_page = _is_page(scope)
        try:
            self._check_host(list(_values(headers, b"host")))
            self._check_origin(headers, scope["method"], is_page=is_page)
        except Refusal as refusal:
            return answer(refusal)
        if is_page and (entrance := self._entrance(scope, headers)):
            return entrance
        if self._knows(headers):
            return None
        return self._please_open_the_link(is_page=is_page)

    def _check_host(self, hosts: list[str]) -> None:
        if len(hosts) == 1 and hosts[0].lower() in self.hosts:
            return
        raise Refusal(
            403,
            "This server does not answer to that name.",
            why="it is only there for this computer, as 127.0.0.1 or localhost.",
            fix="open the link that the terminal printed.",
        )

    def _check_origin(
        self, headers: list[tuple[bytes, bytes]], method: str, *, is_page: bool
    ) -> None:
        origins = list(_values(headers, b"origin"))
        sites = list(_values(headers, b"sec-fetch-site"))
        is_own_origin = len(origins) == 1 and origins[0].lower() in self.origins
        is_own_site = len(sites) == 1 and sites[0].lower() in OWN_SITES
        if origins and not is_own_origin:
            raise _foreign()
        # A link in another page may lead to ours; nothing else of ours is for other pages.
        if sites and not is_own_site and not is_page:
            raise _foreign()
        if method not in SAFE_METHODS and not (is_own_origin or is_own_site):
            raise _foreign()

    def _knows(self, headers: list[tuple[bytes, bytes]]) -> bool:
        for value in _values(headers, b"authorization"):
            scheme, _, given = value.partition(" ")
            if scheme.lower() == "bearer" and self._is_token(given.strip()):
                return True
        for value in _values(headers, b"cookie"):
            for pair in value.split(";"):
                name, _, given = pair.strip().partition("=")
                if name == self.cookie and self._is_token(given):
                    return True
        return False

    def _is_token(self, given: str) -> bool:
        return secrets.compare_digest(given.encode(), self.token)

    def _entrance(self, scope: Scope, headers: list[tuple[bytes, bytes]]) -> Response | None:
        """The link from the terminal: its token becomes a cookie, and leaves the address."""
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        tokens = [value for name, value in query if name == "token"]
        if not tokens:
            return None
        if not self._is_token(tokens[0]):
            return self._please_open_the_link(is_page=True)
        rest = urlencode([pair for pair in query if pair[0] != "token"])
        # One slash at the front: two would name another host.
        address = "/" + quote(scope["path"].lstrip("/\\"), safe="/") + (f"?{rest}" if rest else "")
        response: Response
        if any(site.lower() not in OWN_SITES for site in _values(headers, b"sec-fetch-site")):
            # After a link in another page, browsers keep a strict cookie back until our own
            # page asks: a redirect would arrive without it.
            refresh = f'<meta http-equiv="refresh" content="0;url={html.escape(address)}">'
            response = plain_page("Opening the studio.", status=200, head=refresh)
        else:
            response = RedirectResponse(address, status_code=303)
        response.set_cookie(
            self.cookie, self.token.decode(), path="/", httponly=True, samesite="strict"
        )
        return response

    def _please_open_the_link(self, *, is_page: bool) -> Response:
        if not is_page:
            return answer(
                Refusal(
                    401,
                    "This request carries no valid token.",
                    why="only whoever started the server may use it.",
                    fix="open the link that the terminal printed, or send Authorization: Bearer.",
                )
            )
        return plain_page(
            "Please open the link from the terminal.",
            "This server answers only to whoever started it.",
            "The terminal in which Seethrough runs shows a link that ends with a token. "
            "Open that link once in this browser, and this page works until the server ends.",
            "Is the terminal gone? Run <code>seethrough studio</code> for a new one.",
            status=401,
        )


def _is_page(scope: Scope) -> bool:
    path = scope["path"]
    is_api = path == "/api" or path.startswith("/api/")
    return scope["method"] in {"GET", "HEAD"} and not is_api


def _values(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> Iterable[str]:
    return (value.decode("latin-1") for key, value in headers if key.lower() == name)


def _foreign() -> Refusal:
    return Refusal(
        403,
        "This request comes from another page.",
        why="only the studio's own page may ask this server.",
        fix="use the page that the link in the terminal opens.",
    )

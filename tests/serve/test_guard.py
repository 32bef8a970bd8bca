"""guard.py by attack: every route that is registered, and every way in that was used before."""

import re

import pytest

from .conftest import BEARER, OURS, PORT, TOKEN, raw

FOREIGN_HOSTS = [
    "evil.com",
    "localhost.evil.com",
    "127.0.0.1.nip.io",
    "",
    "evil/?x=",
    "a@b",
    f"evil.com@127.0.0.1:{PORT}",
    "0.0.0.0",
    f"0.0.0.0:{PORT}",
    "127.0.0.1:80",
    f"127.0.0.1:{PORT}.evil.com",
    f"127.0.0.1:{PORT}/",
    "127.0.0.1:",
    "[::1",
    "::1",
    "localhost.",
    "127.1",
    "2130706433",
]
OWN_HOSTS = [
    "127.0.0.1",
    "localhost",
    "[::1]",
    f"127.0.0.1:{PORT}",
    f"LOCALHOST:{PORT}",
    f"[::1]:{PORT}",
]


@pytest.fixture
def client(stranger):
    return stranger


def every_route(routes):
    """The list as it is registered; a kind of route that this does not know fails the test."""
    for route in routes:
        if hasattr(route, "path"):
            yield route
        else:
            yield from every_route(route.original_router.routes)


def every_request(app):
    """Method and address of each registered route, its parameters filled in."""
    for route in every_route(app.routes):
        for method in sorted(route.methods):
            yield method, re.sub(r"\{[^}]+\}", "x", route.path)


def test_the_list_of_attacked_routes_is_complete(app):
    attacked = {address for _, address in every_request(app)}
    for path in app.openapi()["paths"]:
        assert re.sub(r"\{[^}]+\}", "x", path) in attacked
    assert len(attacked) >= 17


@pytest.mark.parametrize("host", FOREIGN_HOSTS)
def test_a_foreign_host_is_refused_on_every_route_even_with_the_token(app, client, host):
    for method, address in every_request(app):
        answer = client.request(method, address, headers={**BEARER, "host": host})
        assert answer.status_code == 403, (method, address)
        if method != "HEAD":
            assert answer.json()["what"] == "This server does not answer to that name."


def test_two_hosts_are_refused_on_every_route(app, client):
    twice = [("host", "127.0.0.1"), ("host", f"127.0.0.1:{PORT}"), *BEARER.items()]
    for method, address in every_request(app):
        assert client.request(method, address, headers=twice).status_code == 403


@pytest.mark.parametrize("host", OWN_HOSTS)
def test_every_name_of_this_computer_is_answered(client, host):
    assert client.get("/api/window", headers={**BEARER, "host": host}).status_code == 200


@pytest.mark.parametrize(
    "lie",
    [
        {"origin": "https://evil.com"},
        {"origin": "null"},
        {"origin": "http://localhost:3000"},
        {"origin": f"https://127.0.0.1:{PORT}"},
        {"origin": f"http://127.0.0.1:{PORT}.evil.com"},
        {"origin": "http://127.0.0.1"},
        {"origin": "https://evil.com", "sec-fetch-site": "same-origin"},
    ],
)
def test_a_foreign_origin_is_refused_on_every_route_and_method(app, client, lie):
    for method, address in every_request(app):
        answer = client.request(method, address, headers={**BEARER, **lie})
        assert answer.status_code == 403, (method, address)


@pytest.mark.parametrize("site", ["cross-site", "same-site", "nonsense"])
def test_another_page_gets_nothing_of_the_api(app, client, site):
    for method, address in every_request(app):
        if address.startswith("/api"):
            answer = client.request(method, address, headers={**BEARER, "sec-fetch-site": site})
            assert answer.status_code == 403, (method, address)


def test_changing_something_needs_proof_that_our_own_page_asks(app, client):
    changing = [pair for pair in every_request(app) if pair[0] not in {"GET", "HEAD"}]
    assert len(changing) >= 3
    for method, address in changing:
        assert client.request(method, address, headers=BEARER).status_code == 403
        for proof in ({"origin": OURS}, {"sec-fetch-site": "same-origin"}):
            answer = client.request(method, address, headers={**BEARER, **proof})
            assert answer.status_code not in {401, 403}, (method, address)


@pytest.mark.parametrize(
    "known",
    [
        {},
        {"authorization": "Bearer wrong"},
        {"authorization": f"Basic {TOKEN}"},
        {"authorization": f"Bearer {TOKEN}x"},
        {"authorization": "Bearer"},
        {"cookie": f"seethrough={TOKEN}"},
        {"cookie": f"seethrough-{PORT + 1}={TOKEN}"},
        {"cookie": f"seethrough-{PORT}=wrong"},
        {"cookie": f"seethrough-{PORT}=\u00e4"},
    ],
)
def test_without_the_token_no_route_answers(app, client, known):
    for method, address in every_request(app):
        headers = {"sec-fetch-site": "none", **known}
        sent = {name: value.encode() for name, value in headers.items()}
        answer = client.request(method, address, headers=sent)
        assert answer.status_code == 401, (method, address)


def test_a_token_in_the_address_opens_no_part_of_the_api(client):
    assert client.get(f"/api/window?token={TOKEN}").status_code == 401


@pytest.mark.parametrize("known", [{}, BEARER, {**BEARER, "origin": OURS}])
def test_sockets_are_refused_before_they_open(app, known):
    headers = [
        (name.encode(), value.encode()) for name, value in {"host": "localhost", **known}.items()
    ]
    scope = {"type": "websocket", "path": "/api/runs/x/events", "headers": headers}
    assert raw(app, scope) == [{"type": "websocket.close", "code": 1008}]


def test_the_link_becomes_a_cookie_and_its_token_leaves_the_address(client):
    answer = client.get(f"/look/amber-heron?layer=conv1&token={TOKEN}&unit=3")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/look/amber-heron?layer=conv1&unit=3"
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"seethrough-{PORT}={TOKEN};")
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert client.get("/api/window").status_code == 200
    assert client.get(f"/?token={TOKEN}").status_code == 303  # and works again


def test_a_wrong_link_gives_no_cookie(client):
    answer = client.get("/?token=wrong")
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers
    assert "Please open the link from the terminal." in answer.text


@pytest.mark.parametrize("path", ["//evil.com/", "/\\evil.com", "///evil.com", "/%2F/evil.com"])
def test_the_link_never_leads_to_another_host(client, path):
    answer = client.get(f"{OURS}{path}?token={TOKEN}")
    location = answer.headers["location"]
    assert location.startswith("/")
    assert location[1:2] not in {"/", "\\"}


def test_a_link_in_another_page_opens_the_studio_from_its_own_page(client):
    """A strict cookie does not survive a redirect that another site began."""
    answer = client.get(f"/train?token={TOKEN}&x=1", headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 200
    assert 'http-equiv="refresh" content="0;url=/train?x=1"' in answer.text
    assert "set-cookie" in answer.headers


def test_every_answer_carries_the_headers_that_keep_it_here(app, client):
    answers = [
        client.get("/api/window"),
        client.get("/api/window", headers=BEARER),
        client.get("/", headers=BEARER),
        client.get("/", headers={"host": "evil.com"}),
        client.get("/api/nothing", headers=BEARER),
    ]
    for answer in answers:
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"


def test_no_answer_invites_other_origins(app, client):
    for method, address in every_request(app):
        wish = {"origin": "https://evil.com", "access-control-request-method": method}
        asked = client.request("OPTIONS", address, headers=wish)
        told = client.get("/api/window", headers={**BEARER, "origin": OURS})
        for answer in (asked, told):
            assert not [name for name in answer.headers if name.startswith("access-control")]
        assert asked.status_code == 403

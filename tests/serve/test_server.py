"""server.py: a real server on a real port, asked over real sockets."""

import contextlib
import gc
import json
import socket
import subprocess
import sys
import threading

import httpx
import pytest

from seethrough.errors import ServerError
from seethrough.serve import connection
from seethrough.serve import server as server_module
from seethrough.serve.server import FIRST_PORT, Address, running_server

PATIENCE_S = 60  # a busy machine is slow, not wrong
START = """
import sys, threading
from pathlib import Path
from seethrough.serve import server

def ready(address):
    print(address.port, address.token, "torch" in sys.modules, flush=True)

server.WARM_AFTER_S = 3600
server.serve(Path(sys.argv[1]), opens_browser=False, ready=ready)
print("ended", "torch" in sys.modules, flush=True)
"""


def asked(address: Address, request: bytes) -> bytes:
    """The first piece of the answer to exactly these bytes."""
    with socket.create_connection(("127.0.0.1", address.port), timeout=PATIENCE_S) as connection:
        connection.sendall(request)
        return connection.recv(65536)


@pytest.fixture
def server(trained):
    with running_server(trained.runs_dir) as address:
        yield address


@pytest.fixture
def browser(server):
    headers = {"sec-fetch-site": "same-origin"}
    with httpx.Client(base_url=server.url, headers=headers, timeout=PATIENCE_S) as browser:
        browser.get(server.link(), follow_redirects=True)
        yield browser


def test_the_link_opens_the_studio_and_two_servers_do_not_share_a_cookie(server, browser, trained):
    assert browser.get("/api/window").json()["newest_run"] == trained.run.id
    with running_server(trained.runs_dir) as second:
        assert second.port != server.port
        other = browser.get(f"{second.url}/api/window")
        assert other.status_code == 401
        browser.get(second.link("/look?x=1"))
        assert browser.get(f"{second.url}/api/window").status_code == 200
        assert browser.get("/api/window").status_code == 200


def test_a_port_in_use_is_said_before_anything_starts(server, trained):
    with (
        pytest.raises(ServerError, match=f"Port {server.port} cannot be used") as refused,
        running_server(trained.runs_dir, port=server.port),
    ):
        pass
    assert "in use" in refused.value.why
    assert "--port" in refused.value.fix


@pytest.mark.parametrize("port", [-1, 65536, 10**20])
def test_a_port_that_does_not_exist_is_refused(trained, port):
    with (
        pytest.raises(ServerError, match=f"Port {port} cannot be used"),
        running_server(trained.runs_dir, port=port),
    ):
        pass


def test_it_listens_on_this_computer_only(server):
    assert server.url == f"http://127.0.0.1:{server.port}"
    others = {found[4][0] for found in socket.getaddrinfo(socket.gethostname(), None)}
    for other in others - {"127.0.0.1", "::1"}:
        with pytest.raises(OSError, match=r"refused|timed out|unreachable"):
            socket.create_connection((other, server.port), timeout=2)


def test_the_token_is_256_bits_and_is_not_printed_by_accident(server):
    assert len(server.token) >= 43
    assert server.token not in repr(server)


@pytest.mark.parametrize(
    ("request_line", "headers"),
    [
        ("GET /api/window HTTP/1.1", "Host: 127.0.0.1\r\nHost: evil.com\r\n"),
        ("GET /api/window HTTP/1.1", ""),
        ("GET /api/window HTTP/1.1", "Host: evil.com\r\n"),
        ("GET http://evil.com/api/window HTTP/1.1", "Host: 127.0.0.1\r\n"),
        ("GET /api/window HTTP/1.0", ""),
        ("CONNECT evil.com:80 HTTP/1.1", "Host: evil.com:80\r\n"),
        ("TRACE /api/window HTTP/1.1", "Host: 127.0.0.1\r\n"),
        ("BREW /api/window HTTP/1.1", "Host: 127.0.0.1\r\n"),
        ("POST /api/runs HTTP/1.1", "Host: 127.0.0.1\r\nContent-Length: -5\r\n"),
        ("nonsense", ""),
        (
            "GET /api/runs/x/events HTTP/1.1",
            "Host: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\n",
        ),
    ],
)
def test_crafted_requests_get_nothing(server, request_line, headers):
    answer = asked(server, f"{request_line}\r\n{headers}\r\n".encode())
    status = int(answer.split(b" ", 2)[1])
    assert status in {400, 401, 403, 404, 405}
    assert b"newest_run" not in answer


@pytest.mark.parametrize(
    "path",
    [
        "/assets/../../wire.py",
        "/../../../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/assets/..%2f..%2fwire.py",
        "/assets/%252e%252e/wire.py",
        "/assets/..%5c..%5cwire.py",
        "/api/runs/..%2f..%2f..%2fetc%2fpasswd",
        "/api/runs/x/photos/..%2f..%2frun.json/image",
        "//etc/passwd",
        "/assets/%00",
    ],
)
def test_no_address_leads_out_of_the_studio(server, path):
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {server.token}\r\n"
    answer = asked(server, f"{request}Connection: close\r\n\r\n".encode())
    assert b"root:" not in answer
    assert b"pydantic" not in answer
    assert answer.split(b" ", 2)[1] in {b"200", b"404", b"503"}  # 200: the studio's own page


def test_it_ends_within_three_seconds_while_pages_follow_a_training(trained, tmp_path):
    """The log of a run that is being trained never ends by itself."""
    runs_dir = tmp_path / "runs"
    folder = runs_dir / trained.run.id
    folder.mkdir(parents=True)
    for name in ("run.json", "log.jsonl"):
        (folder / name).write_bytes((trained.run.folder / name).read_bytes())
    log = folder / "log.jsonl"
    log.write_bytes(log.read_bytes().rsplit(b"\n", 2)[0] + b"\n")  # without its end
    heard = threading.Barrier(11)

    def follow(address: Address) -> None:
        headers = {"authorization": f"Bearer {address.token}"}
        url = f"{address.url}/api/runs/{trained.run.id}/events"
        with httpx.stream("GET", url, headers=headers, timeout=PATIENCE_S) as answer:
            pieces = answer.iter_bytes()
            next(pieces)
            heard.wait()
            for _ in pieces:
                pass

    with running_server(runs_dir) as address:
        readers = [threading.Thread(target=follow, args=[address]) for _ in range(10)]
        for reader in readers:
            reader.start()
        heard.wait()
    for reader in readers:  # a stream that was cut off would be an error in its thread
        reader.join()


def test_it_starts_without_torch_and_ends_on_interrupt(trained):
    command = [sys.executable, "-c", START, str(trained.runs_dir)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            port, token, has_torch = process.stdout.readline().split()
            headers = {"authorization": f"Bearer {token}"}
            url = f"http://127.0.0.1:{port}"
            for path in ("/", "/api/window", "/api/runs", f"/api/runs/{trained.run.id}"):
                assert httpx.get(url + path, headers=headers, timeout=PATIENCE_S).status_code in {
                    200,
                    503,
                }
            assert has_torch == "False"
            process.send_signal(2)
            out, complaints = process.communicate(timeout=PATIENCE_S)
        finally:
            process.kill()
    assert out == "ended False\n"
    assert process.returncode == 0
    assert token not in complaints
    assert "Traceback" not in complaints


def was_let_go(connected):
    """Closed by the other side, with what was sent to it read or unread."""
    try:
        return connected.recv(1) == b""
    except ConnectionResetError:
        return True


def test_connections_that_say_nothing_are_let_go_and_others_are_served(trained, monkeypatch):
    monkeypatch.setattr(connection, "HEAD_S", 1.0)  # the one that asks has as long
    with running_server(trained.runs_dir) as address, contextlib.ExitStack() as stack:
        silent = [
            stack.enter_context(
                socket.create_connection(("127.0.0.1", address.port), timeout=PATIENCE_S)
            )
            for _ in range(50)
        ]
        for number, each in enumerate(silent):
            with contextlib.suppress(ConnectionError):  # let go already, on a slow machine
                each.sendall(b"GET / HTTP/1.1\r\nHost: 127"[:number])
        headers = {"authorization": f"Bearer {address.token}"}
        with httpx.Client(base_url=address.url, headers=headers, timeout=PATIENCE_S) as asking:
            assert asking.get("/api/window").status_code == 200
            assert all(map(was_let_go, silent))
            assert asking.get("/api/window").status_code == 200  # on the same connection


def test_answers_are_sent_without_waiting_for_acknowledgements():
    """asyncio does so for sockets that say that they are TCP."""
    with server_module._listen(None) as listener:
        assert listener.proto == socket.IPPROTO_TCP


def test_without_a_wish_the_first_free_port_from_8750_is_taken(server):
    assert FIRST_PORT <= server.port < FIRST_PORT + 50 or server.port > 1024


def test_predict_over_a_real_socket_is_predict_in_python(browser, trained):
    content = (trained.photos / "stripes" / "07.png").read_bytes()
    told = browser.post(f"/api/runs/{trained.run.id}/predict", content=content)
    own = trained.run.classifier.predict(content, name="photo").to_dict()
    assert told.json() == json.loads(json.dumps(own))


def test_the_collector_of_garbage_goes_through_nothing_old_while_a_server_answers(trained):
    with running_server(trained.runs_dir) as address:
        httpx.get(address.link(), follow_redirects=True, timeout=PATIENCE_S)
        assert gc.get_freeze_count() > 0
    assert gc.get_freeze_count() == 0

"""stream.py: the log as server-sent events, from a log that is written here line by line."""

import json
from collections.abc import Callable

import anyio
import pytest

from seethrough.serve import stream, wire
from seethrough.serve.refusal import Refusal
from seethrough.serve.stream import Audience, LogStream, start_of

END = wire.EndEvent(
    kind="end",
    state="stopped",
    epoch=1,
    train_seconds=2.5,
    test_accuracy=None,
    weights_sha256=None,
    error=None,
)


def line(kind: str, **fields) -> bytes:
    return json.dumps({"kind": kind, **fields}).encode() + b"\n"


def parsed(messages: bytes) -> list[tuple[int, str, dict]]:
    """By the standard's grammar: fields of a line each, events between empty lines."""
    events = []
    for block in messages.decode().split("\n\n"):
        fields = dict(row.split(": ", 1) for row in block.splitlines() if not row.startswith(":"))
        if fields:
            events.append((int(fields["id"]), fields["event"], json.loads(fields["data"])))
    return events


@pytest.fixture
def log(tmp_path):
    return tmp_path / "log.jsonl"


def read(log, *, after: int = 0, ended: Callable = lambda: None, meanwhile=None) -> bytes:
    """Everything a reader gets until its stream closes; `meanwhile` runs beside it."""

    async def go() -> bytes:
        told = b""
        reader = LogStream(log, start_of(log, after), Audience(), ended, lambda: False)
        with anyio.fail_after(20):
            async with anyio.create_task_group() as tasks:
                if meanwhile is not None:
                    tasks.start_soon(meanwhile)
                async for piece in reader.events():
                    told += piece
        return told

    return anyio.run(go)


def test_a_finished_log_is_replayed_and_closed(log):
    lines = [line("started", epochs=2), line("note", text="Füße · “x”\u2028y"), line("end")]
    log.write_bytes(b"".join(lines))
    told = parsed(read(log))
    assert [kind for _, kind, _ in told] == ["started", "note", "end"]
    assert told[1][2]["text"] == "Füße · “x”\u2028y"
    assert [offset for offset, _, _ in told] == [
        len(b"".join(lines[: count + 1])) for count in range(3)
    ]


def test_whoever_lost_the_connection_goes_on_where_it_was(log):
    log.write_bytes(b"".join(line("step", step=number) for number in range(50)) + line("end"))
    whole = parsed(read(log))
    for offset, _, _ in whole[::7]:
        assert parsed(read(log, after=offset)) == [each for each in whole if each[0] > offset]


@pytest.mark.parametrize("after", [1, 7, 10**9, -5])
def test_an_offset_that_is_no_end_of_a_line_reads_from_the_start(log, after):
    log.write_bytes(line("started") + line("end"))
    assert parsed(read(log, after=after)) == parsed(read(log))


def test_lines_arrive_while_they_are_written_and_half_a_line_waits(log):
    whole = line("step", step=1)

    async def writer() -> None:
        for piece in (line("started"), whole[:9], whole[9:], line("end")):
            await anyio.sleep(0.15)
            with log.open("ab") as file:
                file.write(piece)

    told = parsed(read(log, meanwhile=writer))
    assert [kind for _, kind, _ in told] == ["started", "step", "end"]
    assert told[1][2] == {"kind": "step", "step": 1}


def test_a_log_that_is_cut_back_is_read_again_from_the_start(log):
    log.write_bytes(line("started") + b"".join(line("step", step=each) for each in range(9)))

    async def resumed() -> None:
        await anyio.sleep(0.3)
        log.write_bytes(line("started") + line("step", step=0))
        await anyio.sleep(0.3)
        with log.open("ab") as file:
            file.write(line("end"))

    kinds = [kind for _, kind, _ in parsed(read(log, meanwhile=resumed))]
    assert kinds == ["started"] + ["step"] * 9 + ["started", "step", "end"]


def test_a_run_that_died_in_silence_gets_an_end(log, monkeypatch):
    monkeypatch.setattr(stream, "CHECK_S", 0.2)
    log.write_bytes(line("started") + b'{"kind": "st')
    told = parsed(read(log, ended=lambda: END))
    assert [kind for _, kind, _ in told] == ["started", "end"]
    assert told[-1][2] == END.model_dump()


def test_a_silent_reader_hears_again_and_again_that_the_server_is_there(log, monkeypatch):
    monkeypatch.setattr(stream, "KEEPALIVE_S", 0.2)

    async def go() -> list[bytes]:
        told = []
        reader = LogStream(log, 0, Audience(), lambda: None, lambda: False)
        with anyio.fail_after(20):
            async for piece in reader.events():
                told.append(piece)
                if len(told) == 4:
                    log.write_bytes(line("end"))
        return told

    begun, *silent, end = anyio.run(go)
    assert begun == b": the log of a run\n\n"
    assert silent == [b": still here\n\n"] * 3
    assert [kind for _, kind, _ in parsed(end)] == ["end"]


def test_a_damaged_line_is_told_and_the_rest_arrives(log):
    log.write_bytes(line("started") + b"\xff\xfe{nonsense\n" + line("end"))
    told = parsed(read(log))
    assert [kind for _, kind, _ in told] == ["started", "note", "end"]
    assert "damaged" in told[1][2]["text"]


def test_a_line_longer_than_a_piece_arrives_whole(log, monkeypatch):
    monkeypatch.setattr(stream, "PIECE_BYTES", 64)
    log.write_bytes(line("epoch", kernels=list(range(500))) + line("end"))
    assert parsed(read(log))[0][2]["kernels"] == list(range(500))


def test_readers_are_counted_while_they_read_and_not_longer(log):
    log.write_bytes(line("started"))
    audience = Audience(limit=2)

    async def go() -> None:
        readers = [
            LogStream(log, 0, audience, lambda: None, lambda: False).events() for _ in range(3)
        ]
        for reader in readers[:2]:
            await anext(reader)
        with pytest.raises(Refusal, match="Too many pages follow a training already"):
            audience.check()
        assert [piece async for piece in readers[2]] == []
        await readers[0].aclose()
        audience.check()
        await readers[1].aclose()

    anyio.run(go)
    assert audience.readers == 0


def test_every_line_of_a_real_log_is_a_message_of_the_wire(client, trained):
    answer = client.get(f"/api/runs/{trained.run.id}/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    told = parsed(answer.content)
    assert [data for _, _, data in told] == [event for _, event in trained.run.log()]
    for _, kind, data in told:
        message = wire.LogEvent.model_validate(data).root
        assert message.kind == kind
        assert message.model_dump() == data


def test_a_reader_who_has_everything_is_told_not_to_come_again(client, trained):
    base = f"/api/runs/{trained.run.id}/events"
    offset = parsed(client.get(base).content)[-1][0]
    assert client.get(base, params={"after": offset}).status_code == 204
    assert client.get(base, headers={"last-event-id": str(offset)}).status_code == 204
